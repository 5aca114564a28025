"""The official SDK from npm, installed once for all Node projects of a test run."""

import atexit
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from emu_process import PROJECTS, copied

INSTALL_SECONDS = 150

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("npm") is None,
    reason="needs node and npm on PATH: install Node.js 12 or newer",
)


@functools.cache
def node_modules() -> Path:
    """A folder with what the fixture projects for Node depend on, which is the same for all."""
    folder = Path(tempfile.mkdtemp(prefix="lean-emu-packages-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copy(PROJECTS / "reviews-node" / "package.json", folder)
    done = subprocess.run(
        ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "node_modules"


def copied_with_packages(name: str, folder: Path) -> Path:
    """A copy of a Node project whose packages are there."""
    project = copied(name, folder)
    (project / "node_modules").symlink_to(node_modules())
    return project
