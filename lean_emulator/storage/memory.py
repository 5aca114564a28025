"""Objects in dictionaries: the engine behind every storage, and a storage of its own."""

import heapq
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from lean_emulator.base.jsontext import Json
from lean_emulator.model.document import relations_of
from lean_emulator.model.operations import Relate
from lean_emulator.model.predicate import nearness, sorted_documents
from lean_emulator.model.query import EVERYTHING, Query
from lean_emulator.model.schema import ClassSchema, new_class
from lean_emulator.storage.contract import Change, Committed, Delete, Insert, Update
from lean_emulator.storage.indexes import WORTH_IT
from lean_emulator.storage.plan import NO_LIMITS, Limits, Plan, counted, held
from lean_emulator.storage.table import Table


class Keeper(Protocol):
    """What makes a storage last; see ``keeper.FileKeeper``.

    Each method is called before a change happens, in the same step. It raises where the change
    must not happen, and gives what is to be awaited before it is answered.
    """

    async def open(self, storage: "MemoryStorage") -> None: ...

    async def close(self) -> None: ...

    def commit(
        self,
        committed: Sequence[Committed],
        schemas: Sequence[ClassSchema],
        counters: Mapping[tuple[str, str], int],
    ) -> Awaitable[None] | None: ...

    def save_class(self, schema: ClassSchema) -> Awaitable[None] | None: ...

    def drop_class(self, class_name: str) -> Awaitable[None] | None: ...

    def clear(self) -> Awaitable[None] | None: ...

    def restore(self, kept_as: str) -> Awaitable[None] | None: ...


