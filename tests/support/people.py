"""Several users of one running emulator, who act by name one after the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.api import CLIENT, MASTER, Api, WireAnswer, running_api
from tests.support.fake_engine import FakeEngine
from tests.support.questions import to
from tests.support.scenario import Names, SignedUp, check_traces, prepare

ROOT = "master"
NOBODY = "nobody"


class People:
    """``await people("ann", "POST", "/users/{ann}/friendship/{bob}")`` acts with ann's session.

    ``{name}`` stands for the objectId of a user; ``master`` acts with the master key, ``nobody``
    with the app key alone. Paths begin after the version.
    """

    def __init__(self, api: Api, names: Names) -> None:
        self.api = api
        self._names = names

    async def __call__(
        self, who: str, method: str, path: str, body: Any = None, **params: Any
    ) -> WireAnswer:
        headers = MASTER if who == ROOT else CLIENT
        if who not in (ROOT, NOBODY):
            headers = {**CLIENT, "X-LC-Session": self._names.tokens[who]}
        where = f"/1.1{self._names.path(path)}"
        return await self.api(method, where, body, headers=headers, **params)

    async def ok(self, who: str, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """The body of an answer that must be a success."""
        answer = await self(who, method, path, body, **params)
        assert answer.status in (200, 201), (answer.status, answer.json)
        return answer.json

    def id(self, name: str) -> str:
        return self._names.ids[name]

    def pointer(self, name: str) -> dict[str, Any]:
        return to("_User", self.id(name))

    def named(self, pointer: Any) -> str:
        """Whose pointer or user object it is."""
        return next(name for name, user in self._names.ids.items() if user == pointer["objectId"])


@asynccontextmanager
async def people(
    project: Path, *names: str, engine: FakeEngine | None = None, **settings: Any
) -> AsyncIterator[People]:
    """An emulator with these users; in the end no step is open in a trace, and nothing secret."""
    async with running_api(engine, project=project, **settings) as api:
        made = await prepare(api, [SignedUp(name) for name in names])
        yield People(api, made)
        await api.settle()
        await check_traces(api, [*made.tokens.values()])
