"""A lock on a folder with data: who holds it is alone with the files."""

import contextlib
import os
import sys
from pathlib import Path

from lean_emulator.base.errors import Hint, StartError

NAME = "lock"


class FolderLock:
    """Held from when it is made until ``release``, or until the process ends, however it does."""

    def __init__(self, folder: Path) -> None:
        """Raises ``StartError`` with the process that holds it, ``OSError`` for other trouble."""
        path = folder / NAME
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._handle)
        except OSError as e:
            holder = path.read_text("ascii", "replace").strip()
            os.close(self._handle)
            raise StartError(
                f"The data in {folder} is in use by another lean-emu (process {holder or '?'}).",
                hint=Hint(
                    "Stop it, or use other data: --data DIR or --storage memory.",
                    "请先停止该进程，或使用其他数据：--data 目录 / --storage memory。",
                ),
            ) from e
        os.ftruncate(self._handle, 0)
        os.write(self._handle, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Give the folder to others."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._handle, 0)
        os.close(self._handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        # far behind what is written, so that others can read who holds it
        os.lseek(handle, 1 << 20, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
