"""Cron expressions are read as the platform documents them, and run when it would."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_emulator.base.errors import ApiError
from lean_emulator.model.cron import Cron
from lean_emulator.model.cron_fields import MONTHS, WEEKDAYS
from lean_emulator.model.cron_words import in_words
from tests.support.naive_cron import naive_next

BASE = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")]


def runs(text: str, count: int, base: datetime = BASE, zone: ZoneInfo | None = None) -> list[str]:
    """The next runs, as a zone's clocks show them."""
    cron, found, at = Cron.parse(text), [], base
    for _ in range(count):
        following = cron.next_after(at, zone or UTC)
        if following is None:
            break
        at = following
        found.append(f"{at.astimezone(zone or UTC):%Y-%m-%d %H:%M:%S}")
    return found


def days(text: str, count: int, base: datetime = BASE) -> list[str]:
    return [run.split()[0] for run in runs(text, count, base)]


def test_every_documented_example_runs() -> None:
    assert runs("0 */5 * * * ?", 2) == ["2026-01-01 00:05:00", "2026-01-01 00:10:00"]
    assert runs("10 */5 * * * ?", 2) == ["2026-01-01 00:00:10", "2026-01-01 00:05:10"]
    assert runs("0 30 10-13 ? * WED,FRI", 2) == ["2026-01-02 10:30:00", "2026-01-02 11:30:00"]
    assert runs("0 */30 8-9 5,20 * ?", 5)[-2:] == ["2026-01-05 09:30:00", "2026-01-20 08:00:00"]
    assert runs("0 0 8 ? * MON", 2) == ["2026-01-05 08:00:00", "2026-01-12 08:00:00"]
    assert runs("0 0 12 * * ?", 1) == ["2026-01-01 12:00:00"]
    assert runs("0 15 10 ? * *", 1) == ["2026-01-01 10:15:00"]
    assert days("0 15 10 ? * 6L", 3) == ["2026-01-30", "2026-02-27", "2026-03-27"]
    assert days("0 15 10 ? * 6#3", 3) == ["2026-01-16", "2026-02-20", "2026-03-20"]
    assert days("0 15 10 LW * ?", 3) == ["2026-01-30", "2026-02-27", "2026-03-31"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0 0 0 1 1 ? 2027", ["2027-01-01"]),
        ("0 0 0 1/3 * ?", ["2026-01-04", "2026-01-07"]),
        ("0 0 0 ? * FRI-MON",
         ["2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05", "2026-01-09"]),
        ("0 0 0 ? * wEd,Fri", ["2026-01-02", "2026-01-07"]),
        ("0 0 0 1 Jan ?", ["2027-01-01"]),
        ("0 0 0 ? * 1", ["2026-01-04"]),
        ("0 0 0 ? * 7", ["2026-01-03"]),
        ("0 0 0 ? * 2-6", ["2026-01-02", "2026-01-05"]),
        ("0 0 0 L * ?", ["2026-01-31", "2026-02-28"]),
        ("0 0 0 ? * L", ["2026-01-03", "2026-01-10"]),
        ("0 0 0 ? * friL", ["2026-01-30"]),
        ("0 0 0 1W 8 ?", ["2026-08-03"]),
        ("0 0 0 15W 8 ?", ["2026-08-14"]),
        ("0 0 0 16W 8 ?", ["2026-08-17"]),
        ("0 0 0 31W * ?", ["2026-01-30", "2026-03-31", "2026-05-29"]),
        ("0 0 0 31W 2 ?", []),
        ("0 0 0 ? * FRI#3", ["2026-01-16"]),
        ("0 0 0 ? * 2#1", ["2026-01-05"]),
        ("0 0 0 ? 1-4 4#5", ["2026-04-29"]),
        ("0 0 0 1 1 ? 2027,2030", ["2027-01-01", "2030-01-01"]),
        ("0 0 0 1 1 ? 2027-2029", ["2027-01-01", "2028-01-01", "2029-01-01"]),
        ("0 0 0 1 1 ? 2028/2", ["2028-01-01", "2030-01-01"]),
        ("0 0 0 1 1 ? *", ["2027-01-01"]),
        ("0 0 0 1 1 ? 2020", []),
        ("0 0 0 1 1 ? 2099", ["2099-01-01"]),
        ("0 0 0 30 2 ?", []),
        ("0 0 0 29 2 ?", ["2028-02-29", "2032-02-29"]),
        ("  0\t0  0 1 * ?  ", ["2026-02-01"]),
    ],
)  # fmt: skip
def test_rows_of_the_table(text: str, found: list[str]) -> None:
    assert days(text, len(found) or 1) == found


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("0/5 * * * * ?", ["00:00:05", "00:00:10"]),
        ("5/15 * * * * ?", ["00:00:05", "00:00:20", "00:00:35", "00:00:50", "00:01:05"]),
        ("*/7 * * * * ?", ["00:00:07"]),
        ("10-30/5 * * * * ?", ["00:00:10", "00:00:15"]),
        ("0 0 22-2 * * ?", ["01:00:00", "02:00:00", "22:00:00"]),
        ("0 0 8-9 * * ?", ["08:00:00", "09:00:00"]),
    ],
)
def test_times_of_a_day(text: str, times: list[str]) -> None:
    assert [run.split()[1] for run in runs(text, len(times))] == times


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("*/5 * * * *", "5 fields"),
        ("@daily", "1 fields"),
        ("", "0 fields"),
        ("0 0 0 1 1 ? 2027 1", "8 fields"),
        ("0 0 0 ? * ?", "both day of month and day of week are '?'"),
        ("0 0 0 13 * FRI", "both day of month and day of week name days"),
        ("? * * * * ?", "the second '?'"),
        ("* * * ? ? *", "the month '?'"),
        ("0/0 * * * * ?", "'0' is no step"),
        ("0/ * * * * ?", "'' is no step"),
        ("60 * * * * ?", "60 is out of range"),
        ("0 0 24 * * ?", "the hour '24'"),
        ("0 0 0 0 * ?", "the day of month '0'"),
        ("0 0 0 1 13 ?", "the month '13'"),
        ("0 0 0 ? * 8", "the day of week '8'"),
        ("0 0 0 ? * 0", "the day of week '0'"),
        ("0 0 0 1,L * ?", "'L' stands in no list"),
        ("0 0 0 L-3 * ?", "'L' stands in no list"),
        ("0 0 0 10W,20W * ?", "'W' stands in no list"),
        ("0 0 0 1-5W * ?", "'W' stands in no list"),
        ("0 0 0 32W * ?", "the day of month '32W'"),
        ("0 0 0 ? * 6L,2", "'L' stands in no list"),
        ("0 0 0 ? * 6#6", "6 is not from 1 to 5"),
        ("0 0 0 ? * 6#0", "0 is not from 1 to 5"),
        ("0 0 0 1 1 ? 2100", "2100 is out of range"),
        ("0 0 0 1 1 ? 2030-2020", "goes backwards"),
        ("*,1 * * * * ?", "'*' cannot be part of a list"),
        ("1,,2 * * * * ?", "a value is missing"),
        ("-1 * * * * ?", "a value is missing"),
        ("x * * * * ?", "'x' is no value"),
        ("0 0 0 1 MON ?", "'MON' is no value"),
    ],
)
def test_refused_with_the_field_and_what_it_may_hold(text: str, why: str) -> None:
    with pytest.raises(ApiError) as caught:
        Cron.parse(text)
    assert why in caught.value.message
    assert caught.value.hint is not None
    assert caught.value.hint.en
    assert caught.value.hint.zh