class MemoryStorage:
    """Create, get, update and delete cost the same at any size.

    A query looks at its class, or at what an index leaves of it (see ``indexes``).

    Between the first check of a commit and its last effect there is no ``await``, so the event loop
    itself makes it atomic.
    """

    def __init__(self, limits: Limits = NO_LIMITS, keeper: Keeper | None = None) -> None:
        """``keeper`` makes what is written last longer than the process."""
        self._limits = limits
        self._keeper = keeper
        self._tables: dict[str, Table] = {}
        self._schemas: dict[str, ClassSchema] = {}

    async def open(self) -> None:
        """Load what the keeper has. Raises ``StartError``."""
        if self._keeper is not None:
            await self._keeper.open(self)

    async def close(self) -> None:
        if self._keeper is not None:
            await self._keeper.close()

    @property
    def tables(self) -> Mapping[str, Table]:
        """The classes as they are, to be looked at by the keeper."""
        return self._tables

    def adopt(self, tables: Mapping[str, Table], schemas: Mapping[str, ClassSchema]) -> None:
        """Become what was kept; nobody else may have the tables."""
        self._tables, self._schemas = dict(tables), dict(schemas)

    def fork(self) -> "MemoryStorage":
        """A storage with the same content, from which on each goes its own way.

        Costs the number of classes. The first write to a class, by whichever of the two, copies
        that class's table (``Table.copy``) unless the other has been cleared by then: so clear a
        fork that is not needed any more.
        """
        other = MemoryStorage(self._limits)
        other._share(self)
        return other

    async def restore(self, saved: "MemoryStorage", kept_as: str = "") -> None:
        """Become what a fork of this storage was kept for; the fork stays as it is.

        Costs the number of classes; the next write to each copies its table. ``kept_as`` is the
        file that the keeper finds the fork's content in.
        """
        kept = None if self._keeper is None else self._keeper.restore(kept_as)
        self._let_go()
        self._share(saved)
        if kept is not None:
            await kept

    async def get(self, class_name: str, object_id: str) -> dict[str, Json] | None:
        table = self._tables.get(class_name)
        return None if table is None else table.documents.get(object_id)

    async def find(self, query: Query) -> list[dict[str, Json]]:
        wanted = query.skip + query.limit
        if query.limit <= 0:
            return []
        table = await self._prepared(query)
        if table is None:
            return []
        few = table.few(query.where, self._unique(query.class_name))
        if len(query.order) == 1 and (few is None or len(few) >= max(WORTH_IT, 4 * wanted)):
            walked = await table.walked(query.where, query.order[0], wanted)
            if walked is not None:
                return walked[query.skip :]
        near = None if query.order else nearness(query.where)
        enough = None if query.order or near else wanted
        rows = await table.matching(query.where, few, enough)
        if near is not None:
            return heapq.nsmallest(wanted, rows, near)[query.skip :]
        return sorted_documents(rows, query.order, wanted)[query.skip :]

    async def count(self, query: Query) -> int:
        if query.where == EVERYTHING:
            whole = self._tables.get(query.class_name)
            return 0 if whole is None else len(whole.documents)
        table = await self._prepared(replace(query, order=()))
        if table is None:
            return 0
        known = table.indexes.exact(query.where)
        if known is not None:
            return known
        few = table.few(query.where, self._unique(query.class_name))
        return len(await table.matching(query.where, few, None))

    async def commit(self, changes: Sequence[Change]) -> list[Committed]:
        plan = Plan(self._tables, self._schemas, self._limits)
        committed = [plan.add(change) for change in changes]
        kept = self._keep_commit(committed, plan)
        self._apply(plan, committed)
        if kept is not None:
            await kept
        return committed

    def _apply(self, plan: Plan, committed: Sequence[Committed]) -> None:
        self._schemas.update(plan.schemas)
        for (class_name, column), number in plan.counters.items():
            self._own(class_name).counters[column] = number
        for (class_name, place), holder in plan.unique.items():
            if holder is None:
                self._own(class_name).unique.pop(place, None)
            else:
                self._own(class_name).unique[place] = holder
        for done in committed:
            if done.before is None and done.after is None:
                continue  # what was not there was deleted
            change = done.change
            table = self._own(change.class_name)
            table.indexes.change(change.object_id, done.before, done.after)
            self._relate(table, change)
            table.stamp = object()
        for (class_name, object_id), document in plan.documents.items():
            if document is None:
                if self._has(class_name, object_id):
                    del self._own(class_name).documents[object_id]
                continue
            objects = self._own(class_name).documents
            if (class_name, object_id) in plan.born:
                objects.pop(object_id, None)  # an id that is used again goes to the end
            objects[object_id] = document

    async def related(self, owner_class: str, owner_id: str, key: str) -> list[str]:
        table = self._tables.get(owner_class)
        return [] if table is None else table.relations.members(owner_id, key)

    async def owners(self, owner_class: str, key: str, member_id: str) -> list[str]:
        table = self._tables.get(owner_class)
        return [] if table is None else table.relations.owners(key, member_id)

    def stamp(self, class_name: str) -> object:
        table = self._tables.get(class_name)
        return None if table is None else table.stamp

    def classes(self) -> Mapping[str, ClassSchema]:
        return self._schemas

    async def save_class(self, schema: ClassSchema) -> None:
        known = self._tables.get(schema.name)
        unique = held(schema, {} if known is None else known.documents)
        kept = None if self._keeper is None else self._keeper.save_class(schema)
        table = self._own(schema.name)
        table.unique = unique
        for column, reached in counted(schema, table.documents).items():
            table.counters[column] = max(reached, table.counters.get(column, 0))
        self._schemas[schema.name] = schema
        if kept is not None:
            await kept

    async def drop_class(self, class_name: str) -> None:
        kept = None if self._keeper is None else self._keeper.drop_class(class_name)
        self._schemas.pop(class_name, None)
        table = self._tables.pop(class_name, None)
        if table is not None:
            table.holders -= 1
        if kept is not None:
            await kept

    async def clear(self) -> None:
        kept = None if self._keeper is None else self._keeper.clear()
        self._let_go()
        if kept is not None:
            await kept

    def _keep_commit(self, committed: Sequence[Committed], plan: Plan) -> Awaitable[None] | None:
        """Have a commit kept before anybody can see it; raises where that is not possible."""
        if self._keeper is None:
            return None
        changed = [s for name, s in plan.schemas.items() if self._schemas.get(name) is not s]
        return self._keeper.commit(committed, changed, plan.counters)

    def _share(self, other: "MemoryStorage") -> None:
        for table in other._tables.values():
            table.holders += 1
        self._tables = dict(other._tables)
        self._schemas = dict(other._schemas)

    def _let_go(self) -> None:
        for table in self._tables.values():
            table.holders -= 1
        self._tables = {}
        self._schemas = {}

    def _own(self, class_name: str) -> Table:
        """The class's table, to be changed: made when there is none, copied when it is shared."""
        table = self._tables.get(class_name)
        if table is None:
            table = self._tables[class_name] = Table()
        elif table.holders > 1:
            table.holders -= 1
            table = self._tables[class_name] = table.copy()
        return table

    def _relate(self, table: Table, change: Change) -> None:
        if isinstance(change, Delete):
            columns = self._schema(change.class_name).columns
            keys = [name for name, column in columns.items() if column.type == "Relation"]
            table.relations.forget_owner(change.object_id, keys)
            return
        for key, relate in _relations_in(change).items():
            table.relations.change(change.object_id, key, relate)

    def _has(self, class_name: str, object_id: str) -> bool:
        table = self._tables.get(class_name)
        return table is not None and object_id in table.documents

    async def _prepared(self, query: Query) -> Table | None:
        """The table to ask, with the indexes that it has grown; ``None`` where there is none."""
        table = self._tables.get(query.class_name)
        if table is None:
            return None
        await table.prepare(query, self._unique(query.class_name))
        return self._tables.get(query.class_name)  # it may be another by now

    def _unique(self, class_name: str) -> frozenset[str]:
        return self._schema(class_name).unique

    def _schema(self, class_name: str) -> ClassSchema:
        return self._schemas.get(class_name) or new_class(class_name)


def _relations_in(change: Insert | Update) -> Mapping[str, Relate]:
    return change.relations if isinstance(change, Insert) else relations_of(change.write)
