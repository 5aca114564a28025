"""Time, as something that is handed in: the real clock and one that tests turn by hand."""

import time
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Wall time for documents, monotonic time for budgets.

    ``now_ms`` is milliseconds since 1970 UTC; ``monotonic`` is seconds from an unknown start and
    never goes back.
    """

    def now_ms(self) -> int: ...

    def monotonic(self) -> float: ...


class SystemClock:
    """The machine's own clock."""

    monotonic = staticmethod(time.monotonic)  # asked many times in every request

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that moves only when told to; both kinds of time move together."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = float(now_ms)
        self._monotonic = 0.0

    def now_ms(self) -> int:
        return int(self._now_ms)

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move forward; going back would break every budget, so it raises ``ValueError``."""
        if seconds < 0:
            raise ValueError(f"a clock does not go back (asked for {seconds} s)")
        self._now_ms += seconds * 1000
        self._monotonic += seconds


class TurnableClock:
    """A clock whose wall time can be stopped and set, for trying out what happens later.

    Monotonic time is never touched, so that budgets of running requests hold and a clock that
    stands still keeps nobody waiting. ``on_turn`` hears of every change.
    """

    def __init__(self, real: Clock) -> None:
        self._real = real
        self.monotonic = real.monotonic
        self._ahead_ms = 0
        self._frozen_ms: int | None = None
        self._listeners: list[Callable[[], None]] = []

    def now_ms(self) -> int:
        return self._real.now_ms() + self._ahead_ms if self._frozen_ms is None else self._frozen_ms

    def real_ms(self) -> int:
        """What it would show had it never been turned."""
        return self._real.now_ms()

    @property
    def frozen(self) -> bool:
        return self._frozen_ms is not None

    @property
    def ahead_ms(self) -> int:
        """How far it is from the real time; negative when it is behind."""
        return self.now_ms() - self._real.now_ms()

    def freeze(self) -> None:
        """Stand still from now on."""
        self.turn(self.now_ms(), frozen=True)

    def resume(self) -> None:
        """Be the real time again."""
        self._ahead_ms, self._frozen_ms = 0, None
        self._tell()

    def turn(self, now_ms: int, *, frozen: bool | None = None) -> None:
        """Show another time, going or standing still as ``frozen`` says or as before."""
        stand = self.frozen if frozen is None else frozen
        self._ahead_ms = now_ms - self._real.now_ms()
        self._frozen_ms = now_ms if stand else None
        self._tell()

    def on_turn(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def iso_text(ms: int) -> str:
    """Milliseconds since 1970 as LeanCloud prints instants: ``2015-06-19T03:21:10.123Z``."""
    seconds, rest = divmod(ms, 1000)
    return f"{_to_the_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=16)  # many writes fall into the same second
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def http_date(iso: str) -> str:
    """A document's instant as the service's ``Last-Modified``, which keeps milliseconds."""
    return f"{_http_day(iso[:10])} {iso[11:23]} GMT"


@lru_cache(maxsize=64)  # what is read at one time was often written on one day
def _http_day(iso: str) -> str:
    moment = date.fromisoformat(iso)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    month = (
        "Jan", "Feb", "Mar", "Apr", "May", "Jun",
        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    )[moment.month - 1]  # fmt: skip
    return f"{day}, {moment.day:02d} {month} {moment.year}"
