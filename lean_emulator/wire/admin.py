"""``/__emu``: what tests and the command line ask of the emulator itself, with the master key."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.base.trace_view import tree
from lean_emulator.service.schemas import Schemas
from lean_emulator.service.users import Users
from lean_emulator.service.workbench import Workbench
from lean_emulator.wire.master_only import master_only
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

PREFIX = "/__emu/"


class AdminHandlers:
    """Answers about the emulator; ``describe`` gives the running instance as JSON, without keys.

    ``settle`` waits until no after hook runs.

    Requests to these routes leave no traces of their own.
    """

    def __init__(
        self,
        settle: Callable[[], Awaitable[None]],
        schemas: Schemas,
        users: Users,
        workbench: Workbench,
        log: EventLog,
        mask: Mask,
        describe: Callable[[], dict[str, Json]],
    ) -> None:
        self._settle = settle
        self._schemas = schemas
        self._users = users
        self._workbench = workbench
        self._log = log
        self._mask = mask
        self._describe = describe

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/info", master_only(self.info)),
            Route("POST", "/run-hook", master_only(self.run_hook)),
            Route("GET", "/schemas", master_only(self.schemas)),
            Route("GET", "/sessions/:who", master_only(self.session)),
            Route("POST", "/settle", master_only(self.settle)),
            Route("GET", "/traces", master_only(self.traces)),
            Route("DELETE", "/traces", master_only(self.forget_traces)),
            Route("GET", "/traces/:id", master_only(self.trace)),
        ]

    async def info(self, request: Request) -> Answer:
        return Answer(self._describe())

    async def run_hook(self, request: Request) -> Answer:
        """One hook alone, nothing stored: ``status`` and ``body`` are its answer's.

        The request names ``className`` and ``hook``, and an ``object`` or an ``objectId`` of a
        stored one, with ``updatedKeys``, ``user`` and ``master`` where they matter. Hooks that
        belong to no write take ``params`` instead. ``remarks`` say what the platform makes of it.
        """
        wish = request.document()
        keys = wish.get("updatedKeys") or []
        if not isinstance(keys, list):
            raise errors.INVALID_REQUEST("updatedKeys must be a list of names.")
        ran = await self._workbench.run_hook(
            str(wish.get("className", "")),
            str(wish.get("hook", "")),
            object=wish.get("params", wish.get("object")),
            object_id=_text(wish, "objectId"),
            updated_keys=[str(key) for key in keys],
            user=_text(wish, "user"),
            master=wish.get("master") is True,
        )
        return Answer(
            {
                "status": ran.status,
                "body": ran.body,
                "tookMs": round(ran.took_ms, 3),
                "trace": ran.trace,
                "remarks": [
                    {"en": r.text.en, "zh": r.text.zh, "wrong": r.wrong} for r in ran.remarks
                ],
            }
        )

    async def schemas(self, request: Request) -> Answer:
        """Every class as its schema file holds it."""
        return Answer({"results": self._schemas.files()})

    async def session(self, request: Request, who: str) -> Answer:
        """The session token of a user named by id, username or token; ``null`` for nobody."""
        try:
            user = await self._users.named(who)
        except ApiError:
            return Answer({"sessionToken": None})
        return Answer({"sessionToken": user["sessionToken"]})

    async def settle(self, request: Request) -> Answer:
        """Answer when no after hook runs any more."""
        await self._settle()
        return Answer({})

    async def traces(self, request: Request) -> Answer:
        """All kept traces as trees, oldest first."""
        results: list[Json] = []
        for root in reversed(self._log.traces()):
            results.append(tree(root, self._mask))
            await asyncio.sleep(0)  # some have thousands of steps, and others want to be served
        return Answer({"results": results})

    async def trace(self, request: Request, name: str) -> Answer:
        """The trace of that id; ``last`` is the newest that is no reload of the code."""
        found = self._newest() if name == "last" else self._log.trace(name)
        if found is None:
            raise errors.ROUTE_NOT_FOUND(f"There is no trace '{name}', or it is no longer kept.")
        return Answer(tree(found, self._mask))

    def _newest(self) -> Span | None:
        return next((t for t in self._log.traces() if t.kind != "reload"), None)

    async def forget_traces(self, request: Request) -> Answer:
        self._log.clear()
        return Answer({})


def _text(wish: Mapping[str, Json], name: str) -> str | None:
    """A member that is a text; absent and empty mean ``None``."""
    value = wish.get(name)
    return str(value) if value else None
