"""Routes beside the API's: raw handlers that read the body themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.trace import EventLog
from lean_emulator.service.engine import Credentials
from lean_emulator.wire.entry import Entry
from lean_emulator.wire.routes import RouteTable
from lean_emulator.wire.server import ApiServer
from tests.support.fake_engine import FakeLedger


async def count(request: web.BaseRequest) -> web.Response:
    size = 0
    async for chunk, _ in request.content.iter_chunks():
        size += len(chunk)
    return web.Response(text=f"{size} bytes")


async def elsewhere(request: web.BaseRequest, *_: object) -> web.Response:
    return web.Response(text="not an extra route")


async def nobody(token: str) -> None:
    """There are no users."""


@asynccontextmanager
async def serving(*routes: web.RouteDef) -> AsyncIterator[str]:
    clock = ManualClock()
    keys = Credentials("app", "key", "master", "hook")
    server = ApiServer(
        RouteTable([]),
        RouteTable([]),
        Entry(keys, FakeLedger(), nobody, clock, seconds=5.0),
        elsewhere,
        EventLog(clock),
        max_body=1024,
        extra_routes=routes,
    )
    port = await server.start("127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.stop()


async def test_a_handler_gets_everything_beneath_its_path_with_no_limit_of_size() -> None:
    async with serving(web.put("/kept/", count)) as url, aiohttp.ClientSession() as session:
        async with session.put(f"{url}/kept/a/b.png?x=1", data=b"x" * 5_000) as answer:
            assert await answer.text() == "5000 bytes"
        async with session.get(f"{url}/kept/a") as answer:
            assert await answer.text() == "not an extra route"
        async with session.put(f"{url}/keptnot") as answer:
            assert await answer.text() == "not an extra route"


async def test_a_path_without_a_slash_at_its_end_is_that_path_alone() -> None:
    async with serving(web.route("*", "/one", count)) as url, aiohttp.ClientSession() as session:
        async with session.get(f"{url}/one") as answer:
            assert await answer.text() == "0 bytes"
        async with session.get(f"{url}/one/more") as answer:
            assert await answer.text() == "not an extra route"
