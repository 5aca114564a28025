"""``--params``: JSON5 from the command line, a file or standard input."""

import sys
from pathlib import Path

import click

from lean_emulator.base.jsontext import Json
from lean_emulator.console.payload import Problem, read_payload

REASONS = {
    "problem.end": "it ends too early",
    "problem.string": "a text is not closed before the line ends",
    "problem.comma": "a comma is missing before {found}",
    "problem.word": "unexpected {found}",
    "problem.found": "unexpected {found}",
    "problem.deep": "it is nested too deep",
    "problem.long": "long parameters must be plain JSON",
    "problem.nan": "NaN and Infinity are no JSON",
}


def read_params(source: str | None) -> dict[str, Json]:
    """The parameters: ``source`` is JSON5, ``@file``, or ``-`` for standard input.

    No source means no parameters. Raises a usage error with line and column.
    """
    if source is None:
        return {}
    text, place = _text(source)
    value = read_payload(text)
    if isinstance(value, Problem):
        raise click.BadParameter(_reason(value, place), param_hint="--params")
    if not isinstance(value, dict):
        raise click.BadParameter(
            f"{place} is {_kind(value)}, but functions take an object: {{name: value}}",
            param_hint="--params",
        )
    return value


def _text(source: str) -> tuple[str, str]:
    """The text, and what to call it in errors."""
    if source == "-":
        return _decoded(sys.stdin.buffer.read(), "standard input"), "standard input"
    if not source.startswith("@"):
        return source, "the text"
    path = Path(source[1:])
    try:
        return _decoded(path.read_bytes(), str(path)), str(path)
    except OSError as e:
        raise click.BadParameter(
            f"{path} cannot be read: {e.strerror}", param_hint="--params"
        ) from e


def _decoded(raw: bytes, place: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise click.BadParameter(
            f"{place} is not UTF-8 (byte {e.start})", param_hint="--params"
        ) from e


def _reason(problem: Problem, place: str) -> str:
    found = repr(problem.found) if problem.found else ""
    reason = REASONS.get(problem.phrase, "{found}").format(found=found)
    where = f", line {problem.line} column {problem.column}" if problem.line else ""
    return f"{place} is not JSON5{where}: {reason}"


def _kind(value: Json) -> str:
    names = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
