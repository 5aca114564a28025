"""Two traces of the same request, step by step: what the code does otherwise than before.

Both are trees as ``base.trace_view`` makes them. What differs between any two runs does not count:
times, and the ids and dates of what was created in each.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, TypeAlias

from lean_emulator.base.jsontext import Json

Tree: TypeAlias = Mapping[str, Any]

_COMPARED = (
    "outcome", "status", "error", "why", "updatedKeys", "ignoredHooks", "body", "params",
    "before", "after", "response", "result", "answer", "rows", "count", "cycle",
)  # fmt: skip
_SHOWN = ("id", "outcome", "status", "tookMs")
_DATES = frozenset({"createdAt", "updatedAt"})
_ID = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class _Pair:
    """A step of one trace, of the other, or of both."""

    depth: int
    before: Tree | None
    after: Tree | None


def compare(before: Tree, after: Tree) -> dict[str, Json]:
    """``same``, ``differing`` (how many steps differ) and the ``steps`` of both in order.

    A step is ``same``, ``changed``, ``added`` or ``removed``; ``differences`` are by path, with
    ``before`` and ``after`` where there is a value.
    """
    pairs = [*_paired(before, after, 0)]
    renamed = dict(_renamed(pairs))
    steps = [_step(pair, renamed) for pair in pairs]
    differing = sum(step["change"] != "same" for step in steps)
    return {"same": differing == 0, "differing": differing, "steps": [*steps]}


def differences(before: Json, after: Json, path: str = "") -> Iterator[dict[str, Json]]:
    """Values that are not alike, member by member and item by item."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*before, *(name for name in after if name not in before)]:
            inner = f"{path}.{name}" if path else name
            if name in _DATES and isinstance(before.get(name), str) and name in after:
                continue
            if name not in after:
                yield {"path": inner, "before": before[name]}
            elif name not in before:
                yield {"path": inner, "after": after[name]}
            else:
                yield from differences(before[name], after[name], inner)
        return
    both_lists = isinstance(before, list) and isinstance(after, list)
    if both_lists and len(before) == len(after):  # type: ignore[arg-type]  # lists, as just asked
        for place, (one, other) in enumerate(zip(before, after, strict=True)):  # type: ignore[arg-type]  # as above
            yield from differences(one, other, f"{path}.{place}")
    elif _text(before) != _text(after):
        yield {"path": path, "before": before, "after": after}


def _paired(before: Tree, after: Tree, depth: int) -> Iterator[_Pair]:
    """Steps of both trees in order; those that go by the same name are one."""
    yield _Pair(depth, before, after)
    old, new = before.get("children") or [], after.get("children") or []
    matcher = SequenceMatcher(None, [*map(_key, old)], [*map(_key, new)], autojunk=False)
    for word, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if word == "equal":
            for one, other in zip(old[old_start:old_end], new[new_start:new_end], strict=True):
                yield from _paired(one, other, depth + 1)
            continue
        for step in old[old_start:old_end]:
            yield from _alone(step, depth + 1, removed=True)
        for step in new[new_start:new_end]:
            yield from _alone(step, depth + 1, removed=False)


def _alone(step: Tree, depth: int, *, removed: bool) -> Iterator[_Pair]:
    yield _Pair(depth, step if removed else None, None if removed else step)
    for child in step.get("children") or []:
        yield from _alone(child, depth + 1, removed=removed)


def _key(step: Tree) -> tuple[str, str]:
    return str(step.get("kind")), _ID.sub("…", str(step.get("title")))


def _renamed(pairs: Sequence[_Pair]) -> Iterator[tuple[str, str]]:
    """Ids of what was created in the first run, and what they are in the second."""
    for pair in pairs:
        if pair.before is None or pair.after is None or pair.before.get("op") != "insert":
            continue
        old, new = pair.before.get("objectId"), pair.after.get("objectId")
        if old and new and old != new:
            yield str(old), str(new)


def _step(pair: _Pair, renamed: Mapping[str, str]) -> dict[str, Json]:
    known = pair.after or pair.before
    assert known is not None
    found: list[Json] = []
    change = "removed" if pair.after is None else "added" if pair.before is None else "same"
    if pair.before is not None and pair.after is not None:
        found = [*differences(_facts(pair.before, renamed), _facts(pair.after, {}))]
        change = "changed" if found else "same"
    return {
        "change": change,
        "depth": pair.depth,
        "kind": known.get("kind"),
        "title": known.get("title"),
        "before": _shown(pair.before),
        "after": _shown(pair.after),
        "differences": found,
    }


def _facts(step: Tree, renamed: Mapping[str, str]) -> Json:
    """What of a step is compared, with the ids of the other run."""
    facts: dict[str, Json] = {name: step[name] for name in _COMPARED if name in step}
    title = str(step.get("title"))
    facts["title"] = title
    if step.get("prints"):
        facts["prints"] = [line["text"] for line in step["prints"]]
    if step.get("warnings"):
        facts["warnings"] = [warning.get("kind") for warning in step["warnings"]]
    if not renamed:
        return facts
    text = json.dumps(facts)
    for old, new in renamed.items():
        text = text.replace(old, new)
    return json.loads(text)  # type: ignore[no-any-return]  # it was JSON before


def _shown(step: Tree | None) -> Json:
    return None if step is None else {name: step.get(name) for name in _SHOWN}


def _text(value: Json) -> str:
    """Tells ``true`` from ``1``, which Python holds for equal."""
    return json.dumps(value, sort_keys=True)
