"""Around ``storage.find``: sub-queries and relations before it, included objects after it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeGuard

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import may, read_filter
from lean_emulator.model.behaviour import USUAL, Behaviour
from lean_emulator.model.predicate import reach
from lean_emulator.model.query import (
    All,
    AnyOf,
    Compare,
    HasAll,
    InList,
    InQuery,
    Not,
    Query,
    ReadableBy,
    RelatedTo,
    Select,
    Where,
    both,
    paths_of,
)
from lean_emulator.model.schema import ClassSchema, new_class
from lean_emulator.model.values import Missing, pointer, type_of
from lean_emulator.service.call import Call
from lean_emulator.service.permissions import Permissions
from lean_emulator.service.visibility import unseen_columns
from lean_emulator.storage.contract import Storage

Fields: TypeAlias = dict[str, Json]
Show: TypeAlias = Callable[[str, Fields], Awaitable[Fields]]
"""What of a document of a class the reader gets to see."""
Target: TypeAlias = Callable[[Call, str, str], Awaitable[Fields | None]]
"""The object of a class and id, when the caller may see it."""

MAX_DEPTH = 10
"""Pointers behind pointers that one path of an ``include`` follows."""
MAX_INCLUDED = 20_000
"""Objects that ``include`` puts into one answer; objects that point at each other would fill it."""

_NOWHERE = ""
_WITHOUT_PATH = (All, AnyOf, Not, RelatedTo, ReadableBy)


class Finder:
    """Finds documents on behalf of somebody; the reader's rights hold for inner queries too."""

    def __init__(
        self, storage: Storage, permissions: Permissions, behaviour: Behaviour = USUAL
    ) -> None:
        self._storage = storage
        self._permissions = permissions
        self._behaviour = behaviour

    async def find(self, call: Call, query: Query) -> list[Fields]:
        """Readable documents, as stored."""
        return await self._storage.find(await self.readable(call, query))

    async def count(self, call: Call, query: Query) -> int:
        """How many are readable, whatever skip and limit."""
        return await self._storage.count(await self.readable(call, query))

    async def readable(self, call: Call, query: Query) -> Query:
        """The query as storage takes it: sub-queries answered, the reader's rights added.

        Raises 403 where the class may not be queried; that holds for the inner ones too.
        """
        reader, schema = call.principal, self._schema(query.class_name)
        ruling = may(reader, "find", schema)
        if not ruling:
            await self._permissions.refuse(call, ruling)
        if self._behaviour.unknown_keys_fail:
            _refuse_unknown(schema, query)
        if reader.user is not None:
            reader = await self._permissions.with_roles(reader)
        where = await self.resolved(call, query.class_name, query.where)
        unseen = unseen_columns(reader, schema)
        order = tuple(key for key in query.order if _column(key.path) not in unseen)
        return replace(query, where=both(where, read_filter(reader)), order=order)

    async def resolved(
        self, call: Call, class_name: str, where: Where, object_id: str | None = None
    ) -> Where:
        """The tree without sub-queries and relations, which become lists of what they gave.

        Conditions on what the principal may not see are conditions on a field that nobody has.
        ``object_id`` is the one object that is asked about, if it is only one.
        """
        schema = self._schema(class_name)
        unseen = unseen_columns(call.principal, schema, object_id)
        return await self._resolved(call, class_name, where, unseen)

    async def _resolved(
        self, call: Call, class_name: str, where: Where, unseen: frozenset[str]
    ) -> Where:
        if not isinstance(where, _WITHOUT_PATH) and _column(where.path) in unseen:
            where = replace(where, path=_NOWHERE)
        match where:
            case All(parts):
                return All(await self._all_resolved(call, class_name, parts, unseen))
            case AnyOf(parts):
                return AnyOf(await self._all_resolved(call, class_name, parts, unseen))
            case Not(part):
                return Not(await self._resolved(call, class_name, part, unseen))
            case InQuery(path, query):
                rows = await self.find(call, query)
                targets = [pointer(query.class_name, str(row["objectId"])) for row in rows]
                return await self._of_owners(class_name, InList(path, tuple(targets)))
            case Select(path, query, key):
                rows = await self.find(call, query)
                key = _NOWHERE if self._unseen(call, query.class_name, key) else key
                return InList(path, tuple(_values(rows, key)))
            case RelatedTo(owner_class, owner_id, key):
                members = await self._members(call, owner_class, owner_id, key)
                return InList("objectId", tuple(members))
            case Compare(_, "eq") | InList() | HasAll():
                return await self._of_owners(class_name, where)
            case _:
                return where

    async def _all_resolved(
        self, call: Call, class_name: str, parts: Sequence[Where], unseen: frozenset[str]
    ) -> tuple[Where, ...]:
        return tuple([await self._resolved(call, class_name, part, unseen) for part in parts])

    async def _members(self, call: Call, owner_class: str, owner_id: str, key: str) -> list[str]:
        """Ids in a relation; none where the reader may not see it, or whose it is."""
        if self._unseen(call, owner_class, key):
            return []
        owner = await self._storage.get(owner_class, owner_id)
        if owner is None:
            return []
        schema, acl = self._schema(owner_class), owner.get("ACL")
        if not await self._permissions.sees(call.principal, schema, owner_id, acl):
            return []
        return await self._storage.related(owner_class, owner_id, key)

    async def _of_owners(self, class_name: str, where: Compare | InList | HasAll) -> Where:
        """A condition on who is in a relation, as one on the owners; any other as it is."""
        column = self._schema(class_name).columns.get(where.path)
        wanted = (where.value,) if isinstance(where, Compare) else where.values
        if column is None or column.type != "Relation" or not any(map(_is_pointer, wanted)):
            return where
        found = [
            await self._storage.owners(class_name, where.path, str(value["objectId"]))
            if _is_pointer(value) and value["className"] == column.class_name
            else []
            for value in wanted
        ]
        if isinstance(where, HasAll):
            return All(tuple(InList("objectId", tuple(owners)) for owners in found))
        return InList("objectId", tuple(dict.fromkeys(i for owners in found for i in owners)))

    async def include(
        self, call: Call, rows: Sequence[Fields], paths: Sequence[str], show: Show
    ) -> list[Fields]:
        """The rows with the pointers at ``paths`` replaced by their objects.

        Levels on the way are included too. A target that is missing or not readable stays a bare
        pointer (storage.md 4.5). Raises ``InvalidQuery`` for more than ``MAX_INCLUDED`` objects.
        """
        tree: dict[str, object] = {}
        for path in paths:
            node = tree
            for part in path.split(".")[:MAX_DEPTH]:
                node = node.setdefault(part, {})  # type: ignore[assignment]  # a tree of itself
        expander = _Expander(self._target, call, show, self._behaviour.missing_include_is_null)
        return [await expander.fields(row, tree) for row in rows]

    async def _target(self, call: Call, class_name: str, object_id: str) -> Fields | None:
        """An object to be included; ``None`` where there is none, or none to be seen."""
        found = await self._storage.get(class_name, object_id)
        if found is None:
            return None
        schema, acl = self._schema(class_name), found.get("ACL")
        seen = await self._permissions.sees(call.principal, schema, object_id, acl)
        return found if seen else None

    def _unseen(self, call: Call, class_name: str, path: str) -> bool:
        return _column(path) in unseen_columns(call.principal, self._schema(class_name))

    def _schema(self, class_name: str) -> ClassSchema:
        return self._storage.classes().get(class_name) or new_class(class_name)