@pytest.mark.parametrize(
    ("text", "words", "chinese"),
    [
        ("* * * * * ?", "Every second.", "每天 每秒。"),
        ("0 */5 * * * ?", "Every 5 minutes.", "每天 每 5 分钟。"),
        ("10 */5 * * * ?", "At second 10, every 5 minutes.", "每天 每 5 分钟，第 10 秒。"),
        ("0 0 12 * * ?", "At 12:00, every day.", "每天 12:00。"),
        ("0 30 10-11 ? * WED,FRI", "At 10:30 and 11:30, on Wednesday and Friday.",
         "每周三、周五 10:30、11:30。"),
        ("0 15 10 ? * 6#3", "At 10:15, on the third Friday of the month.",
         "每月第 3 个周五 10:15。"),
        ("0 15 10 ? * 6L", "At 10:15, on the last Friday of the month.",
         "每月最后一个周五 10:15。"),
        ("0 0 0 L 2 ? 2027-2029",
         "At 00:00, on the last day of the month, in February, in 2027-2029.",
         "2027-2029 年 2 月 每月最后一天 00:00。"),
        ("*/10 * 8-18 1,2 * ?",
         "Every 10 seconds, every minute, in hour 8-18, on days 1 and 2 of the month.",
         "每月 1、2 日 8-18 时，每分钟，每 10 秒。"),
    ],
)  # fmt: skip
def test_in_words(text: str, words: str, chinese: str) -> None:
    said = in_words(Cron.parse(text))
    assert (said.en, said.zh) == (words, chinese)


