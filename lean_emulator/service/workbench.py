"""Running things by hand: one function, one hook alone, or the real chain."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog, Outcome, Span
from lean_emulator.model.access import ANONYMOUS, MASTER, Principal
from lean_emulator.model.document import AUTOMATIC, without
from lean_emulator.model.hook_answers import Remark, explain_class_hook
from lean_emulator.model.hook_samples import SPECIAL_HOOKS, special_hook
from lean_emulator.model.hooknames import BY_WORD, MARKS, HookKind
from lean_emulator.model.operations import Write, parse_write
from lean_emulator.model.special_hooks import SpecialHook
from lean_emulator.model.values import check_class_name
from lean_emulator.service.call import Call
from lean_emulator.service.functions import Functions, as_json
from lean_emulator.service.hook_event import HookEvent, describe
from lean_emulator.service.hook_trial import HookTrial
from lean_emulator.service.hooks import Hooks
from lean_emulator.service.objects import Objects
from lean_emulator.service.users import Users
from lean_emulator.storage.contract import Storage, absent

_SAVES = (HookKind.BEFORE_SAVE, HookKind.AFTER_SAVE)
_UPDATES = (HookKind.BEFORE_UPDATE, HookKind.AFTER_UPDATE)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a run: HTTP status, JSON body, milliseconds, and the id of its trace.

    ``remarks`` say what the platform would make of the answer.
    """

    status: int
    body: Json
    took_ms: float
    trace: str
    remarks: Sequence[Remark] = ()


