"""A ``Where`` tree as one Python expression, compiled once per shape of query.

Values are bound by name and never become source; field names enter as quoted literals. Two queries
that differ only in their values share the compiled code.
"""

import heapq
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Any, TypeAlias, TypeVar

from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import PUBLIC_ACL, granted
from lean_emulator.model.geo import coordinates, distance
from lean_emulator.model.identity import identity
from lean_emulator.model.pattern import Pattern
from lean_emulator.model.query import (
    All,
    AnyOf,
    Compare,
    Exists,
    HasAll,
    HasSize,
    InList,
    Matches,
    Near,
    Not,
    Order,
    ReadableBy,
    Where,
    Within,
)
from lean_emulator.model.values import MISSING, Document, Missing, holds, order_key, same, type_of

Predicate: TypeAlias = Callable[[Document], bool]
D = TypeVar("D", bound=Document)

_COMPARE = {"lt": lt, "lte": le, "gt": gt, "gte": ge}
_SIGN = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_GUARD = {
    bool: "({X}.__class__ is bool and {x} {op} {v})",
    int: "({X}.__class__ in NUMBERS and {x} {op} {v})",
    float: "({X}.__class__ in NUMBERS and {x} {op} {v})",
    str: "({X}.__class__ is str and {x} {op} {v})",
}


def compile_where(where: Where) -> Predicate:
    """A function that tells whether a document matches."""
    source = _Source()
    body = source.expression(where)
    factory: Callable[..., Predicate] = _factory(body, len(source.values))
    return factory(*source.values)


@lru_cache(maxsize=1_000)
def _factory(body: str, values: int) -> Any:
    names = ", ".join(f"v{i}" for i in range(values))
    # The text is made of our templates, quoted field names and the names v0, v1, …: no client text.
    return eval(f"lambda {names}: lambda d: {body}", dict(_ENVIRONMENT))  # noqa: S307 - generated source, see above