def test_a_time_that_clocks_leave_out_is_no_run() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert runs("0 30 2 * * ?", 1, before, ZONES[0]) == ["2026-03-30 02:30:00"]


def test_a_time_that_comes_twice_is_two_runs() -> None:
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    first, second, third = runs("0 30 2 * * ?", 3, before, ZONES[0])
    assert (first, second) == ("2026-10-25 02:30:00", "2026-10-25 02:30:00")
    assert third == "2026-10-26 02:30:00"


def test_every_ten_minutes_never_pauses_when_clocks_change() -> None:
    cron = Cron.parse("0 */10 * * * ?")
    for start in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        at = start
        for number in range(1, 30):
            following = cron.next_after(at, ZONES[0])
            assert following == start + timedelta(minutes=10 * number)
            at = following


def _field(first: int, last: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    number = st.integers(first, last).map(str)
    value = number | st.sampled_from(names) if names else number
    step = st.integers(1, last).map(str)
    item = st.one_of(
        value,
        st.tuples(value, value).map("-".join),
        st.tuples(value, step).map("/".join),
        st.tuples(st.tuples(value, value).map("-".join), step).map("/".join),
    )
    return st.one_of(
        st.just("*"), step.map("*/{}".format), st.lists(item, min_size=1, max_size=3).map(",".join)
    )


_FEW = st.integers(0, 59).map(str)
_DOM = st.one_of(_field(1, 31), st.sampled_from(["L", "LW"]), st.integers(1, 31).map("{}W".format))
_WEEKDAY = st.integers(1, 7).map(str) | st.sampled_from(WEEKDAYS)
_DOW = st.one_of(
    _field(1, 7, WEEKDAYS),
    st.just("L"),
    _WEEKDAY.map("{}L".format),
    st.tuples(_WEEKDAY, st.integers(1, 5).map(str)).map("#".join),
)
_YEAR = st.one_of(
    st.just(""),
    st.just("*"),
    st.integers(1970, 2099).map(str),
    st.integers(1970, 2090).map(lambda first: f"{first}-{first + 9}/3"),
)
_EXPRESSIONS = st.builds(
    lambda second, minute, hour, day, month, year: (
        f"{second} {minute} {hour} {day[0]} {month} {day[1]} {year}".strip()
    ),
    _FEW,
    _FEW | st.just("*/30"),
    _field(0, 23),
    _DOM.map(lambda dom: (dom, "?")) | _DOW.map(lambda dow: ("?", dow)),
    _field(1, 12, MONTHS),
    _YEAR,
)
_MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


@pytest.mark.timeout(60)
@settings(max_examples=200, deadline=None)
@given(_EXPRESSIONS, _MOMENTS)
def test_the_calendar_by_brute_force_agrees(text: str, moment: datetime) -> None:
    assert Cron.parse(text).next_after(moment) == naive_next(text, moment)


_CHANGES = [
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in ((3, 8), (3, 29), (4, 4), (10, 3), (10, 25), (11, 1))
]


@pytest.mark.timeout(60)
@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        "{} {} {} {} * ?".format,
        _FEW,
        st.sampled_from(["0", "30", "*/15", "0,45"]),
        st.sampled_from(["*", "0-3", "1", "2", "23-2", "*/2"]),
        st.sampled_from(["*", "1,8,25,29", "L"]),
    ),
    st.sampled_from(_CHANGES),
    st.integers(-30 * 3_600, 30 * 3_600),
    st.sampled_from(ZONES),
)
def test_brute_force_agrees_where_clocks_change(
    text: str, change: datetime, seconds: int, zone: ZoneInfo
) -> None:
    moment = change + timedelta(seconds=seconds)
    assert Cron.parse(text).next_after(moment, zone) == naive_next(text, moment, zone)
