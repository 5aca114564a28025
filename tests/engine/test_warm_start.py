"""Reloads from a process that is warm: when they are, when they must not be, what they leave."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from lean_emulator.base import errors
from lean_emulator.engine.launch import PythonLauncher
from lean_emulator.engine.spare import Spare
from lean_emulator.engine.warm_start import Warm
from lean_emulator.engine.zygote import Zygote
from tests.engine.harness import HEAD, Code, alive, function, in_loop, running, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm starts are Linux only")

DIE = "import os, threading\nos.kill(os.getpid(), 11)\nthreading.Event().wait()"
PARENT = function("parent", "import os\nreturn os.getppid()")


def ready(code: Code) -> Warm | None:
    assert isinstance(code.runtime._launcher, PythonLauncher)
    return code.runtime._launcher._warm._ready


def zygote(code: Code) -> Zygote | None:
    found = ready(code)
    assert found is None or isinstance(found, Zygote)
    return found


async def warm(code: Code) -> Zygote:
    """The zygote, once it can fork."""

    def fit() -> bool:
        now = zygote(code)
        return now is not None and now.fit.done() and now.fit.result()

    await wait_until(fit, "there is a fit zygote")
    found = zygote(code)
    assert found is not None
    return found


async def reloaded(code: Code, source: str) -> int:
    """The parent process of the code after an edit."""
    code.write(f"{source}# {time.monotonic_ns()}\n")
    return int(await code.run("parent"))


@in_loop
async def test_an_edit_is_served_by_a_fork(python: str, tmp_path: Path) -> None:
    source = HEAD + "import html.parser\n" + PARENT
    async with running(tmp_path, python, source) as code:
        assert await code.run("parent") == os.getpid()
        pid = (await warm(code))._popen.pid
        for _ in range(3):
            assert await reloaded(code, source) == pid
        assert code.runtime.generation == 4


@in_loop
async def test_a_fork_that_dies_is_told_by_its_signal_and_replaced(
    python: str, tmp_path: Path
) -> None:
    source = HEAD + PARENT + function("die", DIE)
    async with running(tmp_path, python, source) as code:
        pid = (await warm(code))._popen.pid
        assert await reloaded(code, source) == pid
        with pytest.raises(errors.EngineGone, match="by signal SIGSEGV"):
            await code.run("die")
        assert await code.run("parent") == pid


@in_loop
async def test_a_broken_edit_in_a_fork_says_the_same(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, HEAD + PARENT) as code:
        pid = (await warm(code))._popen.pid
        code.write("import nothing_here\n")
        with pytest.raises(errors.CodeDidNotLoad, match=r"nothing_here' \(cloud\.py:1\)"):
            await code.run("parent")
        assert code.runtime.generation == 2, "it was not tried again from cold"
        assert await reloaded(code, HEAD + PARENT) == pid


@in_loop
async def test_what_new_code_imports_is_warm_the_time_after(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, HEAD + PARENT) as code:
        first = await warm(code)
        source = HEAD + "import wave, pydoc_data.topics\n" + PARENT
        assert await reloaded(code, source) == first._popen.pid
        second = await warm(code)
        assert second is not first
        assert "wave" in second.loaded
        assert await reloaded(code, source) == second._popen.pid
        await wait_until(first.exited.done, "the old one ends with its last fork")


@in_loop
async def test_what_is_installed_and_dotenv_make_a_cold_start(python: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("leancloud\n")
    async with running(tmp_path, python, HEAD + PARENT) as code:
        first = await warm(code)
        (tmp_path / "requirements.txt").write_text("leancloud\nflask\n")
        assert await reloaded(code, HEAD + PARENT) == os.getpid()
        await wait_until(first.exited.done, "the old zygote ends")
        await warm(code)
        (tmp_path / ".env").write_text("A=1\n")
        assert await code.run("parent") == os.getpid()


@in_loop
async def test_code_that_prepares_its_environment_always_starts_cold(
    python: str, tmp_path: Path
) -> None:
    source = "import os\nos.environ['A'] = '1'\n" + HEAD + PARENT
    async with running(tmp_path, python, source) as code:
        assert await reloaded(code, source) == os.getpid()
        assert zygote(code) is None


@in_loop
async def test_a_module_named_like_a_loaded_one_is_not_hidden_by_it(
    python: str, tmp_path: Path
) -> None:
    async with running(tmp_path, python, HEAD + PARENT) as code:
        await warm(code)
        (tmp_path / "iso8601.py").write_text("WHOSE = 'ours'\n")
        source = "import sys\nbefore = 'iso8601' in sys.modules\n" + HEAD + PARENT
        source += function("warm", "return before")
        assert await reloaded(code, source) == os.getpid()
        assert await code.run("warm") is False


@in_loop
async def test_modules_that_make_threads_are_left_to_the_fork(python: str, tmp_path: Path) -> None:
    elsewhere, project = tmp_path / "elsewhere", tmp_path / "project"
    elsewhere.mkdir()
    project.mkdir()
    (elsewhere / "busy_at_import.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    source = HEAD + "import busy_at_import\n" + PARENT
    extra = {"PYTHONPATH": str(elsewhere)}
    async with running(project, python, source, extra_environment=extra) as code:
        first = zygote(code)
        assert first is not None
        await wait_until(first.fit.done, "the zygote has imported it")
        assert not first.fit.result()
        assert await reloaded(code, source) == os.getpid()
        second = await warm(code)
        assert "busy_at_import" not in second.loaded
        assert await reloaded(code, source) == second._popen.pid


@in_loop
async def test_a_dead_zygote_takes_its_fork_along_and_cold_starts_go_on(
    python: str, tmp_path: Path
) -> None:
    async with running(tmp_path, python, HEAD + PARENT) as code:
        first = await warm(code)
        await reloaded(code, HEAD + PARENT)
        fork = code.pid()
        os.kill(first._popen.pid, signal.SIGKILL)
        await wait_until(lambda: not alive(fork), "its fork ends")
        assert await code.run("parent") == os.getpid()
        await warm(code)


@in_loop
async def test_the_end_leaves_no_zygote(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, HEAD + PARENT) as code:
        pid = (await warm(code))._popen.pid
        await reloaded(code, HEAD + PARENT)
    assert not alive(pid)


# ------------------------------------------------------------------------------ without any fork


async def spare(code: Code) -> Spare:
    """The spare interpreter, once it has imported."""

    def fit() -> bool:
        now = ready(code)
        return now is not None and now.fit.done() and now.fit.result()

    await wait_until(fit, "there is a spare interpreter")
    found = ready(code)
    assert isinstance(found, Spare)
    return found


PID = function("pid", "import os\nreturn os.getpid()")


async def pid_after(code: Code, source: str) -> int:
    code.write(f"{source}# {time.monotonic_ns()}\n")
    return int(await code.run("pid"))


@in_loop
async def test_an_edit_is_served_by_the_spare_and_another_waits(
    python: str, tmp_path: Path
) -> None:
    source = HEAD + "import sys\nwas = 'mailbox' in sys.modules\nimport mailbox\n" + PID
    source += function("warm", "return was")
    async with running(tmp_path, python, source, forks=False) as code:
        assert await code.run("warm") is False
        for _ in range(3):
            waiting = await spare(code)
            assert await pid_after(code, source) == waiting.pid
            assert await code.run("warm") is True
        assert code.runtime.generation == 4


@in_loop
async def test_a_broken_edit_in_the_spare_leaves_one_for_the_next(
    python: str, tmp_path: Path
) -> None:
    async with running(tmp_path, python, HEAD + PID, forks=False) as code:
        await spare(code)
        code.write(HEAD + "raise KeyError('broken')\n")
        with pytest.raises(errors.CodeDidNotLoad, match="broken"):
            await code.run("pid")
        waiting = await spare(code)
        assert await pid_after(code, HEAD + PID) == waiting.pid


@in_loop
async def test_requests_during_edits_without_fork_all_get_an_answer(
    python: str, tmp_path: Path
) -> None:
    async with running(tmp_path, python, HEAD + PID, forks=False) as code:
        seen: set[int] = set()
        for _ in range(4):
            code.write(f"{HEAD}{PID}# {time.monotonic_ns()}\n")
            seen.update(await asyncio.gather(*(code.run("pid") for _ in range(10))))
        assert len(seen) == 4


@in_loop
async def test_what_is_printed_while_the_spare_waits_is_not_shown(
    python: str, tmp_path: Path
) -> None:
    elsewhere, project = tmp_path / "elsewhere", tmp_path / "project"
    elsewhere.mkdir()
    project.mkdir()
    (elsewhere / "loud_at_import.py").write_text("print('loud')\n")
    source = HEAD + "import loud_at_import\n" + PID
    extra = {"PYTHONPATH": str(elsewhere)}
    async with running(project, python, source, forks=False, extra_environment=extra) as code:
        waiting = await spare(code)
        assert await pid_after(code, source) == waiting.pid
        assert [line.text for line in code.lines] == ["loud"]  # the first, cold start's


@in_loop
async def test_dotenv_and_the_end_leave_no_spare(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, HEAD + PID, forks=False) as code:
        first = await spare(code)
        (tmp_path / ".env").write_text("A=1\n")
        assert await pid_after(code, HEAD + PID) != first.pid
        await wait_until(first.exited.done, "the old spare ends")
        second = await spare(code)
        assert second.pid != first.pid
    assert not alive(second.pid)
