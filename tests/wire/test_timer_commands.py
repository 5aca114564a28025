"""``lean-emu tasks``, ``queue`` and ``clock`` as a person runs them, against a real instance."""

import json
from pathlib import Path

import click
import pytest

from lean_emulator.cli.clock import seconds_of
from tests.wire.test_command_line import ask, up

pytestmark = pytest.mark.timeout(60)


def test_a_task_from_making_it_to_its_records(tmp_path: Path) -> None:
    project = tmp_path / "a project é"
    project.mkdir()
    where = ("-C", str(project))
    with up(project, "--task-record-seconds", "100000"):
        empty = ask("tasks", *where)
        assert (empty.returncode, empty.stdout) == (0, "")
        assert "lean-emu tasks add" in empty.stderr
        made = ask("tasks", "add", "nightly", "--function", "clean",
                       "--cron", "0 0 3 * * ?", "--params", "{days: 7}", *where)  # fmt: skip
        assert made.returncode == 0, made.stderr
        assert "lean-emu tasks enable nightly" in made.stderr
        assert ask("tasks", "enable", "nightly", *where).returncode == 0
        assert ask("clock", "freeze", *where).returncode == 0
        moved = ask("clock", "advance", "1d", "--json", *where)
        assert json.loads(moved.stdout)["instants"] == 1
        records = json.loads(ask("tasks", "records", "nightly", "--json", *where).stdout)
        (record,) = records["results"]
        assert record["why"] == "due"
        assert record["dueAt"].endswith("T03:00:00.000Z")
        listed = ask("tasks", "list", *where).stdout
        assert "nightly" in listed
        assert "(missing)" in listed
        ran = ask("tasks", "run", "nightly", "--at", "2030-01-01T00:00:00Z", *where)
        assert (ran.returncode, "by hand" in ran.stdout) == (1, True)
        assert ask("tasks", "edit", "nightly", "--every", "60", *where).returncode == 0
        assert json.loads(ask("tasks", "show", "nightly", "--json", *where).stdout)["every"] == 60
        assert ask("tasks", "rm", "nightly", *where).returncode == 0
        assert ask("tasks", "show", "nightly", *where).returncode == 1


def test_clock_and_queue(tmp_path: Path) -> None:
    where = ("-C", str(tmp_path))
    with up(tmp_path):
        assert "nothing is planned" in ask("clock", "now", *where).stdout
        there = ask("clock", "set", "2031-01-01T00:00:00Z", *where).stdout
        assert there.startswith("2031-01-01T00:00:0")
        assert "ahead of the real time" in there
        assert "ahead" not in ask("clock", "resume", *where).stdout
        assert "queue is empty" in ask("queue", "list", *where).stderr
        gone = ask("queue", "rm", "nobody", *where)
        assert (gone.returncode, "nobody" in gone.stderr) == (1, True)


@pytest.mark.parametrize(
    "asked",
    [
        ("tasks", "add"),
        ("tasks", "run", "x", "--every", "5"),
        ("tasks", "show", "x", "--at", "2030-01-01"),
        ("tasks", "list", "x"),
        ("tasks", "add", "x", "--function", "f", "--cron", "* * * * *"),
        ("queue", "rm"),
        ("clock", "advance"),
        ("clock", "freeze", "now"),
        ("clock", "stop"),
    ],
)
def test_wrong_use(asked: tuple[str, ...], tmp_path: Path) -> None:
    assert ask(*asked, "-C", str(tmp_path)).returncode == 2


def test_without_an_instance(tmp_path: Path) -> None:
    for asked in (("tasks",), ("queue",), ("clock", "now")):
        refused = ask(*asked, "-C", str(tmp_path))
        assert refused.returncode == 1
        assert "lean-emu up" in refused.stderr


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1d", 86_400), ("1d12h", 129_600), ("90s", 90), ("1.5h", 5_400), ("250ms", 0.25), ("7", 7)],
)
def test_spans_of_time(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1x", "nan", "inf"])
def test_no_spans_of_time(text: str) -> None:
    with pytest.raises(click.BadParameter):
        seconds_of(text)
