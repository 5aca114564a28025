"""What a child writes: the bytes of its pipes as lines and reports."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

StreamName = Literal["stdout", "stderr"]

_LONGEST_LINE = 1 << 20
_STREAMS: dict[bytes, StreamName] = {b"1": "stdout", b"2": "stderr"}


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line of the user's code, without its line feed.

    ``call_id`` and ``where`` (``cloud.py:16``) are ``None`` where they are not known: output at
    load time, of C code, of grandchildren, of commands. ``trace`` and ``step`` name what it was
    printed in, once somebody has found that out.
    """

    stream: StreamName
    text: str
    call_id: str | None = None
    where: str | None = None
    trace: str | None = None
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What ``boot_python`` says about itself: ``event`` is ``ready`` or ``failed``."""

    facts: dict[str, Any]


class OutputParser:
    """Splits one pipe into plain lines and frames.

    A frame is NUL, ``secret``, six hex digits, that many bytes; it may stand in the middle of a
    plain line. Without a secret everything is plain.
    """

    def __init__(self, stream: StreamName, secret: str = "") -> None:
        self._stream = stream
        self._mark = b"\0" + secret.encode() if secret else b""
        self._data = b""
        self._plain = b""
        self._message = bytearray()

    def feed(self, data: bytes) -> Iterator[OutputLine | Report]:
        """Everything that is complete with ``data``."""
        data = self._data + data
        at = 0
        while self._mark:
            found = data.find(self._mark, at)
            if found < 0:
                break
            yield from self._lines(data[at:found])
            at = found
            begin = found + len(self._mark) + 6
            end = begin + int(data[begin - 6 : begin], 16) if len(data) >= begin else begin
            if len(data) < end or len(data) < begin:
                self._data = data[at:]
                return
            yield from self._framed(data[begin:end])
            at = end
        stop = len(data) - self._unfinished_mark(data)
        self._data = data[max(at, stop) :]
        yield from self._lines(data[at:stop])

    def close(self) -> Iterator[OutputLine | Report]:
        """The last line of a child that has ended, if it lacks its line feed."""
        rest, self._data, self._plain = self._plain + self._data, b"", b""
        if rest:
            yield self._line(rest)

    def _framed(self, payload: bytes) -> Iterator[OutputLine | Report]:
        head, _, piece = payload.partition(b"\n")
        self._message += piece
        if head[1:2] == b"+":
            return
        message, self._message = bytes(self._message), bytearray()
        if head[:1] == b"R":
            yield Report(json.loads(message))
            return
        number, call_id, where = head[2:].split(b"\t", 2)
        yield OutputLine(
            _STREAMS[number],
            _text(message),
            call_id.decode() or None,
            where.decode(errors="replace") or None,
        )

    def _lines(self, data: bytes) -> Iterator[OutputLine]:
        *lines, self._plain = (self._plain + data).split(b"\n")
        for line in lines:
            yield self._line(line)
        if len(self._plain) > _LONGEST_LINE:
            yield self._line(self._plain)
            self._plain = b""

    def _line(self, line: bytes) -> OutputLine:
        return OutputLine(self._stream, _text(line))

    def _unfinished_mark(self, data: bytes) -> int:
        """How many last bytes could be the beginning of a frame."""
        at = data.rfind(b"\0", -len(self._mark)) if self._mark else -1
        return len(data) - at if at >= 0 and self._mark.startswith(data[at:]) else 0


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode(errors="replace")
