"""Class hooks around a write: when they run, what they may do, what is recorded (engine.md 4)."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

from lean_emulator.base import errors, jsontext
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog, Outcome, Span
from lean_emulator.model.document import AUTOMATIC, only, without
from lean_emulator.model.hooknames import MARKS, NEVER_HOOKED, HookKind
from lean_emulator.model.operations import Relate, parse_operation
from lean_emulator.model.values import MISSING, normalise, type_of
from lean_emulator.service.call import Call, cycle_of, hook_loop
from lean_emulator.service.engine import (
    Answer,
    Credentials,
    Engine,
    hook_headers,
    read_json,
    refusal,
    shown_answer,
    user_for_engine,
)

HIDDEN = frozenset({"password", "salt"})
"""Members of a user that the engine never sees (engine.md 2.7)."""
_KEPT = HIDDEN | {"sessionToken"}


@dataclass(frozen=True, slots=True)
class HookLimits:
    """Budgets in seconds, and how many calls may be inside each other."""

    before: float = 10.0
    after: float = 3.0
    depth: int = 8


class Hooks:
    """Fires the hooks that the running code registers."""

    def __init__(
        self,
        engine: Engine,
        keys: Credentials,
        log: EventLog,
        ids: Ids,
        clock: Clock,
        limits: HookLimits,
        *,
        await_after: bool = False,
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._log = log
        self._ids = ids
        self._clock = clock
        self._limits = limits
        self._await_after = await_after
        self._running: set[asyncio.Task[None]] = set()

    async def before(
        self,
        call: Call,
        kind: HookKind,
        class_name: str,
        document: dict[str, Json],
        updated_keys: Sequence[str] = (),
    ) -> dict[str, Json]:
        """Run a before hook; returns the document to go on with.

        That is the hook's own version for beforeSave and the given one otherwise. Raises
        ``HookRejected`` (142), ``HookLoop`` (431) or code 141 when the hook takes too long.
        """
        if not self._engine.settled:
            await self._engine.until_settled(call.deadline)
        self._refuse_unloaded(kind, class_name)
        if not self._fires(call, kind, class_name):
            return document
        span = self.begin(call, kind, class_name, document, updated_keys)
        try:
            answer = await self._send(call, kind, class_name, document, updated_keys, span)
        except ApiError as e:
            raise self._stopped(e, kind, class_name, span) from e
        if answer.status >= 300:
            raise self._rejected(answer, span)
        if kind is not HookKind.BEFORE_SAVE:
            span.detail["answer"] = shown_answer(answer)
            self._log.end(span, "ok", answer.status)
            return document
        return self._replaced(answer, class_name, document, span)

    async def after(
        self,
        call: Call,
        kind: HookKind,
        class_name: str,
        document: dict[str, Json],
        updated_keys: Sequence[str] = (),
    ) -> None:
        """Start an after hook; its failure is recorded and never reaches the client."""
        if not self._fires(call, kind, class_name):
            return
        work = self._run_after(call, kind, class_name, document, updated_keys)
        if self._await_after:
            await work
        else:
            self._spawn(work)

    async def alone(
        self,
        call: Call,
        kind: HookKind,
        class_name: str,
        document: dict[str, Json],
        updated_keys: Sequence[str] = (),
        span: Span | None = None,
    ) -> Answer:
        """Call one hook whatever is registered and give its answer as it is; nothing is stored.

        ``span`` is one that ``begin`` made, for a caller who wants to know it.
        """
        span = span or self.begin(call, kind, class_name, document, updated_keys)
        try:
            answer = await self._send(call, kind, class_name, document, updated_keys, span)
        except ApiError as e:
            self._fail(span, e, "timeout" if isinstance(e, errors.TimedOut) else "failed")
            raise
        span.detail["answer"] = shown_answer(answer)
        if answer.status >= 300:
            self._rejected(answer, span)
        elif kind in (HookKind.BEFORE_SAVE, HookKind.BEFORE_UPDATE):
            self._replaced(answer, class_name, document, span)
        else:
            self._log.end(span, "ok", answer.status)
        return answer

    async def settle(self) -> None:
        """Wait until no after hook runs, those included that others start meanwhile."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def close(self) -> None:
        """Give up on after hooks that still run."""
        for task in set(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def running(self) -> int:
        """After hooks that have not ended."""
        return len(self._running)

    def _refuse_unloaded(self, kind: HookKind, class_name: str) -> None:
        """Code that never loaded may have had a hook here: a write must not slip past it."""
        if self._engine.state == "broken" and not self._engine.ever_ready:
            failure = self._engine.failure
            if failure is not None:
                raise rejection(f"the cloud code did not load: {failure.last_line}", failure.hint)

    def _fires(self, call: Call, kind: HookKind, class_name: str) -> bool:
        if kind.metadata_name(class_name) not in self._engine.names:
            return False
        if class_name in NEVER_HOOKED:
            self._skip(call, kind, class_name, "excluded", f"{class_name} never fires hooks", "")
            return False
        if kind in call.ignored:
            self._skip(
                call,
                kind,
                class_name,
                "ignored",
                "switched off by the SDK: the object was handed to a hook, or asked to ignore it",
                "被 SDK 关闭:该对象来自 hook,或请求要求忽略此 hook",
            )
            return False
        return True

    def _skip(
        self, call: Call, kind: HookKind, class_name: str, reason: str, en: str, zh: str
    ) -> None:
        self._log.skip(
            "hook",
            f"{kind.word} {class_name}",
            call.span,
            hook=kind.word,
            class_name=class_name,
            why={"reason": reason, "en": en, "zh": zh or en},
        )

    def begin(
        self,
        call: Call,
        kind: HookKind,
        class_name: str,
        document: dict[str, Json],
        updated_keys: Sequence[str],
    ) -> Span:
        """The span of a hook call, with what the trace shows of it."""
        limit = self._limits.before if kind.is_before else self._limits.after
        detail: dict[str, Any] = {
            "hook": kind.word,
            "class_name": class_name,
            "object_id": document.get("objectId"),
            "before": document,
            "user": call.principal.user,
            "identity": call.principal.kind,
            "limit": limit,
            "left": min(limit, call.deadline.remaining()),
        }
        if updated_keys:
            detail["updated_keys"] = [*updated_keys]
        where = self._engine.where.get(kind.metadata_name(class_name))
        if where is not None:
            detail["where"] = where
        return self._log.begin("hook", f"{kind.word} {class_name}", call.span, **detail)

    async def _send(
        self,
        call: Call,
        kind: HookKind,
        class_name: str,
        document: dict[str, Json],
        updated_keys: Sequence[str],
        span: Span,
    ) -> Answer:
        step = f"{kind.word} {class_name}"
        if len(call.chain) >= self._limits.depth:
            loop = hook_loop((*call.chain, step))
            span.detail["cycle"] = [*cycle_of((*call.chain, step))]
            _mark_loop(span, loop)
            raise loop
        limit = self._limits.before if kind.is_before else self._limits.after
        inside = call.inside(step, span, limit)
        call_id = self._ids.call_id()
        ledger = self._engine.ledger
        ledger.open(call_id, inside, span)
        try:
            return await self._engine.call(
                "POST",
                kind.path(class_name),
                hook_headers(self._keys, call),
                self._body(call, class_name, document, updated_keys),
                deadline=inside.deadline,
                call_id=call_id,
            )
        finally:
            ledger.close(call_id)

    def _body(
        self,
        call: Call,
        class_name: str,
        document: dict[str, Json],
        updated_keys: Sequence[str],
    ) -> bytes:
        shown = without(document, HIDDEN) if class_name == "_User" else document
        if updated_keys:
            shown = {**shown, "_updatedKeys": [*updated_keys]}
        return jsontext.dumps({"object": shown, "user": user_for_engine(call.principal)})

    def _replaced(
        self, answer: Answer, class_name: str, document: dict[str, Json], span: Span
    ) -> dict[str, Json]:
        """The hook's version of the object; ends the span, also when that cannot be read."""
        try:
            replaced = replacement(answer, class_name, document)
        except ApiError as e:
            span.detail["answer"] = shown_answer(answer)
            self._fail(span, e, "failed", answer.status)
            raise
        span.detail["after"] = replaced
        self._log.end(span, "ok", answer.status)
        return replaced

    def _stopped(self, e: ApiError, kind: HookKind, class_name: str, span: Span) -> ApiError:
        """What a client gets when a before hook gave no answer (engine.md 4.6)."""
        if isinstance(e, errors.HookLoop):
            self._fail(span, e, "loop")
            return e
        if isinstance(e, errors.TimedOut):
            late = errors.ENGINE_TIMEOUT(
                f"LeanEngine request timeout. className: {class_name}, hook: {kind.word}",
                hint=e.hint,
            )
            self._fail(span, late, "timeout")
            return late
        self._fail(span, e, "failed")
        return rejection(e.message, e.hint)

    def _rejected(self, answer: Answer, span: Span) -> ApiError:
        loop = span.detail.get("loop")
        if isinstance(loop, errors.HookLoop):
            self._fail(span, loop, "loop", answer.status)
            return loop
        said = rejection(refusal(answer))
        # Python turns any exception into this text and 500; a refusal on purpose is a 4xx.
        outcome: Outcome = "failed" if answer.status >= 500 else "rejected"
        error = errors.ApiError(said.code, refusal(answer), answer.status)
        self._fail(span, error, outcome, answer.status)
        return said

    def _fail(self, span: Span, e: ApiError, outcome: Outcome, status: int | None = None) -> None:
        span.detail["error"] = describe(e)
        self._log.end(span, outcome, status or e.status)

    async def _run_after(
        self,
        call: Call,
        kind: HookKind,
        class_name: str,
        document: dict[str, Json],
        updated_keys: Sequence[str],
    ) -> None:
        span = self.begin(call, kind, class_name, document, updated_keys)
        own = call if call.chain else _with_own_time(call, self._clock)
        try:
            answer = await self._send(own, kind, class_name, document, updated_keys, span)
        except ApiError as e:
            self._stopped(e, kind, class_name, span)
            return
        except asyncio.CancelledError:
            self._log.end(span, "failed")
            raise
        if answer.status >= 300:
            self._rejected(answer, span)
        else:
            self._log.end(span, "ok", answer.status)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)


