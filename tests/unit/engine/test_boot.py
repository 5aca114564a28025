"""The files that run in the user's Python, which may be old."""

import ast
import sys
from pathlib import Path

import pytest

import lean_emulator.engine

FOLDER = Path(lean_emulator.engine.__file__).parent
FILES = sorted(FOLDER.glob("boot_*.py"))
SINCE_3_7 = {"dataclasses", "contextvars", "graphlib", "tomllib", "zoneinfo"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_they_are_python_3_6(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"), feature_version=(3, 6))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.NamedExpr)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_they_import_the_standard_library_and_each_other(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    own = {other.stem for other in FILES}
    assert imported - own <= sys.stdlib_module_names - SINCE_3_7


def test_there_is_something_to_test() -> None:
    assert FOLDER / "boot_python.py" in FILES
