"""CSV as the platform imports it: a line of types, a line of names, then objects (storage.md 10.4).

An empty cell is no value. So null, an empty text and a missing value are one and the same here.
"""

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from lean_emulator.base import jsontext
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.import_rows import Read, Row, Unreadable
from lean_emulator.model.schema import ClassSchema, ColumnType
from lean_emulator.model.values import Document, date, pointer

_Cell: TypeAlias = Callable[[str], Json]
_LARGEST = 64 * 1024 * 1024
"""Characters of one cell; the library's own limit is far below what an object may have."""
_SPECIAL = re.compile('[",\r\n]')
_FIRST = ("objectId", "createdAt", "updatedAt", "ACL")


def read_objects(lines: Iterable[str]) -> Iterator[Read]:
    """Rows as REST objects. Measured in characters of the cells."""
    counted = _Counted(lines)
    csv.field_size_limit(_LARGEST)
    reader = csv.reader(counted, strict=True)
    try:
        types, names = next(reader, None), next(reader, None)
        if types is None or names is None:
            yield Unreadable(1, "a line of types and a line of names are wanted", counted.at)
            return
        cells = _columns(types, names)
    except (ValueError, csv.Error) as e:
        yield Unreadable(reader.line_num, str(e), counted.at)
        return
    yield from _rows(reader, counted, lambda given: _object(cells, given))


def read_members(lines: Iterable[str]) -> Iterator[Read]:
    """Pairs of owner and member, without a header."""
    counted = _Counted(lines)
    reader = csv.reader(counted, strict=True)
    yield from _rows(reader, counted, _member)


def write_rows(schema: ClassSchema, rows: Iterable[Document]) -> Iterator[str]:
    """The text of a class's objects, part by part; relation columns have files of their own."""
    names = [n for n, column in schema.columns.items() if column.type != "Relation"]
    names = [*_FIRST, *sorted(set(names) - {*_FIRST})]
    types = [_type_name(name, schema.columns[name]) for name in names]
    yield _line(types)
    yield _line(names)
    for row in rows:
        yield _line([_text(schema.columns[n].type, row.get(n)) for n in names])


class _Counted:
    """Lines, and how many characters they have had so far."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._first = True
        self.at = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.at += len(line)
        if self._first:
            self._first, line = False, line.removeprefix("\ufeff")
        return line


def _rows(
    reader: Iterator[list[str]], counted: _Counted, read: Callable[[list[str]], Json]
) -> Iterator[Read]:
    line = int(getattr(reader, "line_num", 0))
    while True:
        began = line + 1
        try:
            given = next(reader)
        except StopIteration:
            return
        except csv.Error as e:
            yield Unreadable(began, str(e), counted.at)
            line = int(getattr(reader, "line_num", began))
            continue
        line = int(getattr(reader, "line_num", began))
        if not any(given):
            continue
        try:
            "".join(given).encode()  # what was no UTF-8 does not encode again
            yield Row(began, read(given), counted.at)
        except UnicodeEncodeError:
            yield Unreadable(began, "it is no UTF-8", counted.at)
        except (ValueError, ApiError) as e:
            yield Unreadable(began, str(e), counted.at)


def _columns(types: list[str], names: list[str]) -> list[tuple[str, _Cell]]:
    if len(types) != len(names):
        raise ValueError(f"there are {len(types)} types and {len(names)} names")
    return [
        (name.strip(), _cell(type_name.strip(), name.strip()))
        for type_name, name in zip(types, names, strict=True)
    ]


def _cell(type_name: str, name: str) -> _Cell:
    """What reads the cells of a column. Raises ``ValueError`` for a type that is none."""
    if name in ("createdAt", "updatedAt"):
        return str
    kind, _, class_name = type_name.partition(":")
    if kind.lower() == "pointer" and class_name:
        return lambda text: pointer(class_name, text)
    rule = _CELLS.get(type_name.lower())
    if rule is None:
        raise ValueError(
            f"'{type_name}' of the column '{name}' is no type; there are {', '.join(_CELLS)} "
            "and pointer:Class"
        )
    return rule


def _object(cells: list[tuple[str, _Cell]], given: list[str]) -> Json:
    if len(given) > len(cells):
        raise ValueError(f"there are {len(given)} cells for {len(cells)} columns")
    found: dict[str, Json] = {}
    for (name, read), text in zip(cells, given, strict=False):
        if text == "":
            continue
        try:
            found[name] = read(text)
        except (ValueError, ApiError) as e:
            raise ValueError(f"{name}: {e}") from e
    return found


def _member(given: list[str]) -> Json:
    if len(given) != 2:
        raise ValueError(f"owningId,relatedId is wanted, got {len(given)} cells")
    return {"owningId": given[0].strip(), "relatedId": given[1].strip()}


def _whole(text: str) -> Json:
    number = _number(text)
    if isinstance(number, float) and number.is_integer():
        return int(number)
    if not isinstance(number, int):
        raise ValueError(f"'{text}' is no whole number")
    return number


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"'{text}' is no number")
    return number


def _double(text: str) -> Json:
    return float(_number(text))


def _truth(text: str) -> Json:
    word = text.strip().lower()
    if word not in ("true", "false", "1", "0"):
        raise ValueError(f"'{text}' is neither true nor false")
    return word in ("true", "1")


def _json(text: str) -> Json:
    return jsontext.loads(text.encode("utf-8", "surrogatepass"), "the cell")


def _array(text: str) -> Json:
    value = _json(text)
    if not isinstance(value, list):
        raise ValueError("a JSON array is wanted")
    return value


def _file(text: str) -> Json:
    return {"__type": "File", "id": text}


def _geo_point(text: str) -> Json:
    longitude, _, latitude = text.strip().partition(" ")
    return {
        "__type": "GeoPoint", "latitude": _double(latitude), "longitude": _double(longitude)
    }  # fmt: skip


_CELLS: Mapping[str, _Cell] = {
    "int": _whole,
    "long": _whole,
    "number": _number,
    "double": _double,
    "string": str,
    "date": date,
    "boolean": _truth,
    "file": _file,
    "array": _array,
    "object": _json,
    "geopoint": _geo_point,
}

_TYPE_NAMES = {
    "String": "string", "Number": "number", "Boolean": "boolean", "Date": "date", "File": "file",
    "Array": "array", "GeoPoint": "geopoint",
}  # fmt: skip
_MEMBER_OF = {"Date": "iso", "File": "id", "Pointer": "objectId"}


def _type_name(name: str, column: ColumnType) -> str:
    if column.type == "Pointer":
        return f"pointer:{column.class_name}"
    return _TYPE_NAMES.get(column.type, "object")


def _text(kind: str, value: Json) -> str:
    """A value as its cell says it; empty for none."""
    if value is None:
        return ""
    if isinstance(value, dict) and kind in _MEMBER_OF:
        return str(value.get(_MEMBER_OF[kind], ""))
    if isinstance(value, dict) and kind == "GeoPoint":
        return f"{_shown(value.get('longitude'))} {_shown(value.get('latitude'))}"
    if isinstance(value, str) and kind not in ("Any", "Object"):
        return value
    return _shown(value)


def _shown(value: Json) -> str:
    return jsontext.dumps(value).decode()


def _line(cells: list[str]) -> str:
    return ",".join(map(_quoted, cells)) + "\n"


def _quoted(cell: str) -> str:
    """In quotes where it must be; the library leaves a lone carriage return without."""
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.search(cell) else cell
