"""All objects in one file, in TinyDB's own format, so that any script can open it.

One table for each class, one line for each object; members of relations stand in tables named as in
exports (``_Join:Post:likes:Comment``). The table ``_lean_emu`` says which commits are in the file,
and holds the schemas. The file may be edited by hand while nothing runs on it.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from lean_emulator.base import jsontext
from lean_emulator.base.errors import ApiError, Hint, StartError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import shared
from lean_emulator.model.export_line import join_name
from lean_emulator.model.operations import Relate
from lean_emulator.model.schema import ClassSchema, admit_document, new_class
from lean_emulator.model.schema_file import schema_of, to_json
from lean_emulator.model.values import canonical_iso, check_object_id, normalise
from lean_emulator.storage.effects import Content
from lean_emulator.storage.plan import counted, held
from lean_emulator.storage.table import Table

FORMAT = 1
ABOUT = "_lean_emu"
"""The table about the file itself."""
CHUNK = 200
"""Objects that are written at a time."""


def write(
    path: Path, tables: Mapping[str, Table], schemas: Mapping[str, ClassSchema], number: int
) -> int:
    """Put a file in the place of another, whole or not at all; answers its size in bytes.

    ``number`` is that of the last commit in it. Raises ``OSError``; then the old file stays.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        with draft.open("wb") as file:
            os.chmod(file.fileno(), 0o600)
            for part in _parts(tables, schemas, number):
                file.write(part)
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    sync_folder(path.parent)
    return size


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive the end of the machine, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def load(path: Path) -> tuple[Content, int]:
    """What a file holds, and the number of the last commit in it; nothing and 0 without a file.

    Raises ``StartError`` with line and reason for what cannot be meant; the file stays as it is.
    """
    content = Content()
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return content, 0
    except OSError as e:
        raise StartError(f"{path} cannot be read: {e.strerror}.") from e
    return _Loader(path, raw).content(content)


def _parts(
    tables: Mapping[str, Table], schemas: Mapping[str, ClassSchema], number: int
) -> Iterator[bytes]:
    about: dict[str, Json] = {
        "format": FORMAT,
        "commit": number,
        "schemas": {name: to_json(schemas[name]) for name in sorted(schemas)},
        "counters": {
            name: dict(table.counters) for name, table in sorted(tables.items()) if table.counters
        },
    }
    yield b'{"%b": {"1": %b}' % (ABOUT.encode(), jsontext.dumps(about))
    for name in sorted(tables):
        yield from _table(name, iter(tables[name].documents.values()))
        schema = schemas.get(name) or new_class(name)
        for key, column in schema.relations:
            yield from _table(
                join_name(name, key, str(column.class_name)), _members(tables[name], key)
            )
    yield b"}\n"


def _table(name: str, rows: Iterator[Mapping[str, Json]]) -> Iterator[bytes]:
    yield b",\n%b: {" % jsontext.dumps(name)
    number, between = 0, b"\n"
    while chunk := list(islice(rows, CHUNK)):
        lines = []
        for row in chunk:
            number += 1
            lines.append(b'"%d": %b' % (number, jsontext.dumps(row)))
        yield between + b",\n".join(lines)
        between = b",\n"
    yield b"\n}"


def _members(table: Table, key: str) -> Iterator[dict[str, Json]]:
    for owner in table.documents:
        for member in table.relations.members(owner, key):
            yield {"owningId": owner, "relatedId": member}


