"""A task of the cloud queue: a function to be called later, at least or at most once.

Source: engine.md 7.5; leanengine-node-sdk ``lib/cloud.js`` (``enqueue``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json

State: TypeAlias = Literal["queued", "running", "success", "failed"]

MAX_ID = 36
"""Characters of a unique id: the platform allows 32 to people and makes ids of 36 itself."""
MAX_TIMEOUT_MS = 15_000
DEFAULT_BACKOFF_MS = 60_000
DEFAULT_KEEP_MS = 300_000
MAX_MS = 366 * 86_400_000
_OPTIONS = frozenset(
    {
        "function", "params", "prod", "attempts", "backoff", "delay", "deliveryMode", "keepResult",
        "notify", "priority", "retryTimeout", "timeout", "uniqueId",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class QueuedTask:
    """What somebody asked for, and how far it is. Instants are milliseconds since 1970."""

    unique_id: str
    function: str
    params: Json
    prod: bool
    attempts: int
    backoff_ms: int
    at_least_once: bool
    keep_ms: int
    priority: float
    """Lower goes first; without one it is the time it was put in."""
    retry_timeout: bool
    timeout_ms: int
    due_ms: int
    state: State = "queued"
    tried: int = 0
    finished_ms: int | None = None
    status_code: int | None = None
    result: Json = None
    error: str | None = None
    trace: str | None = None

    @property
    def finished(self) -> bool:
        return self.finished_ms is not None

    @property
    def wants_retry_when_lost(self) -> bool:
        """Whether a call that was never answered is made again; once if nothing else was said."""
        return self.at_least_once and self.tried < max(2, self.attempts)


def read_queued(body: Mapping[str, Json], unique_id: str, now_ms: int) -> QueuedTask:
    """A task from the body of a request; ``unique_id`` is what it is called unless it says.

    Raises code 1 for a member that cannot be read or is not known.
    """
    unknown = sorted(body.keys() - _OPTIONS)
    if unknown:
        raise _wrong(unknown[0], f"is no option; options are {', '.join(sorted(_OPTIONS))}")
    function = body.get("function")
    if not isinstance(function, str) or not function:
        raise _wrong("function", f"wants the name of a cloud function, got {function!r}")
    chosen = body.get("uniqueId")
    if chosen is not None and not (isinstance(chosen, str) and 0 < len(chosen) <= MAX_ID):
        raise _wrong("uniqueId", f"wants a text of 1 to 32 characters, got {chosen!r}")
    mode = body.get("deliveryMode", "atLeastOnce")
    if mode not in ("atLeastOnce", "atMostOnce"):
        raise _wrong("deliveryMode", f"is 'atLeastOnce' or 'atMostOnce', got {mode!r}")
    priority = body.get("priority")
    if isinstance(priority, bool) or not isinstance(priority, int | float | None):
        raise _wrong("priority", f"wants a number, got {priority!r}")
    return QueuedTask(
        chosen or unique_id,
        function,
        body.get("params"),
        body.get("prod") not in (0, "0", False),
        attempts=_whole(body, "attempts", 1, 1, 1_000),
        backoff_ms=_whole(body, "backoff", DEFAULT_BACKOFF_MS, 0, MAX_MS),
        at_least_once=mode == "atLeastOnce",
        keep_ms=_whole(body, "keepResult", DEFAULT_KEEP_MS, 0, MAX_MS),
        priority=now_ms if priority is None else priority,
        retry_timeout=bool(body.get("retryTimeout")),
        timeout_ms=_whole(body, "timeout", MAX_TIMEOUT_MS, 1, MAX_MS),
        due_ms=now_ms + _whole(body, "delay", 0, 0, MAX_MS),
    )


def _whole(body: Mapping[str, Json], name: str, default: int, least: int, most: int) -> int:
    value: Any = body.get(name)
    if value is None:
        return default
    whole = isinstance(value, float) and value.is_integer()
    if isinstance(value, bool) or not (isinstance(value, int) or whole):
        raise _wrong(name, f"wants a whole number, got {value!r}")
    if not least <= value <= most:
        raise _wrong(name, f"wants a number from {least} to {most}, got {value!r}")
    return int(value)


def _wrong(name: str, text: str) -> ApiError:
    return errors.INVALID_REQUEST(f"'{name}' of a queued task {text}.")
