"""CSV with a line of types and a line of names."""

from typing import Any

import pytest

from lean_emulator.model.csv_rows import read_members, read_objects, write_rows
from lean_emulator.model.import_rows import Header, Row, Unreadable
from lean_emulator.model.schema import ClassSchema, ColumnType


def read(text: str) -> list[tuple[int, Any]]:
    """Line and row, or line and why there is none."""
    found: list[tuple[int, Any]] = []
    for each in read_objects(text.splitlines(keepends=True)):
        assert not isinstance(each, Header)
        found.append((each.line, each.value if isinstance(each, Row) else each.text))
    return found


def test_every_type() -> None:
    types = "string,int,long,number,double,date,boolean,file,array,object,geopoint,pointer:Post"
    names = "s,i,l,n,d,at,ok,f,a,o,g,p"
    row = 'x,1,2.0,3.5,4,2020-01-01T00:00:00.000Z,TRUE,f1,"[1,""b""]","{""k"":1}",116.4 39.9,p1'
    assert read(f"{types}\n{names}\n{row}\n") == [
        (
            3,
            {
                "s": "x",
                "i": 1,
                "l": 2,
                "n": 3.5,
                "d": 4.0,
                "at": {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"},
                "ok": True,
                "f": {"__type": "File", "id": "f1"},
                "a": [1, "b"],
                "o": {"k": 1},
                "g": {"__type": "GeoPoint", "latitude": 39.9, "longitude": 116.4},
                "p": {"__type": "Pointer", "className": "Post", "objectId": "p1"},
            },
        )
    ]


def test_the_two_times_are_plain_texts_whatever_their_type() -> None:
    text = "string,date\nobjectId,createdAt\nx1,2014-05-07T19:45:50.701Z\n"
    assert read(text) == [(3, {"objectId": "x1", "createdAt": "2014-05-07T19:45:50.701Z"})]


def test_cells_of_several_lines_and_wrong_ones() -> None:
    text = '\ufeffstring,int\nname,n\n"a\nb",1\n\nc,x\nd,1,2\ne,2\nf\n'
    assert read(text) == [
        (3, {"name": "a\nb", "n": 1}),
        (6, "n: 'x' is no number"),
        (7, "there are 3 cells for 2 columns"),
        (8, {"name": "e", "n": 2}),
        (9, {"name": "f"}),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a line of types and a line of names are wanted"),
        ("string\n", "a line of types and a line of names are wanted"),
        ("string,int\na\n", "there are 2 types and 1 names"),
        ("text\na\n", "'text' of the column 'a' is no type"),
    ],
)
def test_without_a_header_nothing_is_read(text: str, said: str) -> None:
    ((_, told),) = read(text)
    assert told.startswith(said)


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("int", "1.5"), ("number", "NaN"), ("boolean", "maybe"), ("array", "{}"),
        ("object", "{"), ("geopoint", "1"), ("double", "inf"),
    ],
)  # fmt: skip
def test_cells_that_are_not_of_their_type(kind: str, cell: str) -> None:
    ((line, told),) = read(f"{kind},string\na,b\n{cell},x\n")
    assert (line, told[:2]) == (3, "a:")


def test_bytes_that_were_no_utf8() -> None:
    assert read("string\na\n\udcff\nb\n") == [(3, "it is no UTF-8"), (4, {"a": "b"})]


def test_members_have_no_header() -> None:
    rows = [*read_members(["a,b\n", "c\n", "d, e\n"])]
    values = [r.value if isinstance(r, Row) else None for r in rows if not isinstance(r, Header)]
    assert values == [
        {"owningId": "a", "relatedId": "b"},
        None,
        {"owningId": "d", "relatedId": "e"},
    ]
    assert isinstance(rows[1], Unreadable)


def test_what_is_written_has_the_automatic_columns_first() -> None:
    schema = ClassSchema(
        "Post",
        {
            "n": ColumnType("Number"),
            "objectId": ColumnType("String"),
            "createdAt": ColumnType("Date"),
            "updatedAt": ColumnType("Date"),
            "ACL": ColumnType("ACL"),
            "likes": ColumnType("Relation", "_User"),
            "any": ColumnType("Any"),
        },
    )
    now = "2020-01-01T00:00:00.000Z"
    row: Any = {"objectId": "a", "createdAt": now, "updatedAt": now, "n": 1.0, "any": "t"}
    assert "".join(write_rows(schema, [row])).splitlines() == [
        "string,date,date,object,object,number",
        "objectId,createdAt,updatedAt,ACL,any,n",
        f'a,{now},{now},,"""t""",1.0',
    ]
