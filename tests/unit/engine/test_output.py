"""Lines and frames out of one pipe, however the bytes are cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_emulator.engine.output import OutputLine, OutputParser, Report

SECRET = "0123456789abcdef0123456789abcdef"


def frame(payload: bytes) -> bytes:
    return b"\0" + SECRET.encode() + b"%06x" % len(payload) + payload


def line_frame(text: bytes, *, more: bool = False, call: str = "c1", where: str = "") -> bytes:
    head = f"L{'+' if more else '.'}1\t{call}\t{where}\n"
    return frame(head.encode() + text)


def parsed(*pieces: bytes, secret: str = SECRET) -> list[OutputLine | Report]:
    parser = OutputParser("stdout", secret)
    items = [item for piece in pieces for item in parser.feed(piece)]
    return items + list(parser.close())


def plain(text: str) -> OutputLine:
    return OutputLine("stdout", text)


def test_plain_lines_lose_their_line_ends_and_nothing_else() -> None:
    assert parsed(b"a\r\n\n b \nlast") == [plain("a"), plain(""), plain(" b "), plain("last")]


def test_a_frame_in_the_middle_of_a_line_leaves_the_line_whole() -> None:
    items = parsed(b"be" + line_frame(b"framed", where="cloud.py:3") + b"gun\n")
    assert items == [OutputLine("stdout", "framed", "c1", "cloud.py:3"), plain("begun")]


def test_pieces_of_a_long_line_are_joined_before_they_are_decoded() -> None:
    snow = "雪".encode()
    items = parsed(line_frame(snow[:1], more=True), line_frame(snow[1:]))
    assert items == [OutputLine("stdout", "雪", "c1", None)]


def test_a_report_is_its_json() -> None:
    facts = {"event": "ready", "port": 7}
    assert parsed(frame(b"R.\n" + json.dumps(facts).encode())) == [Report(facts)]


def test_without_the_secret_nothing_is_a_frame() -> None:
    forged = b"\0" + b"f" * 32 + b"000004R.\n{}"
    assert parsed(forged + b"\n") == [plain((forged.split(b"\n")[0]).decode()), plain("{}")]
    assert parsed(frame(b"R.\n{}"), secret="") != [Report({})]


def test_a_nul_at_the_end_is_not_lost() -> None:
    assert parsed(b"a\0", b"b\n") == [plain("a\0b")]
    assert parsed(b"a\0") == [plain("a\0")]


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    items = parsed(*[b"x" * 65_536] * 40)
    assert len(items) > 1
    assert sum(len(item.text) for item in items if isinstance(item, OutputLine)) == 65_536 * 40


@given(st.lists(st.integers(1, 40), max_size=30))
def test_cuts_change_nothing(cuts: list[int]) -> None:
    stream = b"one\n" + line_frame(b"two") + b"thr" + line_frame(b"fo\0ur") + b"ee\n\0five"
    pieces, rest = [], stream
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    assert parsed(*pieces, rest) == parsed(stream)


@pytest.mark.parametrize("text", [b"", b"\0", b"\xff\n"[:1]])
def test_any_content_can_be_framed(text: bytes) -> None:
    (item,) = parsed(line_frame(text))
    assert isinstance(item, OutputLine)
    assert item.text == text.decode(errors="replace")
