"""Cron by looking at every day there is: slow, simple, and written without the real one."""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

_NAMES = {
    name: number
    for names in (
        "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC",
        "SUN MON TUE WED THU FRI SAT",
    )
    for number, name in enumerate(names.split(), 1)
}


def naive_next(text: str, after: datetime, zone: tzinfo = UTC) -> datetime | None:
    """The first instant later than ``after`` at which the clocks show what ``text`` names."""
    seconds, minutes, hours, *days = text.upper().split()
    clock = [
        (hour, minute, second)
        for hour in values(hours, 0, 23)
        for minute in values(minutes, 0, 59)
        for second in values(seconds, 0, 59)
    ]
    for day in _days_from(after.astimezone(zone).date()):
        if not day_matches(day, *days):
            continue
        later = [moment for moment in _instants(day, clock, zone) if moment > after]
        if later:
            return min(later)
    return None


def _days_from(day: date) -> Iterator[date]:
    while day.year <= 2099:
        yield day
        day += timedelta(days=1)


def _instants(day: date, clock: list[tuple[int, int, int]], zone: tzinfo) -> Iterator[datetime]:
    """When the clocks show these times on that day: never, once or twice each."""
    for hour, minute, second in clock:
        for fold in (0, 1):
            local = datetime(
                day.year, day.month, day.day, hour, minute, second, tzinfo=zone, fold=fold
            )
            instant = local.astimezone(UTC)
            if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                yield instant


def day_matches(day: date, dom: str, month: str, dow: str, year: str = "*") -> bool:
    return (
        day.month in values(month, 1, 12)
        and day.year in values(year, 1970, 2099)
        and _dom_matches(day, dom)
        and _dow_matches(day, dow)
    )


def _dom_matches(day: date, dom: str) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    if dom == "L":
        return day.day == length
    if dom in ("LW", "WL"):
        workdays = [d for d in range(1, length + 1) if _weekday(day.replace(day=d)) in range(2, 7)]
        return day.day == workdays[-1]
    if dom.endswith("W"):
        wanted = int(dom[:-1])
        workdays = [d for d in range(1, length + 1) if _weekday(day.replace(day=d)) in range(2, 7)]
        # of a Saturday and a Sunday there is one workday a day away; at a month's end, two
        return wanted <= length and day.day == min(workdays, key=lambda d: abs(d - wanted))
    return day.day in values(dom, 1, 31)


def _dow_matches(day: date, dow: str) -> bool:
    if dow == "L":
        dow = "7"
    if dow.endswith("L"):
        return (
            _weekday(day) in values(dow[:-1], 1, 7) and (day + timedelta(days=7)).month != day.month
        )
    if "#" in dow:
        weekday, _, nth = dow.partition("#")
        same = [d for d in range(1, day.day + 1) if _weekday(day.replace(day=d)) == _weekday(day)]
        return _weekday(day) in values(weekday, 1, 7) and len(same) == int(nth)
    return _weekday(day) in values(dow, 1, 7)


def _weekday(day: date) -> int:
    """1 for Sunday."""
    return day.isoweekday() % 7 + 1


def values(part: str, first: int, last: int) -> list[int]:
    found: set[int] = set()
    for item in part.split(","):
        base, _, step = item.partition("/")
        start, dash, end = base.partition("-")
        if base in ("*", "?"):
            low, high = first, last
        else:
            low = _NAMES.get(start) or int(start)
            high = (_NAMES.get(end) or int(end)) if dash else last if step else low
        wrapped = high + (last - first + 1) if high < low else high
        for value in range(low, wrapped + 1, int(step or 1)):
            found.add(value if value <= last else value - (last - first + 1))
    return sorted(found)
