"""What a commit will do, worked out before any of it is done."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.contact import spellings
from lean_emulator.model.document import apply_write
from lean_emulator.model.predicate import compile_where
from lean_emulator.model.query import Where
from lean_emulator.model.schema import ClassSchema, admit_document, admit_write, new_class
from lean_emulator.storage.contract import Change, Committed, Delete, Insert, Update, absent

_Documents: TypeAlias = Mapping[str, dict[str, Json]]

Place: TypeAlias = tuple[Hashable, Hashable]
"""Column or index, and value."""
Holders: TypeAlias = dict[Place, str]
"""Which object of a class holds a value that no other may have."""
Counters: TypeAlias = dict[str, int]
"""The last number given out in a class, by column."""


class Kept(Protocol):
    """What a plan has to know of a class."""

    @property
    def documents(self) -> _Documents: ...

    @property
    def unique(self) -> Holders: ...

    @property
    def counters(self) -> Counters: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How many columns a class and how many classes an application may have; 0 is no limit.

    Columns that every class has do not count, nor do the platform's own classes.
    """

    columns: int = 0
    classes: int = 0


NO_LIMITS = Limits()


class Plan:
    """Takes changes one after another, each seeing the effects of those before it."""

    def __init__(
        self,
        classes: Mapping[str, Kept],
        schemas: Mapping[str, ClassSchema],
        limits: Limits = NO_LIMITS,
    ) -> None:
        self._classes = classes
        self._schemas = schemas
        self._limits = limits
        self.unique: dict[tuple[str, Place], str | None] = {}
        """By class and place; ``None`` for what nobody will hold any more."""
        self.counters: dict[tuple[str, str], int] = {}
        """By class and column."""
        self.documents: dict[tuple[str, str], dict[str, Json] | None] = {}
        self.born: set[tuple[str, str]] = set()
        """Class and id of what did not exist just before; later changes may have followed."""
        self.schemas: dict[str, ClassSchema] = {}

    def add(self, change: Change) -> Committed:
        before = self._current(change.class_name, change.object_id)
        match change:
            case Insert():
                after: dict[str, Json] | None = self._insert(change, before)
            case Update():
                after = self._update(change, before)
            case Delete():
                _check_guard(change.guard, before)
                after = None
        schema = self._schema(change.class_name)
        if schema.unique or schema.unique_indexes:
            self._move_unique(schema, change.object_id, before, after)
        self.documents[change.class_name, change.object_id] = after
        return Committed(change, before, after)

    def _current(self, class_name: str, object_id: str) -> dict[str, Json] | None:
        key = (class_name, object_id)
        if key in self.documents:
            return self.documents[key]
        kept = self._classes.get(class_name)
        return None if kept is None else kept.documents.get(object_id)

    def _schema(self, class_name: str) -> ClassSchema:
        known = self.schemas.get(class_name) or self._schemas.get(class_name)
        return known or new_class(class_name)

    def _insert(self, change: Insert, before: dict[str, Json] | None) -> dict[str, Json]:
        if before is not None:
            raise errors.DUPLICATE_VALUE(f"The objectId '{change.object_id}' is already taken.")
        schema = self._schema(change.class_name)
        grown = admit_document(schema, change.document)
        if change.relations:
            grown = admit_write(grown, change.relations)
        self._learn(schema, grown)
        key = (change.class_name, change.object_id)
        self.documents.pop(key, None)
        self.born.add(key)
        return change.document if grown.rules is None else self._numbered(grown, change.document)

    def _update(self, change: Update, before: dict[str, Json] | None) -> dict[str, Json]:
        if before is None:
            raise absent(change.class_name, change.object_id)
        _check_guard(change.guard, before)
        schema = self._schema(change.class_name)
        grown = admit_write(schema, change.write)
        self._learn(schema, grown)
        after = apply_write(before, change.write)
        after["updatedAt"] = change.updated_at
        if grown.rules is not None:
            for column in grown.rules.numbered:
                self._count_up_to(grown.name, column, after.get(column))
        return after

    def _learn(self, known: ClassSchema, grown: ClassSchema) -> None:
        """Take a class as it is now. Raises code 154 where it or its number is over a limit."""
        limits, name = self._limits, grown.name
        if limits.columns and grown is not known and grown.own_columns > limits.columns:
            raise errors.OVER_LIMIT(
                f"The class '{name}' would have more than {limits.columns} columns."
            )
        if limits.classes and not (name.startswith("_") or name in self._schemas):
            own = {n for n in (*self._schemas, *self.schemas, name) if not n.startswith("_")}
            if len(own) > limits.classes:
                raise errors.OVER_LIMIT(
                    f"The class '{name}' would be one too many: {limits.classes} are allowed."
                )
        self.schemas[name] = grown

    def _numbered(self, schema: ClassSchema, document: dict[str, Json]) -> dict[str, Json]:
        """The document with the next number in each column that counts and has none yet."""
        assert schema.rules is not None
        for column in schema.rules.numbered:
            if document.get(column) is None:
                document = {**document, column: self._last(schema.name, column) + 1}
            self._count_up_to(schema.name, column, document[column])
        return document

    def _count_up_to(self, class_name: str, column: str, value: Json) -> None:
        last = self._last(class_name, column)
        self.counters[class_name, column] = max(last, _whole(value))

    def _last(self, class_name: str, column: str) -> int:
        """The number that was given out last; 0 when there was none."""
        planned = self.counters.get((class_name, column))
        if planned:
            return planned
        kept = self._classes.get(class_name)
        return 0 if kept is None else kept.counters.get(column, 0)

    def _move_unique(
        self,
        schema: ClassSchema,
        object_id: str,
        before: Mapping[str, Json] | None,
        after: Mapping[str, Json] | None,
    ) -> None:
        old, new = _places(schema, before), _places(schema, after)
        for place in old.keys() - new.keys():
            self.unique[schema.name, place] = None
        for place, columns in new.items():
            if place in old:
                continue
            holder = self._holder(schema.name, place)
            if holder is not None and holder != object_id:
                raise _taken(columns)
            self.unique[schema.name, place] = object_id

    def _holder(self, class_name: str, place: Place) -> str | None:
        if (class_name, place) in self.unique:
            return self.unique[class_name, place]
        kept = self._classes.get(class_name)
        return None if kept is None else kept.unique.get(place)


