"""``/__emu/rehearse``: one request of the API as a dry run."""

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog
from lean_emulator.model.access import MASTER, Principal
from lean_emulator.service.rehearsal import Rehearsals
from lean_emulator.service.users import Users
from lean_emulator.wire.inner import InnerAnswer, InnerRequests
from lean_emulator.wire.master_only import master_only
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class RehearsalHandlers:
    """Reads requests for the rehearsal service."""

    def __init__(
        self,
        rehearsals: Rehearsals,
        inner: InnerRequests,
        users: Users,
        log: EventLog,
        mask: Mask,
    ) -> None:
        self._rehearsals = rehearsals
        self._inner = inner
        self._users = users
        self._log = log
        self._mask = mask

    def routes(self) -> list[Route]:
        return [Route("POST", "/rehearse", master_only(self.rehearse))]

    async def rehearse(self, request: Request) -> Answer:
        """Answer a request with the real code and hooks, tell what it wrote, and drop that.

        The request names ``method``, ``path`` (with its query) and ``body``, and acts as master
        unless ``user`` (id, name or session token) is given; with ``master``, as both. The answer
        has ``status`` and ``body`` of the request's own, ``trace``, ``tookMs``, the ``writes``, and
        as ``unfinished`` the steps that took too long to be waited for.
        """
        wish = request.document()
        user = wish.get("user")
        principal = MASTER
        if user:
            kind = "master" if wish.get("master") is True else "user"
            principal = Principal(kind, await self._users.named(str(user)))  # type: ignore[arg-type]  # mypy widens the conditional to str
        headers = self._inner.credentials(principal)
        method, target = str(wish.get("method", "POST")), str(wish.get("path", ""))

        async def work() -> InnerAnswer:
            return await self._inner.send(method, target, headers, wish.get("body"))

        answered, rehearsed = await self._rehearsals.run(work, lambda done: done.trace)
        return Answer({**self.told(answered), **rehearsed.to_json(self._mask)})

    def told(self, answered: InnerAnswer) -> dict[str, Json]:
        """What came of a request: its answer, its time and the name of its trace."""
        span = self._log.trace(answered.trace)
        if span is None:
            raise errors.INTERNAL(f"The trace {answered.trace} is not kept.")
        ended = span.began if span.answered is None else span.answered
        return {
            "status": answered.status,
            "body": answered.body,
            "trace": answered.trace,
            "tookMs": round((ended - span.began) * 1000, 3),
        }
