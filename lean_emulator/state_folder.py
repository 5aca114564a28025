"""``.lean-emu/`` in the project: the only place on disk where we keep anything.

The folder is for its owner alone (0700) and holds a ``.gitignore`` that hides all of it, so that
keys are never committed by accident. Files in it are seen whole or not at all.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

NAME = ".lean-emu"


def path_in(project_dir: Path) -> Path:
    return project_dir / NAME


def ensure(project_dir: Path) -> Path:
    """The folder, made where it is missing. Raises ``OSError`` where that is not possible."""
    folder = path_in(project_dir)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        create(ignore, b"*\n")
    return folder


def create(path: Path, content: bytes) -> bool:
    """Write a file that must not exist; ``False``, and nothing changed, when it does.

    Of two processes exactly one gets ``True``, and neither ever reads half a file.
    """
    with _written_beside(path, content) as draft:
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            return _create_in_place(path, content)
    return True


def replace(path: Path, content: bytes) -> None:
    """Write a file over whatever was there."""
    with _written_beside(path, content) as draft:
        draft.replace(path)


@contextlib.contextmanager
def _written_beside(path: Path, content: bytes) -> Iterator[Path]:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        _write_new(draft, content)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _create_in_place(path: Path, content: bytes) -> bool:
    try:
        _write_new(path, content)
    except FileExistsError:
        return False
    return True


def _write_new(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
