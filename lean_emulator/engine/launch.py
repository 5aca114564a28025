"""Starting a process and waiting until it serves: ``boot_python`` or any command."""

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import string
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.engine import failure
from lean_emulator.engine.child import Child, Process, spawn
from lean_emulator.engine.client import Address, EngineClient
from lean_emulator.engine.environment import DOTENV_FILES
from lean_emulator.engine.failure import LoadFailure
from lean_emulator.engine.generation import Generation
from lean_emulator.engine.installed import places_of_command
from lean_emulator.engine.output import OutputLine
from lean_emulator.engine.project import Project
from lean_emulator.engine.source_files import SourceFiles
from lean_emulator.engine.warm_start import WarmStart

PING = "/__engine/1/ping"

_HERE = Path(__file__).parent
_POLL = 0.02


class NotLoaded(Exception):
    """The code did not get ready.

    ``files`` are those whose change may heal it; ``told`` is false when its process ended without
    a word of why.
    """

    def __init__(self, reason: LoadFailure, files: SourceFiles, *, told: bool = True) -> None:
        super().__init__(reason.message)
        self.reason = reason
        self.files = files
        self.told = told


class Launcher(Protocol):
    """A way to start generations."""

    async def launch(
        self, number: int, environment: Mapping[str, str], on_line: Callable[[OutputLine], None]
    ) -> Generation:
        """A generation that serves, or ``NotLoaded``; on any error no process is left."""
        ...

    async def close(self) -> None: ...


class PythonLauncher:
    """Loads ``cloud.py`` or ``wsgi.py`` in the project's interpreter."""

    def __init__(
        self,
        project: Project,
        limit: float,
        tcp: bool = False,
        forks: bool | None = None,
        debugger: int | None = None,
    ) -> None:
        """``limit`` is the seconds loading may take; ``tcp`` avoids unix sockets, ``forks`` says
        whether warm starts may fork (``None``: where the system is good at it). ``debugger`` is a
        port on which debugpy shall listen.
        """
        self._debugger = debugger
        self._project = project
        self._limit = limit
        self._warm = WarmStart(project, forks=forks)
        self._tcp = tcp or not hasattr(socket, "AF_UNIX") or os.name != "posix"
        self._sockets = None if self._tcp else _folder_for_sockets()

    async def launch(
        self, number: int, environment: Mapping[str, str], on_line: Callable[[OutputLine], None]
    ) -> Generation:
        process = await self._warm.process(environment)
        if process is not None:
            try:
                return await self._serve(process, number, environment, on_line)
            except NotLoaded as error:
                self._warm.used_up(environment)
                if error.told:
                    raise
                self._warm.drop()  # it may be the fork's fault: once more, from cold
        argv = [str(self._project.interpreter), str(_HERE / "boot_python.py")]
        try:
            process = spawn(argv, environment, self._project.directory)
        except OSError as error:
            reason = failure.from_os_error(self._project, self._project.interpreter, error)
            raise NotLoaded(reason, self._files({})) from error
        return await self._serve(process, number, environment, on_line)

    async def close(self) -> None:
        await self._warm.close()
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)

    async def _serve(
        self,
        process: Process,
        number: int,
        environment: Mapping[str, str],
        on_line: Callable[[OutputLine], None],
    ) -> Generation:
        """Give the process its job and wait until it serves."""
        assert self._project.entry is not None
        path = self._socket_path(f"{number}-{process.pid}")
        secret = secrets.token_hex(16)
        words = {
            "directory": str(self._project.directory),
            "entry": self._project.entry.name,
            "secret": secret,
            "socket": path,
            "port": environment.get("LEANCLOUD_APP_PORT", "3000"),
            "debugger": self._debugger,
        }
        kept = LastLines(on_line)
        first_line = json.dumps(words).encode() + b"\n"
        child = Child(process, kept.take, first_line=first_line, secret=secret)
        try:
            facts = await self._ready(child, kept)
        except BaseException:
            await child.stop()
            raise
        files = self._files(facts["files"], facts["warm"]["places"])
        child.on_report = lambda later: files.learn(later.facts.get("files", {}))
        self._warm.learn(environment, facts["warm"])
        return Generation(number, child, Address(path, facts["port"]), files, facts["where"])

    def _socket_path(self, name: str) -> str | None:
        if self._sockets is None:
            return None
        if not self._sockets.is_dir():  # something has cleaned up the temporary folders
            self._sockets = _folder_for_sockets()
        return str(self._sockets / name)

    async def _ready(self, child: Child, kept: "LastLines") -> dict[str, Any]:
        """What the child reports when it is ready."""
        try:
            async with asyncio.timeout(self._limit):
                report = await child.report()
        except TimeoutError as error:
            reason = failure.from_start_limit(self._project, self._limit)
            raise NotLoaded(reason, self._files({})) from error
        if report is None:
            reason = failure.from_exit(self._project, child.exited.result(), kept.lines)
            raise NotLoaded(reason, self._files({}), told=False)
        if report.facts["event"] != "ready":
            files = self._files(report.facts["files"], report.facts["places"])
            raise NotLoaded(failure.from_report(self._project, report.facts), files)
        return report.facts

    def _files(self, read: Mapping[str, Sequence[int]], places: Sequence[str] = ()) -> SourceFiles:
        assert self._project.entry is not None
        known = [self._project.entry, *dotenv_files(self._project)]
        return SourceFiles.reported(read, known, places)


