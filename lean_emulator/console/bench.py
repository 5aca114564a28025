"""The Run form: read it, run it, remember the last thirty runs."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.console.contract import RunResult, Workbench
from lean_emulator.console.payload import Problem, read_payload
from lean_emulator.console.registry import UPDATE_HOOKS
from lean_emulator.model.hook_samples import special_hook
from lean_emulator.model.special_hooks import SpecialHook

KEPT = 30
TABS = ("function", "hook", "event")
HOOKS = ("beforeSave", "afterSave", "beforeUpdate", "afterUpdate", "beforeDelete", "afterDelete")

_SPACE_OR_COMMA = str.maketrans(",，", "  ")


@dataclass(frozen=True, slots=True)
class RunForm:
    """The fields as they were typed. ``tab`` is ``function``, ``hook`` or ``event``; ``hook`` names
    class and hook as ``Review/beforeSave``, for an event also ``sms/onVerified`` and
    ``/_messageReceived``; ``who`` counts only with ``identity`` ``user``.
    """

    tab: str = "function"
    name: str = ""
    rpc: bool = False
    hook: str = ""
    chain: bool = False
    object_id: str = ""
    keys: str = ""
    identity: str = "nobody"
    who: str = ""
    payload: str = ""

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "RunForm":
        """From a form's or a query's fields; unknown values fall back to the first choice."""
        hook = fields.get("hook", "")
        tab = fields.get("tab") or ("hook" if hook and not fields.get("name") else "function")
        identity = fields.get("as", "")
        return cls(
            tab=tab if tab in TABS else TABS[0],
            name=fields.get("name", ""),
            rpc=fields.get("rpc", "") in ("on", "true", "1"),
            hook=hook,
            chain=fields.get("how") == "chain",
            object_id=fields.get("object", "").strip(),
            keys=fields.get("keys", ""),
            identity=identity if identity in ("user", "master") else "nobody",
            who=fields.get("who", "").strip(),
            payload=fields.get("payload", "").replace("\r\n", "\n"),
        )

    @property
    def title(self) -> str:
        """What it runs: ``averageStars``, ``beforeSave Review`` or ``_messageReceived``."""
        if self.tab == "function":
            return self.name
        class_name, _, hook = self.hook.rpartition("/")
        return f"{hook} {class_name}".strip()

    @property
    def event(self) -> SpecialHook | None:
        """The hook that belongs to no write, if that is what the form names."""
        class_name, _, hook = self.hook.rpartition("/")
        return special_hook(class_name, hook)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing was sent. ``field`` says where the reason belongs."""

    field: str
    problem: Problem
    hint: Hint | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One entry of the history; ``number`` counts from 1 for the life of the console."""

    number: int
    at_ms: int
    form: RunForm
    result: RunResult


class Bench:
    """Runs what the form says and keeps the last ``KEPT`` results, newest first."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._runs: deque[Run] = deque(maxlen=KEPT)
        self._number = 0

    @property
    def runs(self) -> list[Run]:
        return list(self._runs)

    def get(self, number: str | None) -> Run | None:
        """A run of the history, ``None`` when it is unknown or forgotten."""
        return next((run for run in self._runs if str(run.number) == number), None)

    async def run(self, form: RunForm, now_ms: int) -> Run | Refusal:
        """Refuses what cannot be read or run; errors of the user's code are results."""
        if (missing := _missing(form)) is not None:
            return missing
        payload = await asyncio.to_thread(read_payload, form.payload)
        if isinstance(payload, Problem):
            return Refusal("payload", payload)
        try:
            result = await self._send(form, payload)
        except ApiError as e:
            field = "who" if form.identity == "user" and e.code == 211 else "form"
            return Refusal(field, Problem("problem.other", found=e.message), e.hint)
        self._number += 1
        run = Run(self._number, now_ms, form, result)
        self._runs.appendleft(run)
        return run

    async def _send(self, form: RunForm, payload: Json) -> RunResult:
        user = form.who if form.identity == "user" else None
        master = form.identity == "master"
        if form.tab == "function":
            return await self._workbench.run_function(
                form.name, payload, rpc=form.rpc, user=user, master=master
            )
        class_name, _, hook = form.hook.rpartition("/")
        by_hand = bool(form.payload.strip())
        return await self._workbench.run_hook(
            class_name,
            hook,
            object=payload if by_hand else None,
            object_id=form.object_id or None,
            updated_keys=form.keys.translate(_SPACE_OR_COMMA).split()
            if hook in UPDATE_HOOKS
            else [],
            user=user,
            master=master,
            chain=form.chain and form.tab == "hook",
        )


def _missing(form: RunForm) -> Refusal | None:
    if form.tab == "function" and not form.name:
        return Refusal("name", Problem("problem.no_function"))
    if form.tab == "hook":
        class_name, _, hook = form.hook.rpartition("/")
        if not class_name or hook not in HOOKS:
            return Refusal("hook", Problem("problem.no_hook"))
        if not form.object_id and not form.payload.strip():
            return Refusal("object", Problem("problem.no_object"))
    if form.tab == "event" and form.event is None:
        return Refusal("hook", Problem("problem.no_event"))
    if form.identity == "user" and not form.who:
        return Refusal("who", Problem("problem.no_user"))
    return None
