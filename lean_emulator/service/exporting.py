"""All objects as files, one after the other, in an order that stays (storage.md 10.1).

What is told is one moment: a fork of the storage, which nobody changes meanwhile.
"""

import sys
from collections.abc import AsyncIterator, Iterable, Iterator

from lean_emulator.base import errors, jsontext
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import PUBLIC_ACL
from lean_emulator.model.export_line import header_line, join_name, member_line
from lean_emulator.model.import_source import Join
from lean_emulator.model.query import Query
from lean_emulator.model.schema import OURS, ClassSchema
from lean_emulator.model.schema_file import to_json
from lean_emulator.model.values import Document
from lean_emulator.service.import_members import WAITING, waiting
from lean_emulator.storage.memory import MemoryStorage

END = b"#end\n"
"""The last line; without it something is missing."""
_PIECE = 200
"""Lines that are made before others may run."""


class Exporting:
    """Tells of every class in turn: its schema, its objects, the members of its relations.

    Objects go by creation and their members by name, so that the same objects are the same lines.
    """

    def __init__(self, storage: MemoryStorage) -> None:
        self._storage = storage

    async def pieces(self, classes: Iterable[str] | None = None) -> AsyncIterator[bytes]:
        """Whole lines, some at a time; ``classes`` is ``None`` for all of the application's.

        Raises code 101 for a class that is not there, before the first line.
        """
        fork = self._storage.fork()
        try:
            for schema in _selected(fork, classes):
                lines = await _lines(fork, schema)
                while piece := [line for _, line in zip(range(_PIECE), lines, strict=False)]:
                    yield b"".join(piece)
            yield END
        finally:
            await fork.clear()


def schema_header(class_name: str) -> bytes:
    """What goes before the line with a class's schema."""
    return header_line(class_name).replace(b'"type":"Class"', b'"type":"Schema"', 1)


def _selected(fork: MemoryStorage, names: Iterable[str] | None) -> list[ClassSchema]:
    classes = fork.classes()
    for name in names or ():
        if name not in classes or name.startswith(OURS):
            known = ", ".join(sorted(n for n in classes if not n.startswith(OURS))) or "none"
            raise errors.CLASS_NOT_FOUND(
                f"There is no class '{name}' to export. There is: {known}."
            )
    wanted = set(classes) if names is None else set(names)
    return [classes[name] for name in sorted(wanted) if not name.startswith(OURS)]


async def _lines(fork: MemoryStorage, schema: ClassSchema) -> Iterator[bytes]:
    name = schema.name
    rows = await fork.find(Query(name, limit=sys.maxsize))
    rows = sorted(rows, key=_creation)
    parked = await fork.find(Query(WAITING, limit=sys.maxsize)) if schema.relations else []
    relations = fork.tables[name].relations if name in fork.tables else None

    def lines() -> Iterator[bytes]:
        yield schema_header(name)
        yield jsontext.dumps(to_json(schema)) + b"\n"
        yield header_line(name)
        yield from map(_object_line, rows)
        for key, column in schema.relations:
            join = Join(name, key, str(column.class_name))
            yield header_line(join_name(name, key, join.member_class))
            for row in rows if relations is not None else ():
                owner = str(row["objectId"])
                assert relations is not None
                yield from (member_line(owner, m) for m in relations.members(owner, key))
            yield from (member_line(owner, member) for owner, member in waiting(parked, join))

    return lines()


def _creation(document: Document) -> tuple[str, str]:
    return str(document["createdAt"]), str(document["objectId"])


def _object_line(document: Document) -> bytes:
    whole: dict[str, Json] = {"ACL": PUBLIC_ACL, **document}
    return jsontext.dumps({name: whole[name] for name in sorted(whole)}) + b"\n"
