"""Backups in BSON; pymongo makes the documents that are read here."""

import io
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from lean_emulator.base.errors import StartError
from lean_emulator.cli.import_files import bson_decoder
from lean_emulator.model.import_bson import read_bson
from lean_emulator.model.import_rows import Row, Unreadable

bson = pytest.importorskip("bson")
dbref = pytest.importorskip("bson.dbref")
decimal128 = pytest.importorskip("bson.decimal128")
int64 = pytest.importorskip("bson.int64")

ID = "5cc6abe117b54d7448151efc"
MOMENT = datetime(2020, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
ISO = "2020-01-02T03:04:05.678Z"


def rows(*documents: Any) -> list[Any]:
    raw = b"".join(bson.encode(document) for document in documents)
    found = [*read_bson(io.BytesIO(raw), bson_decoder())]
    assert all(isinstance(each, Row) for each in found), found
    return [each.value for each in found if isinstance(each, Row)]


def test_what_only_bson_has_becomes_what_rest_has() -> None:
    given = {
        "_id": bson.ObjectId(ID),
        "createdAt": MOMENT,
        "updatedAt": MOMENT,
        "ACL": {"*": {"read": True}},
        "at": MOMENT,
        "n": int64.Int64(5),
        "price": decimal128.Decimal128("1.5"),
        "raw": b"ab",
        "author": dbref.DBRef("_User", bson.ObjectId(ID)),
        "cover": dbref.DBRef("_File", "f1"),
        "place": {"type": "Point", "coordinates": [116.4, 39.9]},
        "old": {"__type": "GeoPoint", "latitude": 1.0, "longitude": 2.0},
        "list": [dbref.DBRef("Post", "p1"), None, True, 1.5, float("nan")],
    }
    assert rows(given) == [
        {
            "objectId": ID,
            "createdAt": ISO,
            "updatedAt": ISO,
            "ACL": {"*": {"read": True}},
            "at": {"__type": "Date", "iso": ISO},
            "n": 5,
            "price": 1.5,
            "raw": {"__type": "Bytes", "base64": "YWI="},
            "author": {"__type": "Pointer", "className": "_User", "objectId": ID},
            "cover": {"__type": "File", "id": "f1"},
            "place": {"__type": "GeoPoint", "latitude": 39.9, "longitude": 116.4},
            "old": {"__type": "GeoPoint", "latitude": 1.0, "longitude": 2.0},
            "list": [
                {"__type": "Pointer", "className": "Post", "objectId": "p1"},
                None,
                True,
                1.5,
                None,
            ],
        }
    ]


def test_members_of_relations() -> None:
    given = {"_id": bson.ObjectId(ID), "owningId": bson.ObjectId(ID), "relatedId": "m1"}
    assert rows(given) == [{"owningId": ID, "relatedId": "m1"}]


def test_a_wrong_value_refuses_its_document_alone() -> None:
    raw = bson.encode({"_id": "a", "x": bson.Regex("a")}) + bson.encode({"_id": "b"})
    first, second = read_bson(io.BytesIO(raw), bson_decoder())
    assert isinstance(first, Unreadable)
    assert "Regex" in first.text
    assert isinstance(second, Row)
    assert (second.line, second.value, second.at) == (2, {"objectId": "b"}, len(raw))


@pytest.mark.parametrize("cut", [1, 3, 5, 10])
def test_a_file_that_is_cut_off(cut: int) -> None:
    raw = bson.encode({"_id": "a"}) + bson.encode({"_id": "bcdefghi"})
    first, last = read_bson(io.BytesIO(raw[:-cut]), bson_decoder())
    assert isinstance(first, Row)
    assert isinstance(last, Unreadable)
    assert "cut off" in last.text


def test_what_is_no_bson_inside() -> None:
    raw = bytearray(bson.encode({"_id": "a"}))
    raw[4] = 0x7E  # a type that there is none of
    (read,) = read_bson(io.BytesIO(bytes(raw)), bson_decoder())
    assert isinstance(read, Unreadable)


def test_without_pymongo_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bson", None)
    with pytest.raises(StartError, match="pymongo") as caught:
        bson_decoder()
    assert "lean-emu[bson]" in str(caught.value.hint)
