"""Calling a hook that belongs to no write: span, proof, time, and the call's place in its chain."""

from collections.abc import Mapping
from typing import Any

from lean_emulator.base import errors, jsontext
from lean_emulator.base.clock import Clock
from lean_emulator.base.errors import ApiError
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.signing import hook_mark
from lean_emulator.base.trace import EventLog, Outcome, Span
from lean_emulator.model.special_hooks import SpecialHook
from lean_emulator.service.call import Call, cycle_of, hook_loop
from lean_emulator.service.engine import (
    Answer,
    Credentials,
    Engine,
    SaidByCode,
    hook_headers,
    refusal,
)
from lean_emulator.service.file_columns import FileColumns
from lean_emulator.service.hook_event import describe
from lean_emulator.service.warnings import WARNINGS


class HookSender:
    """Sends one hook and records it. ``depth`` is how many calls may be inside each other."""

    def __init__(
        self,
        engine: Engine,
        keys: Credentials,
        log: EventLog,
        ids: Ids,
        clock: Clock,
        depth: int,
        files: FileColumns,
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._log = log
        self._ids = ids
        self._clock = clock
        self._depth = depth
        self._files = files

    def registered(self, call: Call, hook: SpecialHook) -> bool:
        """Whether the running code has it."""
        return hook.metadata_name in self._engine.of(call.prod).names

    async def until_known(self, call: Call) -> None:
        """Wait until it is known which hooks the code has.

        Raises ``TimedOut``, and ``CodeDidNotLoad`` for code that never did: it may have the hook.
        """
        engine = self._engine.of(call.prod)
        if not engine.settled:
            await engine.until_settled(call.deadline)
        failure = engine.failure
        if engine.state == "broken" and not engine.ever_ready and failure is not None:
            raise errors.CODE_DID_NOT_LOAD(
                f"the cloud code did not load: {failure.last_line}", hint=failure.hint
            )

    def begin(
        self, call: Call, hook: SpecialHook, payload: Mapping[str, Json], limit: float
    ) -> Span:
        """The span of the call, with what the trace shows of it."""
        detail: dict[str, Any] = {
            "hook": hook.word,
            "class_name": hook.of,
            "user": call.principal.user,
            "identity": call.principal.kind,
            "limit": limit,
            "left": min(limit, call.deadline.remaining()),
            "warnings": WARNINGS,
        }
        shown = payload.get("object")
        if isinstance(shown, Mapping):
            detail |= {"before": shown, "object_id": shown.get("objectId")}
        else:
            detail["params"] = dict(payload)
        where = self._engine.of(call.prod).where.get(hook.metadata_name)
        if where is not None:
            detail["where"] = where
        return self._log.begin("hook", hook.title, call.span, **detail)

    async def send(
        self, call: Call, hook: SpecialHook, payload: Mapping[str, Json], limit: float, span: Span
    ) -> Answer:
        """The engine's answer, whatever its status; the span is ended unless this raises.

        Raises ``TimedOut``, ``HookLoop``, ``CodeDidNotLoad`` or ``EngineGone``.
        """
        if len(call.chain) >= self._depth:
            loop = hook_loop((*call.chain, hook.title))
            span.detail["cycle"] = [*cycle_of((*call.chain, hook.title))]
            _mark_loop(span, loop)
            raise loop
        inside = call.inside(hook.title, span, limit)
        engine = self._engine.of(call.prod)
        payload = await self._with_files(payload)
        if engine.needs_marks:
            mark = hook_mark(self._keys.master_key, hook.metadata_name, self._clock.now_ms())
            payload = hook.signed(payload, mark)
        call_id = self._ids.call_id()
        ledger = engine.ledger
        ledger.open(call_id, inside, span)
        try:
            answer = await engine.call(
                "POST",
                hook.path,
                hook_headers(self._keys, call),
                jsontext.dumps(dict(payload)),
                deadline=inside.deadline,
                call_id=call_id,
            )
        finally:
            ledger.close(call_id)
        self._close(span, answer)
        return answer

    def fail(self, span: Span, e: ApiError) -> None:
        """End the span of a call that got no answer."""
        span.detail["error"] = describe(e)
        outcome: Outcome = "failed"
        if isinstance(e, errors.TimedOut):
            outcome = "timeout"
        elif isinstance(e, errors.HookLoop):
            outcome = "loop"
        self._log.end(span, outcome, e.status)

    async def _with_files(self, payload: Mapping[str, Json]) -> Mapping[str, Json]:
        """The payload as the code sees it; an SDK cannot read a file that is a mere reference."""
        user = payload.get("object")
        if not isinstance(user, dict):
            return payload
        return {**payload, "object": await self._files.for_code("_User", user)}

    def _close(self, span: Span, answer: Answer) -> None:
        span.detail["answer"] = SaidByCode(answer)
        if answer.status < 300:
            self._log.end(span, "ok", answer.status)
            return
        loop = span.detail.get("loop")
        if isinstance(loop, errors.HookLoop):
            span.detail["error"] = describe(loop)
            self._log.end(span, "loop", answer.status)
            return
        # Python turns any exception into 500; a refusal on purpose is a 4xx.
        outcome: Outcome = "failed" if answer.status >= 500 else "rejected"
        span.detail["error"] = describe(ApiError(142, refusal(answer), answer.status))
        self._log.end(span, outcome, answer.status)


def _mark_loop(span: Span, loop: errors.HookLoop) -> None:
    """Tell the hooks above why they will fail, so that the client is told too."""
    above: Span | None = span
    while above is not None:
        above.detail["loop"] = loop
        above = above.parent
