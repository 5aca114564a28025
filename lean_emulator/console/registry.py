"""What cloud.py registered, read from the names of the metadata route, and how it has done."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from lean_emulator.base.trace import EventLog, Outcome, Span
from lean_emulator.base.trace_view import walk
from lean_emulator.model.im_hooks import IM_HOOKS

Group = Literal["hook", "account", "message", "insight", "function"]

GROUPS: tuple[Group, ...] = ("hook", "account", "message", "insight", "function")
UPDATE_HOOKS = frozenset({"beforeUpdate", "afterUpdate"})
LAST_RUNS = 12

_CLASS_HOOKS = {
    "__before_save_for_": "beforeSave",
    "__after_save_for_": "afterSave",
    "__before_update_for_": "beforeUpdate",
    "__after_update_for_": "afterUpdate",
    "__before_delete_for_": "beforeDelete",
    "__after_delete_for_": "afterDelete",
}
_SINGLE: dict[str, tuple[Group, str, str | None]] = {
    "__on_verified_sms": ("account", "onVerified", "sms"),
    "__on_verified_email": ("account", "onVerified", "email"),
    "__on_login__User": ("account", "onLogin", "_User"),
    "__on_authdata__User": ("account", "onAuthData", "_User"),
    "__on_complete_bigquery_job": ("insight", "onComplete", "BigQuery"),
}


@dataclass(frozen=True, slots=True)
class Registered:
    """One name of the metadata list (engine.md 2.3), taken apart.

    ``label`` is what people call it (``beforeSave``, ``averageStars``); ``of`` is the class of a
    class hook, the channel of a verification, otherwise ``None``.
    """

    name: str
    group: Group
    label: str
    of: str | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        """Under which its spans are found: label and class."""
        return (self.label, self.of)


def parse(name: str) -> Registered:
    """A metadata name; whatever has no special form is a cloud function."""
    for prefix, hook in _CLASS_HOOKS.items():
        if name.startswith(prefix) and len(name) > len(prefix):
            return Registered(name, "hook", hook, name.removeprefix(prefix))
    if name in _SINGLE:
        return Registered(name, *_SINGLE[name])
    if name in IM_HOOKS:
        return Registered(name, "message", name)
    return Registered(name, "function", name)


def registered(names: Iterable[str]) -> list[Registered]:
    """All of them: hooks by class and in the order of a save, then the rest by name."""
    order = list(_CLASS_HOOKS.values())

    def place(item: Registered) -> tuple[int, str, int, str]:
        rank = order.index(item.label) if item.group == "hook" else 0
        return (GROUPS.index(item.group), item.of or "", rank, item.label)

    return sorted((parse(name) for name in names), key=place)


@dataclass(slots=True)
class Record:
    """How one hook or function has done in the traces that are kept. Times are milliseconds."""

    runs: int = 0
    rejected: int = 0
    failed: int = 0
    times: list[float] = field(default_factory=list)
    last: Span | None = None
    recent: list[tuple[float, Outcome]] = field(default_factory=list)

    @property
    def error_rate(self) -> float | None:
        """The part of the finished runs that was rejected or failed, 0 to 1."""
        return (self.rejected + self.failed) / len(self.times) if self.times else None

    @property
    def median_ms(self) -> float | None:
        return median(self.times) if self.times else None

    @property
    def slowest_ms(self) -> float | None:
        return max(self.times, default=None)


class Records:
    """Counts over the traces that are kept; those that are over are walked once."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._over: dict[int, list[Span]] = {}

    def all(self) -> Mapping[tuple[str, str | None], Record]:
        """Records by ``Registered.key``."""
        over, found = {}, defaultdict[tuple[str, str | None], Record](Record)
        for root in self._log.traces():
            runs = self._over.get(root.id)
            if runs is None:
                steps = list(walk(root))
                runs = [step for step in steps if _key(step) and step.outcome != "skipped"]
                if all(step.ended is not None for step in steps):
                    over[root.id] = runs
            else:
                over[root.id] = runs
            for span in runs:
                _count(found[_key(span) or ("", None)], span)
        for record in found.values():
            record.recent.reverse()
        self._over = over
        return found


def _key(span: Span) -> tuple[str, str | None] | None:
    if span.kind == "hook" and "hook" in span.detail:
        return (str(span.detail["hook"]), span.detail.get("class_name"))
    if span.kind == "function" and "function" in span.detail:
        return (str(span.detail["function"]), None)
    return None


def _count(record: Record, span: Span) -> None:
    record.runs += 1
    if record.last is None or span.began > record.last.began:
        record.last = span
    if span.outcome == "rejected":
        record.rejected += 1
    elif span.outcome in ("failed", "timeout", "loop"):
        record.failed += 1
    if span.ended is not None:
        took = (span.ended - span.began) * 1000
        record.times.append(took)
        if len(record.recent) < LAST_RUNS:
            record.recent.append((took, span.outcome))
