"""Edits, broken edits, deaths: what the next call meets."""

import asyncio
import os
import shutil
import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest

from lean_emulator.base import errors
from tests.engine.harness import HEAD, Code, alive, function, in_loop, running, wait_until


def answering(value: object) -> str:
    return HEAD + function("hello", f"return {value!r}")


@in_loop
async def test_every_next_call_after_an_edit_meets_the_new_code(
    python: str, tmp_path: Path
) -> None:
    async with running(tmp_path, python, answering(0)) as code:
        for number in range(1, 51):
            code.write(answering(number))
            assert await code.run("hello") == number


@in_loop
async def test_an_edit_of_a_module_beside_it_counts_at_once(python: str, tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "prices.py").write_text("PRICE = 0\n")
    source = HEAD + "from shop.prices import PRICE\n" + function("hello", "return PRICE")
    async with running(tmp_path, python, source) as code:
        for price in range(1, 8):  # all in one second, all of one size
            (package / "prices.py").write_text(f"PRICE = {price}\n")
            assert await code.run("hello") == price


@in_loop
async def test_a_module_imported_inside_a_function_is_watched_from_then_on(
    python: str, tmp_path: Path
) -> None:
    (tmp_path / "late.py").write_text("VALUE = 1\n")
    source = HEAD + function("hello", "import late\nreturn late.VALUE")
    async with running(tmp_path, python, source) as code:
        assert await code.run("hello") == 1
        await wait_until(lambda: str(tmp_path / "late.py") in code.runtime._files, "it is known")
        (tmp_path / "late.py").write_text("VALUE = 2\n")
        assert await code.run("hello") == 2


@in_loop
async def test_the_log_names_what_came_and_went(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, answering(1) + function("old", "pass")) as code:
        code.write(answering(1) + function("new", "pass"))
        assert await code.run("new") is None
        span = code.log.traces()[0]
        assert span.title == "cloud.py"
        assert span.outcome == "ok"
        assert span.detail["reason"] == "cloud.py changed"
        assert (span.detail["added"], span.detail["removed"]) == (["new"], ["old"])
        assert code.runtime.names == {"hello", "new"}


@in_loop
async def test_one_edit_is_one_reload(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, answering(1)) as code:
        code.write(answering(2))
        assert await code.run("hello") == 2
        # The watcher has seen the same edit by the time it sees this one.
        code.write(answering(3), "unused.py")
        await wait_until(lambda: code.runtime.generation > 2, "the new module is noticed")
        await code.run("hello")
        reasons = [span.detail["reason"] for span in reversed(code.log.traces())]
        assert reasons == ["first start", "cloud.py changed", "unused.py changed"]


