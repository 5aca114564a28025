"""What commits came to, as a journal keeps it and a storage takes it back.

Effects are after-images in the order they happened:

``["+", class, document]`` a new document, ``["=", class, document]`` one that was changed,
``["-", class, id]`` one that is gone, ``["r", class, owner, key, added, removed]`` members of a
relation, ``["s", class, schema]``, ``["c", class, column, number]`` the last number given out,
``["d", class]`` a class that was dropped, ``["x"]`` everything that was cleared, ``["l", file]``
everything replaced by what a file holds; that one is the keeper's.
"""

from collections.abc import Iterable, Mapping, Sequence

from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import shared
from lean_emulator.model.document import relations_of
from lean_emulator.model.operations import Relate
from lean_emulator.model.schema import ClassSchema
from lean_emulator.model.schema_file import schema_of, to_json
from lean_emulator.storage.contract import Committed, Delete, Insert
from lean_emulator.storage.journal import Effect
from lean_emulator.storage.table import Table


def effects_of(
    committed: Sequence[Committed],
    schemas: Iterable[ClassSchema],
    counters: Mapping[tuple[str, str], int],
) -> list[Effect]:
    """What a commit comes to; ``schemas`` and ``counters`` are those it changes."""
    effects: list[Effect] = [["s", schema.name, to_json(schema)] for schema in schemas]
    for done in committed:
        change = done.change
        if isinstance(change, Delete):
            if done.before is not None:
                effects.append(["-", change.class_name, change.object_id])
            continue
        word = "+" if isinstance(change, Insert) else "="
        effects.append([word, change.class_name, done.after])
        related = change.relations if isinstance(change, Insert) else relations_of(change.write)
        effects += [
            ["r", change.class_name, change.object_id, key, [*relate.added], [*relate.removed]]
            for key, relate in related.items()
        ]
    effects += [["c", name, column, number] for (name, column), number in counters.items()]
    return effects


class Content:
    """Classes as they are put together from a file and the journals behind it."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.schemas: dict[str, ClassSchema] = {}

    def table(self, class_name: str) -> Table:
        return self.tables.setdefault(class_name, Table())

    def take(self, effect: Effect, source: str) -> None:
        """Apply an effect; ``source`` names the file, for a schema that cannot be read."""
        match effect:
            case ["+", str(name), dict(document)]:
                documents = self.table(name).documents
                documents.pop(document["objectId"], None)
                documents[document["objectId"]] = _with_shared_acl(document)
            case ["=", str(name), dict(document)]:
                self.table(name).documents[document["objectId"]] = _with_shared_acl(document)
            case ["-", str(name), str(object_id)]:
                self._forget(name, object_id)
            case ["r", str(name), str(owner), str(key), [*added], [*removed]]:
                relate = Relate(None, tuple(added), tuple(removed))
                self.table(name).relations.change(owner, key, relate)
            case ["s", str(name), dict(content)]:
                self.schemas[name] = schema_of(content, name, source)
            case ["c", str(name), str(column), int(number)]:
                self.table(name).counters[column] = number
            case ["d", str(name)]:
                self.tables.pop(name, None)
                self.schemas.pop(name, None)
            case ["x"]:
                self.tables.clear()
                self.schemas.clear()
            case _:
                raise ValueError(f"there is no effect {effect[:1]!r}")

    def _forget(self, class_name: str, object_id: str) -> None:
        table = self.table(class_name)
        table.documents.pop(object_id, None)
        schema = self.schemas.get(class_name)
        if schema is not None:
            table.relations.forget_owner(object_id, [key for key, _ in schema.relations])


def _with_shared_acl(document: dict[str, Json]) -> dict[str, Json]:
    return {**document, "ACL": shared(document["ACL"])} if "ACL" in document else document
