"""Values and conditions of a parsed statement (storage.md 5.1).

Conditions become the JSON that REST clients send, and are read from there, so that CQL and JSON of
the same meaning are one and the same query.
"""

from collections.abc import Sequence
from typing import TypeAlias

from lark import Token, Transformer, v_args

from lean_emulator.base.jsontext import Json
from lean_emulator.model.cql_literals import like_pattern, number_of, refusal, unquoted
from lean_emulator.model.cql_statement import SelectStatement, Statement
from lean_emulator.model.values import date

Document: TypeAlias = dict[str, Json]


@v_args(inline=True)
class ConditionReader(Transformer[Token, Statement]):
    """Reads the terminals, values and conditions of ``cql.lark``, bottom-up: a method for each."""

    def __init__(self, values: Sequence[Json], now: str) -> None:
        super().__init__()
        self._values = values
        self._now = now
        self._used = 0

    # Terminals. The tree is walked in the order of the text, so that the nth ``?`` comes nth.

    def PLACEHOLDER(self, _: Token) -> Json:
        self._used += 1
        if self._used > len(self._values):
            raise refusal(
                f"There is no value for ? number {self._used}: pvalues has {len(self._values)}."
            )
        return self._values[self._used - 1]

    def NAME(self, token: Token) -> str:
        return token.strip("`")

    def STRING(self, token: Token) -> str:
        return unquoted(token)

    def PATTERN(self, token: Token) -> str:
        return unquoted(token)

    def NUMBER(self, token: Token) -> Json:
        return number_of(token)

    def INTEGER(self, token: Token) -> Json:
        return number_of(token)

    def DISTANCE(self, token: Token) -> Json:
        return number_of(token)

    def UNIT(self, token: Token) -> str:
        return _UNITS[token.lower()]

    def TRUE(self, _: Token) -> Json:
        return True

    def FALSE(self, _: Token) -> Json:
        return False

    def NULL(self, _: Token) -> Json:
        return None

    # Values

    def array(self, *items: Json) -> Json:
        return list(items)

    def object(self, *pairs: tuple[str, Json]) -> Json:
        return dict(pairs)

    def pair(self, key: str, value: Json) -> tuple[str, Json]:
        return key, value

    def date(self, iso: Json) -> Json:
        return date(_text("date", iso))

    def pointer(self, class_name: Json, object_id: Json) -> Json:
        return {
            "__type": "Pointer",
            "className": _text("pointer", class_name),
            "objectId": _text("pointer", object_id),
        }

    def geopoint(self, longitude: Json, latitude: Json) -> Json:
        return _geo_point(longitude, latitude)

    def file(self, object_id: Json) -> Json:
        return {"__type": "File", "id": _text("file", object_id)}

    def base64(self, content: Json) -> Json:
        return {"__type": "Bytes", "base64": _text("base64", content)}

    def current_timestamp(self) -> Json:
        return date(self._now)

    def op(self, word: Json, arguments: Json) -> Json:
        if not isinstance(arguments, dict):
            raise refusal(f"op wants an object, got {str(arguments)[:80]!r}.")
        return {**arguments, "__op": _text("op", word)}

    # Conditions

    def any_of(self, *parts: Json) -> Json:
        return {"$or": list(parts)}

    def all_of(self, *parts: Json) -> Json:
        return {"$and": list(parts)}

    def equal(self, path: str, value: Json) -> Json:
        return {path: {"$eq": value}}

    def unequal(self, path: str, value: Json) -> Json:
        return {path: {"$ne": value}}

    def compared(self, path: str, sign: Token, value: Json) -> Json:
        return {path: {_COMPARISONS[sign]: value}}

    def like(self, path: str, text: Json) -> Json:
        return {path: like_pattern(_text("like", text))}

    def not_like(self, path: str, text: Json) -> Json:
        return {path: {"$not": like_pattern(_text("like", text))}}

    def matches(self, path: str, pattern: Json) -> Json:
        return {path: {"$regex": pattern}}

    def not_matches(self, path: str, pattern: Json) -> Json:
        return {path: {"$not": {"$regex": pattern}}}

    def list(self, *values: Json) -> Json:
        return [*values]

    def whole_list(self, values: Json) -> Json:
        return values

    def in_list(self, path: str, values: Json) -> Json:
        return {path: {"$in": values}}

    def not_in_list(self, path: str, values: Json) -> Json:
        return {path: {"$nin": values}}

    def subquery(self, select: SelectStatement) -> SelectStatement:
        return select

    def among(self, path: str, select: SelectStatement) -> Json:
        return {path: _sub_query(select, "$inQuery", "$select")}

    def not_among(self, path: str, select: SelectStatement) -> Json:
        return {path: _sub_query(select, "$notInQuery", "$dontSelect")}

    def exists(self, path: str) -> Json:
        return {path: {"$exists": True}}

    def absent(self, path: str) -> Json:
        return {path: {"$exists": False}}

    def has_all(self, path: str, values: Json) -> Json:
        return {path: {"$all": values}}

    def has_size(self, path: str, size: Json) -> Json:
        return {path: {"$size": size}}

    def near(self, path: str, point: Json, *limits: Document) -> Json:
        whole: Document = {"$nearSphere": point}
        for limit in limits:
            whole |= limit
        return {path: whole}

    def within(self, path: str, southwest: Json, northeast: Json) -> Json:
        return {path: {"$within": {"$box": [southwest, northeast]}}}

    def geo(self, *point: Json) -> Json:
        return point[0] if len(point) == 1 else _geo_point(*point)

    def least(self, distance: Json, unit: str = "") -> Document:
        return {f"$minDistance{unit}": distance}

    def most(self, distance: Json, unit: str = "") -> Document:
        return {f"$maxDistance{unit}": distance}

    def related(self, key: str, owner: Json) -> Json:
        return {"$relatedTo": {"object": owner, "key": key}}


def _text(function: str, value: Json) -> str:
    if not isinstance(value, str):
        raise refusal(f"{function} wants a string, got {str(value)[:80]!r}.")
    return value


def _geo_point(longitude: Json, latitude: Json) -> Json:
    for value in (longitude, latitude):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refusal(f"A point wants two numbers, got {str(value)[:80]!r}.")
    return {"__type": "GeoPoint", "longitude": longitude, "latitude": latitude}


def _sub_query(select: SelectStatement, whole: str, values: str) -> Json:
    """A select in brackets: ``*`` for the objects themselves, one column for its values."""
    params = {name: select.params[name] for name in _INNER if name in select.params}
    query: Document = {"className": select.class_name, **params}
    keys = str(select.params.get("keys", ""))
    plain = select.wants_rows and not select.wants_count and "include" not in select.params
    if plain and not keys:
        return {whole: query}
    if plain and "," not in keys and not keys.startswith("-"):
        return {values: {"query": query, "key": keys}}
    raise refusal("A sub-query selects one column, or * to compare objects.")


_COMPARISONS = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_UNITS = {"km": "InKilometers", "miles": "InMiles", "radians": "InRadians"}
_INNER = ("where", "order", "skip", "limit")
