"""``lean-emu cql`` as a process against a running instance."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from select import select

import pytest

from tests.wire.test_command_line import PROGRAM, environment, up

pytestmark = pytest.mark.timeout(30)
ROWS = "(title, n) values ('one', 1), ('two', 2)"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project that is served; every test has a class of its own there."""
    project = tmp_path_factory.mktemp("project")
    with up(project):
        yield project


def cql(project: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, "cql", "-C", str(project), *words],
        capture_output=True, text=True, check=False, env=environment(), input=stdin,
    )  # fmt: skip


def test_statements_from_flags(running: Path) -> None:
    done = cql(running, "--eval", f"insert into Flag{ROWS}", "-e", "select count(*) from Flag")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "count 2"


def test_statements_from_standard_input(running: Path) -> None:
    questions = "select title\nfrom Input\nwhere n = 2;\nselect n from Input limit 1;\n"
    done = cql(running, stdin=f"insert into Input{ROWS};{questions}")
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[1] for row in rows[3:]] == ["title", "two", "n", "1"]
    assert "1 row" in done.stderr


@pytest.mark.parametrize("flags", ["--json", "--format json", "-f json"])
def test_answers_as_json(running: Path, flags: str) -> None:
    name = f"Json{len(flags)}"
    text = f"insert into {name}{ROWS}; select count(*), n from {name} order by -n"
    done = cql(running, "-e", text, *flags.split())
    made, found = map(json.loads, done.stdout.splitlines())
    assert (made["className"], len(made["results"])) == (name, 2)
    assert [row["n"] for row in found["results"]] == [2, 1]
    assert (found["className"], found["count"]) == (name, 2)


def test_the_first_failure_ends_it(running: Path) -> None:
    done = cql(running, "-e", f"select * Left; insert into Left{ROWS}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "line 1, column 10:\nselect * Left\n         ^\nExpected one of:\nfrom" in done.stderr
    assert "(code 300, HTTP 400)" in done.stderr
    left = cql(running, "-e", "select * from Left")
    assert left.returncode == 1
    assert "(code 101, HTTP 404)" in left.stderr


def test_nothing_to_run_is_wrong_use(running: Path) -> None:
    done = cql(running, stdin=" ;\n")
    assert done.returncode == 2
    assert "There is no statement" in done.stderr


def test_nothing_is_running(tmp_path: Path) -> None:
    done = cql(tmp_path, "-e", "select * from Post")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing is running" in done.stderr
    assert f"Start it first: lean-emu up {tmp_path}" in done.stderr


class Terminal:
    """``lean-emu cql``, which believes to be on a terminal."""

    def __init__(self, project: Path) -> None:
        import pty

        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*PROGRAM, "cql", "-C", str(project)],
            stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
            env=environment(TERM="dumb", NO_COLOR="1"),
        )  # fmt: skip
        os.close(theirs)
        self._text = ""

    def types(self, text: str, *, until: str) -> str:
        """Type, and read until something is shown; what came meanwhile."""
        seen = len(self._text)
        os.write(self._ours, text.encode())
        deadline = time.monotonic() + 10
        while until not in self._text[seen:]:
            left = max(0.0, deadline - time.monotonic())
            assert select([self._ours], [], [], left)[0], self._text
            self._text += os.read(self._ours, 4096).decode()
        return self._text[seen:]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_a_prompt_with_completion_and_history(running: Path) -> None:
    pytest.importorskip("readline")
    cql(running, "-e", f"insert into Post{ROWS}")
    terminal = Terminal(running)
    try:
        terminal.types("", until="cql> ")
        shown = terminal.types("sel\ttitle fr\tPo\twhere ti\t= 'two'\n", until="1 row")
        assert "select title from Post where title = 'two'" in shown
        assert any(line.split()[1:2] == ["two"] for line in shown.splitlines())
        terminal.types("select\n", until="HTTP 400")
        terminal.types("exit\n", until="exit")
        assert terminal.process.wait(10) == 0
    finally:
        terminal.close()
    history = (running / ".lean-emu" / "cql_history").read_text()
    assert "select title from Post where title = 'two'\nselect\n" in history