class CommandLauncher:
    """Runs ``--cmd`` on a private port; it serves as soon as it answers HTTP at all."""

    def __init__(self, project: Project, limit: float, client: EngineClient, clock: Clock) -> None:
        self._project = project
        self._limit = limit
        self._client = client
        self._clock = clock

    async def launch(
        self, number: int, environment: Mapping[str, str], on_line: Callable[[OutputLine], None]
    ) -> Generation:
        port, secret = _free_port(), secrets.token_hex(16)
        variables = {
            **environment,
            "PORT": str(port),
            "LEANCLOUD_APP_PORT": str(port),
            "LC_APP_PORT": str(port),
            "LEAN_EMU_PROJECT": str(self._project.directory),
            "LEAN_EMU_SECRET": secret,
            "NODE_OPTIONS": with_preload(environment.get("NODE_OPTIONS", "")),
        }
        for name, value in self._project.variables.items():
            variables[name] = string.Template(value).safe_substitute(variables)
        words = [string.Template(w).safe_substitute(variables) for w in self._project.command]
        kept = LastLines(on_line)
        argv = [sys.executable, str(_HERE / "guard.py"), *words]
        try:
            process = spawn(argv, variables, self._project.directory / self._project.folder)
        except OSError as error:
            reason = failure.from_os_error(self._project, sys.executable, error)
            raise NotLoaded(reason, SourceFiles({})) from error
        child = Child(process, kept.take, secret=secret)
        files = SourceFiles.reported(
            {}, dotenv_files(self._project), places_of_command(self._project)
        )
        child.on_report = lambda later: files.learn(later.facts.get("files", {}))
        generation = Generation(number, child, Address(port=port), files, {})
        try:
            await self._answers(generation, child, kept)
        except BaseException:
            await child.stop()
            raise
        return generation

    async def close(self) -> None:
        """Nothing is kept between launches."""

    async def _answers(self, generation: Generation, child: Child, kept: "LastLines") -> None:
        """Poll until any HTTP answer comes (engine.md 1.5), the process ends or the limit is up."""
        until = time.monotonic() + self._limit
        while not child.exited.done():
            deadline = Deadline.after(self._clock, 1.0)
            with contextlib.suppress(errors.EngineGone, errors.TimedOut):
                await self._client.request(generation, "GET", PING, deadline=deadline)
                return
            if time.monotonic() > until:
                reason = failure.from_start_limit(self._project, self._limit)
                raise NotLoaded(reason, generation.files)
            await asyncio.wait({child.exited}, timeout=_POLL)
        await child.last_words()
        reason = failure.from_exit(self._project, child.exited.result(), kept.lines)
        raise NotLoaded(reason, generation.files)


def with_preload(options: str, preload: Path = _HERE / "preload_node.js") -> str:
    """``NODE_OPTIONS`` with ours after whatever they hold; programs other than Node ignore them."""
    path = str(preload)
    if re.search(r"[\s\"\\]", path):
        path = '"' + re.sub(r"([\"\\])", r"\\\1", path) + '"'
    return f"{options} --require {path}".lstrip()


class LastLines:
    """Hands lines on and remembers the last of them."""

    def __init__(self, on_line: Callable[[OutputLine], None]) -> None:
        self._on_line = on_line
        self._kept: deque[str] = deque(maxlen=50)

    @property
    def lines(self) -> list[str]:
        return [*self._kept]

    def take(self, line: OutputLine) -> None:
        self._kept.append(line.text[:500])
        self._on_line(line)


def _folder_for_sockets() -> Path:
    """A folder only this user can enter, with a name short enough for sockets (100 bytes)."""
    folder = Path(tempfile.mkdtemp(prefix="lean-emu-"))
    if len(str(folder)) > 80:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="lean-emu-", dir="/tmp"))
    return folder


def dotenv_files(project: Project) -> list[Path]:
    return [project.directory / name for name in DOTENV_FILES]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
