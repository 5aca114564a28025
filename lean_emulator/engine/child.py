"""One OS process that runs the user's code, in a session of its own; one owner ends it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lean_emulator.engine.failure import ending
from lean_emulator.engine.output import OutputLine, OutputParser, Report

GRACE = 2.0
"""Seconds between the polite signal and the one that cannot be refused."""

_POSIX = os.name == "posix"


@dataclass(frozen=True, slots=True)
class Process:
    """A process that leads its session, our ends of its pipes, and its exit code in time.

    A negative code is the signal that ended it.
    """

    pid: int
    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]
    exited: asyncio.Future[int]


def spawn(argv: Sequence[str], environment: Mapping[str, str], directory: Path) -> Process:
    """Start a program; ``OSError`` when it cannot be run at all. Needs a running loop."""
    popen = subprocess.Popen(  # noqa: S603 - running the user's command is the purpose
        [*argv],
        env={**environment},
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    assert popen.stdin is not None
    assert popen.stdout is not None
    assert popen.stderr is not None
    return Process(popen.pid, popen.stdin, popen.stdout, popen.stderr, exit_of(popen))


def exit_of(popen: "subprocess.Popen[bytes]") -> asyncio.Future[int]:
    """The exit code of a process of ours, waited for in a thread: that works in every loop."""
    loop = asyncio.get_running_loop()
    exited: asyncio.Future[int] = loop.create_future()

    def done(code: int) -> None:
        if not exited.done():
            exited.set_result(code)

    def wait() -> None:
        code = popen.wait()
        with contextlib.suppress(RuntimeError):  # the loop was closed without stopping us
            loop.call_soon_threadsafe(done, code)

    threading.Thread(target=wait, name=f"wait-{popen.pid}", daemon=True).start()
    return exited


def kill_group(process: Process, number: "signal.Signals | None" = None) -> None:
    """Signal a process and all it has started; without ``number`` the one nobody can refuse."""
    if number is None:
        number = signal.SIGKILL if _POSIX else signal.SIGTERM
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if not _POSIX:
            os.kill(process.pid, number)
            return
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            if not process.exited.done():  # a fork that does not lead its group yet
                os.kill(process.pid, number)


class Child:
    """A running process with its output. Whoever makes it must ``stop`` it."""

    def __init__(
        self,
        process: Process,
        on_line: Callable[[OutputLine], None],
        *,
        first_line: bytes = b"",
        secret: str = "",
    ) -> None:
        """``first_line`` goes to its stdin, ``secret`` marks its frames."""
        self._loop = asyncio.get_running_loop()
        self._on_line = on_line
        self._process = process
        self.pid = process.pid
        self.exited = process.exited
        self._report: asyncio.Future[Report | None] = self._loop.create_future()
        self._stopping: asyncio.Task[None] | None = None
        self.stopped = False
        """Was its end asked for?"""
        self.on_report: Callable[[Report], None] | None = None
        """Told of every report from when it is set on."""
        self._write(first_line)
        self._pipes = [
            _Pipe(self._loop, process.stdout, OutputParser("stdout", secret), self._take),
            _Pipe(self._loop, process.stderr, OutputParser("stderr"), self._take),
        ]
        self._ending = self._loop.create_task(self._end())

    async def report(self) -> Report | None:
        """Its first words about itself; ``None`` when it ended without any."""
        return await asyncio.shield(self._report)

    def ending(self) -> str:
        """How it ended, in words; only once it has."""
        return ending(self.exited.result())

    async def last_words(self) -> None:
        """Wait until it has ended and what it wrote has been read."""
        await asyncio.shield(self._ending)

    async def stop(self) -> None:
        """Ask it to end, make it end after ``GRACE`` seconds; its whole group goes with it."""
        if self._stopping is None:
            self._stopping = self._loop.create_task(self._stop())
        await asyncio.shield(self._stopping)

    def kill(self) -> None:
        """End it and its group now, without waiting."""
        self.stopped = True
        kill_group(self._process)

    async def _stop(self) -> None:
        self.stopped = True
        if not self.exited.done():
            self._write(b"bye\n")
            self._process.stdin.close()
            kill_group(self._process, signal.SIGTERM)
            await asyncio.wait({self.exited}, timeout=GRACE)
        # Also when it has ended by itself: what it started may still be there.
        kill_group(self._process)
        await self._ending

    async def _end(self) -> None:
        await asyncio.shield(self.exited)
        # A grandchild may hold the pipes for ever; what the child itself wrote is there by now.
        for pipe in self._pipes:
            await pipe.close(within=0.1)
        self._process.stdin.close()
        if not self._report.done():
            self._report.set_result(None)

    def _take(self, item: OutputLine | Report) -> None:
        if isinstance(item, OutputLine):
            self._on_line(item)
            return
        if self.on_report is not None:
            self.on_report(item)
        if not self._report.done():
            self._report.set_result(item)

    def _write(self, data: bytes) -> None:
        if data and not self._process.stdin.closed:
            with contextlib.suppress(OSError):  # it ended in the meantime: ``exited`` tells
                self._process.stdin.write(data)


class _Pipe(asyncio.Protocol):
    """One output pipe, read as it comes."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        file: IO[bytes],
        parser: OutputParser,
        take: Callable[[OutputLine | Report], None],
    ) -> None:
        self._file = file
        self._parser = parser
        self._take = take
        self._ended = loop.create_future()
        self._transport: asyncio.BaseTransport | None = None
        if _POSIX:
            self._opening = loop.create_task(self._open(loop))
        else:  # that loop cannot watch an ordinary pipe
            threading.Thread(target=self._read, args=(loop,), daemon=True).start()

    def data_received(self, data: bytes) -> None:
        for item in self._parser.feed(data):
            self._take(item)

    def connection_lost(self, error: Exception | None) -> None:
        for item in self._parser.close():
            self._take(item)
        if not self._ended.done():
            self._ended.set_result(None)

    async def close(self, within: float) -> None:
        """Wait for the end of the pipe, at most ``within`` seconds, and let go of it."""
        await asyncio.wait({self._ended}, timeout=within)
        if self._transport is not None:
            self._transport.close()
            await asyncio.wait({self._ended}, timeout=within)

    async def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, _ = await loop.connect_read_pipe(lambda: self, self._file)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        call: Any = loop.call_soon_threadsafe
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            while data := self._file.read(1 << 16):
                call(self.data_received, data)
        with contextlib.suppress(RuntimeError):
            call(self.connection_lost, None)
