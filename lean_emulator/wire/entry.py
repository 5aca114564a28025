"""From an HTTP request's parts to a ``Request``: path, parameters, body, principal, budget."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, unquote

from lean_emulator.base import jsontext
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.jsontext import Json
from lean_emulator.base.record import record
from lean_emulator.base.signing import same_secret, verify_hook_mark
from lean_emulator.base.trace import Span
from lean_emulator.model.access import ANONYMOUS, Principal
from lean_emulator.service.call import Call
from lean_emulator.service.engine import Credentials, Ledger
from lean_emulator.service.warnings import WARNINGS
from lean_emulator.storage.rehearsable import Rehearsal, current_rehearsal
from lean_emulator.wire.authenticate import (
    HOOK_KEY,
    Claims,
    FindUser,
    authenticate,
    claims_in,
    claims_in_body,
    is_production,
)
from lean_emulator.wire.direct_upload import direct_upload
from lean_emulator.wire.request import Request
from lean_emulator.wire.system import OPEN_PATHS

CALL_HEADER = "X-Lean-Emu-Call"
"""Carries the id of the call into the user's code that caused this request."""


@record
class Incoming:
    """An HTTP request whose body has been read."""

    method: str
    path: tuple[str, ...]
    query: str
    headers: Mapping[str, str]
    body: bytes
    remote_address: str


def split_api_path(path: str) -> tuple[str, ...] | None:
    """Segments after ``/1.1`` or ``/1``, or ``None`` for a path that is not the API's.

    Doubled and trailing slashes do not count.
    """
    if path.startswith("//"):
        path = f"/{path.lstrip('/')}"
    if path.startswith("/1.1/"):
        rest = path[5:]
    elif path.startswith("/1/"):
        rest = path[3:]
    else:
        return None
    parts = [part for part in rest.split("/") if part]
    return tuple(unquote(part) for part in parts) if "%" in rest else tuple(parts)


class Entry:
    """Turns what came over a socket into what handlers take."""

    def __init__(
        self,
        keys: Credentials,
        ledger: Ledger,
        find_user: FindUser,
        clock: Clock,
        *,
        seconds: float,
        native_signs: bool = False,
    ) -> None:
        self._keys = keys
        self._ledger = ledger
        self._find_user = find_user
        self._clock = clock
        self._seconds = seconds
        self._native_signs = native_signs

    def cause(self, headers: Mapping[str, str]) -> Call | None:
        """The call into the user's code that made this request; ``None`` for a client's own.

        Without the hook key the header means nothing, so no client can borrow a budget.
        """
        call_id = headers.get(CALL_HEADER)
        if call_id is None or not same_secret(headers.get(HOOK_KEY, ""), self._keys.hook_key):
            return None
        return self._claimed_cause(call_id)

    def _claimed_cause(self, call_id: str) -> Call | None:
        """What a call id speaks of; without the hook key fit for telling, for nothing else."""
        found = self._ledger.find(call_id)
        return found if isinstance(found, Call) else None

    def _late_chain(self, headers: Mapping[str, str]) -> tuple[str, ...]:
        """The chain of code that goes on after its call is over, as with a save it did not await.

        It has time of its own again. Hooks that cause each other are still cut, however late each.
        """
        call_id = headers.get(CALL_HEADER)
        if call_id is None or not same_secret(headers.get(HOOK_KEY, ""), self._keys.hook_key):
            return ()
        over = self._ledger.ended(call_id)
        return over.chain if isinstance(over, Call) else ()

    def rehearsal(self, headers: Mapping[str, str]) -> Rehearsal | None:
        """The dry run whose code made this request, or in which it is made; ``None`` for neither.

        Also when that call is over or the hook key is missing: to write nothing is no privilege.
        """
        call_id = headers.get(CALL_HEADER)
        if call_id is None:
            return current_rehearsal()
        found = self._ledger.find(call_id) or self._ledger.ended(call_id)
        return found.rehearsal if isinstance(found, Call) else current_rehearsal()

    async def read(self, incoming: Incoming, span: Span, cause: Call | None) -> Request:
        """The request, authenticated.

        Raises 401 for wrong credentials and 107 for a body that is no JSON; what could be read
        before that is in the span.
        """
        if cause is None and CALL_HEADER in incoming.headers:
            self._note_keyless(incoming.headers[CALL_HEADER], span)
        method, params = incoming.method, _params(incoming.query)
        body = self._json(incoming)
        span.detail["body"] = body
        claims = claims_in(incoming.headers, params)
        if _is_tunnel(incoming) and isinstance(body, dict):
            claims = claims_in_body(body).over(claims)
            method, params, body = _tunnelled(body, params)
        principal = ANONYMOUS
        if incoming.path not in OPEN_PATHS:
            principal = await authenticate(
                claims, self._keys, self._find_user, native_signs=self._native_signs
            )
        span.detail["identity"] = principal.kind
        if principal.user is not None:
            span.detail["user"] = principal.user
        call = self._call(principal, claims, span, cause, incoming)
        return Request(
            call,
            method,
            incoming.path,
            params,
            body,
            incoming.headers,
            proves=self._proves,
            size=len(incoming.body),
        )

    def _note_keyless(self, call_id: str, span: Span) -> None:
        """A request of the user's code that does not prove to be one."""
        inside = self._claimed_cause(call_id)
        if inside is not None:
            span.detail["keyless"] = inside.chain[-1]
            span.detail["warnings"] = WARNINGS

    def _proves(self, names: tuple[str, ...], mark: object) -> bool:
        return verify_hook_mark(self._keys.master_key, names, mark, self._clock.now_ms())

    def _json(self, incoming: Incoming) -> Json:
        if not incoming.body or incoming.method == "GET":
            return None  # SDKs send ``null`` or leftovers with a GET
        direct = direct_upload(incoming.method, incoming.path, incoming.headers, incoming.body)
        return jsontext.loads(incoming.body) if direct is None else direct

    def _call(
        self,
        principal: Principal,
        claims: Claims,
        span: Span,
        cause: Call | None,
        incoming: Incoming,
    ) -> Call:
        prod, address = is_production(claims), incoming.remote_address
        if cause is not None:
            return replace(cause, principal=principal, span=span, prod=prod, remote_address=address)
        deadline = Deadline.after(self._clock, self._seconds)
        chain = self._late_chain(incoming.headers)
        return Call(principal, deadline, span, chain, prod=prod, remote_address=address)


def _params(query: str) -> dict[str, Json]:
    return dict(parse_qsl(query, keep_blank_values=True)) if query else {}


def _is_tunnel(incoming: Incoming) -> bool:
    """Whether method and credentials may stand in the body (storage.md 1.3)."""
    kind = incoming.headers.get("Content-Type", "")
    return incoming.method == "POST" and kind.lower().startswith("text/plain")


def _tunnelled(body: dict[str, Json], params: dict[str, Json]) -> tuple[str, dict[str, Json], Json]:
    """Method, parameters and body that a ``text/plain`` body speaks of."""
    method = str(body.get("_method") or "POST").upper()
    rest: dict[str, Json] = {
        name: value
        for name, value in body.items()
        if not name.startswith("_") or name.startswith("__")
    }
    if method == "GET":
        return method, {**params, **rest}, None
    return method, params, rest
