"""Objects as a table of plain text, as wide as what is in it."""

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_LAST = ("createdAt", "updatedAt")
MARK = "…"


def lines(rows: Sequence[Mapping[str, Any]], *, widest: int | None = None) -> Iterator[str]:
    """A head, then a line for each row; nothing without rows.

    A cell wider than ``widest`` is cut; by default none is.
    """
    names = _columns(rows)
    cells = [[_cut(one_line(name), widest) for name in names]]
    for row in rows:
        texts = [cell(row[name]) if name in row else "" for name in names]
        cells.append([_cut(text, widest) for text in texts])
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    for line in cells if names else ():
        yield "  ".join(_padded(*pair) for pair in zip(line, widths, strict=True)).rstrip()


def cell(value: Any) -> str:
    """A value on one line; LeanCloud's types by what matters in them."""
    if isinstance(value, str):
        return one_line(value)
    short = _SHORT.get(str(value.get("__type"))) if isinstance(value, dict) else None
    if short is not None:
        return one_line(short.format_map(_Members(value)))
    return one_line(json.dumps(value, ensure_ascii=False))


def one_line(text: str) -> str:
    """The text with what would move the cursor or colour the terminal made visible."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


class _Members(dict[str, Any]):
    """What is missing shows as a question mark; files have their id under one of two names."""

    def __missing__(self, key: str) -> Any:
        return self.get("id", "?") if key == "objectId" else "?"


_SHORT = {
    "Date": "{iso}",
    "Pointer": "{className}/{objectId}",
    "Object": "{className}/{objectId}",
    "Relation": "→ {className}",
    "GeoPoint": "[{longitude}, {latitude}]",
    "File": "file {objectId}",
    "Bytes": "{base64}",
}


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The id first, the two timestamps last, the others as they come."""
    seen = dict.fromkeys(name for row in rows for name in row)
    middle = [name for name in seen if name not in ("objectId", *_LAST)]
    return [
        *(["objectId"] if "objectId" in seen else []),
        *middle,
        *(name for name in _LAST if name in seen),
    ]


def _width(text: str) -> int:
    """Columns of a terminal: Chinese characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _cut(text: str, widest: int | None) -> str:
    if widest is None or _width(text) <= widest:
        return text
    kept = text[:widest]
    while _width(kept) > widest - len(MARK):
        kept = kept[:-1]
    return kept + MARK
