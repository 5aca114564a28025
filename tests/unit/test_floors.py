"""Who may import whom: the house has floors, and nothing reaches up or across."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lean_emulator"

FLOORS = {
    "base": 0,
    "assets": 0,
    "model": 1,
    "storage": 2,
    "engine": 2,
    "service": 3,
    "wire": 4,
    "console": 4,
    "account_settings": 5,
    "behaviour_settings": 5,
    "room_settings": 5,
    "cloud_code": 5,
    "console_room": 5,
    "state_folder": 5,
    "keys": 5,
    "settings": 5,
    "instance_file": 5,
    "export_folder": 5,
    "schema_folder": 5,
    "task_file": 5,
    "emulator": 5,
    "pytest_plugin": 5,
    "testing": 5,
    "cli": 5,
    "__main__": 5,
}
"""Every module or package directly below ``lean_emulator``."""

NEIGHBOURS = {
    ("keys", "state_folder"),
    ("settings", "keys"),
    ("instance_file", "state_folder"),
    ("emulator", "schema_folder"),
    ("emulator", "task_file"),
    ("task_file", "state_folder"),
    ("emulator", "cloud_code"),
    ("emulator", "console_room"),
    ("console_room", "emulator"),  # its type alone
    ("console_room", "settings"),
    ("cloud_code", "settings"),
    ("account_settings", "settings"),
    ("behaviour_settings", "settings"),
    ("emulator", "behaviour_settings"),
    ("emulator", "room_settings"),
    ("room_settings", "settings"),
    ("room_settings", "state_folder"),
    ("cli", "room_settings"),
    ("emulator", "account_settings"),
    ("emulator", "settings"),
    ("emulator", "keys"),
    ("emulator", "state_folder"),
    ("pytest_plugin", "testing"),
    ("testing", "emulator"),
    ("testing", "settings"),
    ("testing", "keys"),
    ("cli", "emulator"),
    ("cli", "settings"),
    ("cli", "keys"),
    ("cli", "instance_file"),
    ("cli", "schema_folder"),
    ("cli", "export_folder"),
    ("cli", "state_folder"),  # the history of the prompt
    ("__main__", "cli"),
}
"""Imports on one floor that are wanted; a new one needs a reason."""

IN_THE_CHILD = tuple(sorted((PACKAGE / "engine").glob("boot_*.py")))
"""Files that run in the user's interpreter, where nothing of ours can be imported."""


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "__pycache__" not in p.parts)


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Rooms of ours that a module imports, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"a relative import in line {node.lineno}"
            names = [node.module or ""]
            if node.module == "lean_emulator":
                names = [f"lean_emulator.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "lean_emulator" and rest and not rest.startswith("__version__"):
                yield rest.split(".")[0], node.lineno


def test_every_room_has_a_floor() -> None:
    rooms = {room(path) for path in modules()} - {"__init__"}
    assert rooms <= FLOORS.keys()


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    here = room(path)
    wrong = []
    for other, line in imported_rooms(ast.parse(path.read_text("utf-8"))):
        if here in ("__init__", other):
            continue
        below = FLOORS[other] < FLOORS[here]
        if not below and (here, other) not in NEIGHBOURS:
            wrong.append(f"{path.relative_to(ROOT)}:{line} imports {other}")
    assert not wrong


@pytest.mark.parametrize("path", IN_THE_CHILD, ids=lambda path: path.name)
def test_what_runs_in_the_child_imports_nothing_of_ours(path: Path) -> None:
    assert not list(imported_rooms(ast.parse(path.read_text("utf-8"))))


def test_imports_inside_functions_are_rare() -> None:
    """Only the command line, which must start fast, and what is optional may import late."""
    allowed = {"cli", "__init__", "pytest_plugin"}
    late = []
    for path in modules():
        name = str(path.relative_to(PACKAGE))
        if room(path) in allowed or path in IN_THE_CHILD:
            continue
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                late += [
                    f"{name}:{node.lineno}"
                    for node in ast.walk(function)
                    if isinstance(node, ast.Import | ast.ImportFrom)
                ]
    assert not late


def test_the_rule_catches_an_import_that_goes_up() -> None:
    tree = ast.parse("from lean_emulator.service.hooks import Hooks\nimport lean_emulator.cli")
    assert [name for name, _ in imported_rooms(tree)] == ["service", "cli"]
