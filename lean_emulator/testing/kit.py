"""An emulator beside the tests of a project: started once, put back in a moment, asked about."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from lean_emulator.base.errors import StartError
from lean_emulator.base.ids import State
from lean_emulator.base.trace import Span
from lean_emulator.base.trace_view import tree, walk
from lean_emulator.emulator import Emulator
from lean_emulator.engine.failure import WHERE_WATCHED
from lean_emulator.keys import Keys, client_variables
from lean_emulator.model.hooknames import HookKind
from lean_emulator.model.task import Task
from lean_emulator.settings import Settings
from lean_emulator.testing.client import Client, Refused
from lean_emulator.testing.clock import Clock, ms_of
from lean_emulator.testing.inbox import Inbox
from lean_emulator.testing.loop_thread import LoopThread
from lean_emulator.testing.sdk import Pointer

BASE = "start-of-tests"
"""The snapshot that ``reset`` goes back to."""

SPARE_SECONDS = 15.0
"""What starting may take beside the loading of the code."""

SETTLE_SECONDS = 120.0
BATCH = 500
PASSWORD = "password"  # noqa: S105 - of users that exist for a test

_NO_HOOKS = [kind.word for kind in HookKind]


@dataclass(frozen=True, slots=True)
class _Base:
    """What ``reset`` goes back to, beside the objects."""

    ids: State
    now_ms: int
    frozen: bool
    tasks: list[Task]


class LeanEmu(Client):
    """One emulator in its own thread, on free ports, with everything in memory.

    Its own methods act as a client with the app key; ``master`` has the master key's rights.
    """

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        *,
        seed: int | None = None,
        now: str | None = None,
        on_output: Callable[[str, str], None] | None = None,
    ) -> None:
        """Starts it. With a ``seed`` ids repeat; with ``now``, an ISO time, the clock stands there.

        Raises ``StartError`` for what keeps it from starting, code that does not load among it.
        """
        self.settings = settings
        self.keys = keys
        self._thread = LoopThread("lean-emu")
        try:
            self.emulator = self._started(seed, now, on_output)
        except BaseException:
            self._thread.close()
            raise
        api_url = self.emulator.api_url
        super().__init__(api_url, {"X-LC-Id": keys.app_id, "X-LC-Key": keys.app_key})
        self.api_url = api_url
        self.console_url = self.emulator.console_url
        self.master = Client(
            api_url, {"X-LC-Id": keys.app_id, "X-LC-Key": f"{keys.master_key},master"}
        )
        self.clock = Clock(self.emulator, self._thread)
        self.inbox = Inbox(self.emulator, self._thread)
        self._pointer = Pointer(keys, self.environment)
        self._pointer.point()
        self.keep()

    @property
    def environment(self) -> dict[str, str]:
        """What SDKs need in their environment, as ``lean-emu env`` prints it."""
        return client_variables(self.keys, self.api_url)

    def as_user(self, username: str, /, **fields: Any) -> "User":
        """A client that acts as a user, who is signed up where there is none of that name.

        As a block, the official SDK acts as that user, too: ``with lean_emu.as_user("tom"):``.
        """
        known = self.master.find("_User", {"username": username}, limit=1)
        if not known:
            signed_up = {"password": PASSWORD, **fields, "username": username}
            self.master.request("POST", "/1.1/users", {**signed_up, "__ignore_hooks": _NO_HOOKS})
        elif fields:
            self.master.update("_User", known[0]["objectId"], **fields, __ignore_hooks=_NO_HOOKS)
        told = self.master.request("GET", f"/__emu/sessions/{quote(username, safe='')}")
        headers = {"X-LC-Id": self.keys.app_id, "X-LC-Key": self.keys.app_key}
        return User(self.api_url, headers, told["sessionToken"], username, self._pointer)

    def seed(self, data: Mapping[str, Sequence[Mapping[str, Any]]] | str | Path) -> "Seeded":
        """Store objects without their hooks; answers them by class, in order, as they are stored.

        Either objects by class, or the JSON file that holds them. Raises ``Refused``.
        """
        if isinstance(data, str | Path):
            data = json.loads(Path(data).read_text("utf-8"))
            if not isinstance(data, Mapping):
                raise ValueError("a file with seeds holds an object: lists of objects by class")
        return {name: self._seed(name, objects) for name, objects in data.items()}

    def hooks_fired(self, class_name: str | None = None) -> list[str]:
        """Hooks that ran since the last ``reset``, in order: ``beforeSave Review``.

        After hooks that run are waited for; ``class_name`` leaves the hooks of others out.
        """
        self.settle()
        fired = self._thread.ask(lambda: list(_hooks(self.emulator.log.traces())))
        return [span.title for span in fired if class_name in (None, span.title.partition(" ")[2])]

    def traces(self) -> list[dict[str, Any]]:
        """What was asked since the last ``reset``, step by step, oldest first."""
        log, mask = self.emulator.log, self.emulator.mask
        return self._thread.ask(lambda: [tree(t, mask) for t in reversed(log.traces())])

    def settle(self) -> None:
        """Wait until no after hook runs. Raises ``TimeoutError``."""
        self._thread.wait_for(self.emulator.settle(), SETTLE_SECONDS)

    def keep(self) -> None:
        """Make everything as it is now what ``reset`` goes back to."""
        self._thread.wait_for(self._keep(), SETTLE_SECONDS)

    def reset(self) -> None:
        """Put objects, tasks, time and ids back; forget messages, codes and traces.

        No object is copied or compared. The project's code stays loaded, with whatever it holds
        in variables. The SDK acts as nobody again.
        """
        self._thread.wait_for(self._reset(), SETTLE_SECONDS)
        self._pointer.point()

    def stop(self) -> None:
        """End it, its child process and its thread; the environment is as it was before."""
        try:
            self._pointer.take_back()
            self._thread.wait_for(self.emulator.stop(), SETTLE_SECONDS)
        finally:
            self._thread.close()

    def _started(
        self, seed: int | None, now: str | None, on_output: Callable[[str, str], None] | None
    ) -> Emulator:
        settings = self.settings
        seconds = settings.start_limit_seconds + SPARE_SECONDS

        async def start() -> Emulator:
            emulator = Emulator(
                settings, self.keys, on_output=on_output, id_seed=seed, lasting=False
            )
            if now is not None:
                emulator.clock.turn(ms_of(now), frozen=True)
            await emulator.start()
            if (failure := emulator.runtime.failure) is not None:
                await emulator.stop()
                raise StartError(
                    f"{failure.message}\n{failure.traceback}".rstrip(),
                    hint=None if failure.hint in WHERE_WATCHED else failure.hint,
                )
            return emulator

        try:
            return self._thread.wait_for(start(), seconds)
        except TimeoutError as e:
            raise StartError(f"lean-emu was not ready within {seconds:g} seconds.") from e

    def _seed(self, class_name: str, objects: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        path = "/1.1/users" if class_name == "_User" else f"/1.1/classes/{class_name}"
        stored = []
        for at in range(0, len(objects), BATCH):
            some = objects[at : at + BATCH]
            asked = [
                {"method": "POST", "path": path, "body": {**fields, "__ignore_hooks": _NO_HOOKS}}
                for fields in some
            ]
            answers = self.master.request("POST", "/1.1/batch", {"requests": asked})
            for fields, answer in zip(some, answers, strict=True):
                if "error" in answer:
                    error = answer["error"]
                    raise Refused(400, error["code"], f"{class_name} {fields}: {error['error']}")
                stored.append({**fields, **answer["success"]})
        return stored

    async def _keep(self) -> None:
        await self.emulator.snapshots.save(BASE)
        clock = self.emulator.clock
        tasks = self.emulator.timers.tasks.current()
        self._base = _Base(self.emulator.ids.state(), clock.now_ms(), clock.frozen, tasks)

    async def _reset(self) -> None:
        emulator, base = self.emulator, self._base
        await emulator.snapshots.load(BASE)
        emulator.log.clear()
        emulator.inbox.clear()
        emulator.accounts.clear()
        if base.frozen:
            emulator.clock.turn(base.now_ms, frozen=True)
        else:
            emulator.clock.resume()
        emulator.timers.tasks.put_back(base.tasks)
        emulator.ids.go_back(base.ids)


class User(Client):
    """A client with the session of a user."""

    def __init__(
        self,
        api_url: str,
        headers: Mapping[str, str],
        session_token: str,
        username: str,
        pointer: Pointer,
    ) -> None:
        super().__init__(api_url, {**headers, "X-LC-Session": session_token})
        self.session_token = session_token
        self.username = username
        self._pointer = pointer

    @property
    def id(self) -> str:
        return str(self.request("GET", "/1.1/users/me")["objectId"])

    @property
    def pointer(self) -> dict[str, str]:
        """To be put into other objects."""
        return {"__type": "Pointer", "className": "_User", "objectId": self.id}

    def __enter__(self) -> Self:
        self._pointer.become(self.session_token)
        return self

    def __exit__(self, *_: object) -> None:
        self._pointer.become(None)


Seeded = dict[str, list[dict[str, Any]]]


def _hooks(newest_first: Sequence[Span]) -> list[Span]:
    steps = (step for root in newest_first for step in walk(root))
    ran = [step for step in steps if step.kind == "hook" and step.outcome != "skipped"]
    return sorted(ran, key=lambda step: step.id)