def held(schema: ClassSchema, objects: _Documents) -> Holders:
    """The values of a class that no two objects may have. Raises ``DuplicateValue``."""
    holders: Holders = {}
    for object_id, document in objects.items():
        for place, columns in _places(schema, document).items():
            if place in holders:
                raise _taken(columns)
            holders[place] = object_id
    return holders


def counted(schema: ClassSchema, objects: _Documents) -> Counters:
    """How far the numbered columns of a class have got."""
    columns = () if schema.rules is None else schema.rules.numbered
    return {
        column: max((_whole(row.get(column)) for row in objects.values()), default=0)
        for column in columns
    }


def _places(schema: ClassSchema, document: Mapping[str, Json] | None) -> dict[Place, str]:
    """Every unique value of a document, with the columns it is in."""
    if document is None:
        return {}
    found: dict[Place, str] = {}
    for column in schema.unique:
        value = document.get(column)
        if isinstance(value, str | int | float):
            for same in _spelled(schema.name, column, value):
                found[column, same] = column
    for index in schema.unique_indexes:
        for entry in index.entries(document):
            found[("index", index.name), entry] = index.columns
    return found


def _spelled(class_name: str, column: str, value: str | float) -> tuple[str | float, ...]:
    """All ways to write a unique value: a phone number has two that are one number."""
    if isinstance(value, str) and (class_name, column) == ("_User", "mobilePhoneNumber"):
        return spellings(value)
    return (value,)


def _whole(value: Json) -> int:
    if isinstance(value, int | float) and math.isfinite(value):
        return math.floor(value)
    return 0


def _taken(columns: str) -> errors.DuplicateValue:
    taken = errors.DUPLICATE_VALUE()
    taken.field = columns
    return taken


def _check_guard(guard: Where | None, document: dict[str, Json] | None) -> None:
    if guard is not None and (document is None or not compile_where(guard)(document)):
        raise errors.NO_EFFECT()
