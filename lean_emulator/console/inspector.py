"""One step looked at closely: which tabs it has, and what stands in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import Span
from lean_emulator.base.trace_view import step
from lean_emulator.console.phrases import Phrases, remaining
from lean_emulator.console.text_diff import Side, text_diff
from lean_emulator.console.timeline import Node
from lean_emulator.console.traceback_view import Traceback, read_traceback

TABS = ("why", "error", "hooks", "changes", "input", "output", "prints", "identity")

_INPUT = ("query", "params", "body", "updatedKeys", "ignoredHooks", "headers")
_OUTPUT = ("response", "result", "answer", "added", "removed", "rows")
_BY_OUTCOME = {
    "skipped": ("why",),
    "loop": ("why", "error"),
    "timeout": ("why", "error"),
    "rejected": ("error",),
    "failed": ("error",),
}
_LONG_TEXT = 40
_TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the diff. ``sides`` is set where two texts differ inside."""

    key: str
    change: str
    before: Json
    after: Json
    sides: tuple[Side, Side] | None
    lengths: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Inspector:
    """``node`` is the whole step; ``tab`` the open one of ``tabs``."""

    node: Node
    tabs: list[str]
    tab: str
    changes: list[Change]
    unchanged: list[str]
    inputs: dict[str, Json]
    outputs: dict[str, Json]
    traceback: Traceback | None
    cycle: list[dict[str, Json]]
    hooks: list[Node]
    """What became of every hook the step could have run."""
    warnings: list[Node]

    @property
    def headline(self) -> str:
        """What was raised, where that is known; else what the client was told."""
        error = self.node["error"]
        told = (
            str(error.get("message") or error.get("error") or "") if isinstance(error, dict) else ""
        )
        raised = self.traceback.last_line if self.traceback else ""
        return raised if raised and told not in raised else told

    def time_up(self, say: Phrases) -> str:
        """Why the time was up, in a sentence; empty for any other step."""
        limit, left = self.node["limitMs"], self.node["leftMs"]
        if self.node["outcome"] != "timeout" or not isinstance(limit, int | float):
            return ""
        if isinstance(left, int | float) and left < limit * 0.99:
            return say("why.less_time", had=remaining(left), limit=remaining(limit))
        return say("why.time", limit=remaining(limit))

    def count(self, tab: str) -> int | None:
        """The number beside a tab's name."""
        prints = self.node.get("prints")
        if tab == "prints":
            return len(prints) if isinstance(prints, list) else 0
        if tab == "hooks":
            return len(self.hooks)
        return len(self.changes) if tab == "changes" else None


def inspect(span: Span, mask: Mask, tab: str | None, project: Path) -> Inspector:
    """``tab`` stays open if the step has it; otherwise the one that tells most opens."""
    node = Node(step(span, mask))
    if isinstance(node["error"], dict):
        node["error"] = Node(node["error"])
    rows = node["changes"] if _compares(node) else None
    changes = [_change(row) for row in rows if isinstance(row, dict)] if rows else []  # type: ignore[union-attr]
    tabs = _tabs(node)
    return Inspector(
        node=node,
        tabs=tabs,
        tab=tab if tab in tabs else _first(node, tabs),
        changes=[row for row in changes if row.change != "same"],
        unchanged=[row.key for row in changes if row.change == "same"],
        inputs=_inputs(node),
        outputs={key: node[key] for key in _OUTPUT if key in node},
        traceback=_traceback(node, project, mask),
        cycle=_cycle(node.get("cycle")),
        hooks=_nodes(node.get("hooks")),
        warnings=_nodes(node.get("warnings")),
    )


def _tabs(node: Mapping[str, Json]) -> list[str]:
    timed = node["outcome"] == "timeout" and node.get("limitMs") is not None
    has = {
        "why": bool(node.get("why") or node.get("reason") or node.get("cycle")) or timed,
        "error": isinstance(node.get("error"), dict),
        "hooks": bool(node.get("hooks")),
        "changes": _compares(node),
        "input": bool(_inputs(node)),
        "output": any(key in node for key in _OUTPUT),
        "prints": bool(node.get("prints")) or node["kind"] in ("hook", "function", "task"),
        "identity": True,
    }
    if node["outcome"] == "skipped":
        has["prints"] = False
        has["why"] = True
    return [name for name in TABS if has[name]]


def _first(node: Mapping[str, Json], tabs: list[str]) -> str:
    telling = _BY_OUTCOME.get(str(node["outcome"]), ())
    printed = ["prints"] if node.get("prints") else []
    surprising = ["hooks"] if any(map(_surprises, _nodes(node.get("hooks")))) else []
    wanted: list[str] = [
        *telling,
        *surprising,
        "changes",
        "output",
        "input",
        "why",
        *printed,
        "hooks",
        "identity",
    ]
    if node["kind"] == "storage" and "query" in node:
        wanted.insert(len(telling), "input")
    return next(name for name in wanted if name in tabs)


def _nodes(raw: Json) -> list[Node]:
    return [Node(item) for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []


def _surprises(hook: Node) -> bool:
    """Whether somebody will want to know of it before anything else."""
    return hook["nearest"] is not None or hook["reason"] in ("not_loaded", "ran_anyway")


def _inputs(node: Mapping[str, Json]) -> dict[str, Json]:
    given = {key: node[key] for key in _INPUT if node.get(key) not in (None, [], {})}
    if node["kind"] == "hook" and node.get("before") is not None:
        return {"object": node["before"], **given}
    return given


def _compares(node: Mapping[str, Json]) -> bool:
    """Whether before and after belong together: a hook that gave nothing back changed nothing."""
    return "changes" in node and not (node["kind"] == "hook" and node.get("after") is None)


def _change(row: dict[str, Json]) -> Change:
    before, after = row.get("before"), row.get("after")
    sides = lengths = None
    if row["change"] == "changed" and isinstance(before, str) and isinstance(after, str):
        sides = text_diff(before, after)
        if max(len(before), len(after)) > _LONG_TEXT:
            lengths = (len(before), len(after))
    return Change(str(row["key"]), str(row["change"]), before, after, sides, lengths)


def _traceback(node: Mapping[str, Json], project: Path, mask: Mask) -> Traceback | None:
    error = node.get("error")
    if not isinstance(error, dict):
        return None
    text = error.get("traceback") or _printed_traceback(node.get("prints"))
    return read_traceback(text, project, mask) if isinstance(text, str) and text.strip() else None


def _printed_traceback(prints: Json) -> str | None:
    """The last traceback among the lines; that is where the SDK leaves an exception."""
    lines = [str(line["text"]) for line in prints or () if isinstance(line, dict)]  # type: ignore[union-attr]
    starts = [number for number, line in enumerate(lines) if line.startswith(_TRACEBACK)]
    return "\n".join(lines[starts[-1] :]) if starts else None


def _cycle(raw: Json) -> list[dict[str, Json]]:
    """Hops as ``{"text", "where", "repeat"}``; what stands in it twice is marked.

    A bare period (``a, b``) is closed by its first hop, so that one sees it come round.
    """
    hops = raw if isinstance(raw, list) else []
    if hops and all(isinstance(hop, str) for hop in hops) and hops.count(hops[0]) == 1:
        hops = [*hops, hops[0]]
    texts = [str(hop.get("text", "")) if isinstance(hop, dict) else str(hop) for hop in hops]
    return [
        {
            "text": text,
            "where": hop.get("where") if isinstance(hop, dict) else None,
            "repeat": texts.count(text) > 1,
        }
        for hop, text in zip(hops, texts, strict=True)
    ]
