"""JSON in its three layouts, each row with its line."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_emulator.model.import_rows import Header, Read, Row, Unreadable, read_json, read_lines
from tests.support.model_values import documents


def told(reads: list[Read]) -> list[tuple[int, Any]]:
    """Line and value of rows; of what is none, line and ``None``."""
    return [
        (read.line, read.value if isinstance(read, Row) else None)
        for read in reads
        if not isinstance(read, Header)
    ]


def test_an_array_over_several_lines() -> None:
    raw = b'\n[ {"a": 1},\n\n  {"b":\n2} , {"c": "x\\ny"}\n]\n'
    assert told([*read_json(raw)]) == [(2, {"a": 1}), (4, {"b": 2}), (5, {"c": "x\ny"})]


@pytest.mark.parametrize("raw", [b"[]", b" [ ] ", b'{"results": []}', b"", b"\n"])
def test_nothing(raw: bytes) -> None:
    assert [*read_json(raw)] == []


def test_results_first_and_last() -> None:
    first = b'{"results":[\n{"a":1},\n{"a":2}], "count": 2}'
    last = b'{"count": 2, "results":[\n{"a":1},\n{"a":2}]}'
    assert told([*read_json(first)]) == [(2, {"a": 1}), (3, {"a": 2})]
    assert [value for _, value in told([*read_json(last)])] == [{"a": 1}, {"a": 2}]


def test_a_byte_order_mark_is_no_part_of_it() -> None:
    assert told([*read_json(b'\xef\xbb\xbf[{"a":1}]')]) == [(1, {"a": 1})]
    assert told([*read_lines([b'\xef\xbb\xbf{"a":1}\n'])]) == [(1, {"a": 1})]


def test_lines_in_a_json_file() -> None:
    raw = b'#filetype:JSON-streaming {"type":"Class","class":"Post"}\n{"a":1}\n\n{bad\n{"a":2}'
    reads = [*read_json(raw)]
    assert reads[0] == Header("Post")
    assert told(reads) == [(2, {"a": 1}), (4, None), (5, {"a": 2})]
    bad = reads[2]
    assert isinstance(bad, Unreadable)
    assert "column 2" in bad.text


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b'"\\ud800"', b"[" * 200 + b"]" * 200])
def test_a_value_that_no_request_could_have_is_refused_alone(value: bytes) -> None:
    raw = b'[{"a":1},\n' + value + b',\n{"a":2}]'
    assert told([*read_json(raw)]) == [(1, {"a": 1}), (2, None), (3, {"a": 2})]


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b'[{"a":1},\n{"a":}\n,{"a":3}]', 2),
        (b'[{"a":1}\n {"a":2}]', 2),
        (b'[{"a":1},\n', 2),
        (b'[{"a":1},\n\n]', 3),
    ],
)
def test_what_is_no_json_ends_the_reading_there(raw: bytes, line: int) -> None:
    assert told([*read_json(raw)]) == [(1, {"a": 1}), (line, None)]


def test_no_utf8() -> None:
    (read,) = read_json(b'[{"a":1},\n{"b":"\xff"}]')
    assert isinstance(read, Unreadable)
    assert (read.line, read.text) == (2, "it is no UTF-8")


@given(st.lists(documents, max_size=5), st.sampled_from([None, 2]))
def test_any_rows_come_back_in_each_layout(rows: list[Any], indent: int | None) -> None:
    array = json.dumps(rows, indent=indent).encode()
    results = json.dumps({"results": rows}, indent=indent, ensure_ascii=False).encode()
    lines = [json.dumps(row).encode() + b"\n" for row in rows]
    for reads in (read_json(array), read_json(results), read_lines(lines)):
        assert [value for _, value in told([*reads])] == rows
