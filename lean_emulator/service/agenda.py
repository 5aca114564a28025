"""What falls due when: the one loop that waits, and the way to let time pass at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from lean_emulator.base.clock import TurnableClock

LONGEST_WAIT = 60.0
"""Seconds after which the machine's time is looked at again: it may have slept, or been set."""


class Source(Protocol):
    """Something with work that falls due."""

    def due_ms(self) -> int | None:
        """When its next work falls due; ``None`` when it has none."""
        ...

    def start_due(self, now_ms: int) -> Sequence["asyncio.Task[None]"]:
        """Start all that is due, earliest first; whoever made them ends them too."""
        ...


class Agenda:
    """Starts the work of its sources on time, by a clock that can be turned."""

    def __init__(self, clock: TurnableClock, sources: Sequence[Source]) -> None:
        self._clock = clock
        self._sources = sources
        self._changed = asyncio.Event()
        self._turning = asyncio.Lock()
        self._loop: asyncio.Task[None] | None = None
        clock.on_turn(self.changed)

    def start(self) -> None:
        """Begin to wait."""
        self._loop = asyncio.create_task(self._run(), name="agenda")

    async def stop(self) -> None:
        """Wait no more; work that was started is its sources' to end."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
            self._loop = None

    def changed(self) -> None:
        """Tell that something may be due earlier than it was."""
        self._changed.set()

    def due_ms(self) -> int | None:
        """When the next work falls due; ``None`` when there is none."""
        return min((due for s in self._sources if (due := s.due_ms()) is not None), default=None)

    async def advance(self, ms: int) -> int:
        """Let time pass at once: what falls due runs in order, each at its own time.

        Returns how many instants had work. A clock that stood still stands still again.
        """
        async with self._turning:
            until, was_frozen = self._clock.now_ms() + ms, self._clock.frozen
            instants = 0
            try:
                while (due := self.due_ms()) is not None and due <= until:
                    now = max(due, self._clock.now_ms())
                    self._clock.turn(now, frozen=True)
                    await _all(self._start_due(now))
                    instants += 1
            finally:
                self._clock.turn(until, frozen=was_frozen)
            return instants

    @contextlib.asynccontextmanager
    async def as_if_at(self, now_ms: int) -> AsyncIterator[None]:
        """A block for which time stands still at another instant; then it is as it was."""
        async with self._turning:
            clock = self._clock
            ahead, was_frozen, before = clock.ahead_ms, clock.frozen, clock.now_ms()
            clock.turn(now_ms, frozen=True)
            try:
                yield
            finally:
                after = before if was_frozen else clock.real_ms() + ahead
                clock.turn(after, frozen=was_frozen)

    def _start_due(self, now_ms: int) -> list["asyncio.Task[None]"]:
        sources = [(due, s) for s in self._sources if (due := s.due_ms()) is not None]
        sources.sort(key=lambda pair: pair[0])
        return [task for due, s in sources if due <= now_ms for task in s.start_due(now_ms)]

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            async with self._turning:
                self._start_due(self._clock.now_ms())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_to_wait()):
                    await self._changed.wait()

    def _seconds_to_wait(self) -> float | None:
        """Until the next work is due; ``None`` while the clock stands still."""
        if self._clock.frozen:
            return None
        due = self.due_ms()
        if due is None:
            return LONGEST_WAIT
        return min(LONGEST_WAIT, max(0.0, (due - self._clock.now_ms()) / 1000))


async def _all(tasks: Sequence["asyncio.Task[None]"]) -> None:
    if tasks:
        await asyncio.wait(tasks)
