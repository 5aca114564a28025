"""Conditions of the data table: made of a column, an operator and a text, and taken apart again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

from lean_emulator.base.clock import iso_text
from lean_emulator.base.jsontext import Json, dumps
from lean_emulator.console.payload import Problem, read_payload
from lean_emulator.model.schema import ColumnType
from lean_emulator.model.time_text import read_instant

OPERATORS = (
    "is", "not", "lt", "lte", "gt", "gte", "contains", "starts", "in", "exists", "absent",
)  # fmt: skip
_COMPARED = {"not": "$ne", "lt": "$lt", "lte": "$lte", "gt": "$gt", "gte": "$gte"}
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Part:
    """A member of a ``where``, as text, and the rest of it without the member."""

    name: str
    text: str
    rest: dict[str, Json]


def parts_of(where: Mapping[str, Json]) -> list[Part]:
    return [
        Part(name, dumps(value).decode(), {key: v for key, v in where.items() if key != name})
        for name, value in where.items()
    ]


def read_where(text: str) -> dict[str, Json] | Problem:
    """The JSON5 object of a filter; blank text finds everything."""
    where = read_payload(text)
    if isinstance(where, Problem | dict):
        return where
    return Problem("table.no_object")


def added(
    where: Mapping[str, Json], column: str, kind: ColumnType, operator: str, text: str
) -> dict[str, Json] | Problem:
    """A ``where`` with one more condition."""
    condition = _condition(kind, operator, text.strip())
    if isinstance(condition, Problem):
        return condition
    if column not in where:
        return {**where, column: condition}
    known = where[column]
    if _operators(known) and _operators(condition) and not (known.keys() & condition.keys()):  # type: ignore[union-attr]  # _operators() holds for dicts alone
        return {**where, column: {**known, **condition}}  # type: ignore[dict-item]  # see above
    return {"$and": [dict(where), {column: condition}]}


def _operators(value: Json) -> bool:
    return isinstance(value, dict) and bool(value) and all(key.startswith("$") for key in value)


def _condition(kind: ColumnType, operator: str, text: str) -> Json | Problem:
    if operator in ("exists", "absent"):
        return {"$exists": operator == "exists"}
    if operator in ("contains", "starts"):
        return {"$regex": ("^" if operator == "starts" else "") + re.escape(text)}
    if operator == "in":
        values = [_value(kind, part.strip()) for part in text.split(",") if part.strip()]
        wrong = next((value for value in values if isinstance(value, Problem)), None)
        return wrong or {"$in": [value for value in values if not isinstance(value, Problem)]}
    value = _value(kind, text)
    if isinstance(value, Problem):
        return value
    compared = _COMPARED.get(operator)
    return value if compared is None else {compared: value}


def _value(kind: ColumnType, text: str) -> Json | Problem:
    """A text as a value of a column."""
    match kind.type:
        case "String":
            return text
        case "Boolean":
            return _TRUTH.get(text.casefold(), Problem("table.wrong_truth", found=text))
        case "Date":
            ms = read_instant(text, UTC)
            if ms is None:
                return Problem("problem.instant", found=text)
            return {"__type": "Date", "iso": iso_text(ms)}
        case "Pointer" | "File":
            class_name = kind.class_name or "_File"
            return {"__type": "Pointer", "className": class_name, "objectId": text}
        case "Number":
            number = read_payload(text)
            wrong = isinstance(number, bool) or not isinstance(number, int | float) or not text
            return Problem("table.wrong_number", found=text) if wrong else number
        case _:
            return read_payload(text)
