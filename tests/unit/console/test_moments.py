from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from lean_emulator.console.moments import distance, field_text, moment, ms_of, span
from lean_emulator.console.phrases import Phrases

EN, ZH = Phrases("en"), Phrases("zh")
NOON = round(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
DAY = 86_400_000


@pytest.mark.parametrize(
    ("ms", "english", "chinese"),
    [
        (NOON, "12:00:00", "12:00:00"),
        (NOON + 3 * DAY, "Mon 23 Nov 12:00:00", "11 月 23 日 周一 12:00:00"),
        (NOON + 60 * DAY, "Tue 19 Jan 2027 12:00:00", "2027 年 1 月 19 日 周二 12:00:00"),
    ],
)
def test_moments_say_as_much_as_they_must(ms: int, english: str, chinese: str) -> None:
    assert moment(EN, ms, UTC, NOON) == english
    assert moment(ZH, ms, UTC, NOON) == chinese


def test_moments_go_by_the_clocks_of_the_zone() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert moment(EN, NOON, tokyo, NOON) == "21:00:00"
    assert moment(EN, NOON + 4 * 3_600_000, tokyo, NOON) == "Sat 21 Nov 01:00:00"
    assert field_text(NOON, tokyo) == "2026-11-20T21:00:00"


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (12, "12 s", "12 秒"),
        (60, "1 min", "1 分钟"),
        (90, "1 min 30 s", "1 分 30 秒"),
        (3_600, "1 h", "1 小时"),
        (5_400, "1 h 30 min", "1 小时 30 分钟"),
        (86_400, "1 day", "1 天"),
        (-2 * 86_400, "2 days", "2 天"),
        (93_600, "1 day 2 h", "1 天 2 小时"),
    ],
)
def test_spans_have_two_units_at_most(seconds: int, english: str, chinese: str) -> None:
    assert span(EN, seconds * 1000) == english
    assert span(ZH, seconds * 1000) == chinese


def test_distances() -> None:
    assert distance(EN, NOON + 22 * 60_000, NOON) == "in 22 min"
    assert distance(EN, NOON - 3 * 3_600_000, NOON) == "3 h ago"
    assert distance(ZH, NOON - 3 * 3_600_000, NOON) == "3 小时前"
    assert distance(EN, NOON + 400, NOON) == "now"


def test_wire_instants() -> None:
    assert ms_of("1970-01-01T00:00:00.123Z") == 123
    assert ms_of(None) is None
