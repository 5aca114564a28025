"""``boot_python`` under every Python of this machine, with a stand-in for the SDK."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lean_emulator.engine.launch import PythonLauncher
from lean_emulator.engine.zygote import Zygote
from tests.engine.harness import function, in_loop, running

FAKE_SDK = {"PYTHONPATH": str(Path(__file__).parent / "fake_sdk")}
HEAD = "import leancloud\nengine = leancloud.Engine()\n"
MINORS = range(6, 16)


@functools.cache
def interpreter(minor: int) -> str | None:
    """A working Python 3.``minor``: on PATH, or kept by pyenv."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [str(path) for path in sorted(kept.glob(f"3.{minor}.*/bin/python"))]
    on_path = shutil.which(f"python3.{minor}")
    for candidate in [*candidates, *([on_path] if on_path else [])]:
        check = f"import sys; sys.exit(sys.version_info[:2] != (3, {minor}))"
        if subprocess.run([candidate, "-c", check], capture_output=True).returncode == 0:
            return candidate
    return None


@pytest.mark.parametrize("minor", MINORS, ids=lambda minor: f"3.{minor}")
@in_loop
async def test_code_loads_prints_fails_and_heals(minor: int, tmp_path: Path) -> None:
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"no Python 3.{minor} here")
    (tmp_path / "rules.py").write_text("ANSWER = 1\n")
    source = HEAD + "import rules\n"
    source += function("hello", "print('in', end=' ')\nprint('time')\nreturn rules.ANSWER")
    source += function("parent", "import os\nreturn os.getppid()")
    async with running(tmp_path, python, source, extra_environment=FAKE_SDK) as code:
        assert code.runtime.names == {"hello", "parent"}
        assert await code.traced("hello") == [("stdout", "in time", "cloud.py:7")]
        assert (await code.raw("GET", "/")).body == b"The cloud code is running.\n"
        if sys.platform == "linux":
            assert isinstance(code.runtime._launcher, PythonLauncher)
            zygote = code.runtime._launcher._warm._ready
            assert isinstance(zygote, Zygote)
            assert await zygote.fit
        (tmp_path / "rules.py").write_text("ANSWER = \n")
        assert not code.runtime.settled
        await code.runtime.until_settled(code.deadline())
        failure = code.runtime.failure
        assert failure is not None
        assert failure.last_line == "SyntaxError: invalid syntax"
        assert (failure.file, failure.line) == ("rules.py", 1)
        (tmp_path / "rules.py").write_text("ANSWER = 2\n")
        assert await code.run("hello") == 2
        if sys.platform == "linux":
            assert await code.run("parent") == zygote._popen.pid
