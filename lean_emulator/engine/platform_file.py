"""``leanengine.yaml``: what a project tells the platform about its start (engine.md 1.4)."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NAME = "leanengine.yaml"

_LINE = re.compile(r"(runtime|run|startupTimeout|functionsMode)[ \t]*:(?:[ \t]+(.*?))?[ \t]*$")
_NOT_PLAIN = tuple("|>&*![]{}%@`,?-")
FunctionsMode = Literal["strict", "disabled", "tolerated"]
"""What becomes of a project whose functions cannot be read, or are not wanted at all."""

_SHORTEST, _LONGEST = 15, 120


@dataclass(frozen=True, slots=True)
class PlatformFile:
    """``run`` is a shell command, ``start_seconds`` the time it has to get ready. ``functions``
    is ``strict`` when code that does not tell its functions counts as broken, ``disabled`` when
    they are not even asked for.

    A key that is absent, or written in a way this reads nothing from, is ``None``.
    """

    runtime: str | None = None
    run: str | None = None
    start_seconds: float | None = None
    functions: FunctionsMode = "tolerated"


def read_platform_file(folder: Path) -> PlatformFile:
    """The four keys of the file; an absent file is an empty one.

    Reads values that stand on the line of their key, plain or quoted. Blocks, anchors and flow
    collections are left alone: taking them for text would start something nobody has written.
    """
    try:
        lines = (folder / NAME).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return PlatformFile()
    values: dict[str, str | None] = {}
    for line, after in zip(lines, [*lines, ""][1:], strict=True):
        match = _LINE.match(line)
        if match:
            goes_on = after[:1] in (" ", "\t") and not after.lstrip().startswith("#")
            values[match[1]] = None if goes_on and after.strip() else _scalar(match[2] or "")
    return PlatformFile(
        values.get("runtime"),
        values.get("run"),
        _seconds(values.get("startupTimeout")),
        _functions(values.get("functionsMode")),
    )


def _scalar(text: str) -> str | None:
    if text[:1] in ("'", '"'):
        quoted = re.fullmatch(r"'([^']*)'|\"([^\"\\]*)\"", re.sub(r"[ \t]+#[^'\"]*$", "", text))
        return (quoted[1] or quoted[2] or None) if quoted else None
    plain = re.split(r"(?:^|[ \t])#", text, maxsplit=1)[0].rstrip()
    if not plain or plain.startswith(_NOT_PLAIN) or ": " in plain:
        return None
    return plain


def _seconds(value: str | None) -> float | None:
    if value is None or not value.isdecimal():
        return None
    return float(value) if _SHORTEST <= int(value) <= _LONGEST else None


def _functions(value: str | None) -> FunctionsMode:
    if value == "strict":
        return "strict"
    return "disabled" if value == "disabled" else "tolerated"
