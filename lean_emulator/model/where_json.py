"""Query parameters as clients send them, read into a ``Query`` (storage.md 4.1–4.3)."""

import contextlib
import math
from collections.abc import Callable, Mapping

from lean_emulator.base import errors, jsontext
from lean_emulator.base.jsontext import Json
from lean_emulator.model.geo import EARTH_KILOMETERS, EARTH_MILES
from lean_emulator.model.query import (
    EVERYTHING,
    All,
    AnyOf,
    Compare,
    CompareOp,
    Exists,
    HasAll,
    HasSize,
    InList,
    InQuery,
    Keys,
    Matches,
    Near,
    Not,
    Order,
    Query,
    RelatedTo,
    Select,
    Where,
    Within,
)
from lean_emulator.model.values import canonical_iso, normalise, type_of

MAX_NODES = 1_000
MAX_LIST = 10_000
DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
_ALWAYS_SHOWN = frozenset({"objectId", "createdAt", "updatedAt"})
_TIMESTAMPS = frozenset({"createdAt", "updatedAt"})


def parse_query(class_name: str, params: Mapping[str, Json], large_limit: int = MAX_LIMIT) -> Query:
    """Read ``where``, ``order``, ``limit``, ``skip`` and ``keys``; unknown parameters mean nothing.

    ``large_limit`` is what a limit over ``MAX_LIMIT`` counts as.

    Values are texts from a URL or native JSON from a batch. Raises ``InvalidQuery`` for what cannot
    be read.
    """
    return Query(
        class_name,
        where=parse_where(decoded(params.get("where"), "where")),
        order=parse_order(params.get("order")),
        skip=max(0, integer(params.get("skip"), "skip", 0)),
        limit=_limit(integer(params.get("limit"), "limit", DEFAULT_LIMIT), large_limit),
        keys=parse_keys(params.get("keys")),
    )


def decoded(value: Json, what: str) -> Json:
    """A parameter that is JSON text in a URL and may be real JSON in a batch; empty is ``None``."""
    if isinstance(value, str):
        return jsontext.loads(value, what) if value.strip() else None
    return value


def truth(value: Json) -> bool:
    """Flags come as ``true``, ``1`` and their texts (storage.md 1.4)."""
    return value is True or (value is not False and str(value).lower() in ("true", "1"))


def integer(value: Json, what: str, default: int) -> int:
    """A whole number or its text; ``default`` when absent or empty."""
    if value is None or value == "":
        return default
    try:
        return int(str(value))
    except ValueError:
        raise errors.INVALID_QUERY(
            f"The parameter '{what}' wants a number, got '{value}'."
        ) from None


def parse_order(raw: Json) -> tuple[Order, ...]:
    """``-a,b`` as sort keys; blanks and doubled keys are tolerated."""
    if raw is None:
        return ()
    keys = []
    for part in str(raw).split(","):
        text = part.strip()
        name = text.lstrip("+-").strip()
        if name:
            keys.append(Order(name, descending=text.startswith("-")))
    return tuple(keys)


def parse_include(raw: Json) -> tuple[str, ...]:
    """``a,b.c`` as paths; blanks are tolerated, and so are paths that lead nowhere."""
    if raw is None:
        return ()
    return tuple(path for part in str(raw).split(",") if (path := part.strip().strip(".")))


def parse_keys(raw: Json) -> Keys:
    """``a,b`` shows those and the automatic fields, ``-c`` hides."""
    if raw is None or raw == "":
        return Keys()
    names = [part.strip() for part in str(raw).split(",")]
    shown = frozenset(name.lstrip("+") for name in names if name and not name.startswith("-"))
    hidden = frozenset(name[1:] for name in names if name.startswith("-"))
    return Keys(shown | _ALWAYS_SHOWN if shown else None, hidden)


def parse_where(raw: Json) -> Where:
    """A where document; a list of documents means all of them."""
    if raw is None or raw == {}:
        return EVERYTHING
    return _Reader().document(raw)


def _limit(asked: int, large: int = MAX_LIMIT) -> int:
    if asked > MAX_LIMIT:
        return large
    return DEFAULT_LIMIT if asked < 0 else asked


