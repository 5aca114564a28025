"""A load generator that costs little: prepared bytes over kept connections, answers counted."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True)
class Load:
    """What a run measured: requests per second, and milliseconds at the median and the 99th."""

    per_second: float
    p50_ms: float
    p99_ms: float


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the last is answered."""

    def __init__(self, next_request: Callable[[], bytes | None], took: list[float]) -> None:
        self._next = next_request
        self._took = took
        self._data = b""
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        self._send()

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, blank, rest = self._data.partition(b"\r\n\r\n")
        if not blank:
            return
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            return
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            self.done.set_exception(RuntimeError(f"unexpected answer: {self._data[:400]!r}"))
            return
        self._took.append(time.perf_counter() - self._sent)
        self._data = rest[length:]
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or RuntimeError("the server hung up"))

    def _send(self) -> None:
        request = self._next()
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


async def run(port: int, requests: list[bytes], connections: int) -> Load:
    """Send every request once over ``connections``; raises when one is not answered 200 or 201."""
    pending = iter(requests)
    took: list[float] = []
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    opened = [
        await loop.create_connection(
            lambda: _Connection(lambda: next(pending, None), took), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    async with asyncio.timeout(60):
        await asyncio.gather(*(protocol.done for _, protocol in opened))
    seconds = time.perf_counter() - began
    took.sort()
    return Load(
        len(took) / seconds, took[len(took) // 2] * 1000, took[int(len(took) * 0.99)] * 1000
    )


def request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """One request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
