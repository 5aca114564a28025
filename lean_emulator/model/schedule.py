"""When a scheduled task runs: by a cron expression, or every so many seconds (engine.md 7.1)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.errors import Hint
from lean_emulator.model.cron import Cron

MAX_SECONDS = 366 * 86_400
"""The longest interval."""


@dataclass(frozen=True, slots=True)
class Every:
    """A fixed interval of whole seconds, counted from the last run."""

    seconds: int

    def next_after(self, moment: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The run after one at ``moment``, in UTC; a zone changes nothing."""
        try:
            return moment.astimezone(UTC) + timedelta(seconds=self.seconds)
        except OverflowError:
            return None

    @property
    def text(self) -> str:
        return str(self.seconds)


When: TypeAlias = Cron | Every


def parse_every(value: object) -> Every:
    """An interval from a number of seconds. Raises code 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_SECONDS:
        raise errors.INVALID_REQUEST(
            f"An interval is a whole number of seconds from 1 to {MAX_SECONDS}, got {value!r}.",
            hint=Hint(
                "For days and hours a cron expression may be clearer: lean-emu cron explain --help",
                "按天或小时运行时，cron 表达式更清楚：lean-emu cron explain --help",
            ),
        )
    return Every(value)


def next_ms(when: When, after_ms: int, zone: tzinfo) -> int | None:
    """The first run later than an instant, both in milliseconds since 1970."""
    seconds, rest = divmod(after_ms, 1000)
    moment = datetime.fromtimestamp(seconds, UTC)
    found = when.next_after(moment, zone)
    if found is None:
        return None
    return int(found.timestamp()) * 1000 + (rest if isinstance(when, Every) else 0)
