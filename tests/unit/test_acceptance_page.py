"""The page that says which test shows what names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "acceptance.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
LIST = "tests/sdk/python/test_acceptance.py"


def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, functions)}


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED}))
def test_every_test_on_the_page_exists(path: str) -> None:
    assert {name for where, name in NAMED if where == path} <= names_in(path)


def test_every_number_of_the_list_has_its_row_and_its_test() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| [^|]+ \| `[\w/.]+::(\w+)`", PAGE, re.M))
    assert [*map(int, rows)] == [*range(1, 18), 20]
    assert all(name.startswith(f"test_{number}_") for number, name in rows.items())


def test_no_test_of_the_list_is_left_out() -> None:
    tests = {name for name in names_in(LIST) if name.startswith("test_")}
    assert tests == {name for path, name in NAMED if path == LIST}


def test_no_row_is_without_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line]
    heads = [line for line in rows if re.search(r"\| (shown|measured) by \|$", line)]
    assert [row for row in rows if "::" not in row] == heads
