"""JSON5 as people type it: the value, or where it stops being JSON5."""

import json
import re
from dataclasses import dataclass

import json5

from lean_emulator.base.jsontext import MAX_DEPTH, Json

MAX_LENGTH = 200_000
"""Characters of JSON5; beyond it only plain JSON is read, which is a thousand times faster."""

_UNEXPECTED = re.compile(r":(\d+) Unexpected (?:\"(.*)\"|end of input) at column (\d+)", re.DOTALL)
_WORD = re.compile(r"[\w$.+-]+|.")
_IN_WORD = re.compile(r"[\w$]{2}")


@dataclass(frozen=True, slots=True)
class Problem:
    """A phrase key with its slots. ``line`` and ``column`` count from 1; 0 means no place."""

    phrase: str
    line: int = 0
    column: int = 0
    found: str = ""


def read_payload(text: str) -> Json | Problem:
    """The value of JSON5 text; blank text is an empty object."""
    if not text.strip():
        return {}
    try:
        value: Json = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        if len(text) > MAX_LENGTH:
            return Problem("problem.long")
        parsed = _json5(text)
        if isinstance(parsed, Problem):
            return parsed
        value = parsed
    return Problem("problem.deep") if _deeper(value, MAX_DEPTH) else value


def _refuse(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _json5(text: str) -> Json | Problem:
    try:
        value: Json = json5.loads(text)
    except ValueError as e:
        return _where(text, str(e))
    except RecursionError:
        return Problem("problem.deep")
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return Problem("problem.nan")
    return value


def _where(text: str, said: str) -> Problem:
    match = _UNEXPECTED.search(said)
    if match is None:
        return Problem("problem.other", found=said)
    line, column = int(match[1]), int(match[3])
    if match[2] is None:
        return Problem("problem.end", line, column)
    line_text = text.split("\n")[line - 1]
    start = column - 1
    while start > 0 and _IN_WORD.fullmatch(line_text[start - 1 : start + 1]):
        start -= 1
    word = _WORD.match(line_text, start)
    if word is None:
        return Problem("problem.string", line, column)
    found = word[0][:40]
    if start < column - 1:
        return Problem("problem.word", line, start + 1, found)
    before = "\n".join([*text.split("\n")[: line - 1], line_text[:start]]).rstrip()
    value_ended = bool(before) and (before[-1].isalnum() or before[-1] in "\"'}]")
    starts = found[0].isalnum() or found[0] in "\"'_$[{"
    if found[0].isalpha() and (not before or before[-1] in ":["):
        return Problem("problem.word", line, column, found)
    phrase = "problem.comma" if value_ended and starts else "problem.found"
    return Problem(phrase, line, column, found)


def _deeper(value: Json, limit: int) -> bool:
    level: list[Json] = [value]
    for _ in range(limit):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True
