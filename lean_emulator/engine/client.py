"""HTTP/1.1 to the user's process: kept connections, one write per request, one wait per answer."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from lean_emulator.base import errors
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import loads
from lean_emulator.engine.http1 import AnswerReader, EngineAnswer, NotHttp, request_bytes

METADATAS = "/1.1/functions/_ops/metadatas"

_KEEP_SECONDS = 2.0
"""Commands close idle connections when they like (node after 5 s); ours go sooner."""

_GONE = Hint(
    en="look at its output above; it is started again by itself, or when you save a file",
    zh="请查看上面的输出；进程会自动重启，保存文件也会触发重启",
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a child listens: the path of a unix socket, or a port, usually of 127.0.0.1."""

    path: str | None = None
    port: int | None = None
    host: str = "127.0.0.1"
    tls: bool = False

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


class Listening(Protocol):
    """A generation of the user's code, as far as the client is concerned."""

    @property
    def number(self) -> int: ...

    @property
    def address(self) -> Address: ...


class EngineClient:
    """Calls to any generation; each has its own kept connections."""

    def __init__(self) -> None:
        self._free: dict[int, list[_Connection]] = {}

    async def request(
        self,
        generation: Listening,
        method: str,
        target: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        deadline: Deadline,
        call_id: str | None = None,
    ) -> EngineAnswer:
        """One request and its whole answer.

        Raises ``TimedOut`` when ``deadline`` passes: the connection is dropped, the code goes on.
        Raises ``EngineGone`` when the process refuses or breaks off. A request is never sent twice,
        except a safe one whose kept connection turned out to be closed.
        """
        host = generation.address.host
        message = request_bytes(method, target, headers, body, call_id, host=host)
        connection, kept = await self._connection(generation, deadline)
        try:
            answer = await connection.exchange(message, method == "HEAD", deadline)
        except _BrokenOff as error:
            if kept and not error.began and method in ("GET", "HEAD", "OPTIONS"):
                connection = await self._open(generation, deadline)
                answer = await self._again(connection, message, method, deadline)
            else:
                raise _gone(error.cause_text) from error
        if connection.reusable:
            connection.rest()
            self._free.setdefault(generation.number, []).append(connection)
        else:
            connection.drop()
        return answer

    async def functions_metadata(
        self, generation: Listening, app_id: str, master_key: str, deadline: Deadline
    ) -> frozenset[str] | None:
        """Names the code has registered (engine.md 2.3); ``None`` when it refuses to tell.

        A 404 means "no cloud functions here" and gives an empty set.
        """
        headers = {
            "X-AVOSCloud-Application-Id": app_id,
            "X-LC-Id": app_id,
            "X-AVOSCloud-Master-Key": master_key,
        }
        answer = await self.request(generation, "GET", METADATAS, headers, deadline=deadline)
        if answer.status == 404:
            return frozenset()
        if answer.status != 200:
            return None
        try:
            value = loads(answer.body)
        except errors.ApiError:
            return None
        names = value.get("result") if isinstance(value, dict) else None
        if not isinstance(names, list):
            return None
        return frozenset(name for name in names if isinstance(name, str))

    async def takes_hook_key(self, generation: Listening, deadline: Deadline) -> bool:
        """Does the code know the hook key header, so that marks are not needed (engine.md 3.5)?"""
        headers = {"Origin": "http://localhost", "Access-Control-Request-Method": "GET"}
        answer = await self.request(generation, "OPTIONS", METADATAS, headers, deadline=deadline)
        return "x-lc-hook-key" in (answer.header("Access-Control-Allow-Headers") or "").lower()

    def forget(self, generation: Listening) -> None:
        """Close the kept connections to a generation that is going away."""
        for connection in self._free.pop(generation.number, []):
            connection.drop()

    def close(self) -> None:
        for connections in self._free.values():
            for connection in connections:
                connection.drop()
        self._free.clear()

    async def _connection(
        self, generation: Listening, deadline: Deadline
    ) -> tuple["_Connection", bool]:
        free = self._free.get(generation.number)
        while free:
            connection = free.pop()
            if connection.wake(forever=generation.address.path is not None):
                return connection, True
            connection.drop()
        return await self._open(generation, deadline), False

    async def _open(self, generation: Listening, deadline: Deadline) -> "_Connection":
        loop = asyncio.get_running_loop()
        address = generation.address
        deadline.check()
        seconds = deadline.remaining()
        try:
            async with asyncio.timeout(None if seconds == float("inf") else seconds):
                if address.path is not None:
                    _, connection = await loop.create_unix_connection(
                        lambda: _Connection(loop), address.path
                    )
                else:
                    _, connection = await loop.create_connection(
                        lambda: _Connection(loop),
                        address.host,
                        address.port or 0,
                        ssl=True if address.tls else None,
                    )
        except TimeoutError as error:
            raise errors.TIMED_OUT() from error
        except OSError as error:
            raise _gone(f"it does not listen on {address} ({error.strerror})") from error
        return connection

    async def _again(
        self, connection: "_Connection", message: bytes, method: str, deadline: Deadline
    ) -> EngineAnswer:
        try:
            return await connection.exchange(message, method == "HEAD", deadline)
        except _BrokenOff as error:
            raise _gone(error.cause_text) from error


