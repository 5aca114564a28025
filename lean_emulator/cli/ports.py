"""Who holds a port, and which ones are free. For error texts, so a doubt ends in ``None``."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

LISTEN = "0A"
"""State of a listening socket in ``/proc/net/tcp``."""


def holder(port: int) -> str | None:
    """The process that listens on a TCP port, as ``node (pid 4711)``.

    ``None`` where that cannot be found out, for instance because it belongs to somebody else.
    """
    if Path("/proc/net/tcp").exists():
        pid = _pid_on_linux(port)
        return None if pid is None else f"{_name_on_linux(pid)} (pid {pid})"
    return _ask_lsof(port)


def _pid_on_linux(port: int) -> int | None:
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not sockets:
        return None
    for folder in Path("/proc").glob("[0-9]*/fd"):
        if any(target in sockets for target in _targets(folder)):
            return int(folder.parent.name)
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    """The table's columns: slot, local address, remote address, state, …, inode as the tenth."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if columns[3] == LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                yield columns[9]


def _targets(folder: Path) -> Iterator[str]:
    try:
        names = os.listdir(folder)
    except OSError:  # another user's process, or one that has just ended
        return
    for name in names:
        try:
            yield os.readlink(folder / name)
        except OSError:
            continue


def _name_on_linux(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "a process"
    if any(Path(word).name in ("lean-emu", "lean_emulator") for word in words[:4]):
        return "lean-emu"
    return Path(words[0]).name or "a process"


def _ask_lsof(port: int) -> str | None:
    program = shutil.which("lsof")
    if program is None:
        return None
    question = [program, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-F", "pc"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, timeout=3, check=False)  # noqa: S603 - fixed words and a number
    except (OSError, subprocess.SubprocessError):
        return None
    fields = {line[:1]: line[1:] for line in reversed(answer.stdout.splitlines())}
    return f"{fields['c']} (pid {fields['p']})" if {"c", "p"} <= fields.keys() else None


def free_pair(host: str, taken: int) -> int:
    """The next port that is free together with the one after it; 0, any, when there is none."""
    candidates = range(taken + 2, min(taken + 200, 65_534), 2)
    return next((p for p in candidates if is_free(host, p) and is_free(host, p + 1)), 0)


def is_free(host: str, port: int) -> bool:
    """Whether one could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
