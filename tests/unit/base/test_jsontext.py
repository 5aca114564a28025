"""JSON in is strict, JSON out is JSON whatever stands in it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_emulator.base import jsontext
from lean_emulator.base.errors import ApiError

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars.filter(lambda v: v not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(values)
def test_what_is_written_any_reader_understands(value: Any) -> None:
    assert json.loads(jsontext.dumps(value)) == value


@given(values)
def test_what_is_shown_to_people_says_the_same(value: Any) -> None:
    assert json.loads(jsontext.pretty(value)) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{'a':1}",
        b'{"a":1,}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"[1] [2]",
        b"\xff",
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\ud83d":1}',
        b"01",
        b"+1",
        b".5",
        b"// comment\n1",
    ],
)
def test_what_is_no_json_is_code_107(raw: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        jsontext.loads(raw)
    assert caught.value.code == 107
    assert caught.value.message.startswith("Malformed JSON in body: ")


def test_the_error_names_what_and_where() -> None:
    with pytest.raises(ApiError, match=r"Malformed JSON in where: .*line 2 column 3"):
        jsontext.loads(b'{"a":1,\n  ]', "where")


def test_of_doubled_keys_the_last_wins() -> None:
    assert jsontext.loads(b'{"a":1,"a":2}') == {"a": 2}


def test_surrogate_pairs_are_one_character() -> None:
    assert jsontext.loads(b'"\\ud83d\\ude00"') == "😀"


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_depth_has_a_limit(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    depth = jsontext.MAX_DEPTH
    nested = opening * (depth - 1) + b"[]" + closing * (depth - 1)
    jsontext.loads(nested)
    with pytest.raises(ApiError, match="deeper than 100 levels"):
        jsontext.loads(opening + nested + closing)
    with pytest.raises(ApiError):
        jsontext.loads(opening * 100_000 + b"[]" + closing * 100_000)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert jsontext.loads(b"[" + b",".join([b"{}"] * 500) + b"]") == [{}] * 500
    assert jsontext.loads(json.dumps("[" * 500)) == "[" * 500


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**80), 10**40])
def test_integers_beyond_64_bits_are_written_in_full(number: int) -> None:
    assert jsontext.dumps({"n": number}) == f'{{"n":{number}}}'.encode()


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, -(2**63)])
def test_integers_of_64_bits_are_read_exactly(number: int) -> None:
    assert jsontext.loads(str(number)) == number


def test_lone_surrogates_leave_as_escapes() -> None:
    assert jsontext.dumps("a\ud800") == b'"a\\ud800"'


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_no_writer_ever_writes_what_is_no_json(number: float) -> None:
    assert jsontext.dumps([number]) == b"[null]"
    assert jsontext.dumps([number, 2**70]) == b"[null,1180591620717411303424]"


def test_what_is_no_json_value_is_refused() -> None:
    with pytest.raises(TypeError, match="object is not JSON"):
        jsontext.dumps({"a": object()})
    with pytest.raises(TypeError, match="set is not JSON"):
        jsontext.pretty({"a": {1}})


def test_output_is_compact_utf8() -> None:
    assert jsontext.dumps({"名": ["é", 1.5, None, True]}) == '{"名":["é",1.5,null,true]}'.encode()
