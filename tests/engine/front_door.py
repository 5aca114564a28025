"""A running project behind the server that clients talk to, without the rest of the emulator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from lean_emulator.base.ids import Ids
from lean_emulator.base.trace import Span
from lean_emulator.service.engine import Credentials
from lean_emulator.wire.entry import Entry
from lean_emulator.wire.proxy import AppProxy
from lean_emulator.wire.routes import RouteTable
from lean_emulator.wire.server import ApiServer
from tests.engine.harness import KEYS, Code, running


class FrontDoor:
    """The public side of a project: its port and a client for it."""

    def __init__(self, code: Code, port: int, session: aiohttp.ClientSession) -> None:
        self.code = code
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.session = session

    def get(self, path: str, **options: Any) -> Any:
        """A page, redirects not followed; use with ``async with``."""
        return self.session.get(self.url + path, allow_redirects=False, **options)

    async def text(self, path: str, **options: Any) -> str:
        async with self.get(path, **options) as answer:
            return str(await answer.text())

    def last(self) -> Span:
        """The newest trace that is no reload."""
        return next(span for span in self.code.log.traces() if span.kind != "reload")


async def nobody(token: str) -> None:
    """There are no users."""


@asynccontextmanager
async def front_door(
    folder: Path, python: str, source: str | None = None, *, seconds: float = 10.0, **options: Any
) -> AsyncIterator[FrontDoor]:
    """``seconds`` is the proxy's patience."""
    async with running(folder, python, source, **options) as code:
        proxy = AppProxy(code.runtime, code.log, Ids(code.clock), code.clock, seconds=seconds)
        keys = Credentials(*KEYS)
        entry = Entry(keys, code.runtime.ledger, nobody, code.clock, seconds=seconds)
        server = ApiServer(RouteTable([]), RouteTable([]), entry, proxy, code.log, max_body=1 << 20)
        port = await server.start("127.0.0.1", 0)
        try:
            async with aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            ) as session:
                yield FrontDoor(code, port, session)
        finally:
            await server.stop()