def replacement(answer: Answer, class_name: str, document: dict[str, Json]) -> dict[str, Json]:
    """The document a beforeSave wants stored (engine.md 4.2).

    The whole answer, without marks and automatic fields, its operations applied but for those on
    relations, which belong to the write; the hook never saw a user's password,
    so that is kept. An answer that is no document leaves the given one. Raises what a write with
    such values raises.
    """
    value = read_json(answer)
    if not isinstance(value, dict) or value == {"result": "ok"}:
        return document
    if value.keys() <= {"object", "user"} and isinstance(value.get("object"), dict):
        value = value["object"]
    if not isinstance(value, dict) or not value:
        return document
    fields: dict[str, Json] = {}
    for name, raw in without(value, MARKS | AUTOMATIC | {"__type", "className"}).items():
        if isinstance(raw, dict) and "__op" in raw:
            operation = parse_operation(name, raw)
            applied = operation.apply(MISSING)
            if isinstance(operation, Relate):
                fields[name] = raw
            elif applied is not MISSING:
                fields[name] = applied  # type: ignore[assignment]  # Missing is ruled out above
        elif type_of(raw) != "Relation":
            fields[name] = normalise(raw)
    if class_name == "_User":
        fields |= only(document, _KEPT)
    return fields


def rejection(message: str, hint: errors.Hint | None = None) -> errors.HookRejected:
    """The refusal with the platform's exact prefix, blank before the colon (engine.md 4.6)."""
    return errors.HOOK_REJECTED(
        f"Cloud Code validation failed. Error detail : {message}", hint=hint
    )


def describe(e: ApiError) -> dict[str, Json]:
    """An error as a span keeps it."""
    said: dict[str, Json] = {"code": e.code, "message": e.message}
    if e.hint is not None:
        said["hint"] = {"en": e.hint.en, "zh": e.hint.zh}
    return said


def _mark_loop(span: Span, loop: errors.HookLoop) -> None:
    """Tell the hooks above why they will fail, so that the client is told too."""
    above: Span | None = span
    while above is not None:
        above.detail["loop"] = loop
        above = above.parent


def _with_own_time(call: Call, clock: Clock) -> Call:
    """After hooks of a client's own write have nothing to share their budget with."""
    return call.with_deadline(Deadline.never(clock))
