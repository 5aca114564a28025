"""Trying a hook that belongs to no write: called by hand, its answer explained, nothing stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import Span
from lean_emulator.model.document import without
from lean_emulator.model.hook_answers import Remark, explain
from lean_emulator.model.hook_samples import payload_of, sample_of, takes_user
from lean_emulator.model.special_hooks import SpecialHook
from lean_emulator.service.call import Call
from lean_emulator.service.functions import as_json
from lean_emulator.service.hook_event import HIDDEN
from lean_emulator.service.hook_sender import HookSender


@dataclass(frozen=True, slots=True)
class TrialLimits:
    """Budgets in seconds: what is waited for, what is not, and what a log-in waits for."""

    blocking: float = 10.0
    after: float = 3.0
    login: float = 10.0

    def of(self, hook: SpecialHook) -> float:
        if not hook.blocking:
            return self.after
        return self.login if hook.group == "account" else self.blocking


@dataclass(frozen=True, slots=True)
class Tried:
    """What came back, and what the platform would make of it."""

    span: Span
    status: int
    body: Json
    remarks: Sequence[Remark]


class HookTrial:
    """Calls one hook as the platform would."""

    def __init__(self, sender: HookSender, limits: TrialLimits) -> None:
        self._sender = sender
        self._limits = limits

    async def run(self, call: Call, hook: SpecialHook, given: Json) -> Tried:
        """Call ``hook`` with a user, authData or parameters; ``None`` means its sample.

        onLogin and onVerified are about the user that ``call`` acts for, unless one is given.
        Raises code 1 for what is no object.
        """
        return await self.send(call, hook, payload_of(hook, self._given(call, hook, given)))

    async def send(self, call: Call, hook: SpecialHook, payload: dict[str, Json]) -> Tried:
        """Call ``hook`` with that very body."""
        limit = self._limits.of(hook)
        span = self._sender.begin(call, hook, payload, limit)
        try:
            answer = await self._sender.send(call, hook, payload, limit, span)
        except ApiError as e:
            self._sender.fail(span, e)
            return Tried(span, e.status, e.to_wire(), explain(hook, payload, e.status, None))
        said = as_json(answer)
        remarks = explain(hook, payload, said.status, said.body)
        return Tried(span, said.status, said.body, remarks)

    def _given(self, call: Call, hook: SpecialHook, given: Json) -> dict[str, Json]:
        if isinstance(given, dict):
            return given
        if given is not None:
            raise errors.INVALID_REQUEST(f"What {hook.title} is called with must be an object.")
        if not takes_user(hook):
            return sample_of(hook)
        user = call.principal.user
        if user is None:
            raise errors.INVALID_REQUEST(
                f"{hook.title} is about a user: name one, or give one by hand.",
                hint=Hint(
                    en="Its objectId, username or session token says which.",
                    zh="可以用 objectId、用户名或 session token 指定。",
                ),
            )
        return without(user, HIDDEN)
