"""Schemas as files, for a team to keep beside its code (storage.md 10.2, project-files.md 4).

Two layouts are read: ``{"schema": {…}}`` alone, and the fuller one with ``permissions`` and
``indexes`` (and ``name`` and ``type`` of the class). The fuller one is written for a class that has
something to say there. What was written, read and written again is the same to the byte.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from lean_emulator.base.errors import ApiError, Hint, StartError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import check_acl
from lean_emulator.model.class_permissions import ACTIONS
from lean_emulator.model.column_options import Options
from lean_emulator.model.declared_index import Index
from lean_emulator.model.schema import ANY, OURS, ClassSchema, ColumnType, new_class, type_of_value
from lean_emulator.model.values import MISSING, check_class_name, normalise

_MEMBERS = ("schema", "permissions", "indexes", "name", "type")
_TYPES = (
    "String", "Number", "Boolean", "Date", "Bytes", "File", "Array", "Object", "GeoPoint",
    "Pointer", "Relation", "ACL", "Any",
)  # fmt: skip
_OF_A_CLASS = ("Pointer", "Relation")
_FLAGS = ("required", "read_only", "hidden", "user_private", "auto_increment")
_SPELLINGS = {"readonly": "read_only", "autoIncrement": "auto_increment"}
_COLUMN = ("type", "className", *_FLAGS, "default", "comment", "v")
_GRANTS = ("*", "onlySignInUsers", "roles", "users")
_INDEX = ("name", "key", "unique", "sparse")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_schema(text: str, file: str, class_name: str) -> ClassSchema:
    """The class that a file's text declares; ``class_name`` unless the text has a ``name``.

    Raises ``StartError`` with file, place and value for what cannot be meant.
    """
    try:
        content = json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as e:
        raise _wrong(file, f"line {e.lineno} column {e.colno}", f"{e.msg}.") from e
    except ValueError as e:
        raise _wrong(file, "the file", f"{e} is no JSON.") from e
    except RecursionError as e:
        raise _wrong(file, "the file", "is nested too deep.") from e
    return _Reader(file).schema(content, class_name)


def schema_of(content: Json, class_name: str, source: str) -> ClassSchema:
    """The class that ``to_json`` told of; ``source`` names the file in complaints."""
    return _Reader(source).schema(content, class_name)


def to_json(schema: ClassSchema) -> dict[str, Json]:
    """The class as a file holds it: members sorted, but for the columns of an index."""
    content: dict[str, Json] = {}
    if schema.indexes or schema.permissions is not None or schema.kind is not None:
        content["indexes"] = [_index_json(index) for index in schema.indexes]
    if schema.kind is not None:
        content["name"] = schema.name
    if schema.permissions is not None:
        content["permissions"] = _sorted(dict(schema.permissions))
    content["schema"] = {
        name: _column_json(schema.columns[name], schema.options.get(name, Options()))
        for name in sorted(schema.columns)
    }
    if schema.kind is not None:
        content["type"] = schema.kind
    return content


def to_text(content: Json) -> str:
    """What ``to_json`` gave, as the text of a file."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def type_json(column: ColumnType) -> dict[str, Json]:
    """A column's type alone, as ``/schemas`` shows it (storage.md 9.3)."""
    if column.class_name is None:
        return {"type": column.type}
    return {"className": column.class_name, "type": column.type}


def _column_json(column: ColumnType, options: Options) -> dict[str, Json]:
    members = type_json(column)
    members |= {flag: True for flag in _FLAGS if getattr(options, flag)}
    for name, value in (("comment", options.comment), ("v", options.v)):
        if value is not None:
            members[name] = value
    if options.default is not MISSING:
        members["default"] = _sorted(options.default)  # type: ignore[arg-type]  # not MISSING here
    return dict(sorted(members.items()))


def _index_json(index: Index) -> dict[str, Json]:
    members: dict[str, Json] = {**index.extra, "name": index.name, "key": dict(index.keys)}
    members |= {flag: True for flag in ("unique", "sparse") if getattr(index, flag)}
    return dict(sorted(members.items()))


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


