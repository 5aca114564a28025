"""Columns are found out by their first value and hold later ones to it."""

from typing import Any

import pytest

from lean_emulator.base.errors import ApiError
from lean_emulator.model.operations import Unset, parse_write
from lean_emulator.model.schema import (
    ANY,
    ClassSchema,
    ColumnType,
    admit_document,
    admit_write,
    declared,
    new_class,
    type_of_value,
)


def schema_with(**columns: ColumnType) -> ClassSchema:
    made = new_class("Thing")
    return ClassSchema("Thing", {**made.columns, **columns})


def admitted(schema: ClassSchema, body: dict[str, Any]) -> ClassSchema:
    return admit_write(schema, parse_write(body))


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("x", '{:type "String"}'),
        (1, '{:type "Number"}'),
        (1.5, '{:type "Number"}'),
        (True, '{:type "Boolean"}'),
        ([], '{:type "Array"}'),
        ({}, '{:type "Object"}'),
        ({"__type": "Unknown"}, '{:type "Object"}'),
        ({"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"}, '{:type "Date"}'),
        ({"__type": "GeoPoint", "latitude": 1.0, "longitude": 1.0}, '{:type "GeoPoint"}'),
        ({"__type": "Bytes", "base64": ""}, '{:type "Bytes"}'),
        ({"__type": "File", "id": "f"}, '{:type "File"}'),
        (
            {"__type": "Pointer", "className": "Post", "objectId": "p"},
            '{:type "Pointer", :className "Post"}',
        ),
        ({"__type": "Relation", "className": "Post"}, '{:type "Relation", :className "Post"}'),
    ],
)
def test_type_of_value(value: Any, printed: str) -> None:
    assert str(type_of_value(value)) == printed


def test_null_fixes_no_type() -> None:
    schema = new_class("Thing")
    assert type_of_value(None) is None
    assert admitted(schema, {"a": None}) is schema


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({"__op": "Increment"}, "Number"),
        ({"__op": "Decrement"}, "Number"),
        ({"__op": "BitOr", "value": 1}, "Number"),
        ({"__op": "Add", "objects": []}, "Array"),
        ({"__op": "AddUnique", "objects": []}, "Array"),
        ({"__op": "Remove", "objects": []}, "Array"),
    ],
)
def test_operations_ask_for_types(raw: Any, wanted: str) -> None:
    assert admitted(new_class("Thing"), {"a": raw}).columns["a"] == ColumnType(wanted)


def test_delete_fixes_no_type() -> None:
    schema = new_class("Thing")
    assert admit_write(schema, {"a": Unset(), "b.c": Unset()}) is schema


def test_the_same_schema_when_nothing_is_new() -> None:
    schema = admitted(new_class("Thing"), {"a": 1})
    assert admitted(schema, {"a": 2}) is schema
    assert admit_document(schema, {"a": 3, "objectId": "x", "createdAt": "y"}) is schema


def test_the_first_schema_is_left_alone() -> None:
    schema = new_class("Thing")
    grown = admitted(schema, {"a": 1})
    assert "a" not in schema.columns
    assert "a" not in new_class("Other").columns
    assert grown.columns["a"] == ColumnType("Number")


@pytest.mark.parametrize(
    ("first", "later", "text"),
    [
        (
            True,
            "yes",
            "Invalid value type for field 'flag',expect type is {:type \"Boolean\"},"
            "but it is '{:type \"String\"}'.",
        ),
        (
            "x",
            {"__op": "Increment"},
            "Invalid value type for field 'flag',expect type is {:type \"String\"},"
            "but it is '{:type \"Number\"}'.",
        ),
        (
            {"__type": "Pointer", "className": "Post", "objectId": "p"},
            {"__type": "Pointer", "className": "Album", "objectId": "a"},
            "Invalid value type for field 'flag',expect type is "
            '{:type "Pointer", :className "Post"},'
            'but it is \'{:type "Pointer", :className "Album"}\'.',
        ),
        (
            [1],
            {"a": 1},
            "Invalid value type for field 'flag',expect type is {:type \"Array\"},"
            "but it is '{:type \"Object\"}'.",
        ),
        (
            "2020-01-01",
            {"__type": "Date", "iso": "2020-01-01"},
            "Invalid value type for field 'flag',expect type is {:type \"String\"},"
            "but it is '{:type \"Date\"}'.",
        ),
    ],
)
def test_another_type_is_refused_in_the_platforms_words(first: Any, later: Any, text: str) -> None:
    schema = admitted(new_class("Thing"), {"flag": first})
    with pytest.raises(ApiError) as caught:
        admitted(schema, {"flag": later})
    assert (caught.value.code, caught.value.message) == (111, text)


def test_null_fits_every_column() -> None:
    schema = admitted(new_class("Thing"), {"a": 1})
    assert admitted(schema, {"a": None}) is schema


def test_dotted_paths_want_an_object() -> None:
    schema = admitted(new_class("Thing"), {"a.b": 1})
    assert schema.columns["a"] == ColumnType("Object")
    with pytest.raises(ApiError):
        admitted(schema_with(a=ColumnType("String")), {"a.b": 1})


def test_a_column_of_any_type_takes_everything() -> None:
    for schema in (schema_with(a=ANY), schema_with(a=ColumnType("Any"))):
        assert admitted(schema, {"a": "x"}) is schema
        assert admitted(schema, {"a": [1]}) is schema


def test_users_and_roles_have_unique_columns() -> None:
    assert new_class("_User").unique >= {"username", "email", "mobilePhoneNumber"}
    assert new_class("_Role").unique == {"name"}
    assert new_class("Post").unique == frozenset()


POINT: Any = {"__type": "GeoPoint", "latitude": 1, "longitude": 2}


@pytest.mark.parametrize(
    "body", [{"there": POINT}, {"there": POINT, "here": POINT}, {"here": None, "there": POINT}]
)
def test_a_class_has_one_place_at_most(body: dict[str, Any]) -> None:
    schema = admitted(new_class("Shop"), {"here": POINT})
    with pytest.raises(ApiError) as caught:
        admitted(schema, body)
    assert caught.value.code == 302
    assert "'there' cannot be added beside 'here'" in caught.value.message


def test_two_places_at_once_are_one_too_many() -> None:
    with pytest.raises(ApiError) as caught:
        admit_document(new_class("Shop"), {"here": POINT, "there": POINT})
    assert caught.value.code == 302


def test_a_declared_class_has_one_place_at_most() -> None:
    shop = schema_with(here=ColumnType("GeoPoint"))
    declared(shop, schema_with(here=ColumnType("GeoPoint")))
    with pytest.raises(ApiError) as caught:
        declared(shop, schema_with(there=ColumnType("GeoPoint")))
    assert caught.value.code == 302


def test_places_inside_of_objects_do_not_count() -> None:
    admitted(new_class("Shop"), {"here": POINT, "more": {"at": POINT}, "list": [POINT, POINT]})
