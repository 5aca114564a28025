"""What happened: a tree of spans per request, kept in a ring and rendered only when looked at.

A span holds references to documents, never copies: stored documents are immutable, so the images
before and after a step cost nothing. ``trace_view`` turns spans into JSON.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Any, Literal

from lean_emulator.base.clock import Clock
from lean_emulator.base.jsontext import Json

SpanKind = Literal["request", "hook", "function", "storage", "task", "reload", "message"]
Outcome = Literal["running", "ok", "rejected", "failed", "timeout", "loop", "skipped"]

MAX_STEPS = 5_000
"""Steps kept per trace; what comes later is only counted."""


MAX_NOTICES = 1_000
"""Changed traces a watcher is told of at once; of more than that, the oldest are left out."""


class Span:
    """One step. Times are the clock's monotonic seconds; ``ended`` is ``None`` while it runs."""

    __slots__ = (
        "answered",
        "at_ms",
        "began",
        "children",
        "detail",
        "dropped",
        "ended",
        "id",
        "kind",
        "outcome",
        "parent",
        "prints",
        "root",
        "status",
        "steps",
        "title",
    )

    def __init__(
        self,
        number: int,
        kind: SpanKind,
        title: str,
        parent: "Span | None",
        began: float,
        at_ms: int,
        detail: dict[str, Any],
    ) -> None:
        self.id = number
        self.kind: SpanKind = kind
        self.title = title
        self.parent = parent
        self.root: Span = self if parent is None else parent.root
        self.began = began
        self.at_ms = at_ms
        self.answered: float | None = None
        """When the client had its answer; after hooks go on past it."""
        self.ended: float | None = None
        self.outcome: Outcome = "running"
        self.status: int | None = None
        self.detail = detail
        self.children: list[Span] = []
        self.prints: list[Print] | None = None
        self.steps = 0
        self.dropped = 0

    @property
    def name(self) -> str:
        """How people call it: ``t-1f`` for a whole trace, ``s-20`` for a step in one."""
        return f"{'t' if self.parent is None else 's'}-{self.id:x}"


class Deferred(ABC):
    """A value in a span's detail that is worked out when somebody looks, from what the span holds.

    So what nobody reads costs a request nothing, and rules about hooks can live where hooks do.
    """

    __slots__ = ()

    @abstractmethod
    def told(self, span: Span) -> Json:
        """The value as JSON, not masked yet; ``None`` leaves the member out."""


class Print:
    """A line the user's code wrote while a call was in it."""

    __slots__ = ("at", "stream", "text", "where")

    def __init__(self, at: float, stream: str, text: str, where: str | None) -> None:
        self.at = at
        self.stream = stream
        self.text = text
        self.where = where


class EventLog:
    """The last ``capacity`` traces, newest last, and whoever watches them."""

    def __init__(self, clock: Clock, capacity: int = 2_000) -> None:
        self._clock = clock
        self._capacity = capacity
        self._traces: OrderedDict[int, Span] = OrderedDict()
        self._watchers: set[_Watcher] = set()
        self._next = 1

    def begin(self, kind: SpanKind, title: str, parent: Span | None = None, **detail: Any) -> Span:
        """Start a step; without ``parent`` it starts a trace."""
        span = Span(
            self._next, kind, title, parent, self._clock.monotonic(), self._clock.now_ms(), detail
        )
        self._next += 1
        if parent is None:
            self._traces[span.id] = span
            if len(self._traces) > self._capacity:
                self._traces.popitem(last=False)
        elif span.root.steps < MAX_STEPS:
            span.root.steps += 1
            parent.children.append(span)
        else:
            span.root.dropped += 1
        if self._watchers:
            self._tell(span.root)
        return span

    def end(self, span: Span, outcome: Outcome = "ok", status: int | None = None) -> None:
        """Finish a step. A span that is finished already stays as it is."""
        if span.ended is not None:
            return
        span.ended = self._clock.monotonic()
        span.outcome = outcome
        if status is not None:
            span.status = status
        if self._watchers:
            self._tell(span.root)

    def answered(self, span: Span) -> None:
        """Mark the moment the client has its answer."""
        if span.answered is None:
            span.answered = self._clock.monotonic()

    def skip(self, kind: SpanKind, title: str, parent: Span | None, **detail: Any) -> None:
        """Record a step that did not happen, with the reason in ``why``."""
        if parent is None:
            return
        self.end(self.begin(kind, title, parent, **detail), "skipped")

    def printed(self, span: Span, stream: str, text: str, where: str | None = None) -> None:
        """Attach a line of output; at most 1,000 per step, the rest is only in the log."""
        if span.prints is None:
            span.prints = []
        if len(span.prints) < 1_000:
            span.prints.append(Print(self._clock.monotonic(), stream, text[:65_536], where))
        if self._watchers:
            self._tell(span.root)

    def trace(self, name: str) -> Span | None:
        """The trace called ``t-…``, or ``None`` when it is unknown or no longer kept."""
        try:
            return self._traces.get(int(name.removeprefix("t-"), 16))
        except ValueError:
            return None

    def elapsed(self, span: Span) -> float:
        """Seconds since the span began, by the log's clock."""
        return max(0.0, self._clock.monotonic() - span.began)

    def traces(self) -> list[Span]:
        """All kept traces, newest first."""
        return list(reversed(self._traces.values()))

    def __len__(self) -> int:
        return len(self._traces)

    @property
    def capacity(self) -> int:
        return self._capacity

    def clear(self) -> None:
        self._traces.clear()

    async def watch(self, pause: float = 0.0) -> AsyncIterator[list[Span]]:
        """Roots of traces that began, changed or ended since the last look, oldest change first.

        ``pause`` seconds pass between a change and the look, so that a busy log costs little. A
        slow reader loses the oldest notices, never the traces: a notice only says "look again".
        """
        watcher = _Watcher()
        self._watchers.add(watcher)
        try:
            while True:
                await watcher.woken.wait()
                if pause:
                    await asyncio.sleep(pause)
                yield watcher.take()
        finally:
            self._watchers.discard(watcher)

    def _tell(self, root: Span) -> None:
        for watcher in self._watchers:
            watcher.note(root)


class _Watcher:
    """Notes which traces changed until somebody looks."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self._changed: dict[int, Span] = {}

    def note(self, root: Span) -> None:
        changed = self._changed
        if not changed:
            self.woken.set()
        elif root.id not in changed and len(changed) >= MAX_NOTICES:
            del changed[next(iter(changed))]
        changed[root.id] = root

    def take(self) -> list[Span]:
        taken = list(self._changed.values())
        self._changed.clear()
        self.woken.clear()
        return taken
