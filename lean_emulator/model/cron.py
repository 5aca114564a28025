"""Cron expressions of scheduled tasks: seconds first, Sunday is 1 (engine.md 7.2).

croniter walks the calendar; what its dialect lacks or numbers otherwise is settled here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from croniter import CroniterBadDateError, croniter

from lean_emulator.model.cron_fields import (
    FIRST_YEAR,
    LAST_YEAR,
    DayRule,
    Fields,
    read_fields,
)

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule: second, minute, hour, day of month, month, day of week, year."""

    text: str
    """As it was written, single blanks between fields."""
    fields: Fields
    day_rule: DayRule | None = None

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """Read an expression.

        Raises code 1 that names the field, what is wrong with it, and what it may hold.
        """
        fields, rule = read_fields(text)
        return cls(" ".join(text.split()), fields, rule)

    def next_after(self, moment: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The first run later than ``moment``, in UTC; ``None`` when there is none until 2099.

        An instant is a run when the clocks of ``zone`` show a time that the fields name: a time
        that is left out when clocks go forward is no run, one that comes twice is two.
        """
        at = moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        offset = _offset(at, zone)
        while True:
            local = self._next_local(at + offset)
            if local is None:
                return None
            change = _next_change(at, local - offset, offset, zone)
            if change is None:
                return (local - offset).replace(tzinfo=UTC)
            at, offset = change - _SECOND, _offset(change, zone)

    def _next_local(self, after: datetime) -> datetime | None:
        """The next time on a clock that never changes."""
        while after.year <= LAST_YEAR:
            found = self._next_candidate(after)
            if found is None or found.year > LAST_YEAR:
                return None
            if self.day_rule is None or self.day_rule.fits(found):
                return found
            after = found.replace(hour=23, minute=59, second=59)
        return None

    def _next_candidate(self, after: datetime) -> datetime | None:
        """The next time that plain fields name; the rule of days is not asked yet."""
        after = max(after, datetime(FIRST_YEAR, 1, 1) - _SECOND)
        walk = croniter(
            self._translated(), after, second_at_beginning=True, max_years_between_matches=200
        )
        try:
            found: datetime = walk.get_next(datetime)
        except CroniterBadDateError:
            return None
        return found

    def _translated(self) -> str:
        """For croniter, where Sunday is 0."""
        second, minute, hour, day, month, weekday, year = self.fields
        sunday_0 = None if weekday.values is None else tuple(v - 1 for v in weekday.values)
        values = [second.values, minute.values, hour.values, day.values, month.values, sunday_0]
        if year.values is not None:
            values.append(year.values)
        return " ".join("*" if v is None else ",".join(map(str, v)) for v in values)


def _offset(at: datetime, zone: tzinfo) -> timedelta:
    """How far the clocks of a zone are ahead at an instant, which is UTC without saying so."""
    offset = at.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _next_change(at: datetime, until: datetime, offset: timedelta, zone: tzinfo) -> datetime | None:
    """The first second in (``at``, ``until``] at which the clocks are not at ``offset`` any more.

    Costs a look a day; zones whose clocks changed there and back within a day have never been.
    """
    if zone is UTC:
        return None
    early = at
    while early < until:
        late = min(early + _DAY, until)
        if _offset(late, zone) != offset:
            while late - early > _SECOND:
                middle = early + (late - early) // 2
                middle = middle.replace(microsecond=0)
                if _offset(middle, zone) == offset:
                    early = middle
                else:
                    late = middle
            return late
        early = late
    return None
