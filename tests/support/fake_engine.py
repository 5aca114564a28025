"""User code without a process: an engine whose hooks and functions are Python callables."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import CODE_DID_NOT_LOAD, ENGINE_GONE, TIMED_OUT, Hint
from lean_emulator.base.trace import Span
from lean_emulator.console.contract import State
from lean_emulator.service.engine import Serving

Handler = Callable[[dict[str, Any]], Any]
"""Takes the request's JSON; gives JSON, an ``EngineReply`` or an awaitable of either."""


@dataclass(frozen=True)
class EngineReply:
    """A raw HTTP answer of the fake engine."""

    status: int = 200
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = ()


def reply(value: Any, status: int = 200) -> EngineReply:
    return EngineReply(status, json.dumps(value).encode())


def refuse(message: str, status: int = 400, code: int = 400) -> EngineReply:
    """What the Python SDK answers when a hook raises ``LeanEngineError(message)``."""
    return reply({"code": code, "error": message}, status)


@dataclass(frozen=True)
class Received:
    """One request as it reached the engine."""

    target: str
    headers: dict[str, str]
    json: Any
    call_id: str | None


@dataclass
class FakeFailure:
    last_line: str
    traceback: str = ""
    file: str | None = None
    line: int | None = None
    message: str = ""
    hint: Hint | None = None


class FakeLedger:
    """Open calls by id, as the real runtime keeps them."""

    def __init__(self) -> None:
        self.calls: dict[str, object] = {}
        self.over: dict[str, object] = {}

    def open(self, call_id: str, call: object, span: Span) -> None:
        self.calls[call_id] = call

    def close(self, call_id: str) -> None:
        if call_id in self.calls:
            self.over[call_id] = self.calls.pop(call_id)

    def find(self, call_id: str) -> object | None:
        return self.calls.get(call_id)

    def ended(self, call_id: str) -> object | None:
        return self.over.get(call_id)


_WORDS = {
    "beforeSave": "__before_save_for_",
    "afterSave": "__after_save_for_",
    "beforeUpdate": "__before_update_for_",
    "afterUpdate": "__after_update_for_",
    "beforeDelete": "__before_delete_for_",
    "afterDelete": "__after_delete_for_",
}
_SPECIAL = {
    "_User.onLogin": "__on_login__User",
    "_User.onAuthData": "__on_authdata__User",
    "onVerified.sms": "__on_verified_sms",
    "onVerified.email": "__on_verified_email",
    "BigQuery.onComplete": "__on_complete_bigquery_job",
}


class FakeEngine:
    """Handlers by name: ``Review.beforeSave`` for a hook, a plain name for a function."""

    def __init__(self, handlers: Mapping[str, Handler] | None = None) -> None:
        self.handlers = dict(handlers or {})
        self.received: list[Received] = []
        self.ledger = FakeLedger()
        self.state: State = "ready"
        self.settled = True
        self.needs_marks = False
        self.ever_ready = True
        self.failure: FakeFailure | None = None
        self.where: dict[str, str] = {}
        self.loaded_at_ms: int | None = None
        self.load_seconds: float | None = None
        self.pages: Serving | None = None
        self.staging: FakeEngine | None = None

    @property
    def names(self) -> frozenset[str]:
        return frozenset(_metadata_name(name) for name in self.handlers)

    def of(self, prod: bool) -> "FakeEngine":
        """Staging, where there is one, for what is not for production."""
        return self if prod or self.staging is None else self.staging

    def broken(self, last_line: str, *, ever_ready: bool) -> None:
        """From now on the code does not load."""
        self.state = "broken"
        self.ever_ready = ever_ready
        self.failure = FakeFailure(last_line)
        if not ever_ready:
            self.handlers = {}

    def fired(self) -> list[str]:
        """Hooks and functions in the order they were called."""
        return [_name_of(received.target) for received in self.received]

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def until_settled(self, deadline: Deadline) -> None:
        """It always is."""

    @asynccontextmanager
    async def lease(self, deadline: Deadline) -> AsyncIterator[Serving]:
        """``pages`` if there is one."""
        if self.state == "broken":
            assert self.failure is not None
            raise CODE_DID_NOT_LOAD(f"cloud.py did not load: {self.failure.last_line}")
        if self.pages is None:
            raise ENGINE_GONE("The fake engine has no pages.")
        yield self.pages

    async def call(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        deadline: Deadline,
        call_id: str | None = None,
    ) -> EngineReply:
        if self.state == "broken":
            assert self.failure is not None
            raise CODE_DID_NOT_LOAD(f"cloud.py did not load: {self.failure.last_line}")
        sent = json.loads(body) if body else {}
        self.received.append(Received(target, dict(headers), sent, call_id))
        handler = self.handlers.get(_name_of(target))
        if handler is None:
            return refuse(f"cloud func named '{target.rsplit('/', 1)[1]}' not found.", 404, 404)
        answer = handler(sent)
        if isinstance(answer, Awaitable):
            try:
                left = deadline.remaining()
                async with asyncio.timeout(None if left == float("inf") else left):
                    answer = await answer
            except TimeoutError:
                raise TIMED_OUT() from None
        return answer if isinstance(answer, EngineReply) else reply(answer)


def _metadata_name(name: str) -> str:
    if name in _SPECIAL:
        return _SPECIAL[name]
    class_name, _, hook = name.rpartition(".")
    return f"{_WORDS[hook]}{class_name}" if hook in _WORDS else name


def _name_of(target: str) -> str:
    return ".".join(target.split("/")[3:])
