"""What ``lean-emu doctor`` looks at. Nothing here changes the project."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lean_emulator import __version__, instance_file, keys, settings
from lean_emulator.base.errors import Hint, LeanEmuError
from lean_emulator.cli import ports
from lean_emulator.cli.banner import is_loopback
from lean_emulator.engine.project import Project, find_project
from lean_emulator.room_settings import data_folder
from lean_emulator.settings import Settings
from lean_emulator.storage.folder_report import inspect

State = Literal["ok", "note", "warning", "wrong"]

ASK_SECONDS = 20.0
NOTICE_SECONDS = 3.0
OLDEST_NODE = 12
OLDEST_PYTHON = (3, 6)
WATCHES_PER_FOLDER = 8_192
"""Fewer inotify watches than this run out in a large project."""

_ABOUT = (
    "import json, sys\n"
    "found = {'version': list(sys.version_info[:3]), 'sdk': None, 'error': None}\n"
    "try:\n"
    "    import leancloud\n"
    "    found['sdk'] = getattr(leancloud, '__version__', '?')\n"
    "except Exception as e:\n"
    "    found['error'] = '%s: %s' % (type(e).__name__, e)\n"
    "print(json.dumps(found))\n"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; what is ``wrong`` keeps something from working."""

    name: str
    state: State
    text: str
    hint: Hint | None = None


def all_checks(directory: Path, flags: dict[str, object]) -> Iterator[Check]:
    """Every check that the project allows, in the order in which starting needs them."""
    yield Check(
        "lean-emu",
        "ok",
        f"{__version__} on Python {platform.python_version()} ({sys.executable})",
    )
    try:
        chosen = settings.load(directory, flags, os.environ).settings
    except LeanEmuError as e:
        yield Check("settings", "wrong", e.message, e.hint)
        return
    yield Check("settings", "ok", str(chosen.project_dir))
    yield from _code(chosen)
    yield from _ports(chosen)
    yield _keys(chosen)
    yield _data(chosen)
    yield from _watcher(chosen)
    yield from _environment()


def _code(chosen: Settings) -> Iterator[Check]:
    if chosen.attach is not None or not chosen.code:
        yield Check("code", "note", "none is started")
        return
    try:
        project = find_project(
            chosen.project_dir, cmd=chosen.cmd, python=chosen.python, code=chosen.code
        )
    except LeanEmuError as e:
        yield Check("code", "wrong", e.message, e.hint)
        return
    yield Check("code", "ok", project.title)
    if project.entry is not None:
        yield from _interpreter(project)
    elif (chosen.project_dir / "package.json").is_file():
        yield from _node(chosen.project_dir)


def _interpreter(project: Project) -> Iterator[Check]:
    python = project.interpreter
    try:
        done = _asked(str(python), "-c", _ABOUT, folder=project.directory)
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as e:
        hint = Hint("Name another one: --python PATH", "请指定其他解释器：--python 路径")
        yield Check("interpreter", "wrong", f"{python} does not run: {e}", hint)
        return
    version = tuple(found["version"])
    text = f"Python {'.'.join(map(str, version))} ({python})"
    if version < OLDEST_PYTHON:
        hint = Hint("Name another one: --python PATH", "请指定其他解释器：--python 路径")
        yield Check("interpreter", "wrong", f"{text} is too old, 3.6 is the oldest", hint)
        return
    yield Check("interpreter", "ok", text)
    yield _sdk(project, version, found)


def _sdk(project: Project, version: tuple[int, ...], found: dict[str, Any]) -> Check:
    python = project.interpreter
    if found["sdk"] is not None:
        return Check("SDK", "ok", f"leancloud {found['sdk']}")
    if not _wants_sdk(project):
        return Check("SDK", "note", f"leancloud is not installed, and {project.title} uses none")
    if version >= (3, 12):
        hint = Hint(
            "The SDK installs on Python 3.11 and older only: python3.11 -m venv "
            ".venv && .venv/bin/pip install leancloud",
            "SDK 只能安装在 Python 3.11 及更早版本：python3.11 -m venv .venv && "
            ".venv/bin/pip install leancloud",
        )
    else:
        command = f"{python} -m pip install leancloud"
        hint = Hint(f"Install it: {command}", f"请安装：{command}")
    return Check("SDK", "wrong", f"leancloud cannot be imported: {found['error']}", hint)


def _wants_sdk(project: Project) -> bool:
    """A ``cloud.py`` is nothing without it; a ``wsgi.py`` may be any web app."""
    entry = project.entry
    return entry is not None and (
        entry.name == "cloud.py" or "leancloud" in entry.read_text("utf-8", "replace")
    )


def _node(folder: Path) -> Iterator[Check]:
    node = shutil.which("node")
    if node is None:
        hint = Hint("Install it: https://nodejs.org", "请安装：https://nodejs.org")
        yield Check("node", "wrong", "there is no node on the PATH", hint)
        return
    try:
        version = _asked(node, "--version", folder=folder).stdout.strip()
    except (OSError, subprocess.SubprocessError) as e:
        yield Check("node", "wrong", f"{node} does not run: {e}")
        return
    major = version.lstrip("v").partition(".")[0]
    if major.isdigit() and int(major) < OLDEST_NODE:
        hint = Hint("Steps of calls are told apart from 12 on.", "12 及以上版本才能区分各次调用。")
        yield Check("node", "warning", f"{version} ({node}) is old", hint)
    else:
        yield Check("node", "ok", f"{version} ({node})")
    if (folder / "node_modules").is_dir():
        yield Check("packages", "ok", "node_modules is there")
    else:
        hint = Hint("Install them: npm install", "请安装：npm install")
        yield Check("packages", "wrong", "node_modules is missing", hint)


