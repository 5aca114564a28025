"""One class in memory: its documents and everything that is kept to find and to check them."""

import asyncio
from collections.abc import Collection, Iterable, Mapping

from lean_emulator.base.jsontext import Json
from lean_emulator.model.predicate import compile_where
from lean_emulator.model.query import EVERYTHING, All, Compare, InList, Order, Query, Where
from lean_emulator.storage.indexes import ClassIndexes
from lean_emulator.storage.plan import Counters, Holders
from lean_emulator.storage.relations import Relations

SLICE = 10_000
"""Documents a scan looks at before it lets others run."""


class Table:
    """A class. Storages that were forked from each other share it until one of them writes.

    Whoever wants to change it while it has more than one of ``holders`` takes a copy first. So a
    scan that others interrupt may go on in a table that its storage has left meanwhile.
    """

    __slots__ = ("counters", "documents", "holders", "indexes", "relations", "stamp", "unique")

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Json]] = {}
        self.unique: Holders = {}
        self.counters: Counters = {}
        self.relations = Relations()
        self.indexes = ClassIndexes()
        self.holders = 1
        self.stamp = object()
        """Another one after every write."""

    def copy(self) -> "Table":
        """The same content for one holder, to be changed apart.

        Costs the number of objects, about a tenth of a microsecond each and as much for each
        index; never their size, because documents are shared.
        """
        other = Table()
        other.documents = dict(self.documents)
        other.unique = dict(self.unique)
        other.counters = dict(self.counters)
        other.relations = self.relations.copy()
        other.indexes = self.indexes.copy()
        return other

    async def matching(
        self, where: Where, few: list[dict[str, Json]] | None, enough: int | None
    ) -> list[dict[str, Json]]:
        """Matching documents in order of creation, at most ``enough``, out of ``few`` if given."""
        candidates = list(self.documents.values()) if few is None else few
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

    async def prepare(self, query: Query, unique: Collection[str]) -> None:
        """Let indexes grow where the query keeps asking for them."""
        if self._named_ids(query.where, unique) is None:
            await self.indexes.prepare(self.documents, query.where, query.order)

    def few(self, where: Where, unique: Collection[str]) -> list[dict[str, Json]] | None:
        """What an equality on a ``unique`` column or an index leaves; ``None`` for everything."""
        objects = self.documents
        ids = self._named_ids(where, unique)
        if ids is not None:
            named = {object_id: objects[object_id] for object_id in ids if object_id in objects}
            return sorted(named.values(), key=_creation)
        numbers = self.indexes.narrowed(objects, where)
        if numbers is None:
            return None
        return [objects[object_id] for object_id in sorted(numbers, key=numbers.__getitem__)]

    async def walked(self, where: Where, order: Order, wanted: int) -> list[dict[str, Json]] | None:
        """The first matches in order by way of an index; ``None`` where there is none."""
        ids = self.indexes.ordered(order, where)
        if ids is None:
            return None
        objects, matches = self.documents, compile_where(where)
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

    def _named_ids(self, where: Where, unique: Collection[str]) -> Iterable[str] | None:
        """Ids that a condition narrows the class down to; ``None`` when it does not."""
        match where:
            case Compare("objectId", "eq", str(object_id)):
                return [object_id]
            case Compare(column, "eq", str(value)) if column in unique:
                holder = self.unique.get((column, value))
                return [] if holder is None else [holder]
            case InList("objectId", values):
                return [str(value) for value in values]
            case All(parts):
                found = (self._named_ids(part, unique) for part in parts)
                return next((ids for ids in found if ids is not None), None)
            case _:
                return None


def _creation(document: Mapping[str, Json]) -> tuple[str, str]:
    return str(document.get("createdAt")), str(document.get("objectId"))