class _Source:
    """Collects the values while it writes the expression."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._variables = 0

    def expression(self, where: Where) -> str:
        match where:
            case All(parts):
                return self._joined(parts, " and ", "True")
            case AnyOf(parts):
                return self._joined(parts, " or ", "False")
            case Not(part):
                return f"(not {self.expression(part)})"
            case Compare(path, "eq", value):
                return self._equal(path, value)
            case Compare(path, op, value):
                return self._compared(path, op, value)
            case InList(path, values):
                return self._in_list(path, values)
            case _:
                return self._on(*self._plain(where))

    def _plain(self, where: Where) -> tuple[str, str, Any]:
        match where:
            case Near(path):
                return path, "near({X}, {v})", where
            case Within(path):
                return path, "within({X}, {v})", where
            case Exists(path):
                return path, "({X} is not MISSING)", None
            case HasAll(path, values):
                return path, "has_all({X}, {v})", frozenset(map(identity, values))
            case HasSize(path, size):
                return path, "({X}.__class__ is list and len({x}) == {v})", size
            case Matches(path, pattern, options):
                return path, "{v}.found({X})", Pattern(pattern, options)
            case ReadableBy(grantees):
                return "ACL", "({X} is PUBLIC_ACL or granted({x}, 'read', {v}))", grantees
            case _:
                raise TypeError(f"{type(where).__name__} must be answered before it is compiled")

    def _joined(self, parts: Sequence[Where], word: str, empty: str) -> str:
        if not parts:
            return empty
        return f"({word.join(self.expression(part) for part in sorted(parts, key=_cost))})"

    def _on(self, path: str, template: str, value: Any = None, **extra: str) -> str:
        """Fill a template in; ``{X}`` stands where the field is read first, ``{x}`` after that."""
        if "{v}" in template:
            extra["v"] = f"v{len(self.values)}"
            self.values.append(value)
        if "." in path:
            inner = template.format(X="x", x="x", **extra)
            return f"anywhere(d, {tuple(path.split('.'))!r}, lambda x: {inner})"
        name = f"x{self._variables}"
        self._variables += 1
        return template.format(X=f"({name} := d.get({path!r}, MISSING))", x=name, **extra)

    def _equal(self, path: str, value: Json) -> str:
        if value is None:
            template = "({X} is None or {x} is MISSING or {x}.__class__ is list and None in {x})"
            return self._on(path, template)
        if isinstance(value, bool):
            return self._on(
                path, "({X} is {v} or {x}.__class__ is list and holds({x}, {v}))", value
            )
        if isinstance(value, str):
            return self._on(path, "({X} == {v} or {x}.__class__ is list and {v} in {x})", value)
        if isinstance(value, int | float):
            template = (
                "({X} == {v} and {x}.__class__ is not bool"
                " or {x}.__class__ is list and holds({x}, {v}))"
            )
            return self._on(path, template, value)
        return self._on(path, "equal({X}, {v})", value)

    def _compared(self, path: str, op: str, value: Json) -> str:
        if value is None:
            return self._equal(path, None) if op in ("lte", "gte") else "False"
        guard = _GUARD.get(type(value))
        if guard is not None:
            template = f"({guard} or {{x}}.__class__ is list and any_{op}({{x}}, {{v}}))"
            return self._on(path, template, value, op=_SIGN[op])
        return self._on(path, f"any_{op}({{X}}, {{v}})", value)

    def _in_list(self, path: str, values: tuple[Json, ...]) -> str:
        places = _pointer_places(values)
        if places:
            return self._on(path, "points_to({X}, {v})", places)
        if values and all(isinstance(value, str) for value in values):
            template = (
                "(({X}.__class__ is str and {x} in {v})"
                " or {x}.__class__ is list and any_of({x}, {v}))"
            )
            return self._on(path, template, frozenset(values))
        return self._on(path, "one_of({X}, {v})", frozenset(map(identity, values)))


def _cost(where: Where) -> int:
    match where:
        case Compare(_, "eq", str() | int() | float() | bool()):
            return 0
        case Compare() | Exists():
            return 1
        case InList() | HasSize():
            return 2
        case Matches():
            return 5
        case _:
            return 3


def reach(holder: Json | Missing, path: Sequence[str]) -> Iterable[Json | Missing]:
    """Values at a dotted path; lists of objects on the way fan out (storage.md 4.2)."""
    if not path:
        yield holder
    elif isinstance(holder, list):
        found = [item for item in holder if isinstance(item, dict)]
        for item in found:
            yield from reach(item, path)
        if not found:
            yield MISSING
    elif isinstance(holder, dict):
        yield from reach(holder.get(path[0], MISSING), path[1:])
    else:
        yield MISSING


def _anywhere(document: Json, path: Sequence[str], test: Callable[[Any], bool]) -> bool:
    return any(test(value) for value in reach(document, path))


def _equal(value: Json | Missing, wanted: Json) -> bool:
    if isinstance(value, Missing):
        return False
    return same(value, wanted) or (isinstance(value, list) and holds(value, wanted))


def _one_of(value: Json | Missing, wanted: frozenset[Hashable]) -> bool:
    """``wanted`` holds identities, as ``_has_all`` takes them too."""
    if isinstance(value, Missing):
        return None in wanted
    if identity(value) in wanted:
        return True
    return isinstance(value, list) and any(identity(member) in wanted for member in value)


def _has_all(value: Json | Missing, wanted: frozenset[Hashable]) -> bool:
    if isinstance(value, Missing) or not wanted:
        return False
    return wanted <= set(map(identity, value if isinstance(value, list) else [value]))


def _near(value: Json | Missing, where: Near) -> bool:
    apart = distance(where.latitude, where.longitude, value)
    return apart is not None and where.least <= apart <= where.most


def _within(value: Json | Missing, where: Within) -> bool:
    point = coordinates(value)
    if point is None or not where.south <= point[0] <= where.north:
        return False
    if where.west <= where.east:
        return where.west <= point[1] <= where.east
    return point[1] >= where.west or point[1] <= where.east  # across the date line


def _pointer_places(values: Sequence[Json]) -> frozenset[tuple[str, str]]:
    """Class and id of values that are all pointers; empty when they are not."""
    if not all(type_of(value) == "Pointer" for value in values):
        return frozenset()
    return frozenset(
        (str(value["className"]), str(value["objectId"]))
        for value in values
        if isinstance(value, dict)
    )


def _points_to(value: Json | Missing, places: frozenset[tuple[str, str]]) -> bool:
    if isinstance(value, dict):
        return (value.get("className"), value.get("objectId")) in places and (
            value.get("__type") == "Pointer"
        )
    return isinstance(value, list) and any(_points_to(item, places) for item in value)


def _any_of(members: list[Json], wanted: frozenset[Json]) -> bool:
    return any(isinstance(member, str) and member in wanted for member in members)


def _any_compared(op: Callable[[Any, Any], bool]) -> Callable[[Json | Missing, Json], bool]:
    def test(value: Json | Missing, wanted: Json) -> bool:
        key = order_key(wanted)
        for item in value if isinstance(value, list) else [value]:
            other = order_key(item)
            if other[0] == key[0] and type_of_missing(item) == type_of(wanted) and op(other, key):
                return True
        return False

    return test


def type_of_missing(value: Json | Missing) -> str | None:
    return None if isinstance(value, Missing) else type_of(value)


def nearness(where: Where) -> Callable[[Document], float] | None:
    """Distance by which a query with ``Near`` sorts; ``None`` for queries without it."""
    parts = where.parts if isinstance(where, All) else (where,)
    near = next((part for part in parts if isinstance(part, Near)), None)
    if near is None:
        return None
    found, head = near, near.path.split(".")

    def key(document: Document) -> float:
        apart = [
            distance(found.latitude, found.longitude, value)
            for value in reach(dict(document), head)
        ]
        return min((value for value in apart if value is not None), default=math.inf)

    return key


def sorted_documents(documents: Iterable[D], order: Sequence[Order], wanted: int) -> list[D]:
    """The first ``wanted`` documents in order; equal ones keep the order they came in."""
    if not order:
        return list(documents)[:wanted]
    rows = list(documents)
    if len(order) == 1 and wanted * 4 < len(rows):
        return _first_of(rows, order[0], wanted)
    for part in reversed(order):
        keys = _sort_keys(rows, part.path)
        ranks = sorted(range(len(rows)), key=keys.__getitem__, reverse=part.descending)
        rows = [rows[rank] for rank in ranks]
    return rows[:wanted]


def _first_of(rows: list[D], order: Order, wanted: int) -> list[D]:
    """A few out of many, without sorting all of them."""
    keys = _sort_keys(rows, order.path)
    if order.descending:
        # of equal keys the earlier row is the larger pair
        best = heapq.nlargest(wanted, zip(keys, range(0, -len(rows), -1), strict=True))
        return [rows[-place] for _, place in best]
    return [rows[i] for _, i in heapq.nsmallest(wanted, zip(keys, range(len(rows)), strict=True))]


def _sort_keys(rows: Sequence[Document], path: str) -> list[Any]:
    """What rows sort by: the values themselves where all are texts or all are numbers."""
    if "." in path:
        return [_sort_key(path)(row) for row in rows]
    values = [row.get(path, MISSING) for row in rows]
    kinds = set(map(type, values))
    if kinds == {str} or kinds <= {int, float}:
        return values
    return [order_key(value) for value in values]


def _sort_key(path: str) -> Callable[[Document], tuple[Any, ...]]:
    parts = path.split(".")
    return lambda document: min(order_key(value) for value in reach(dict(document), parts))


_ENVIRONMENT: dict[str, Any] = {
    "__builtins__": {},
    "MISSING": MISSING,
    "NUMBERS": (int, float),
    "list": list,
    "str": str,
    "bool": bool,
    "len": len,
    "anywhere": _anywhere,
    "equal": _equal,
    "holds": holds,
    "one_of": _one_of,
    "has_all": _has_all,
    "any_of": _any_of,
    "near": _near,
    "points_to": _points_to,
    "within": _within,
    "granted": granted,
    "PUBLIC_ACL": PUBLIC_ACL,
    **{f"any_{name}": _any_compared(op) for name, op in _COMPARE.items()},
}
