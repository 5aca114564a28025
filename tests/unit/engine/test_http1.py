"""Answers in every form HTTP/1.1 allows, cut anywhere; requests that cannot be forged."""

import pytest

from lean_emulator.base import errors
from lean_emulator.engine.http1 import AnswerReader, EngineAnswer, NotHttp, request_bytes

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
ANSWERS = {
    "length": (HEAD + b"Content-Length: 5\r\n\r\nhello", b"hello", True),
    "empty": (HEAD + b"Content-Length: 0\r\n\r\n", b"", True),
    "chunks": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nX-T: 1\r\n\r\n",
        b"hello",
        True,
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "continue first": (
        b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 2\r\n\r\nok",
        b"ok",
        True,
    ),
    "close asked": (HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", b"ok", False),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", False),
    "old but kept": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        b"ok",
        True,
    ),
}


def read(data: bytes, step: int, *, bare: bool = False) -> tuple[EngineAnswer, bool]:
    reader = AnswerReader(bare)
    for at in range(0, len(data), step):
        if reader.feed(data[at : at + step]):
            assert at + step >= len(data), "it was complete too soon"
            return reader.answer(), reader.keep
    pytest.fail("it was never complete")


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_read_whatever_their_cuts(name: str, step: int) -> None:
    data, body, keep = ANSWERS[name]
    answer, kept = read(data, step)
    assert answer.body == body
    assert kept is keep


def test_a_head_has_no_body_whatever_it_declares() -> None:
    answer, _ = read(HEAD + b"Content-Length: 5\r\n\r\n", 3, bare=True)
    assert answer.body == b""


def test_an_answer_without_length_ends_with_the_connection() -> None:
    reader = AnswerReader(False)
    assert not reader.feed(HEAD + b"\r\nhel")
    assert not reader.feed(b"lo")
    assert reader.ends_with_connection
    assert reader.answer().body == b"hello"


def test_many_small_chunks_in_one_piece() -> None:
    data = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5_000 + b"0\r\n\r\n"
    answer, _ = read(data, len(data))
    assert answer.body == b"x" * 5_000


def test_headers_keep_order_and_repetition_and_ours_is_taken_out() -> None:
    data = (
        HEAD + b"Set-Cookie: a\r\nSet-Cookie: b\r\nX-Lean-Emu-Lines: 3\r\nContent-Length: 0\r\n\r\n"
    )
    answer, _ = read(data, 5)
    assert answer.headers == (
        ("Content-Type", "text/plain"),
        ("Set-Cookie", "a"),
        ("Set-Cookie", "b"),
    )
    assert answer.lines == 3
    assert answer.header("set-cookie") == "a"
    assert answer.header("x-none") is None


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Length: 99999999999\r\n\r\n",
        b"x" * 300_000,
    ],
)
def test_what_is_no_answer_is_said(data: bytes) -> None:
    with pytest.raises(NotHttp):
        AnswerReader(False).feed(data)


def test_a_request_is_one_message_with_our_own_framing() -> None:
    headers = {
        "X-A": "1",
        "Connection": "close",
        "Content-Length": "9",
        "x-lean-emu-call": "forged",
    }
    assert request_bytes("POST", "/f?a=1", headers, b"{}", "c9") == (
        b"POST /f?a=1 HTTP/1.1\r\nX-A: 1\r\nHost: 127.0.0.1\r\nX-Lean-Emu-Call: c9\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    assert request_bytes("GET", "/", [("Host", "a"), ("A", "1"), ("A", "2")], b"", None) == (
        b"GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nA: 2\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("target", "headers"), [("/a\r\nX: 1", {}), ("/", {"A": "1\nB: 2"}), ("/", {"A\r": "1"})]
)
def test_nothing_can_be_smuggled_into_a_request(target: str, headers: dict[str, str]) -> None:
    with pytest.raises(errors.ApiError):
        request_bytes("GET", target, headers, b"", None)
