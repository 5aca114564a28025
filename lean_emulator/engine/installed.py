"""Whether what is installed for the code is still what it was when the code loaded."""

import os
import time
from collections.abc import Iterable, Mapping

from lean_emulator.engine.project import Project

_QUIET = 1.0
"""Seconds without a change after which an installation counts as over: it is many changes."""

_BY_COMMANDS = (
    "node_modules/.package-lock.json",
    "node_modules/.yarn-integrity",
    "node_modules/.modules.yaml",
    "vendor/composer/installed.json",
)
"""What npm, Yarn, pnpm and Composer write when they are done."""


def places_of_command(project: Project) -> list[str]:
    """Files that change when packages of a project are installed that some command starts."""
    return [str(project.directory / name) for name in _BY_COMMANDS]


class Installed:
    """Folders and files that change with every installation, as they are now."""

    def __init__(self, places: Iterable[str] = ()) -> None:
        self._states = _looked_at(places)

    def changed(self) -> bool:
        """Has something been installed or removed since, and is that over?"""
        now = _looked_at(self._states)
        if now == self._states:
            return False
        newest = max((state or 0 for state in now.values()), default=0)
        return time.time() - newest / 1e9 > _QUIET


def _looked_at(places: Iterable[str]) -> Mapping[str, int | None]:
    found: dict[str, int | None] = {}
    for place in places:
        try:
            found[place] = os.stat(place).st_mtime_ns
        except OSError:
            found[place] = None
    return found
