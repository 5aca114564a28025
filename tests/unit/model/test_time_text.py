from zoneinfo import ZoneInfo

import pytest

from lean_emulator.model.time_text import read_instant, read_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        (" 90s ", 90.0),
        ("1d12h", 129_600.0),
        ("1.5h", 5_400.0),
        ("250ms", 0.25),
        ("2w", 1_209_600.0),
        ("", None),
        ("1d 2h", None),
        ("-5", None),
        ("inf", None),
        ("nan", None),
        ("5 minutes", None),
    ],
)
def test_spans(text: str, seconds: float | None) -> None:
    assert read_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01T08:00:01", 1_000),
        ("1970-01-01T00:00:01+00:00", 1_000),
        ("1970-01-01", -28_800_000),
        ("", None),
        ("noon", None),
        ("1970-13-01", None),
    ],
)
def test_instants_are_of_the_zone_unless_they_say_otherwise(text: str, ms: int | None) -> None:
    assert read_instant(text, ZoneInfo("Asia/Shanghai")) == ms
