"""``/fileTokens``, ``/fileCallback``, ``/files`` (storage.md 8.1–8.3); contents: file_transfer."""

import base64
import binascii
from collections.abc import AsyncIterator

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.file_record import CLASS, check_legacy_name
from lean_emulator.model.values import check_object_id
from lean_emulator.service.files import Files
from lean_emulator.service.uploads import Uploads
from lean_emulator.wire.objects import ObjectHandlers, guard_of
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class FileHandlers:
    """Reads requests for the file service."""

    def __init__(self, files: Files, uploads: Uploads, objects: ObjectHandlers) -> None:
        self._files = files
        self._uploads = uploads
        self._objects = objects

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/fileTokens", self.announce),
            Route("POST", "/fileCallback", self.finish),
            Route("POST", "/files", self.register),
            Route("POST", "/classes/_File", self.register),
            Route("POST", "/files/:name", self.store),
            Route("POST", "/files/:id/censor", self.censor),
            Route("GET", "/files", self.find),
            Route("GET", "/classes/files", self.find),
            Route("GET", "/files/:id", self.get),
            Route("PUT", "/files/:id", self.update),
            Route("DELETE", "/files/:id", self.delete),
            Route("DELETE", "/classes/_File/:id", self.delete),
        ]

    async def announce(self, request: Request) -> Answer:
        call = request.hooked_call(CLASS)
        return _created(await self._files.announce(call, request.document()))

    async def finish(self, request: Request) -> Answer:
        body = request.document()
        await self._files.finish(request.call, body.get("token"), body.get("result"))
        return Answer({})

    async def register(self, request: Request) -> Answer:
        call = request.hooked_call(CLASS)
        return _created(await self._files.register(call, request.document()))

    async def store(self, request: Request, name: str) -> Answer:
        """The old direct upload, its content as base64 in JSON; see ``direct_upload``."""
        check_legacy_name(name)
        body = request.document()
        draft = await self._uploads.receive(_decoded(body.get("base64")), None)
        call = request.hooked_call(CLASS)
        mime_type = body.get("mime_type") or body.get("_ContentType")
        return _created(await self._files.store(call, name, mime_type, draft))

    async def censor(self, request: Request, object_id: str) -> Answer:
        """Looks at no picture, and has nothing against any."""
        if not request.call.principal.is_master:
            raise errors.MASTER_ONLY()
        found = await self._objects.get(request, CLASS, object_id)
        if not found.body:
            raise errors.OBJECT_NOT_FOUND(f"There is no file '{object_id}'.")
        return Answer({"censorResult": "pass"})

    async def find(self, request: Request) -> Answer:
        return await self._objects.find(request, CLASS)

    async def get(self, request: Request, object_id: str) -> Answer:
        return await self._objects.get(request, CLASS, object_id)

    async def update(self, request: Request, object_id: str) -> Answer:
        return await self._objects.update(request, CLASS, object_id)

    async def delete(self, request: Request, object_ids: str) -> Answer:
        """One id, or several joined by commas; the first refusal ends the list."""
        ids = [part for part in object_ids.split(",") if part]
        for object_id in ids:
            check_object_id(object_id)
        call, guard = request.hooked_call(CLASS), guard_of(request)
        for object_id in ids:
            await self._files.delete(call, object_id, guard)
        return Answer({})


def _created(record: dict[str, Json]) -> Answer:
    return Answer(record, 201, {"Location": f"/1.1/classes/{CLASS}/{record['objectId']}"})


async def _decoded(content: Json) -> AsyncIterator[bytes]:
    if not isinstance(content, str):
        raise errors.INVALID_REQUEST("A direct upload wants its content as text named 'base64'.")
    try:
        yield base64.b64decode(content, validate=True)
    except binascii.Error as e:
        raise errors.INVALID_REQUEST(f"The content is not base64: {e}.") from e
