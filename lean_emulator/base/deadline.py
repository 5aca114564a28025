"""A time budget that only shrinks."""

import math

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock


class Deadline:
    """The moment by which an answer must exist.

    Nested work gets ``narrowed`` copies, so no hook can outlive the function that caused it.
    """

    __slots__ = ("_at", "_clock", "seconds")

    def __init__(self, clock: Clock, at: float, seconds: float) -> None:
        self._clock = clock
        self._at = at
        self.seconds = seconds
        """What this budget was when it began; ``inf`` for none."""

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> "Deadline":
        return cls(clock, clock.monotonic() + seconds, seconds)

    @classmethod
    def never(cls, clock: Clock) -> "Deadline":
        return cls(clock, math.inf, math.inf)

    def remaining(self) -> float:
        """Seconds left, never negative; 0.0 once the budget is spent, ``inf`` without a limit."""
        return max(0.0, self._at - self._clock.monotonic())

    def narrowed(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and one ``seconds`` from now."""
        at = min(self._at, self._clock.monotonic() + seconds)
        return Deadline(self._clock, at, at - self._clock.monotonic())

    def check(self) -> None:
        """Raise ``TimedOut`` when nothing is left."""
        if self.remaining() <= 0.0:
            raise errors.TIMED_OUT()
