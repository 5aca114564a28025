"""The emulator's time, turned from a test."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lean_emulator.emulator import Emulator
from lean_emulator.testing.loop_thread import LoopThread

ADVANCE_SECONDS = 600.0
"""How long the work may take that falls due while time passes."""


class Clock:
    """Wall time alone: budgets of requests keep to real time."""

    def __init__(self, emulator: Emulator, thread: LoopThread) -> None:
        self._emulator = emulator
        self._thread = thread

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self._emulator.clock.now_ms() / 1000, UTC)

    @property
    def frozen(self) -> bool:
        return self._emulator.clock.frozen

    def freeze(self, at: datetime | str | None = None) -> None:
        """Stand still, now or at another time."""
        clock = self._emulator.clock
        self._turn(lambda: clock.turn(clock.now_ms() if at is None else ms_of(at), frozen=True))

    def set(self, to: datetime | str) -> None:
        """Jump there; what falls due on the way is run late, or missed."""
        self._turn(lambda: self._emulator.clock.turn(ms_of(to)))

    def resume(self) -> None:
        """Be the real time again."""
        self._turn(self._emulator.clock.resume)

    def advance(self, by: timedelta | float) -> int:
        """Let time pass at once: what falls due runs in order, each at its own time.

        A number is seconds. Answers how many instants had work; when it does, that is done.
        """
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        if not seconds >= 0:
            raise ValueError(f"time does not go back: {by!r} (set() can)")
        agenda = self._emulator.timers.agenda
        return self._thread.wait_for(agenda.advance(round(seconds * 1000)), ADVANCE_SECONDS)

    def _turn(self, turn: Callable[[], None]) -> None:
        self._thread.ask(turn)


def ms_of(instant: datetime | str) -> int:
    """Milliseconds since 1970; what has no zone is UTC. Raises ``ValueError``."""
    moment = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