class _Reader:
    """Counts nodes while it reads, so that no query grows without bound."""

    def __init__(self) -> None:
        self._nodes = 0

    def document(self, raw: Json) -> Where:
        if not raw:
            self._count()
        if isinstance(raw, list):
            return _all([self.document(item) for item in raw])
        if not isinstance(raw, dict):
            raise errors.INVALID_QUERY(f"where wants an object, got {str(raw)[:80]!r}.")
        return _all([self._member(key, value) for key, value in raw.items()])

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise errors.INVALID_QUERY(f"where has more than {MAX_NODES} conditions.")

    def _member(self, key: str, value: Json) -> Where:
        self._count()
        if key == "$and":
            return _all(self._documents(key, value))
        if key == "$or":
            return _any(self._documents(key, value))
        if key == "$nor":
            return Not(_any(self._documents(key, value)))
        if key == "$relatedTo":
            return _related_to(value)
        if key.startswith("$"):
            raise errors.INVALID_QUERY(f"Unknown query operator '{key}'.")
        return self._field(key, value)

    def _documents(self, key: str, value: Json) -> list[Where]:
        if not isinstance(value, list) or not value:
            raise errors.INVALID_QUERY(f"{key} wants a list of conditions.")
        return [self.document(item) for item in value]

    def _field(self, path: str, value: Json) -> Where:
        if not (isinstance(value, dict) and any(name.startswith(("$", "__eq")) for name in value)):
            return Compare(path, "eq", operand(path, value))
        options = value.get("$options", "")
        parts = [
            self._operator(path, name, argument, str(options))
            for name, argument in value.items()
            if name not in ("$options", "$nearSphere") and not _is_distance(name)
        ]
        if "$nearSphere" in value or any(map(_is_distance, value)):
            self._count()
            parts.append(_near(path, value))
        return _all(parts)

    def _operator(self, path: str, name: str, argument: Json, options: str) -> Where:
        self._count()
        if name == "$not":
            return Not(self._field(path, argument))
        if name == "$regex":
            return _matches(path, argument, options)
        if name in _SUB_QUERIES:
            return self._sub_query(path, name, argument)
        reader = _OPERATORS.get(name)
        if reader is not None:
            return reader(path, argument)
        raise errors.INVALID_QUERY(f"Unknown query operator '{name}' on '{path}'.")

    def _sub_query(self, path: str, name: str, argument: Json) -> Where:
        if not isinstance(argument, dict):
            raise errors.INVALID_QUERY(f"{name} on '{path}' wants an object.")
        if name in ("$inQuery", "$notInQuery"):
            part: Where = InQuery(path, self._inner(name, argument))
            return part if name == "$inQuery" else Not(part)
        inner, key = argument.get("query"), argument.get("key")
        if not isinstance(inner, dict) or not isinstance(key, str):
            raise errors.INVALID_QUERY(f"{name} on '{path}' wants a query and a key.")
        part = Select(path, self._inner(name, inner), key)
        return part if name == "$select" else Not(part)

    def _inner(self, name: str, raw: Mapping[str, Json]) -> Query:
        """The query inside a condition; its own limit counts, 100 without one."""
        class_name = raw.get("className")
        if not isinstance(class_name, str):
            raise errors.INVALID_QUERY(f"{name} wants a className.")
        where = decoded(raw.get("where"), "where")
        return Query(
            class_name,
            where=EVERYTHING if where is None or where == {} else self.document(where),
            order=parse_order(raw.get("order")),
            skip=max(0, integer(raw.get("skip"), "skip", 0)),
            limit=_limit(integer(raw.get("limit"), "limit", DEFAULT_LIMIT)),
        )


def operand(path: str, value: Json) -> Json:
    """A value to compare with; instants for the two timestamps become their stored text."""
    normal = normalise(value)
    if path not in _TIMESTAMPS:
        return normal
    if isinstance(normal, dict) and type_of(normal) == "Date":
        return normal.get("iso")
    if isinstance(normal, str):
        with contextlib.suppress(ValueError):
            return canonical_iso(normal)
    return normal


def _compare(op: CompareOp) -> Callable[[str, Json], Where]:
    return lambda path, value: Compare(path, op, operand(path, value))


def _values(path: str, name: str, value: Json) -> tuple[Json, ...]:
    if not isinstance(value, list):
        raise errors.INVALID_QUERY(f"{name} on '{path}' wants a list, got {str(value)[:80]!r}.")
    if len(value) > MAX_LIST:
        raise errors.INVALID_QUERY(f"{name} on '{path}' has more than {MAX_LIST} members.")
    return tuple(operand(path, item) for item in value)


def _exists(path: str, value: Json) -> Where:
    return Exists(path) if truth(value) else Not(Exists(path))


def _size(path: str, value: Json) -> Where:
    return HasSize(path, integer(value, "$size", 0))


def _matches(path: str, value: Json, options: str) -> Where:
    if not isinstance(value, str):
        raise errors.INVALID_QUERY(f"$regex on '{path}' wants a text, got {str(value)[:80]!r}.")
    return Matches(path, value, "".join(sorted(set(options) & set("imsx"))))


