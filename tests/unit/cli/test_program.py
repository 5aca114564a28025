"""The command line as a whole: what is found, suggested, refused, and left with."""

import subprocess
import sys

import pytest

from lean_emulator import __version__, cli
from lean_emulator.base.errors import Hint, StartError
from lean_emulator.cli import exits
from lean_emulator.cli.output import chinese


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == exits.OK
    shown = capsys.readouterr().out
    assert all(entry.summary in shown for entry in cli.COMMANDS.values())
    assert "Exit codes:" in shown


def test_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == exits.OK
    assert capsys.readouterr().out == f"lean-emu {__version__}\n"
    assert cli.run(["version"]) == exits.OK
    assert capsys.readouterr().out.startswith(f"lean-emu {__version__} (")


@pytest.mark.parametrize(
    ("typed", "offer"), [("upp", "'up'"), ("invok", "'invoke'"), ("xyzzy", None)]
)
def test_an_unknown_command(
    typed: str, offer: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([typed]) == exits.USAGE
    shown = capsys.readouterr().err
    assert f"There is no command {typed!r}." in shown
    assert (f"Did you mean {offer}?" in shown) if offer else ("Did you mean" not in shown)


def test_an_error_of_ours_shows_text_and_hint_but_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise StartError("It is broken.", hint=Hint("Mend it.", "请修复。"))

    monkeypatch.setattr(cli.program, "main", lambda *_, **__: fail())
    monkeypatch.setenv("LEAN_EMU_LANG", "en")
    assert cli.run(["up"]) == exits.CANNOT_START
    assert capsys.readouterr().err == "error: It is broken.\nMend it.\n"
    monkeypatch.setenv("LEAN_EMU_LANG", "zh")
    assert cli.run(["up"]) == exits.CANNOT_START
    assert "请修复。" in capsys.readouterr().err


def test_a_mistake_of_ours_asks_for_a_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli.program, "main", fail)
    assert cli.run(["up"]) == exits.BUG
    assert "please report it" in capsys.readouterr().err


def test_ctrl_c_leaves_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.program, "main", interrupted)
    assert cli.run(["up"]) == exits.INTERRUPTED


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "en_US", "LC_ALL": "C", "LEAN_EMU_LANG": "zh"}, True),
        ({"LANG": "zh_CN", "LC_ALL": ""}, True),
    ],
)
def test_language_of_hints(environ: dict[str, str], expected: bool) -> None:
    assert chinese(environ) is expected


def test_help_imports_nothing_heavy() -> None:
    """Typing --help must not wait for the server's libraries."""
    ask = (
        "import sys; from lean_emulator.cli import run; run(['--help'])\n"
        "heavy = {'aiohttp', 'jinja2', 'uvloop', 'watchfiles', 'lean_emulator.emulator'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
