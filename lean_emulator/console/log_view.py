"""Lines of output as people look for them: with a level, filtered, in pages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from lean_emulator.service.logbook import Line, Logbook

Level = Literal["error", "warning", "info", "debug"]

LEVELS: tuple[Level, ...] = ("error", "warning", "info", "debug")
STREAMS = ("stdout", "stderr")
PAGE = 500

_FIELDS = ("level", "stream", "trace")
_WORDS: dict[str, Level] = {
    "critical": "error",
    "fatal": "error",
    "error": "error",
    "warning": "warning",
    "warn": "warning",
    "info": "info",
    "notice": "info",
    "debug": "debug",
    "trace": "debug",
}
_NAMES = "|".join(_WORDS)
_LEVEL = re.compile(rf"\b(?:{_NAMES.upper()})\b|^\W*(?:{_NAMES})\b\W*[:\]]|[\[(](?:{_NAMES})[\])]")
_LOOKED_AT = 80
"""Characters at the beginning of a line in which loggers say the level."""


def level_of(line: Line) -> Level:
    """What the line says of itself; else stderr has errors and stdout the rest."""
    found = _LEVEL.search(line.text[:_LOOKED_AT])
    if found is not None:
        return _WORDS[re.sub(r"\W", "", found[0]).lower()]
    return "error" if line.stream == "stderr" else "info"


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What to keep; ``text`` is words that all must occur, without regard to case."""

    text: str = ""
    chosen: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "LogFilter":
        chosen = tuple((name, params[name]) for name in _FIELDS if params.get(name))
        return cls(params.get("q", "").strip(), chosen)

    @property
    def active(self) -> bool:
        return bool(self.text or self.chosen)

    def get(self, name: str) -> str | None:
        return dict(self.chosen).get(name)

    def params(self) -> dict[str, str]:
        return {**({"q": self.text} if self.text else {}), **dict(self.chosen)}

    def having(self, name: str, value: str | None) -> "LogFilter":
        """The same with one field set, or taken out by ``None``."""
        rest = tuple((n, v) for n, v in self.chosen if n != name)
        return replace(self, chosen=rest if value is None else (*rest, (name, value)))

    def takes(self, line: Line) -> bool:
        if any(_field(line, name) != value for name, value in self.chosen):
            return False
        text = f"{line.text}\n{line.where or ''}".casefold()
        return all(word in text for word in self.text.casefold().split())


@dataclass(frozen=True, slots=True)
class LogPage:
    """``lines`` oldest first; ``older`` is the ``before`` of the page before, ``None`` at the
    start; ``newest`` the number after which what is new comes.
    """

    lines: list[Line]
    matching: int
    kept: int
    older: int | None
    newest: int


def log_page(
    book: Logbook, wanted: LogFilter, *, before: int | None = None, after: int | None = None
) -> LogPage:
    """The newest lines that match, of those older than ``before`` and newer than ``after``."""
    kept = book.lines()
    matching = [line for line in kept if wanted.takes(line)] if wanted.active else kept
    inside = [
        line
        for line in matching
        if (before is None or line.number < before) and (after is None or line.number > after)
    ]
    shown = inside[-PAGE:]
    older = shown[0].number if len(inside) > len(shown) else None
    return LogPage(shown, len(matching), len(kept), older, book.written)


def _field(line: Line, name: str) -> str | None:
    if name == "level":
        return level_of(line)
    return line.stream if name == "stream" else line.trace
