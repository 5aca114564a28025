"""Class hooks around a write: when they run, what they may do, what is recorded (engine.md 4)."""

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog, Outcome, Span
from lean_emulator.model.access import Principal
from lean_emulator.model.hooknames import BY_WORD, NEVER_HOOKED, HookKind
from lean_emulator.service import fate_texts, fates
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
from lean_emulator.service.hook_event import HookEvent, describe, rejection, replacement
from lean_emulator.service.warnings import WARNINGS

AT_ONCE = 64
"""After hooks that run at the same time; more wait for their turn, so that hooks which breed do
not take the machine from everybody else."""


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
        files: FileColumns,
        *,
        await_after: bool = False,
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._log = log
        self._ids = ids
        self._clock = clock
        self._limits = limits
        self._files = files
        self._await_after = await_after
        self._running: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def before(self, call: Call, event: HookEvent) -> dict[str, Json]:
        """Run a before hook; returns the document to go on with.

        That is the hook's own version for beforeSave and the given one otherwise. Raises
        ``HookRejected`` (142), ``HookLoop`` (431) or code 141 when the hook takes too long.
        """
        engine = self._engine.of(call.prod)
        if not engine.settled:
            await engine.until_settled(call.deadline)
        names = engine.names
        if call.span is not None:
            fates.note(call.span, event, names, call.wish, engine.failure)
        _refuse_unloaded(engine)
        if not self._fires(call, event, names):
            return event.document
        span = self.begin(call, event)
        try:
            answer = await self._send(call, event, span)
        except ApiError as e:
            raise self._stopped(e, event, span) from e
        if answer.status >= 300:
            raise self._rejected(answer, span)
        if event.kind is not HookKind.BEFORE_SAVE:
            span.detail["answer"] = SaidByCode(answer)
            self._log.end(span, "ok", answer.status)
            return event.document
        return self._replaced(answer, event, span)

    async def after(self, call: Call, event: HookEvent) -> None:
        """Start an after hook; its failure is recorded and never reaches the client."""
        if not self._fires(call, event, self._engine.of(call.prod).names):
            return
        work = self._run_after(call, event)
        if self._await_after:
            await work
        else:
            self._spawn(self._in_turn(work))

    async def alone(self, call: Call, event: HookEvent, span: Span | None = None) -> Answer:
        """Call one hook whatever is registered and give its answer as it is; nothing is stored.

        ``span`` is one that ``begin`` made, for a caller who wants to know it.
        """
        span = span or self.begin(call, event)
        try:
            answer = await self._send(call, event, span)
        except ApiError as e:
            self._fail(span, e, "timeout" if isinstance(e, errors.TimedOut) else "failed")
            raise
        span.detail["answer"] = SaidByCode(answer)
        if answer.status >= 300:
            self._rejected(answer, span)
        elif event.kind in (HookKind.BEFORE_SAVE, HookKind.BEFORE_UPDATE):
            self._replaced(answer, event, span)
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

    def _fires(self, call: Call, event: HookEvent, names: frozenset[str]) -> bool:
        if event.name not in names:
            return False
        if event.class_name in NEVER_HOOKED:
            self._skip(call, event, "excluded", fate_texts.excluded(event.class_name))
            return False
        if event.kind in call.ignored:
            handed = _handed_by(call, event)
            said = fate_texts.ignored(event.kind, call.wish, call.span, handed)
            self._skip(call, event, "ignored", said)
            return False
        return True

    def _skip(self, call: Call, event: HookEvent, reason: str, said: errors.Hint) -> None:
        self._log.skip(
            "hook",
            event.title,
            call.span,
            hook=event.kind.word,
            class_name=event.class_name,
            object_id=event.document.get("objectId"),
            why={"reason": reason, "en": said.en, "zh": said.zh},
        )

    def begin(self, call: Call, event: HookEvent) -> Span:
        """The span of a hook call, with what the trace shows of it."""
        limit = self._limits.before if event.kind.is_before else self._limits.after
        detail: dict[str, Any] = {
            "hook": event.kind.word,
            "class_name": event.class_name,
            "object_id": event.document.get("objectId"),
            "before": event.document,
            "user": call.principal.user,
            "identity": call.principal.kind,
            "limit": limit,
            "left": min(limit, call.deadline.remaining()),
            "warnings": WARNINGS,
        }
        if event.updated_keys:
            detail["updated_keys"] = [*event.updated_keys]
        where = self._engine.of(call.prod).where.get(event.name)
        if where is not None:
            detail["where"] = where
        return self._log.begin("hook", event.title, call.span, **detail)

    async def _send(self, call: Call, event: HookEvent, span: Span) -> Answer:
        step = event.title
        if len(call.chain) >= self._limits.depth:
            loop = hook_loop((*call.chain, step))
            span.detail["cycle"] = [*cycle_of((*call.chain, step))]
            _mark_loop(span, loop)
            raise loop
        limit = self._limits.before if event.kind.is_before else self._limits.after
        inside = call.inside(step, span, limit)
        marks: dict[str, Json] = {}
        engine = self._engine.of(call.prod)
        if engine.needs_marks:
            marks = event.mark(self._keys.master_key, self._clock.now_ms())
        call_id = self._ids.call_id()
        ledger = engine.ledger
        ledger.open(call_id, inside, span)
        try:
            return await engine.call(
                "POST",
                event.path,
                hook_headers(self._keys, call),
                await self._body(event, call.principal, marks),
                deadline=inside.deadline,
                call_id=call_id,
            )
        finally:
            ledger.close(call_id)

    async def _body(self, event: HookEvent, principal: Principal, marks: dict[str, Json]) -> bytes:
        """What the code is sent; an SDK cannot read a file that is a mere reference."""
        shown = await self._files.for_code(event.class_name, event.document)
        if shown is not event.document:
            event = replace(event, document=shown)
        if principal.user is not None:
            user = await self._files.for_code("_User", dict(principal.user))
            principal = replace(principal, user=user)
        return event.body(principal, marks)

    def _replaced(self, answer: Answer, event: HookEvent, span: Span) -> dict[str, Json]:
        """The hook's version of the object; ends the span, also when that cannot be read."""
        try:
            replaced = replacement(answer, event.class_name, event.document)
        except ApiError as e:
            span.detail["answer"] = SaidByCode(answer)
            self._fail(span, e, "failed", answer.status)
            raise
        if replaced is event.document:
            span.detail["answer"] = SaidByCode(answer)
        span.detail["after"] = replaced
        self._log.end(span, "ok", answer.status)
        return replaced

    def _stopped(self, e: ApiError, event: HookEvent, span: Span) -> ApiError:
        """What a client gets when a before hook gave no answer (engine.md 4.6)."""
        if isinstance(e, errors.HookLoop):
            self._fail(span, e, "loop")
            return e
        if isinstance(e, errors.TimedOut):
            late = errors.ENGINE_TIMEOUT(
                f"LeanEngine request timeout. "
                f"className: {event.class_name}, hook: {event.kind.word}",
                hint=e.hint,
            )
            self._fail(span, late, "timeout")
            return late
        if isinstance(e, errors.CodeDidNotLoad):
            span.detail["unloaded"] = True
        self._fail(span, e, "failed")
        return rejection(e.message, e.hint)

    def _rejected(self, answer: Answer, span: Span) -> ApiError:
        span.detail["answer"] = SaidByCode(answer)
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

    async def _in_turn(self, work: Coroutine[Any, Any, None]) -> None:
        """Nobody waits for this, so whoever holds a turn never waits for another one."""
        try:
            await self._turns.acquire()
        except asyncio.CancelledError:
            work.close()
            raise
        try:
            await work
        finally:
            self._turns.release()

    async def _run_after(self, call: Call, event: HookEvent) -> None:
        span = self.begin(call, event)
        own = call if call.chain else _with_own_time(call, self._clock)
        try:
            answer = await self._send(own, event, span)
        except ApiError as e:
            self._stopped(e, event, span)
            return
        except asyncio.CancelledError:
            self._log.end(span, "failed")
            raise
        if answer.status >= 300:
            self._rejected(answer, span)
        else:
            span.detail["answer"] = SaidByCode(answer)
            self._log.end(span, "ok", answer.status)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)


def _refuse_unloaded(engine: Engine) -> None:
    """Code that never loaded may have had a hook here: a write must not slip past it."""
    if engine.state == "broken" and not engine.ever_ready:
        failure = engine.failure
        if failure is not None:
            raise rejection(f"the cloud code did not load: {failure.last_line}", failure.hint)


def _mark_loop(span: Span, loop: errors.HookLoop) -> None:
    """Tell the hooks above why they will fail, so that the client is told too."""
    above: Span | None = span
    while above is not None:
        above.detail["loop"] = loop
        above = above.parent


def _handed_by(call: Call, event: HookEvent) -> str | None:
    """The hook that was given the object being written, where the SDK then leaves hooks out."""
    above = None if call.span is None else call.span.parent
    kind = None if above is None else BY_WORD.get(str(above.detail.get("hook")))
    if above is None or kind is None or kind.is_before is not event.kind.is_before:
        return None
    detail = above.detail
    same_class = detail.get("class_name") == event.class_name
    same = same_class and detail.get("object_id") == event.document.get("objectId")
    return above.title if same else None


def _with_own_time(call: Call, clock: Clock) -> Call:
    """After hooks of a client's own write have nothing to share their budget with."""
    return call.with_deadline(Deadline.never(clock))
