"""Objects as tables."""

from typing import Any

import pytest

from lean_emulator.cli.table import cell, lines


def test_the_id_comes_first_and_times_last() -> None:
    rows = [
        {"createdAt": "c", "a": 1, "objectId": "x1", "updatedAt": "u"},
        {"objectId": "x2", "createdAt": "c", "updatedAt": "u", "b": True},
    ]
    assert list(lines(rows)) == [
        "objectId  a  b     createdAt  updatedAt",
        "x1        1        c          u",
        "x2           true  c          u",
    ]


def test_no_rows_and_rows_without_fields() -> None:
    assert list(lines([])) == []
    assert list(lines([{}])) == []


def test_chinese_takes_two_columns() -> None:
    assert list(lines([{"a": "星期", "b": 1}, {"a": "abc", "b": 2}])) == [
        "a     b",
        "星期  1",
        "abc   2",
    ]


def test_wide_cells_are_cut_where_that_is_wanted() -> None:
    rows = [{"a": "x" * 50}, {"a": "星" * 50}]
    assert list(lines(rows)) == ["a", "x" * 50, "星" * 50]
    assert list(lines(rows, widest=10)) == ["a", "x" * 9 + "…", "星" * 4 + "…"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        ("two\nlines\t\x1b[31mred", r"two\nlines\t\x1b[31mred"),
        (None, "null"),
        (False, "false"),
        (1.5, "1.5"),
        ([1, "星"], '[1, "星"]'),
        ({"a": 1}, '{"a": 1}'),
        ({"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"}, "2020-01-01T00:00:00.000Z"),
        ({"__type": "Pointer", "className": "Post", "objectId": "p1", "title": "t"}, "Post/p1"),
        ({"__type": "Relation", "className": "Post"}, "→ Post"),
        ({"__type": "GeoPoint", "longitude": 1.0, "latitude": 2.5}, "[1.0, 2.5]"),
        ({"__type": "File", "id": "f1"}, "file f1"),
        ({"__type": "File", "objectId": "f1", "url": "u"}, "file f1"),
        ({"__type": "Bytes", "base64": "YQ=="}, "YQ=="),
        ({"__type": "Pointer"}, "?/?"),
        ({"__type": "Other", "a": 1}, '{"__type": "Other", "a": 1}'),
        ({"__type": ["x"]}, '{"__type": ["x"]}'),
    ],
)
def test_values_on_one_line(value: Any, shown: str) -> None:
    assert cell(value) == shown
