"""Objects as rows of a table: each cell what its type makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from lean_emulator.base.jsontext import Json, dumps
from lean_emulator.console.json_markup import json_line
from lean_emulator.console.trace_list import link
from lean_emulator.model.schema import ClassSchema, ColumnType

FIRST = ("objectId",)
LAST = ("createdAt", "updatedAt")
_HIDDEN = frozenset({"ACL", "password", "salt", "sessionToken"})
MOST_TEXT = 120
"""Characters of a value in a cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """``kind`` names the type, ``target`` the class that a pointer or relation is about."""

    name: str
    kind: str
    target: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """``kind`` says how it looks: text, number, truth, date, pointer, relation, file, json, none.

    ``whole`` is the uncut text where it was cut.
    """

    kind: str
    text: str
    href: str | None = None
    whole: str | None = None


def columns_of(schema: ClassSchema) -> list[Column]:
    """The id first, then the class's own columns by name, then the times."""
    own = sorted(name for name in schema.columns if name not in (*FIRST, *LAST, *_HIDDEN))
    return [
        Column(name, schema.columns[name].type, schema.columns[name].class_name)
        for name in (*FIRST, *own, *LAST)
    ]


def cell(class_name: str, object_id: str, column: Column, row: Mapping[str, Json]) -> Cell:
    """One value of a row."""
    value = row.get(column.name)
    if column.kind == "Relation" and column.target:
        return Cell("relation", column.target, members(class_name, object_id, column))
    if column.name not in row or value is None:
        return Cell("none", "null" if column.name in row else "")
    if isinstance(value, bool):
        return Cell("truth", str(value).lower())
    if isinstance(value, int | float):
        return Cell("number", dumps(value).decode())
    if isinstance(value, str):
        return Cell("date", value) if column.kind == "Date" else _cut("text", value)
    if isinstance(value, dict) and "__type" in value:
        return _typed(value)
    return _cut("json", json_line(value, 4_000))


def _typed(value: Mapping[str, Json]) -> Cell:
    kind = value["__type"]
    if kind == "Date":
        return Cell("date", str(value.get("iso", "")))
    if kind in ("Pointer", "Object") and isinstance(value.get("className"), str):
        target, object_id = str(value["className"]), str(value.get("objectId", ""))
        return Cell("pointer", target, object_link(target, object_id), object_id)
    if kind == "File":
        url = value.get("url")
        safe = isinstance(url, str) and url.startswith(("http://", "https://"))
        return Cell("file", str(value.get("name", "")), str(url) if safe else None)
    if kind == "GeoPoint":
        return Cell("text", f"{value.get('latitude')}, {value.get('longitude')}")
    return _cut("json", json_line(dict(value), 4_000))


def _cut(kind: str, text: str) -> Cell:
    if len(text) <= MOST_TEXT:
        return Cell(kind, text)
    return Cell(kind, f"{text[: MOST_TEXT - 1]}…", None, text[:1_000])


def object_link(class_name: str, object_id: str) -> str:
    return link("/data", **{"class": class_name, "row": object_id})


def members(class_name: str, object_id: str, column: Column) -> str:
    """The members of a relation, as a filter of their class."""
    owner = {"__type": "Pointer", "className": class_name, "objectId": object_id}
    where = {"$relatedTo": {"object": owner, "key": column.name}}
    return link("/data", **{"class": column.target, "where": dumps(where).decode()})


def back_references(
    class_name: str, object_id: str, pointing: list[tuple[str, str]], kinds: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Columns of other classes that may point here, each with the filter that finds who does."""
    here: dict[str, Json] = {
        "__type": "Pointer",
        "className": class_name,
        "objectId": object_id,
    }
    return [
        (
            f"{name}.{column}",
            link("/data", **{"class": name, "where": dumps({column: here}).decode()}),
        )
        for name, column in pointing
        if kinds.get(f"{name}.{column}") in ("Pointer", "Relation")
    ]


def editable(row: Mapping[str, Json], columns: Mapping[str, ColumnType]) -> dict[str, Json]:
    """The members that somebody may write: not the automatic ones, and no relations."""
    return {
        name: value
        for name, value in row.items()
        if name not in (*FIRST, *LAST, "sessionToken")
        and not (name in columns and columns[name].type == "Relation")
    }


def changes(before: Mapping[str, Json], after: Mapping[str, Json]) -> dict[str, Json]:
    """What to write so that one becomes the other; members that are gone are deleted."""
    changed: dict[str, Json] = {
        name: value
        for name, value in after.items()
        if name not in before or dumps(before[name]) != dumps(value)
    }
    gone: dict[str, Json] = {name: {"__op": "Delete"} for name in before if name not in after}
    return {**changed, **gone}
