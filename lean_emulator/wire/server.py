"""The aiohttp server on :3000: one handler, a span per request, errors made into answers."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.web_protocol import RequestHandler

from lean_emulator.base import errors, jsontext
from lean_emulator.base.errors import ApiError
from lean_emulator.base.http_log import http_log
from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import shown_path
from lean_emulator.base.trace import EventLog, Outcome, Span
from lean_emulator.service.fates import FATES
from lean_emulator.service.hook_event import describe
from lean_emulator.wire.admin import PREFIX
from lean_emulator.wire.batch import class_named
from lean_emulator.wire.cors import allowed, preflight
from lean_emulator.wire.entry import Entry, Incoming, split_api_path
from lean_emulator.wire.proxy import TRACE_HEADER
from lean_emulator.wire.routes import RouteTable
from lean_emulator.wire.written import Written

Passer: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
"""Answers a request whose body has not been read."""

MAX_URL = 64 * 1024
"""Bytes of a request's first line; queries with many ids are that long."""

_JSON = "application/json;charset=utf-8"
_USUAL_HEADERS = {
    "Content-Type": _JSON,
    "Cache-Control": "no-cache,no-store",
    "Pragma": "no-cache",
}


class ApiServer:
    """Serves the REST API, and hands every other path to the user's web app."""

    def __init__(
        self,
        table: RouteTable,
        admin: RouteTable,
        entry: Entry,
        pass_on: Passer,
        log: EventLog,
        *,
        max_body: int,
        extra_routes: Sequence[web.RouteDef] = (),
    ) -> None:
        """``extra_routes`` go before all others and get the request with its body unread. Their
        paths are plain text without parameters; one that ends in a slash takes all beneath it.
        Method ``*`` takes every method; what no method takes goes on as if there were no route.
        """
        self._table = table
        self._admin = admin
        self._entry = entry
        self._pass_on = pass_on
        self._log = log
        self._max_body = max_body
        self._extra = tuple(extra_routes)
        self._extra_paths = tuple(route.path for route in extra_routes)
        self._server: _Server | None = None
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; answers the real port. Raises ``OSError`` when the port is taken."""
        self._server = _Server(
            self._handle,
            request_factory=self._make_request,
            access_log=None,
            logger=http_log(),
            max_line_size=MAX_URL,
        )
        self._runner = web.ServerRunner(self._server, shutdown_timeout=2.0)
        await self._runner.setup()
        listening = listen(host, port)
        await web.SockSite(self._runner, listening, backlog=512).start()
        return int(listening.getsockname()[1])

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _make_request(
        self,
        message: RawRequestMessage,
        payload: Any,
        protocol: Any,
        writer: Any,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        return web.BaseRequest(
            message,
            payload,
            protocol,
            writer,
            task,
            asyncio.get_running_loop(),
            client_max_size=self._max_body,
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        rehearsal = self._entry.rehearsal(request.headers)
        if rehearsal is None:
            return await self._serve(request)
        with rehearsal.entered():
            return await self._serve(request)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = request.headers
        raw_path, _, query = request.raw_path.partition("?")
        if "Expect" in headers:
            _let_it_send(request)
        if raw_path.startswith(self._extra_paths) and (extra := self._extra_for(request, raw_path)):
            return await extra(request)
        path = split_api_path(raw_path)
        is_admin = raw_path.startswith(PREFIX)
        if path is None and not is_admin:
            assert self._server is not None
            return await self._server.while_connected(request, self._pass_on)
        if path is not None and request.method == "OPTIONS":
            return web.Response(status=200, headers=preflight(headers))
        content = request.content
        try:
            # What is there already is taken at once, which costs a tenth of reading it.
            whole = content.is_eof() and content.total_bytes <= self._max_body
            body = content.read_nowait() if whole else await request.read()
        except web.HTTPRequestEntityTooLarge:
            limit = f"{self._max_body / (1024 * 1024):g} MB"
            return _response(
                errors.TOO_LARGE_BODY(f"The request body is larger than {limit}.").to_wire(),
                413,
                allowed(headers),
            )
        if is_admin:
            path = tuple(unquote(part) for part in raw_path[len(PREFIX) :].split("/") if part)
        assert path is not None
        incoming = Incoming(
            request.method, path, query, headers, body, request.remote or "127.0.0.1"
        )
        if is_admin:
            return await self._answer_admin(incoming)
        answered = await self.answer(incoming, raw_path)
        return answered.response(request)

    def _extra_for(self, request: web.BaseRequest, path: str) -> Passer | None:
        for route in self._extra:
            beneath = route.path.endswith("/") and path.startswith(route.path)
            if (beneath or path == route.path) and route.method in ("*", request.method):
                return cast(Passer, route.handler)
        return None

    async def _answer_admin(self, incoming: Incoming) -> web.Response:
        """Questions about the emulator are not events in the application: no trace."""
        nowhere = Span(0, "request", "", None, 0.0, 0, {})
        try:
            request = await self._entry.read(incoming, nowhere, None)
            answer = await self._admin.dispatch(request)
        except ApiError as e:
            return _response(e.to_wire(), e.status, _USUAL_HEADERS)
        return _response(answer.body, answer.status, {**_USUAL_HEADERS, **answer.headers})

    async def answer(self, incoming: Incoming, raw_path: str) -> Written:
        """What a client of the API gets; ``raw_path`` is the path as it was written.

        The header ``TRACE_HEADER`` names the trace.
        """
        raw_path = shown_path(raw_path, incoming.path)
        cause = self._entry.cause(incoming.headers)
        span = self._log.begin(
            "request",
            f"{incoming.method} {raw_path}",
            None if cause is None else cause.span,
            method=incoming.method,
            path=raw_path,
            query=incoming.query,
            class_name=class_named(incoming.path),
            headers=incoming.headers,
            hooks=FATES,
        )
        headers = {**_USUAL_HEADERS, TRACE_HEADER: span.root.name, **allowed(incoming.headers)}
        try:
            request = await self._entry.read(incoming, span, cause)
            answer = await self._table.dispatch(request)
        except ApiError as e:
            span.detail["error"] = describe(e)
            return self._closed(span, e.to_wire(), e.status, _outcome(e), headers)
        except asyncio.CancelledError:
            self._log.end(span, "failed")
            raise
        except Exception as e:
            return self._bug(e, span, headers)
        headers.update(answer.headers)
        outcome: Outcome = "ok" if answer.status < 400 else _outcome_of_status(answer.status)
        return self._closed(span, answer.body, answer.status, outcome, headers)

    def _closed(
        self,
        span: Span,
        body: Json,
        status: int,
        outcome: Outcome,
        headers: Mapping[str, str],
    ) -> Written:
        span.detail["response"] = body
        written = Written(status, jsontext.dumps(body), headers)
        self._log.answered(span)
        self._log.end(span, outcome, status)
        return written

    def _bug(self, e: Exception, span: Span, headers: Mapping[str, str]) -> Written:
        """A mistake of ours: the client gets code 1, the trace where it happened."""
        frame = e.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        place = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else ""
        span.detail["error"] = {"code": 1, "message": f"{type(e).__name__}: {e}", "where": place}
        wire = errors.INTERNAL(f"lean-emu failed: {type(e).__name__}: {e}").to_wire()
        return self._closed(span, wire, 500, "failed", headers)


class _Server(web.Server):
    """Ends what is written for a client that has gone; calls of the API run to their end."""

    def __init__(self, handler: Passer, **options: Any) -> None:
        super().__init__(handler, **options)
        self._writing: dict[RequestHandler, asyncio.Task[Any] | None] = {}

    async def while_connected(self, request: web.BaseRequest, answer: Passer) -> web.StreamResponse:
        """The answer; cancelled when the connection is lost."""
        connection = request.protocol
        self._writing[connection] = asyncio.current_task()
        try:
            return await answer(request)
        finally:
            self._writing.pop(connection, None)

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        task = self._writing.get(handler)
        if task is not None:
            task.cancel()
        super().connection_lost(handler, exc)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that no second server can share. Raises ``OSError``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def _let_it_send(request: web.BaseRequest) -> None:
    """Clients like curl ask before a large body, and without leave wait for a second."""
    if request.headers["Expect"].lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _response(body: Json, status: int, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        body=jsontext.dumps(body), status=status, headers={"Content-Type": _JSON, **headers}
    )


def _outcome(e: ApiError) -> Outcome:
    if isinstance(e, errors.HookLoop):
        return "loop"
    if isinstance(e, errors.TimedOut) or (e.code, e.status) == (141, 400):
        return "timeout"
    return _outcome_of_status(e.status)


def _outcome_of_status(status: int) -> Outcome:
    return "failed" if status >= 500 else "rejected"
