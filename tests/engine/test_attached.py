"""An app that somebody else starts: waited for, called, and followed over its restarts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from lean_emulator.base import errors
from lean_emulator.base.clock import SystemClock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.trace import EventLog
from lean_emulator.engine import attached
from lean_emulator.engine.attached import address_of, attached_project
from lean_emulator.engine.environment import platform_variables
from lean_emulator.engine.output import OutputLine
from lean_emulator.engine.runtime import Runtime
from lean_emulator.wire.server import listen
from tests.engine.harness import KEYS, in_loop, wait_until


class SomeApp:
    """A LeanEngine app of this test, which it starts and stops."""

    def __init__(self, *names: str, master_key: str = KEYS.master_key) -> None:
        self.names = names
        self.master_key = master_key
        self.paused = False
        self.port = 0
        self._runner: web.ServerRunner | None = None

    async def start(self, port: int = 0) -> None:
        self._runner = web.ServerRunner(web.Server(self._answer), shutdown_timeout=0.1)
        await self._runner.setup()
        listening = listen("127.0.0.1", port)
        self.port = listening.getsockname()[1]
        await web.SockSite(self._runner, listening).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if self.paused:
            await asyncio.Event().wait()
        if request.path.endswith("_ops/metadatas"):
            if request.method == "OPTIONS":
                return web.Response(headers={"Access-Control-Allow-Headers": "X-LC-Hook-Key"})
            if request.headers["X-AVOSCloud-Master-Key"] != self.master_key:
                return web.json_response({"code": 401, "error": "Unauthorized."}, status=401)
            return web.json_response({"result": [*self.names]})
        return web.json_response({"result": {"host": request.headers["Host"]}})


@asynccontextmanager
async def attached_to(app: SomeApp, lines: list[OutputLine]) -> AsyncIterator[Runtime]:
    clock = SystemClock()
    url = f"http://localhost:{app.port}"
    runtime = Runtime(
        attached_project(Path.cwd(), url),
        platform_variables(KEYS, api_server="http://127.0.0.1:9", port=app.port),
        clock=clock,
        log=EventLog(clock),
        on_line=lines.append,
    )
    try:
        await runtime.start()
        yield runtime
    finally:
        await runtime.stop()
        await app.stop()


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached, "LOOK_EVERY", 0.02)


async def call(runtime: Runtime, seconds: float = 5.0) -> int:
    deadline = Deadline.after(SystemClock(), seconds)
    return (await runtime.call("POST", "/1.1/functions/hello", deadline=deadline)).status


@in_loop
async def test_an_app_that_runs_is_taken_as_it_is() -> None:
    app = SomeApp("hello", "__before_save_for_Post")
    await app.start()
    async with attached_to(app, []) as runtime:
        assert await call(runtime) == 200
        assert runtime.names == {"hello", "__before_save_for_Post"}
        assert not runtime.needs_marks
        assert (runtime.state, runtime.project.title) == (
            "ready",
            f"the app at http://localhost:{app.port}",
        )


@in_loop
async def test_an_app_that_comes_later_is_waited_for_by_name() -> None:
    app = SomeApp("hello")
    await app.start()
    await app.stop()
    lines: list[OutputLine] = []
    async with attached_to(app, lines) as runtime:
        assert runtime.state == "starting"
        with pytest.raises(errors.ApiError, match="still starting"):
            await call(runtime, 0.1)
        waiting = asyncio.create_task(call(runtime))
        await app.start(app.port)
        assert await waiting == 200
        assert [line.text for line in lines] == [
            f"lean-emu waits for an app at http://localhost:{app.port}: nothing listens there yet"
        ]


@in_loop
async def test_a_restart_is_noticed_and_its_functions_are_read_again() -> None:
    app = SomeApp("hello")
    await app.start()
    async with attached_to(app, []) as runtime:
        assert await call(runtime) == 200
        port = app.port
        await app.stop()
        await wait_until(lambda: runtime.state == "starting", "it is missed")
        app.names = ("hello", "more")
        await app.start(port)
        assert await call(runtime) == 200
        assert runtime.names == {"hello", "more"}


@in_loop
async def test_functions_that_change_without_a_restart_are_read_again() -> None:
    app = SomeApp("hello")
    await app.start()
    async with attached_to(app, []) as runtime:
        assert await call(runtime) == 200
        app.names = ("other",)
        await wait_until(lambda: runtime.names == {"other"}, "the new name is known")


@in_loop
async def test_an_app_with_other_keys_is_told_so_until_it_has_ours() -> None:
    app = SomeApp("hello", master_key="of production")
    await app.start()
    lines: list[OutputLine] = []
    async with attached_to(app, lines) as runtime:
        await wait_until(lambda: bool(lines), "it has been said")
        assert "refuses the keys" in lines[0].text
        assert "lean-emu env --code" in lines[0].text
        app.master_key = KEYS.master_key
        assert await call(runtime) == 200


@in_loop
async def test_an_app_at_a_breakpoint_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached, "_PATIENCE", 0.1)
    app = SomeApp("hello")
    await app.start()
    async with attached_to(app, []) as runtime:
        assert await call(runtime) == 200
        generation = runtime.generation
        app.paused = True
        with pytest.raises(errors.TimedOut):
            await call(runtime, 0.5)
        app.paused = False
        assert await call(runtime) == 200
        assert runtime.generation == generation


@pytest.mark.parametrize(
    ("url", "shown", "tls"),
    [
        ("http://localhost:3002", "localhost:3002", False),
        ("localhost:3002/", "localhost:3002", False),
        ("https://app.example", "app.example:443", True),
        ("http://[::1]:80", "::1:80", False),
    ],
)
def test_addresses(url: str, shown: str, tls: bool) -> None:
    address = address_of(url)
    assert (str(address), address.tls) == (shown, tls)


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a:port", "http://a/path", ""])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(errors.StartError, match="is not the address"):
        address_of(url)
