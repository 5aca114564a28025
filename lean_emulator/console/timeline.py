"""A trace as rows with time bars: one window of steps, positions in percent of the axis."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import Span
from lean_emulator.base.trace_view import step, value_of, warnings_of
from lean_emulator.console.unrun import children_with_unrun

WINDOW = 300
"""Steps drawn at once; longer traces are read in windows of this size."""

MAX_INDENT = 24
"""Levels that are drawn apart: eight hooks deep, each with its request and its call."""
_ROOM = 1.04
_VISIBLE = 0.015
"""Part of the axis below which a difference is not worth a colour."""
_TICKS = 5


class Node(dict[str, Json]):
    """A step as JSON; a member it does not have reads as ``None``, which suits templates."""

    def __missing__(self, key: str) -> Json:
        return None


@dataclass(frozen=True, slots=True)
class Bar:
    """Percent of the axis. ``own`` is the step itself, ``after`` what went on past its answer.

    ``left`` runs from the end of the bar to the step's limit; ``None`` when the limit lies outside.
    """

    own: tuple[float, float]
    after: tuple[float, float] | None = None
    left: tuple[float, float] | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What remained of the step's budget when it ended, and how much of it was used (percent)."""

    began_ms: float
    ended_ms: float
    used: float

    @property
    def level(self) -> str:
        if self.used >= 100:
            return "over"
        return "near" if self.used >= 70 else "fine"


@dataclass(frozen=True, slots=True)
class Row:
    """One step; ``node`` is ``trace_view.step`` without documents."""

    node: Node
    depth: int
    parent: bool
    bar: Bar | None
    left: Left | None


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis."""

    x: float
    ms: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """``earlier`` and ``later`` name the step at which the neighbouring window starts."""

    rows: list[Row]
    ticks: list[Tick]
    answer: float | None
    total: int
    hidden_before: int = 0
    hidden_after: int = 0
    earlier: str | None = None
    later: str | None = None
    marks: frozenset[str] = field(default_factory=frozenset)
    """Which of storage, code, request, after, left, limit occur: what the legend explains."""


def timeline(
    root: Span, mask: Mask, elapsed: float, at: str | None = None, size: int = WINDOW
) -> Timeline:
    """The window that holds the step called ``at``, or the first one.

    ``elapsed`` is seconds since the trace began, used while it runs.
    """
    steps = list(_preorder(root))
    start = _window(steps, at, size)
    shown = steps[start : start + size]
    above = _ancestors(shown[0][0]) if start else []
    rows = [(span, depth) for depth, span in enumerate(above)] + shown
    end_ms = _end(steps, root, elapsed)
    axis = max(end_ms * _ROOM, 0.001)
    drawn = [_row(span, depth, mask, axis, end_ms) for span, depth in rows]
    answered = root.answered
    answer = None
    if answered is not None and (answered - root.began) * 1000 < end_ms * (1 - _VISIBLE):
        answer = _percent((answered - root.began) * 1000, axis)
    after = start + size
    return Timeline(
        rows=drawn,
        ticks=[Tick(_percent(ms, axis), ms) for ms in _ticks(end_ms)],
        answer=answer,
        total=len(steps),
        hidden_before=start - len(above),
        hidden_after=max(0, len(steps) - after),
        earlier=steps[max(0, start - size)][0].name if start else None,
        later=steps[after][0].name if after < len(steps) else None,
        marks=_marks(drawn),
    )


def find(root: Span, name: str | None) -> Span | None:
    """The step of the trace that is called ``name``."""
    return next((span for span, _ in _preorder(root) if span.name == name), None)


def most_telling(root: Span) -> Span:
    """The step to look at first: the deepest that went wrong, else one that is warned of, else the
    first hook or function.
    """
    wrong = [
        (depth, -number, span)
        for number, (span, depth) in enumerate(_preorder(root))
        if span.outcome in ("rejected", "failed", "timeout", "loop")
    ]
    if wrong:
        return max(wrong, key=lambda item: item[:2])[2]
    warned = next((span for span, _ in _preorder(root) if warnings_of(span)), None)
    if warned is not None:
        return warned
    code = (s for s, _ in _preorder(root) if s.kind in ("hook", "function", "task") and s.ended)
    return next((span for span in code if span.outcome != "skipped"), root)


def _preorder(root: Span) -> Iterator[tuple[Span, int]]:
    pending = [(root, 0)]
    while pending:
        span, depth = pending.pop()
        yield span, depth
        pending.extend((child, depth + 1) for child in reversed(children_with_unrun(span)))


def _window(steps: list[tuple[Span, int]], at: str | None, size: int) -> int:
    if at is None or len(steps) <= size:
        return 0
    place = next((i for i, (span, _) in enumerate(steps) if span.name == at), 0)
    return place - place % size


def _ancestors(span: Span) -> list[Span]:
    found = []
    parent = span.parent
    while parent is not None:
        found.append(parent)
        parent = parent.parent
    return found[::-1]


def _end(steps: list[tuple[Span, int]], root: Span, elapsed: float) -> float:
    ends = [span.ended for span, _ in steps]
    if any(end is None for end in ends):
        return elapsed * 1000
    return (max(end for end in ends if end is not None) - root.began) * 1000


def _row(span: Span, depth: int, mask: Mask, axis: float, end_ms: float) -> Row:
    node = Node(step(span, mask, documents=False))
    skipped = span.outcome == "skipped"
    # small, and worth reading without a click: what was sought, and why a hook did not run
    for key in ("why",) if skipped else ("query", "rpc", "warnings"):
        if key in span.detail:
            node[key] = mask.json(value_of(span, key))
    return Row(
        node=node,
        depth=min(depth, MAX_INDENT),
        parent=bool(span.children or children_with_unrun(span)),
        bar=None if skipped else _bar(span, axis, end_ms),
        left=None if skipped else _left(span, axis, end_ms),
    )


def _bar(span: Span, axis: float, end_ms: float) -> Bar:
    x = (span.began - span.root.began) * 1000
    ended = end_ms if span.ended is None else (span.ended - span.root.began) * 1000
    own_end = ended if span.answered is None else (span.answered - span.root.began) * 1000
    quiet = max([ended, *((c.ended - c.root.began) * 1000 for c in span.children if c.ended)])
    after = None
    if span.kind == "request" and quiet - own_end > axis * _VISIBLE:
        after = (_percent(own_end, axis), _percent(quiet - own_end, axis))
    budget = _budget(span)
    left = limit = None
    if budget is not None and x + budget <= end_ms * 1.001:
        limit = _percent(x + budget, axis)
        if x + budget > own_end:
            left = (_percent(own_end, axis), _percent(x + budget - own_end, axis))
    width = max(_percent(own_end - x, axis), 0.6)
    return Bar((_percent(x, axis), width), after, left, limit)


def _budget(span: Span) -> float | None:
    """Milliseconds the step had: its own limit or what was left of the chain's, if less."""
    given = [span.detail.get(key) for key in ("limit", "left")]
    known = [value * 1000 for value in given if value is not None and value != float("inf")]
    return min(known, default=None)


