"""``.lean-emu/run.json``: how other commands find the instance that serves a project.

It is written when the instance is ready and removed when it stops. A process that was killed
leaves it behind, so nobody believes the file alone: the process must be there and its API answer.
"""

import contextlib
import dataclasses
import http.client
import json
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from lean_emulator import state_folder

FILE_NAME = "run.json"
PROBE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Instance:
    """A running emulator, as it described itself."""

    pid: int
    api_url: str
    console_url: str
    api_port: int
    console_port: int
    app_id: str
    """Which keys it was started with, for whoever has others; the id is no secret."""
    started_ms: int
    """Milliseconds since 1970 UTC."""
    version: str
    project_dir: str


class Health(Enum):
    """What became of the instance that the file names."""

    ABSENT = "absent"
    """There is no file, or none that can be read."""
    RUNNING = "running"
    GONE = "gone"
    """The process has ended without removing its file."""
    SILENT = "silent"
    """A process with that id exists, but the API does not answer as ours."""


class Sighting(NamedTuple):
    """``instance`` is ``None`` only when the health is ``ABSENT``."""

    health: Health
    instance: Instance | None

    @property
    def running(self) -> Instance | None:
        """The instance, when it is worth a request."""
        return self.instance if self.health is Health.RUNNING else None


def path_in(project_dir: Path) -> Path:
    return state_folder.path_in(project_dir) / FILE_NAME


def write(project_dir: Path, instance: Instance) -> None:
    """Announce an instance; the last one wins. Raises ``OSError`` in a read-only folder."""
    state_folder.ensure(project_dir)
    text = json.dumps(dataclasses.asdict(instance), indent=2) + "\n"
    state_folder.replace(path_in(project_dir), text.encode())


def remove(project_dir: Path, pid: int) -> None:
    """Take the announcement back, unless another process has made its own since."""
    instance = _read(path_in(project_dir))
    if instance is not None and instance.pid == pid:
        path_in(project_dir).unlink(missing_ok=True)


def look(project_dir: Path) -> Sighting:
    """Find the project's instance and check that it is alive."""
    instance = _read(path_in(project_dir))
    if instance is None:
        return Sighting(Health.ABSENT, None)
    if not exists(instance.pid):
        return Sighting(Health.GONE, instance)
    if not _answers(instance.api_url):
        return Sighting(Health.SILENT, instance)
    return Sighting(Health.RUNNING, instance)


def _read(path: Path) -> Instance | None:
    """A file that is damaged or of another version says nothing, so it counts as absent."""
    try:
        raw = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(raw, dict):
        return None
    try:
        instance = Instance(**raw)
    except TypeError:
        return None
    kinds = {field.name: field.type for field in dataclasses.fields(Instance)}
    fits = all(type(value) is kinds[name] for name, value in raw.items())
    return instance if fits and instance.pid > 0 else None


def exists(pid: int) -> bool:
    """Whether a process of that id runs; one that has ended and was not collected does not."""
    if os.name == "nt":  # signal 0 would end the process there; the probe decides alone
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return not _has_ended(pid)


def _has_ended(pid: int) -> bool:
    """Whether nothing but its exit code is left of a process, where that can be told."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state in (b"Z", b"X")


def _answers(api_url: str) -> bool:
    """Whether an emulator listens there: it refuses to tell about itself without a key.

    That question leaves no trace in the console, unlike any other.
    """
    try:
        address = urlsplit(api_url)
        with contextlib.closing(
            http.client.HTTPConnection(address.hostname or "", address.port, timeout=PROBE_SECONDS)
        ) as connection:
            connection.request("GET", "/__emu/info")
            body = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return isinstance(body, dict) and body.get("code") == 401