class _Loader:
    """Reads one file; every complaint has its name, the line and the reason."""

    def __init__(self, path: Path, raw: bytes) -> None:
        self._path = path
        self._raw = raw

    def content(self, content: Content) -> tuple[Content, int]:
        tables = self._tables()
        about = self._about(tables.pop(ABOUT, None))
        tables.pop("_default", None)  # TinyDB makes it when a script asks for it
        source = str(self._path)
        for name, declared in about.get("schemas", {}).items():
            content.schemas[name] = schema_of(declared, name, source)
        for name, rows in tables.items():
            if not name.startswith("_Join:"):
                self._class(content, name, rows)
        for name, rows in tables.items():
            if name.startswith("_Join:"):
                self._join(content, name, rows)
        for name, counters in about.get("counters", {}).items():
            for column, number in counters.items():
                known = content.table(name).counters
                known[column] = max(int(number), known.get(column, 0))
        return content, int(about.get("commit", 0))

    def _tables(self) -> dict[str, Any]:
        if not self._raw.strip():
            raise self._wrong("the file is empty", None)
        try:
            parsed = orjson.loads(self._raw)
        except orjson.JSONDecodeError:
            parsed = self._slowly()
        if not isinstance(parsed, dict):
            raise self._wrong("an object with a member for each class is wanted", 1)
        return parsed

    def _slowly(self) -> Any:
        """With the library that names the line."""
        try:
            return json.loads(self._raw)
        except json.JSONDecodeError as e:
            raise self._wrong(f"it is no JSON, {e.msg} (column {e.colno})", e.lineno) from e
        except (UnicodeDecodeError, RecursionError) as e:
            raise self._wrong(f"it is no JSON, {e}", None) from e

    def _about(self, table: Any) -> dict[str, Any]:
        about = table.get("1", {}) if isinstance(table, dict) else {}
        if not isinstance(about, dict):
            return {}
        if about.get("format", FORMAT) != FORMAT:
            raise StartError(
                f"{self._path} is of format {about.get('format')!r}; this lean-emu reads {FORMAT}.",
                hint=Hint(
                    "A newer lean-emu wrote it: upgrade, or name another folder with --data.",
                    "该文件由更新版本的 lean-emu 写入：请升级，或用 --data 指定其他目录。",
                ),
            )
        return about

    def _class(self, content: Content, name: str, rows: Any) -> None:
        if not isinstance(rows, dict):
            raise self._wrong(f"the table '{name}' must be an object of rows", None)
        table = content.table(name)
        schema = content.schemas.get(name) or new_class(name)
        for row in rows.values():
            document = self._document(name, row)
            object_id = str(document["objectId"])
            if object_id in table.documents:
                raise self._wrong(f"'{name}' has two objects {object_id}", object_id)
            try:
                schema = admit_document(schema, document)
            except ApiError as e:
                raise self._wrong(f"{name} {object_id}: {e.message}", object_id) from e
            table.documents[object_id] = document
        content.schemas[name] = schema

    def _document(self, name: str, row: Any) -> dict[str, Json]:
        if not isinstance(row, dict):
            raise self._wrong(f"a row of '{name}' must be an object, got {str(row)[:80]!r}", None)
        object_id = row.get("objectId")
        try:
            check_object_id(object_id if isinstance(object_id, str) else "")
            for member in ("createdAt", "updatedAt"):
                canonical_iso(str(row.get(member)))
        except ApiError as e:
            raise self._wrong(f"a row of '{name}' has no objectId: {str(row)[:80]}", None) from e
        except ValueError as e:
            raise self._wrong(
                f"{name} {object_id}: createdAt and updatedAt must be times, {e}", str(object_id)
            ) from e
        try:
            document = {
                key: value if value.__class__ in (str, int, float, bool) else normalise(value)
                for key, value in row.items()
            }
        except ApiError as e:
            raise self._wrong(f"{name} {object_id}: {e.message}", str(object_id)) from e
        if "ACL" in document:
            document["ACL"] = shared(document["ACL"])
        return document

    def _join(self, content: Content, name: str, rows: Any) -> None:
        parts = name.split(":")
        if len(parts) != 4 or not isinstance(rows, dict):
            raise self._wrong(
                f"'{name}' is no table of a relation; they are named _Join:Class:column:Member",
                None,
            )
        _, owner_class, key, _ = parts
        relations = content.table(owner_class).relations
        for row in rows.values():
            try:
                relations.change(str(row["owningId"]), key, Relate(None, (str(row["relatedId"]),)))
            except (TypeError, KeyError) as e:
                raise self._wrong(
                    f"a row of '{name}' wants owningId and relatedId, got {str(row)[:80]!r}", None
                ) from e

    def _wrong(self, why: str, where: int | str | None) -> StartError:
        """``where`` is a line, or the id of an object whose line is looked up."""
        line = self._line_of(where) if isinstance(where, str) else where
        place = f"{self._path}, line {line}" if line else str(self._path)
        return StartError(
            f"{place}: {why}.",
            hint=Hint(
                "Mend the file, or move it away; lean-emu leaves it as it is.",
                "请修复该文件或将其移走；lean-emu 不会改动它。",
            ),
        )

    def _line_of(self, object_id: str) -> int | None:
        at = self._raw.rfind(b'"' + object_id.encode() + b'"')
        return None if at < 0 else self._raw.count(b"\n", 0, at) + 1


def checked(content: Content, path: Path) -> None:
    """Work out what unique values and counters the objects have; raises ``StartError``."""
    for name, table in content.tables.items():
        schema = content.schemas.setdefault(name, new_class(name))
        try:
            table.unique = held(schema, table.documents)
        except ApiError as e:
            field = getattr(e, "field", "")
            raise StartError(
                f"{path}: two objects of '{name}' have the same value in {field or 'a column'}.",
                hint=Hint(
                    "Change one of them in the file; lean-emu leaves it as it is.",
                    "请在文件中修改其中一个；lean-emu 不会改动它。",
                ),
            ) from e
        for column, reached in counted(schema, table.documents).items():
            table.counters[column] = max(reached, table.counters.get(column, 0))
