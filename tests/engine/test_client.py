"""The client against servers that do what they like."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from lean_emulator.base import errors
from lean_emulator.base.clock import SystemClock
from lean_emulator.base.deadline import Deadline
from lean_emulator.engine.client import Address, EngineClient
from tests.engine.harness import in_loop

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Peer:
    number: int
    address: Address


class Server:
    """A peer whose connections are served by a function of the test."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.client = EngineClient()
        self.connections = 0

    async def get(self, method: str = "GET", seconds: float = 5.0, body: bytes = b"") -> bytes:
        deadline = Deadline.after(SystemClock(), seconds)
        answer = await self.client.request(self.peer, method, "/", body=body, deadline=deadline)
        return answer.body


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[Server]:
    served = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        server.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await serve(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    server = Server(Peer(1, Address(port=listener.sockets[0].getsockname()[1])))
    try:
        yield server
    finally:
        server.client.close()
        listener.close()
        await asyncio.gather(*served)


async def request(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


@in_loop
async def test_connections_are_kept_and_dropped_when_asked() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (OK, OK, OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")):
            await request(reader)
            writer.write(answer)

    async with serving(serve) as server:
        assert [await server.get() for _ in range(4)] == [b"ok"] * 4
        assert server.connections == 2


@in_loop
async def test_a_kept_connection_that_breaks_is_no_reason_to_fail_a_read() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK)
        await request(reader)  # and no answer: as a server that had just given up on us

    async with serving(serve) as server:
        assert await server.get() == b"ok"
        assert await server.get() == b"ok"
        assert server.connections == 2


@in_loop
async def test_what_may_have_been_done_is_never_sent_twice() -> None:
    got = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await request(reader))
        writer.write(OK)
        got.append(await request(reader))

    async with serving(serve) as server:
        assert await server.get("POST") == b"ok"
        with pytest.raises(errors.EngineGone, match="without an answer"):
            await server.get("POST")
        assert len(got) == 2


@in_loop
async def test_an_answer_that_breaks_off_is_said() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK[:-1])

    async with serving(serve) as server:
        with pytest.raises(errors.EngineGone, match="in the middle of the answer") as caught:
            await server.get()
        assert caught.value.status == 502
        assert caught.value.hint is not None


@in_loop
async def test_something_else_than_http_is_said() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n\r\n")
        await request(reader)

    async with serving(serve) as server:
        with pytest.raises(errors.EngineGone, match="not HTTP"):
            await server.get()


@in_loop
async def test_a_body_that_ends_with_the_connection() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nall of it")

    async with serving(serve) as server:
        assert await server.get() == b"all of it"


@in_loop
async def test_a_late_answer_is_not_taken_for_the_next_one() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        if server.connections > 1:
            writer.write(OK)
        await reader.read()

    async with serving(serve) as server:
        with pytest.raises(errors.TimedOut):
            await server.get(seconds=0.05)
        assert await server.get() == b"ok"
        assert server.connections == 2


@in_loop
async def test_nobody_there() -> None:
    async with serving(lambda reader, writer: asyncio.sleep(0)) as server:
        pass
    with pytest.raises(errors.EngineGone, match=r"does not listen on 127\.0\.0\.1"):
        await server.get()


@in_loop
async def test_a_spent_deadline_is_over_before_it_begins() -> None:
    async with serving(lambda reader, writer: asyncio.sleep(0)) as server:
        with pytest.raises(errors.TimedOut):
            await server.get(seconds=0)
