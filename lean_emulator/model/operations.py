"""What a write does to one field (storage.md 3.5)."""

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.base.record import record
from lean_emulator.model.identity import identity
from lean_emulator.model.values import MISSING, Missing, normalise

Number: TypeAlias = int | float
Write: TypeAlias = Mapping[str, "Operation"]
"""Field name (dotted on update) to what happens to it."""


class Operation:
    """One change of one field; ``apply`` returns the new value and never edits the old.

    Not an ``ABC``: every write asks several times which operation it has, and asking the instance
    of an ``ABC`` costs ten times as much.
    """

    __slots__ = ()

    @abstractmethod
    def apply(self, old: Json | Missing) -> Json | Missing: ...

    @property
    def is_assignment(self) -> bool:
        """Whether the new value does not depend on the old one."""
        return False


@record
class Set(Operation):
    """Assign a value, null included."""

    value: Json

    def apply(self, old: Json | Missing) -> Json | Missing:
        return self.value

    @property
    def is_assignment(self) -> bool:
        return True


@record
class Unset(Operation):
    """Remove the field."""

    def apply(self, old: Json | Missing) -> Json | Missing:
        return MISSING

    @property
    def is_assignment(self) -> bool:
        return True


@record
class Increment(Operation):
    """Add a number; a missing field counts as 0. A sum that no double holds raises code 1."""

    amount: Number

    def apply(self, old: Json | Missing) -> Json | Missing:
        total = _number(old) + self.amount
        if isinstance(total, float) and not math.isfinite(total):
            raise errors.INVALID_REQUEST(f"{old} plus {self.amount} is out of range.")
        return total


@record
class Add(Operation):
    """Append all, keeping duplicates."""

    objects: tuple[Json, ...]

    def apply(self, old: Json | Missing) -> Json | Missing:
        return [*_list(old), *self.objects]


@record
class AddUnique(Operation):
    """Append what is not there yet; duplicates that are there already stay."""

    objects: tuple[Json, ...]

    def apply(self, old: Json | Missing) -> Json | Missing:
        members = list(_list(old))
        there = set(map(identity, members))
        for item in self.objects:
            if (key := identity(item)) not in there:
                there.add(key)
                members.append(item)
        return members


@record
class Remove(Operation):
    """Drop every member equal to one of the given; a missing list becomes an empty one."""

    objects: tuple[Json, ...]

    def apply(self, old: Json | Missing) -> Json | Missing:
        unwanted = set(map(identity, self.objects))
        return [item for item in _list(old) if identity(item) not in unwanted]


@record
class Bitwise(Operation):
    """And, or, xor on an integer; a missing field gives 0 for *and*, else the value."""

    word: str
    value: int

    def apply(self, old: Json | Missing) -> Json | Missing:
        if old is None or isinstance(old, Missing):
            return 0 if self.word == "BitAnd" else self.value
        number = _number(old)
        if not isinstance(number, int):
            raise errors.WRONG_TYPE(f"{self.word} wants an integer, the field holds {number}.")
        return _BITS[self.word](number, self.value)


