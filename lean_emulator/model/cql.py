"""CQL texts read into statements, and what is wrong with those that cannot be (storage.md 5)."""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, VisitError

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.cql_literals import refusal
from lean_emulator.model.cql_reader import CqlReader
from lean_emulator.model.cql_statement import Statement
from lean_emulator.model.where_json import decoded

MAX_BYTES = 4_096
MAX_DEPTH = 50
"""Brackets inside brackets: far more than anybody writes, far less than Python's stack."""


def parse_cql(text: str, values: Sequence[Json] = (), *, now: str) -> Statement:
    """Read one statement.

    ``values`` stand in for its ``?``, in order; more than there are ``?`` do no harm. ``now`` is
    what ``current_timestamp()`` gives, in ISO 8601. A semicolon may end the text.

    Raises code 300 with line, column and what could stand there, and whatever the same request over
    REST would raise for a value, a name or a condition.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise refusal(f"The statement has {size} bytes, at most {MAX_BYTES} are allowed.")
    tree = _tree(text.rstrip("; \t\r\n"))
    try:
        return CqlReader(values, now).transform(tree)
    except VisitError as e:
        if isinstance(e.orig_exc, ApiError):
            raise e.orig_exc from None
        raise


def parse_pvalues(raw: Json) -> list[Json]:
    """The values for ``?``: a list, or its JSON text, which Python's SDK encodes twice.

    Raises code 107 for text that is no JSON, code 1 for what is no list.
    """
    values = decoded(raw, "pvalues")
    values = decoded(values, "pvalues")
    if values is None:
        return []
    if not isinstance(values, list):
        raise errors.INVALID_REQUEST(f"pvalues wants a list, got {str(values)[:80]!r}.")
    return values


@cache
def _grammar() -> Lark:
    """Made on first use: nobody waits for it who does not use CQL."""
    return Lark.open("cql.lark", rel_to=__file__, parser="lalr")


def warm_up() -> None:
    """Make the grammar now, in a thread, for a server that must not stop for it later."""
    _grammar()


@lru_cache(maxsize=256)
def _tree(text: str) -> Tree[Token]:
    """The parsed text; statements with ``?`` come again and again."""
    if _depth(text) > MAX_DEPTH:
        raise refusal(f"It is nested deeper than {MAX_DEPTH} levels.")
    try:
        return _grammar().parse(text)
    except UnexpectedInput:
        raise _unexpected(text) from None


_STRINGS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`""", re.S)


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in _STRINGS.sub("", text):
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest


def _unexpected(text: str) -> ApiError:
    """The error for a text that is no statement, in the platform's layout (recorded.md)."""
    parser = _grammar().parse_interactive(text)
    position = len(text)
    try:
        parser.exhaust_lexer()
    except UnexpectedInput as e:
        position = e.pos_in_stream if e.pos_in_stream is not None else len(text)
    before, after = text[:position], text[position:]
    line, column = before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
    shown = before[position - column + 1 :] + after.partition("\n")[0]
    expected = "\n".join(_words(set(parser.accepts())))  # type: ignore[no-untyped-call]  # of lark
    return refusal(
        f"Parse error at line {line}, column {column}:\n{shown}\n{' ' * (column - 1)}^\n"
        f"Expected one of:\n{expected}\n\n"
    )


WHITE_SPACE = r'#"\s+"'
"""The platform names it wherever it may stand, which is everywhere."""
_WORDS = {
    "NAME": ("a name",),
    "STRING": ("a string",),
    "PATTERN": ("a string without backslashes",),
    "NUMBER": ("a number",),
    "INTEGER": ("a whole number",),
    "DISTANCE": ("a distance",),
    "UNIT": ("km", "miles", "radians"),
    "COMPARISON": ("<", "<=", ">", ">="),
    "_UNEQUAL": ("!=", "<>"),
    "_OBJECT_ID": ("objectId",),
    "$END": ("end of text",),
}


def _words(terminals: set[str]) -> Iterator[str]:
    """What could stand there, as one writes it: words, then white space, then signs."""
    words = sorted(word for name in terminals for word in _written(name))
    yield from (word for word in words if word[0].isalpha())
    yield WHITE_SPACE
    yield from (word for word in words if not word[0].isalpha())


def _written(terminal: str) -> tuple[str, ...]:
    if terminal in _WORDS:
        return _WORDS[terminal]
    sign = _signs().get(terminal)
    return (sign or terminal.strip("_").lower(),)


@cache
def _signs() -> dict[str, str]:
    """Terminals that are written as one sign."""
    return {t.name: t.pattern.value for t in _grammar().terminals if t.pattern.type == "str"}
