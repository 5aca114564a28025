"""The API's answers on their way out."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import cast

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE
from multidict import CIMultiDict

from lean_emulator.base.record import record

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}"
    for status in HTTPStatus
    if status >= 200 and status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
}
"""Of the answers that have a body."""


@record
class Written:
    """An answer whose body is JSON already."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def response(self, request: web.BaseRequest) -> web.StreamResponse:
        """For aiohttp to send; what most clients ask for goes out by the shorter way."""
        line = _STATUS_LINES.get(self.status)
        plain = request.keep_alive and request.version == HttpVersion11
        if line is None or not plain or request.method == "HEAD":
            return web.Response(body=self.body, status=self.status, headers=self.headers)
        return _AtOnce(self, line)


class _AtOnce(web.StreamResponse):
    """Headers and body in one piece, on a connection that stays.

    A ``web.Response`` sends the same bytes, at twice the cost: it weighs compression, chunks,
    cookies, old versions of HTTP and bodies of other kinds.
    """

    def __init__(self, answer: Written, status_line: str) -> None:
        super().__init__(status=answer.status)
        self._answer = answer
        self._status_line = status_line
        self._written = False

    @property
    def prepared(self) -> bool:
        return self._written

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        answer, writer = self._answer, request.writer
        if not self._written:
            self._written = True
            headers = {
                **answer.headers,
                "Content-Length": str(len(answer.body)),
                "Date": _http_now(int(time.time())),
                "Server": SERVER_SOFTWARE,
            }
            # Nothing but the items of the headers is looked at.
            await writer.write_headers(self._status_line, cast("CIMultiDict[str]", headers))
            await writer.write_eof(answer.body)
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything has been written."""


@lru_cache(maxsize=1)
def _http_now(second: int) -> str:
    return formatdate(second, usegmt=True)
