"""Paths that are not the API's belong to the user's web app (engine.md 4.10)."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError
from lean_emulator.base.ids import Ids
from lean_emulator.base.trace import EventLog, Outcome, Span
from lean_emulator.model.access import ANONYMOUS
from lean_emulator.service.call import Call
from lean_emulator.service.engine import Engine, Serving
from lean_emulator.wire.page import MAX_BODY, BrokenOff, NotReached, Page, too_large
from lean_emulator.wire.page_headers import Pairs, for_the_app
from lean_emulator.wire.tunnel import asks_for_websocket, tunnel

TRACE_HEADER = "X-Lean-Emu-Trace"
CALL_HEADER = "X-Lean-Emu-Call"

_ATTEMPTS = 2
"""A process that ended just now takes no connection: the next one may serve the page."""

_NEWS = 0.5
"""Seconds that the news of the end of a process may take."""


class AppProxy:
    """Sends pages to the child and its answers back, streams and WebSockets included.

    Each page is a trace of one step, with what the code prints and does on the way beneath it.
    """

    def __init__(
        self,
        engine: Engine,
        log: EventLog,
        ids: Ids,
        clock: Clock,
        *,
        seconds: float,
        https: bool = False,
    ) -> None:
        """``seconds`` is the time to the beginning of an answer, and the longest silence in it.

        ``https`` tells the code of production that its pages come over TLS: it may redirect all
        others.
        """
        self._engine = engine
        self._log = log
        self._ids = ids
        self._clock = clock
        self._seconds = seconds
        self._https = https

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        span = self._log.begin(
            "request",
            f"{request.method} {path}",
            method=request.method,
            path=path,
            query=query,
        )
        try:
            response = await self._answered(request, span)
        except ApiError as e:
            span.detail["error"] = {"code": e.code, "message": e.message}
            self._log.end(span, _outcome(e.status, e), e.status)
            return _refusal(e, span)
        except asyncio.CancelledError:
            self._cut(span, "the client closed the connection")
            raise
        except (BrokenOff, ConnectionError) as e:
            self._cut(span, str(e))
            if request.transport is not None:
                request.transport.abort()  # an answer that stops early must not pass for a whole
            raise asyncio.CancelledError from e
        self._log.answered(span)
        self._log.end(span, _outcome(response.status), response.status)
        return response

    async def _answered(self, request: web.BaseRequest, span: Span) -> web.StreamResponse:
        """Raises ``ApiError`` before the answer has begun, ``BrokenOff`` after it."""
        if (request.content_length or 0) > MAX_BODY:
            raise too_large()
        deadline = Deadline.after(self._clock, self._seconds)
        attempt = self._websocket if asks_for_websocket(request) else self._page
        for last in (False,) * (_ATTEMPTS - 1) + (True,):
            try:
                return await attempt(request, span, deadline)
            except NotReached as e:
                if last:
                    raise errors.ENGINE_GONE(f"The web app cannot be reached: {e}.") from e
        raise AssertionError

    async def _page(
        self, request: web.BaseRequest, span: Span, deadline: Deadline
    ) -> web.StreamResponse:
        call_id = self._ids.call_id()
        headers = [*self._headers(request), (CALL_HEADER, call_id)]
        page = Page(request, headers, idle=self._seconds)
        call = Call(
            ANONYMOUS,
            deadline,
            span,
            prod=is_for_production(request),
            remote_address=request.remote or "127.0.0.1",
        )
        async with AsyncExitStack() as lease:
            serving = await lease.enter_async_context(self._leased(request, deadline))
            self._engine.ledger.open(call_id, call, span)
            try:
                async with page.asked(serving.address, deadline) as answer:
                    span.status = answer.status
                    if answer.content_type == "text/event-stream":
                        # It may go on for ever: what it does is its own, and no reload waits.
                        self._log.answered(span)
                        self._engine.ledger.close(call_id)
                        await lease.aclose()
                    return await page.relay(answer, self._trace(span))
            finally:
                self._engine.ledger.close(call_id)

    async def _websocket(
        self, request: web.BaseRequest, span: Span, deadline: Deadline
    ) -> web.StreamResponse:
        span.detail["note"] = "a WebSocket of the project's own"
        async with AsyncExitStack() as stack:
            async with self._leased(request, deadline) as serving:
                opened = await stack.enter_async_context(
                    tunnel(request, serving.address, deadline, idle=self._seconds)
                )
                seconds = deadline.remaining()
                try:
                    async with asyncio.timeout(None if seconds == math.inf else seconds):
                        response = await opened.handshake(self._headers(request), self._trace(span))
                except TimeoutError as e:
                    raise errors.TIMED_OUT() from e
            span.status = response.status
            if response.status == 101:
                self._log.answered(span)
                span.detail["note"] = f"a WebSocket; {await opened.run(response)}"
            return response

    @asynccontextmanager
    async def _leased(self, request: web.BaseRequest, deadline: Deadline) -> AsyncIterator[Serving]:
        engine = self._engine.of(is_for_production(request))
        async with engine.lease(deadline) as serving:
            try:
                yield serving
            except NotReached:
                await serving.gone(_NEWS)
                raise

    def _headers(self, request: web.BaseRequest) -> Pairs:
        remote = request.remote or "127.0.0.1"
        return for_the_app(
            request.headers, remote, https=self._https and is_for_production(request)
        )

    def _trace(self, span: Span) -> Pairs:
        return [(TRACE_HEADER, span.root.name)]

    def _cut(self, span: Span, why: str) -> None:
        """The answer has begun, or nobody waits for it: there is only the trace to tell."""
        gone = why.startswith("the client")
        if not gone:
            span.detail["error"] = {"code": 1, "message": f"The answer was cut: {why}."}
        elif span.status != 101:
            span.detail["note"] = why
        self._log.end(span, "ok" if gone else "failed", span.status)


def is_for_production(request: web.BaseRequest) -> bool:
    """Whose page it is: the platform has staging on a domain of its own, which begins with stg."""
    wanted = request.headers.get("X-LC-Prod")
    if wanted is not None:
        return wanted not in ("0", "false")
    return not request.headers.get("Host", "").startswith(("stg.", "stg-"))


def _outcome(status: int, error: ApiError | None = None) -> Outcome:
    if isinstance(error, errors.TimedOut):
        return "timeout"
    if status < 400:
        return "ok"
    return "failed" if status >= 500 else "rejected"


def _refusal(e: ApiError, span: Span) -> web.Response:
    """What a browser shows in place of the page; next steps are in the terminal and the console."""
    text = f"{e.message}\n"
    if e.hint is not None:
        text += f"→ {e.hint.en}\n"
    return web.Response(status=e.status, text=text, headers={TRACE_HEADER: span.root.name})
