"""Texts, numbers and patterns as CQL writes them, and the error for what it cannot mean."""

import math
import re

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json


def refusal(detail: str) -> ApiError:
    """Code 300, in the platform's words."""
    return errors.INVALID_CQL(f"CQL syntax error.Detail: {detail}")


def like_pattern(text: str) -> dict[str, Json]:
    """``like`` as a regular expression: ``%`` is any text, ``_`` any character.

    Everything else means itself; ``[(]`` is the platform's way to write a bracket.
    """
    parts = [_like_part(part) for part in _LIKE_PARTS.findall(text)]
    start = end = ""
    if parts and parts[0] == _ANY_TEXT:
        parts = parts[1:]
    else:
        start = "^"
    if parts and parts[-1] == _ANY_TEXT:
        parts = parts[:-1]
    elif start or parts:
        end = "$"
    pattern: dict[str, Json] = {"$regex": f"{start}{''.join(parts)}{end}"}
    if _ANY_TEXT in parts or "." in parts:
        pattern["$options"] = "s"
    return pattern


_ANY_TEXT = ".*"
_LIKE_PARTS = re.compile(r"%+|\[[^\]]\]|.", re.S)
_SPECIAL = frozenset("\\.^$*+?{}[]()|")


def _like_part(part: str) -> str:
    if part[0] == "%":
        return _ANY_TEXT
    if part == "_":
        return "."
    character = part[1] if len(part) == 3 else part
    return f"\\{character}" if character in _SPECIAL else character


def unquoted(token: str) -> str:
    """The text of a string literal.

    A doubled quote is one; backslashes escape as in JSON, and stay before anything else.
    """
    quote = token[0]
    return _ESCAPES[quote].sub(
        lambda found: quote if found[0] == quote * 2 else _ESCAPED.get(found[0][1], found[0]),
        token[1:-1],
    )


_ESCAPES = {quote: re.compile(rf"\\.|{quote}{quote}", re.S) for quote in "'\""}
_ESCAPED = {c: c for c in "\\/'\""} | {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def number_of(token: str) -> Json:
    """Whole numbers of 64 bits stay whole, as in JSON."""
    try:
        number = int(token)
    except ValueError:
        pass
    else:
        if -(2**63) <= number < 2**64:
            return number
    approximate = float(token)
    if not math.isfinite(approximate):
        raise refusal(f"The number {token[:80]} is out of range.")
    return approximate
