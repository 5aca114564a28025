"""What the user's code is and how it is started: found by looking, without running anything."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lean_emulator.base.errors import Hint, StartError
from lean_emulator.engine.node_project import PACKAGE, is_node
from lean_emulator.engine.platform_file import FunctionsMode, PlatformFile, read_platform_file
from lean_emulator.engine.runtimes import Start, check_installed, detect

ProjectKind = Literal["cloud.py", "wsgi.py", "command", "attached", "none"]

_APPLICATION = re.compile(r"^(application\s*[=:]|def application\b|from\b.*\bapplication\b)", re.M)
_OTHER_SERVERS = {"app.py": "python app.py", "main.py": "python main.py"}
_DOTENV_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*?)\s*$")


@dataclass(frozen=True, slots=True)
class Project:
    """The folder and how its code runs.

    ``entry`` is the file that is loaded (``None`` for commands and none), ``command`` the words of
    ``--cmd`` or of what was detected, ``interpreter`` the Python that loads the entry. ``name`` is
    what a detected command is called; ``start_seconds`` is the time the project itself says that
    it needs to get ready, ``None`` when it says nothing. ``functions`` is what its
    ``functionsMode`` says. A command runs in ``folder`` below the project's own, with
    ``variables`` besides the usual ones; ``watched`` says whether an edit needs a new process.
    ``url`` is where an attached app is.
    """

    directory: Path
    kind: ProjectKind
    entry: Path | None
    command: tuple[str, ...]
    interpreter: Path
    name: str = ""
    start_seconds: float | None = None
    functions: FunctionsMode = "tolerated"
    folder: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    watched: bool = True
    url: str = ""

    @property
    def title(self) -> str:
        """How traces and messages call the code."""
        return self.name or (self.kind if self.kind != "command" else self.command[0])


def find_project(
    directory: Path | str, *, cmd: str | None = None, python: str | None = None, code: bool = True
) -> Project:
    """Decide how the code in ``directory`` runs.

    ``cmd`` is run as it is. Otherwise a Node project is one when the platform says so (engine.md
    1.3), unless ``python`` or its ``leanengine.yaml`` asks for Python. Then the entry is
    ``wsgi.py`` when it offers ``application`` (it is what runs online, and it imports ``cloud.py``
    itself), else ``cloud.py``; what has neither runs as ``leanengine.yaml`` says, or by Node.
    ``code=False`` wants none at all. Raises ``StartError``.
    """
    folder = Path(directory).expanduser().resolve()
    if not folder.is_dir():
        raise StartError(
            f"{folder} is not a folder.",
            hint=Hint(
                en="give the folder that holds cloud.py: lean-emu up DIR",
                zh="请指定 cloud.py 所在的目录：lean-emu up 目录",
            ),
        )
    if not code:
        return Project(folder, "none", None, (), Path(sys.executable))
    if cmd is not None:
        return Project(folder, "command", None, _words(cmd), Path(sys.executable))
    told = read_platform_file(folder)
    entry = _python_entry(folder)
    asks_for_python = entry is not None and (python is not None or told.runtime == "python")
    asks_for_another = told.runtime not in (None, "python")
    if entry is None or (not asks_for_python and (asks_for_another or is_node(folder))):
        return _started(folder, told)
    kind: ProjectKind = "wsgi.py" if entry.name == "wsgi.py" else "cloud.py"
    return Project(
        folder,
        kind,
        entry,
        (),
        _interpreter(folder, python),
        start_seconds=told.start_seconds,
        functions=told.functions,
    )


def _python_entry(folder: Path) -> Path | None:
    wsgi, cloud = folder / "wsgi.py", folder / "cloud.py"
    if wsgi.is_file() and (not cloud.is_file() or _offers_application(wsgi)):
        return wsgi
    return cloud if cloud.is_file() else None


def _started(folder: Path, told: PlatformFile) -> Project:
    """A project that some command starts: its own, or the one of its runtime."""
    start = detect(folder, told.runtime)
    if start is not None and (told.run is None or start.runtime == "nodejs"):
        check_installed(folder, start)
    if told.run is not None:
        words = ("sh", "-c", told.run) if os.name == "posix" else _words(told.run)
        name, start = told.run, Start("", words)
    elif start is not None:
        name = "static site" if start.runtime == "static" else " ".join(start.command)
    else:
        raise _nothing_found(folder)
    return Project(
        folder,
        "command",
        None,
        start.command,
        Path(sys.executable),
        name,
        told.start_seconds,
        told.functions,
        start.folder,
        start.variables,
        start.watched,
    )


def read_dotenv(path: Path) -> dict[str, str]:
    """``KEY=VALUE`` lines of a file; an absent or unreadable file is an empty one.

    ``#`` begins a comment at the start of a line or after a blank; quotes around a value are taken
    off; nothing is expanded.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return {}
    values: dict[str, str] = {}
    for line in text.splitlines():
        match = _DOTENV_LINE.match(line)
        if match and not line.lstrip().startswith("#"):
            values[match[1]] = _unquoted(match[2])
    return values


