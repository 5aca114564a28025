"""Spans as JSON: the row of a list, the whole tree, and the diff of two documents.

Everything that leaves here has gone through a ``Mask``.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lean_emulator.base.clock import iso_text
from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import Deferred, Span

_PLAIN = ("hook", "function", "method", "path", "op", "identity", "reason", "note", "where")
_RENAMED = {
    "class_name": "className",
    "object_id": "objectId",
    "updated_keys": "updatedKeys",
    "ignored": "ignoredHooks",
    "refused_by": "refusedBy",
}
_DOCUMENTS = ("before", "after")
_VALUES = (
    "query", "body", "response", "params", "result", "answer", "user", "error", "why", "added",
    "removed", "rows", "count", "cycle", "rpc", "hooks", "warnings",
)  # fmt: skip


def summary(span: Span, mask: Mask) -> dict[str, Json]:
    """One line of the list.

    ``tookMs`` ends at the client's answer, ``quietMs`` when the last step did; both are ``None``
    while that has not happened. ``note`` is a short reason in the words of the step that failed.
    """
    detail = span.detail
    steps = list(walk(span))
    return {
        "id": span.name,
        "kind": span.kind,
        "title": mask.text(span.title),
        "outcome": span.outcome,
        "status": span.status,
        "startedAt": iso_text(span.at_ms),
        "startedMs": span.at_ms,
        "tookMs": _ms(span.began, span.answered if span.answered is not None else span.ended),
        "quietMs": _quiet(span, steps),
        "className": detail.get("class_name"),
        "function": detail.get("function"),
        "method": detail.get("method"),
        "path": mask.text(str(detail["path"])) if "path" in detail else None,
        "identity": detail.get("identity"),
        "user": mask.json(_user_name(detail.get("user"))),
        "hooksRan": sum(s.kind == "hook" and s.outcome != "skipped" for s in steps),
        "hooksSkipped": sum(s.kind == "hook" and s.outcome == "skipped" for s in steps),
        "warnings": sum(len(warnings_of(s)) for s in steps),
        "steps": len(steps),
        "note": mask.text(_note(steps)),
    }


def tree(span: Span, mask: Mask) -> dict[str, Json]:
    """A span with everything in it, children nested in order of their start.

    Times are milliseconds from the start of the trace. ``limitMs`` is the step's budget,
    ``leftMs`` what the whole chain had left when it began and ``leftAfterMs`` when it ended; all
    ``None`` without a limit. A step inside another has its ``identity`` and shares its time.
    """
    return {**step(span, mask), "children": [_branch(child, mask) for child in span.children]}


def step(span: Span, mask: Mask, *, documents: bool = True) -> dict[str, Json]:
    """A node of ``tree`` without its children.

    ``documents=False`` leaves bodies, images and prints out, which makes a long tree cheap.
    """
    node = _facts(span, span.root, mask)
    if documents:
        node.update(_contents(span, mask))
    return node


def value_of(span: Span, key: str) -> Any:
    """A member of the detail, worked out where it is deferred; ``None`` when there is none."""
    value = span.detail.get(key)
    return value.told(span) if isinstance(value, Deferred) else value


def warnings_of(span: Span) -> list[dict[str, Json]]:
    """What passes here and would not in the cloud: ``{"kind", "en", "zh"}`` each."""
    return value_of(span, "warnings") or []


def walk(span: Span) -> Iterator[Span]:
    """The span and all below it, in order of their start within each parent."""
    yield span
    for child in span.children:
        yield from walk(child)


def changes(before: Json, after: Json) -> list[Json]:
    """Key by key: ``added``, ``removed``, ``changed`` or ``same``, changes first.

    Anything that is not an object counts as an empty one.
    """
    old: Mapping[str, Json] = before if isinstance(before, Mapping) else {}
    new: Mapping[str, Json] = after if isinstance(after, Mapping) else {}
    rows: list[dict[str, Json]] = []
    for key in list(old) + [key for key in new if key not in old]:
        if key not in new:
            rows.append({"key": key, "change": "removed", "before": old[key]})
        elif key not in old:
            rows.append({"key": key, "change": "added", "after": new[key]})
        elif old[key] == new[key] and _text(old[key]) == _text(new[key]):
            rows.append({"key": key, "change": "same", "before": old[key], "after": new[key]})
        else:
            rows.append({"key": key, "change": "changed", "before": old[key], "after": new[key]})
    return [*sorted(rows, key=lambda row: row["change"] == "same")]


def _text(value: Json) -> str:
    """Tells ``true`` from ``1``, which Python holds for equal."""
    return json.dumps(value, sort_keys=True)


def _branch(span: Span, mask: Mask) -> dict[str, Json]:
    return {**step(span, mask), "children": [_branch(child, mask) for child in span.children]}


def _facts(span: Span, root: Span, mask: Mask) -> dict[str, Json]:
    detail = span.detail
    node: dict[str, Json] = {
        "id": span.name,
        "kind": span.kind,
        "title": mask.text(span.title),
        "outcome": span.outcome,
        "status": span.status,
        "startedAt": iso_text(span.at_ms),
        "offsetMs": _ms(root.began, span.began),
        "tookMs": _ms(span.began, span.answered if span.answered is not None else span.ended),
        "quietMs": _quiet(span, list(walk(span))),
        "answeredMs": _ms(root.began, span.answered),
        "limitMs": _seconds(detail.get("limit")),
        **_left(span),
        "dropped": span.dropped,
    }
    for key in _PLAIN:
        if key in detail:
            value = detail[key]
            node[key] = mask.text(value) if isinstance(value, str) else value
    for key, name in _RENAMED.items():
        if key in detail:
            node[name] = mask.json(detail[key])
    if "identity" not in node and (who := _nearest(span, "identity")) is not None:
        node["identity"] = who.detail["identity"]
    return node


def _nearest(span: Span, key: str) -> Span | None:
    """The step itself or the nearest above whose detail has the key."""
    above: Span | None = span
    while above is not None and key not in above.detail:
        above = above.parent
    return above


def _left(span: Span) -> dict[str, Json]:
    """Time left at the step's start and end, of its own budget or of what it runs inside."""
    owner = None if span.outcome == "skipped" else _nearest(span, "left")
    left = None if owner is None else owner.detail["left"]
    if owner is None or left is None or left == float("inf"):
        return {"leftMs": None, "leftAfterMs": None}
    until = owner.began + left
    ended = span.answered if span.answered is not None else span.ended
    return {
        "leftMs": _seconds(max(0.0, until - span.began)),
        "leftAfterMs": None if ended is None else _seconds(max(0.0, until - ended)),
    }


