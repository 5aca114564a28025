"""What changed, as server-sent events: traces, the log, the state of the code, the clock."""

import asyncio
import contextlib
from collections.abc import Callable

from aiohttp import web

from lean_emulator.base.clock import TurnableClock
from lean_emulator.base.jsontext import Json, dumps
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.console.contract import Runtime
from lean_emulator.console.virtual_clock import clock_state
from lean_emulator.service.logbook import Logbook

PAUSE = 0.05
"""Seconds between two events at least: twenty per second."""

LOOK = 0.25
"""Seconds between looks at the state of the code and the log, which give no notice here."""

KEEP_ALIVE = 15.0
MOST = 200
"""Summaries in one event at most, the newest; ``count`` says how many changed."""


class Streams:
    """Open event streams; ``close`` ends them all."""

    def __init__(
        self,
        log: EventLog,
        book: Logbook,
        runtime: Runtime,
        clock: TurnableClock,
        summarise: Callable[[Span], dict[str, Json]],
    ) -> None:
        self._log = log
        self._book = book
        self._runtime = runtime
        self._clock = clock
        self._summarise = summarise
        self._open: set[asyncio.Event] = set()
        self._closing = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Hold the connection until the reader goes or the console stops."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        wake = asyncio.Event()
        changed: dict[int, Span] = {}
        watcher = asyncio.create_task(self._collect(changed, wake))
        self._open.add(wake)
        try:
            await self._send(response, changed, wake)
        except ConnectionError:
            pass  # the reader went; nothing is owed to it
        finally:
            self._open.discard(wake)
            watcher.cancel()
            await asyncio.wait({watcher})
        return response

    def close(self) -> None:
        """Let all streams end; they do so within ``PAUSE``."""
        self._closing = True
        for wake in self._open:
            wake.set()

    async def _send(
        self, response: web.StreamResponse, changed: dict[int, Span], wake: asyncio.Event
    ) -> None:
        loop = asyncio.get_running_loop()
        seen: object = None
        told = self._book.written
        spoke = loop.time()
        while not self._closing:
            wake.clear()
            chunks = [_event("traces", self._batch(changed))] if changed else []
            state = {**runtime_state(self._runtime), "clock": clock_state(self._clock)}
            if state != seen:
                seen = state
                chunks.append(_event("state", state))
            if told != self._book.written:
                told = self._book.written
                chunks.append(_event("logs", {"newest": told}))
            if not chunks and loop.time() - spoke > KEEP_ALIVE:
                chunks.append(b": still here\n\n")
            if chunks:
                spoke = loop.time()
                await response.write(b"".join(chunks))
            await asyncio.sleep(PAUSE)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), LOOK)

    async def _collect(self, changed: dict[int, Span], wake: asyncio.Event) -> None:
        async for roots in self._log.watch():
            changed.update((root.id, root) for root in roots)
            wake.set()

    def _batch(self, changed: dict[int, Span]) -> dict[str, Json]:
        newest = sorted(changed.values(), key=lambda span: -span.id)[:MOST]
        count = len(changed)
        changed.clear()
        return {"count": count, "traces": [self._summarise(span) for span in newest]}


def runtime_state(runtime: Runtime) -> dict[str, Json]:
    """The state of the user's code as JSON."""
    failure = runtime.failure
    return {
        "state": runtime.state,
        "loadedAtMs": runtime.loaded_at_ms,
        "loadMs": None if runtime.load_seconds is None else round(runtime.load_seconds * 1000, 1),
        "registered": len(runtime.names),
        "failure": None if failure is None else failure.last_line,
    }


def _event(name: str, data: Json | dict[str, Json]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + dumps(data) + b"\n\n"
