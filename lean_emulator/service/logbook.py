"""What the project's code printed, the newest lines, for whoever asks later."""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from itertools import takewhile

from lean_emulator.base.clock import Clock

LONGEST = 8_192
"""Characters kept of a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """``at`` is monotonic seconds, ``at_ms`` the wall time; ``number`` counts from 1.

    ``trace`` and ``step`` name what it was printed in, ``where`` the place in the code; each is
    ``None`` where that is not known.
    """

    at: float
    at_ms: int
    stream: str
    text: str
    number: int = 0
    trace: str | None = None
    step: str | None = None
    where: str | None = None


class Logbook:
    """The last ``capacity`` lines."""

    def __init__(self, clock: Clock, capacity: int = 2_000) -> None:
        self._clock = clock
        self.capacity = capacity
        self._lines: deque[Line] = deque(maxlen=capacity)
        self._changed = asyncio.Event()
        self.open = True
        self.written = 0
        """Lines that ever came, also those that are no longer kept."""

    def add(
        self,
        stream: str,
        text: str,
        trace: str | None = None,
        step: str | None = None,
        where: str | None = None,
    ) -> None:
        self.written += 1
        at, at_ms = self._clock.monotonic(), self._clock.now_ms()
        self._lines.append(
            Line(at, at_ms, stream, text[:LONGEST], self.written, trace, step, where)
        )
        self._changed.set()

    def lines(self) -> list[Line]:
        """All that are kept, oldest first."""
        return [*self._lines]

    def after(self, at: float) -> list[Line]:
        """Lines that were written later than that moment, oldest first."""
        return [*takewhile(lambda line: line.at > at, reversed(self._lines))][::-1]

    async def wait(self, seconds: float) -> None:
        """Until the next line or the end, at most that long."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    def close(self) -> None:
        """Let whoever waits go."""
        self.open = False
        self._changed.set()
