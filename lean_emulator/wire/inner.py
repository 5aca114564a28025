"""Requests that the emulator makes of itself, on the same way as any client's."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from multidict import CIMultiDict

from lean_emulator.base import errors, jsontext
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import Principal
from lean_emulator.service.engine import Credentials
from lean_emulator.wire.authenticate import HOOK_KEY
from lean_emulator.wire.entry import Incoming, split_api_path
from lean_emulator.wire.proxy import TRACE_HEADER
from lean_emulator.wire.written import Written

Answering: TypeAlias = Callable[[Incoming, str], Awaitable[Written]]
"""``ApiServer.answer``."""

METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class InnerAnswer:
    """What a client would have got; ``trace`` names what happened."""

    status: int
    body: Json
    trace: str


class InnerRequests:
    """Asks the API without a socket: authentication, trace and hooks are those of any request."""

    def __init__(self, answer: Answering, keys: Credentials) -> None:
        self._answer = answer
        self._keys = keys

    def credentials(self, principal: Principal) -> dict[str, str]:
        """Headers by which the API recognises the principal."""
        keys = self._keys
        headers = {
            "X-LC-Id": keys.app_id,
            "X-LC-Key": f"{keys.master_key},master" if principal.is_master else keys.app_key,
        }
        if principal.user is not None:
            headers["X-LC-Session"] = str(principal.user.get("sessionToken"))
        if principal.from_engine:
            headers[HOOK_KEY] = keys.hook_key
        return headers

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: Json
    ) -> InnerAnswer:
        """``target`` is a path of the API, query included. Raises code 1 for what is none."""
        raw_path, _, query = target.partition("?")
        path = split_api_path(raw_path)
        if path is None or method not in METHODS:
            raise errors.INVALID_REQUEST(f"{method} {raw_path} is no request of the API.")
        sent = b"" if body is None else jsontext.dumps(body)
        given = CIMultiDict(headers)
        given.setdefault("Content-Type", "application/json")
        response = await self._answer(
            Incoming(method, path, query, given, sent, "127.0.0.1"), raw_path
        )
        return InnerAnswer(
            response.status, jsontext.loads(response.body), response.headers[TRACE_HEADER]
        )
