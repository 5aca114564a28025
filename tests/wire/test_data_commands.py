"""``lean-emu snapshot``, ``reset`` and ``data`` as a person runs them."""

import json
import signal
from pathlib import Path

import pytest

from tests.wire.test_command_line import ask, up
from tests.wire.test_durable import DURABLE, send

pytestmark = pytest.mark.timeout(60)


def test_snapshots_and_reset(tmp_path: Path) -> None:
    project = tmp_path / "a project é"
    project.mkdir()
    where = ("-C", str(project))
    with up(project):
        assert "lean-emu snapshot save" in ask("snapshot", "list", *where).stderr
        made = send(project, "POST", "/1.1/classes/Post", {"title": "a"})
        saved = ask("snapshot", "save", "one", *where)
        assert (saved.returncode, saved.stdout) == (0, "one: 1 objects of 1 classes\n")
        send(project, "PUT", f"/1.1/classes/Post/{made['objectId']}", {"title": "b"})
        send(project, "POST", "/1.1/classes/Post", {"title": "c"})
        lines = ask("snapshot", "diff", "one", *where).stdout.splitlines()
        assert [line[:6] for line in lines] == ["+ Post", "~ Post"]
        assert "title: a → b" in lines[1]
        assert ask("snapshot", "load", "one", *where).returncode == 0
        assert "Nothing is different" in ask("snapshot", "diff", "one", *where).stderr
        listed = json.loads(ask("snapshot", "list", "--json", *where).stdout)["results"]
        assert [each["classes"] for each in listed] == [{"Post": 1}]
        refused = ask("reset", *where)
        assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
        assert ask("reset", "--yes", *where).returncode == 0
        assert len(ask("snapshot", "diff", "one", *where).stdout.splitlines()) == 1
        assert ask("snapshot", "rm", "one", *where).returncode == 0
        gone = ask("snapshot", "load", "one", *where)
        assert (gone.returncode, "no snapshot 'one'" in gone.stderr) == (1, True)


def test_data_is_checked_and_compacted_with_and_without_an_instance(tmp_path: Path) -> None:
    where = ("-C", str(tmp_path))
    folder = Path(ask("data", "path", *where).stdout.strip())
    assert folder == tmp_path / ".lean-emu" / "data"
    with up(tmp_path, *DURABLE) as running:
        send(tmp_path, "POST", "/1.1/classes/Post", {"title": "a"})
        told = json.loads(ask("data", "check", "--json", *where).stdout)
        assert (told["classes"], told["commits"], told["trouble"]) == ({"Post": 1}, 1, [])
        assert "db.json" in ask("data", "compact", *where).stdout
        assert json.loads(ask("data", "check", "--json", *where).stdout)["commits"] == 0
        send(tmp_path, "POST", "/1.1/classes/Post", {"title": "b"})
        running.stop(signal.SIGKILL)
    assert json.loads(ask("data", "check", "--json", *where).stdout)["commits"] == 1
    (journal,) = (path for path in folder.glob("journal-*.log") if path.stat().st_size)
    journal.write_bytes(journal.read_bytes()[:-5])
    checked = ask("data", "check", *where)
    assert checked.returncode == 1
    assert "cannot be read" in checked.stderr
    compacted = ask("data", "compact", *where)
    assert compacted.returncode == 0
    assert "cut off" in compacted.stderr
    assert json.loads(ask("data", "check", "--json", *where).stdout)["trouble"] == []


@pytest.mark.parametrize(
    "asked",
    [("snapshot", "save"), ("snapshot", "list", "x"), ("snapshot", "load", "x", "--to", "y"),
     ("data", "mend")],
)  # fmt: skip
def test_wrong_use(asked: tuple[str, ...], tmp_path: Path) -> None:
    assert ask(*asked, "-C", str(tmp_path)).returncode == 2
