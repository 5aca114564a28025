"""Starting the user's Python from one that is warm: parent side of ``boot_zygote``."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lean_emulator.engine.child import Process, exit_of

_SCRIPT = Path(__file__).parent / "boot_zygote.py"
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

    async def process(self) -> Process:
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


def _pipes() -> tuple[list[int], list[int]]:
    """Our ends and theirs of stdin, stdout and stderr."""
    stdin_read, stdin_write = os.pipe()
    stdout_read, stdout_write = os.pipe()
    stderr_read, stderr_write = os.pipe()
    return [stdin_write, stdout_read, stderr_read], [stdin_read, stdout_write, stderr_write]


def _settle(future: "asyncio.Future[Any]", value: object) -> None:
    if not future.done():
        future.set_result(value)
