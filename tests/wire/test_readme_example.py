"""The example for pytest in both READMEs, run as it stands there."""

import re
from pathlib import Path

import pytest

from tests.support.tested_project import ONE_HOOK, write_project
from tests.wire.test_pytest_plugin import outside

pytestmark = pytest.mark.timeout(90)

ROOT = Path(__file__).parents[2]


def example(page: str) -> str:
    text = (ROOT / page).read_text("utf-8")
    (found,) = re.findall(r"^```python\n(def test_.*?)^```", text, re.M | re.S)
    return str(found)


def test_both_show_the_same_five_lines() -> None:
    assert example("README.md") == example("README.zh-CN.md")
    assert example("README.md").count("\n") == 5


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_it_passes(tmp_path: Path, page: str) -> None:
    project = write_project(tmp_path / "评论 reviews", ONE_HOOK)
    done = outside(project, example(page))
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_it_fails_where_the_hook_is_gone(tmp_path: Path) -> None:
    without = ONE_HOOK.replace(', "__before_save_for_Review"', "")
    done = outside(write_project(tmp_path / "project", without), example("README.md"))
    assert done.returncode == 1
    assert "1 failed" in done.stdout
