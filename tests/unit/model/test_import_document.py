"""Rows as the objects that are stored for them."""

from typing import Any

import pytest

from lean_emulator.base.errors import ApiError
from lean_emulator.model.access import PUBLIC_ACL
from lean_emulator.model.import_document import id_in, imported, plain_password
from lean_emulator.model.operations import Relate

NOW = "2026-01-01T00:00:00.000Z"
THEN = "2015-06-21T18:02:52.249Z"
HASH = "tA7BLW+NK0UeARng0693gCaVnljkglCB9snqlpCSUKjx2RgYp8VZZOQt0S5iUtlDrkJXfT3gknS4rRqjYsd/Ug=="


def test_what_a_row_brings_is_kept() -> None:
    row: Any = {
        "objectId": "x1",
        "createdAt": THEN,
        "updatedAt": {"__type": "Date", "iso": "2015-06-22"},
        "ACL": {"*": {"read": True}},
        "at": {"__type": "Date", "iso": "2020-01-01T01:00:00+01:00"},
        "_SessionToken": "t",
        "likes": {"__type": "Relation", "className": "Comment"},
    }
    assert imported(row, "x1", NOW) == (
        {
            "objectId": "x1",
            "createdAt": THEN,
            "updatedAt": "2015-06-22T00:00:00.000Z",
            "ACL": {"*": {"read": True}},
            "at": {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"},
            "_SessionToken": "t",
        },
        {"likes": Relate("Comment")},
    )


def test_what_it_lacks_is_made() -> None:
    document, _ = imported({"a": None}, "new", NOW)
    assert document == {
        "a": None, "ACL": PUBLIC_ACL, "objectId": "new", "createdAt": NOW, "updatedAt": NOW
    }  # fmt: skip
    assert document["ACL"] is PUBLIC_ACL


def test_an_object_in_full_form_has_no_columns_of_that_form() -> None:
    document, _ = imported({"__type": "Object", "className": "Post", "a": 1}, "x", NOW)
    assert document.keys() == {"a", "ACL", "objectId", "createdAt", "updatedAt"}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"a b": 1}, 105),
        ({"__type": 1}, 105),
        ({"createdAt": "yesterday"}, 107),
        ({"ACL": {"*": 1}}, 123),
        ({"p": {"__type": "Pointer"}}, 106),
        ({"g": {"__type": "GeoPoint", "latitude": 91, "longitude": 0}}, 302),
        ({"o": {"a.b": 1}}, 121),
    ],
)
def test_wrong_values(row: Any, code: int) -> None:
    with pytest.raises(ApiError) as caught:
        imported(row, "x", NOW)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("row", "object_id"), [({}, None), ({"objectId": ""}, None), ({"objectId": 17}, "17")]
)
def test_ids(row: Any, object_id: str | None) -> None:
    assert id_in(row) == object_id


@pytest.mark.parametrize(("row", "code"), [([], 107), ("x", 107), ({"objectId": "a-b"}, 104)])
def test_rows_that_are_none(row: Any, code: int) -> None:
    with pytest.raises(ApiError) as caught:
        id_in(row)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("document", "password"),
    [
        ({"password": "secret"}, "secret"),
        ({"password": "secret", "salt": "s"}, None),
        ({"password": HASH}, None),
        ({}, None),
    ],
)
def test_only_a_plain_password_is_to_be_hashed(document: Any, password: str | None) -> None:
    assert plain_password(document) == password
