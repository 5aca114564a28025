"""How projects of other languages than Python start, as the platform does it (engine.md 1.3).

Each runtime is recognised by files in the project's folder, the first that fits wins, and its
command is told the port in place of the platform's fixed one.
"""

import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lean_emulator.base.errors import Hint, StartError
from lean_emulator.engine.node_project import check_node, is_node, node_command

_HERE = Path(__file__).parent
_PORT = "$LEANCLOUD_APP_PORT"


@dataclass(frozen=True, slots=True)
class Start:
    """What starts a project.

    ``folder`` is where, below the project's own; ``variables`` are set besides the usual ones and
    may use ``$LEANCLOUD_APP_PORT``, as ``command`` may. ``watched`` says whether an edit needs a
    new process.
    """

    runtime: str
    command: tuple[str, ...]
    folder: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    watched: bool = True


@dataclass(frozen=True, slots=True)
class Runtime:
    """One language: how to see that a folder is of it, and how such a folder starts."""

    name: str
    """As ``runtime`` of ``leanengine.yaml`` says it."""
    fits: Callable[[Path], bool]
    start: Callable[[Path], Start]
    install: str = ""
    """Where its programs come from; empty when nothing has to be installed."""


def detect(folder: Path, wanted: str | None = None) -> Start | None:
    """How the project starts; ``None`` when it is of no runtime known here.

    ``wanted`` is what ``leanengine.yaml`` names, and goes before any look at the files. Raises
    ``StartError`` for a project of the first cloud code, and for files that cannot be read.
    """
    if (folder / "cloud" / "main.js").is_file():
        raise _cloud_code_2(folder)
    for runtime in RUNTIMES:
        if runtime.name == wanted or (not _known(wanted) and runtime.fits(folder)):
            return runtime.start(folder)
    command = node_command(folder)  # what the platform would not take, and npm or node still start
    return None if command is None else Start("nodejs", command)


def check_installed(folder: Path, start: Start) -> None:
    """Raise ``StartError`` when the program that starts the project is not on this machine."""
    if start.runtime == "nodejs":
        check_node(folder, start.command)
        return
    program = start.command[0]
    if program.startswith("./"):
        found: object = (folder / program).is_file()
    else:
        found = shutil.which(program)
    if found:
        return
    where = next(runtime.install for runtime in RUNTIMES if runtime.name == start.runtime)
    raise StartError(
        f"{program} was not found, and {folder} is a project for {start.runtime}.",
        hint=Hint(
            en=f"install it ({where}), or say what starts the project: lean-emu up --cmd COMMAND",
            zh=f"请先安装（{where}），或指定启动命令：lean-emu up --cmd 命令",
        ),
    )


def _known(name: str | None) -> bool:
    return any(runtime.name == name for runtime in RUNTIMES)


def _node(folder: Path) -> Start:
    command = node_command(folder)
    if command is None:
        raise StartError(
            f"leanengine.yaml says nodejs, but nothing in {folder} says how to start it.",
            hint=Hint(
                en='add "scripts": {"start": "node FILE.js"} to package.json, or a server.js',
                zh='请添加 "scripts": {"start": "node 文件.js"}，或添加 server.js',
            ),
        )
    return Start("nodejs", command)


def _php(folder: Path) -> Start:
    router = str(_HERE / "router.php")
    words = ("php", "-S", f"127.0.0.1:{_PORT}", "-t", "public", router)
    return Start("php", words)


def _java(folder: Path) -> Start:
    if (folder / "gradlew").is_file():
        return Start("java", ("./gradlew", "appRun"))
    goal = "spring-boot:run" if "spring-boot-maven-plugin" in _plugins(folder) else "jetty:run"
    return Start("java", ("mvn", goal))


def _dotnet(folder: Path) -> Start:
    urls = {"ASPNETCORE_URLS": f"http://127.0.0.1:{_PORT}"}
    return Start("dotnet", ("dotnet", "run"), folder="web", variables=urls)


def _static(folder: Path) -> Start:
    # The platform's "npx serve" would be fetched from a registry: ours does the same for the files.
    words = (sys.executable, str(_HERE / "static_site.py"), _PORT)
    return Start("static", words, watched=False)


def _go(folder: Path) -> Start:
    return Start("go", ("go", "run", "main.go"))


def _plugins(folder: Path) -> set[str]:
    """Plugins of the build that a ``pom.xml`` names."""
    path = folder / "pom.xml"
    try:
        root = ElementTree.fromstring(path.read_bytes())  # noqa: S314 - the user's own file
    except (OSError, ElementTree.ParseError) as error:
        raise StartError(
            f"{path} cannot be read: {error}.",
            hint=Hint(
                en='it must be XML; to start without it: --cmd "mvn spring-boot:run"',
                zh='该文件必须是合法的 XML；也可绕过它启动：--cmd "mvn spring-boot:run"',
            ),
        ) from error
    found = root.findall("{*}build/{*}plugins/{*}plugin/{*}artifactId")
    return {(element.text or "").strip() for element in found}


def _cloud_code_2(folder: Path) -> StartError:
    return StartError(
        f"{folder / 'cloud' / 'main.js'} is of cloud code 2.0, which the platform has retired.",
        hint=Hint(
            en="move it to a LeanEngine project: server.js with the leanengine package from npm",
            zh="请迁移到云引擎项目：使用 npm 的 leanengine 包并编写 server.js",
        ),
    )


def _has(*names: str) -> Callable[[Path], bool]:
    return lambda folder: all((folder / name).is_file() for name in names)


def _has_any(*names: str) -> Callable[[Path], bool]:
    return lambda folder: any((folder / name).is_file() for name in names)


RUNTIMES = (
    Runtime("nodejs", is_node, _node, "https://nodejs.org"),
    Runtime("php", _has("composer.json", "public/index.php"), _php, "https://www.php.net"),
    Runtime("java", _has_any("pom.xml", "gradlew"), _java, "https://maven.apache.org"),
    Runtime("dotnet", _has("app.sln"), _dotnet, "https://dotnet.microsoft.com"),
    Runtime("static", _has_any("index.html", "static.json"), _static),
    Runtime("go", _has("go.mod"), _go, "https://go.dev"),
)
