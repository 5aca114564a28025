"""The pytest plugin: ``lean_emu`` for a session, ``lean_emu_reset`` for a test.

Imports nothing of the emulator until a test asks for it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lean_emulator.testing.kit import LeanEmu

USUAL = {
    "port": 0,
    "console_port": 0,
    "host": "127.0.0.1",
    "storage": "memory",
    "watch": False,
    "timers": False,
    "after_hooks": "await",
    "traces": 10_000,
}
"""Settings of an emulator for tests; tasks run when a test lets time pass."""

FROZEN_AT = "2024-01-01T00:00:00Z"
"""The time in which a session with a seed lives, when it names no other."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lean-emu")
    group.addoption(
        "--lean-emu-project",
        metavar="DIR",
        help="folder with cloud.py, for the fixture lean_emu (default: ini option "
        "lean_emu_project, else the root directory)",
    )
    group.addoption(
        "--lean-emu-seed",
        metavar="N",
        type=int,
        help="make ids repeat, in a time that stands still (default: ini option lean_emu_seed)",
    )
    parser.addini("lean_emu_project", "folder with cloud.py, relative to the root directory")
    parser.addini("lean_emu_seed", "number from which ids are made, so that they repeat")
    parser.addini("lean_emu_now", "ISO time at which the clock of lean_emu stands")


@pytest.fixture(scope="session")
def lean_emu_settings() -> Mapping[str, object]:
    """Settings of the emulator beside those of the project: override it to choose others."""
    return {}


@pytest.fixture(scope="session")
def lean_emu(
    pytestconfig: pytest.Config, lean_emu_settings: Mapping[str, object]
) -> Iterator[LeanEmu]:
    """An emulator for the whole session; each pytest-xdist worker has its own."""
    emulator = _started(pytestconfig, lean_emu_settings)
    try:
        yield emulator
    finally:
        emulator.stop()


@pytest.fixture
def lean_emu_reset(lean_emu: LeanEmu) -> Iterator[LeanEmu]:
    """The emulator as it was at the session's start, or when ``keep`` was called last.

    What the test leaves behind is taken back, too.
    """
    lean_emu.reset()
    yield lean_emu
    lean_emu.reset()


def _started(config: pytest.Config, more: Mapping[str, object]) -> LeanEmu:
    from lean_emulator.base.errors import LeanEmuError
    from lean_emulator.testing.kit import LeanEmu
    from lean_emulator.testing.projects import opened

    project = _project(config)
    seed = config.getoption("lean_emu_seed")
    if seed is None and (text := str(config.getini("lean_emu_seed") or "")):
        seed = _number(text)
    now = str(config.getini("lean_emu_now") or "") or (FROZEN_AT if seed is not None else None)
    try:
        settings, keys = opened(project, {**USUAL, **more}, os.environ, fixed=seed is not None)
        return LeanEmu(settings, keys, seed=seed, now=now, on_output=print_line)
    except (LeanEmuError, ValueError) as e:
        why = _told(e, project)
    pytest.fail(why, pytrace=False)


def _project(config: pytest.Config) -> Path:
    given = config.getoption("lean_emu_project")
    if given is not None:
        return Path(config.invocation_params.dir, given)
    return Path(config.rootpath, str(config.getini("lean_emu_project") or "."))


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise pytest.UsageError(f"lean_emu_seed must be a whole number, not {text!r}") from None


def _told(error: Any, project: Path) -> str:
    hint = getattr(error, "hint", None)
    lines = [f"lean-emu did not start for {project}", str(error)]
    if hint is not None:
        lines += [hint.en, hint.zh]
    return "\n".join(lines)


def print_line(stream: str, text: str) -> None:
    """A line of the project's code; pytest shows those of a test that fails."""
    with contextlib.suppress(ValueError):  # what pytest captured with is closed already
        print(f"│ {text}")