class Workbench:
    """What the console and the command line offer for trying code out."""

    def __init__(
        self,
        functions: Functions,
        hooks: Hooks,
        trial: HookTrial,
        objects: Objects,
        users: Users,
        storage: Storage,
        log: EventLog,
        clock: Clock,
        *,
        seconds: float,
    ) -> None:
        self._functions = functions
        self._hooks = hooks
        self._trial = trial
        self._objects = objects
        self._users = users
        self._storage = storage
        self._log = log
        self._clock = clock
        self._seconds = seconds

    async def run_function(
        self,
        name: str,
        params: Json,
        *,
        rpc: bool = False,
        user: str | None = None,
        master: bool = False,
    ) -> RunResult:
        """Call a cloud function as nobody, as a user (id, name or session token) or as master.

        Its own failure is a result. Raises code 211 for an unknown user.
        """
        call = await self._call(user, master)
        span = self._functions.begin(call, name, params, rpc)
        try:
            said = await self._functions.run(call, name, params, rpc=rpc, span=span)
        except ApiError as e:
            return self._result(span, e.status, e.to_wire())
        return self._result(span, said.status, said.body)

    async def run_hook(
        self,
        class_name: str,
        hook: str,
        *,
        object: Json = None,  # noqa: A002 - the field's name in the protocol
        object_id: str | None = None,
        updated_keys: Sequence[str] = (),
        user: str | None = None,
        master: bool = False,
        chain: bool = False,
    ) -> RunResult:
        """Call one hook with a made-up or stored object, or do the real write with ``chain``.

        A stored object (``object_id``) takes precedence. Alone, nothing is stored. ``hook`` may be
        one that belongs to no write, too: ``object`` is then its user, authData or parameters, its
        sample by default; ``user`` is whom onLogin and onVerified are about. Raises code 1
        for a hook that does not exist or an object that is not there, 211 for an unknown user.
        """
        kind = BY_WORD.get(hook)
        if kind is None:
            special = special_hook(class_name, hook)
            if special is None:
                raise _no_hook(hook)
            return await self._run_special(await self._call(user, master), special, object)
        check_class_name(class_name)
        given = _as_object(object)
        call = await self._call(user, master)
        if chain:
            return await self._chain(call, kind, class_name, given, object_id, updated_keys)
        if object_id:
            given = {**await self._stored(class_name, object_id), **given}
        event = HookEvent(kind, class_name, given, updated_keys)
        span = self._hooks.begin(call, event)
        try:
            answer = await self._hooks.alone(call, event, span)
        except ApiError as e:
            return self._result(span, e.status, e.to_wire())
        said = as_json(answer)
        remarks = explain_class_hook(kind, said.status, said.body)
        return self._result(span, said.status, said.body, remarks)

    async def write(
        self,
        class_name: str,
        object_id: str | None,
        fields: dict[str, Json] | None,
        *,
        user: str | None = None,
        master: bool = False,
        hooks: bool = True,
    ) -> RunResult:
        """Create an object, change the one of ``object_id``, or delete it without ``fields``.

        As a request would, in a trace of its own; without ``hooks`` none of them runs. A refusal
        is a result. Raises code 211 for an unknown user.
        """
        check_class_name(class_name)
        call = await self._call(user, master)
        method = "DELETE" if fields is None else "PUT" if object_id else "POST"
        root = self._begin(call, method, class_name, object_id or "", fields)
        without_hooks = frozenset() if hooks else frozenset(HookKind)
        under = _under(call, root).ignoring(without_hooks)
        work = self._written(under, class_name, object_id or "", fields)
        return await self._finish(root, work, 200 if object_id else 201)

    async def _written(
        self, call: Call, class_name: str, object_id: str, fields: dict[str, Json] | None
    ) -> Any:
        if fields is None:
            return await self._delete(call, class_name, object_id)
        if object_id:
            return await self._update(call, class_name, object_id, parse_write(fields))
        return await self._create(call, class_name, parse_write(fields))

    async def _run_special(self, call: Call, hook: SpecialHook, given: Json) -> RunResult:
        tried = await self._trial.run(call, hook, given)
        return self._result(tried.span, tried.status, tried.body, tried.remarks)

    async def _chain(
        self,
        call: Call,
        kind: HookKind,
        class_name: str,
        given: dict[str, Json],
        object_id: str | None,
        updated_keys: Sequence[str],
    ) -> RunResult:
        """The real create, update or delete that fires ``kind``, with all its hooks."""
        target = object_id or str(given.get("objectId") or "")
        fields = without(given, MARKS | AUTOMATIC)
        if kind in _SAVES:
            root = self._begin(call, "POST", class_name, "", fields)
            work = self._create(_under(call, root), class_name, parse_write(fields))
            return await self._finish(root, work, 201)
        if not target:
            raise errors.INVALID_REQUEST(f"{kind.word} in the real chain wants an objectId.")
        await self._stored(class_name, target)
        if kind in _UPDATES:
            if updated_keys:
                fields = {name: fields[name] for name in updated_keys if name in fields}
            root = self._begin(call, "PUT", class_name, target, fields)
            work = self._update(_under(call, root), class_name, target, parse_write(fields))
            return await self._finish(root, work, 200)
        root = self._begin(call, "DELETE", class_name, target, None)
        return await self._finish(root, self._delete(_under(call, root), class_name, target), 200)

    def _create(self, call: Call, class_name: str, write: Write) -> Awaitable[Any]:
        """As the API does it: a new user signs up, with a password that is never stored as such."""
        if class_name == "_User":
            return self._users.sign_up(call, write)
        return self._objects.create(call, class_name, write, fetch=True)

    def _update(self, call: Call, class_name: str, object_id: str, write: Write) -> Awaitable[Any]:
        if class_name == "_User":
            return self._users.update(call, object_id, write, fetch=True)
        return self._objects.update(call, class_name, object_id, write, fetch=True)

    def _delete(self, call: Call, class_name: str, object_id: str) -> Awaitable[Any]:
        if class_name == "_User":
            return self._users.delete(call, object_id)
        return self._objects.delete(call, class_name, object_id)

    async def _finish(self, root: Span, work: Awaitable[Any], status: int) -> RunResult:
        try:
            body: Json = await work or {}
        except ApiError as e:
            root.detail["error"] = describe(e)
            return self._close(root, e.status, e.to_wire())
        return self._close(root, status, body)

    def _close(self, root: Span, status: int, body: Json) -> RunResult:
        root.detail["response"] = body
        outcome: Outcome = "ok" if status < 400 else "rejected" if status < 500 else "failed"
        if status == errors.HOOK_LOOP.status:
            outcome = "loop"
        self._log.answered(root)
        self._log.end(root, outcome, status)
        return self._result(root, status, body)

    def _begin(self, call: Call, method: str, class_name: str, object_id: str, body: Json) -> Span:
        path = f"/1.1/classes/{class_name}" + (f"/{object_id}" if object_id else "")
        return self._log.begin(
            "request",
            f"{method} {path}",
            method=method,
            path=path,
            class_name=class_name,
            body=body,
            identity=call.principal.kind,
            user=call.principal.user,
            note="by hand",
        )

    def _result(
        self, span: Span, status: int, body: Json, remarks: Sequence[Remark] = ()
    ) -> RunResult:
        ended = span.ended if span.ended is not None else self._clock.monotonic()
        return RunResult(status, body, (ended - span.began) * 1000, span.root.name, remarks)

    async def _call(self, user: str | None, master: bool) -> Call:
        principal = ANONYMOUS
        if user:
            principal = Principal("user", await self._users.named(user))
        if master:
            principal = Principal("master", principal.user) if user else MASTER
        return Call(principal, Deadline.after(self._clock, self._seconds), None)

    async def _stored(self, class_name: str, object_id: str) -> dict[str, Json]:
        document = await self._storage.get(class_name, object_id)
        if document is None:
            raise absent(class_name, object_id)
        return document


def _under(call: Call, span: Span) -> Call:
    return Call(call.principal, call.deadline, span)


def _no_hook(hook: str) -> ApiError:
    words = dict.fromkeys((*BY_WORD, *(special.word for special in SPECIAL_HOOKS)))
    known = ", ".join(words)
    return errors.INVALID_REQUEST(f"There is no hook '{hook}'. Hooks are: {known}.")


def _as_object(given: Json) -> dict[str, Json]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise errors.INVALID_REQUEST("The object of a hook must be a JSON object.")
    return given
