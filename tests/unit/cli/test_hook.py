"""What ``lean-emu hook`` refuses before anything is asked."""

from pathlib import Path

import pytest

from lean_emulator import cli
from lean_emulator.cli import exits


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hook", "Post", "beforSave", "--object", "{}"], "Did you mean beforeSave?"),
        (["hook", "Post", "xyzzy", "--object", "{}"], "Hooks are: beforeSave, afterSave"),
        (["hook", "Post", "beforeSave"], "give --object, or --id"),
        (["hook", "Post", "beforeSave", "--object", "[1]"], "is a list, but a hook takes"),
        (["hook", "Post", "beforeSave", "--object", "{a: }"], "line 1 column"),
        (["hook", "Post", "afterSave", "--object", "{}", "--updated-keys", "a"], "no changed keys"),
        (["save", "Post"], "give --object or --set"),
        (["save", "Post", "--set", "stars"], "is not NAME=VALUE"),
        (["update", "Post", "x", "--object", "5"], "is a number, but a write takes"),
        (["update", "Post"], "Missing argument 'ID'"),
        (["trace"], "Give the ID of a trace, or --last."),
        (["trace", "t-1", "--last"], "Give the ID of a trace, or --last."),
    ],
)
def test_wrong_use_leaves_with_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.run([*words, "-C", str(tmp_path)]) == exits.USAGE
    assert said in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    "words",
    [
        ["hook", "Post", "beforeSave", "--id", "x"],
        ["update", "Post", "x", "--set", "a=1"],
        ["delete", "Post", "x"],
        ["trace", "--last"],
    ],
)
def test_what_is_stored_needs_a_running_instance(
    words: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEAN_EMU_LANG", "en")
    assert cli.run([*words, "-C", str(tmp_path)]) == exits.ERROR
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == "error: nothing is running"
    assert shown[-1] == f"Start it first: lean-emu up {tmp_path}"
    monkeypatch.setenv("LEAN_EMU_LANG", "zh")
    assert cli.run([*words, "-C", str(tmp_path)]) == exits.ERROR
    assert f"请先启动：lean-emu up {tmp_path}" in capsys.readouterr().err
