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
    """``at`` is monotonic seconds, ``at_ms`` the wall time."""

    at: float
    at_ms: int
    stream: str
    text: str


class Logbook:
    """The last ``capacity`` lines."""

    def __init__(self, clock: Clock, capacity: int = 2_000) -> None:
        self._clock = clock
        self._lines: deque[Line] = deque(maxlen=capacity)
        self._changed = asyncio.Event()
        self.open = True

    def add(self, stream: str, text: str) -> None:
        line = Line(self._clock.monotonic(), self._clock.now_ms(), stream, text[:LONGEST])
        self._lines.append(line)
        self._changed.set()

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