class _BrokenOff(Exception):
    """The connection ended before the answer did."""

    def __init__(self, cause_text: str, began: bool) -> None:
        super().__init__(cause_text)
        self.cause_text = cause_text
        self.began = began


class _Connection(asyncio.Protocol):
    """One connection; at most one exchange at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._reader: AnswerReader | None = None
        self._answer: asyncio.Future[EngineAnswer] | None = None
        self._idle_since = 0.0
        self.reusable = False

    async def exchange(self, message: bytes, bare: bool, deadline: Deadline) -> EngineAnswer:
        seconds = deadline.remaining()
        self._reader = AnswerReader(bare)
        answer: asyncio.Future[EngineAnswer] = self._loop.create_future()
        self._answer = answer
        self.reusable = False
        timer = None
        if seconds != float("inf"):
            timer = self._loop.call_later(seconds, self._fail, errors.TIMED_OUT())
        try:
            if self._transport is None or self._transport.is_closing():
                raise _BrokenOff("it closed the connection", began=False)
            self._transport.write(message)
            return await answer
        except BaseException:
            self.drop()
            raise
        finally:
            self._answer = None
            if timer is not None:
                timer.cancel()

    def rest(self) -> None:
        self._idle_since = self._loop.time()

    def wake(self, forever: bool) -> bool:
        """May it carry another request?"""
        fresh = forever or self._loop.time() - self._idle_since < _KEEP_SECONDS
        return fresh and self.reusable

    def drop(self) -> None:
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's. Both loops have set TCP_NODELAY.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        reader, answer = self._reader, self._answer
        if reader is None or answer is None or answer.done():
            self.drop()  # nobody asked
            return
        try:
            done = reader.feed(data)
        except NotHttp as error:
            self._fail(_BrokenOff(str(error), began=True))
            return
        if done:
            self.reusable = reader.keep
            answer.set_result(reader.answer())

    def connection_lost(self, error: Exception | None) -> None:
        self.reusable = False
        reader, answer = self._reader, self._answer
        if answer is None or answer.done() or reader is None:
            return
        if reader.ends_with_connection and error is None:
            answer.set_result(reader.answer())
        else:
            cause = (
                "it broke off in the middle of the answer"
                if reader.began
                else ("it closed the connection without an answer")
            )
            answer.set_exception(_BrokenOff(cause, reader.began))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _gone(cause: str) -> errors.EngineGone:
    return errors.ENGINE_GONE(f"The process of the cloud code is gone: {cause}.", hint=_GONE)
