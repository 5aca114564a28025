"""``/batch``: many requests in order, one answer each, no socket between them (storage.md 3.8)."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, unquote

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import shown_path
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.service.call import Call
from lean_emulator.service.fates import FATES
from lean_emulator.service.hook_event import describe
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route, RouteTable

MAX_REQUESTS = 1_000
_VERSIONS = ("1.1", "1")


class BatchHandlers:
    """Re-enters the route table for every member."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._table: RouteTable | None = None

    def routes(self) -> list[Route]:
        return [Route("POST", "/batch", self.run)]

    def enter(self, table: RouteTable) -> None:
        """Tell where members go; the table holds this handler, so it comes second."""
        self._table = table

    async def run(self, request: Request) -> Answer:
        """Members one after another, later ones seeing earlier effects; a failure stops nothing."""
        members = request.document().get("requests")
        if not isinstance(members, list):
            raise errors.INVALID_REQUEST("A batch wants a list named 'requests'.")
        if len(members) > MAX_REQUESTS:
            raise errors.INVALID_REQUEST(
                f"A batch holds at most {MAX_REQUESTS} requests, this one has {len(members)}."
            )
        return Answer([await self._member(request, member) for member in members])

    async def _member(self, batch: Request, member: Json) -> Json:
        try:
            inner, path, query = read_member(batch, member)
        except ApiError as e:
            return {"error": e.to_wire()}
        span = self._log.begin(
            "request",
            f"{inner.method} {path}",
            batch.call.span,
            method=inner.method,
            path=path,
            query=query,
            class_name=class_named(inner.path),
            body=inner.body,
            identity=inner.call.principal.kind,
            hooks=FATES,
        )
        return await self._answer(replace(inner, call=_in_span(inner.call, span)), span)

    async def _answer(self, inner: Request, span: Span) -> Json:
        assert self._table is not None
        try:
            answer = await self._table.dispatch(inner)
        except ApiError as e:
            span.detail["response"] = e.to_wire()
            span.detail["error"] = describe(e)
            self._log.end(span, "rejected" if e.status < 500 else "failed", e.status)
            return {"error": e.to_wire()}
        span.detail["response"] = answer.body
        failed = answer.status >= 300
        self._log.end(span, "rejected" if failed else "ok", answer.status)
        return {"error": answer.body} if failed else {"success": answer.body}


def class_named(path: tuple[str, ...]) -> str | None:
    """The class a path speaks of, for the trace."""
    return path[1] if len(path) > 1 and path[0] == "classes" else None


def _in_span(call: Call, span: Span) -> Call:
    return replace(call, span=span)


def read_member(batch: Request, member: Json) -> tuple[Request, str, str]:
    """The member as a request, and its path and query as they were written."""
    if not isinstance(member, dict):
        raise errors.INVALID_REQUEST("A member of a batch must be an object.")
    method = str(member.get("method") or "GET").upper()
    raw = member.get("path")
    if not isinstance(raw, str):
        raise errors.INVALID_REQUEST(f"A member of a batch wants a path, got {raw!r}.")
    path, params = _split(raw)
    given = member.get("params")
    if isinstance(given, Mapping):
        params |= dict(given)
    if path == ("batch",):
        raise errors.INVALID_REQUEST("A batch cannot hold another batch.")
    inner = replace(
        batch, method=method, path=path, params=params, body=member.get("body"), in_batch=True
    )
    written, _, query = raw.partition("?")
    return inner, shown_path(written, path), query


def _split(raw: str) -> tuple[tuple[str, ...], dict[str, Json]]:
    text, _, query = raw.partition("?")
    parts = [unquote(part) for part in text.split("/") if part]
    if parts and parts[0] in _VERSIONS:
        parts = parts[1:]
    return tuple(parts), dict(parse_qsl(query, keep_blank_values=True))
