"""One page of the user's web app: the request goes to it and the answer comes back as they flow.

aiohttp's own client does it: it reads and writes at once, holds back whoever is faster, and hands
bodies on as they are. Each page has a connection of its own: a kept one may be closed by the app
at the moment it is used again, and a form must not be sent twice.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from lean_emulator.base import errors
from lean_emulator.base.deadline import Deadline
from lean_emulator.service.engine import Address
from lean_emulator.wire.page_headers import Pairs, for_the_client

MAX_BODY = 100 << 20
"""Bytes of a request's body; the platform takes no more (engine.md 1.8)."""

_LONGEST_HEADER = 64 * 1024
_OURS = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
"""Headers that aiohttp would add: the app must see what the client sent, and no more."""


class NotReached(Exception):
    """The app took no connection; nothing of the request was sent."""


class BrokenOff(Exception):
    """The app, or its time, ended in the middle of its answer."""


class Page:
    """One request of a client and what the app says to it."""

    def __init__(self, request: web.BaseRequest, headers: Pairs, *, idle: float) -> None:
        """``idle`` is the seconds that may pass without a byte from the app."""
        self._request = request
        self._headers = headers
        self._idle = None if idle == float("inf") else idle
        self._too_large = False

    @contextlib.asynccontextmanager
    async def asked(
        self, address: Address, deadline: Deadline
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The app's answer as soon as its headers are there.

        Raises ``NotReached``, ``TimedOut`` when the headers are not there in time, ``EngineGone``
        when the app breaks off before them, and 413 for a body that is too large.
        """
        async with aiohttp.ClientSession(
            connector=_connector(address),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_OURS,
            timeout=aiohttp.ClientTimeout(total=None, sock_read=self._idle),
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        ) as session:
            answer = await self._answer(session, address, deadline)
            try:
                yield answer
            finally:
                answer.close()

    async def relay(self, answer: aiohttp.ClientResponse, extra: Pairs) -> web.StreamResponse:
        """Hand the answer on, each piece as it comes. Raises ``BrokenOff``."""
        response = response_of(answer.status, answer.reason or "", answer.headers.items(), extra)
        await response.prepare(self._request)
        try:
            async for data in answer.content.iter_any():
                await response.write(data)
        except TimeoutError as error:
            raise BrokenOff(f"nothing came from it for {self._idle:g} s") from error
        except aiohttp.ClientPayloadError as error:
            raise BrokenOff("it broke off in the middle of its answer") from error
        await response.write_eof()
        return response

    async def _answer(
        self, session: aiohttp.ClientSession, address: Address, deadline: Deadline
    ) -> aiohttp.ClientResponse:
        seconds = deadline.remaining()
        try:
            async with asyncio.timeout(None if seconds == float("inf") else seconds):
                return await session.request(
                    self._request.method,
                    _url(self._request.raw_path, address),
                    headers=CIMultiDict(self._headers),
                    data=self._body() if self._request.can_read_body else None,
                    allow_redirects=False,
                )
        except (aiohttp.ClientConnectorError, ConnectionRefusedError) as error:
            raise NotReached(f"it does not listen on {address} ({error})") from error
        except TimeoutError as error:
            raise errors.TIMED_OUT() from error
        except aiohttp.ClientError as error:
            if self._too_large:
                raise too_large() from error
            raise errors.ENGINE_GONE(f"The web app gave no answer: {_words(error)}.") from error

    async def _body(self) -> AsyncIterator[bytes]:
        size = 0
        async for data in self._request.content.iter_any():
            size += len(data)
            if size > MAX_BODY:
                self._too_large = True
                raise aiohttp.ClientPayloadError("too large")
            yield data


def too_large() -> errors.ApiError:
    return errors.TOO_LARGE_BODY(
        f"The request body is larger than {MAX_BODY >> 20} MB, which is what the platform takes."
    )


def response_of(
    status: int, reason: str, headers: Iterable[tuple[str, str]], extra: Pairs
) -> web.StreamResponse:
    """The beginning of an answer to the client, with the app's headers and ``extra`` ones."""
    response = _Relayed(status=status, reason=reason)
    for name, value in [*for_the_client(headers), *extra]:
        response.headers.add(name, value)
    return response


class _Relayed(web.StreamResponse):
    """Says nothing about its content that the app has not said: browsers look for themselves."""

    async def _prepare_headers(self) -> None:
        silent = "Content-Type" not in self.headers
        await super()._prepare_headers()
        if silent:
            self.headers.pop("Content-Type", None)


def _connector(address: Address) -> aiohttp.BaseConnector:
    if address.path is not None:
        return aiohttp.UnixConnector(address.path, force_close=True)
    return aiohttp.TCPConnector(force_close=True, use_dns_cache=False)


def _url(raw_path: str, address: Address) -> URL:
    """The app's URL for a path whose bytes stay as the client sent them."""
    if not raw_path.startswith("/"):  # the absolute form: some clients write it
        raw_path = "/" + raw_path.partition("://")[2].partition("/")[2]
    port = "" if address.port is None else f":{address.port}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    scheme = "https" if address.tls else "http"
    return URL(f"{scheme}://{host}{port}{raw_path}", encoded=True)


def _words(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection"
    return str(error) or type(error).__name__
