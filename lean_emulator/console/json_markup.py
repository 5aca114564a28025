"""JSON as coloured, escaped HTML text."""

import json
from collections.abc import Iterator

from markupsafe import Markup, escape

from lean_emulator.base.jsontext import Json

LIMIT = 60_000
"""Characters shown at most; a page is no place for more."""

_SHORT = 72


def json_markup(value: Json, limit: int = LIMIT) -> Markup:
    """Two spaces of indent; what fits in a line stays in one. Ends in ``…`` past the limit."""
    parts: list[str] = []
    length = 0
    for piece in _value(value, ""):
        length += len(piece)
        if length > limit:
            parts.append('<span class="c">…</span>')
            break
        parts.append(piece)
    return Markup("".join(parts))  # noqa: S704 - every piece went through escape()


def json_line(value: Json, limit: int = 160) -> str:
    """Plain text on one line, cut to ``limit`` characters."""
    text = _plain(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _value(value: Json, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield from _many("{", [*value.items()], "}", indent, value)
    elif isinstance(value, list) and value:
        yield from _many("[", [(None, item) for item in value], "]", indent, value)
    else:
        yield _scalar(value)


def _many(
    opening: str,
    items: list[tuple[str, Json]] | list[tuple[None, Json]],
    closing: str,
    indent: str,
    whole: Json,
) -> Iterator[str]:
    flat = indent != "" and _fits(whole)
    inner = "" if flat else f"\n{indent}  "
    yield f'<span class="p">{opening}</span>'
    for number, (key, item) in enumerate(items):
        if number:
            yield '<span class="p">,</span>' + (" " if flat else "")
        yield inner
        if key is not None:
            yield f'<span class="k">{escape(quoted(key))}</span><span class="p">:</span> '
        yield from _value(item, f"{indent}  ")
    yield f'{"" if flat else chr(10) + indent}<span class="p">{closing}</span>'


def _fits(value: Json) -> bool:
    """Whether a container may stand on one line: small, and of scalars only."""
    members = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(members, list) or len(members) > 8:
        return False
    if any(isinstance(member, dict | list) and member for member in members):
        return False
    return len(_plain(value)) <= _SHORT


def _scalar(value: Json) -> str:
    if isinstance(value, str):
        hidden = " masked" if value.startswith("••••") else ""
        return f'<span class="s{hidden}">{escape(quoted(value))}</span>'
    if value is None or isinstance(value, bool):
        return f'<span class="w">{_plain(value)}</span>'
    if isinstance(value, dict | list):
        return f'<span class="p">{_plain(value)}</span>'
    return f'<span class="n">{_plain(value)}</span>'


def _plain(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)}: {_plain(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_plain(item) for item in value) + "]"
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def quoted(text: str) -> str:
    """A JSON string literal, other alphabets left readable."""
    return json.dumps(text, ensure_ascii=False)
