"""Rows of a file, each with its line: JSON in its three layouts (storage.md 10.1, 10.4)."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from lean_emulator.base import jsontext
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.import_source import header_class

_BLANK = re.compile(r"\s*")
_RESULTS = re.compile(r'\s*\{\s*"results"\s*:\s*(?=\[)')


@dataclass(frozen=True, slots=True)
class Row:
    """A value of a file; ``at`` is how much of the file is read with it, of what is measured."""

    line: int
    value: Json
    at: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that holds no row; ``text`` says why."""

    line: int
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Header:
    """The class that the file itself names for what follows."""

    class_name: str


Read: TypeAlias = Row | Unreadable | Header


def read_lines(lines: Iterable[bytes]) -> Iterator[Read]:
    """JSON Lines; lines that begin with ``#`` and empty ones are no rows. Measured in bytes."""
    at = 0
    for number, raw in enumerate(lines, 1):
        at += len(raw)
        line = raw.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else raw.strip()
        if line.startswith(b"#"):
            class_name = header_class(line)
            if class_name is not None:
                yield Header(class_name)
        elif line:
            yield _line(number, line, at)


def _line(number: int, line: bytes, at: int) -> Read:
    try:
        return Row(number, jsontext.loads(line, "the line"), at)
    except ApiError as e:
        return Unreadable(number, e.message.replace("line 1 column", "column"), at)


def read_json(raw: bytes) -> Iterator[Read]:
    """An array, an object with ``results``, or JSON Lines, whichever it is.

    What is no JSON ends the reading there; all rows before it count.
    """
    try:
        text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as e:
        yield Unreadable(raw.count(b"\n", 0, e.start) + 1, "it is no UTF-8", len(raw))
        return
    results = _RESULTS.match(text)
    start = results.end() if results is not None else _after_blank(text, 0)
    if text[start : start + 1] == "[":
        yield from _Array(text, start).rows()
    elif (inner := _results_in(text)) is not None:
        yield from (Row(1, row, len(text)) for row in inner)
    else:
        yield from read_lines(raw.splitlines(keepends=True))


def _results_in(text: str) -> list[Json] | None:
    """The rows of an object that has ``results`` among other members, its lines unknown."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        whole = jsontext.loads(text.encode("utf-8", "surrogatepass"))
    except ApiError:
        return None
    rows = whole.get("results") if isinstance(whole, dict) else None
    return rows if isinstance(rows, list) else None


class _Array:
    """Goes through an array value by value, so that each has its line."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._decode = json.JSONDecoder().raw_decode
        self._position = start + 1
        self._line = text.count("\n", 0, start + 1) + 1

    def rows(self) -> Iterator[Read]:
        """A value that is no JSON is the last thing told of; so is an array without its end."""
        text = self._text
        self._skip_to(_after_blank(text, self._position))
        if text[self._position : self._position + 1] == "]":
            return
        while True:
            line, began = self._line, self._position
            try:
                _, end = self._decode(text, began)
            except (ValueError, RecursionError) as e:
                yield self._broken(e)
                return
            self._skip_to(end)
            yield _value(line, text[began:end], end)
            self._skip_to(_after_blank(text, end))
            sign = text[self._position : self._position + 1]
            if sign == "]":
                return
            if sign != ",":
                yield self._broken(ValueError(f"',' or ']' is wanted, not {sign or 'the end'!r}"))
                return
            self._skip_to(_after_blank(text, self._position + 1))

    def _skip_to(self, position: int) -> None:
        self._line += self._text.count("\n", self._position, position)
        self._position = position

    def _broken(self, e: Exception) -> Unreadable:
        why, line = str(e), self._line
        if isinstance(e, json.JSONDecodeError):
            why, line = f"{e.msg} (column {e.colno})", e.lineno
        return Unreadable(
            line, f"it is no JSON, {why}; nothing is read from here on", len(self._text)
        )


def _value(line: int, text: str, at: int) -> Read:
    """A value whose end is known, read as strictly as a request's body."""
    try:
        return Row(line, jsontext.loads(text, "the row"), at)
    except (ApiError, UnicodeEncodeError) as e:
        return Unreadable(line, str(e), at)


def _after_blank(text: str, start: int) -> int:
    found = _BLANK.match(text, start)
    return start if found is None else found.end()
