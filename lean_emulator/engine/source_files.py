"""The files a running generation was loaded from, and whether they still are what they were."""

import os
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lean_emulator.engine.installed import Installed

_SETTLED_NS = 20_000_000
"""File systems stamp by ticks of a few ms; an older stamp cannot stand for two contents."""

_PAUSE_PER_FILE = 6e-6
_LONGEST_PAUSE = 0.002


class FileState(NamedTuple):
    """A file as it was when it was read; ``crc`` is of its content."""

    mtime_ns: int
    size: int
    inode: int
    crc: int


class SourceFiles:
    """Known files with their states; ``None`` is a file that was not there."""

    def __init__(
        self, states: Mapping[str, FileState | None], installed: Installed | None = None
    ) -> None:
        self.installed = installed or Installed()
        """The packages beside which they were loaded."""
        self._states = dict(states)
        self._fresh = {path for path, state in states.items() if state is not None}
        self._not_before = 0.0

    @classmethod
    def reported(
        cls,
        files: Mapping[str, Sequence[int]],
        also: Iterable[Path] = (),
        places: Iterable[str] = (),
    ) -> "SourceFiles":
        """From a child's own words; ``also`` are files to know that it has not read, ``places``
        those that change when packages are installed.
        """
        states: dict[str, FileState | None] = {str(path): _state(str(path)) for path in also}
        states.update({path: FileState(*stamp) for path, stamp in files.items()})
        return cls(states, Installed(places))

    def __contains__(self, path: str) -> bool:
        return path in self._states

    def learn(self, files: Mapping[str, Sequence[int]]) -> None:
        """Files the child has read since."""
        for path, stamp in files.items():
            self._states[path] = FileState(*stamp)
            self._fresh.add(path)

    def changed(self) -> str | None:
        """A file that is no longer what was read, ``None`` when all are.

        Cheap enough for every call: after a look it rests for about four times as long as a look
        takes, some tens of microseconds for a small project and 2 ms at most.
        """
        began = time.perf_counter()
        if began < self._not_before:
            return None
        found = self._look() or self._look_inside()
        if found is None:  # what was found once must be found again, by whoever acts on it
            self._not_before = began + min(_LONGEST_PAUSE, _PAUSE_PER_FILE * len(self._states))
        return found

    def changed_now(self) -> str | None:
        """The same without the rest before and after."""
        return self._look() or self._look_inside()

    def _look(self) -> str | None:
        for path, state in self._states.items():
            try:
                now = os.stat(path)
            except OSError:
                if state is not None:
                    return path
                continue
            if state is None or (now.st_mtime_ns, now.st_size, now.st_ino) != state[:3]:
                return path
        return None

    def _look_inside(self) -> str | None:
        """Compare contents while a second edit could hide behind an equal time stamp."""
        for path in list(self._fresh):
            state = self._states[path]
            now = _state(path)
            if state is None or now is None or now.crc != state.crc:
                return path
            if time.time_ns() - state.mtime_ns > _SETTLED_NS:
                self._fresh.discard(path)
        return None


def _state(path: str) -> FileState | None:
    try:
        stat = os.stat(path)
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return None
    return FileState(stat.st_mtime_ns, stat.st_size, stat.st_ino, zlib.crc32(data))
