"""A trace for people: an indented tree of what ran, how long, what it printed and changed."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lean_emulator.base.errors import Hint
from lean_emulator.cli.output import hint_text
from lean_emulator.model.document import AUTOMATIC

WIDEST = 60
"""Characters of a value before it is cut; ``--json`` has them whole."""
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_BEFORE_DIFFERENCE = 20
"""Characters that long values show of what they have in common."""


def lines(
    tree: Mapping[str, Any], depth: int = 0, *, prints: bool = True, outer: str = ""
) -> Iterator[str]:
    """A trace as indented lines; ``prints`` leaves out what the code printed when false.

    ``outer`` is who the step above acts for: a step tells it only where it is somebody else.
    """
    indent = "  " * depth
    who = _identity(tree, outer)
    yield indent + "  ".join(_words(tree, depth, who if who != outer else ""))
    for line in _below(tree, prints=prints):
        yield f"{indent}    {line}"
    for child in tree.get("children") or []:
        yield from lines(child, depth + 1, prints=prints, outer=who)
    if tree.get("dropped"):
        yield f"{indent}  … and {tree['dropped']} more steps"


def changed(step: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the step's diff where something differs; none where there is one image alone.

    Hooks never answer with automatic fields, which therefore does not count as a change.
    """
    if not isinstance(step.get("before"), Mapping) or not isinstance(step.get("after"), Mapping):
        return []
    unsaid = AUTOMATIC if step.get("kind") == "hook" else frozenset()
    return [
        row
        for row in step.get("changes") or []
        if row["change"] != "same" and not (row["change"] == "removed" and row["key"] in unsaid)
    ]


def _words(step: Mapping[str, Any], depth: int, who: str) -> Iterator[str]:
    if depth == 0:
        yield str(step.get("id"))
    yield str(step.get("title"))
    if step.get("where"):
        yield f"({step['where']})"
    status = step.get("status")
    yield str(step.get("outcome")) + (f" {status}" if status is not None else "")
    if step.get("outcome") == "skipped":
        yield _in_language(step.get("why"))
        return
    if step.get("tookMs") is not None:
        yield f"{step['tookMs']:.1f} ms"
    if step.get("limitMs") is not None and step.get("leftMs") is not None:
        yield f"{_seconds(step['leftMs'])} left of {_seconds(step['limitMs'])}"
    if who:
        yield f"as {who}"
    if depth == 0 and step.get("note"):
        yield str(step["note"])
    yield from _circumstances(step)


def _circumstances(step: Mapping[str, Any]) -> Iterator[str]:
    if step.get("updatedKeys"):
        yield f"updatedKeys: {', '.join(step['updatedKeys'])}"
    if step.get("ignoredHooks"):
        yield f"ignored hooks: {', '.join(map(str, step['ignoredHooks']))}"
    if step.get("cycle"):
        yield f"cycle: {' → '.join([*step['cycle'], step['cycle'][0]])}"
    if step.get("why"):
        yield _in_language(step["why"])


def _below(step: Mapping[str, Any], *, prints: bool) -> Iterator[str]:
    if prints:
        for line in step.get("prints") or []:
            for part in str(line.get("text")).splitlines() or [""]:
                yield f"│ {part}"
    for row in changed(step):
        yield change_line(row)
    yield from _hooks_without_steps(step)
    for warning in step.get("warnings") or []:
        yield f"⚠ {_in_language(warning)}"
    error = step.get("error")
    if isinstance(error, Mapping):
        yield f"! {error.get('message')}"
        if error.get("hint"):
            yield f"  {_in_language(error['hint'])}"


def _hooks_without_steps(step: Mapping[str, Any]) -> Iterator[str]:
    """Hooks that did not run and have no line of their own, those with one reason in one line."""
    reasons: dict[str, list[str]] = {}
    for hook in step.get("hooks") or []:
        if not _is_worth_a_line(hook):
            continue
        hooks = reasons.setdefault(_in_language(hook), [])
        if hook["hook"] not in hooks:
            hooks.append(hook["hook"])
    for reason, hooks in reasons.items():
        yield f"· {', '.join(hooks)}: {reason}"


def _is_worth_a_line(hook: Mapping[str, Any]) -> bool:
    if hook["reason"] == "other_write":
        return bool(hook.get("expected"))
    return hook["reason"] != "ran" and hook.get("outcome") != "skipped"


def change_line(row: Mapping[str, Any]) -> str:
    """A row of a diff; of long values, what surrounds the difference."""
    texts = [
        json.dumps(row[side], ensure_ascii=False) for side in ("before", "after") if side in row
    ]
    start = 0
    if len(texts) == 2 and max(map(len, texts)) > WIDEST:
        start = max(0, _same(*texts) - _BEFORE_DIFFERENCE)
    sides = " → ".join(_cut(text, start) for text in texts)
    return f"{_SIGNS[str(row['change'])]} {row['key']}: {sides}"


def _same(one: str, other: str) -> int:
    """With how many equal characters two texts begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _cut(text: str, start: int) -> str:
    """The text from there on, with marks where something is left out."""
    shown = f"…{text[start:]}" if start else text
    return shown if len(shown) <= WIDEST else f"{shown[: WIDEST - 1]}…"


def _in_language(said: Any) -> str:
    """A text in two languages, in that of the terminal."""
    if isinstance(said, Mapping) and "en" in said:
        return hint_text(Hint(str(said["en"]), str(said.get("zh", said["en"]))))
    return "" if said is None else str(said)


def _identity(step: Mapping[str, Any], outer: str) -> str:
    """``user alice``, ``master``; that of the step above where the step has none of its own."""
    if step.get("kind") == "storage" or step.get("outcome") == "skipped":
        return outer
    user = step.get("user")
    name = user.get("username") or user.get("objectId") if isinstance(user, Mapping) else None
    return " ".join(str(word) for word in (step.get("identity"), name) if word) or outer


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.3g} s"