@record
class Relate(Operation):
    """Take objects out of a relation, then put others in; the document itself does not change."""

    class_name: str | None
    """Class of the members; ``None`` when no member was named."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """May name some of ``added``: out and in again goes to the end."""

    def apply(self, old: Json | Missing) -> Json | Missing:
        return MISSING

    def then(self, field: str, later: "Relate") -> "Relate":
        """Both as one. Raises code 111 when they speak of different classes."""
        classes = {name for name in (self.class_name, later.class_name) if name is not None}
        if len(classes) > 1:
            raise errors.WRONG_TYPE(
                f"The relation '{field}' cannot hold objects of {' and '.join(sorted(classes))}."
            )
        gone = frozenset(later.removed)
        return Relate(
            next(iter(classes), None),
            (*(member for member in self.added if member not in gone), *later.added),
            (*self.removed, *later.removed),
        )


@record
class Then(Operation):
    """Two operations of one request on the same field, one after the other."""

    first: Operation
    second: Operation

    def apply(self, old: Json | Missing) -> Json | Missing:
        return self.second.apply(self.first.apply(old))


def merged(field: str, first: Operation, second: Operation) -> Operation:
    """One operation that does what both do, in their order."""
    if isinstance(first, Relate) and isinstance(second, Relate):
        return first.then(field, second)
    if isinstance(first, Relate) or isinstance(second, Relate):
        raise errors.WRONG_TYPE(f"'{field}' cannot be a relation and something else.")
    return second if second.is_assignment else Then(first, second)


_BITS: dict[str, Callable[[int, int], int]] = {
    "BitAnd": lambda old, value: old & value,
    "BitOr": lambda old, value: old | value,
    "BitXor": lambda old, value: old ^ value,
}


def parse_write(body: Mapping[str, Json]) -> dict[str, Operation]:
    """Read a body's members as operations; plain values become ``Set``.

    Raises code 1 for an operation that does not exist, ``NotBuilt`` for one that does but not here.
    """
    return {
        field: parse_operation(field, raw)
        for field, raw in body.items()
        if not _is_relation_stub(raw)  # SDKs send back what they were shown; it says nothing
    }


def _is_relation_stub(raw: Json) -> bool:
    return isinstance(raw, dict) and raw.get("__type") == "Relation"


def parse_operation(field: str, raw: Json) -> Operation:
    """One member; see ``parse_write``."""
    if not (isinstance(raw, dict) and "__op" in raw):
        return Set(normalise(raw))
    word = raw["__op"]
    reader = _READERS.get(word) if isinstance(word, str) else None
    if reader is None:
        raise errors.INVALID_REQUEST(f"Unknown operation {word!r} for field '{field}'.")
    return reader(field, raw)


def _number(old: Json | Missing) -> Number:
    if old is None or isinstance(old, Missing):
        return 0
    if isinstance(old, bool) or not isinstance(old, int | float):
        raise errors.WRONG_TYPE(f"A number is expected, the field holds {_described(old)}.")
    return old


def _list(old: Json | Missing) -> list[Json]:
    if old is None or isinstance(old, Missing):
        return []
    if not isinstance(old, list):
        raise errors.WRONG_TYPE(f"An array is expected, the field holds {_described(old)}.")
    return old


def _described(value: Json) -> str:
    return f"{type(value).__name__} {str(value)[:60]}"


def _amount(field: str, raw: Mapping[str, Json]) -> Number:
    amount = raw.get("amount", 1)
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise errors.INVALID_REQUEST(
            f"{raw['__op']} of field '{field}' wants a number as amount, got {amount!r}."
        )
    return amount


def _objects(field: str, raw: Mapping[str, Json]) -> tuple[Json, ...]:
    objects = raw.get("objects")
    if not isinstance(objects, list):
        raise errors.INVALID_REQUEST(
            f"{raw['__op']} of field '{field}' wants a list as objects, got {objects!r}."
        )
    return tuple(normalise(item) for item in objects)


def _bits(field: str, raw: Mapping[str, Json]) -> Operation:
    value = raw.get("value")
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.INVALID_REQUEST(
            f"{raw['__op']} of field '{field}' wants an integer as value, got {value!r}."
        )
    return Bitwise(str(raw["__op"]), value)


MAX_RELATED = 1_000
"""Members one operation may name (storage.md 2.4)."""


def _related(field: str, raw: Mapping[str, Json]) -> tuple[str | None, tuple[str, ...]]:
    objects = raw.get("objects")
    if not isinstance(objects, list) or len(objects) > MAX_RELATED:
        raise errors.INVALID_RELATION(
            f"{raw['__op']} of field '{field}' wants a list of at most {MAX_RELATED} pointers."
        )
    members = [normalise(item) for item in objects]
    for member in members:
        if not (isinstance(member, dict) and member.get("__type") == "Pointer"):
            raise errors.INVALID_POINTER(
                f"{raw['__op']} of field '{field}' wants pointers, got {str(member)[:80]!r}."
            )
    pointers = [member for member in members if isinstance(member, dict)]
    classes = {str(member["className"]) for member in pointers}
    if len(classes) > 1:
        raise errors.WRONG_TYPE(
            f"The relation '{field}' cannot hold objects of {' and '.join(sorted(classes))}."
        )
    return next(iter(classes), None), tuple(str(member["objectId"]) for member in pointers)


def _add_relation(field: str, raw: Mapping[str, Json]) -> Operation:
    class_name, ids = _related(field, raw)
    return Relate(class_name, added=ids)


def _remove_relation(field: str, raw: Mapping[str, Json]) -> Operation:
    class_name, ids = _related(field, raw)
    return Relate(class_name, removed=ids)


def _relation_batch(field: str, raw: Mapping[str, Json]) -> Operation:
    """A list of relation operations; lists of others are refused (storage.md 3.5)."""
    ops = raw.get("ops")
    if not isinstance(ops, list):
        raise errors.INVALID_REQUEST(f"Batch of field '{field}' wants a list as ops.")
    whole = Relate(None)
    for op in ops:
        part = parse_operation(field, op)
        if not isinstance(part, Relate):
            raise errors.DATABASE_ERROR("Invalid array operation")
        whole = whole.then(field, part)
    return whole


_READERS: dict[str, Callable[[str, Mapping[str, Json]], Operation]] = {
    "Increment": lambda field, raw: Increment(_amount(field, raw)),
    "Decrement": lambda field, raw: Increment(-_amount(field, raw)),
    "Add": lambda field, raw: Add(_objects(field, raw)),
    "AddUnique": lambda field, raw: AddUnique(_objects(field, raw)),
    "Remove": lambda field, raw: Remove(_objects(field, raw)),
    "Delete": lambda field, raw: Unset(),
    "BitAnd": _bits,
    "BitOr": _bits,
    "BitXor": _bits,
    "AddRelation": _add_relation,
    "RemoveRelation": _remove_relation,
    "Batch": _relation_batch,
}
OPERATIONS = tuple(_READERS)
"""Names of the operations that work, for the coverage page."""
