"""Pages of the user's own web app, seen from the public port."""

import asyncio
import json
import os
import shutil
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from lean_emulator.wire import page
from lean_emulator.wire.page import MAX_BODY
from tests.engine.front_door import FrontDoor, front_door
from tests.engine.harness import in_loop, wait_until

APP = Path(__file__).parents[2] / "fixtures" / "web" / "pages" / "wsgi.py"
PYTHON = sys.executable
"""The app needs no SDK."""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project folder whose ``wsgi.py`` is the app."""
    shutil.copy(APP, tmp_path)
    return tmp_path


def resident() -> int:
    """Bytes of memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@in_loop
async def test_events_arrive_one_by_one_and_their_end_reaches_the_app(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door:
        async with door.get("/events/a") as answer:
            assert answer.headers["Content-Type"] == "text/event-stream"
            assert await answer.content.readuntil(b"\n\n") == b"data: first\n\n"
            assert door.last().outcome == "running"
            assert await door.text("/open/a") == "open"
            assert await answer.content.readuntil(b"\n\n") == b"data: 0\n\n"

        async def closed() -> bool:
            return await door.text("/closed/a") == "yes"

        await wait_until(closed, "the app's generator is closed")


@in_loop
async def test_an_event_stream_holds_no_reload_up(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door, door.get("/events/a") as answer:
        await answer.content.readuntil(b"\n\n")
        old = door.code.pid()
        door.code.write(f"{APP.read_text()}\n# edited\n", "wsgi.py")
        await door.text("/facts")
        await wait_until(lambda: old not in door.code.pids(), "the old process has ended")
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


@in_loop
async def test_a_large_download_does_not_grow_this_process(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door, door.get("/large/100") as answer:
        before, size = resident(), 0
        async for data in answer.content.iter_chunked(1 << 20):
            size += len(data)
        assert size == 100 << 20
        assert resident() - before < 20 << 20


@in_loop
async def test_a_large_upload_arrives_whole_by_length_and_in_chunks(shop: Path) -> None:
    piece, count = b"abcdefgh" * 8192, 400
    crc = 0
    for _ in range(count):
        crc = zlib.crc32(piece, crc)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield piece

    size = len(piece) * count
    async with front_door(shop, PYTHON) as door:
        before = resident()
        for headers in ({}, {"Content-Length": str(size)}):
            async with door.session.post(
                f"{door.url}/taken", data=body(), headers=headers
            ) as answer:
                assert await answer.text() == f"{size} {crc}"
        assert resident() - before < 20 << 20


@in_loop
async def test_a_body_the_platform_would_not_take_is_refused(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(
            f"POST /taken HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 413 ")
        writer.close()


def test_a_body_that_turns_out_too_large_is_refused_in_the_middle(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MAX_BODY", 1 << 20)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * (1 << 16)

    @in_loop
    async def run() -> None:
        async with (
            front_door(shop, PYTHON) as door,
            door.session.post(f"{door.url}/taken", data=body()) as answer,
        ):
            assert answer.status == 413
            assert "1 MB" in await answer.text()

    run()


@in_loop
async def test_a_client_that_waits_for_leave_to_send_is_given_it(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(
            b"POST /taken HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b"hello")
        assert (await reader.read()).endswith(b"5 %d" % zlib.crc32(b"hello"))
        writer.close()


@in_loop
async def test_redirects_and_cookies_pass_and_headers_of_a_connection_do_not(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door, door.get("/moved") as answer:
        assert answer.status == 302
        assert answer.headers["Location"] == "/elsewhere?a=1"
        assert answer.headers.getall("Set-Cookie") == ["a=1; Path=/", "b=2; HttpOnly"]
        assert "X-Private" not in answer.headers
        assert answer.headers["X-Lean-Emu-Trace"] == door.last().name


@in_loop
async def test_answers_without_a_body_are_right(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door:
        async with door.session.head(f"{door.url}/large/3") as answer:
            assert (answer.status, answer.headers["Content-Length"]) == (200, str(3 << 20))
            assert await answer.read() == b""
        async with door.get("/unchanged") as answer:
            assert (answer.status, answer.headers["ETag"]) == (304, '"v1"')
            assert await answer.read() == b""
        async with door.get("/nothing") as answer:
            assert answer.status == 204
            assert "Content-Length" not in answer.headers
        assert await door.text("/open/z") == "open"  # the connection was left in order


@in_loop
async def test_bodies_and_odd_headers_arrive_as_they_were_sent(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door:
        async with door.get("/squeezed") as answer:
            assert answer.headers["Content-Encoding"] == "deflate"
            assert zlib.decompress(await answer.read()) == b"text" * 100
        async with door.get("/latin") as answer:
            assert answer.headers["Content-Disposition"] == 'attachment; filename="café"'


@in_loop
async def test_content_the_app_says_nothing_about_is_left_to_the_browser(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door, door.get("/facts") as answer:
        assert "Content-Type" not in answer.headers


@in_loop
async def test_the_app_is_told_what_the_front_door_knows(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door:
        headers = {
            "Host": "shop.test:3000",
            "User-Agent": "test/1",
            "Cookie": "a=1",
            "Connection": "X-Hop",
            "X-Hop": "secret",
            "X-Lean-Emu-Call": "forged",
            "Accept-Encoding": "br",
        }
        told = json.loads(await door.text("/facts/x?q=a%20b&q=2", headers=headers))
        assert told["HTTP_HOST"] == "shop.test:3000"
        assert told["QUERY_STRING"] == "q=a%20b&q=2"
        assert told["HTTP_COOKIE"] == "a=1"
        assert told["HTTP_ACCEPT_ENCODING"] == "br"
        assert told["HTTP_X_REAL_IP"] == "127.0.0.1"
        assert told["HTTP_X_FORWARDED_FOR"] == "127.0.0.1"
        assert told["HTTP_X_FORWARDED_PROTO"] == "http"
        assert told["HTTP_FORWARDED"] == "for=127.0.0.1;proto=http"
        assert "HTTP_X_HOP" not in told
        assert "HTTP_X_LEAN_EMU_CALL" not in told
        tunnelled = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
        told = json.loads(await door.text("/facts", headers=tunnelled))
        assert told["HTTP_X_REAL_IP"] == "203.0.113.9"
        assert told["HTTP_X_FORWARDED_PROTO"] == "https"


@in_loop
async def test_a_page_is_one_step_with_status_and_what_it_printed(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door:
        assert await door.text("/printing?a=1") == "looked"
        span = door.last()
        assert (span.title, span.status, span.outcome) == ("GET /printing", 200, "ok")
        assert span.detail["query"] == "a=1"
        assert "response" not in span.detail
        assert span.ended is not None
        await wait_until(lambda: bool(span.prints), "the line has come")
        assert [line.text for line in span.prints or []] == ["somebody looks"]
        assert await door.text("/nowhere") == "no such page"
        assert (door.last().status, door.last().outcome) == (404, "rejected")


@in_loop
async def test_an_answer_that_breaks_off_does_not_pass_for_a_whole(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door:
        async with door.get("/cut") as answer:
            with pytest.raises(aiohttp.ClientError):
                await answer.read()
        await wait_until(lambda: door.last().ended is not None, "the trace has ended")
        assert door.last().outcome == "failed"
        assert "cut" in door.last().detail["error"]["message"]
        assert await door.text("/open/z") == "open"  # served by the next process


@in_loop
async def test_silence_has_an_end(shop: Path) -> None:
    async with front_door(shop, PYTHON, seconds=0.3) as door:
        async with door.get("/slow/a") as answer:
            assert answer.status == 503
        assert door.last().outcome == "timeout"
        async with door.get("/events/b") as answer:
            with pytest.raises(aiohttp.ClientError):
                await answer.read()
        await wait_until(lambda: door.last().ended is not None, "the trace has ended")
        assert "0.3 s" in door.last().detail["error"]["message"]


@in_loop
async def test_pages_wait_for_new_code_and_are_never_refused(shop: Path) -> None:
    text = APP.read_text().replace("no such page", "edit %d")
    async with front_door(shop, PYTHON) as door:
        for number in range(5):
            door.code.write(text.replace("%d", str(number)), "wsgi.py")
            assert (
                await asyncio.gather(*(door.text("/none") for _ in range(8)))
                == [f"edit {number}"] * 8
            )


@in_loop
async def test_broken_code_is_told_in_place_of_the_page(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door:
        door.code.write("def application(", "wsgi.py")
        async with door.get("/") as answer:
            assert answer.status == 500
            assert "SyntaxError" in await answer.text()


@in_loop
async def test_a_page_after_the_process_was_killed_is_served_by_the_next(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door:
        os.kill(door.code.pid(), 9)
        assert await door.text("/open/z") == "open"


@in_loop
async def test_the_stop_ends_streams_that_are_open(shop: Path) -> None:
    async with front_door(shop, PYTHON) as door:
        answer = await door.get("/events/a")
        await answer.content.readuntil(b"\n\n")
        await door.code.runtime.stop()
        with pytest.raises(aiohttp.ClientError):
            await answer.read()


def test_the_same_over_tcp(shop: Path) -> None:
    @in_loop
    async def run() -> None:
        async with front_door(shop, PYTHON, tcp=True) as door:
            assert await _size(door, "/large/5") == 5 << 20
            assert "127.0.0.1" in await door.text("/facts")

    run()


async def _size(door: FrontDoor, path: str) -> int:
    async with door.get(path) as answer:
        return len(await answer.read())
