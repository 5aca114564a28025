"""Asking the user's code: headers, identity, and reading what it answers (engine.md 2.4–2.7)."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from lean_emulator.base import errors, jsontext
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import Deferred, Span
from lean_emulator.model.access import Principal
from lean_emulator.service.call import Call


class Answer(Protocol):
    """What came back over HTTP."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Sequence[tuple[str, str]]: ...

    @property
    def body(self) -> bytes: ...


class Address(Protocol):
    """Where a process listens: the path of a unix socket, else a port, usually of 127.0.0.1."""

    @property
    def path(self) -> str | None: ...

    @property
    def port(self) -> int | None: ...

    @property
    def host(self) -> str: ...

    @property
    def tls(self) -> bool: ...


class Serving(Protocol):
    """One process of the user's code, held alive for whoever leases it."""

    @property
    def address(self) -> Address: ...

    async def gone(self, within: float) -> bool:
        """Has it ended? Waits for that, at most ``within`` seconds."""
        ...


class Failure(Protocol):
    """Why the code did not load."""

    @property
    def last_line(self) -> str: ...

    @property
    def hint(self) -> errors.Hint | None: ...


class Ledger(Protocol):
    """Calls that are in the user's code right now, by their id."""

    def open(self, call_id: str, call: object, span: Span) -> None: ...

    def close(self, call_id: str) -> None: ...

    def find(self, call_id: str) -> object | None: ...

    def ended(self, call_id: str) -> object | None: ...


class Engine(Protocol):
    """The running cloud code, as services need it; ``engine.runtime.Runtime`` is the real one."""

    def of(self, prod: bool) -> "Engine":
        """The code of production or of staging; itself where there is only one."""
        ...

    @property
    def state(self) -> str: ...

    @property
    def names(self) -> frozenset[str]: ...

    @property
    def ever_ready(self) -> bool: ...

    @property
    def settled(self) -> bool: ...

    @property
    def where(self) -> Mapping[str, str]: ...

    @property
    def needs_marks(self) -> bool:
        """Whether the code is too old for the hook key header (engine.md 3.5)."""
        ...

    @property
    def failure(self) -> Failure | None: ...

    @property
    def ledger(self) -> Ledger: ...

    async def until_settled(self, deadline: Deadline) -> None: ...

    def lease(self, deadline: Deadline) -> AbstractAsyncContextManager[Serving]:
        """The process to talk to, for pages: it lives until the block ends.

        Waits while code is loading; raises ``CodeDidNotLoad`` or ``EngineGone``.
        """
        ...

    async def call(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        deadline: Deadline,
        call_id: str | None = None,
    ) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """The application's id and keys."""

    app_id: str
    app_key: str
    master_key: str
    hook_key: str


def hook_headers(keys: Credentials, call: Call) -> dict[str, str]:
    """How a hook call proves itself; never with a session (engine.md 2.7)."""
    return {
        "X-LC-Id": keys.app_id,
        "X-LC-Key": keys.app_key,
        "X-LC-Hook-Key": keys.hook_key,
        "X-LC-Prod": "1" if call.prod else "0",
        "X-Real-IP": call.remote_address,
        "Forwarded": f"for={call.remote_address};proto=http",
        "Content-Type": "application/json",
    }


def user_for_engine(principal: Principal) -> dict[str, Json] | None:
    """The acting user as hooks see it: everything with the session token, no password."""
    if principal.user is None:
        return None
    return {k: v for k, v in principal.user.items() if k not in ("password", "salt")}


def read_json(answer: Answer) -> Json | errors.ApiError:
    """The JSON an engine answered; an error value (not raised) for an answer that is none."""
    try:
        return jsontext.loads(answer.body, "the engine's answer")
    except errors.ApiError as e:
        return e


def shown_answer(answer: Answer) -> Json:
    """What an engine answered, as a trace keeps it: JSON, or the beginning of what is none."""
    value = read_json(answer)
    if isinstance(value, errors.ApiError):
        return answer.body[:2_048].decode("utf-8", "replace") or None
    return value


class SaidByCode(Deferred):
    """The ``answer`` member of a step: the code's answer, read when somebody looks."""

    __slots__ = ("answer",)

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def told(self, span: Span) -> Json:
        return shown_answer(self.answer)


def refusal(answer: Answer) -> str:
    """The text of an engine's error answer, for a person."""
    value = read_json(answer)
    if isinstance(value, dict) and isinstance(value.get("error"), str):
        return str(value["error"])
    text = answer.body.decode("utf-8", "replace").strip()
    return text[:200] if text else f"HTTP {answer.status}"