@in_loop
async def test_a_call_in_flight_finishes_on_the_old_code(python: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    waiting = HEAD + function("hello", f"open({str(gate)!r}).read()\nreturn 'old'")
    async with running(tmp_path, python, waiting) as code:
        (pid,) = code.pids()
        in_flight = asyncio.create_task(code.run("hello"))
        await wait_until(lambda: code.runtime._current.in_flight == 1, "it is in the code")  # type: ignore[union-attr]
        code.write(answering("new"))
        assert await code.run("hello") == "new"
        assert not in_flight.done()
        assert alive(pid)
        # Opening the other end is what the old code waits for.
        os.close(await asyncio.to_thread(os.open, gate, os.O_WRONLY))
        assert await in_flight == "old"
        await wait_until(lambda: not alive(pid), "the old process ends when its last call is over")


@in_loop
async def test_a_call_does_not_wait_all_its_time_for_slow_new_code(
    python: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with running(tmp_path, python, answering("old")) as code:
        code.write(f"open({str(gate)!r}).read()\n" + answering("new"))
        assert await code.run("hello", seconds=0.4) == "old"
        assert not code.runtime.settled
        os.close(await asyncio.to_thread(os.open, gate, os.O_WRONLY))
        assert await code.run("hello") == "new"


@in_loop
async def test_a_broken_edit_is_told_until_the_next_good_one(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, answering(1)) as code:
        code.write("import nothing_like_this\n")
        with pytest.raises(errors.CodeDidNotLoad) as caught:
            await code.run("hello")
        assert caught.value.message == (
            "cloud.py did not load: ModuleNotFoundError: No module named 'nothing_like_this' "
            "(cloud.py:1)"
        )
        assert code.state == "broken"
        assert code.runtime.ever_ready
        assert code.runtime.names == {"hello"}, "hooks of the last good code are still honoured"
        assert code.runtime.settled, "it does not load what has not changed"
        await wait_until(lambda: code.pids() == [], "the old process ends")
        code.write(answering(2))
        assert await code.run("hello") == 2
        assert code.state == "ready"
        assert code.runtime.failure is None
        outcomes = [span.outcome for span in reversed(code.log.traces())]
        assert outcomes == ["ok", "failed", "ok"]


@in_loop
async def test_a_missing_module_that_appears_heals_it(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, HEAD + "import rules\n") as code:
        assert code.runtime.state == "broken"
        (tmp_path / "rules.py").write_text("")
        await wait_until(lambda: code.runtime.state == "ready", "the watcher noticed")


@in_loop
async def test_old_code_goes_on_where_that_was_asked_for(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, answering(1), keep_last_good=True) as code:
        code.write("oops\n")
        assert await code.run("hello") == 1
        assert code.runtime.state == "broken"
        assert code.runtime.failure is not None
        code.write(answering(2))
        assert await code.run("hello") == 2


@in_loop
async def test_a_file_that_is_emptied_and_then_written_never_breaks(
    python: str, tmp_path: Path
) -> None:
    async with running(tmp_path, python, answering(1)) as code:
        for number in range(2, 6):
            with open(tmp_path / "cloud.py", "w") as file:  # noqa: ASYNC230 - an editor at work
                file.flush()
                call = asyncio.create_task(code.run("hello"))
                await asyncio.sleep(0)
                file.write(answering(number))
            assert await call == number


@in_loop
async def test_a_file_that_is_replaced_never_breaks(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, answering(1)) as code:
        for number in range(2, 6):
            code.write(answering(number), "cloud.py~")
            os.remove(tmp_path / "cloud.py")
            call = asyncio.create_task(code.run("hello"))
            await asyncio.sleep(0)
            os.rename(tmp_path / "cloud.py~", tmp_path / "cloud.py")
            assert await call == number


@in_loop
async def test_without_watching_only_a_reload_by_hand_counts(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, answering(1), watch=False) as code:
        code.write(answering(2))
        assert await code.run("hello") == 1
        await code.runtime.reload("by hand")
        assert await code.run("hello") == 2


@in_loop
async def test_many_calls_while_the_file_changes_all_get_an_answer(
    python: str, tmp_path: Path
) -> None:
    async with running(tmp_path, python, answering(0)) as code:
        answers: list[int] = []
        done = False

        async def caller() -> None:
            while not done:
                answers.append(await code.run("hello"))

        callers = [asyncio.create_task(caller()) for _ in range(8)]
        for number in range(1, 11):
            code.write(answering(number))
            assert await code.run("hello") == number
        done = True
        await asyncio.gather(*callers)
        assert set(answers) <= set(range(11))
        assert answers[-1] == 10


@in_loop
async def test_a_process_that_dies_is_started_again(python: str, tmp_path: Path) -> None:
    source = answering(1) + function(
        "die", "import os, threading\nos.kill(os.getpid(), 9)\nthreading.Event().wait()"
    )
    async with running(tmp_path, python, source) as code:
        with pytest.raises(errors.EngineGone, match="ended by signal SIGKILL before it answered"):
            await code.run("die")
        assert await code.run("hello") == 1
        assert code.log.traces()[0].detail["reason"] == "the process ended by signal SIGKILL"


@in_loop
async def test_a_process_that_keeps_dying_is_started_ever_later(
    python: str, tmp_path: Path
) -> None:
    async with running(tmp_path, python, answering(1)) as code:
        for _ in range(3):
            await wait_until(lambda: code.runtime.state == "ready", "it is up")
            (pid,) = code.pids()
            os.kill(pid, signal.SIGKILL)
            await wait_until(lambda: code.runtime.state == "starting", "its end is noticed")
        spans = code.log.traces()[::-1]
        assert len(spans) == 3
        gaps = [b.began - (a.ended or 0) for a, b in pairwise(spans)]
        assert gaps[1] > 0.1
        code.write(answering(2))  # an edit does not wait for the pause
        assert await code.run("hello", seconds=1) == 2


@in_loop
async def test_a_cleaned_up_temporary_folder_is_made_again(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, answering(1)) as code:
        assert code.runtime._current is not None
        shutil.rmtree(Path(code.runtime._current.address.path or "").parent)
        code.write(answering(2))
        assert await code.run("hello") == 2


@in_loop
async def test_after_the_stop_nothing_is_called_or_left(python: str, tmp_path: Path) -> None:
    code: Code
    async with running(tmp_path, python, answering(1)) as code:
        (pid,) = code.pids()
    assert code.runtime.state == "stopped"
    assert not alive(pid)
    with pytest.raises(errors.EngineGone):
        await code.run("hello")


@in_loop
async def test_installing_what_was_missing_heals_it(python: str, tmp_path: Path) -> None:
    project, packages = tmp_path / "project", tmp_path / "site-packages"
    project.mkdir()
    packages.mkdir()
    source = HEAD + "import late_package\n" + function("answer", "return late_package.ANSWER")
    extra = {"PYTHONPATH": str(packages)}
    async with running(project, python, source, extra_environment=extra) as code:
        assert code.state == "broken"
        (packages / "late_package.py").write_text("ANSWER = 42\n")
        long_ago = time.time() - 5  # an installation that is over
        os.utime(packages, (long_ago, long_ago))
        await wait_until(lambda: code.state == "ready", "it has loaded")
        assert await code.run("answer") == 42
        reasons = [span.detail["reason"] for span in code.log.traces() if span.kind == "reload"]
        assert reasons[0] == "the installed packages changed"
