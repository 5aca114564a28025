"""Files stay readable in one sitting, and nothing that was generated gets into the repository."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GATE = 600
MEAN = 200
LARGEST_FILE = 1_000_000


def program_files() -> list[Path]:
    return [p for p in (ROOT / "lean_emulator").rglob("*.py") if "__pycache__" not in p.parts]


def line_count(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def tracked() -> list[str]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [name for name in listed.stdout.decode().split("\0") if name]


def test_no_module_is_longer_than_the_gate() -> None:
    long = {str(p): n for p in program_files() if (n := line_count(p)) > GATE}
    assert not long


def test_modules_are_short_on_the_whole() -> None:
    sizes = [line_count(p) for p in program_files()]
    assert sum(sizes) / len(sizes) <= MEAN


def test_no_names_that_say_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    assert not [p for p in program_files() if p.stem in vague]


def test_no_environment_or_cache_is_committed() -> None:
    generated = ("pyvenv.cfg", "site-packages/", "__pycache__/", ".egg-info/", "node_modules/")
    assert not [name for name in tracked() if any(part in name for part in generated)][:5]


def test_no_large_file_is_committed() -> None:
    large = [n for n in tracked() if (p := ROOT / n).is_file() and p.stat().st_size > LARGEST_FILE]
    assert not large[:5]
