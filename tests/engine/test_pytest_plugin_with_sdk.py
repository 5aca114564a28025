"""The pytest plugin on the example project, whose code runs by the official SDK."""

import shutil
from pathlib import Path

import pytest

from tests.wire.test_pytest_plugin import outside
from tests.wire.test_readme_example import example

pytestmark = pytest.mark.timeout(60)

PROJECT = Path(__file__).parents[2] / "fixtures" / "cloud" / "reviews"

MORE = """

def test_after_hooks_are_waited_for(lean_emu_reset):
    (post,) = lean_emu_reset.seed({"Post": [{"title": "Alien"}]})["Post"]
    pointer = {"__type": "Pointer", "className": "Post", "objectId": post["objectId"]}
    lean_emu_reset.save("Comment", post=pointer)
    assert lean_emu_reset.get("Post", post["objectId"])["commentCount"] == 1
    assert lean_emu_reset.hooks_fired() == ["afterSave Comment"]
"""


def test_the_readmes_example(tmp_path: Path, python: str) -> None:
    project = tmp_path / "影评 project"
    project.mkdir()
    shutil.copy(PROJECT / "cloud.py", project)
    done = outside(project, example("README.md") + MORE, LEAN_EMU_PYTHON=python)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
