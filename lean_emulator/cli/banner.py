"""What ``lean-emu up`` says when it is ready: under 15 lines, the last one ``ready in N s``."""

import ipaddress
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lean_emulator import __version__
from lean_emulator.cli.output import styled
from lean_emulator.console.registry import registered

WIDTH = 100
_REST = {"message": "messages", "insight": "jobs"}


class Start(NamedTuple):
    """The facts of a start. ``failed`` is the last line of the traceback of code that is broken."""

    directory: str
    """The project as the user named it, for commands to copy."""
    api_url: str
    console_url: str
    state: str
    names: frozenset[str]
    load_seconds: float | None
    failed: str | None
    storage: str
    keys_place: str
    seconds: float
    attach: str | None = None
    """Address of code that somebody else starts."""
    staging: str | None = None
    """What became of the code of staging, in words; ``None`` where there is none."""
    debugger: int | None = None
    """Port for a debugger."""


def lines(start: Start) -> list[str]:
    """The text, line by line, coloured where stdout is a terminal."""
    env = f"lean-emu env {shlex.quote(start.directory)}"
    rows = [
        ("API", styled(start.api_url, fg="cyan")),
        ("Console", styled(start.console_url, fg="cyan")),
        *_code(start, env),
        *([("Staging", start.staging)] if start.staging is not None else []),
        *([("Debugger", f"127.0.0.1:{start.debugger}")] if start.debugger is not None else []),
        ("Data", start.storage),
        ("Keys", start.keys_place),
        ("Clients", f"export LEANCLOUD_API_SERVER={shlex.quote(start.api_url)}"),
        ("", styled(f'all variables: eval "$({env})"', dim=True)),
    ]
    ready = styled("ready", fg="green", bold=True)
    return [
        f"{styled('lean-emu', bold=True)} {__version__}  {start.directory}",
        "",
        *(f"  {styled(f'{name:<9}', dim=True)}{text}".rstrip() for name, text in rows),
        "",
        f"{ready} in {start.seconds:.2f} s",
    ]


def _code(start: Start, env: str) -> Iterable[tuple[str, str]]:
    if start.state == "starting" and start.attach is not None:
        command = f"{env} --code --attach {shlex.quote(start.attach)}"
        return [
            ("Code", f"waiting for the app at {start.attach}"),
            ("", f'its variables: eval "$({command})"'),
        ]
    if start.state == "none":
        return [("Code", "none: storage alone answers, no hook fires")]
    if start.failed is not None:
        return [
            ("Code", styled(f"did not load: {_cut(start.failed)}", fg="red")),
            ("", "functions and hooked writes answer with this error until an edit loads"),
        ]
    took = "" if start.load_seconds is None else f" (loaded in {start.load_seconds:.2f} s)"
    functions, hooks = grouped(start.names)
    return [
        ("Code", _counted(len(functions), "function") + _listed(functions) + took),
        ("", _counted(sum(map(len, hooks.values())), "hook") + _listed(_by_class(hooks))),
    ]


def grouped(names: Iterable[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Function names in order, and the hooks of each class in the order of a write's life.

    Hooks of accounts follow those of ``_User``; those of messages and jobs come last.
    """
    functions: list[str] = []
    hooks: dict[str, list[str]] = {}
    for item in registered(names):
        match item.group:
            case "function":
                functions.append(item.label)
            case "hook":
                hooks.setdefault(str(item.of), []).append(item.label)
            case "account":
                which = f" {item.of}" if item.label == "onVerified" else ""
                hooks.setdefault("_User", []).append(item.label + which)
            case "message" | "insight":
                hooks.setdefault(_REST[item.group], []).append(item.label)
    functions.sort(key=str.lower)
    last = _REST.values()
    return functions, dict(sorted(hooks.items(), key=lambda found: (found[0] in last, found[0])))


def _by_class(hooks: dict[str, list[str]]) -> list[str]:
    return [f"{name} {' '.join(words)}" for name, words in hooks.items()]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(items: list[str]) -> str:
    return f": {_cut(', '.join(items))}" if items else ""


def _cut(text: str, width: int = WIDTH) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def keys_place(path: Path | None) -> str:
    """Where the keys are, relative to here when that is shorter."""
    return "given from outside, kept nowhere" if path is None else shown_path(path)


def shown_path(path: Path) -> str:
    """A path, relative to here when that is shorter."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def is_loopback(host: str) -> bool:
    """Whether an address admits this machine alone; an unknown name does not count as such."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
