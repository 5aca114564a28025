"""Wire forms: recognised, brought into one shape, compared and ordered."""

import functools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_emulator.base.errors import ApiError
from lean_emulator.model.values import (
    MISSING,
    canonical_iso,
    check_class_name,
    check_object_id,
    holds,
    normalise,
    order_key,
    same,
    type_of,
)
from tests.support import naive_where
from tests.support.model_values import values


def pointer(**more: Any) -> dict[str, Any]:
    return {"__type": "Pointer", "className": "Post", "objectId": "p1", **more}


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (None, None),
        (True, True),
        (1, 1),
        (1.0, 1.0),
        ("__type", "__type"),
        ([], []),
        ({}, {}),
        ({"a": {"b": [1, {"c": None}]}}, {"a": {"b": [1, {"c": None}]}}),
        (pointer(), pointer()),
        (pointer(title="x", createdAt="…"), pointer()),
        (pointer(__type="Object", title="x"), pointer()),
        ([pointer(a=1)], [pointer()]),
        ({"deep": pointer(a=1)}, {"deep": pointer()}),
        ({"__type": "Object", "title": "no id"}, {"__type": "Object", "title": "no id"}),
        ({"__type": "Strange", "a": 1}, {"__type": "Strange", "a": 1}),
        ({"__type": 5}, {"__type": 5}),
        ({"__type": None}, {"__type": None}),
        ({"__type": "Date"}, {"__type": "Date"}),
        ({"__type": "Date", "iso": None}, {"__type": "Date", "iso": None}),
        ({"__type": "GeoPoint", "latitude": 1}, {"__type": "GeoPoint", "latitude": 1}),
        (
            {"__type": "GeoPoint", "longitude": -30, "latitude": 40},
            {"__type": "GeoPoint", "latitude": 40.0, "longitude": -30.0},
        ),
        ({"__type": "Bytes", "base64": "YQ=="}, {"__type": "Bytes", "base64": "YQ=="}),
        ({"__type": "Relation", "className": "Post"}, {"__type": "Relation", "className": "Post"}),
        ({"__type": "File", "id": "f1", "name": "n", "url": "u"}, {"__type": "File", "id": "f1"}),
        ({"__type": "_File", "objectId": "f1"}, {"__type": "File", "id": "f1"}),
        ({"__type": "File", "id": "", "name": "n"}, {"__type": "File", "id": "n"}),
        ({"__type": "File"}, {"__type": "File"}),
    ],
)
def test_normalise(given: Any, stored: Any) -> None:
    result = normalise(given)
    assert result == stored
    assert repr(result) == repr(stored)
    assert normalise(result) == result


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (pointer(className=None), 106),
        (pointer(objectId=None), 106),
        (pointer(objectId=""), 106),
        (pointer(objectId=5), 106),
        ({"__type": "Pointer"}, 106),
        ([{"__type": "Pointer", "className": "Post"}], 106),
        ({"__type": "Date", "iso": "yesterday"}, 107),
        ({"__type": "Date", "iso": "2020-13-01T00:00:00.000Z"}, 107),
        ({"__type": "Date", "iso": "2020-02-30T00:00:00Z"}, 107),
        ({"a.b": 1}, 121),
        ({"$a": 1}, 121),
        ({"a$b": 1}, 121),
        ({"deep": [{"ok": {"not.ok": 1}}]}, 121),
        ({"__type": "GeoPoint", "latitude": 90.1, "longitude": 0}, 302),
        ({"__type": "GeoPoint", "latitude": 0, "longitude": -180.5}, 302),
    ],
)
def test_refused_values(given: Any, code: int) -> None:
    with pytest.raises(ApiError) as caught:
        normalise(given)
    assert caught.value.code == code


@given(values)
def test_normalising_never_edits_what_it_gets(value: Any) -> None:
    before = repr(value)
    assert normalise(normalise(value)) == normalise(value)
    assert repr(value) == before


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2015-06-19T03:21:10.123Z", "2015-06-19T03:21:10.123Z"),
        ("2015-06-19T03:21:10Z", "2015-06-19T03:21:10.000Z"),
        ("2015-06-19T03:21:10.1Z", "2015-06-19T03:21:10.100Z"),
        ("2015-06-19T03:21:10.123999Z", "2015-06-19T03:21:10.123Z"),
        ("2015-06-19T11:21:10.123+08:00", "2015-06-19T03:21:10.123Z"),
        ("2015-06-19T03:21:10", "2015-06-19T03:21:10.000Z"),
        ("2015-06-19 03:21:10", "2015-06-19T03:21:10.000Z"),
        ("2015-06-19", "2015-06-19T00:00:00.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_canonical_iso(text: str, canonical: str) -> None:
    assert canonical_iso(text) == canonical
    assert canonical_iso(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    ["", "now", "2015", "2015-06-19T25:00:00Z", "0001-01-01T00:00:00+08:00", "2015-06-19T03:21Z\n"],
)
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError):
        canonical_iso(text)


@pytest.mark.parametrize("name", ["Post", "P", "game_Score2", "_User", "_Role", "_File"])
def test_class_names(name: str) -> None:
    check_class_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "2Post", "Po st", "Po-st", "帖子", "__Post", "Post.x", "Post\n", "_", "P$", "../P",
     "_Post", "_user", "_Users"],
)  # fmt: skip
def test_names_no_class_can_have(name: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_class_name(name)
    assert caught.value.code == 103


@pytest.mark.parametrize("object_id", ["5d831234abcdef0011223344", "fakeid", "1", "ABC"])
def test_object_ids(object_id: str) -> None:
    check_object_id(object_id)


@pytest.mark.parametrize("object_id", ["", "a b", "a-b", "a,b", "é", "a\n", "../a", "$a"])
def test_what_no_object_id_can_be(object_id: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_object_id(object_id)
    assert caught.value.code == 104


@given(values, values)
def test_same_is_deep_equality(left: Any, right: Any) -> None:
    assert same(left, right) is naive_where.identical(left, right)
    assert same(left, left)


def test_same_tells_true_from_one_at_any_depth() -> None:
    assert same({"a": [1, {"b": 1.0}]}, {"a": [1.0, {"b": 1}]})
    assert not same({"a": [1]}, {"a": [True]})
    assert not same(0, False)
    assert not same({"a": 1}, {"a": 1, "b": None})
    assert not same([1], [1, 1])
    assert holds([1, True], True)
    assert not holds([1, 0], False)


@given(st.lists(values, max_size=8))
def test_order_key_sorts_as_comparing_does(members: list[Any]) -> None:
    expected = sorted(members, key=functools.cmp_to_key(naive_where.compare))
    assert [repr(v) for v in sorted(members, key=order_key)] == [repr(v) for v in expected]


def test_order_of_mixed_values() -> None:
    ordered: list[Any] = [
        None,
        -1,
        0.5,
        2,
        "",
        "a",
        {"a": 1},
        [1],
        {"__type": "Bytes", "base64": "YQ=="},
        False,
        True,
        {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"},
    ]
    backwards = ordered[::-1]
    assert sorted(backwards, key=order_key) == ordered
    assert order_key(MISSING) == order_key(None)


def test_type_of() -> None:
    assert type_of(pointer()) == "Pointer"
    assert type_of({"__type": 3}) is None
    assert type_of({"a": 1}) is None
    assert type_of("Pointer") is None


def test_missing_is_falsy_and_says_its_name() -> None:
    assert not MISSING
    assert repr(MISSING) == "MISSING"
