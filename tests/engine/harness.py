"""A project folder with a running ``Runtime``, for tests with real child processes."""

import asyncio
import functools
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lean_emulator.base.clock import SystemClock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.engine.environment import AppKeys, child_environment
from lean_emulator.engine.http1 import EngineAnswer
from lean_emulator.engine.launch import PythonLauncher
from lean_emulator.engine.output import OutputLine
from lean_emulator.engine.project import find_project
from lean_emulator.engine.runtime import Runtime

KEYS = AppKeys("engine-tests-app", "app-key-012345", "master-key-0123", "hook-key-012345")
HEADERS = {
    "X-LC-Id": KEYS.app_id,
    "X-LC-Key": KEYS.app_key,
    "X-LC-Hook-Key": KEYS.hook_key,
    "Content-Type": "application/json",
}
HEAD = "from leancloud import Engine, LeanEngineError\nengine = Engine()\n"


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test in a loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


async def wait_until(
    holds: Callable[[], bool | Awaitable[bool]], what: str, within: float = 5.0
) -> None:
    """Poll until it holds; fail naming ``what`` when it does not in time."""
    until = time.monotonic() + within
    while True:
        value = holds()
        if value if isinstance(value, bool) else await value:
            return
        assert time.monotonic() < until, f"not within {within} s: {what}"
        await asyncio.sleep(0.005)


def function(name: str, body: str) -> str:
    """Source of one cloud function."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"\n@engine.define\ndef {name}(**params):\n{lines}\n"


class Code:
    """The folder, its runtime and what came out of it."""

    def __init__(self, folder: Path, python: str, **options: Any) -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.log = EventLog(self.clock)
        self.lines: list[OutputLine] = []
        self.calls = 0
        api_server = options.pop("api_server", "http://127.0.0.1:9")
        extra = options.pop("extra_environment", {})
        python_flag = options.pop("project_python", python)
        project = find_project(folder, cmd=options.pop("cmd", None), python=python_flag)
        self.runtime = Runtime(
            project,
            lambda: {
                **child_environment(project, KEYS, api_server=api_server, port=3000),
                **extra,
            },
            clock=self.clock,
            log=self.log,
            on_line=self.lines.append,
            **options,
        )

    @property
    def state(self) -> str:
        return self.runtime.state

    def write(self, text: str, name: str = "cloud.py") -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def deadline(self, seconds: float = 8.0) -> Deadline:
        return Deadline.after(self.clock, seconds)

    def span(self) -> Span:
        return self.log.begin("function", "a test's call")

    async def raw(
        self,
        method: str,
        target: str,
        headers: Any = (),
        body: bytes = b"",
        *,
        seconds: float = 8.0,
        call_id: str | None = None,
    ) -> EngineAnswer:
        return await self.runtime.call(
            method, target, headers, body, deadline=self.deadline(seconds), call_id=call_id
        )

    async def run(
        self, name: str, *, seconds: float = 8.0, call_id: str | None = None, **params: Any
    ) -> Any:
        """The result of a cloud function."""
        answer = await self.raw(
            "POST",
            f"/1.1/functions/{name}",
            HEADERS,
            json.dumps(params).encode(),
            seconds=seconds,
            call_id=call_id,
        )
        assert answer.status == 200, answer.body
        return json.loads(answer.body)["result"]

    async def traced(self, name: str, **params: Any) -> list[tuple[str, str, str | None]]:
        """Run a function; stream, text and place of each line that reached its span by then."""
        self.calls += 1
        call_id, span = f"call-{self.calls}", self.span()
        self.runtime.ledger.open(call_id, object(), span)
        try:
            await self.run(name, call_id=call_id, **params)
            return [(line.stream, line.text, line.where) for line in span.prints or []]
        finally:
            self.runtime.ledger.close(call_id)

    def pid(self) -> int:
        """The process that serves now."""
        assert self.runtime._current is not None
        return self.runtime._current.child.pid

    def pids(self) -> list[int]:
        return [generation.child.pid for generation in self.runtime._living]


@asynccontextmanager
async def running(
    folder: Path, python: str, source: str | None, **options: Any
) -> AsyncIterator[Code]:
    """A started runtime over ``cloud.py`` with that source (``None``: as the folder is)."""
    if source is not None:
        (folder / "cloud.py").write_text(source, encoding="utf-8")
    code = Code(folder, python, **options)
    try:
        await code.runtime.start()
        yield code
    finally:
        pids = code.pids()
        await code.runtime.stop()
        left = [pid for pid in pids if alive(pid)]
        assert not left, f"children were left: {left}"
        launcher = code.runtime._launcher
        if isinstance(launcher, PythonLauncher) and launcher._sockets is not None:
            assert not launcher._sockets.exists()


def alive(pid: int) -> bool:
    """Is there such a process, and is it no zombie?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z")
