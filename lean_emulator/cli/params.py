"""JSON5 from the command line, a file or standard input: ``--params``, ``--object``, ``--set``."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from lean_emulator.base.jsontext import Json
from lean_emulator.console.payload import Problem, read_payload

JSON_BEGINS = ("{", "[", '"', "'")
"""What a text begins with that cannot be meant as a plain one."""

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
    """The parameters of a function; no source means none. Raises as ``read_object`` does."""
    return {} if source is None else read_object(source, "--params", "functions take an object")


def read_object(source: str, option: str, wanted: str) -> dict[str, Json]:
    """An object: ``source`` is JSON5, ``@file``, or ``-`` for standard input.

    Raises a usage error for ``option`` with line and column, or with what is ``wanted``.
    """
    text, place = _text(source, option)
    value = read_payload(text)
    if isinstance(value, Problem):
        raise click.BadParameter(_reason(value, place), param_hint=option)
    if not isinstance(value, dict):
        raise click.BadParameter(
            f"{place} is {_kind(value)}, but {wanted}: {{name: value}}", param_hint=option
        )
    return value


def read_settings(given: Iterable[str]) -> dict[str, Json]:
    """Members from ``name=value``: JSON5 where it is such, otherwise the text as it stands.

    Raises a usage error for what has no name, or begins as JSON and cannot be read.
    """
    members: dict[str, Json] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--set")
        value = read_payload(text) if text.strip() else text
        if isinstance(value, Problem):
            if text.lstrip()[:1] in JSON_BEGINS:
                raise click.BadParameter(_reason(value, f"the value of {name}"), param_hint="--set")
            value = text
        members[name] = value
    return members


def _text(source: str, option: str) -> tuple[str, str]:
    """The text, and what to call it in errors."""
    if source == "-":
        return _decoded(sys.stdin.buffer.read(), "standard input", option), "standard input"
    if not source.startswith("@"):
        return source, "the text"
    path = Path(source[1:])
    try:
        return _decoded(path.read_bytes(), str(path), option), str(path)
    except OSError as e:
        raise click.BadParameter(f"{path} cannot be read: {e.strerror}", param_hint=option) from e


def _decoded(raw: bytes, place: str, option: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise click.BadParameter(f"{place} is not UTF-8 (byte {e.start})", param_hint=option) from e


def _reason(problem: Problem, place: str) -> str:
    found = repr(problem.found) if problem.found else ""
    reason = REASONS.get(problem.phrase, "{found}").format(found=found)
    where = f", line {problem.line} column {problem.column}" if problem.line else ""
    return f"{place} is not JSON5{where}: {reason}"


def _kind(value: Json) -> str:
    names = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
