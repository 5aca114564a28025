"""One loaded state of the user's code: its process, its names, the calls in it."""

import asyncio
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from lean_emulator.base.deadline import Deadline
from lean_emulator.engine.client import Address
from lean_emulator.engine.source_files import SourceFiles


class Living(Protocol):
    """What runs the code: a child of ours, or an app that somebody else has started."""

    @property
    def pid(self) -> int: ...

    @property
    def exited(self) -> asyncio.Future[int]: ...

    @property
    def stopped(self) -> bool:
        """Was its end asked for?"""
        ...

    def ending(self) -> str:
        """How it ended, once it has: ``with exit code 1``."""
        ...

    async def stop(self) -> None: ...

    def kill(self) -> None: ...


class Generation:
    """A process that serves. It ends only when no call is in it."""

    def __init__(
        self,
        number: int,
        child: Living,
        address: Address,
        files: SourceFiles,
        where: Mapping[str, str],
    ) -> None:
        self.number = number
        self.child = child
        self.address = address
        self.files = files
        self.where = where
        self.names: frozenset[str] = frozenset()
        self.needs_marks = False
        self.began = time.monotonic()
        self.in_flight = 0
        self._until = 0.0
        self._idle: asyncio.Event | None = None

    def enter(self, deadline: Deadline) -> None:
        """A call comes in; it is owed its process until ``deadline``."""
        self.in_flight += 1
        self._until = max(self._until, time.monotonic() + deadline.remaining())

    def leave(self) -> None:
        self.in_flight -= 1
        if self._idle is not None and self.in_flight == 0:
            self._idle.set()

    async def gone(self, within: float) -> bool:
        """Has its process ended? Waits for that, at most ``within`` seconds."""
        await asyncio.wait({self.child.exited}, timeout=within)
        return self.child.exited.done()

    def remove_socket(self) -> None:
        """After its end: a process that is stopped leaves the file of its socket behind."""
        if self.address.path is not None:
            Path(self.address.path).unlink(missing_ok=True)

    async def drained(self) -> None:
        """Wait until no call is in it, or the longest deadline among them has passed."""
        if self.in_flight == 0:
            return
        self._idle = asyncio.Event()
        seconds = self._until - time.monotonic()
        try:
            async with asyncio.timeout(None if seconds == math.inf else max(0.0, seconds)):
                await self._idle.wait()
        except TimeoutError:
            return
