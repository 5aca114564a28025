"""HTTP/1.1 as bytes: a request out, an answer in, whatever way it comes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lean_emulator.base import errors

CALL_HEADER = "X-Lean-Emu-Call"
LINES_HEADER = b"x-lean-emu-lines"
MAX_ANSWER = 256 << 20

_OURS = frozenset(
    {
        "connection", "content-length", "transfer-encoding", "keep-alive", "expect",
        CALL_HEADER.lower(),
    }
)  # fmt: skip
"""Headers a caller cannot hand on: this connection's own, and whose call it is."""


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """``headers`` in the order they came, hop-by-hop ones left out; ``lines`` is how many lines the
    code printed for this call, ``None`` when the process does not count.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    lines: int | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header, ``None`` when it is absent."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)


class NotHttp(Exception):
    """The process answers something that is no HTTP answer we read."""


def request_bytes(
    method: str,
    target: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes,
    call_id: str | None,
    *,
    host: str = "127.0.0.1",
) -> bytes:
    """The bytes of one request, with ``host`` unless ``headers`` name another one.

    A header that would end early raises ``InvalidRequest`` (400).
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines = [f"{method} {target} HTTP/1.1"]
    named = False
    for name, value in pairs:
        lower = name.lower()
        if lower not in _OURS:
            lines.append(f"{name}: {value}")
            named = named or lower == "host"
    if not named:
        lines.append(f"Host: {host}")
    if call_id is not None:
        lines.append(f"{CALL_HEADER}: {call_id}")
    if body or method in ("POST", "PUT", "PATCH", "DELETE"):
        lines.append(f"Content-Length: {len(body)}")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise errors.INVALID_REQUEST("A header or the path contains a line break.")
    return text.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


class AnswerReader:
    """Reads one answer: by declared length, in chunks, or to the end of the connection.

    Each step says true (complete), false (more bytes are needed) or ``None`` (on to the next step).
    """

    def __init__(self, bare: bool) -> None:
        self._bare = bare
        self._data = bytearray()
        self._step: Callable[[], bool | None] = self._head
        self._need = 0
        self._body: list[bytes] = []
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._lines: int | None = None
        self._size = 0
        self.keep = True
        self.ends_with_connection = False

    @property
    def began(self) -> bool:
        return self._status != 0 or bool(self._data)

    def feed(self, data: bytes) -> bool:
        """Take bytes; true when the answer is complete."""
        self._data += data
        while (done := self._step()) is None:
            pass
        return done

    def answer(self) -> EngineAnswer:
        if self.ends_with_connection:
            self._body.append(bytes(self._data))
        return EngineAnswer(self._status, tuple(self._headers), b"".join(self._body), self._lines)

    def _head(self) -> bool | None:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            if len(self._data) > 1 << 18:
                raise NotHttp("its answer has no end of headers")
            return False
        first, *lines = bytes(self._data[:end]).split(b"\r\n")
        del self._data[: end + 4]
        version, _, rest = first.partition(b" ")
        if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
            raise NotHttp(f"its answer is not HTTP: {first[:60]!r}")
        self._status = int(rest[:3])
        self.keep = version == b"HTTP/1.1"
        length, chunked = self._take_headers(lines)
        if 100 <= self._status < 200:
            self._headers.clear()
            self._status = 0
            return None
        if self._bare or self._status in (204, 304):
            return True
        if chunked:
            self._step = self._chunk_size
        elif length is not None:
            self._need = length
            self._step = self._rest_of_body
        else:
            self.keep = False
            self.ends_with_connection = True
            self._step = self._to_the_end
        return None

    def _take_headers(self, lines: list[bytes]) -> tuple[int | None, bool]:
        length: int | None = None
        chunked = False
        for line in lines:
            raw, _, raw_value = line.partition(b":")
            name, value = raw.lower(), raw_value.strip()
            if name == b"content-length" and value.isdigit():
                length = int(value)
                self._check(length)
            elif name == b"transfer-encoding":
                chunked = value.lower().endswith(b"chunked")
            elif name == b"connection":
                self.keep = self._keeps(value.lower())
            elif name == LINES_HEADER:
                self._lines = int(value)
            elif name != b"keep-alive":
                self._headers.append((raw.decode("latin-1"), raw_value.strip().decode("latin-1")))
        return length, chunked

    def _keeps(self, wish: bytes) -> bool:
        return b"close" not in wish and (self.keep or b"keep-alive" in wish)

    def _rest_of_body(self) -> bool:
        if len(self._data) < self._need:
            return False
        self._body.append(bytes(self._data[: self._need]))
        del self._data[: self._need]
        return True

    def _to_the_end(self) -> bool:
        self._check(len(self._data))
        return False

    def _chunk_size(self) -> bool | None:
        end = self._data.find(b"\r\n")
        if end < 0:
            return False
        text = bytes(self._data[:end]).split(b";")[0]
        try:
            self._need = int(text, 16)
        except ValueError as error:
            raise NotHttp(f"a chunk of its answer has no size: {text[:20]!r}") from error
        self._size += self._need
        self._check(self._size)
        del self._data[: end + 2]
        self._step = self._chunk if self._need else self._trailer
        return None

    def _chunk(self) -> bool | None:
        if len(self._data) < self._need + 2:
            return False
        self._body.append(bytes(self._data[: self._need]))
        del self._data[: self._need + 2]
        self._step = self._chunk_size
        return None

    def _trailer(self) -> bool | None:
        end = self._data.find(b"\r\n")
        if end < 0:
            return False
        del self._data[: end + 2]
        return True if end == 0 else None

    def _check(self, size: int) -> None:
        if size > MAX_ANSWER:
            raise NotHttp(f"its answer is larger than {MAX_ANSWER >> 20} MB")
