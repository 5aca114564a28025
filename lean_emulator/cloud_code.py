"""The user's code as the emulator runs it: one runtime, or production and staging."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from lean_emulator.base.clock import Clock
from lean_emulator.base.errors import Hint, StartError
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog
from lean_emulator.console import contract as console_contract
from lean_emulator.engine.attached import attached_project
from lean_emulator.engine.environment import AppEnvironment, AppKeys, child_environment
from lean_emulator.engine.environments import Environments
from lean_emulator.engine.output import OutputLine
from lean_emulator.engine.project import Project, find_project
from lean_emulator.engine.runtime import Runtime
from lean_emulator.service.engine import Engine
from lean_emulator.settings import Settings

LONG = 86_400.0
"""Seconds that loading may take where nothing is timed: somebody may be at a breakpoint."""


class CloudCode(Engine, console_contract.Runtime, Protocol):
    """The user's code as services call it and the console shows it."""

    @property
    def state(self) -> console_contract.State: ...

    @property
    def failure(self) -> console_contract.Failure | None: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class Builder:
    """Makes the runtimes that the settings ask for.

    ``address`` gives the API's URL and port once they are known; ``tell`` hears what the code
    prints, and what is wrong with its ``.env``.
    """

    def __init__(
        self,
        settings: Settings,
        keys: AppKeys,
        clock: Clock,
        log: EventLog,
        tell: Callable[[OutputLine], None],
        address: Callable[[], tuple[str, int]],
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._clock = clock
        self._log = log
        self._tell = tell
        self._address = address

    def build(self) -> CloudCode:
        """Raises ``StartError`` for a folder nothing can be started in."""
        settings = self._settings
        if settings.attach is not None:
            return self._runtime(
                attached_project(settings.project_dir, settings.attach), "development"
            )
        project = find_project(
            settings.project_dir, cmd=settings.cmd, python=settings.python, code=settings.code
        )
        if settings.debugpy is not None and project.kind == "command":
            raise _not_python(project)
        if settings.staging is None or project.kind == "none":
            return self._runtime(project, "development")
        staging = find_project(
            Path(settings.staging), cmd=settings.cmd, python=settings.python, code=settings.code
        )
        staging = replace(staging, name=f"{staging.title} (staging)")
        return Environments(self._runtime(project, "production"), self._runtime(staging, "stage"))

    def _runtime(self, project: Project, app_environment: AppEnvironment) -> Runtime:
        settings = self._settings
        return Runtime(
            project,
            lambda: self._environment(project, app_environment),
            clock=self._clock,
            log=self._log,
            on_line=self._tell,
            watch=settings.watch,
            keep_last_good=settings.keep_last_good,
            start_limit=settings.start_limit_seconds if settings.timeouts else LONG,
            debugger=None if app_environment == "stage" else settings.debugpy,
        )

    def _environment(self, project: Project, app_environment: AppEnvironment) -> dict[str, str]:
        """Made anew for every start of the code, so that an edited ``.env`` counts."""
        url, port = self._address()
        return child_environment(
            project,
            self._keys,
            api_server=url,
            port=port,
            app_environment=app_environment,
            warn=lambda text: self._tell(OutputLine("stderr", text)),
        )


def staging_facts(code: CloudCode) -> Json:
    """State and names of the code of staging; ``None`` where there is none."""
    staging = code.of(False)
    if staging is code:
        return None
    return {"state": staging.state, "names": [*sorted(staging.names)]}


def _not_python(project: Project) -> StartError:
    return StartError(
        f"debugpy is for Python, and {project.title} is something else.",
        hint=Hint(
            'For Node: lean-emu up --no-timeouts --cmd "node --inspect server.js"',
            'Node 项目请用：lean-emu up --no-timeouts --cmd "node --inspect server.js"',
        ),
    )
