from typing import Any

import pytest

from lean_emulator.base.jsontext import Json
from lean_emulator.console.data_filter import added, parts_of, read_where
from lean_emulator.console.data_view import changes
from lean_emulator.console.payload import Problem
from lean_emulator.model.schema import ColumnType

DATE = {"__type": "Date", "iso": "2026-01-31T08:00:00.000Z"}
POINTER = {"__type": "Pointer", "className": "Post", "objectId": "abc"}


@pytest.mark.parametrize(
    ("kind", "operator", "text", "condition"),
    [
        ("Number", "is", "5", 5),
        ("Number", "gte", "4.5", {"$gte": 4.5}),
        ("Number", "in", "1, 2,", {"$in": [1, 2]}),
        ("String", "is", "5", "5"),
        ("String", "not", "a", {"$ne": "a"}),
        ("String", "contains", "a.b", {"$regex": r"a\.b"}),
        ("String", "starts", "a", {"$regex": "^a"}),
        ("Boolean", "is", "True", True),
        ("Date", "lt", "2026-01-31T08:00", {"$lt": DATE}),
        ("Array", "is", "{a: 1}", {"a": 1}),
        ("String", "exists", "", {"$exists": True}),
        ("String", "absent", "x", {"$exists": False}),
    ],
)
def test_a_condition(kind: str, operator: str, text: str, condition: Any) -> None:
    assert added({}, "c", ColumnType(kind), operator, text) == {"c": condition}


def test_a_pointer_is_named_by_its_id() -> None:
    assert added({}, "post", ColumnType("Pointer", "Post"), "is", "abc") == {"post": POINTER}


@pytest.mark.parametrize(
    ("kind", "operator", "text"),
    [
        ("Number", "is", ""),
        ("Number", "is", "true"),
        ("Number", "in", "1, many"),
        ("Boolean", "is", "1"),
        ("Date", "gt", "soon"),
        ("Object", "is", "{a"),
    ],
)
def test_what_is_no_value_of_the_column(kind: str, operator: str, text: str) -> None:
    assert isinstance(added({}, "c", ColumnType(kind), operator, text), Problem)


def test_conditions_on_one_column_join_or_stand_side_by_side() -> None:
    number = ColumnType("Number")
    assert added({"n": {"$gt": 1}}, "n", number, "lt", "5") == {"n": {"$gt": 1, "$lt": 5}}
    assert added({"n": {"$gt": 1}}, "n", number, "gt", "2") == {
        "$and": [{"n": {"$gt": 1}}, {"n": {"$gt": 2}}]
    }
    assert added({"n": 1}, "m", number, "is", "2") == {"n": 1, "m": 2}


def test_a_filter_in_parts() -> None:
    first, second = parts_of({"n": {"$gt": 1}, "m": 2})
    assert (first.name, first.text, first.rest) == ("n", '{"$gt":1}', {"m": 2})
    assert second.rest == {"n": {"$gt": 1}}


def test_a_filter_is_an_object() -> None:
    assert read_where("") == {}
    assert read_where("{n: 1}") == {"n": 1}
    assert isinstance(read_where("[1]"), Problem)
    assert isinstance(read_where("{n: }"), Problem)


def test_what_a_save_writes() -> None:
    before: dict[str, Json] = {"a": 1, "b": [1], "c": True}
    assert changes(before, {"a": 1, "b": [1], "c": 1, "d": None}) == {"c": 1, "d": None}
    assert changes(before, {"a": 1}) == {"b": {"__op": "Delete"}, "c": {"__op": "Delete"}}
