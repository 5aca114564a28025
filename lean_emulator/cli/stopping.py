"""Ctrl-C and its relatives: the first one asks to stop, the second one does not ask."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Coroutine
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from lean_emulator.cli import exits

T = TypeVar("T")

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


SAME_KEYPRESS = 0.2
"""Seconds in which a second signal is an echo of the first: a shell and a terminal both send it."""


class StopSignals:
    """While it is entered, signals set ``asked`` in place of ending the process."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._first_at: float | None = None
        self._loop = asyncio.get_running_loop()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            before = signal.getsignal(number)
            if before is signal.SIG_IGN and number != signal.SIGINT:
                continue  # started by nohup: hanging up is not meant for us
            self._before[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    async def before(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do the work; ``False``, with the work cancelled, when a signal came first."""
        doing = asyncio.ensure_future(work)
        asked = asyncio.ensure_future(self.asked.wait())
        try:
            await asyncio.wait((doing, asked), return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                doing.result()
                return True
            return False
        finally:
            for task in (doing, asked):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first_at is None:
            self._first_at = now
            self._loop.call_soon_threadsafe(self.asked.set)
        elif now - self._first_at > SAME_KEYPRESS:
            os._exit(exits.INTERRUPTED)  # the child watches for our end and follows


def run(work: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run``, on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.run(work)
    return uvloop.run(work)
