"""``/__emu/logs``: what the code printed and what was asked, in the order of time."""

import math

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.base.trace_view import walk
from lean_emulator.service.logbook import Line, Logbook
from lean_emulator.wire.master_only import master_only
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

MAX_WAIT = 30.0
LOOK_SECONDS = 0.1
"""How often somebody who waits is told of requests; lines of the code wake at once."""


class LogHandlers:
    """Answers with the master key alone; leaves no traces."""

    def __init__(self, book: Logbook, log: EventLog, clock: Clock, mask: Mask) -> None:
        self._book = book
        self._log = log
        self._clock = clock
        self._mask = mask

    def routes(self) -> list[Route]:
        return [Route("GET", "/logs", master_only(self.logs))]

    async def logs(self, request: Request) -> Answer:
        """Entries, oldest first, and the ``cursor`` that stands for the last of them.

        ``after`` is such a cursor: only newer ones come. ``wait`` is how many seconds to wait for
        the first of them, ``limit`` how many of the newest are wanted.
        """
        after = _number(request.params.get("after"), "after", -math.inf)
        wait = _number(request.params.get("wait"), "wait", 0.0, MAX_WAIT)
        limit = int(_number(request.params.get("limit"), "limit", 1_000, 10_000))
        until = self._clock.monotonic() + wait
        found = self._entries(after)
        while not found and self._book.open and self._clock.monotonic() < until:
            await self._book.wait(LOOK_SECONDS)
            found = self._entries(after)
        cursor = found[-1][0] if found else after
        shown = [entry for _, entry in found[-limit:]] if limit else []
        results: list[Json] = [
            self._line(entry) if isinstance(entry, Line) else self._root(entry) for entry in shown
        ]
        return Answer({"results": results, "cursor": repr(cursor) if math.isfinite(cursor) else ""})

    def _entries(self, after: float) -> list[tuple[float, Line | Span]]:
        found: list[tuple[float, Line | Span]] = [(e.at, e) for e in self._book.after(after)]
        for root in self._log.traces():
            if root.ended is not None and root.ended > after:
                found.append((root.ended, root))
        return sorted(found, key=lambda pair: pair[0])

    def _line(self, line: Line) -> dict[str, Json]:
        return {
            "kind": "output",
            "at": iso_text(line.at_ms),
            "stream": line.stream,
            "text": line.text,
        }

    def _root(self, root: Span) -> dict[str, Json]:
        end = root.answered if root.answered is not None else root.ended
        took_ms = ((end or root.began) - root.began) * 1000
        hooks = [step for step in walk(root) if step.kind == "hook" and step.outcome != "skipped"]
        return {
            "kind": root.kind,
            "at": iso_text(root.at_ms + round(took_ms)),
            "title": self._mask.text(root.title),
            "status": root.status,
            "outcome": root.outcome,
            "tookMs": round(took_ms, 1),
            "hooks": [{"title": hook.title, "outcome": hook.outcome} for hook in hooks],
            "trace": root.name,
        }


def _number(raw: Json, name: str, absent: float, most: float = math.inf) -> float:
    if raw in (None, ""):
        return absent
    try:
        number = float(str(raw))
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise errors.INVALID_REQUEST(f"{name} must be a number up to {most:g}, got {raw!r}.")
    return number
