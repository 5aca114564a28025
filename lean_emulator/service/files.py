"""File records and their contents: announce, finish, register, serve, delete (storage.md 8)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from lean_emulator.base import errors
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import MASTER
from lean_emulator.model.document import only
from lean_emulator.model.file_record import CLASS, KEY_LENGTH, FileWish, new_key, read_wish
from lean_emulator.model.hooknames import HookKind
from lean_emulator.model.operations import Operation, Set
from lean_emulator.model.query import Compare, Order, Query, Where
from lean_emulator.service.call import Call
from lean_emulator.service.file_columns import FileColumns
from lean_emulator.service.objects import Fields, Objects
from lean_emulator.service.uploads import Upload, Uploads
from lean_emulator.storage.blobs import Blobs, Content, Draft
from lean_emulator.storage.contract import Storage

BUCKET = "lean-emu"
UPLOAD_PATH = "/__upload/"
"""What the address of an upload has between the server and the record's id."""

_ID = re.compile("[0-9a-z]{1,64}")
_EVERY_HOOK = frozenset(HookKind)
_SHOWN = ("objectId", "createdAt", "name", "mime_type", "bucket", "metaData")


@dataclass(frozen=True, slots=True)
class Served:
    """A file as it is sent to who asks for its address."""

    record: Fields
    content: Content


class Files:
    """Records are objects of ``_File``; contents lie in blobs, under the record's id."""

    def __init__(
        self,
        storage: Storage,
        objects: Objects,
        blobs: Blobs,
        uploads: Uploads,
        columns: FileColumns,
        ids: Ids,
        api_url: Callable[[], str],
        *,
        provider: str,
    ) -> None:
        """``provider`` is what clients are told: ``s3``, ``qiniu`` or ``qcloud``."""
        self._storage = storage
        self._objects = objects
        self._blobs = blobs
        self._uploads = uploads
        self._columns = columns
        self._ids = ids
        self._api_url = api_url
        self._provider = provider

    async def announce(self, call: Call, body: Mapping[str, Json]) -> Fields:
        """Make the record of a file that will be uploaded; answers it with token and address.

        Raises code 122 for its name, 1 for its key, 137 for a key that is taken, 413 for its size.
        """
        wish = read_wish(body, master=call.principal.is_master)
        self._uploads.check_size(wish.size)
        await self._forget_late(call)
        record = await self._created(call, wish)
        object_id, key = str(record["objectId"]), str(record["key"])
        upload = self._uploads.expect(object_id, key, wish.size)
        address = f"{self._api_url()}{UPLOAD_PATH}{object_id}"
        return {
            **only(record, _SHOWN),
            "key": key,
            "url": self._columns.url_of(key),
            "token": upload.token,
            "provider": self._provider,
            "upload_url": f"{address}?token={upload.token}" if self._provider == "s3" else address,
        }

    async def finish(self, call: Call, token: Json, result: Json) -> None:
        """End an upload; a failed one takes its record along. Unknown tokens are no error."""
        upload = await self._uploads.close(token) if isinstance(token, str) else None
        if upload is None:
            return
        if result is False:
            await self._remove(call, upload)
        elif not upload.stored and not upload.claimed:
            # some clients do not send what is empty
            await self._blobs.keep(self._blobs.draft(), upload.object_id)
        elif not upload.stored and call.span is not None:
            call.span.detail["note"] = f"no content arrived for {upload.object_id}"

    async def register(self, call: Call, body: Mapping[str, Json]) -> Fields:
        """Make the record of a file that is somewhere else; answers its id and time."""
        wish = read_wish(body, master=call.principal.is_master)
        if wish.url is None:
            raise errors.INVALID_REQUEST(
                "A file's url is missing. Contents are uploaded by way of fileTokens."
            )
        return only(await self._created(call, wish), ("objectId", "createdAt"))

    async def store(self, call: Call, name: str, mime_type: Json, draft: Draft) -> Fields:
        """Record and content in one step, as the old direct upload had it."""
        body: Fields = {"name": name, "mime_type": mime_type, "metaData": {"size": draft.size}}
        try:
            record = await self._created(call, read_wish(body, master=False))
        except BaseException:
            await draft.discard()
            raise
        await self._blobs.keep(draft, str(record["objectId"]))
        shown = only(record, ("objectId", "createdAt", "name", "bucket"))
        return {**shown, "url": self._columns.url_of(str(record["key"])), "size": draft.size}

    async def delete(self, call: Call, object_id: str, guard: Where | None = None) -> None:
        """Remove record and content. Raises 403 for whom the class is closed, as by default."""
        await self._objects.delete(call, CLASS, object_id, guard=guard)
        if _ID.fullmatch(object_id):
            await self._blobs.delete(object_id)

    async def served(self, key: str) -> Served | None:
        """The file with that key; ``None`` where there is none, or no content came for it.

        Whoever knows the address may read, as on the platform, where it is one of a CDN.
        """
        newest = Query(CLASS, Compare("key", "eq", key), order=(Order("createdAt", True),))
        for record in await self._storage.find(newest):
            object_id = str(record["objectId"])
            if record.get("url") is None and _ID.fullmatch(object_id):
                content = await self._blobs.content(object_id)
                if content is not None:
                    return Served(record, content)
        return None

    async def clear(self) -> None:
        """Forget all contents and uploads; the records are the storage's."""
        await self._uploads.close_all()
        await self._blobs.clear()

    async def _created(self, call: Call, wish: FileWish) -> Fields:
        """The stored record."""
        key = wish.key or new_key(self._ids.lower(KEY_LENGTH), wish)
        if wish.key is not None and not call.principal.is_master:
            await self._refuse_taken(key)
        meta_data = dict(wish.meta_data)
        if "owner" not in meta_data and call.principal.user_id is not None:
            meta_data["owner"] = call.principal.user_id
        fields: Fields = {
            "name": wish.name or key,
            "key": key,
            "bucket": None if wish.url is not None else BUCKET,
            "mime_type": wish.mime_type,
            "metaData": meta_data,
        }
        if wish.url is not None:
            fields["url"] = wish.url
        if wish.acl is not None:
            fields["ACL"] = wish.acl
        write: dict[str, Operation] = {name: Set(value) for name, value in fields.items()}
        created = await self._objects.create(call, CLASS, write)
        stored = await self._objects.stored(CLASS, str(created["objectId"]))
        return stored or {**fields, **created}

    async def _refuse_taken(self, key: str) -> None:
        """A client must not put a content of its own at somebody else's address."""
        if await self._storage.find(Query(CLASS, Compare("key", "eq", key), limit=1)):
            raise errors.DUPLICATE_VALUE(f"There is a file with the key '{key}' already.")

    async def _forget_late(self, call: Call) -> None:
        """Remove the records of files that were announced and never came."""
        for upload in await self._uploads.close_expired():
            if not upload.stored:
                await self._remove(call, upload)

    async def _remove(self, call: Call, upload: Upload) -> None:
        """Take back a record that its upload made; it never was a file to those who ask."""
        own = replace(call, principal=MASTER).ignoring(_EVERY_HOOK)
        await self.delete(own, upload.object_id)
