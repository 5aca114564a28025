from pathlib import Path

from lean_emulator.base.masking import Mask
from lean_emulator.console.traceback_view import read_traceback
from tests.support.console_samples import CLOUD

RAISED = '    raise LeanEngineError("No comment provided!")'
LINE = CLOUD.splitlines().index(f"    {RAISED}") + 1


def raised_in(project: Path) -> str:
    return (
        "Traceback (most recent call last):\n"
        '  File "/opt/venv/lib/python3.11/site-packages/leancloud/engine.py", line 9, in handle\n'
        "    func(obj)\n"
        "    ^^^^^^^^^\n"
        f'  File "{project}/cloud.py", line {LINE}, in before_review_save\n'
        f"    {RAISED}\n"
        "leancloud.LeanEngineError: No comment provided!\n"
    )


def test_own_frames_have_their_source_around_them(tmp_path: Path) -> None:
    (tmp_path / "cloud.py").write_text(CLOUD, encoding="utf-8")
    found = read_traceback(raised_in(tmp_path), tmp_path, Mask())
    assert found.last_line == "leancloud.LeanEngineError: No comment provided!"
    (own,) = found.own
    assert (own.file, own.line, own.name) == ("cloud.py", LINE, "before_review_save")
    assert [line.number for line in own.source] == list(range(LINE - 5, LINE + 3))
    assert [line.text for line in own.source if line.here] == [f"    {RAISED}"]
    assert [frame.name for frame in found.others] == ["handle"]


def test_a_file_that_changed_since_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "cloud.py").write_text("x = 1\n" * 50, encoding="utf-8")
    (own,) = read_traceback(raised_in(tmp_path), tmp_path, Mask()).own
    assert [(line.number, line.text) for line in own.source] == [(LINE, RAISED.strip())]


def test_files_outside_the_project_are_never_opened(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret.py").write_text("password = 'hunter2'\n", encoding="utf-8")
    text = (
        "Traceback (most recent call last):\n"
        f'  File "{project}/../secret.py", line 1, in x\n'
        "NameError: y\n"
    )
    found = read_traceback(text, project, Mask())
    assert found.own == []
    assert all(frame.source == [] for frame in found.others)


def test_virtual_environments_in_the_project_are_not_own_code(tmp_path: Path) -> None:
    text = f'  File "{tmp_path}/.venv/lib/python3.11/site-packages/a.py", line 1, in f\nE: x\n'
    assert read_traceback(text, tmp_path, Mask()).own == []


def test_keys_in_the_source_are_masked(tmp_path: Path) -> None:
    key = "0123456789abcdef-master"
    (tmp_path / "cloud.py").write_text(f'KEY = "{key}"\nraise X\n', encoding="utf-8")
    text = f'Traceback:\n  File "{tmp_path}/cloud.py", line 2, in <module>\n    raise X\nX: {key}\n'
    found = read_traceback(text, tmp_path, Mask([key]))
    assert key not in repr(found)
    assert "••••" in found.last_line


def test_text_that_is_no_traceback_is_its_last_line(tmp_path: Path) -> None:
    found = read_traceback("segmentation fault", tmp_path, Mask())
    assert (found.last_line, found.own, found.others) == ("segmentation fault", [], [])