def _left(span: Span, axis: float, end_ms: float) -> Left | None:
    budget = _budget(span)
    if budget is None or span.kind not in ("hook", "function", "task"):
        return None
    x = (span.began - span.root.began) * 1000
    took = (end_ms if span.ended is None else (span.ended - span.root.began) * 1000) - x
    used = 100.0 if budget <= 0 else min(100.0, took / budget * 100)
    if span.outcome == "timeout":
        used = 100.0
    remains = 0.0 if used >= 100 else budget - took
    return Left(budget, remains, used)


def _ticks(end_ms: float) -> list[float]:
    if end_ms <= 0:
        return [0.0]
    raw = end_ms / (_TICKS - 1)
    power = 1.0
    while power * 10 <= raw:
        power *= 10
    while power > raw:
        power /= 10
    size = next(n * power for n in (1, 2, 5, 10) if n * power >= raw)
    return [number * size for number in range(int(end_ms / size + 1e-6) + 1)]


def _marks(rows: list[Row]) -> frozenset[str]:
    found = set()
    for row in rows:
        if row.bar is None:
            continue
        kind = str(row.node["kind"])
        found.add({"storage": "storage", "request": "request"}.get(kind, "code"))
        found.update(
            name
            for name, present in (
                ("after", row.bar.after),
                ("left", row.bar.left),
                ("limit", row.bar.limit),
            )
            if present is not None
        )
    return frozenset(found)


def _percent(ms: float, axis: float) -> float:
    return round(max(0.0, min(100.0, ms / axis * 100)), 3)
