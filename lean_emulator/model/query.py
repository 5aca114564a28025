"""Questions to storage: a small closed tree and what surrounds it (storage.md 4)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lean_emulator.base.jsontext import Json
from lean_emulator.base.record import record

CompareOp: TypeAlias = Literal["eq", "lt", "lte", "gt", "gte"]


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; with no parts, everything."""

    parts: tuple["Where", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple["Where", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold, also where the field is missing."""

    part: "Where"


@dataclass(frozen=True, slots=True)
class Compare:
    """A field against a normalised value; a list field matches by any of its members."""

    path: str
    op: CompareOp
    value: Json


@dataclass(frozen=True, slots=True)
class InList:
    """The field equals, or as a list contains, one of the values."""

    path: str
    values: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class HasAll:
    """The list field contains every value."""

    path: str
    values: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class HasSize:
    """The list field has exactly this many members."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there; a stored null counts as there."""

    path: str


@dataclass(frozen=True, slots=True)
class Matches:
    """The text matches a pattern, unanchored; ``options`` out of ``imsx``."""

    path: str
    pattern: str
    options: str = ""


@dataclass(frozen=True, slots=True)
class ReadableBy:
    """The object's ACL lets one of these read it; an object without an ACL is public."""

    grantees: frozenset[str]


@dataclass(frozen=True, slots=True)
class Near:
    """The GeoPoint lies between two distances from a point; radians on the unit sphere.

    Without an order, results of a query that has this go from near to far.
    """

    path: str
    latitude: float
    longitude: float
    least: float = 0.0
    most: float = math.inf


@dataclass(frozen=True, slots=True)
class Within:
    """The GeoPoint lies in a rectangle, its edges included."""

    path: str
    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True, slots=True)
class InQuery:
    """The pointer's target is among the rows of a query."""

    path: str
    query: "Query"


@dataclass(frozen=True, slots=True)
class Select:
    """The value is among the values of ``key`` in the rows of a query."""

    path: str
    query: "Query"
    key: str


@dataclass(frozen=True, slots=True)
class RelatedTo:
    """The object is a member of the relation ``key`` of one owner."""

    owner_class: str
    owner_id: str
    key: str


Where: TypeAlias = (
    All
    | AnyOf
    | Not
    | Compare
    | InList
    | HasAll
    | HasSize
    | Exists
    | Matches
    | ReadableBy
    | Near
    | Within
    | InQuery
    | Select
    | RelatedTo
)
"""``InQuery``, ``Select`` and ``RelatedTo`` are answered before storage sees the tree."""
EVERYTHING = All()


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key."""

    path: str
    descending: bool = False


@record
class Keys:
    """Which fields an answer shows; without ``shown`` all, less ``hidden``."""

    shown: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Query:
    """What ``Storage.find`` and ``count`` take; the reader's rights are part of ``where``."""

    class_name: str
    where: Where = EVERYTHING
    order: tuple[Order, ...] = ()
    skip: int = 0
    limit: int = 100
    keys: Keys = field(default_factory=Keys)


def both(left: Where, right: Where) -> Where:
    """The conjunction, flat where it can be."""
    parts = [
        part
        for where in (left, right)
        for part in (where.parts if isinstance(where, All) else (where,))
    ]
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def paths_of(where: Where) -> Iterator[str]:
    """The paths that a tree has conditions on; not those of its sub-queries."""
    match where:
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from paths_of(part)
        case Not(part):
            yield from paths_of(part)
        case RelatedTo() | ReadableBy():
            return
        case _:
            yield where.path
