"""Hooks that did not run as rows of the tree, where they would have run.

A trace keeps no step for a hook that nothing registers. What a reader may have expected is made
into one here: skipped, with its reason, findable by name like any other step.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lean_emulator.base.trace import Span
from lean_emulator.base.trace_view import value_of


class UnrunHook(Span):
    """A step that never was; its name is that of the request and the hook."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return f"s-{self.id:x}.{self.detail['hook']}"


def children_with_unrun(span: Span) -> list[Span]:
    """The step's children, hooks that did not run among them: before hooks first, after hooks last.

    Of several writes in one step each hook and reason stands once.
    """
    if "moments" not in span.detail:
        return span.children
    unrun = [_step(span, hook) for hook in _expected(span)]
    before = [step for step in unrun if step.detail["hook"].startswith("before")]
    after = [step for step in unrun if not step.detail["hook"].startswith("before")]
    return [*before, *span.children, *after]


def _expected(span: Span) -> Iterator[Mapping[str, Any]]:
    """Hooks without a step that somebody may look for."""
    hooks: list[Mapping[str, Any]] = value_of(span, "hooks") or []
    seen = set()
    for hook in hooks:
        key = (hook["hook"], hook["className"], hook["reason"])
        if hook["expected"] and key not in seen:
            seen.add(key)
            yield hook


def _step(span: Span, hook: Mapping[str, Any]) -> Span:
    why = {key: hook[key] for key in ("reason", "en", "zh")}
    step = UnrunHook(
        span.id,
        "hook",
        f"{hook['hook']} {hook['className']}",
        span,
        span.began,
        span.at_ms,
        {"hook": hook["hook"], "class_name": hook["className"], "why": why},
    )
    step.ended, step.outcome = span.began, "skipped"
    return step