def _related_to(value: Json) -> Where:
    owner = value.get("object") if isinstance(value, dict) else None
    key = value.get("key") if isinstance(value, dict) else None
    normal = normalise(owner)
    if not isinstance(normal, dict) or type_of(normal) != "Pointer" or not isinstance(key, str):
        raise errors.INVALID_QUERY("$relatedTo wants a pointer as object and a key.")
    return RelatedTo(str(normal["className"]), str(normal["objectId"]), key)


def _is_distance(name: str) -> bool:
    return name.startswith(("$maxDistance", "$minDistance"))


def _near(path: str, value: Mapping[str, Json]) -> Where:
    if "$nearSphere" not in value:
        distances = " and ".join(filter(_is_distance, value))
        raise errors.INVALID_QUERY(f"{distances} on '{path}' wants a $nearSphere beside it.")
    latitude, longitude = _point(path, "$nearSphere", value["$nearSphere"])
    limits = {"$minDistance": 0.0, "$maxDistance": math.inf}
    for name, distance in value.items():
        if _is_distance(name):
            unit = _UNITS.get(name[len("$minDistance") :])
            if unit is None or isinstance(distance, bool) or not isinstance(distance, int | float):
                raise errors.INVALID_QUERY(f"{name} on '{path}' cannot be read: {distance!r}.")
            limits[name[: len("$minDistance")]] = distance / unit
    return Near(path, latitude, longitude, limits["$minDistance"], limits["$maxDistance"])


def _within(path: str, value: Json) -> Where:
    box = value.get("$box") if isinstance(value, dict) else None
    if not isinstance(box, list) or len(box) != 2:
        raise errors.INVALID_QUERY(f"$within on '{path}' wants a $box of two GeoPoints.")
    (south, west), (north, east) = (_point(path, "$box", corner) for corner in box)
    return Within(path, south, west, north, east)


def _point(path: str, name: str, value: Json) -> tuple[float, float]:
    """Latitude and longitude of a GeoPoint, or of a pair of numbers: longitude first."""
    if isinstance(value, list) and len(value) == 2:
        value = {"__type": "GeoPoint", "longitude": value[0], "latitude": value[1]}
    normal = normalise(value)
    if isinstance(normal, dict) and type_of(normal) == "GeoPoint":
        latitude, longitude = normal.get("latitude"), normal.get("longitude")
        if isinstance(latitude, float) and isinstance(longitude, float):
            return latitude, longitude
    raise errors.INVALID_QUERY(f"{name} on '{path}' wants a GeoPoint, got {str(value)[:80]!r}.")


def _all(parts: list[Where]) -> Where:
    """The conjunction, flat, so that conditions of the same meaning are the same tree."""
    flat = [p for part in parts for p in (part.parts if isinstance(part, All) else (part,))]
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def _any(parts: list[Where]) -> Where:
    """The alternative, as flat. Raises ``InvalidQuery`` for geo conditions (storage.md 4.3)."""
    for part in parts:
        _refuse_geo(part)
    flat = [p for part in parts for p in (part.parts if isinstance(part, AnyOf) else (part,))]
    return flat[0] if len(flat) == 1 else AnyOf(tuple(flat))


def _refuse_geo(where: Where) -> None:
    match where:
        case Near(path) | Within(path):
            raise errors.INVALID_QUERY(
                f"'{path}': geo conditions cannot be part of $or; ask twice instead."
            )
        case All(parts) | AnyOf(parts):
            for part in parts:
                _refuse_geo(part)
        case Not(part):
            _refuse_geo(part)


_OPERATORS: dict[str, Callable[[str, Json], Where]] = {
    "$eq": _compare("eq"),
    "__eq": _compare("eq"),
    "$lt": _compare("lt"),
    "$lte": _compare("lte"),
    "$gt": _compare("gt"),
    "$gte": _compare("gte"),
    "$ne": lambda path, value: Not(Compare(path, "eq", operand(path, value))),
    "$in": lambda path, value: InList(path, _values(path, "$in", value)),
    "$nin": lambda path, value: Not(InList(path, _values(path, "$nin", value))),
    "$all": lambda path, value: HasAll(path, _values(path, "$all", value)),
    "$size": _size,
    "$exists": _exists,
    "$within": _within,
}
_SUB_QUERIES = ("$inQuery", "$notInQuery", "$select", "$dontSelect")
_UNITS = {"": 1.0, "InRadians": 1.0, "InKilometers": EARTH_KILOMETERS, "InMiles": EARTH_MILES}
OPERATORS = (
    *_OPERATORS,
    "$regex",
    "$options",
    "$not",
    "$and",
    "$or",
    "$nor",
    "$relatedTo",
    "$nearSphere",
    *_SUB_QUERIES,
    *(f"${end}Distance{unit}" for end in ("min", "max") for unit in _UNITS),
)
"""Names of the operators that work, for the coverage page."""
