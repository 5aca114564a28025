"""What is remembered of the runs of a scheduled task (engine.md 7.4)."""

from dataclasses import dataclass
from typing import Literal

from lean_emulator.base.clock import iso_text
from lean_emulator.base.jsontext import Json

Why = Literal["due", "retry", "missed", "by hand"]


@dataclass(frozen=True, slots=True)
class Record:
    """One run that is over, as the platform keeps it."""

    unique_id: str
    due_ms: int
    began_ms: int
    finished_ms: int
    why: Why
    status_code: int
    result: Json
    error: str | None = None
    retry_ms: int | None = None
    trace: str | None = None

    def to_json(self) -> dict[str, Json]:
        told: dict[str, Json] = {
            "status": "success" if self.error is None else "failed",
            "uniqueId": self.unique_id,
            "finishedAt": iso_text(self.finished_ms),
            "statusCode": self.status_code,
            "result": self.result,
            "dueAt": iso_text(self.due_ms),
            "lateMs": max(0, self.began_ms - self.due_ms),
            "why": self.why,
            "trace": self.trace,
        }
        if self.error is not None:
            told["error"] = self.error
        if self.retry_ms is not None:
            told["retryAt"] = iso_text(self.retry_ms)
        return told


@dataclass(slots=True)
class Totals:
    """Of all runs since the task was made or lean-emu started."""

    runs: int = 0
    failures: int = 0
    late_ms: int = 0
    """Sum over the runs."""
    latest_ms: int = 0
    """The longest that a run began after it was due."""
    waited: int = 0
    """Runs that fell due while the one before was not over."""
