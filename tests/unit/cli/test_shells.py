"""Variables arrive in shells as they are, whatever is in them."""

import shutil
import subprocess

import pytest

from lean_emulator.cli.shells import commands

HOSTILE = {"A": "plain", "B": 'it\'s $HOME `id` "q" \\ ;&|', "C": "", "D": "评论 \\' x"}


@pytest.mark.parametrize(
    ("shell", "program"), [("posix", "sh"), ("posix", "bash"), ("fish", "fish")]
)
def test_a_shell_reads_back_what_was_quoted(shell: str, program: str) -> None:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    ask = "; ".join([*commands(shell, HOSTILE), 'printf "%s\\n" "$A" "$B" "$C" "$D"'])
    done = subprocess.run([found, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout == "".join(f"{value}\n" for value in HOSTILE.values())


def test_powershell_doubles_its_quotes() -> None:
    assert commands("powershell", {"A": "it's $x"}) == ["$env:A = 'it''s $x'"]