def _ports(chosen: Settings) -> Iterator[Check]:
    if not is_loopback(chosen.host):
        hint = Hint("Leave --host out to keep others off.", "去掉 --host 可阻止其他机器访问。")
        yield Check("host", "warning", f"{chosen.host} lets other machines in", hint)
    running = instance_file.look(chosen.project_dir).running
    if running is not None:
        yield Check("instance", "note", f"pid {running.pid} serves {running.api_url}")
    console = chosen.console_port
    if console is None:
        console = 0 if chosen.port == 0 else chosen.port + 1
    for name, port in (("API port", chosen.port), ("console port", console)):
        yield _port(name, port, chosen.host, None if running is None else running.pid)


def _port(name: str, port: int, host: str, own: int | None) -> Check:
    if port == 0:
        return Check(name, "ok", "any free one")
    if ports.is_free(host, port):
        return Check(name, "ok", f"{port} is free")
    holder = ports.holder(port)
    if own is not None and holder is not None and f"(pid {own})" in holder:
        return Check(name, "ok", f"{port} is the running instance's")
    free = ports.free_pair(host, port)
    hint = Hint(f"Take another one: --port {free}", f"请换用其他端口：--port {free}")
    return Check(name, "wrong", f"{port} is in use by {holder or 'another process'}", hint)


def _keys(chosen: Settings) -> Check:
    path = keys.path_in(chosen.project_dir)
    if all(getattr(chosen, name) is not None for name in keys.NAMES):
        return Check("keys", "ok", "given from outside")
    if not path.exists():
        place = chosen.project_dir
        if os.access(place, os.W_OK):
            return Check("keys", "ok", "made at the first start")
        hint = Hint("Make it writable, or set all four keys.", "请使其可写，或设置全部四个密钥。")
        return Check("keys", "warning", f"{place} cannot be written: keys change each time", hint)
    try:
        found = keys.load(chosen.project_dir, {})
    except LeanEmuError as e:
        return Check("keys", "wrong", e.message, e.hint)
    if found.warnings:
        hint = Hint(f"chmod 600 {path}", f"chmod 600 {path}")
        return Check("keys", "warning", found.warnings[0].partition(":")[0], hint)
    return Check("keys", "ok", str(path))


def _data(chosen: Settings) -> Check:
    if chosen.storage == "memory":
        return Check("data", "note", "in memory, forgotten when lean-emu stops")
    folder = data_folder(chosen)
    near = next(place for place in (folder, *folder.parents) if place.exists())
    if not near.is_dir() or not os.access(near, os.W_OK):
        hint = Hint(
            "Make it writable, or keep nothing: --storage memory",
            "请使其可写，或不保存数据：--storage memory",
        )
        return Check("data", "wrong", f"{near} cannot be written", hint)
    if not folder.exists():
        return Check("data", "ok", f"{folder}, made at the first start")
    report = inspect(folder)
    if report.trouble:
        first = report.trouble[0]
        hint = first.hint or Hint("lean-emu data check", "lean-emu data check")
        return Check("data", "wrong", first.message, hint)
    return Check("data", "ok", f"{report.objects} objects in {folder}")


def _watcher(chosen: Settings) -> Iterator[Check]:
    if not chosen.watch:
        yield Check("watcher", "note", "files are not watched")
        return
    if not _notices():
        hint = Hint(
            "Edits are found more slowly, by looking. Network and shared folders are often so.",
            "改动将通过轮询发现，速度较慢。网络盘和共享目录常有此问题。",
        )
        yield Check("watcher", "warning", "the system does not tell of changed files", hint)
        return
    try:
        most = int(Path("/proc/sys/fs/inotify/max_user_watches").read_text("ascii"))
    except (OSError, ValueError):
        most = WATCHES_PER_FOLDER
    if most < WATCHES_PER_FOLDER:
        command = "sudo sysctl fs.inotify.max_user_watches=524288"
        yield Check(
            "watcher", "warning", f"only {most} folders can be watched", Hint(command, command)
        )
    else:
        yield Check("watcher", "ok", "changed files are noticed")


def _notices() -> bool:
    """Whether a change in a folder is told of."""
    from watchfiles import watch

    over = threading.Event()
    with tempfile.TemporaryDirectory(prefix="lean-emu-doctor-") as name:
        changes = watch(
            name, stop_event=over, step=10, rust_timeout=50, yield_on_timeout=True, debounce=10
        )
        rounds = int(NOTICE_SECONDS / 0.05)
        try:
            for number, seen in zip(range(rounds), changes, strict=False):
                if seen:
                    return True
                Path(name, f"{number}.py").write_text("", "utf-8")
        except OSError:
            return False
        finally:
            over.set()
            changes.close()
    return False


def _environment() -> Iterator[Check]:
    """Variables of the platform in this shell, which clients started here would follow."""
    server = os.environ.get("LEANCLOUD_API_SERVER", "")
    if server and not any(host in server for host in ("127.0.0.1", "localhost", "[::1]")):
        hint = Hint('eval "$(lean-emu env)"', 'eval "$(lean-emu env)"')
        text = f"LEANCLOUD_API_SERVER is {server}: clients of this shell use that"
        yield Check("environment", "warning", text, hint)


def _asked(*words: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - the project's own interpreter, which `up` starts too
        words,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ASK_SECONDS,
        check=True,
    )
