"""What somebody who looks at the data by hand may see and do: as master, as a user, as nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import ANONYMOUS, MASTER, Principal
from lean_emulator.model.query import Query
from lean_emulator.model.schema import OURS, ClassSchema
from lean_emulator.service.call import Call
from lean_emulator.service.objects import Objects, Wish
from lean_emulator.service.users import Users
from lean_emulator.service.workbench import RunResult, Workbench
from lean_emulator.storage.contract import Storage

SECONDS = 15.0
"""What a look at the data may take."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: ``master``, ``nobody``, or a ``user`` by id, name or session token."""

    kind: Literal["master", "nobody", "user"] = "master"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of objects; ``count`` are all that match, ``hidden`` those the viewer may not read."""

    rows: list[dict[str, Json]]
    count: int
    hidden: int


class DataDesk:
    """Reads through the same services as the API, and writes through the workbench's chain."""

    def __init__(
        self, objects: Objects, users: Users, storage: Storage, workbench: Workbench, clock: Clock
    ) -> None:
        self._objects = objects
        self._users = users
        self._storage = storage
        self._workbench = workbench
        self._clock = clock

    async def classes(self) -> list[tuple[str, int]]:
        """The application's classes by name, each with the number of its objects."""
        names = sorted(name for name in self._storage.classes() if not name.startswith(OURS))
        return [(name, await self._storage.count(Query(name))) for name in names]

    def schema(self, class_name: str) -> ClassSchema | None:
        """A class of the application; ``None`` for one that does not exist."""
        if class_name.startswith(OURS):
            return None
        return self._storage.classes().get(class_name)

    def pointing_to(self, class_name: str) -> list[tuple[str, str]]:
        """Class and column of all pointers and relations to a class."""
        return sorted(
            (name, column)
            for name, schema in self._storage.classes().items()
            if not name.startswith(OURS)
            for column, kind in schema.columns.items()
            if kind.class_name == class_name
        )

    async def find(self, viewer: Viewer, query: Query) -> Found:
        """A page of what a query finds. Raises what the API would, 211 for an unknown user."""
        call = await self._call(viewer)
        page = await self._objects.find(call, query, Wish(acl=True), count=True)
        count = page.count or 0
        if call.principal.is_master:
            return Found(page.results, count, 0)
        every = await self._objects.find(
            replace(call, principal=MASTER), replace(query, limit=0), Wish(), count=True
        )
        return Found(page.results, count, max(0, (every.count or 0) - count))

    async def get(self, viewer: Viewer, class_name: str, object_id: str) -> dict[str, Json] | None:
        """One object as the viewer sees it. Raises 403 where it may not."""
        call = await self._call(viewer)
        return await self._objects.get(call, class_name, object_id, Wish(acl=True))

    async def save(
        self,
        viewer: Viewer,
        class_name: str,
        object_id: str | None,
        write: Mapping[str, Json],
        *,
        hooks: bool,
    ) -> RunResult:
        """Create an object, or change one, as a request of the viewer would.

        ``write`` has values and operations by column. Its refusal is a result.
        """
        return await self._workbench.write(
            class_name,
            object_id,
            dict(write),
            user=viewer.name if viewer.kind == "user" else None,
            master=viewer.kind == "master",
            hooks=hooks,
        )

    async def delete(
        self, viewer: Viewer, class_name: str, object_id: str, *, hooks: bool
    ) -> RunResult:
        """Delete an object as a request of the viewer would. Its refusal is a result."""
        return await self._workbench.write(
            class_name,
            object_id,
            None,
            user=viewer.name if viewer.kind == "user" else None,
            master=viewer.kind == "master",
            hooks=hooks,
        )

    async def _call(self, viewer: Viewer) -> Call:
        principal = ANONYMOUS if viewer.kind == "nobody" else MASTER
        if viewer.kind == "user":
            principal = Principal("user", await self._users.named(viewer.name))
        return Call(principal, Deadline.after(self._clock, SECONDS), None)
