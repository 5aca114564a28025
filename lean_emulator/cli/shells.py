"""Variables as commands of a shell, quoted so that any value arrives as it is."""

import shlex
from collections.abc import Callable, Mapping


def _posix(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _powershell(name: str, value: str) -> str:
    return f"$env:{name} = '{value.replace(chr(39), chr(39) * 2)}'"


SHELLS: dict[str, Callable[[str, str], str]] = {
    "posix": _posix,
    "fish": _fish,
    "powershell": _powershell,
}


def commands(shell: str, variables: Mapping[str, str]) -> list[str]:
    """One command for each variable, in their order."""
    return [SHELLS[shell](name, value) for name, value in variables.items()]