class _Expander:
    """One answer's included objects; each is fetched once."""

    def __init__(self, target: Target, call: Call, show: Show, missing_is_null: bool) -> None:
        self._target_of = target
        self._call = call
        self._show = show
        self._missing_is_null = missing_is_null
        self._fetched: dict[tuple[str, str], Fields | None] = {}
        self._included = 0

    async def fields(self, fields: Fields, tree: Mapping[str, object]) -> Fields:
        result = dict(fields)
        for name, below in tree.items():
            if name in result and isinstance(below, dict):
                result[name] = await self._value(result[name], below)
        return result

    async def _value(self, value: Json, below: Mapping[str, object]) -> Json:
        if isinstance(value, list):
            return [await self._value(item, below) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get("__type") != "Pointer":
            return await self.fields(value, below)
        class_name, object_id = value.get("className"), value.get("objectId")
        if not (isinstance(class_name, str) and isinstance(object_id, str)):
            return value  # inside of a value that was stored as it came
        target = await self._target(class_name, object_id)
        if target is None:
            return None if self._missing_is_null else value
        self._included += 1
        if self._included > MAX_INCLUDED:
            raise errors.INVALID_QUERY(
                f"include brings more than {MAX_INCLUDED} objects into one answer."
            )
        expanded = await self.fields(target, below)
        return {**expanded, "__type": "Pointer", "className": class_name}

    async def _target(self, class_name: str, object_id: str) -> Fields | None:
        key = (class_name, object_id)
        if key not in self._fetched:
            found = await self._target_of(self._call, class_name, object_id)
            self._fetched[key] = None if found is None else await self._show(class_name, found)
        return self._fetched[key]


def _refuse_unknown(schema: ClassSchema, query: Query) -> None:
    """Raise code 700 for a condition or an order on a column that the class does not have."""
    asked = [*paths_of(query.where), *(order.path for order in query.order)]
    for path in asked:
        if path.partition(".")[0] not in schema.columns:
            raise errors.UNKNOWN_QUERY_KEY(
                f"The class '{schema.name}' has no column '{path.partition('.')[0]}'."
            )


def _is_pointer(value: Json) -> TypeGuard[Fields]:
    return type_of(value) == "Pointer"


def _column(path: str) -> str:
    return path.partition(".")[0]


def _values(rows: Sequence[Fields], key: str) -> list[Json]:
    """The values of a key in some rows; lists give their members."""
    found: list[Json] = []
    for row in rows:
        for value in reach(row, key.split(".")):
            if isinstance(value, Missing):
                continue
            found += value if isinstance(value, list) else [value]
    return found
