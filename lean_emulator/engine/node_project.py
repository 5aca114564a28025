"""Node projects: how they start (engine.md 1.3) and what they lack."""

import json
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lean_emulator.base.errors import Hint, StartError

SERVER = "server.js"
PACKAGE = "package.json"


def is_node(folder: Path) -> bool:
    """Would the platform take the folder for Node, whatever else is in it (rows 2 and 3)?

    Raises ``StartError`` for a ``package.json`` that cannot be read.
    """
    package = _package(folder)
    return package is not None and ((folder / SERVER).is_file() or "start" in _scripts(package))


def node_command(folder: Path) -> tuple[str, ...] | None:
    """The words that start it; ``None`` where there is nothing to start."""
    scripts = _scripts(_package(folder) or {})
    if "dev" in scripts:
        return "npm", "run", "dev"
    if "start" in scripts:
        return "npm", "start"
    return ("node", SERVER) if (folder / SERVER).is_file() else None


def check_node(folder: Path, command: tuple[str, ...]) -> None:
    """Raise ``StartError`` when Node or the packages of the project are not installed."""
    if shutil.which(command[0]) is None:
        raise StartError(
            f"{command[0]} was not found, and {folder} is a Node project.",
            hint=Hint(
                en="install Node.js 12 or newer (https://nodejs.org), or put it on PATH",
                zh="请安装 Node.js 12 或更高版本（https://nodejs.org），或将其加入 PATH",
            ),
        )
    if (_package(folder) or {}).get("dependencies") and not _installed(folder):
        install = f"npm install --prefix {shlex.quote(str(folder))}"
        raise StartError(
            f"The packages that {folder / PACKAGE} names are not installed: "
            "there is no node_modules.",
            hint=Hint(en=f"install them: {install}", zh=f"请先安装依赖：{install}"),
        )


def _package(folder: Path) -> dict[str, Any] | None:
    path = folder / PACKAGE
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))  # a BOM is stripped
    except (OSError, ValueError) as error:
        raise StartError(
            f"{path} cannot be read: {error}.",
            hint=Hint(
                en='it must be JSON; to start without it: --cmd "node server.js"',
                zh='该文件必须是合法的 JSON；也可绕过它启动：--cmd "node server.js"',
            ),
        ) from error
    return value if isinstance(value, dict) else {}


def _scripts(package: Mapping[str, Any]) -> set[str]:
    """Names of the scripts that are not empty."""
    scripts = package.get("scripts")
    if not isinstance(scripts, dict):
        return set()
    return {name for name, text in scripts.items() if isinstance(text, str) and text.strip()}


def _installed(folder: Path) -> bool:
    """Node looks for packages in the folder and in each one above; Yarn may keep them zipped."""
    return any(
        (place / name).exists()
        for place in (folder, *folder.parents)
        for name in ("node_modules", ".pnp.cjs", ".pnp.js")
    )
