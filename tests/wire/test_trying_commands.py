"""Dry runs, replays and exported traces from the command line, in processes, without user code."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.wire.test_command_line import ask, up

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a project, 项目"
    folder.mkdir()
    return folder


def asked(project: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return ask(*words, "--project", str(project))


def saved(project: Path, class_name: str, *more: str) -> str:
    """The id of a new object."""
    done = asked(project, "save", class_name, *more)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["objectId"])


# dry runs


def test_dry_runs_store_nothing(project: Path) -> None:
    with up(project):
        post = saved(project, "Post", "--set", "n=1")
        for words in (("save", "Post"), ("update", "Post", post)):
            done = asked(project, *words, "--set", "n=2", "--dry-run")
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["n"] == 2
            assert "nothing of this is stored" in done.stderr
        gone = asked(project, "delete", "Post", post, "--dry-run", "--json")
        assert [w["change"] for w in json.loads(gone.stdout)["writes"]] == ["deleted"]
        found = asked(project, "cql", "--eval", "select * from Post", "--json")
        assert [row["n"] for row in json.loads(found.stdout)["results"]] == [1]


def test_an_unknown_user_is_wrong_use(project: Path) -> None:
    with up(project):
        done = asked(project, "save", "Post", "--set", "n=1", "--dry-run", "--user", "nobody")
        assert done.returncode == 2
        assert "there is no user 'nobody'" in done.stderr


# replays


def test_a_trace_is_replayed_and_compared(project: Path) -> None:
    with up(project):
        saved(project, "Post", "--set", "n=1", "--set", "tags=[1, 2]")
        same = asked(project, "replay", "--last")
        assert same.returncode == 0, same.stderr
        assert "  POST /1.1/classes/Post  ok 201" in same.stdout
        assert "The same in every step." in same.stderr
        other = asked(project, "replay", "--last", "--set", "n=5", "--set", "tags.1=x")
        assert "~ body.n: 1 → 5" in other.stdout
        assert '~ after.tags.1: 2 → "x"' in other.stdout
        assert "steps differ" in other.stderr
        found = asked(project, "cql", "--eval", "select * from Post", "--json")
        assert [row["n"] for row in json.loads(found.stdout)["results"]] == [1, 1, 5]


def test_a_dry_replay_as_json(project: Path) -> None:
    with up(project):
        saved(project, "Post", "--set", "n=1")
        done = asked(project, "replay", "--last", "--dry-run", "--json")
        told = json.loads(done.stdout)
        assert (told["status"], told["diff"]["same"], len(told["writes"])) == (201, True, 1)
        assert "nothing of this is stored" in done.stderr


def test_replays_that_cannot_be(project: Path) -> None:
    with up(project):
        assert asked(project, "replay").returncode == 2
        none = asked(project, "replay", "--last")
        assert (none.returncode, "there is no trace" in none.stderr) == (1, True)
        unknown = asked(project, "replay", "t-ffff")
        assert (unknown.returncode, "no trace 't-ffff'" in unknown.stderr) == (1, True)
        post = saved(project, "Post", "--set", "n=1")
        asked(project, "delete", "Post", post)
        edited = asked(project, "replay", "--last", "--set", "n=1")
        assert (edited.returncode, "no body" in edited.stderr) == (1, True)
    gone = asked(project, "replay", "t-1")
    assert (gone.returncode, "lean-emu up" in gone.stderr) == (1, True)


# exported traces


def test_a_trace_becomes_a_file(project: Path) -> None:
    page = project / "trace 1.html"
    with up(project):
        saved(project, "Post", "--set", "title=<b>&")
        done = asked(project, "trace", "--last", "--html", str(page))
        assert done.returncode == 0, done.stderr
        assert (done.stdout, str(page) in done.stderr) == ("", True)
        text = page.read_text(encoding="utf-8")
        assert text.startswith("<!doctype html>")
        assert "&lt;b&gt;&amp;" in text
        assert "/static/" not in text
        shown = asked(project, "trace", "--last", "--html", "-")
        assert shown.stdout.startswith("<!doctype html>")


def test_a_page_that_cannot_be_written_is_named(project: Path) -> None:
    with up(project):
        saved(project, "Post", "--set", "n=1")
        done = asked(project, "trace", "--last", "--html", str(project / "no" / "page.html"))
        assert done.returncode == 1
        assert "page.html cannot be written: No such file" in done.stderr
        both = asked(project, "trace", "--last", "--json", "--html", "x.html")
        assert both.returncode == 2


def test_chinese_terminals_get_chinese_pages(project: Path) -> None:
    with up(project):
        saved(project, "Post", "--set", "n=1")
        done = ask("trace", "--last", "--html", "-", "--project", str(project), LEAN_EMU_LANG="zh")
        assert '<html lang="zh-CN"' in done.stdout
