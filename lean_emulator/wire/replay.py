"""``/__emu/replay``: what a trace recorded, again, with the code of now. ``/__emu/reloads``."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.base.trace_view import tree
from lean_emulator.model.access import Principal
from lean_emulator.service.rehearsal import Rehearsals, until_quiet
from lean_emulator.service.replay import Again, AgainFunction, AgainRequest, Who, again, edited
from lean_emulator.service.replay_diff import compare
from lean_emulator.service.users import Users
from lean_emulator.service.workbench import Workbench
from lean_emulator.wire.authenticate import SESSION_HEADERS
from lean_emulator.wire.entry import CALL_HEADER
from lean_emulator.wire.inner import InnerRequests
from lean_emulator.wire.master_only import master_only
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

LONGEST_POLL = 25.0
"""Seconds a question for the next reload stays open."""


@dataclass(frozen=True, slots=True)
class _Came:
    """What a replay came to; ``trace`` names its trace."""

    status: int
    body: Json
    took_ms: float
    trace: str


class ReplayHandlers:
    """Does again what traces recorded, for the same people. Secrets stay inside the server."""

    def __init__(
        self,
        rehearsals: Rehearsals,
        inner: InnerRequests,
        workbench: Workbench,
        users: Users,
        log: EventLog,
        mask: Mask,
    ) -> None:
        self._rehearsals = rehearsals
        self._inner = inner
        self._workbench = workbench
        self._users = users
        self._log = log
        self._mask = mask

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/replay", master_only(self.replay)),
            Route("GET", "/reloads", master_only(self.reloads)),
        ]

    async def replay(self, request: Request) -> Answer:
        """Do it again and tell what became different.

        The request names the ``trace``, values to ``set`` by dotted path, and ``dryRun``. The
        answer has ``status``, ``body`` and ``tookMs`` of the new run, the names of both traces, and
        their ``diff`` (see ``service.replay_diff``); after hooks are waited for. Of a dry run it
        has ``writes``, too.
        """
        wish = request.document()
        old = self._named(str(wish.get("trace", "")))
        edits = wish.get("set") or {}
        if not isinstance(edits, dict):
            raise errors.INVALID_REQUEST("set must be an object: values by dotted path.")
        work = await self._work(edited(again(old), edits))
        told: dict[str, Json] = {}
        if wish.get("dryRun") is True:
            came, rehearsed = await self._rehearsals.run(work, lambda done: done.trace)
            told = rehearsed.to_json(self._mask)
        else:
            came = await work()
        return Answer({**await self._compared(old, came), **told})

    async def reloads(self, request: Request) -> Answer:
        """The newest reload of the code, once there is one after the trace called ``after``.

        Answers ``reload: null`` when there is none within ``seconds`` (25 at most).
        """
        after = request.params.get("after")
        seconds = _seconds(request.params.get("seconds"))
        found = self._reload_after(after)
        if found is None and seconds:
            changed = self._log.watch()
            try:
                async with asyncio.timeout(seconds):
                    while (found := self._reload_after(after)) is None:
                        await anext(changed)
            except TimeoutError:
                found = None
            finally:
                await changed.aclose()  # type: ignore[attr-defined]  # watch() is a generator
        return Answer({"reload": None if found is None else tree(found, self._mask)})

    def _named(self, name: str) -> Span:
        newest = (root for root in self._log.traces() if root.kind != "reload")
        found = next(newest, None) if name == "last" else self._log.trace(name)
        if found is None:
            raise errors.ROUTE_NOT_FOUND(f"There is no trace '{name}', or it is no longer kept.")
        return found

    async def _work(self, what: Again) -> Callable[[], Awaitable[_Came]]:
        """How to do it. Raises code 1 where the user is gone for whom it was done."""
        principal = await self._principal(what.who)
        if isinstance(what, AgainRequest):
            return lambda: self._request(what, principal)
        user, master = what.who.user_id, what.who.master

        async def by_hand() -> _Came:
            if isinstance(what, AgainFunction):
                ran = await self._workbench.run_function(
                    what.name, what.params, rpc=what.rpc, user=user, master=master
                )
            else:
                ran = await self._workbench.run_hook(
                    what.class_name,
                    what.hook,
                    object=what.object,
                    updated_keys=what.updated_keys,
                    user=user,
                    master=master,
                )
            return _Came(ran.status, ran.body, ran.took_ms, ran.trace)

        return by_hand

    async def _principal(self, who: Who) -> Principal:
        if who.user_id is None:
            return Principal("master" if who.master else "anonymous")
        try:
            user = await self._users.named(who.user_id)
        except ApiError as e:
            raise errors.INVALID_REQUEST(
                f"This trace cannot be replayed: its user {who.user_id} is gone."
            ) from e
        return Principal("master" if who.master else "user", user)

    async def _request(self, what: AgainRequest, principal: Principal) -> _Came:
        """As it was sent, but with the session its user has now."""
        headers, body = dict(self._inner.credentials(principal)), what.body
        if what.headers is not None:
            unwanted = {CALL_HEADER.lower()}
            if principal.user is not None:
                unwanted |= SESSION_HEADERS
            headers = {n: v for n, v in what.headers.items() if n.lower() not in unwanted}
            if principal.user is not None:
                token = str(principal.user.get("sessionToken"))
                headers["X-LC-Session"] = token
                if isinstance(body, dict) and "_SessionToken" in body:
                    body = {**body, "_SessionToken": token}
        done = await self._inner.send(what.method, what.target, headers, body)
        root = self._log.trace(done.trace)
        took = 0.0 if root is None else (root.answered or root.began) - root.began
        return _Came(done.status, done.body, took * 1000, done.trace)

    async def _compared(self, old: Span, came: _Came) -> dict[str, Json]:
        root = self._log.trace(came.trace)
        if root is None:
            raise errors.INTERNAL(f"The trace {came.trace} is not kept.")
        root.detail.setdefault("note", f"replay of {old.name}")
        await until_quiet(self._log, root, self._rehearsals.seconds)
        return {
            "replayOf": old.name,
            "trace": came.trace,
            "status": came.status,
            "body": self._mask.json(came.body),
            "tookMs": round(came.took_ms, 3),
            "diff": compare(tree(old, self._mask), tree(root, self._mask)),
        }

    def _reload_after(self, after: Json) -> Span | None:
        """The newest reload that has ended, unless it is that one or older."""
        seen = self._number(after)
        ended = (r for r in self._log.traces() if r.kind == "reload" and r.ended is not None)
        newest = next(ended, None)
        return newest if newest is not None and newest.id > seen else None

    def _number(self, name: Json) -> int:
        try:
            return int(str(name).removeprefix("t-"), 16) if name else 0
        except ValueError as e:
            raise errors.INVALID_REQUEST(f"'{name}' is not the name of a trace.") from e


def _seconds(given: Json) -> float:
    try:
        return min(max(float(str(given or 0)), 0.0), LONGEST_POLL)
    except ValueError as e:
        raise errors.INVALID_REQUEST(f"seconds must be a number, not '{given}'.") from e
