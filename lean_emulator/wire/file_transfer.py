"""Contents of files over HTTP, beside the API: ``PUT /__upload/…`` and ``GET /__files/…``.

Bodies go through in chunks and never into memory as a whole. Uploads prove themselves with the
token of ``fileTokens``; downloads need nothing, as on the platform.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from urllib.parse import unquote

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError

from lean_emulator.base import errors, jsontext
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog, Outcome
from lean_emulator.service.file_columns import PATH as FILES_PATH
from lean_emulator.service.files import UPLOAD_PATH, Files, Served
from lean_emulator.service.hook_event import describe
from lean_emulator.service.uploads import Uploads
from lean_emulator.storage.blobs import Draft
from lean_emulator.wire.cors import preflight
from lean_emulator.wire.file_serving import (
    Validators,
    headers_for,
    unchanged,
    validators,
    wanted_span,
)
from lean_emulator.wire.qiniu import QiniuUploads, token_in

_PIECE = 64 * 1024
_FIELD = 16 * 1024
"""Bytes that a field of a form may have that is not the file."""
_FORM_FILES = frozenset({"file", "filecontent"})
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Last-Modified"
    ),
}
_READING = ("GET", "HEAD")


class FileTransfer:
    """Takes contents in and gives them out."""

    def __init__(self, files: Files, uploads: Uploads, log: EventLog) -> None:
        self._files = files
        self._uploads = uploads
        self._log = log
        self._qiniu = QiniuUploads(uploads)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", UPLOAD_PATH, self.upload),
            web.route("*", FILES_PATH, self.download),
        ]

    async def upload(self, request: web.BaseRequest) -> web.StreamResponse:
        """One content, or a piece of one; a step of the trace that does not show the token."""
        if request.method == "OPTIONS":
            return web.Response(headers=preflight(request.headers))
        path = request.raw_path.partition("?")[0]
        object_id, *rest = path.removeprefix(UPLOAD_PATH).split("/")
        shown = f"{UPLOAD_PATH}{object_id}"
        span = self._log.begin(
            "request",
            f"{request.method} {shown}",
            method=request.method,
            path=shown,
            class_name="_File",
            headers=request.headers,
        )
        outcome: Outcome = "failed"
        status = None
        try:
            response = await self._received(request, object_id, [unquote(part) for part in rest])
            outcome, status = "ok", response.status
        except ApiError as e:
            span.detail["error"] = describe(e)
            outcome, status = "failed" if e.status >= 500 else "rejected", e.status
            response = _json(e.to_wire(), status)
        finally:
            self._log.end(span, outcome, status)
        return response

    async def _received(
        self, request: web.BaseRequest, object_id: str, rest: list[str]
    ) -> web.Response:
        try:
            if rest:
                return _json(await self._qiniu.answer(request, object_id, rest))
            if request.method == "PUT":
                return await self._put(request, object_id)
            if request.method == "POST":
                return await self._form(request, object_id)
        except (ConnectionError, HttpProcessingError, ValueError) as e:
            raise errors.INVALID_REQUEST(f"The upload is broken off or malformed: {e}.") from e
        raise errors.ROUTE_NOT_FOUND(f"Nothing is uploaded with {request.method}.")

    async def _put(self, request: web.BaseRequest, object_id: str) -> web.Response:
        """The bytes as they are (S3)."""
        upload = self._uploads.authorised(object_id, request.query.get("token"))
        self._uploads.check_size(request.content_length)
        await invite(request)
        draft = await self._uploads.receive(
            request.content.iter_chunked(_PIECE), request.content_length
        )
        await self._uploads.complete(upload, draft)
        return web.Response(headers={**_CORS, "ETag": f'"{draft.md5}"'})

    async def _form(self, request: web.BaseRequest, object_id: str) -> web.Response:
        """A form with the file in it (Qiniu, QCloud); its token may come after the file."""
        self._uploads.check_expected(object_id)
        await invite(request)
        form = _Form(self._uploads)
        try:
            await form.read(request)
            token = form.fields.get("token") or token_in(request) or request.query.get("sign")
            upload = self._uploads.authorised(object_id, token)
            if form.fields.get("key", upload.key) != upload.key:
                raise errors.INVALID_REQUEST("The key is not the one of the upload token.")
            draft = form.taken()
        except BaseException:
            await form.discard()
            raise
        await self._uploads.complete(upload, draft)
        if form.file_field == "file":
            return _json({"key": upload.key, "hash": draft.md5})
        return _json({"code": 0, "message": "SUCCESS", "data": {}})

    async def download(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response(headers=preflight(request.headers))
        if request.method not in _READING:
            error = errors.ApiError(1, f"A file cannot be read with {request.method}.", 405)
            return _json(error.to_wire(), 405, {"Allow": "GET, HEAD, OPTIONS"})
        key = unquote(request.raw_path.partition("?")[0].removeprefix(FILES_PATH))
        served = await self._files.served(key)
        if served is None:
            gone = errors.ROUTE_NOT_FOUND("There is no file here, or its upload did not end.")
            return _json(gone.to_wire(), gone.status)
        return await _sent(request, served)


class _Form:
    """A multipart body: small fields, and one file that is written as it comes."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads
        self._draft: Draft | None = None
        self.fields: dict[str, str] = {}
        self.file_field = ""

    async def read(self, request: web.BaseRequest) -> None:
        """Raises code 1 for what is no such form, 413 for a file that is too large."""
        if not request.content_type.startswith("multipart/"):
            raise errors.INVALID_REQUEST("An upload by POST is a multipart form.")
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise errors.INVALID_REQUEST("The form has a form inside.")
            name = part.name or ""
            if name.lower() in _FORM_FILES:
                await self.discard()
                self._draft = await self._uploads.receive(_pieces(part), None)
                self.file_field = name
            else:
                self.fields[name] = await _text(part)

    def taken(self) -> Draft:
        """The file, which is the caller's from now on."""
        if self._draft is None:
            raise errors.INVALID_REQUEST("The form has no file in it.")
        draft, self._draft = self._draft, None
        return draft

    async def discard(self) -> None:
        if self._draft is not None:
            await self._draft.discard()
            self._draft = None