def _unquoted(value: str) -> str:
    if value[:1] in ("'", '"'):
        end = value.find(value[0], 1)
        if end > 0:
            return value[1:end]
    return re.split(r"(?:^|\s)#", value, maxsplit=1)[0].rstrip()


def _words(cmd: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(cmd, posix=os.name == "posix"))
    except ValueError as error:
        raise StartError(
            f"--cmd cannot be read: {error} in {cmd!r}.",
            hint=Hint(
                en="close the quotes, or put the command into a script and give its name",
                zh="请检查引号是否成对，或将命令写入脚本后再指定脚本名",
            ),
        ) from error
    if not words:
        raise StartError(
            "--cmd is empty.",
            hint=Hint(en='for example: --cmd "npm start"', zh='例如：--cmd "npm start"'),
        )
    return words


def _interpreter(folder: Path, python: str | None) -> Path:
    if python is None:
        for place in (".venv/bin/python", ".venv/Scripts/python.exe"):
            if (folder / place).is_file():
                return folder / place  # not resolved: the link is what makes it the environment
        return _of_version(folder) or Path(sys.executable)
    for candidate in (Path(python).expanduser(), folder / python):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate.absolute()
    found = shutil.which(python)
    if found is None:
        raise StartError(
            f"The Python {python!r} was not found.",
            hint=Hint(
                en="give a path, or a name that is on PATH: --python python3.11",
                zh="请给出路径，或 PATH 中存在的名称：--python python3.11",
            ),
        )
    return Path(found).absolute()


def _of_version(folder: Path) -> Path | None:
    """The Python that ``.python-version`` names, if it is here and not the one we run in."""
    try:
        text = (folder / ".python-version").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    match = re.match(r"3\.\d+", text)
    if match is None:
        raise StartError(
            f"{folder / '.python-version'} says {text[:30]!r}; the platform takes CPython 3 only.",
            hint=Hint(
                en="write a version such as 3.11 into it, or name an interpreter: --python PATH",
                zh="请写入 3.11 这样的版本号，或用 --python 指定解释器",
            ),
        )
    if match[0] == f"{sys.version_info.major}.{sys.version_info.minor}":
        return None
    found = shutil.which(f"python{match[0]}")
    return None if found is None else Path(found).absolute()


def _offers_application(wsgi: Path) -> bool:
    try:
        return bool(_APPLICATION.search(wsgi.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return False


def _nothing_found(folder: Path) -> StartError:
    if (folder / PACKAGE).is_file():
        return StartError(
            f"{folder / PACKAGE} has no start script, and there is no server.js beside it.",
            hint=Hint(
                en='add "scripts": {"start": "node FILE.js"} to it, or: lean-emu up --cmd "…"',
                zh='请添加 "scripts": {"start": "node 文件.js"}，或：lean-emu up --cmd "…"',
            ),
        )
    for name, command in _OTHER_SERVERS.items():
        if (folder / name).exists():
            return StartError(
                f"There is no cloud.py, wsgi.py or server.js in {folder}, but a {name}.",
                hint=Hint(
                    en=f"run the project's own server: lean-emu up --cmd {shlex.quote(command)}",
                    zh=f"请用项目自己的启动命令：lean-emu up --cmd {shlex.quote(command)}",
                ),
            )
    return StartError(
        f"There is no cloud.py, wsgi.py or server.js in {folder}.",
        hint=Hint(
            en="give the folder that holds it (lean-emu up DIR), or run storage alone: --no-code",
            zh="请指定它所在的目录（lean-emu up 目录），或只运行存储：--no-code",
        ),
    )