def _contents(span: Span, mask: Mask) -> dict[str, Json]:
    detail = span.detail
    node: dict[str, Json] = {}
    for key in _VALUES:
        if key in detail:
            value = value_of(span, key)
            if value is not None or not isinstance(detail[key], Deferred):
                node[key] = mask.json(value)
    if isinstance(detail.get("query"), str):
        node["query"] = mask.query(detail["query"])
    if "headers" in detail:
        node["headers"] = {**mask.headers(detail["headers"])}
    if "before" in detail or "after" in detail:
        before, after = (mask.json(detail.get(key)) for key in _DOCUMENTS)
        node.update(before=before, after=after, changes=changes(before, after))
    if span.prints:
        node["prints"] = [
            {
                "offsetMs": _ms(span.began, line.at),
                "stream": line.stream,
                "text": mask.text(line.text),
                "where": line.where,
            }
            for line in span.prints
        ]
    return node


def _ms(start: float, end: float | None) -> float | None:
    return None if end is None else round(max(0.0, end - start) * 1000, 3)


def _seconds(value: Any) -> float | None:
    return None if value is None or value == float("inf") else round(value * 1000, 3)


def _quiet(span: Span, steps: list[Span]) -> float | None:
    if any(step.ended is None for step in steps):
        return None
    return _ms(span.began, max(step.ended or 0.0 for step in steps))


def _user_name(user: Any) -> Json:
    if not isinstance(user, Mapping):
        return None
    return user.get("username") or user.get("objectId")


def _note(steps: list[Span]) -> str:
    for step in reversed(steps):
        error = step.detail.get("error")
        if isinstance(error, Mapping) and error.get("message"):
            prefix = f"{step.detail['hook']}: " if step.kind == "hook" else ""
            return f"{prefix}{error['message']}"[:200]
    return str(steps[0].detail.get("note", ""))
