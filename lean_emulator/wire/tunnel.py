"""WebSockets of the user's web app: the handshake is passed on, then bytes both ways as they are.

Nothing here reads frames, so subprotocols, extensions, close codes and frames of any size are the
app's and its client's own affair.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast

from aiohttp import web

from lean_emulator.base import errors
from lean_emulator.base.deadline import Deadline
from lean_emulator.engine.http1 import AnswerReader, NotHttp
from lean_emulator.service.engine import Address
from lean_emulator.wire.page import NotReached, response_of
from lean_emulator.wire.page_headers import Pairs

_LONGEST_HEAD = 64 * 1024
_PIECE = 64 * 1024


def asks_for_websocket(request: web.BaseRequest) -> bool:
    """Other upgrades (to HTTP/2, say) are not passed on: an app must do without them."""
    headers = request.headers
    return (
        headers.get("Upgrade", "").lower() == "websocket"
        and "upgrade" in headers.get("Connection", "").lower()
        and request.method == "GET"
    )


class Tunnel:
    """A connection to the app that has been sent a client's handshake."""

    def __init__(
        self,
        request: web.BaseRequest,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        idle: float,
    ) -> None:
        """``idle`` is the seconds after which silence on both sides ends it."""
        self._request = request
        self._reader = reader
        self._writer = writer
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._full = asyncio.Event()

    async def handshake(self, headers: Pairs, extra: Pairs) -> web.StreamResponse:
        """The app's answer, prepared for the client: 101, or whatever it said in its place.

        Raises ``EngineGone`` when the app breaks off before that.
        """
        self._writer.write(_handshake_bytes(self._request, headers))
        try:
            await self._writer.drain()
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
            raise errors.ENGINE_GONE("The web app gave no answer to a WebSocket.") from error
        first, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        if first.split(" ")[1:2] != ["101"]:
            return await self._refusal(head, extra)
        pairs = [(name, value.strip()) for name, _, value in (x.partition(":") for x in lines[:-2])]
        response = response_of(101, "Switching Protocols", pairs, extra)
        response.headers.update({"Connection": "Upgrade", "Upgrade": "websocket"})
        response.force_close()
        await response.prepare(self._request)
        return response

    async def run(self, response: web.StreamResponse) -> str:
        """Carry bytes until one side ends; says which, in words for the trace."""
        assert self._request.transport is not None
        cast(Any, self._request.protocol).set_parser(self)  # what aiohttp's own WebSocket does
        relief = self._loop.create_task(self._relieve(self._request.transport))
        try:
            return await self._carry(response)
        finally:
            relief.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await relief

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Bytes of the client; aiohttp calls this, and takes "not over, nothing left"."""
        self._heard = self._loop.time()
        self._writer.write(data)
        transport = self._writer.transport
        if transport.get_write_buffer_size() > _PIECE and self._request.transport is not None:
            self._request.transport.pause_reading()
            self._full.set()
        return False, b""

    def feed_eof(self) -> None:
        """The client is gone; the server cancels us for that."""

    async def _carry(self, response: web.StreamResponse) -> str:
        while True:
            left = self._idle - (self._loop.time() - self._heard)
            try:
                async with asyncio.timeout(None if left == float("inf") else left):
                    data = await self._reader.read(_PIECE)
            except TimeoutError:
                if self._loop.time() - self._heard < self._idle:
                    continue  # the client has spoken in the meantime
                return f"cut: no data in {self._idle:g} s, as the platform does; send pings"
            except OSError:
                return "the app broke off"
            if not data:
                return "the app ended it"
            self._heard = self._loop.time()
            await response.write(data)

    async def _relieve(self, client: asyncio.Transport) -> None:
        """Let the client go on once the app has read what was sent."""
        while True:
            await self._full.wait()
            self._full.clear()
            with contextlib.suppress(OSError):
                await self._writer.drain()
            client.resume_reading()

    async def _refusal(self, head: bytes, extra: Pairs) -> web.StreamResponse:
        """An ordinary answer to a handshake: read to its end and handed on."""
        reader = AnswerReader(bare=False)
        try:
            done = reader.feed(head)
            while not done and (data := await self._reader.read(_PIECE)):
                done = reader.feed(data)
        except (NotHttp, OSError) as error:
            raise errors.ENGINE_GONE(f"The web app broke off: {error}.") from error
        answer = reader.answer()
        response = response_of(answer.status, "", answer.headers, extra)
        response.content_length = len(answer.body)
        response.force_close()
        await response.prepare(self._request)
        await response.write(answer.body)
        return response


@contextlib.asynccontextmanager
async def tunnel(
    request: web.BaseRequest, address: Address, deadline: Deadline, *, idle: float
) -> AsyncIterator[Tunnel]:
    """A connection for one WebSocket. Raises ``NotReached``."""
    seconds = deadline.remaining()
    try:
        async with asyncio.timeout(None if seconds == float("inf") else seconds):
            if address.path is not None:
                opened = await asyncio.open_unix_connection(address.path, limit=_LONGEST_HEAD)
            else:
                opened = await asyncio.open_connection(
                    address.host,
                    address.port,
                    limit=_LONGEST_HEAD,
                    ssl=True if address.tls else None,
                )
    except (OSError, TimeoutError) as error:
        raise NotReached(f"it does not listen on {address} ({error})") from error
    reader, writer = opened
    try:
        yield Tunnel(request, reader, writer, idle=idle)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _handshake_bytes(request: web.BaseRequest, headers: Pairs) -> bytes:
    """The client's own handshake with the front door's headers; aiohttp lets no line break in."""
    lines = [f"GET {request.raw_path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += ["Connection: Upgrade", "Upgrade: websocket", "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")
