"""A Python that waits with everything imported, for one start: parent side of ``boot_spare``."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lean_emulator.engine.child import Process, kill_group, spawn

_SCRIPT = Path(__file__).parent / "boot_spare.py"


class Spare:
    """One warm interpreter. ``fit`` is done when it has imported, or has ended."""

    def __init__(
        self,
        interpreter: Path,
        environment: Mapping[str, str],
        directory: Path,
        modules: Sequence[str],
    ) -> None:
        """Raises ``OSError`` when it cannot be run."""
        loop = asyncio.get_running_loop()
        self._process = spawn([str(interpreter), str(_SCRIPT)], environment, directory)
        self.exited = self._process.exited
        self.fit: asyncio.Future[bool] = loop.create_future()
        self.loaded: frozenset[str] = frozenset()
        """Top-level names that it has already imported."""
        self._taken = False
        self.exited.add_done_callback(lambda _: self._ended())
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps([*modules]).encode() + b"\n")
        # A thread, because no loop but that of POSIX can watch an ordinary pipe.
        threading.Thread(target=self._read, args=(loop,), daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def process(self) -> Process:
        """The process itself, which from now on belongs to the caller; ``OSError`` if it ended."""
        if self.exited.done():
            raise ChildProcessError("the spare interpreter has ended")
        self._taken = True
        return self._process

    def retire(self) -> None:
        """End it, unless somebody has taken it."""
        if not self._taken:
            kill_group(self._process)

    async def close(self) -> None:
        """The same, and wait for the end."""
        self.retire()
        if not self._taken:
            await self.exited

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """Its one line, byte by byte: what follows belongs to whoever takes it."""
        line = b""
        with contextlib.suppress(OSError, ValueError):
            while not line.endswith(b"\n") and (data := self._process.stdout.read(1)):
                line += data
        found: Any = json.loads(line) if line.endswith(b"\n") else None
        with contextlib.suppress(RuntimeError):  # the loop was closed without stopping us
            loop.call_soon_threadsafe(self._settle, found)

    def _ended(self) -> None:
        self._settle(None)
        if not self._taken:
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                pipe.close()

    def _settle(self, loaded: Sequence[str] | None) -> None:
        if not self.fit.done():
            self.loaded = frozenset(loaded or ())
            self.fit.set_result(loaded is not None)
