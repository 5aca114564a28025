"""A cloud function called by the emulator itself, for a timer or out of the queue (engine.md 7)."""

from dataclasses import dataclass, replace
from typing import Any

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog, Outcome
from lean_emulator.model.access import MASTER
from lean_emulator.service.call import Call
from lean_emulator.service.functions import Functions
from lean_emulator.service.hook_event import describe

LATE_TEXT = "timerAction timed-out and no fallback available."
"""What the platform logs of a run that took too long (engine.md 7.4)."""

_CALLER = replace(MASTER, from_engine=True)


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a call; ``error`` is ``None`` when it succeeded.

    ``lost`` calls were never answered: too late, or the process was gone.
    """

    status: int
    body: Json
    error: str | None
    lost: bool
    trace: str

    @property
    def succeeded(self) -> bool:
        return self.error is None


class TimedCalls:
    """Calls functions with the master's rights and without a session, each a trace of its own."""

    def __init__(
        self, functions: Functions, log: EventLog, clock: Clock, *, seconds: float
    ) -> None:
        self._functions = functions
        self._log = log
        self._clock = clock
        self._seconds = seconds

    async def run(
        self,
        function: str,
        params: Json,
        *,
        title: str,
        prod: bool = True,
        seconds: float | None = None,
        **detail: Any,
    ) -> Came:
        """Call ``function``; its failure is a result. ``detail`` is shown in the trace."""
        budget = self._seconds if seconds is None else min(seconds, self._seconds)
        span = self._log.begin("task", title, None, function=function, params=params, **detail)
        call = Call(_CALLER, Deadline.after(self._clock, budget), span, prod=prod)
        try:
            said = await self._functions.run(call, function, params)
        except ApiError as e:
            late = isinstance(e, errors.TimedOut)
            lost = late or isinstance(e, errors.EngineGone)
            span.detail["error"] = describe(e)
            self._log.end(span, "timeout" if late else "failed", e.status)
            text = LATE_TEXT if late else e.message
            return Came(e.status, e.to_wire(), text, lost, span.root.name)
        except BaseException:
            self._log.end(span, "failed")
            raise
        error = None if said.status < 300 else _text_of(said.body, said.status)
        if error is not None:
            span.detail["error"] = {"message": error}
        outcome: Outcome = "ok" if error is None else "failed"
        self._log.end(span, outcome, said.status)
        return Came(said.status, said.body, error, said.status == 502, span.root.name)


def _text_of(body: Json, status: int) -> str:
    text = body.get("error") if isinstance(body, dict) else None
    return str(text) if text else f"HTTP {status}"
