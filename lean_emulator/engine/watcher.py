"""Edits in the project's folder, as batches."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from pathlib import Path

from watchfiles import Change, awatch

from lean_emulator.engine.environment import DOTENV_FILES
from lean_emulator.engine.project import Project

DEBOUNCE_MS = 20
LOOK_EVERY_MS = 250
"""An empty batch comes this often: the moment to look at the files without being told."""

_NEVER = frozenset(
    {
        "__pycache__", "node_modules", "site-packages", "venv", "env", "dist", "build", "target",
        "vendor",
    }
)  # fmt: skip
_MOST_FOLDERS = 2_000
_PYTHON = (".py",)
_COMMAND = (
    ".py", ".js", ".mjs", ".cjs", ".ts", ".php", ".java", ".kt", ".cs", ".go",
)  # fmt: skip

Edit = tuple[Change, Path]


async def edits(project: Project) -> AsyncGenerator[frozenset[Edit], None]:
    """Changes of files that can be code or its settings, endlessly.

    Each folder is watched by itself, so that a large ``node_modules`` costs nothing; a new folder
    joins when it appears. Where the system cannot watch, only the empty batches come.
    """
    suffixes = _COMMAND if project.kind == "command" else _PYTHON
    while True:
        folders = [*_folders(project.directory)]
        batches = awatch(
            *folders,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=DEBOUNCE_MS,
            rust_timeout=LOOK_EVERY_MS,
            yield_on_timeout=True,
            recursive=False,
        )
        try:
            async with aclosing(batches):
                async for batch in batches:
                    found = {(change, Path(path)) for change, path in batch}
                    yield frozenset(edit for edit in found if _matters(edit[1], suffixes))
                    if any(_new_folder(edit) for edit in found):
                        break
        except (OSError, RuntimeError):  # too many watches, a folder that vanished just now
            await asyncio.sleep(LOOK_EVERY_MS / 1000)
            yield frozenset()


def _folders(top: Path) -> Iterable[Path]:
    for number, (folder, inner, _) in enumerate(os.walk(top), start=1):
        inner[:] = [name for name in inner if not _ignored(name)]
        yield Path(folder)
        if number == _MOST_FOLDERS:
            return


def _ignored(name: str) -> bool:
    return name in _NEVER or name.startswith(".")


def _new_folder(edit: Edit) -> bool:
    change, path = edit
    return change is Change.added and not _ignored(path.name) and path.is_dir()


def _matters(path: Path, suffixes: tuple[str, ...]) -> bool:
    code = path.suffix in suffixes and not path.name.startswith(".")
    return code or path.name in DOTENV_FILES
