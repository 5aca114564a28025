"""``/__emu/imports`` and ``/__emu/export``: objects in and out as files have them.

Commands read and write the files; nothing here looks at a path that a client names. Contents of
files and exports go through in pieces and are never in memory as a whole.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.http import HttpProcessingError

from lean_emulator.base import errors, jsontext
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.base.signing import same_secret
from lean_emulator.service.importing import Options
from lean_emulator.service.transfer_rooms import TransferRooms
from lean_emulator.wire.master_only import master_only
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

CONTENTS = "/__emu/contents/"
EXPORT = "/__emu/export"
_PIECE = 64 * 1024


class ImportHandlers:
    """Answers with the master key alone."""

    def __init__(self, rooms: TransferRooms, master_key: str) -> None:
        self._runs = rooms.runs
        self._contents = rooms.contents
        self._exporting = rooms.exporting
        self._credential = f"{master_key},master"

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/imports", master_only(self.begin)),
            Route("POST", "/imports/:id/rows", master_only(self.rows)),
            Route("POST", "/imports/:id/schema", master_only(self.schema)),
            Route("DELETE", "/imports/:id", master_only(self.end)),
        ]

    def raw_routes(self) -> list[web.RouteDef]:
        return [
            web.put(CONTENTS, self._guarded(self.content)),
            web.get(EXPORT, self._guarded(self.export)),
        ]

    async def begin(self, request: Request) -> Answer:
        """``replace``, ``hooks`` and ``dryRun`` are chosen for all rows of the import."""
        wish = request.document()
        options = Options(replace=wish.get("replace") is True, hooks=wish.get("hooks") is True)
        run_id = await self._runs.begin(options, dry=wish.get("dryRun") is True)
        return Answer({"id": run_id})

    async def rows(self, request: Request, run_id: str) -> Answer:
        """``rows`` of a ``className``; the answer names those that were refused by number."""
        wish = request.document()
        rows = wish.get("rows")
        if not isinstance(rows, list):
            raise errors.INVALID_REQUEST("rows must be a list.")
        file, class_name = str(wish.get("file", "")), str(wish.get("className", ""))
        return Answer((await self._runs.rows(run_id, file, class_name, rows)).to_json())

    async def schema(self, request: Request, run_id: str) -> Answer:
        """The ``content`` of the schema file of a ``className``."""
        wish = request.document()
        await self._runs.schema(run_id, str(wish.get("className", "")), wish.get("content"))
        return Answer({})

    async def end(self, request: Request, run_id: str) -> Answer:
        await self._runs.end(run_id)
        return Answer({})

    async def content(self, request: web.BaseRequest) -> web.StreamResponse:
        """The bytes of a file whose record is there."""
        object_id = request.path.removeprefix(CONTENTS)
        try:
            stored = await self._contents.put(object_id, request.content.iter_chunked(_PIECE))
        except (ConnectionError, HttpProcessingError) as e:
            raise errors.INVALID_REQUEST(f"The content is broken off: {e}.") from e
        return _json(stored, 200)

    async def export(self, request: web.BaseRequest) -> web.StreamResponse:
        """All classes or those of ``classes``, as lines; the last one says that it is the last."""
        names = [name for name in request.query.get("classes", "").split(",") if name]
        pieces = self._exporting.pieces(names or None)
        try:
            piece = await anext(pieces)
            response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
            await response.prepare(request)
            await response.write(piece)
            async for piece in pieces:
                await response.write(piece)
            await response.write_eof()
        finally:
            await pieces.aclose()  # type: ignore[attr-defined]  # it is a generator
        return response

    def _guarded(
        self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
        """As ``master_only``, for requests whose body nobody has read."""

        async def checked(request: web.BaseRequest) -> web.StreamResponse:
            headers = request.headers
            try:
                if "Origin" in headers or not same_secret(
                    headers.get("X-LC-Key", ""), self._credential
                ):
                    raise errors.MASTER_ONLY()
                return await handler(request)
            except ApiError as e:
                return _json(e.to_wire(), e.status)

        return checked


def _json(body: Json, status: int) -> web.Response:
    return web.Response(body=jsontext.dumps(body), status=status, content_type="application/json")
