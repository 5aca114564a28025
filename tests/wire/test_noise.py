"""Bytes that are no HTTP are the sender's fault: an answer, and nothing in the log."""

import asyncio
from pathlib import Path

import pytest

from tests.support.api import Api, running_api

NOISE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a browser that wants TLS\r\n\r\n",
    b"get /1.1/ping HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /1.1/ping HTTP/1.1\r\nHost: x\r\n\xbf\x9e\xe2: \x00\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /1.1/classes/A HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
]
GOOD = b"GET /1.1/ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
LAST = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


async def say(port: int, said: bytes) -> bytes:
    """Everything that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(5):
        writer.write(said)
        received = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


def ports(api: Api) -> list[int]:
    return [api.emulator.api_port, api.emulator.console_port]


@pytest.mark.parametrize("noise", NOISE, ids=range(len(NOISE)))
async def test_noise_is_not_logged(
    noise: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_api(project=tmp_path) as api:
        for port in ports(api):
            assert b" 400 " in await say(port, noise)
            await say(port, GOOD + noise)
            assert (await say(port, LAST)).startswith(b"HTTP/1.1 ")
    assert [record.getMessage() for record in caplog.records] == []


async def test_a_client_that_goes_away_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"POST /1.1/classes/A HTTP/1.1\r\nHost: x\r\n"
    async with running_api(project=tmp_path) as api:
        for begun in (b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", b"Content-Length: 9\r\n\r\nab"):
            _, writer = await asyncio.open_connection("127.0.0.1", api.emulator.api_port)
            writer.write(head + begun)
            await writer.drain()
            assert b" 200 " in await say(api.emulator.api_port, LAST), "what was begun is read"
            writer.close()
            await writer.wait_closed()
            assert b" 200 " in await say(api.emulator.api_port, LAST), "its end is, too"
    assert [record.getMessage() for record in caplog.records] == []
