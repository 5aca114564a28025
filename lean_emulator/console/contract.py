"""What the console needs of the house: the instance, the user's code, and a way to run it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal, Protocol

from lean_emulator.base.clock import TurnableClock
from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.model.hook_answers import Remark
from lean_emulator.service.agenda import Agenda
from lean_emulator.service.cloud_queue import Queue
from lean_emulator.service.tasks import Tasks

State = Literal["starting", "ready", "broken", "stopped", "none"]


@dataclass(frozen=True, slots=True)
class Instance:
    """Who is running. The console is never given a key."""

    name: str
    version: str
    project_dir: str
    api_url: str
    app_id: str
    started_ms: int
    storage: str


@dataclass(frozen=True, slots=True)
class Timers:
    """What runs by the clock, and the clock; ``zone`` is the project's."""

    tasks: Tasks
    queue: Queue
    agenda: Agenda
    clock: TurnableClock
    zone: tzinfo


class Failure(Protocol):
    """Why the code did not load; ``file`` and ``line`` are the user's own innermost frame."""

    @property
    def last_line(self) -> str: ...
    @property
    def traceback(self) -> str: ...
    @property
    def file(self) -> str | None: ...
    @property
    def line(self) -> int | None: ...
    @property
    def message(self) -> str: ...
    @property
    def hint(self) -> Hint | None: ...


class Runtime(Protocol):
    """The state of the user's code; ``none`` means that there is no code to run."""

    @property
    def state(self) -> State: ...
    @property
    def names(self) -> frozenset[str]:
        """Names as the metadata route gives them (engine.md 2.3)."""

    @property
    def where(self) -> Mapping[str, str]:
        """Metadata name to ``cloud.py:16``."""

    @property
    def failure(self) -> Failure | None: ...
    @property
    def loaded_at_ms(self) -> int | None: ...
    @property
    def load_seconds(self) -> float | None: ...


class RunResult(Protocol):
    """What came back; ``trace`` names the trace that shows how."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> Json: ...
    @property
    def took_ms(self) -> float: ...
    @property
    def trace(self) -> str: ...
    @property
    def remarks(self) -> Sequence[Remark]:
        """What the platform would make of it."""


class Workbench(Protocol):
    """Runs one function or hook by hand.

    ``user`` is an objectId, a user name or a session token. Both raise ``ApiError`` for input that
    cannot be run (an unknown user or object); an error of the user's code is a result. A hook that
    belongs to no write takes its payload as ``object``.
    """

    async def run_function(
        self,
        name: str,
        params: Json,
        *,
        rpc: bool = False,
        user: str | None = None,
        master: bool = False,
    ) -> RunResult: ...

    async def run_hook(
        self,
        class_name: str,
        hook: str,
        *,
        object: Json | None,  # noqa: A002 - the protocol's own word
        object_id: str | None,
        updated_keys: list[str],
        user: str | None = None,
        master: bool = False,
        chain: bool = False,
    ) -> RunResult: ...
