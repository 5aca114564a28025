"""Cloud functions: a door to the user's code that always answers JSON (engine.md 2.5, 4.6, 5.7)."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lean_emulator.base import errors, jsontext
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog, Outcome, Span
from lean_emulator.model.hooknames import understand
from lean_emulator.service.call import Call
from lean_emulator.service.engine import Answer, Credentials, Engine, read_json
from lean_emulator.service.hook_event import describe
from lean_emulator.service.warnings import WARNINGS

# Ours are written anew, and these belong to one connection only.
_NOT_FORWARDED = frozenset(
    {
        "host", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade",
        "proxy-authorization", "proxy-connection", "content-length", "content-type", "expect",
        "accept-encoding", "x-real-ip", "forwarded", "x-forwarded-for", "x-lean-emu-call",
        "x-lc-id", "x-lc-key", "x-lc-sign", "x-lc-session", "x-lc-prod", "x-lc-hook-key",
    }
)  # fmt: skip
_IN_A_SEGMENT = "!$&'()*+,;=:@"
"""What may stand in one segment of a path as it is, besides letters and digits (RFC 3986)."""

_OLD_FAMILIES = ("x-avoscloud-", "x-uluru-")
_SESSIONS = frozenset({"x-lc-session", "x-avoscloud-session-token", "x-uluru-session-token"})


@dataclass(frozen=True, slots=True)
class FunctionAnswer:
    """What a client gets: always JSON."""

    status: int
    body: Json


class Functions:
    """Runs cloud functions of the loaded code."""

    def __init__(
        self, engine: Engine, keys: Credentials, log: EventLog, ids: Ids, *, seconds: float = 15.0
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._log = log
        self._ids = ids
        self._seconds = seconds

    def names(self) -> list[str]:
        """Functions of the loaded code, sorted; hooks are not among them."""
        return sorted(name for name in self._engine.names if understand(name).is_function)

    def registered(self) -> list[str]:
        """Everything the loaded code registers, hooks included, sorted."""
        return sorted(self._engine.names)

    async def run(
        self,
        call: Call,
        name: str,
        params: Json,
        *,
        rpc: bool = False,
        headers: Mapping[str, str] | None = None,
        span: Span | None = None,
    ) -> FunctionAnswer:
        """Call ``name``; ``headers`` are the client's own, of which the harmless ones go along.

        ``span`` is one that ``begin`` made, for a caller who wants to know it.

        The engine's status and body come back unchanged. Raises ``TimedOut`` (503, code 124),
        ``CodeDidNotLoad`` or ``EngineGone``.
        """
        span = span or self.begin(call, name, params, rpc)
        try:
            engine = self._engine.of(call.prod)
            if not engine.settled:
                await engine.until_settled(call.deadline)
            answer = await self._send(call, name, params, rpc, headers or {}, span)
        except ApiError as e:
            span.detail["error"] = describe(e)
            late = isinstance(e, errors.TimedOut)
            self._log.end(span, "timeout" if late else "failed", e.status)
            raise
        said = as_json(answer)
        if answer.body and answer.status < 300 and said.status != answer.status:
            span.detail["not_json"] = True
        span.detail["answer"] = said.body
        if said.status < 300:
            self._log.end(span, "ok", said.status)
        else:
            dead = call.principal.user is None and _session_in(headers or {}) is not None
            self._fail(span, said, _DEAD_SESSION if dead else self._nearest(name))
        return said

    def begin(self, call: Call, name: str, params: Json, rpc: bool) -> Span:
        """The span of a function call, with what the trace shows of it."""
        detail: dict[str, Any] = {
            "function": name,
            "params": params,
            "rpc": rpc,
            "user": call.principal.user,
            "identity": call.principal.kind,
            "limit": self._seconds,
            "left": min(self._seconds, call.deadline.remaining()),
            "warnings": WARNINGS,
        }
        where = self._engine.of(call.prod).where
        if name in where:
            detail["where"] = where[name]
        return self._log.begin("function", name, call.span, **detail)

    async def _send(
        self,
        call: Call,
        name: str,
        params: Json,
        rpc: bool,
        headers: Mapping[str, str],
        span: Span,
    ) -> Answer:
        inside = call.inside(f"function {name}", span, self._seconds)
        call_id = self._ids.call_id()
        engine = self._engine.of(call.prod)
        ledger = engine.ledger
        ledger.open(call_id, inside, span)
        try:
            return await engine.call(
                "POST",
                f"/1.1/{'call' if rpc else 'functions'}/{quote(name, safe=_IN_A_SEGMENT)}",
                {**forwarded(headers), **self._identity(call, headers)},
                b"" if params is None else jsontext.dumps(params),
                deadline=inside.deadline,
                call_id=call_id,
            )
        finally:
            ledger.close(call_id)

    def _identity(self, call: Call, client: Mapping[str, str]) -> dict[str, str]:
        """The caller's credentials in their modern spelling.

        A session token of nobody goes along too: what comes of it is the SDK's (engine.md 2.5).
        """
        principal = call.principal
        key = f"{self._keys.master_key},master" if principal.is_master else self._keys.app_key
        headers = {
            "X-LC-Id": self._keys.app_id,
            "X-LC-Key": key,
            "X-LC-Prod": "1" if call.prod else "0",
            "X-Real-IP": call.remote_address,
            "Forwarded": f"for={call.remote_address};proto=http",
            "Content-Type": "application/json",
        }
        if principal.user is not None and principal.user.get("sessionToken"):
            headers["X-LC-Session"] = str(principal.user["sessionToken"])
        elif (dead := _session_in(client)) is not None:
            headers["X-LC-Session"] = dead
        if principal.from_engine:
            headers["X-LC-Hook-Key"] = self._keys.hook_key
        return headers

    def _fail(self, span: Span, said: FunctionAnswer, hint: Hint | None) -> None:
        outcome: Outcome = "failed" if said.status >= 500 else "rejected"
        body = said.body if isinstance(said.body, dict) else {}
        e = ApiError(0, str(body.get("error", "")), said.status, hint=hint)
        span.detail["error"] = {**describe(e), "code": body.get("code")}
        self._log.end(span, outcome, said.status)

    def _nearest(self, name: str) -> Hint | None:
        """A guess at what was meant, when no function has this name."""
        known = self.names()
        if name in known:
            return None
        close = difflib.get_close_matches(name, known, 1)
        if close:
            return Hint(
                en=f"There is no function '{name}'. Did you mean '{close[0]}'?",
                zh=f"没有名为 '{name}' 的云函数,是否想调用 '{close[0]}'?",
            )
        listed = ", ".join(known[:10]) or "none"
        return Hint(
            en=f"There is no function '{name}'. Registered: {listed}.",
            zh=f"没有名为 '{name}' 的云函数。已注册:{listed}。",
        )


_DEAD_SESSION = Hint(
    en="The session token of the request belongs to nobody: log in again.",
    zh="请求中的 session token 不属于任何用户：请重新登录。",
)


def _session_in(headers: Mapping[str, str]) -> str | None:
    """A client's session token as it came."""
    return next((value for name, value in headers.items() if name.lower() in _SESSIONS), None)


def as_json(answer: Answer) -> FunctionAnswer:
    """An engine's answer as a client may see it: JSON as it came, anything else wrapped.

    The Python SDK crashes on a body that is not JSON, so HTML of a WSGI server never gets through.
    """
    if not answer.body and answer.status < 300:
        return FunctionAnswer(answer.status, {"result": None})
    value = read_json(answer)
    if isinstance(value, ApiError):
        status = answer.status if answer.status >= 400 else 500
        return FunctionAnswer(status, errors.ENGINE_ERROR().to_wire())
    return FunctionAnswer(answer.status, value)


def forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """The client's headers that go along: all but credentials and those of the connection."""
    return {
        name: value
        for name, value in headers.items()
        if (low := name.lower()) not in _NOT_FORWARDED and not low.startswith(_OLD_FAMILIES)
    }
