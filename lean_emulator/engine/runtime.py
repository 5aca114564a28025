"""The user's code as one thing that is called, whatever process is behind it just now.

A *generation* is one process with one state of the code. An edit makes the next one; the old one
finishes the calls that are in it. Nothing here knows what a hook or a function means.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from watchfiles import Change

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import Hint
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.engine import watcher
from lean_emulator.engine.attached import AttachLauncher
from lean_emulator.engine.client import EngineClient
from lean_emulator.engine.ends import Ends
from lean_emulator.engine.failure import LoadFailure
from lean_emulator.engine.generation import Generation
from lean_emulator.engine.http1 import EngineAnswer
from lean_emulator.engine.inquiry import ask
from lean_emulator.engine.launch import CommandLauncher, Launcher, NotLoaded, PythonLauncher
from lean_emulator.engine.ledger import Ledger
from lean_emulator.engine.output import OutputLine
from lean_emulator.engine.project import Project
from lean_emulator.engine.source_files import SourceFiles

State = Literal["starting", "ready", "broken", "stopped", "none"]
Environment = Mapping[str, str] | Callable[[], Mapping[str, str]]

HOLD = 5.0
"""Seconds a call waits for new code while old code could serve it, at most half of its time."""

_HALF_WRITTEN = 0.1
_FAREWELL = 1.0


class Runtime:
    """Starts, calls, reloads and stops the user's code.

    ``state`` is ``starting`` until code has loaded (again, after a crash), ``ready``, ``broken``
    when the last edit did not load, ``stopped``, or ``none`` for a project without code.
    """

    def __init__(
        self,
        project: Project,
        environment: Environment,
        *,
        clock: Clock,
        log: EventLog,
        on_line: Callable[[OutputLine], None] | None = None,
        watch: bool = True,
        keep_last_good: bool = False,
        start_limit: float = 30.0,
        tcp: bool = False,
        forks: bool | None = None,
        debugger: int | None = None,
    ) -> None:
        """``environment`` is the child's whole environment; a function is asked before each start,
        so that an edited ``.env`` counts. ``on_line`` hears every line of output. ``start_limit``
        is the seconds loading may take, or more if the project asks for more. ``tcp`` does without
        unix sockets, ``forks`` decides whether reloads fork (``None``: where that is safe).
        ``debugger`` is a port on which debugpy listens in the code's process; there is only ever
        one process then.
        """
        self.project = project
        self.client = EngineClient()
        self.ledger = Ledger(log)
        self.state: State = "none" if project.kind == "none" else "starting"
        self.names: frozenset[str] = frozenset()
        """Metadata names to honour now; while broken, those of the last good generation."""
        self.where: Mapping[str, str] = {}
        """Registered name -> ``cloud.py:16``, where the source is known."""
        self.needs_marks = False
        """Is the code too old for the hook key header (engine.md 3.5)?"""
        self.failure: LoadFailure | None = None
        self.ever_ready = False
        self.loaded_at_ms: int | None = None
        self.load_seconds: float | None = None
        self.generation = 0
        """Number of the last start, counted from 1."""
        self._environment = environment
        self._clock = clock
        self._log = log
        self._on_line = on_line
        self._watch = watch and project.watched
        self._keep_last_good = keep_last_good
        self._start_limit = max(start_limit, project.start_seconds or 0.0)
        self._tcp = tcp
        self._forks = forks
        self._debugger = debugger
        self._launcher: Launcher | None = None
        self._current: Generation | None = None
        self._files = SourceFiles({})
        self._work: asyncio.Task[None] | None = None
        self._due: str | None = None
        self._edited = asyncio.Event()
        self._ends = Ends()
        self._background: set[asyncio.Task[None]] = set()
        self._living: set[Generation] = set()

    # ------------------------------------------------------------------------------ start and stop

    async def start(self) -> None:
        """Load the code and begin to watch it. Code that does not load leaves it ``broken``.

        An attached app is not waited for.
        """
        if self.state == "none":
            return
        self._launcher = self._new_launcher()
        if self._watch:
            self._spawn(self._follow_edits())
        if self.project.kind == "attached":
            self._request("first answer")
        else:
            await self.reload("first start")

    def _new_launcher(self) -> Launcher:
        if self.project.kind == "attached":
            return AttachLauncher(self.project, self.client, self._clock)
        if self.project.kind == "command":
            return CommandLauncher(self.project, self._start_limit, self.client, self._clock)
        return PythonLauncher(
            self.project, self._start_limit, self._tcp, self._forks, self._debugger
        )

    async def stop(self) -> None:
        """End every process; calls that are still in one get ``EngineGone``."""
        if self.state != "none":
            self.state = "stopped"
        tasks = [*self._background, *([self._work] if self._work else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(generation.child.stop() for generation in self._living))
        self._current = None
        self.client.close()
        if self._launcher is not None:
            await self._launcher.close()

    def kill(self) -> None:
        """End every process now, without a word; for a second Ctrl-C."""
        for generation in self._living:
            generation.child.kill()

    async def reload(self, reason: str) -> None:
        """Load the code anew and wait for the outcome."""
        self._request(reason)
        while self._work is not None:
            await asyncio.wait({self._work})

    # ------------------------------------------------------------------------------------- calling

    def of(self, prod: bool) -> "Runtime":
        """Itself: where there is one environment, every call is for it (engine.md 4.10)."""
        return self

    @property
    def settled(self) -> bool:
        """Does the state speak for the files as they are now? Cheap enough for every call."""
        return self._work is None and self._changed() is None

    async def until_settled(self, deadline: Deadline) -> None:
        """Wait while code is starting or reloading, until ``deadline``; where there is old code,
        no longer than ``HOLD``, so that it can still serve in time.
        """
        if self._work is None and (path := self._changed()) is not None:
            self._request(f"{self._shown(path)} changed")
        if self._work is not None:
            seconds = deadline.remaining()
            if self._current is not None:
                seconds = min(HOLD, seconds / 2)
            await asyncio.wait({self._work}, timeout=None if seconds == math.inf else seconds)

    @asynccontextmanager
    async def lease(self, deadline: Deadline) -> AsyncIterator[Generation]:
        """The generation to call now, held alive until the block ends.

        Raises ``CodeDidNotLoad`` when the code is broken, ``EngineGone`` when there is none. An
        ``EngineGone`` of the block's own comes out with the end of the process, if that is why.
        """
        generation = await self._enter(deadline)
        try:
            yield generation
        except errors.EngineGone as error:
            raise await self._named(error, generation) from error
        finally:
            generation.leave()

    async def call(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        deadline: Deadline,
        call_id: str | None = None,
    ) -> EngineAnswer:
        """One request to the user's code; errors of ``lease`` and ``EngineClient.request``.

        When it returns, what the code printed on the way has reached the span of ``call_id``.
        """
        generation = await self._enter(deadline)
        try:
            answer = await self.client.request(
                generation, method, target, headers, body, deadline=deadline, call_id=call_id
            )
        except errors.EngineGone as error:
            raise await self._named(error, generation) from error
        finally:
            generation.leave()
        if answer.lines and call_id is not None:
            await self.ledger.all_printed(call_id, answer.lines)
        return answer

    async def _enter(self, deadline: Deadline) -> Generation:
        if not self.settled:
            await self.until_settled(deadline)
        generation = self._current
        if generation is None:
            raise self._nothing_to_call()
        generation.enter(deadline)
        return generation

    def _nothing_to_call(self) -> errors.ApiError:
        if self.failure is not None:
            return self.failure.error()
        if self.state == "starting":
            return errors.UNAVAILABLE(f"{self.project.title} is still starting.")
        if self.state == "none":
            return errors.ENGINE_GONE(
                hint=Hint(en="it runs without cloud code", zh="当前没有加载云代码")
            )
        return errors.ENGINE_GONE("The cloud code has been stopped.")

    async def _named(self, error: errors.EngineGone, generation: Generation) -> errors.ApiError:
        """The same error, with the process's end if that is the cause."""
        if not await generation.gone(within=0.1):
            return error
        ending = generation.child.ending()
        return errors.ENGINE_GONE(
            f"The process of the cloud code ended {ending} before it answered.", hint=error.hint
        )

    # ----------------------------------------------------------------------------------- reloading

    def _changed(self) -> str | None:
        return self._files.changed() if self._watch else None

    def _request(self, reason: str) -> None:
        """See to it that the files as they are now get loaded, in their turn."""
        if self.state in ("stopped", "none"):
            return
        self._due = reason
        self._edited.set()
        if self._work is None:
            self._work = asyncio.get_running_loop().create_task(self._load_what_is_due())

    async def _load_what_is_due(self) -> None:
        try:
            while self._due is not None:
                reason, self._due = self._due, None
                self._edited.clear()
                await self._load(reason)
                if self._due is None and (path := self._changed_now()) is not None:
                    self._due = f"{self._shown(path)} changed while it was being loaded"
        finally:
            self._work = None

    async def _load(self, reason: str) -> None:
        assert self._launcher is not None
        self.generation += 1
        number = self.generation
        span = self._log.begin("reload", self.project.title, reason=reason)
        began = time.monotonic()
        if self._debugger is not None and self._current is not None:
            await self._make_room(self._current)
        variables = self._environment() if callable(self._environment) else self._environment
        try:
            generation = await self._launcher.launch(number, variables, self._printed)
            await self._ask(generation, variables, span)
        except NotLoaded as error:
            self._files = error.files
            await self._wait_for_the_rest(error)
            self._break(error.reason, span)
            if self.project.kind == "attached":
                self._due = "it was not ready"
        except BaseException:
            self._log.end(span, "failed")
            raise
        else:
            self.load_seconds = time.monotonic() - began
            self._swap(generation, span)

    async def _ask(self, generation: Generation, variables: Mapping[str, str], span: Span) -> None:
        """Its names, and how it wants its hooks called."""
        deadline = Deadline.after(self._clock, self._start_limit)
        self._living.add(generation)
        try:
            note = await ask(self.client, self.project, generation, variables, deadline)
        except BaseException:
            await self._end(generation)
            raise
        if note is not None:
            span.detail["note"] = note

    async def _wait_for_the_rest(self, error: NotLoaded) -> None:
        """An editor that empties a file before it writes it must not break the code."""
        entry = self.project.entry
        if entry is None or (entry.is_file() and entry.stat().st_size):
            return
        until = time.monotonic() + _HALF_WRITTEN
        while time.monotonic() < until and error.files.changed_now() is None:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.005)

    def _swap(self, generation: Generation, span: Span) -> None:
        """From here on new calls meet the new code."""
        old, self._current = self._current, generation
        span.detail["added"] = sorted(generation.names - self.names)
        span.detail["removed"] = sorted(self.names - generation.names)
        self.names, self.where = generation.names, generation.where
        self.needs_marks = generation.needs_marks
        self._files = generation.files
        self.failure, self.state, self.ever_ready = None, "ready", True
        self.loaded_at_ms = self._clock.now_ms()
        self._log.end(span)
        generation.child.exited.add_done_callback(lambda _: self._ended(generation))
        if old is not None:
            self._spawn(self._drain(old))

    def _break(self, reason: LoadFailure, span: Span) -> None:
        """The code does not load: say so to every call, rather than serve what is gone."""
        self.failure, self.state = reason, "broken"
        if self._current is not None and not self._keep_last_good:
            self._spawn(self._drain(self._current))
            self._current = None
        span.detail["error"] = {
            "message": reason.message,
            "traceback": reason.traceback,
            "file": reason.file,
            "line": reason.line,
            "hint": reason.hint._asdict(),
        }
        self._log.end(span, "failed")

    async def _make_room(self, old: Generation) -> None:
        """Two processes cannot have one debugger's port; a call at a breakpoint is cut off."""
        self._current = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                await old.drained()
        await self._end(old)

    async def _drain(self, generation: Generation) -> None:
        await generation.drained()
        await self._end(generation)

    async def _end(self, generation: Generation) -> None:
        await generation.child.stop()
        self.client.forget(generation)
        generation.remove_socket()
        self._living.discard(generation)

    def _ended(self, generation: Generation) -> None:
        """A process that ends by itself is started again, ever later while it keeps ending."""
        if generation.child.stopped:
            return
        self._spawn(self._end(generation))
        if generation is not self._current:
            return
        self._current = None
        pause = self._ends.pause(time.monotonic() - generation.began)
        if self._work is not None:
            return
        self.state = "starting"
        self._edited.clear()
        self._work = asyncio.get_running_loop().create_task(
            self._restart(f"the process ended {generation.child.ending()}", pause)
        )

    async def _restart(self, reason: str, pause: float) -> None:
        if pause:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._edited.wait()
                    self._ends.forget()
        self._due = reason
        await self._load_what_is_due()

    async def _follow_edits(self) -> None:
        async with contextlib.aclosing(watcher.edits(self.project)) as batches:
            async for batch in batches:
                # While something loads, the comparison at its end finds what is known.
                known = self._changed_now() if self._work is None else None
                new = (str(path) for change, path in sorted(batch) if self._concerns(change, path))
                path = known or next(new, None)
                if path is not None:
                    self._request(f"{self._shown(path)} changed")
                elif self._work is None and self._files.installed.changed():
                    self._request("the installed packages changed")

    def _concerns(self, change: Change, path: Path) -> bool:
        """Can a file that was not loaded matter? A new module may be the one that was missing."""
        if str(path) in self._files:
            return False  # its state has been compared
        return change is Change.added or self.state == "broken" or self.project.kind == "command"

    def _changed_now(self) -> str | None:
        return self._files.changed_now() if self._watch else None

    # -------------------------------------------------------------------------------------- little

    def _printed(self, line: OutputLine) -> None:
        span = self.ledger.printed(line)
        if span is not None:
            line = replace(line, trace=span.root.name, step=span.name)
        if self._on_line is not None:
            with contextlib.suppress(OSError):  # a closed terminal must not stop the reading
                self._on_line(line)

    def _shown(self, path: str) -> str:
        return path.removeprefix(f"{self.project.directory}/")

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
