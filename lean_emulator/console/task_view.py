"""Scheduled tasks and the queue as rows of a page, in the reader's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import Outcome, Span
from lean_emulator.console.moments import distance, moment, ms_of, span
from lean_emulator.console.phrases import Phrases, took
from lean_emulator.model.cron import Cron
from lean_emulator.model.cron_words import in_words
from lean_emulator.model.task import zone_named
from lean_emulator.service.timed_call import LATE_TEXT

ON_TIME_MS = 50
"""A run that began no later than this was on time."""


@dataclass(frozen=True, slots=True)
class Words:
    """The language, the zone and the time that rows are written for."""

    say: Phrases
    zone: tzinfo
    now_ms: int

    def at(self, iso: object, zone: tzinfo | None = None) -> Markup | None:
        ms = ms_of(iso)
        return None if ms is None else moment(self.say, ms, zone or self.zone, self.now_ms)

    def away(self, iso: object) -> Markup | None:
        ms = ms_of(iso)
        return None if ms is None else distance(self.say, ms, self.now_ms)


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run that is over."""

    due: Markup | None
    at: Markup | None
    outcome: Outcome
    status: int
    why: Markup
    late: str
    said: Json
    """The result, or the error's text."""
    retry: Markup | None
    trace: str | None

    @property
    def ended(self) -> dict[str, Any]:
        """Kind, outcome and status, as a summary has them."""
        return {"kind": "task", "outcome": self.outcome, "status": self.status or None}


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task; ``next`` is ``None`` when no run is planned, ``missing`` when it has no function."""

    name: str
    function: str
    missing: bool
    of_file: bool
    when: Markup
    words: Markup
    zone: str
    own_zone: bool
    next: Markup | None
    next_in: Markup | None
    last: RunRow | None
    running: bool
    enabled: bool
    off_because: str | None
    runs: int
    failures: int
    waited: int
    on_time: bool
    average_late: str
    most_late: str
    params: Json
    on_error: str
    staging: bool


def task_row(told: Mapping[str, Any], words: Words, mask: Mask) -> TaskRow:
    """From what the service tells of a task."""
    zone = words.zone if told["zone"] is None else zone_named(told["zone"])
    text, meaning = _when(told, words.say)
    return TaskRow(
        name=told["name"],
        function=told["function"],
        missing=told["missing"],
        of_file=told["origin"] == "file",
        when=text,
        words=meaning,
        zone=str(zone),
        own_zone=told["zone"] is not None,
        next=words.at(told["next"], zone),
        next_in=words.away(told["next"]),
        last=None if told["last"] is None else run_row(told["last"], words, mask),
        running=told["running"],
        enabled=told["enabled"],
        off_because=told["offBecause"],
        runs=told["runs"],
        failures=told["failures"],
        waited=told["waited"],
        on_time=told["averageLateMs"] <= ON_TIME_MS,
        average_late=took(told["averageLateMs"]),
        most_late=took(told["mostLateMs"]),
        params=mask.json(told["params"]),
        on_error=told["on_error"],
        staging=told["staging"],
    )


def run_row(record: Mapping[str, Any], words: Words, mask: Mask) -> RunRow:
    error = record.get("error")
    outcome: Outcome = "ok" if error is None else "timeout" if error == LATE_TEXT else "failed"
    return RunRow(
        due=words.at(record["dueAt"]),
        at=words.at(record["finishedAt"]),
        outcome=outcome,
        status=record["statusCode"],
        why=words.say("why." + record["why"].replace(" ", "_")),
        late=took(record["lateMs"]),
        said=mask.json(record["result"] if error is None else error),
        retry=words.at(record.get("retryAt")),
        trace=record["trace"],
    )


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A task of the queue; ``state`` names a phrase, ``outcome`` its icon and colour."""

    unique_id: str
    function: str
    state: str
    outcome: Outcome | None
    tried: int
    attempts: int
    due: Markup | None
    due_in: Markup | None
    said: Json
    trace: str | None
    droppable: bool


def queue_row(told: Mapping[str, Any], words: Words, mask: Mask) -> QueueRow:
    """From what the service tells of a queued task."""
    state, outcome = _queue_state(told)
    waits = state in ("queued", "retries")
    return QueueRow(
        unique_id=told["uniqueId"],
        function=told["function"],
        state=state,
        outcome=outcome,
        tried=told["tried"],
        attempts=told["attempts"],
        due=words.at(told["dueAt"] if waits else told.get("finishedAt")),
        due_in=words.away(told["dueAt"] if waits else told.get("finishedAt")),
        said=mask.json(told.get("error") or told.get("result")),
        trace=told["trace"],
        droppable=not told["running"],
    )


def _queue_state(told: Mapping[str, Any]) -> tuple[str, Outcome | None]:
    if told["running"]:
        return "running", "running"
    if told["status"] == "queued":
        return ("retries", "failed") if told.get("error") else ("queued", None)
    return ("success", "ok") if told["status"] == "success" else ("failed", "failed")


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that left a trace, of a task or of the queue."""

    trace: str
    title: str
    outcome: Outcome
    status: int | None
    cause: Markup
    note: str
    took: str
    at: Markup

    @property
    def ended(self) -> dict[str, Any]:
        """Kind, outcome and status, as a summary has them."""
        return {"kind": "task", "outcome": self.outcome, "status": self.status or None}


def past_runs(traces: Sequence[Span], words: Words, mask: Mask, most: int) -> list[PastRun]:
    """The newest ``most`` runs among traces."""
    runs = [span for span in traces if span.kind == "task"][:most]
    return [_past_run(run, words, mask) for run in runs]


def _past_run(run: Span, words: Words, mask: Mask) -> PastRun:
    detail = run.detail
    ended = run.answered if run.answered is not None else run.ended
    error = detail.get("error")
    note = error.get("message", "") if isinstance(error, Mapping) else ""
    return PastRun(
        trace=run.name,
        title=mask.text(str(detail.get("task") or detail.get("function") or run.title)),
        outcome=run.outcome,
        status=run.status,
        cause=_cause(detail, words.say),
        note=mask.text(str(note)),
        took=took(None if ended is None else (ended - run.began) * 1000),
        at=moment(words.say, run.at_ms, words.zone, words.now_ms),
    )


def _cause(detail: Mapping[str, Any], say: Phrases) -> Markup:
    """Why it ran, and how late: ``on time``, ``by hand``, ``from the queue, attempt 2``."""
    if detail.get("cause") == "queue":
        return say("ran.queue", n=detail.get("attempt", 1))
    why, late = str(detail.get("why", "due")), detail.get("late_ms", 0)
    if why != "due":
        return say("why." + why.replace(" ", "_"))
    return say("ran.on_time") if late <= ON_TIME_MS else say("ran.late", late=took(late))


def _when(told: Mapping[str, Any], say: Phrases) -> tuple[Markup, Markup]:
    if "cron" in told:
        return Markup("{}").format(told["cron"]), Markup("{}").format(
            say.of(_meaning(told["cron"]))
        )
    seconds = told["every"]
    return say("tasks.every_s", n=seconds), say("tasks.every_span", span=span(say, seconds * 1000))


@lru_cache(maxsize=512)
def _meaning(cron: str) -> Hint:
    return in_words(Cron.parse(cron))
