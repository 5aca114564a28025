"""The pytest plugin with the official SDK: in the project's code, and beside the tests."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wire.test_pytest_plugin import outside
from tests.wire.test_readme_example import example

pytestmark = pytest.mark.timeout(90)

PROJECT = Path(__file__).parents[2] / "fixtures" / "cloud" / "reviews"

MORE = """

def test_after_hooks_are_waited_for(lean_emu_reset):
    (post,) = lean_emu_reset.seed({"Post": [{"title": "Alien"}]})["Post"]
    pointer = {"__type": "Pointer", "className": "Post", "objectId": post["objectId"]}
    lean_emu_reset.save("Comment", post=pointer)
    assert lean_emu_reset.get("Post", post["objectId"])["commentCount"] == 1
    assert lean_emu_reset.hooks_fired() == ["afterSave Comment"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "影评 project"
    folder.mkdir()
    shutil.copy(PROJECT / "cloud.py", folder)
    return folder


def test_the_readmes_example(project: Path, python: str) -> None:
    done = outside(project, example("README.md") + MORE, LEAN_EMU_PYTHON=python)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


BY_SDK = """
import leancloud
import pytest

Review = leancloud.Object.extend("Review")
Note = leancloud.Object.extend("Note")


def test_hooks(lean_emu_reset):
    Review(movie="Alien", comment="x" * 200).save()
    assert leancloud.Query("Review").first().get("comment").endswith("…")
    assert lean_emu_reset.hooks_fired() == ["beforeSave Review"]
    with pytest.raises(leancloud.LeanCloudError, match="No comment!"):
        Review().save()


def test_functions(lean_emu_reset):
    lean_emu_reset.seed({"Review": [{"movie": "Alien", "stars": n} for n in (2, 4)]})
    assert leancloud.cloud.run("averageStars", movie="Alien") == 3


def test_users(lean_emu_reset):
    with lean_emu_reset.as_user("tom") as tom:
        assert leancloud.User.get_current().id == tom.id
        note = Note(text="mine")
        acl = leancloud.ACL()
        acl.set_read_access(tom.id, True)
        note.set_acl(acl)
        note.save()
        assert leancloud.Query("Note").count() == 1
    assert leancloud.User.get_current() is None
    assert leancloud.Query("Note").count() == 0


def test_nobody_is_left(lean_emu_reset):
    assert leancloud.User.get_current() is None
    assert lean_emu_reset.master.find("Note") == []
    assert leancloud.client.USE_MASTER_KEY is False
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_the_sdk_beside_the_tests(project: Path, python: str, options: tuple[str, ...]) -> None:
    """Behind everything else on the path, as the two would share an environment."""
    ask = "import json, sys, leancloud; print(json.dumps([sys.version_info[:2], sys.path]))"
    told = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    version, path = json.loads(told.stdout)
    if tuple(version) != sys.version_info[:2]:
        pytest.skip(f"the SDK is installed for Python {version}, the tests run in another")
    packages = [place for place in path if place.endswith("site-packages")]
    (project / "conftest.py").write_text(f"import sys\nsys.path += {packages!r}\n")
    done = outside(project, BY_SDK, *options, LEAN_EMU_PYTHON=python)
    assert "4 passed" in done.stdout, done.stdout + done.stderr
