"""Files as readers get them: records with an address, columns with the record (storage.md 2.1)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias
from urllib.parse import quote

from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import MASTER, Principal
from lean_emulator.model.file_record import CLASS
from lean_emulator.model.schema import ClassSchema, new_class
from lean_emulator.service.visibility import visible
from lean_emulator.storage.contract import Storage

Fields: TypeAlias = dict[str, Json]
Allowed: TypeAlias = Callable[[ClassSchema, Fields], Awaitable[object]]
"""Whether the reader may see a stored record: something true."""

PATH = "/__files/"
"""What the address of a file has between the server and its key."""


class FileColumns:
    """Puts whole records in place of the references that documents store."""

    def __init__(self, storage: Storage, base_url: Callable[[], str]) -> None:
        """``base_url`` is what addresses of files begin with, without a slash at its end."""
        self._storage = storage
        self._base_url = base_url

    def located(self, row: Fields) -> Fields:
        """A stored ``_File`` record with its url, which is made anew for each reader."""
        key = row.get("key")
        if row.get("url") is not None or "objectId" not in row or not isinstance(key, str):
            return row
        return {**row, "url": self.url_of(key)}

    def url_of(self, key: str) -> str:
        return f"{self._base_url()}{PATH}{quote(key, safe='/')}"

    async def shown(
        self,
        principal: Principal,
        class_name: str,
        rows: Sequence[Fields],
        allowed: Allowed,
    ) -> list[Fields]:
        """The rows with their files; one that is gone or not to be seen has no name and no url."""
        if class_name == CLASS:
            return [self.located(row) for row in rows]
        classes = self._storage.classes()
        schema = classes.get(class_name)
        if schema is None:
            return [*rows]
        names = schema.file_columns if CLASS not in classes else schema.file_holders
        if not names:
            return [*rows]
        found = _Found(lambda object_id: self._record(principal, object_id, allowed))
        return [await found.expanded(row, names) for row in rows]

    async def for_code(self, class_name: str, document: Fields) -> Fields:
        """A document as hooks get it, with every file; its columns need not be known yet."""
        if class_name == CLASS:
            return self.located(document)
        found = _Found(lambda object_id: self._record(MASTER, object_id, _everything))
        return await found.expanded(document, [*document])

    async def _record(
        self, principal: Principal, object_id: str, allowed: Allowed
    ) -> Fields | None:
        row = await self._storage.get(CLASS, object_id)
        if row is None:
            return None
        schema = self._storage.classes().get(CLASS) or new_class(CLASS)
        if not await allowed(schema, row):
            return None
        return {**self.located(visible(principal, schema, row)), "__type": "File"}


class _Found:
    """One answer's files; each is fetched once."""

    def __init__(self, fetch: Callable[[str], Awaitable[Fields | None]]) -> None:
        self._fetch = fetch
        self._files: dict[str, Fields | None] = {}

    async def expanded(self, row: Fields, names: Sequence[str]) -> Fields:
        changed = {name: row[name] for name in names if name in row and _holds_file(row[name])}
        if not changed:
            return row
        return {**row, **{name: await self._value(value) for name, value in changed.items()}}

    async def _value(self, value: Json) -> Json:
        if isinstance(value, list):
            return [await self._value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get("__type") == "File":
            return await self._file(value)
        if "__type" in value:
            return value
        return {name: await self._value(item) for name, item in value.items()}

    async def _file(self, reference: Fields) -> Json:
        object_id = reference.get("id")
        if not isinstance(object_id, str):
            return reference  # it was stored as it came
        if object_id not in self._files:
            self._files[object_id] = await self._fetch(object_id)
        found = self._files[object_id]
        return _nowhere(object_id) if found is None else found


def _nowhere(object_id: str) -> Fields:
    """A reference that leads nowhere, with the members that SDKs fail without."""
    return {"__type": "File", "id": object_id, "objectId": object_id, "name": "", "url": ""}


async def _everything(schema: ClassSchema, row: Fields) -> bool:
    return True


def _holds_file(value: Json) -> bool:
    if isinstance(value, list):
        return any(_holds_file(item) for item in value)
    if not isinstance(value, dict):
        return False
    if "__type" in value:
        return value["__type"] == "File"
    return any(_holds_file(item) for item in value.values())
