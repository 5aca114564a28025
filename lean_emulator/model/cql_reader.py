"""From a parsed statement to what it asks for (storage.md 5.1)."""

from collections.abc import Sequence
from typing import TypeAlias

from lark import Token, v_args

from lean_emulator.base.jsontext import Json
from lean_emulator.model.cql_conditions import ConditionReader, Document
from lean_emulator.model.cql_literals import refusal
from lean_emulator.model.cql_statement import (
    DeleteStatement,
    InsertStatement,
    SelectStatement,
    UpdateStatement,
)
from lean_emulator.model.document import check_field_names
from lean_emulator.model.query import All, AnyOf, Near, Not, Where, Within
from lean_emulator.model.values import check_class_name, check_object_id

Column: TypeAlias = tuple[str, str]
"""A selected item: what it is (``*``, ``count``, ``include``, ``+``, ``-``) and its path."""


@v_args(inline=True)
class CqlReader(ConditionReader):
    """Reads whole statements; a select is one in brackets too."""

    def everything(self) -> Column:
        return "*", ""

    def counted(self) -> Column:
        return "count", ""

    def included(self, path: str) -> Column:
        return "include", path

    def column(self, path: str) -> Column:
        return "+", path

    def hidden(self, path: str) -> Column:
        return "-", path

    def columns(self, *columns: Column) -> tuple[Column, ...]:
        return columns

    def where(self, condition: Json) -> Document:
        return {"where": condition}

    def limit(self, *numbers: Json) -> Document:
        """``count``, or ``skip, count``."""
        return dict(zip(("limit", "skip"), reversed(numbers), strict=False))

    def order(self, *keys: tuple[str, str, str | None]) -> Document:
        """A direction at the very end holds for all keys that have none of their own."""
        last = keys[-1][2]
        return {"order": ",".join(f"{sign or _SIGNS[way or last]}{k}" for sign, k, way in keys)}

    def sort_key(self, *parts: Token | str) -> tuple[str, str, str | None]:
        """The sign (``-``, ``+`` or none), the path, the direction behind it."""
        sign = path = ""
        way = None
        for part in parts:
            kind = part.type if isinstance(part, Token) else "NAME"
            if kind in ("PLUS", "MINUS"):
                sign = str(part)
            elif kind == "NAME":
                path = str(part)
            else:
                way = kind
        return sign, path, way

    def select(
        self, columns: tuple[Column, ...], class_name: str, *clauses: Document
    ) -> SelectStatement:
        check_class_name(class_name)
        params: Document = {}
        for clause in clauses:
            params |= clause
        kinds = {kind for kind, _ in columns}
        keys, include = _keys(columns), [path for kind, path in columns if kind == "include"]
        if keys:
            params["keys"] = ",".join(keys)
        if include:
            params["include"] = ",".join(include)
        wants_rows, wants_count = kinds != {"count"}, "count" in kinds
        if not wants_rows:
            params["limit"] = 0
        if wants_count:
            params["count"] = True
        statement = SelectStatement(class_name, params, wants_rows, wants_count)
        if _asks_where(statement.query.where) and wants_count:
            raise refusal("What is near or within cannot be counted.")
        return statement

    def names(self, *names: str) -> tuple[str, ...]:
        return names

    def row(self, *values: Json) -> tuple[Json, ...]:
        return values

    def insert(
        self, class_name: str, names: tuple[str, ...], *rows: tuple[Json, ...]
    ) -> InsertStatement:
        check_class_name(class_name)
        for number, row in enumerate(rows, 1):
            if len(row) != len(names):
                raise refusal(f"Row {number} has {len(row)} values for {len(names)} columns.")
        written = tuple(_fields([*zip(names, row, strict=True)]) for row in rows)
        return InsertStatement(class_name, written)

    def assignment(self, name: str, value: Json) -> tuple[str, Json]:
        return name, value

    def update(self, class_name: str, *parts: tuple[str, Json] | Document) -> UpdateStatement:
        check_class_name(class_name)
        *assignments, where = parts
        assert isinstance(where, dict)
        object_id, guard = _one_object(where["where"])
        fields = _fields([pair for pair in assignments if isinstance(pair, tuple)])
        return UpdateStatement(class_name, object_id, fields, guard)

    def delete(self, class_name: str, where: Document) -> DeleteStatement:
        check_class_name(class_name)
        return DeleteStatement(class_name, *_one_object(where["where"]))


def _keys(columns: Sequence[Column]) -> list[str]:
    """The ``keys`` of a selection; with ``*`` only what is hidden.

    An included object is shown although the list of columns does not name it.
    """
    hidden = [f"-{path}" for kind, path in columns if kind == "-"]
    shown = [path for kind, path in columns if kind == "+"]
    if not shown or ("*", "") in columns:
        return hidden
    included = [path.partition(".")[0] for kind, path in columns if kind == "include"]
    return [*shown, *included, *hidden]


def _fields(pairs: Sequence[tuple[str, Json]]) -> Document:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise refusal("A column is written twice.")
    check_field_names(fields, dotted=True)
    return fields


def _one_object(condition: Json) -> tuple[str, Json]:
    """The id that a condition asks for, and what it asks for besides."""
    parts = _conjunction(condition)
    for index, part in enumerate(parts):
        test = part.get("objectId") if isinstance(part, dict) else None
        object_id = test.get("$eq") if isinstance(test, dict) else None
        if isinstance(object_id, str):
            check_object_id(object_id)
            rest = [*parts[:index], *parts[index + 1 :]]
            return object_id, None if not rest else rest[0] if len(rest) == 1 else {"$and": rest}
    raise refusal(
        "Update and delete change one object: where objectId = '…', and further conditions by and."
    )


def _conjunction(condition: Json) -> list[Json]:
    parts = condition.get("$and") if isinstance(condition, dict) else None
    if not isinstance(parts, list):
        return [condition]
    return [inner for part in parts for inner in _conjunction(part)]


def _asks_where(where: Where) -> bool:
    match where:
        case Near() | Within():
            return True
        case All(parts) | AnyOf(parts):
            return any(map(_asks_where, parts))
        case Not(part):
            return _asks_where(part)
        case _:
            return False


_SIGNS = {None: "", "ASC": "", "DESC": "-"}
