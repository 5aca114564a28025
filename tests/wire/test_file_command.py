"""``lean-emu file`` against a real ``lean-emu up``, without a terminal."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.wire.test_command_line import PROGRAM, environment, up

pytestmark = pytest.mark.timeout(60)

LARGE = bytes(range(256)) * 4_000


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("project")
    with up(folder) as running:
        yield folder
        running.stop()


def ask(project: Path, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, "file", *words, "--project", str(project)],
        capture_output=True, check=False, cwd=cwd, env={**environment(), "PYTHONPATH": os.getcwd()},
    )  # fmt: skip


def told(project: Path, *words: str) -> Any:
    answer = ask(project, *words, "--json")
    assert (answer.returncode, answer.stderr) == (0, b"")
    return json.loads(answer.stdout)["results"]


def downloaded(project: Path, name: str) -> bytes:
    answer = ask(project, "download", name, "-o", "-")
    assert (answer.returncode, answer.stderr) == (0, b"")
    return answer.stdout


def test_files_and_folders(project: Path, tmp_path: Path) -> None:
    contents = {
        "a.txt": b"a",
        "photos/large.bin": LARGE,
        "photos/deep/影评.txt": b"",
        "[x].md": b"x",
    }
    for name in (*contents, "photos/.hidden", "photos/.git/config"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents.get(name, b"hidden"))
    paths = [str(tmp_path / name) for name in ("a.txt", "[x].md", "photos")]
    made = told(project, "upload", *paths)
    assert [(one["name"], one["size"]) for one in made] == [
        ("a.txt", 1),
        ("[x].md", 1),
        ("影评.txt", 0),
        ("large.bin", len(LARGE)),
    ]
    assert downloaded(project, made[3]["objectId"]) == LARGE
    assert downloaded(project, made[0]["key"]) == b"a"
    listed = told(project, "list")
    assert {one["objectId"] for one in made} <= {row["objectId"] for row in listed}


def test_lines_for_people(project: Path, tmp_path: Path) -> None:
    (tmp_path / "own.png").write_bytes(b"png")
    answer = ask(project, "upload", str(tmp_path / "own.png"))
    object_id, url, name = answer.stdout.decode().split()
    assert (answer.returncode, answer.stderr, name) == (0, b"", "own.png")
    assert url.endswith(".png")
    table = ask(project, "list").stdout.decode()
    (line,) = [line for line in table.splitlines() if line.startswith(object_id)]
    assert line.split()[1:4] == ["own.png", "image/png", url]


def test_a_download_takes_the_name_and_replaces_nothing(project: Path, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_bytes(b"first")
    (made,) = told(project, "upload", str(tmp_path / "own.txt"))
    (tmp_path / "own.txt").write_bytes(b"second")
    refused = ask(project, "download", made["objectId"], cwd=tmp_path)
    assert refused.returncode == 1
    assert b"own.txt cannot be written: File exists." in refused.stderr
    assert (tmp_path / "own.txt").read_bytes() == b"second"
    forced = ask(project, "download", made["objectId"], "-o", "own.txt", cwd=tmp_path)
    assert (forced.returncode, forced.stdout) == (0, b"own.txt  5 bytes\n")
    assert (tmp_path / "own.txt").read_bytes() == b"first"


def test_rm(project: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    (made,) = told(project, "upload", str(tmp_path / "a.txt"))
    assert told(project, "rm", made["objectId"]) == [{"objectId": made["objectId"]}]
    gone = ask(project, "download", made["objectId"])
    assert (gone.returncode, gone.stdout) == (1, b"")
    assert b"There is no file with the id or key" in gone.stderr


def test_what_fails_does_not_keep_the_others(project: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    answer = ask(project, "upload", "absent.png", str(tmp_path / "a.txt"), "--json")
    assert answer.returncode == 1
    assert b"absent.png: No such file or directory" in answer.stderr
    assert [one["name"] for one in json.loads(answer.stdout)["results"]] == ["a.txt"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["upload"], b"wants paths"),
        (["rm"], b"wants ids"),
        (["list", "x"], b"no further words"),
        (["download"], b"one id or key"),
        (["download", "a", "b"], b"one id or key"),
        (["upload", "x", "-o", "y"], b"--output goes with"),
        (["move", "x"], b"'move' is not one of"),
    ],
)
def test_wrong_use(project: Path, words: list[str], text: bytes) -> None:
    answer = ask(project, *words)
    assert answer.returncode == 2
    assert text in answer.stderr


def test_without_an_instance(tmp_path: Path) -> None:
    answer = ask(tmp_path, "list")
    assert answer.returncode == 1
    assert b"lean-emu up" in answer.stderr


def test_a_bar_shows_on_a_terminal(project: Path, tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(LARGE)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, "file", "upload", str(tmp_path / "large.bin"), "--project", str(project)],
        stdout=subprocess.PIPE, stderr=theirs, env={**environment(), "TERM": "xterm"},
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = bytearray()
        try:
            while piece := os.read(ours, 65_536):
                shown += piece
        except OSError:  # how a terminal says that the other side is closed
            pass
        finally:
            os.close(ours)
        assert process.stdout is not None
        assert b"large.bin" in process.stdout.read()
        assert process.wait() == 0
    assert b"large.bin" in shown
    assert b"1.0/1.0 MB" in shown
