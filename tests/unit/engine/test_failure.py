"""Failures in words that lead on."""

from pathlib import Path
from typing import Any

import pytest

from lean_emulator.engine import failure
from lean_emulator.engine.project import Project

PROJECT = Project(Path("/p"), "cloud.py", Path("/p/cloud.py"), (), Path("/usr/bin/py thon"))
COMMAND = Project(Path("/p"), "command", None, ("npm", "start"), Path("/usr/bin/python"))


def report(**facts: Any) -> dict[str, Any]:
    plain = {
        "type": "NameError",
        "missing": None,
        "exit": None,
        "last_line": "NameError: x",
        "traceback": "Traceback …",
        "file": "cloud.py",
        "line": 12,
        "python": [3, 11, 7],
    }
    return {**plain, **facts}


def test_the_sentence_quotes_the_last_line_and_the_place() -> None:
    found = failure.from_report(PROJECT, report())
    assert found.message == "cloud.py did not load: NameError: x (cloud.py:12)"
    assert found.traceback == "Traceback …"
    assert found.error().status == 500
    assert found.error().to_wire()["code"] == 141


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ([3, 11, 7], ["'/usr/bin/py thon' -m pip install leancloud"]),
        ([3, 8, 1], ["'/usr/bin/py thon' -m pip install leancloud"]),
        ([3, 12, 1], ["3.11", "-m venv /p/.venv", "/p/.venv/bin/python -m pip install leancloud"]),
    ],
)
def test_a_missing_sdk(python: list[int], words: list[str]) -> None:
    facts = report(type="ModuleNotFoundError", missing="leancloud", python=python)
    found = failure.from_report(PROJECT, facts)
    version = ".".join(map(str, python))
    assert found.message == (
        "cloud.py did not load: the leancloud package is not installed in "
        f"/usr/bin/py thon (Python {version})"
    )
    assert found.traceback == ""
    for word in words:
        assert word in found.hint.en
        assert word in found.hint.zh


def test_another_missing_module(tmp_path: Path) -> None:
    project = Project(tmp_path, "cloud.py", tmp_path / "cloud.py", (), Path("/py"))
    facts = report(type="ModuleNotFoundError", missing="flask.ext", last_line="No module")
    assert "/py -m pip install flask" in failure.from_report(project, facts).hint.en
    (tmp_path / "requirements.txt").touch()
    assert "pip install -r requirements.txt" in failure.from_report(project, facts).hint.en


def test_an_end_before_the_beginning() -> None:
    found = failure.from_exit(PROJECT, -9, ["loading", "out of memory", ""])
    assert found.last_line == "the process ended by signal SIGKILL: out of memory"
    assert failure.from_exit(PROJECT, 3, []).last_line == "the process ended with exit code 3"
    assert failure.ending(-99) == "by signal 99"


def test_a_start_without_end() -> None:
    assert "within 30 s" in failure.from_start_limit(PROJECT, 30.0).message
    found = failure.from_start_limit(COMMAND, 2.5)
    assert found.message == "npm did not load: it did not answer HTTP on its port within 2.5 s"
    assert "$PORT" in found.hint.en


NODE_LINES = [
    "node:internal/modules/cjs/loader:1148",
    "  throw err;",
    "Error: Cannot find module 'leanengine'",
    "Require stack:",
    "    at Module._resolveFilename (node:internal/modules/cjs/loader:1145:15)",
    "",
    "Node.js v20.20.2",
]


def test_the_line_that_names_the_error_is_quoted_where_more_follows() -> None:
    found = failure.from_exit(COMMAND, 1, NODE_LINES)
    assert found.last_line == (
        "the process ended with exit code 1: Error: Cannot find module 'leanengine'"
    )
    assert found.traceback == "\n".join(NODE_LINES)
    for text in (found.hint.en, found.hint.zh):
        assert "npm install --prefix /p" in text


def test_a_missing_file_of_the_project_is_no_missing_package() -> None:
    found = failure.from_exit(COMMAND, 1, ["Error: Cannot find module './clout'", "Node.js v20"])
    assert "'./clout'" in found.message
    assert "npm install" not in found.hint.en
    assert failure.from_exit(COMMAND, 1, ["a", "b", " "]).last_line.endswith(": b")
    assert failure.from_exit(COMMAND, 1, []).last_line == "the process ended with exit code 1"
