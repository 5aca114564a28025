"""The fields of a cron expression: what each may hold, and what it names (engine.md 7.2)."""

import calendar
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError, Hint

FIRST_YEAR, LAST_YEAR = 1970, 2099
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_NUMBER = re.compile(r"\d{1,4}")


class _Range(NamedTuple):
    """What a field may hold."""

    title: str
    title_zh: str
    first: int
    last: int
    specials: str
    names: tuple[str, ...] = ()

    @property
    def values(self) -> str:
        named = f", {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.first}-{self.last}{named}"


RANGES = (
    _Range("second", "秒", 0, 59, ", - * /"),
    _Range("minute", "分", 0, 59, ", - * /"),
    _Range("hour", "时", 0, 23, ", - * /"),
    _Range("day of month", "日", 1, 31, ", - * ? / L W"),
    _Range("month", "月", 1, 12, ", - * /", MONTHS),
    _Range("day of week", "星期", 1, 7, ", - * ? / L #", WEEKDAYS),
    _Range("year", "年", FIRST_YEAR, LAST_YEAR, ", - * /"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field: the values it names in ascending order, ``None`` for every one.

    ``step`` is ``n`` where the field is ``*/n``, for telling it in words.
    """

    values: tuple[int, ...] | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class DayRule:
    """A day that is another date each month.

    ``last``: the last day. ``last weekday``: Monday to Friday. ``nearest``: the weekday nearest to
    day ``day``. ``last of``: the last ``weekday`` (1 is Sunday). ``nth of``: the ``nth`` of those.
    """

    kind: Literal["last", "last weekday", "nearest", "last of", "nth of"]
    day: int = 0
    weekday: int = 0
    nth: int = 0

    def fits(self, moment: datetime) -> bool:
        """Whether a moment is on such a day."""
        length = calendar.monthrange(moment.year, moment.month)[1]
        match self.kind:
            case "last":
                return moment.day == length
            case "last weekday":
                return moment.day == _nearest_weekday(moment, length, length)
            case "nearest":
                return self.day <= length and moment.day == _nearest_weekday(
                    moment, self.day, length
                )
            case "last of":
                return moment.day > length - 7
            case "nth of":
                return (moment.day - 1) // 7 + 1 == self.nth


Fields: TypeAlias = tuple[Field, Field, Field, Field, Field, Field, Field]


def read_fields(text: str) -> tuple[Fields, DayRule | None]:
    """Read an expression: what its fields name, and the rule for its days if it has one.

    Days of a rule are named too, as those among which the rule chooses. Raises code 1 that names
    the field, what is wrong with it, and what it may hold.
    """
    parts = text.split()
    if len(parts) not in (6, 7):
        raise _refused(
            text,
            f"it has {len(parts)} fields where six or seven are wanted",
            Hint(
                "Fields are: second minute hour day-of-month month day-of-week [year].",
                "各字段依次为：秒 分 时 日 月 星期 [年]。",
            ),
        )
    _check_days(text, parts[3], parts[5])
    rule = _month_day_rule(parts[3]) or _weekday_rule(text, parts[5])
    fields = []
    for part, allowed in zip((*parts, "*")[:7], RANGES, strict=True):
        names_days = "?" in allowed.specials and part not in ("*", "?")
        ruled = _days_of(rule) if rule is not None and names_days else None
        fields.append(ruled or _Reader(text, allowed).field(part))
    second, minute, hour, day, month, weekday, year = fields
    return (second, minute, hour, day, month, weekday, year), rule


class _Reader:
    """Reads lists, ranges and steps of one field."""

    def __init__(self, text: str, allowed: _Range) -> None:
        self._text = text
        self._allowed = allowed

    def field(self, part: str) -> Field:
        if part == "*" or (part == "?" and "?" in self._allowed.specials):
            return Field()
        if part.upper() == "L" and self._allowed.names == WEEKDAYS:
            return Field((7,))  # the week's last day
        if re.fullmatch(r"\*/0*1", part):
            return Field()
        values: set[int] = set()
        for item in part.split(","):
            values.update(self._item(part, item))
        step = re.fullmatch(r"\*/(\d+)", part)
        return Field(tuple(sorted(values)), int(step[1]) if step else None)

    def _item(self, part: str, item: str) -> list[int]:
        base, slash, step_text = item.partition("/")
        step = self._step(part, step_text) if slash else 1
        first, last = self._allowed.first, self._allowed.last
        if base == "*":
            if not slash:
                raise self.refused(part, "'*' cannot be part of a list")
            return list(range(first, last + 1, step))
        start_text, dash, end_text = base.partition("-")
        start = self._value(part, start_text)
        if not dash:
            return list(range(start, last + 1, step)) if slash else [start]
        end = self._value(part, end_text)
        if start <= end:
            return list(range(start, end + 1, step))
        if self._allowed.title == "year":
            raise self.refused(part, f"the range '{base}' goes backwards")
        size = last - first + 1  # a range over the end goes on at the beginning
        return [first + (n - first) % size for n in range(start, end + size + 1, step)]

    def _step(self, part: str, text: str) -> int:
        if not _NUMBER.fullmatch(text) or not 0 < int(text) <= self._allowed.last:
            raise self.refused(part, f"'{text}' is no step")
        return int(text)

    def _value(self, part: str, text: str) -> int:
        names = self._allowed.names
        if text.upper() in names:
            return names.index(text.upper()) + self._allowed.first
        special = text[-1:].upper()
        if special in ("L", "W", "#") and special in self._allowed.specials:
            raise self.refused(part, f"'{special}' stands in no list and in no range")
        if not _NUMBER.fullmatch(text):
            raise self.refused(part, f"'{text}' is no value" if text else "a value is missing")
        if not self._allowed.first <= int(text) <= self._allowed.last:
            raise self.refused(part, f"{text} is out of range")
        return int(text)

    def refused(self, part: str, why: str) -> ApiError:
        title, title_zh, *_ = self._allowed
        values, specials = self._allowed.values, self._allowed.specials
        return _refused(
            self._text,
            f"the {title} '{part}' cannot be read, {why}",
            Hint(
                f"The {title} takes {values} and {specials}",
                f"{title_zh}可用：{values} 以及 {specials}",
            ),
        )


def _refused(text: str, why: str, hint: Hint) -> ApiError:
    return errors.INVALID_REQUEST(
        f"The cron expression '{text[:200]}' is refused: {why}.", hint=hint
    )


def _check_days(text: str, day: str, weekday: str) -> None:
    """Only one of the two fields of days may say something (engine.md 7.2)."""
    rule = Hint(
        "Of day of month and day of week, one names days and the other is '?'.",
        "“日”与“星期”只能有一个指定日期，另一个写 “?”。",
    )
    if day == weekday == "?":
        raise _refused(text, "both day of month and day of week are '?'", rule)
    if day not in ("*", "?") and weekday not in ("*", "?"):
        raise _refused(text, "both day of month and day of week name days", rule)


def _month_day_rule(part: str) -> DayRule | None:
    word = part.upper()
    if word == "L":
        return DayRule("last")
    if word in ("LW", "WL"):
        return DayRule("last weekday")
    nearest = re.fullmatch(r"(\d{1,2})W", word)
    if nearest and 1 <= int(nearest[1]) <= 31:
        return DayRule("nearest", day=int(nearest[1]))
    return None


def _weekday_rule(text: str, part: str) -> DayRule | None:
    word = part.upper()
    names = "|".join(WEEKDAYS)
    last = re.fullmatch(rf"([1-7]|{names})L", word)
    if last:
        return DayRule("last of", weekday=_weekday(last[1]))
    nth = re.fullmatch(rf"([1-7]|{names})#(\d+)", word)
    if nth:
        if not 1 <= int(nth[2]) <= 5:
            raise _Reader(text, RANGES[5]).refused(part, f"{nth[2]} is not from 1 to 5")
        return DayRule("nth of", weekday=_weekday(nth[1]), nth=int(nth[2]))
    return None


def _weekday(text: str) -> int:
    return int(text) if text.isdigit() else WEEKDAYS.index(text) + 1


def _days_of(rule: DayRule) -> Field:
    """Days among which those of the rule are, in the field that the rule stands in."""
    match rule.kind:
        case "last":
            return Field(tuple(range(28, 32)))
        case "last weekday":
            return Field(tuple(range(26, 32)))
        case "nearest":
            return Field(tuple(range(max(1, rule.day - 2), min(31, rule.day + 2) + 1)))
        case _:
            return Field((rule.weekday,))


def _nearest_weekday(moment: datetime, day: int, length: int) -> int:
    """The day from Monday to Friday of the same month that is nearest to ``day``."""
    weekday = calendar.weekday(moment.year, moment.month, day)
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < length else day - 2
    return day
