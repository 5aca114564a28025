"""A Python traceback read back into frames: the user's own first, with the source around them."""

import re
from dataclasses import dataclass
from pathlib import Path

from lean_emulator.base.masking import Mask

_FRAME = re.compile(r'^\s*File "(?P<file>.+)", line (?P<line>\d+)(?:, in (?P<name>.+))?$')
_AROUND_BEFORE, _AROUND_AFTER = 5, 2
_LARGEST_SOURCE = 2_000_000
_FOREIGN = ("site-packages", "dist-packages", "lean_emulator", "boot_python.py", "<frozen", "/lib/")


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of a file; ``here`` is the one the frame stood on."""

    number: int
    text: str
    here: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """``file`` is relative to the project where it lies inside; ``source`` may be empty."""

    file: str
    line: int
    name: str | None
    own: bool
    source: list[SourceLine]


@dataclass(frozen=True, slots=True)
class Traceback:
    """``last_line`` says what was raised. Frames run from the outermost to the innermost."""

    last_line: str
    own: list[Frame]
    others: list[Frame]
    text: str


def read_traceback(text: str, project: Path, mask: Mask) -> Traceback:
    """Text that is no traceback gives no frames, and its last line.

    Source lines come from the user's files, so they go through the mask here.
    """
    lines = text.rstrip().splitlines()
    frames = []
    for number, line in enumerate(lines):
        match = _FRAME.match(line)
        if match:
            following = lines[number + 1] if number + 1 < len(lines) else ""
            # what a frame quotes is indented; the error's own line is not
            said = following.strip() if following.startswith("    ") else ""
            frames.append(_frame(match, "" if _FRAME.match(said) else said, project, mask))
    last = next((line for line in reversed(lines) if line and not line.startswith(" ")), "")
    return Traceback(
        last_line=mask.text(last),
        own=[frame for frame in frames if frame.own],
        others=[frame for frame in frames if not frame.own],
        text=mask.text(text.rstrip()),
    )


def _frame(match: "re.Match[str]", said: str, project: Path, mask: Mask) -> Frame:
    path, line = Path(match["file"]), int(match["line"])
    inside = _inside(path, project)
    own = inside is not None and not any(part in str(inside) for part in _FOREIGN)
    source = _around(project / inside, line, said) if own and inside is not None else []
    if not source and said:
        source = [SourceLine(line, said, True)]
    source = [SourceLine(row.number, mask.text(row.text), row.here) for row in source]
    return Frame(str(inside if own else path), line, match["name"], own, source)


def _inside(path: Path, project: Path) -> Path | None:
    """The path relative to the project; ``None`` outside of it."""
    try:
        root = project.resolve()
        return (path if path.is_absolute() else root / path).resolve().relative_to(root)
    except (ValueError, OSError):
        return None


def _around(path: Path, line: int, said: str) -> list[SourceLine]:
    """Lines around, if the file still says there what the traceback quoted."""
    try:
        if path.suffix != ".py" or path.stat().st_size > _LARGEST_SOURCE:
            return []
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    if not 0 < line <= len(lines) or (said and lines[line - 1].strip() != said):
        return []
    first = max(1, line - _AROUND_BEFORE)
    last = min(len(lines), line + _AROUND_AFTER)
    return [SourceLine(n, lines[n - 1], n == line) for n in range(first, last + 1)]
