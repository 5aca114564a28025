"""Pushes for a later time, sent when it comes (storage.md 9.2)."""

import asyncio
import heapq
from collections.abc import Callable, Sequence

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError
from lean_emulator.base.trace import EventLog
from lean_emulator.model.access import ANONYMOUS
from lean_emulator.service.call import Call
from lean_emulator.service.hook_event import describe
from lean_emulator.service.push import Pushes

SECONDS = 60.0
"""How long it may take to find the devices of one push."""


class LaterPushes:
    """What waits, by the time of each; the records of pushes are the truth about them."""

    def __init__(
        self, pushes: Pushes, log: EventLog, clock: Clock, changed: Callable[[], None]
    ) -> None:
        """``changed`` wakes whoever waits for work that is due."""
        self._pushes = pushes
        self._log = log
        self._clock = clock
        self._changed = changed
        self._waiting: list[tuple[int, str]] = []
        """A heap; a push that was cancelled stays in it until its time, and does nothing then."""
        self._running: set[asyncio.Task[None]] = set()
        pushes.on_scheduled(self._expect)

    async def open(self) -> None:
        """Take over what was kept; what fell due meanwhile is due now."""
        for at_ms, name in await self._pushes.waiting():
            self._expect(at_ms, name)

    async def close(self) -> None:
        """End what runs; it stays scheduled."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    def clear(self) -> None:
        """Forget all of them."""
        self._waiting.clear()

    def due_ms(self) -> int | None:
        return self._waiting[0][0] if self._waiting else None

    def start_due(self, now_ms: int) -> Sequence["asyncio.Task[None]"]:
        """Send all whose time has come."""
        started: list[asyncio.Task[None]] = []
        while self._waiting and self._waiting[0][0] <= now_ms:
            _, name = heapq.heappop(self._waiting)
            task = asyncio.create_task(self._deliver(name), name=f"push {name}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            started.append(task)
        return started

    def _expect(self, at_ms: int, name: str) -> None:
        heapq.heappush(self._waiting, (at_ms, name))
        self._changed()

    async def _deliver(self, name: str) -> None:
        """Send one, as a trace of its own; one that was cancelled makes none."""
        if not await self._pushes.is_scheduled(name):
            return
        span = self._log.begin("message", f"push {name}", None, cause="push_time")
        call = Call(ANONYMOUS, Deadline.after(self._clock, SECONDS), span)
        try:
            await self._pushes.deliver(call, name)
        except ApiError as e:
            span.detail["error"] = describe(e)
            self._log.end(span, "timeout" if isinstance(e, errors.TimedOut) else "failed", e.status)
        except BaseException:
            self._log.end(span, "failed")
            raise
        else:
            self._log.end(span)
