"""The classes of the application: what they are, as files and as ``/schemas`` (storage.md 9.3)."""

from collections.abc import Mapping

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.document import AUTOMATIC, check_field_names
from lean_emulator.model.schema import OURS, ClassSchema, admit_document, declared, new_class
from lean_emulator.model.schema_file import to_json, type_json
from lean_emulator.model.values import check_class_name, normalise
from lean_emulator.storage.contract import Storage


class Schemas:
    """Classes, without their objects."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def types(self) -> dict[str, dict[str, Json]]:
        """The types of all columns, by class."""
        return {name: _types(schema) for name, schema in self._classes()}

    def types_of(self, class_name: str) -> dict[str, Json]:
        """The types of a class's columns. Raises code 101 (404) for an unknown class."""
        check_class_name(class_name)
        schema = self._storage.classes().get(class_name)
        if schema is None:
            raise errors.CLASS_NOT_FOUND()
        return _types(schema)

    def files(self) -> dict[str, Json]:
        """Every class as a schema file holds it, by name."""
        return {name: to_json(schema) for name, schema in self._classes()}

    async def declare(self, wanted: ClassSchema) -> None:
        """Make a class what a schema file wants it to be.

        Raises code 111 for a column that has another type, ``DuplicateValue`` where objects break a
        unique index; nothing changes then.
        """
        await self._storage.save_class(declared(self._known(wanted.name), wanted))

    async def learn(self, class_name: str, example: Mapping[str, Json]) -> None:
        """Give a class the columns that an example object asks for, without storing it."""
        check_class_name(class_name)
        check_field_names(example, dotted=False)
        fields = {name: normalise(v) for name, v in example.items() if name not in AUTOMATIC}
        known = self._known(class_name)
        await self._storage.save_class(admit_document(known, fields))

    def _classes(self) -> list[tuple[str, ClassSchema]]:
        """The application's classes by name."""
        classes = self._storage.classes().items()
        return sorted(item for item in classes if not item[0].startswith(OURS))

    def _known(self, class_name: str) -> ClassSchema:
        return self._storage.classes().get(class_name) or new_class(class_name)


def _types(schema: ClassSchema) -> dict[str, Json]:
    return {name: type_json(column) for name, column in sorted(schema.columns.items())}
