"""Instants in the spellings of the protocol, and a clock that only tests turn."""

import pytest

from lean_emulator.base.clock import ManualClock, SystemClock, http_date, iso_text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (1434684070123, "2015-06-19T03:21:10.123Z"),
        (1582934400000, "2020-02-29T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_iso_text(ms: int, text: str) -> None:
    assert iso_text(ms) == text


@pytest.mark.parametrize(
    ("iso", "text"),
    [
        ("2019-09-19T04:45:59.172Z", "Thu, 19 Sep 2019 04:45:59.172 GMT"),
        ("2024-12-01T00:00:00.000Z", "Sun, 01 Dec 2024 00:00:00.000 GMT"),
    ],
)
def test_http_dates_keep_milliseconds(iso: str, text: str) -> None:
    assert http_date(iso) == text


def test_manual_clock_moves_both_times_together() -> None:
    clock = ManualClock(1_000)
    clock.advance(1.5)
    clock.advance(0)
    assert (clock.now_ms(), clock.monotonic()) == (2_500, 1.5)


def test_manual_clock_does_not_go_back() -> None:
    clock = ManualClock()
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-0.001)
    assert clock.monotonic() == 0.0


def test_system_clock_goes_on() -> None:
    clock = SystemClock()
    assert clock.monotonic() <= clock.monotonic()
    assert clock.now_ms() > 1_700_000_000_000
