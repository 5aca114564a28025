"""Qiniu's uploads in pieces, for clients that insist on them (storage.md 8.4).

Two protocols below the upload address: blocks (``mkblk``, ``bput``, ``mkfile``) and the newer parts
(``buckets/…/uploads``). Both prove themselves with ``Authorization: UpToken <token>``.
"""

import base64
import binascii
import secrets
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from lean_emulator.base import errors, jsontext
from lean_emulator.base.jsontext import Json
from lean_emulator.service.uploads import Upload, Uploads, truncated
from lean_emulator.storage.blobs import Draft

_PIECE = 64 * 1024
_LIST = 4 * 1024 * 1024
"""Bytes that a list of parts may have."""
_SCHEME = "UpToken "

_Step: TypeAlias = Callable[..., Awaitable[Json]]


class QiniuUploads:
    """Puts contents together from pieces."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    async def answer(self, request: web.BaseRequest, object_id: str, path: list[str]) -> Json:
        """One request below an upload's address. Raises 403 without its token, 404 for others."""
        upload = self._uploads.authorised(object_id, token_in(request))
        match request.method, path:
            case "POST", ["mkblk", size]:
                return await self._make_block(request, upload, _number(size))
            case "POST", ["bput", context, offset]:
                return await self._put_chunk(request, upload, context, _number(offset))
            case "POST", ["mkfile", size, *more]:
                return await self._make_file(request, upload, _number(size), more)
            case "POST", ["buckets", _, "objects", key, "uploads"]:
                _check_key(upload, key)
                return {"uploadId": secrets.token_hex(16)}
            case "PUT", ["buckets", _, "objects", _, "uploads", name, number]:
                return await self._put_part(request, upload, name, _number(number))
            case "POST", ["buckets", _, "objects", key, "uploads", name]:
                _check_key(upload, key)
                return await self._complete(request, upload, name)
            case "DELETE", ["buckets", _, "objects", _, "uploads", _]:
                await self._uploads.drop_parts(upload)
                return {}
        raise errors.ROUTE_NOT_FOUND(f"No such upload step: {request.method} {'/'.join(path)}.")

    async def _make_block(self, request: web.BaseRequest, upload: Upload, size: int) -> Json:
        """A new block, with its first chunk."""
        self._uploads.check_size(size)
        crc32, chunk = await self._chunk(request)
        context = secrets.token_hex(16)
        await self._uploads.add_part(upload, context, chunk)
        return _context(request, context, chunk, crc32)

    async def _put_chunk(
        self, request: web.BaseRequest, upload: Upload, context: str, offset: int
    ) -> Json:
        """The next chunk of a block."""
        block = upload.parts.get(context)
        if block is None or block.size != offset:
            raise errors.INVALID_REQUEST(f"There is no block '{context}' of {offset} bytes.")
        crc32, chunk = await self._chunk(request)
        whole = await self._uploads.joined([block, chunk])
        await chunk.discard()
        await self._uploads.add_part(upload, context, whole)
        return _context(request, context, whole, crc32)

    async def _make_file(
        self, request: web.BaseRequest, upload: Upload, size: int, more: list[str]
    ) -> Json:
        """Blocks become the file, in the order of the body, which names them."""
        options = dict(zip(more[::2], more[1::2], strict=False))
        if "key" in options:
            _check_key(upload, options["key"])
        names = (await _body(request)).decode("utf-8", "replace").split(",")
        drafts = [_part(upload, name.strip()) for name in names if name.strip()]
        whole = await self._uploads.joined(drafts)
        if whole.size != size:
            await whole.discard()
            raise truncated(whole.size, size)
        return await self._done(upload, whole)

    async def _put_part(
        self, request: web.BaseRequest, upload: Upload, name: str, number: int
    ) -> Json:
        _, part = await self._chunk(request)
        await self._uploads.add_part(upload, f"{name}-{number}", part)
        return {"etag": part.md5, "md5": part.md5}

    async def _complete(self, request: web.BaseRequest, upload: Upload, name: str) -> Json:
        """Parts become the file, in the order of their numbers."""
        body = jsontext.loads(await _body(request))
        listed = body.get("parts") if isinstance(body, dict) else None
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise errors.INVALID_REQUEST("The parts of the upload are not listed.")
        etags = {_number(one.get("partNumber")): one.get("etag") for one in listed}  # type: ignore[union-attr]  # checked above
        drafts = [_part(upload, f"{name}-{number}", etags[number]) for number in sorted(etags)]
        return await self._done(upload, await self._uploads.joined(drafts))

    async def _done(self, upload: Upload, whole: Draft) -> Json:
        await self._uploads.complete(upload, whole)
        return {"key": upload.key, "hash": whole.md5}

    async def _chunk(self, request: web.BaseRequest) -> tuple[int, Draft]:
        """A request's body, with its CRC-32."""
        sums = [0]

        async def pieces() -> AsyncIterator[bytes]:
            async for piece in request.content.iter_chunked(_PIECE):
                sums[0] = zlib.crc32(piece, sums[0])
                yield piece

        draft = await self._uploads.receive(pieces(), request.content_length)
        return sums[0], draft


def token_in(request: web.BaseRequest) -> str:
    """What stands in the ``Authorization`` header, without Qiniu's word before it."""
    return request.headers.get("Authorization", "").removeprefix(_SCHEME).strip()


def _context(request: web.BaseRequest, context: str, block: Draft, crc32: int) -> Json:
    path = request.raw_path.partition("?")[0]
    own = "/".join(path.split("/")[:3])
    return {
        "ctx": context,
        "checksum": block.md5,
        "crc32": crc32,
        "offset": block.size,
        "host": f"http://{request.headers.get('Host', '')}{own}",
    }


def _part(upload: Upload, name: str, etag: Json = None) -> Draft:
    draft = upload.parts.get(name)
    if draft is None or etag not in (None, draft.md5):
        raise errors.INVALID_REQUEST(f"There is no part '{name}' with that checksum.")
    return draft


def _check_key(upload: Upload, encoded: str) -> None:
    """Raise code 1 unless a key in URL-safe base64, padded or not, is the upload's."""
    try:
        padded = encoded + "=" * (-len(encoded) % 4)
        key = base64.urlsafe_b64decode(padded).decode()
    except (binascii.Error, UnicodeDecodeError):
        key = ""
    if key != upload.key:
        raise errors.INVALID_REQUEST("The key is not the one of the upload token.")


def _number(text: Json) -> int:
    """Raises code 1 for what is no whole number from 0."""
    if not (str(text).isascii() and str(text).isdigit() and len(str(text)) <= 15):
        raise errors.INVALID_REQUEST(f"A number is wanted, got '{text}'.")
    return int(str(text))


async def _body(request: web.BaseRequest) -> bytes:
    body = bytearray()
    async for piece in request.content.iter_chunked(_PIECE):
        body += piece
        if len(body) > _LIST:
            raise errors.TOO_LARGE_BODY("The list of parts is too long.")
    return bytes(body)