class _Reader:
    """Reads one file; every complaint names it."""

    def __init__(self, file: str) -> None:
        self._file = file

    def schema(self, content: Any, class_name: str) -> ClassSchema:
        members = self._object("the file", content)
        self._known("the file", members, _MEMBERS)
        name = self._class_name("name", members.get("name", class_name))
        if "schema" not in members:
            raise self._wrong("the file", "has no member 'schema' with the columns.")
        columns: dict[str, ColumnType] = {}
        options: dict[str, Options] = {}
        for column, declared in self._object("schema", members["schema"]).items():
            columns[column], chosen = self._column(column, declared)
            if chosen != Options():
                options[column] = chosen
        built_in = new_class(name)
        return ClassSchema(
            name,
            {**columns, **built_in.columns},
            unique=built_in.unique,
            options=options,
            indexes=self._indexes(members.get("indexes")),
            permissions=self._permissions(members.get("permissions")),
            kind=self._kind(members.get("type")),
        )

    def _column(self, name: str, declared: Any) -> tuple[ColumnType, Options]:
        place = f"column '{name}'"
        if not _NAME.fullmatch(name):
            raise self._wrong(place, "is no name a column can have.")
        given = {_SPELLINGS.get(k, k): v for k, v in self._object(place, declared).items()}
        self._known(place, given, _COLUMN)
        column = self._type(place, given)
        flags = {flag: self._truth(place, flag, given.get(flag)) for flag in _FLAGS}
        if flags["auto_increment"] and column.type != "Number":
            raise self._wrong(place, f"auto_increment is for a Number, not for a {column.type}.")
        comment, version = given.get("comment"), given.get("v")
        if comment is not None and not isinstance(comment, str):
            raise self._wrong(place, f"comment must be a text, not {_shown(comment)}.")
        if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
            raise self._wrong(place, f"v must be a whole number, not {_shown(version)}.")
        default = given.get("default")
        value = MISSING if default is None else self._default(place, column, default)
        return column, Options(**flags, default=value, comment=comment, v=version)

    def _type(self, place: str, given: Mapping[str, Any]) -> ColumnType:
        kind = given.get("type")
        if kind not in _TYPES:
            offer = _nearest(str(kind), _TYPES)
            raise self._wrong(place, f"type must be one of {', '.join(_TYPES)}; not "
                              f"{_shown(kind)}.{offer}")  # fmt: skip
        if kind not in _OF_A_CLASS:
            return ColumnType(kind)
        if "className" not in given:
            raise self._wrong(place, f"a {kind} wants a className.")
        return ColumnType(kind, self._class_name(f"{place}: className", given["className"]))

    def _default(self, place: str, column: ColumnType, raw: Json) -> Json:
        try:
            if column.type == "ACL":
                check_acl(raw)
                return raw
            value = normalise(_file_of_pointer(raw) if column.type == "File" else raw)
        except ApiError as e:
            raise self._wrong(place, f"default {_shown(raw)}: {e.message}") from e
        if column not in (ANY, type_of_value(value)):
            raise self._wrong(place, f"default {_shown(raw)} is no {column.type}.")
        return value

    def _indexes(self, declared: Any) -> tuple[Index, ...]:
        if declared is None:
            return ()
        if not isinstance(declared, list):
            raise self._wrong("indexes", f"must be a list, not {_shown(declared)}.")
        indexes: dict[str, Index] = {}
        for number, item in enumerate(declared, 1):
            index = self._index(f"index {number}", item)
            if index.name in indexes:
                raise self._wrong(f"index {number}", f"the name '{index.name}' is taken.")
            indexes[index.name] = index
        return tuple(indexes.values())

    def _index(self, place: str, declared: Any) -> Index:
        given = self._object(place, declared)
        keys = self._object(f"{place}: key", given.get("key"))
        if not keys:
            raise self._wrong(f"{place}: key", "names no column.")
        for path, way in keys.items():
            if not isinstance(way, int | float | str) or isinstance(way, bool):
                raise self._wrong(f"{place}: key '{path}'", f"cannot be {_shown(way)}.")
        name = given.get("name", "_".join(f"{path}_{way}" for path, way in keys.items()))
        if not isinstance(name, str) or not name:
            raise self._wrong(f"{place}: name", f"must be a text, not {_shown(name)}.")
        return Index(
            name,
            tuple(keys.items()),
            unique=self._truth(place, "unique", given.get("unique")),
            sparse=self._truth(place, "sparse", given.get("sparse")),
            extra={key: value for key, value in given.items() if key not in _INDEX},
        )

    def _permissions(self, declared: Any) -> Mapping[str, Json] | None:
        if declared is None:
            return None
        permissions = self._object("permissions", declared)
        self._known("permissions", permissions, ACTIONS)
        for action, grant in permissions.items():
            place = f"permissions: {action}"
            self._known(place, self._object(place, grant), _GRANTS)
            for who, value in grant.items():
                self._grant(f"{place}: {who}", who, value)
        return permissions

    def _grant(self, place: str, who: str, value: Any) -> None:
        if who in ("roles", "users"):
            names = [value] if isinstance(value, str) else value
            if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
                raise self._wrong(place, f"must be a list of texts, not {_shown(value)}.")
        elif not isinstance(value, bool):
            raise self._wrong(place, f"must be true or false, not {_shown(value)}.")

    def _kind(self, declared: Any) -> str | None:
        if declared not in (None, "normal", "log"):
            raise self._wrong("type", f"must be 'normal' or 'log', not {_shown(declared)}.")
        kind: str | None = declared
        return kind

    def _truth(self, place: str, flag: str, value: Any) -> bool:
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self._wrong(place, f"{flag} must be true or false, not {_shown(value)}.")
        return value

    def _object(self, place: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._wrong(place, f"must be a JSON object, not {_shown(value)}.")
        return value

    def _known(self, place: str, given: Iterable[str], known: tuple[str, ...]) -> None:
        for name in given:
            if name not in known:
                offer = _nearest(name, known)
                raise self._wrong(place, f"'{name}' means nothing there.{offer}")

    def _class_name(self, place: str, name: Any) -> str:
        if isinstance(name, str) and name.startswith(OURS):
            return name
        try:
            check_class_name(name if isinstance(name, str) else "")
        except ApiError as e:
            raise self._wrong(place, f"{_shown(name)} is no name a class can have.") from e
        class_name: str = name
        return class_name

    def _wrong(self, place: str, text: str) -> StartError:
        return _wrong(self._file, place, text)


_HINT = Hint(
    en="Schema files are those of the platform's schema export; name another folder with --schema.",
    zh="schema 文件应为平台导出的格式；可用 --schema 指定其他目录。",
)


def _wrong(file: str, place: str, text: str) -> StartError:
    return StartError(f"{file}: {place}: {text}", hint=_HINT)


def _refuse_constant(word: str) -> None:
    raise ValueError(word)


def _file_of_pointer(raw: Json) -> Json:
    """A file as consoles write it into a default: a pointer to its record."""
    if isinstance(raw, dict) and raw.get("className") == "_File" and "objectId" in raw:
        return {"__type": "File", "id": raw["objectId"]}
    return raw


def _nearest(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"
