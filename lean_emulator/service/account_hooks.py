"""The hooks of accounts: onLogin, onVerified, onAuthData (engine.md 2.8–2.10, 4.8)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog
from lean_emulator.model.document import without
from lean_emulator.model.special_hooks import (
    ON_AUTH_DATA,
    ON_LOGIN,
    ON_VERIFIED,
    SpecialHook,
)
from lean_emulator.service.call import Call
from lean_emulator.service.engine import Answer, read_json, refusal
from lean_emulator.service.hook_event import HIDDEN, rejection
from lean_emulator.service.hook_sender import HookSender

Fields: TypeAlias = dict[str, Json]
Channel: TypeAlias = Literal["sms", "email"]

REFUSED_LOGIN = 401
"""HTTP status of a log-in that onLogin refused; its code stays 142 (engine.md 4.8)."""


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """Budgets in seconds: of onLogin and onAuthData, and of onVerified."""

    login: float = 10.0
    verified: float = 3.0


class AccountHooks:
    """Fires those that the running code registers; any other costs nothing."""

    def __init__(
        self,
        sender: HookSender,
        log: EventLog,
        clock: Clock,
        limits: AccountLimits,
        *,
        await_after: bool = False,
    ) -> None:
        self._sender = sender
        self._log = log
        self._clock = clock
        self._limits = limits
        self._await_after = await_after
        self._running: set[asyncio.Task[None]] = set()

    async def on_login(self, call: Call, user: Mapping[str, Json]) -> None:
        """Ask whether a user, whose credentials are accepted, may log in.

        ``user`` is the stored document. Raises code 142 with HTTP 401 when the hook refuses or
        fails, code 141 when it takes too long, 431 when it logs in itself.
        """
        if not await self._fires(call, ON_LOGIN):
            return
        answer = await self._blocking(call, ON_LOGIN, {"object": _shown(user)})
        if answer.status >= 300:
            raise _refused_login(refusal(answer))

    async def on_auth_data(self, call: Call, auth_data: Fields) -> Fields:
        """The authData to go on with: the hook's, when it gives an object, or the given one.

        Raises code 142 when the hook refuses or fails, code 141 when it takes too long.
        """
        if not await self._fires(call, ON_AUTH_DATA):
            return auth_data
        answer = await self._blocking(call, ON_AUTH_DATA, {"authData": auth_data})
        if answer.status >= 300:
            raise rejection(refusal(answer))
        return chosen_auth_data(answer) or auth_data

    async def on_verified(self, call: Call, channel: Channel, user: Mapping[str, Json]) -> None:
        """Tell that an e-mail address or a phone number was verified.

        ``user`` is the stored document, its flag true already. A failure is only recorded.
        """
        hook = ON_VERIFIED[channel]
        if not self._sender.registered(call, hook):
            return
        work = self._run_after(call, hook, {"object": _shown(user)})
        if self._await_after:
            await work
            return
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settle(self) -> None:
        """Wait until no onVerified runs, those included that others start meanwhile."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def close(self) -> None:
        """Give up on those that still run."""
        for task in set(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def running(self) -> int:
        """How many onVerified have not ended."""
        return len(self._running)

    async def _fires(self, call: Call, hook: SpecialHook) -> bool:
        try:
            await self._sender.until_known(call)
        except ApiError as e:
            raise _stopped(e, hook) from e
        return self._sender.registered(call, hook)

    async def _blocking(self, call: Call, hook: SpecialHook, payload: Fields) -> Answer:
        limit = self._limits.login
        span = self._sender.begin(call, hook, payload, limit)
        try:
            answer = await self._sender.send(call, hook, payload, limit, span)
        except ApiError as e:
            stopped = _stopped(e, hook)
            self._sender.fail(span, stopped if isinstance(e, errors.TimedOut) else e)
            raise stopped from e
        loop = span.detail.get("loop")
        if answer.status >= 300 and isinstance(loop, errors.HookLoop):
            raise loop
        return answer

    async def _run_after(self, call: Call, hook: SpecialHook, payload: Fields) -> None:
        limit = self._limits.verified
        span = self._sender.begin(call, hook, payload, limit)
        if not call.chain:  # a client's own request shares no time with what follows it
            call = call.with_deadline(Deadline.never(self._clock))
        try:
            await self._sender.send(call, hook, payload, limit, span)
        except ApiError as e:
            self._sender.fail(span, e)
        except asyncio.CancelledError:
            self._log.end(span, "failed")
            raise


def chosen_auth_data(answer: Answer) -> Fields | None:
    """The authData in an answer of onAuthData; ``None`` where it gives none.

    C# echoes the whole body when the method returns nothing (engine.md 2.10).
    """
    value = read_json(answer)
    if not isinstance(value, dict):
        return None
    result = value.get("result", value.get("authData"))
    return result if isinstance(result, dict) and result else None


def _shown(user: Mapping[str, Json]) -> Fields:
    """A user as the engine may see it: with the session token, without the password."""
    return without(user, HIDDEN)


def _refused_login(message: str, hint: errors.Hint | None = None) -> ApiError:
    said = rejection(message, hint)
    return ApiError(said.code, said.message, REFUSED_LOGIN, hint=hint)


def _stopped(e: ApiError, hook: SpecialHook) -> ApiError:
    """What a client gets when the hook gave no answer (engine.md 4.6)."""
    if isinstance(e, errors.HookLoop):
        return e
    if isinstance(e, errors.TimedOut):
        return errors.ENGINE_TIMEOUT(
            f"LeanEngine request timeout. className: {hook.of}, hook: {hook.word}", hint=e.hint
        )
    if hook is ON_LOGIN:
        return _refused_login(e.message, e.hint)
    return rejection(e.message, e.hint)