async def invite(request: web.BaseRequest) -> None:
    """Tell a client that waits for it to go on with the body."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    while piece := await part.read_chunk(_PIECE):
        yield piece


async def _text(part: BodyPartReader) -> str:
    text = bytearray()
    async for piece in _pieces(part):
        text += piece
        if len(text) > _FIELD:
            raise errors.INVALID_REQUEST(f"The form's field '{part.name}' is too long.")
    return text.decode("utf-8", "replace")


async def _sent(request: web.BaseRequest, served: Served) -> web.StreamResponse:
    record, content = served.record, served.content
    current = validators(str(record["objectId"]), content.size, str(record["createdAt"]))
    headers = _headers(request, served, current)
    if unchanged(request.headers, current):
        return web.Response(status=304, headers=headers)
    part = wanted_span(request.headers, content.size, current)
    if part is not None and part.start >= part.stop:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{content.size}"})
    start, stop = part or (0, content.size)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
    response = web.StreamResponse(status=200 if part is None else 206, headers=headers)
    response.content_length = stop - start
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    async with aclosing(content.read(start, stop)) as chunks:
        async for chunk in chunks:
            await response.write(chunk)
    return response


def _headers(request: web.BaseRequest, served: Served, current: Validators) -> dict[str, str]:
    """Image operations in the query (``?imageView2/…``) are not done: the original is sent."""
    record = served.record
    headers = headers_for(
        str(record.get("name") or record["key"]),
        str(record.get("mime_type") or "application/octet-stream"),
        request.query.get("attname") or None,
    )
    return {**_CORS, **headers, "ETag": current.etag, "Last-Modified": current.modified}


def _json(body: Json, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=jsontext.dumps(body),
        status=status,
        headers={**_CORS, "Content-Type": "application/json;charset=utf-8", **(headers or {})},
    )
