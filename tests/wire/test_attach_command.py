"""``up --attach``, ``env --code`` and ``debug``, in processes of their own."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.engine.test_attached import SomeApp
from tests.wire.test_command_line import PROGRAM, ask, environment

pytestmark = pytest.mark.timeout(30)
KEYS = (
    "--app-id", "engine-tests-app", "--app-key", "app-key-012345",
    "--master-key", "master-key-0123", "--hook-key", "hook-key-012345",
)  # fmt: skip


class Program:
    """A command that stays, and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, text: str) -> str:
        """The first line from here on with that text."""
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode():
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return self.lines[-1]
        raise AssertionError("\n".join(self.lines))


@asynccontextmanager
async def started(*words: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment()
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.terminate()
        assert await process.wait() == 0


@pytest.fixture
def project(tmp_path: Path) -> str:
    return str(tmp_path)


async def test_an_app_of_an_ide_is_awaited_and_served(project: str) -> None:
    app = SomeApp("hello")
    await app.start()
    await app.stop()
    url = f"http://localhost:{app.port}"
    async with started("up", project, "--port", "0", "--attach", url, *KEYS) as program:
        assert url in await program.until("waiting for the app")
        assert f"--code --attach {url}" in await program.until("its variables")
        await program.until("nothing listens there yet")
        await app.start(app.port)
        try:
            assert "+hello" in await program.until("loaded")
            done = await asyncio.to_thread(ask, "invoke", "hello", project)
            assert "host" in done.stdout or done.returncode != 0
        finally:
            await app.stop()


async def test_the_console_alone_for_code_elsewhere(project: str) -> None:
    app = SomeApp("hello", "__before_save_for_Post")
    await app.start()
    url = f"http://127.0.0.1:{app.port}"
    try:
        async with (
            started("debug", project, "--remote", url, "--port", "0", *KEYS) as program,
            aiohttp.ClientSession() as session,
        ):
            console = (await program.until("Console")).split()[-1]
            assert url in await program.until("Code")
            assert "+hello" in await program.until("loaded")
            headers = {"Accept": "application/json"}
            async with session.get(f"{console}/hooks", headers=headers) as answer:
                assert answer.status == 200
                assert "Post" in await answer.text()
        assert not (Path(project) / ".lean-emu" / "run.json").exists()
    finally:
        await app.stop()


def test_the_variables_of_code_that_is_started_elsewhere(project: str) -> None:
    done = ask("env", project, "--code", "--json", "--port", "3100", *KEYS)
    variables = json.loads(done.stdout)
    assert variables["LEANCLOUD_API_SERVER"] == "http://127.0.0.1:3100"
    assert variables["LEANCLOUD_APP_PORT"] == variables["PORT"] == "3002"
    assert variables["LEANCLOUD_APP_HOOK_KEY"] == "hook-key-012345"
    assert variables["LEANCLOUD_APP_ENV"] == "development"
    done = ask("env", project, "--code", "--json", "--attach", "http://localhost:8080", *KEYS)
    assert json.loads(done.stdout)["PORT"] == "8080"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--attach", "ftp://x"], "is not the address of an app"),
        (["--staging", "absent"], "is not a folder"),
        (["--debugpy", "--cmd", f"{sys.executable} -V"], "debugpy is for Python"),
    ],
)
def test_what_cannot_be_started_is_said(project: str, words: list[str], said: str) -> None:
    (Path(project) / "cloud.py").touch()
    done = ask("up", project, "--port", "0", *words)
    assert done.returncode == 5
    assert said in done.stderr
    assert "Traceback" not in done.stderr
