"""Answers as bytes: the same whichever of the two ways out they took."""

import asyncio
from pathlib import Path

import pytest

from tests.support.api import KEYS, running_api

TARGET = "/1.1/classes/Nothing/0123456789abcdef01234567"
LAST = "Connection: close\r\n"
EACH_ITS_OWN = {b"Date", b"X-Lean-Emu-Trace"}


def question(start: str, more: str = "") -> bytes:
    method, version = start.split()
    keys = f"X-LC-Id: {KEYS.app_id}\r\nX-LC-Key: {KEYS.app_key}\r\n"
    return f"{method} {TARGET} {version}\r\nHost: x\r\n{keys}{more}\r\n".encode()


async def told(port: int, questions: bytes) -> bytes:
    """All that comes back until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(questions)
    async with asyncio.timeout(5):
        received = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


def taken_apart(answer: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    return line, dict(header.split(b": ", 1) for header in headers), body


async def test_both_ways_out_say_the_same(tmp_path: Path) -> None:
    asked = question("GET HTTP/1.1") + question("GET HTTP/1.1", LAST)
    async with running_api(project=tmp_path) as api:
        received = await told(api.emulator.api_port, asked)
    staying, closing = (b"HTTP/1.1" + part for part in received.split(b"HTTP/1.1")[1:])
    line, headers, body = taken_apart(staying)
    last_line, last_headers, last_body = taken_apart(closing)
    assert (line, body) == (last_line, last_body)
    assert line == b"HTTP/1.1 404 Not Found"
    assert int(headers[b"Content-Length"]) == len(body)
    assert last_headers.pop(b"Connection") == b"close"
    assert headers.keys() == last_headers.keys()
    assert headers.keys() > EACH_ITS_OWN
    assert all(headers[name] == last_headers[name] for name in headers.keys() - EACH_ITS_OWN)


@pytest.mark.parametrize(
    ("start", "more", "line"),
    [
        ("GET HTTP/1.0", "", b"HTTP/1.0 404 Not Found"),
        ("HEAD HTTP/1.1", LAST, b"HTTP/1.1 404 Not Found"),
    ],
)
async def test_old_clients_and_questions_for_the_head(
    start: str, more: str, line: bytes, tmp_path: Path
) -> None:
    async with running_api(project=tmp_path) as api:
        answer = taken_apart(await told(api.emulator.api_port, question(start, more)))
    assert answer[0] == line
    assert answer[1][b"Content-Type"] == b"application/json;charset=utf-8"
    assert bool(answer[2]) is start.startswith("GET")


async def test_a_question_for_the_head_leaves_the_connection_in_order(tmp_path: Path) -> None:
    asked = question("HEAD HTTP/1.1") + question("GET HTTP/1.1", LAST)
    async with running_api(project=tmp_path) as api:
        received = await told(api.emulator.api_port, asked)
    head, _, rest = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404")
    assert rest.startswith(b"HTTP/1.1 404")
