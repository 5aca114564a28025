"""Contents for ``_File`` records that came without: what an import brings along."""

import re
from collections.abc import AsyncIterable

from lean_emulator.base import errors
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.model.file_record import CLASS, KEY_LENGTH
from lean_emulator.model.operations import Operation, Set, Unset
from lean_emulator.service.files import BUCKET
from lean_emulator.storage.blobs import Blobs
from lean_emulator.storage.contract import Storage, Update

_ID = re.compile("[0-9a-z]{1,64}")


class FileContents:
    """Puts contents behind records, which lean-emu serves itself from then on."""

    def __init__(self, storage: Storage, blobs: Blobs, ids: Ids) -> None:
        self._storage = storage
        self._blobs = blobs
        self._ids = ids

    async def put(self, object_id: str, chunks: AsyncIterable[bytes]) -> dict[str, Json]:
        """Store a content; answers its size in bytes. The record's times stay as they are.

        Raises code 101 without a record, 104 for an id that no content can have.
        """
        record = await self._storage.get(CLASS, object_id)
        if record is None:
            raise errors.OBJECT_NOT_FOUND(f"There is no file '{object_id}'.")
        if not _ID.fullmatch(object_id):
            raise errors.INVALID_OBJECT_ID(f"The file '{object_id}' cannot have a content here.")
        draft = self._blobs.draft()
        try:
            async for chunk in chunks:
                await draft.write(chunk)
        except BaseException:
            await draft.discard()
            raise
        size = draft.size
        await self._blobs.keep(draft, object_id)
        write: dict[str, Operation] = {}
        if record.get("url") is not None:
            write |= {"url": Unset(), "bucket": Set(BUCKET)}
        if not record.get("key"):
            write["key"] = Set(self._ids.lower(KEY_LENGTH))
        if write:
            await self._storage.commit([Update(CLASS, object_id, write, str(record["updatedAt"]))])
        return {"objectId": object_id, "size": size}
