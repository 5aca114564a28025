"""WebSockets of the user's own web app, seen from the public port."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.engine.front_door import FrontDoor, front_door
from tests.engine.harness import in_loop, wait_until

WEB = Path(__file__).parents[2] / "fixtures" / "web"

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")


@asynccontextmanager
async def serving(folder: Path, **options: Any) -> AsyncIterator[FrontDoor]:
    shutil.copy(WEB / "sockets" / "server.js", folder)
    async with front_door(folder, sys.executable, cmd="node server.js", **options) as door:
        assert door.code.state == "ready", door.code.runtime.failure
        yield door


@in_loop
async def test_text_and_bytes_of_any_size_go_both_ways(tmp_path: Path) -> None:
    async with serving(tmp_path) as door:
        async with door.session.ws_connect(f"{door.url}/live", max_msg_size=0) as ws:
            await ws.send_str("grüße")
            assert await ws.receive_str() == "grüße"
            for size in (0, 126, 70_000, 8 << 20):
                data = os.urandom(size)
                await ws.send_bytes(data)
                assert await ws.receive_bytes() == data
            assert door.last().status == 101
            assert door.last().ended is None
        await wait_until(lambda: door.last().ended is not None, "the trace has ended")
        assert door.last().outcome == "ok"


@in_loop
async def test_the_handshake_is_the_apps(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as door,
        door.session.ws_connect(
            f"{door.url}/live", protocols=("chat.v1", "chat.v2"), headers={"Cookie": "a=1"}
        ) as ws,
    ):
        assert ws.protocol == "chat.v2"
        assert ws._response.headers["Set-Cookie"] == "seen=1"
        await ws.send_str("headers")
        told = json.loads(await ws.receive_str())
        assert told["cookie"] == "a=1"
        assert told["host"] == f"127.0.0.1:{door.port}"
        assert told["x-real-ip"] == "127.0.0.1"
        assert told["sec-websocket-protocol"] == "chat.v1,chat.v2"


@in_loop
async def test_close_codes_pass(tmp_path: Path) -> None:
    async with serving(tmp_path) as door:
        ws = await door.session.ws_connect(f"{door.url}/live")
        await ws.send_str("bye")
        message = await ws.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4001)
        assert message.extra == "enough"
        await ws.close()


@in_loop
async def test_a_refused_handshake_is_answered_as_the_app_does(tmp_path: Path) -> None:
    async with serving(tmp_path) as door:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await door.session.ws_connect(f"{door.url}/refused")
        assert caught.value.status == 403
        assert (door.last().status, door.last().outcome) == (403, "rejected")


@in_loop
async def test_an_app_without_websockets_says_so(tmp_path: Path) -> None:
    shutil.copy(WEB / "pages" / "wsgi.py", tmp_path)
    async with front_door(tmp_path, sys.executable) as door:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await door.session.ws_connect(f"{door.url}/none")
        assert caught.value.status == 404


@in_loop
async def test_the_end_of_a_client_reaches_the_app(tmp_path: Path) -> None:
    async with serving(tmp_path) as door:
        ws = await door.session.ws_connect(f"{door.url}/live")
        await ws.send_str("x")
        await ws.receive_str()
        assert ws._response.connection is not None
        assert ws._response.connection.transport is not None
        ws._response.connection.transport.abort()
        await ws.close()

        def counted(text: str) -> Callable[[], Awaitable[bool]]:
            async def holds() -> bool:
                return await door.text("/counts") == text

            return holds

        await wait_until(counted("0 held, 1 ended"), "the app saw the end of the socket")
        page = asyncio.create_task(door.text("/held"))
        await wait_until(counted("1 held, 1 ended"), "the app is asked for the page")
        page.cancel()
        await wait_until(counted("1 held, 2 ended"), "the app saw that nobody waits for the page")


@in_loop
async def test_a_reload_ends_a_websocket_and_serves_the_next(tmp_path: Path) -> None:
    async with serving(tmp_path) as door:
        ws = await door.session.ws_connect(f"{door.url}/live")
        await ws.send_str("x")
        await ws.receive_str()
        await door.code.runtime.reload("asked for by the test")
        message = await ws.receive()
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        async with door.session.ws_connect(f"{door.url}/live") as again:
            await again.send_str("y")
            assert await again.receive_str() == "y"


@in_loop
async def test_silence_is_cut_as_on_the_platform_and_talk_is_not(tmp_path: Path) -> None:
    async with serving(tmp_path, seconds=0.4) as door:
        ws = await door.session.ws_connect(f"{door.url}/live")
        began = asyncio.get_running_loop().time()
        for _ in range(8):
            await ws.send_str("x")
            assert await ws.receive_str() == "x"
            with pytest.raises(TimeoutError):
                await ws.receive(timeout=0.1)
        assert asyncio.get_running_loop().time() - began > 0.7
        assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSED
        await wait_until(lambda: door.last().ended is not None, "the trace has ended")
        assert "0.4 s" in door.last().detail["note"]
