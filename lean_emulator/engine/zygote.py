"""Starting the user's Python from one that is warm: parent side of ``boot_zygote``."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lean_emulator.engine.child import Process, exit_of
from lean_emulator.engine.project import Project

_SCRIPT = Path(__file__).parent / "boot_zygote.py"
_SDK_ONLY = ("leancloud",)
_FORK_WITHIN = 2.0
_CLOSE_WITHIN = 2.0


class Zygote:
    """One warm process. ``fit`` is done with whether forking it is safe."""

    def __init__(
        self,
        interpreter: Path,
        environment: Mapping[str, str],
        directory: Path,
        modules: Sequence[str],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._control, theirs = socket.socketpair()
        with theirs:
            popen = subprocess.Popen(  # noqa: S603 - the interpreter is the user's choice
                [str(interpreter), str(_SCRIPT)],
                env={**environment},
                cwd=directory,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._popen = popen
        self.exited = exit_of(popen)
        self.fit: asyncio.Future[bool] = self._loop.create_future()
        self.loaded: frozenset[str] = frozenset()
        """Top-level names that every fork has already imported."""
        self._data = b""
        self._forked: asyncio.Future[int] | None = None
        self._children: dict[int, asyncio.Future[int]] = {}
        self._control.sendall(json.dumps([*modules]).encode() + b"\n")
        self._control.setblocking(False)
        self._loop.add_reader(self._control, self._read)

    async def fork(self) -> Process:
        """A process that has all that is loaded and waits for its job; ``OSError`` if it fails."""
        ours, theirs = _pipes()
        try:
            socket.send_fds(self._control, [b"f"], theirs)
            self._forked = self._loop.create_future()
            async with asyncio.timeout(_FORK_WITHIN):
                pid = await self._forked
        except BaseException:
            for fd in ours:
                os.close(fd)
            raise
        finally:
            for fd in theirs:
                os.close(fd)
        stdin, stdout, stderr = ours
        return Process(
            pid,
            os.fdopen(stdin, "wb", 0),
            os.fdopen(stdout, "rb", 0),
            os.fdopen(stderr, "rb", 0),
            self._children[pid],
        )

    def retire(self) -> None:
        """No more forks; it ends when the last one has."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)

    async def close(self) -> None:
        """End it now. Its forks have been stopped by whoever had them."""
        self.retire()
        await asyncio.wait({self.exited}, timeout=_CLOSE_WITHIN if self.fit.done() else 0)
        if not self.exited.done():
            self._popen.kill()
            await self.exited
        self._lost()

    def _read(self) -> None:
        try:
            data = self._control.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        *lines, self._data = (self._data + data).split(b"\n")
        for line in lines:
            self._heard(json.loads(line))

    def _heard(self, facts: dict[str, Any]) -> None:
        if "threads" in facts:
            self.loaded = frozenset(facts["loaded"])
            _settle(self.fit, facts["threads"] == 1)
        elif "forked" in facts:
            self._children[facts["forked"]] = self._loop.create_future()
            if self._forked is not None:
                _settle(self._forked, facts["forked"])
        elif "exited" in facts:
            _settle(self._children.pop(facts["exited"]), facts["code"])

    def _lost(self) -> None:
        """It has ended: what it made can no longer be watched, and does not go on."""
        if self._control.fileno() >= 0:
            self._loop.remove_reader(self._control)
            self._control.close()
        _settle(self.fit, False)
        if self._forked is not None and not self._forked.done():
            self._forked.set_exception(ConnectionResetError("the zygote has ended"))
        for pid, exited in self._children.items():
            with contextlib.suppress(OSError):
                os.killpg(pid, 9)
            _settle(exited, -9)
        self._children.clear()


class WarmStart:
    """A zygote for the next start, as long as what it has loaded is what is installed.

    Only on Linux; elsewhere, and whenever anything about it fails, there is none.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._possible = sys.platform == "linux"
        self._zygote: Zygote | None = None
        self._retired: list[Zygote] = []
        self._modules: list[str] = []
        self._stamp: object = None
        self._places: list[str] = []

    async def process(self, environment: Mapping[str, str]) -> Process | None:
        """A fork that waits for its job, ``None`` when there is no fit zygote just now."""
        zygote = self._zygote
        if zygote is None or not zygote.fit.done():
            return None
        if self._stamp != self._stamp_now(environment):
            self.drop()
            return None
        if not zygote.fit.result() or self._own_names() & zygote.loaded:
            return None
        try:
            return await zygote.fork()
        except (OSError, TimeoutError):
            self.drop()
            return None

    def learn(self, environment: Mapping[str, str], warm: Mapping[str, Any]) -> None:
        """From a generation that got ready: what its code imports, and whether that is safe."""
        if not self._possible:
            return
        if not warm["safe"]:
            self._possible = False
            self.drop()
            return
        known = set(self._modules)
        new = [name for name in warm["names"] if name not in known]
        unfit = self._unfit()
        if self._zygote is not None and not new and not unfit:
            return
        if unfit and self._modules == [*_SDK_ONLY]:
            self._possible = False  # even the SDK alone makes threads here
            self.drop()
            return
        self._modules = [*_SDK_ONLY] if unfit else self._modules + new
        self._places = sorted({*self._places, *warm["places"]})
        self.drop()
        self._stamp = self._stamp_now(environment)
        with contextlib.suppress(OSError):
            self._zygote = Zygote(
                self._project.interpreter, environment, self._project.directory, self._modules
            )

    def drop(self) -> None:
        """Make no more use of the zygote there is."""
        if self._zygote is not None:
            self._zygote.retire()
            self._retired = [z for z in self._retired if not z.exited.done()] + [self._zygote]
            self._zygote = None

    async def close(self) -> None:
        self.drop()
        await asyncio.gather(*(zygote.close() for zygote in self._retired))

    def _own_names(self) -> set[str]:
        """Modules of the project's own; one that is loaded from elsewhere would hide it."""
        try:
            return {path.stem for path in self._project.directory.iterdir()}
        except OSError:
            return set()

    def _unfit(self) -> bool:
        zygote = self._zygote
        return zygote is not None and zygote.fit.done() and not zygote.fit.result()

    def _stamp_now(self, environment: Mapping[str, str]) -> object:
        """Changes when the environment or what is installed does."""
        files = [str(self._project.directory / "requirements.txt"), *self._places]
        return dict(environment), [_mtime(file) for file in files]


def _mtime(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _pipes() -> tuple[list[int], list[int]]:
    """Our ends and theirs of stdin, stdout and stderr."""
    stdin_read, stdin_write = os.pipe()
    stdout_read, stdout_write = os.pipe()
    stderr_read, stderr_write = os.pipe()
    return [stdin_write, stdout_read, stderr_read], [stdin_read, stdout_write, stderr_write]


def _settle(future: "asyncio.Future[Any]", value: object) -> None:
    if not future.done():
        future.set_result(value)
