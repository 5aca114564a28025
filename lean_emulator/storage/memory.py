"""Objects in dictionaries: the engine behind every storage, and a storage of its own."""

import asyncio
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lean_emulator.base.jsontext import Json
from lean_emulator.model.document import relations_of
from lean_emulator.model.operations import Relate
from lean_emulator.model.predicate import compile_where, nearness, sorted_documents
from lean_emulator.model.query import EVERYTHING, All, Compare, InList, Order, Query, Where
from lean_emulator.model.schema import ClassSchema, new_class
from lean_emulator.storage.contract import Change, Committed, Delete, Insert, Update
from lean_emulator.storage.indexes import WORTH_IT, ClassIndexes
from lean_emulator.storage.plan import NO_LIMITS, Counters, Holders, Limits, Plan, counted, held
from lean_emulator.storage.relations import Relations

SLICE = 10_000
"""Documents a scan looks at before it lets others run."""


class MemoryStorage:
    """Create, get, update and delete cost the same at any size.

    A query looks at its class, or at what an index leaves of it (see ``indexes``).

    Between the first check of a commit and its last effect there is no ``await``, so the event loop
    itself makes it atomic.
    """

    def __init__(self, limits: Limits = NO_LIMITS) -> None:
        self._limits = limits
        self._objects: dict[str, dict[str, dict[str, Json]]] = {}
        self._schemas: dict[str, ClassSchema] = {}
        self._unique: Holders = {}
        self._counters: Counters = {}
        self._relations = Relations()
        self._indexes: dict[str, ClassIndexes] = {}

    async def open(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to keep."""

    async def get(self, class_name: str, object_id: str) -> dict[str, Json] | None:
        return self._objects.get(class_name, {}).get(object_id)

    async def find(self, query: Query) -> list[dict[str, Json]]:
        wanted = query.skip + query.limit
        if query.limit <= 0:
            return []
        await self._prepare(query)
        few = self._few(query.class_name, query.where)
        if len(query.order) == 1 and (few is None or len(few) >= max(WORTH_IT, 4 * wanted)):
            walked = await self._walked(query, query.order[0], wanted)
            if walked is not None:
                return walked[query.skip :]
        near = None if query.order else nearness(query.where)
        enough = None if query.order or near else wanted
        rows = await self._matching(query.class_name, query.where, few, enough)
        if near is not None:
            return heapq.nsmallest(wanted, rows, near)[query.skip :]
        return sorted_documents(rows, query.order, wanted)[query.skip :]

    async def count(self, query: Query) -> int:
        if query.where == EVERYTHING:
            return len(self._objects.get(query.class_name, {}))
        await self._prepare(replace(query, order=()))
        if (indexes := self._indexes.get(query.class_name)) is not None:
            known = indexes.exact(query.where)
            if known is not None:
                return known
        few = self._few(query.class_name, query.where)
        return len(await self._matching(query.class_name, query.where, few, None))

    async def commit(self, changes: Sequence[Change]) -> list[Committed]:
        plan = Plan(self._objects, self._schemas, self._unique, self._counters, self._limits)
        committed = [plan.add(change) for change in changes]
        self._schemas.update(plan.schemas)
        self._counters.update(plan.counters)
        for place, holder in plan.unique.items():
            if holder is None:
                self._unique.pop(place, None)
            else:
                self._unique[place] = holder
        for done in committed:
            change = done.change
            indexes = self._indexes.setdefault(change.class_name, ClassIndexes())
            indexes.change(change.object_id, done.before, done.after)
        for (class_name, object_id), document in plan.documents.items():
            if document is None:
                self._objects.get(class_name, {}).pop(object_id, None)
                continue
            objects = self._objects.setdefault(class_name, {})
            if (class_name, object_id) in plan.born:
                objects.pop(object_id, None)  # an id that is used again goes to the end
            objects[object_id] = document
        for change in changes:
            if isinstance(change, Delete):
                keys = self._relation_keys(change.class_name)
                self._relations.forget_owner(change.class_name, change.object_id, keys)
            for key, relate in _relations_in(change).items():
                self._relations.change(change.class_name, change.object_id, key, relate)
        return committed

    async def related(self, owner_class: str, owner_id: str, key: str) -> list[str]:
        return self._relations.members(owner_class, owner_id, key)

    async def owners(self, owner_class: str, key: str, member_id: str) -> list[str]:
        return self._relations.owners(owner_class, key, member_id)

    def classes(self) -> Mapping[str, ClassSchema]:
        return self._schemas

    async def save_class(self, schema: ClassSchema) -> None:
        objects = self._objects.get(schema.name, {})
        holders = held(schema, objects)
        self._forget_unique(schema.name)
        self._unique.update(holders)
        for place, reached in counted(schema, objects).items():
            self._counters[place] = max(reached, self._counters.get(place, 0))
        self._schemas[schema.name] = schema

    async def drop_class(self, class_name: str) -> None:
        self._schemas.pop(class_name, None)
        self._objects.pop(class_name, None)
        self._forget_unique(class_name)
        self._forget_counters(class_name)
        self._relations.forget_class(class_name)
        self._indexes.pop(class_name, None)

    async def clear(self) -> None:
        self._schemas.clear()
        self._objects.clear()
        self._unique.clear()
        self._counters.clear()
        self._relations.clear()
        self._indexes.clear()

    def _relation_keys(self, class_name: str) -> list[str]:
        columns = self._schema(class_name).columns
        return [name for name, column in columns.items() if column.type == "Relation"]

    def _forget_unique(self, class_name: str) -> None:
        for place in [place for place in self._unique if place[0] == class_name]:
            del self._unique[place]

    def _forget_counters(self, class_name: str) -> None:
        for place in [place for place in self._counters if place[0] == class_name]:
            del self._counters[place]

    async def _matching(
        self,
        class_name: str,
        where: Where,
        few: list[dict[str, Json]] | None,
        enough: int | None,
    ) -> list[dict[str, Json]]:
        """Matching documents in order of creation, at most ``enough``, out of ``few`` if given."""
        candidates = list(self._objects.get(class_name, {}).values()) if few is None else few
        if where == EVERYTHING:
            return candidates if enough is None else candidates[:enough]
        matches = compile_where(where)
        rows: list[dict[str, Json]] = []
        for start in range(0, len(candidates), SLICE):
            if start:
                await asyncio.sleep(0)
            rows += [row for row in candidates[start : start + SLICE] if matches(row)]
            if enough is not None and len(rows) >= enough:
                return rows[:enough]
        return rows

    async def _prepare(self, query: Query) -> None:
        """Let indexes grow where the query keeps asking for them."""
        indexes = self._indexes.get(query.class_name)
        if indexes is not None and self._named_ids(query.class_name, query.where) is None:
            objects = self._objects.get(query.class_name, {})
            await indexes.prepare(objects, query.where, query.order)

    def _few(self, class_name: str, where: Where) -> list[dict[str, Json]] | None:
        """What an equality on a unique column or an index leaves; ``None`` for the whole class."""
        objects = self._objects.get(class_name, {})
        indexes = self._indexes.get(class_name)
        ids = self._named_ids(class_name, where)
        if ids is not None:
            named = {object_id: objects[object_id] for object_id in ids if object_id in objects}
            return sorted(named.values(), key=_creation)
        numbers = None if indexes is None else indexes.narrowed(objects, where)
        if numbers is None:
            return None
        return [objects[object_id] for object_id in sorted(numbers, key=numbers.__getitem__)]

    async def _walked(
        self, query: Query, order: Order, wanted: int
    ) -> list[dict[str, Json]] | None:
        """Matches in order by way of an index; ``None`` where there is none."""
        objects = self._objects.get(query.class_name, {})
        indexes = self._indexes.get(query.class_name)
        if indexes is None:
            return None
        ids = indexes.ordered(order, query.where)
        if ids is None:
            return None
        matches = compile_where(query.where)
        rows: list[dict[str, Json]] = []
        for looked, object_id in enumerate(ids, 1):
            document = objects.get(object_id)
            if document is not None and matches(document):
                rows.append(document)
                if len(rows) >= wanted:
                    break
            if looked % SLICE == 0:
                await asyncio.sleep(0)
        return rows

    def _named_ids(self, class_name: str, where: Where) -> Iterable[str] | None:
        """Ids that a condition narrows the class down to; ``None`` when it does not."""
        match where:
            case Compare("objectId", "eq", str(object_id)):
                return [object_id]
            case Compare(column, "eq", str(value)) if column in self._schema(class_name).unique:
                holder = self._unique.get((class_name, column, value))
                return [] if holder is None else [holder]
            case InList("objectId", values):
                return [str(value) for value in values]
            case All(parts):
                found = (self._named_ids(class_name, part) for part in parts)
                return next((ids for ids in found if ids is not None), None)
            case _:
                return None

    def _schema(self, class_name: str) -> ClassSchema:
        return self._schemas.get(class_name) or new_class(class_name)


def _relations_in(change: Change) -> Mapping[str, Relate]:
    match change:
        case Insert():
            return change.relations
        case Update():
            return relations_of(change.write)
        case Delete():
            return {}


def _creation(document: Mapping[str, Json]) -> tuple[str, str]:
    return str(document.get("createdAt")), str(document.get("objectId"))
