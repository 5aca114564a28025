"""An HTTP client that sends whatever it is told to, byte by byte."""

import asyncio
import re
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
_BODILESS = (204, 304)
HANGING = 5.0
"""Seconds after which an answer counts as one that never comes."""
PATIENCE = 0.02
"""Seconds for the answer to what may be no request."""


@dataclass(frozen=True)
class Answer:
    """Status and body; status 0 when the server closed without a word.

    ``closing`` is true when no request follows: what the HTTP parser refused ends like that.
    """

    status: int
    body: bytes
    closing: bool = False


NOTHING = Answer(0, b"")


class Line:
    """One connection, kept alive, and opened again after the server or a rude request closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, raw: bytes, *, head_only: bool = False) -> Answer:
        """The answer to a complete request. Raises ``TimeoutError`` when none comes."""
        async with asyncio.timeout(HANGING):
            reader, writer = await self._opened()
            writer.write(raw)
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                status = int(head.split(b" ", 2)[1])
                length = _LENGTH.search(head)
                empty = head_only or status in _BODILESS or length is None
                body = b"" if empty or length is None else await reader.readexactly(int(length[1]))
            except (asyncio.IncompleteReadError, ConnectionError):
                await self.close()
                return NOTHING
            closing = head.startswith(b"HTTP/1.0") or length is None
            if closing:
                await self.close()
            return Answer(status, body, closing)

    async def ask_rudely(self, raw: bytes) -> Answer:
        """What comes back for bytes that need not be a request; mostly nothing does."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        received = b""
        try:
            writer.write(raw)
            async with asyncio.timeout(PATIENCE):
                received = await reader.readuntil(b"\r\n\r\n")
                received += await reader.read()
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            pass  # a request without an end has no answer
        finally:
            await _closed(writer)
        head, _, body = received.partition(b"\r\n\r\n")
        return Answer(int(head.split(b" ", 2)[1]), body, closing=True) if head else NOTHING

    async def close(self) -> None:
        if self._streams is not None:
            await _closed(self._streams[1])
            self._streams = None

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        return self._streams


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except ConnectionError:
        return
