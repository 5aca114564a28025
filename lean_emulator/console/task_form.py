"""The form of a scheduled task: read it, check it, and say what its cron expression means."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from lean_emulator.base.clock import iso_text
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.jsontext import Json, pretty
from lean_emulator.console.bench import Refusal
from lean_emulator.console.payload import Problem, read_payload
from lean_emulator.model.cron import Cron
from lean_emulator.model.cron_words import in_words
from lean_emulator.model.schedule import When, parse_every
from lean_emulator.model.task import Task, zone_named

NEXT_RUNS = 5
MAX_NAME = 100
KINDS = ("cron", "every")
_TRUE = ("on", "true", "1")


@dataclass(frozen=True, slots=True)
class TaskForm:
    """The fields as they were typed. ``was`` names the task that is edited, empty for a new one;
    ``kind`` says which of ``cron`` and ``every`` counts.
    """

    was: str = ""
    name: str = ""
    function: str = ""
    kind: str = "cron"
    cron: str = ""
    every: str = ""
    zone: str = ""
    payload: str = ""
    on_error: str = "cancel"
    staging: bool = False
    enabled: bool = False

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "TaskForm":
        """From a form's or a query's fields; unknown choices fall back to the first."""
        kind = fields.get("kind") or ("every" if fields.get("every") else "cron")
        return cls(
            was=fields.get("was", ""),
            name=fields.get("name", "").strip(),
            function=fields.get("function", "").strip(),
            kind=kind if kind in KINDS else KINDS[0],
            cron=fields.get("cron", "").strip(),
            every=fields.get("every", "").strip(),
            zone=fields.get("zone", "").strip(),
            payload=fields.get("payload", "").replace("\r\n", "\n"),
            on_error="retry" if fields.get("on_error") == "retry" else "cancel",
            staging=fields.get("staging", "") in _TRUE,
            enabled=fields.get("enabled", "") in _TRUE,
        )

    @classmethod
    def of(cls, task: Mapping[str, Any], *, new: bool = False) -> "TaskForm":
        """A task to be edited, or to be taken as the model of a ``new`` one."""
        return cls(
            was="" if new else task["name"],
            name="" if new else task["name"],
            function=task["function"],
            kind="cron" if "cron" in task else "every",
            cron=task.get("cron", ""),
            every=str(task.get("every", "")),
            zone=task["zone"] or "",
            payload=pretty(task["params"]) if task["params"] else "",
            on_error=task["on_error"],
            staging=task["staging"],
            enabled=task["enabled"],
        )


async def task_of(form: TaskForm) -> Task | Refusal:
    """The task that a form describes, or what is wrong with it and in which field."""
    if not form.name or "/" in form.name or len(form.name) > MAX_NAME:
        return Refusal("name", Problem("tasks.wrong_name"))
    if not form.function:
        return Refusal("function", Problem("tasks.no_function_chosen"))
    for field, check in _CHECKS.items():
        try:
            check(form)
        except ApiError as e:
            return _refused(field, e)
    params = await asyncio.to_thread(read_payload, form.payload)
    if isinstance(params, Problem):
        return Refusal("payload", params)
    if not isinstance(params, dict):
        return Refusal("payload", Problem("tasks.no_object"))
    return Task(
        form.name,
        form.function,
        _when(form),
        zone=form.zone or None,
        params=params,
        on_error="retry" if form.on_error == "retry" else "cancel",
        enabled=form.enabled,
        staging=form.staging,
    )


def _when(form: TaskForm) -> When:
    if form.kind == "cron":
        return Cron.parse(form.cron)
    return parse_every(int(form.every) if form.every.isdecimal() else form.every)


_CHECKS: dict[str, Callable[[TaskForm], object]] = {
    "zone": lambda form: zone_named(form.zone) if form.zone else None,
    "cron": lambda form: _when(form) if form.kind == "cron" else None,
    "every": lambda form: _when(form) if form.kind == "every" else None,
}


def _refused(field: str, error: ApiError) -> Refusal:
    return Refusal(field, Problem("problem.other", found=error.message), error.hint)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an expression means: in words, with its next runs, or why it means nothing."""

    words: Hint | None
    runs: tuple[int, ...]
    """Milliseconds since 1970."""
    zone: tzinfo
    refusal: Refusal | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "words": None if self.words is None else {"en": self.words.en, "zh": self.words.zh},
            "next": [iso_text(ms) for ms in self.runs],
            "zone": str(self.zone),
            "problem": None if self.refusal is None else self.refusal.problem.found,
        }


def preview(cron: str, zone: str, now_ms: int, default: tzinfo) -> Preview:
    """Explain an expression by the clocks of ``zone``, or of ``default`` where none is named."""
    try:
        chosen = zone_named(zone) if zone else default
    except ApiError as e:
        return Preview(None, (), default, _refused("zone", e))
    try:
        read = Cron.parse(cron)
    except ApiError as e:
        return Preview(None, (), chosen, _refused("cron", e))
    return Preview(in_words(read), next_runs(read, now_ms, chosen), chosen)


def next_runs(read: Cron, now_ms: int, zone: tzinfo, count: int = NEXT_RUNS) -> tuple[int, ...]:
    """The first runs after an instant; fewer where there are no more."""
    runs: list[int] = []
    at: datetime | None = datetime.fromtimestamp(now_ms / 1000, UTC)
    while len(runs) < count and at is not None and (at := read.next_after(at, zone)) is not None:
        runs.append(round(at.timestamp() * 1000))
    return tuple(runs)
