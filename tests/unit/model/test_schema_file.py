"""Schema files: every layout is read, complaints name place and value, dumps are stable."""

import json
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.errors import StartError
from lean_emulator.model.column_options import Options
from lean_emulator.model.schema import ClassSchema, ColumnType, admit_document, declared, new_class
from lean_emulator.model.schema_file import read_schema, to_json, to_text
from lean_emulator.model.values import MISSING

SAMPLES = Path(__file__).resolve().parents[3] / "fixtures" / "schema"
FILES = sorted(p for p in SAMPLES.rglob("*.json") if not p.name.endswith(".population.json"))


def sample(name: str) -> Any:
    path = SAMPLES / name
    return read_schema(path.read_text("utf-8"), str(path), path.name.partition(".")[0])


def read(content: Any, class_name: str = "Post") -> Any:
    return read_schema(json.dumps(content), "schema/Post.json", class_name)


def column(**members: Any) -> Any:
    return read({"schema": {"c": members}})


def written(schema: ClassSchema) -> Any:
    return to_json(schema)


def refused(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    with pytest.raises(StartError) as caught:
        read_schema(text, "schema/Post.json", "Post")
    assert caught.value.hint is not None
    assert caught.value.message.startswith("schema/Post.json: ")
    return caught.value.message.removeprefix("schema/Post.json: ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_dump_read_and_dumped_again_is_the_same_to_the_byte(path: Path) -> None:
    schema = sample(str(path.relative_to(SAMPLES)))
    text = to_text(to_json(schema))
    again = read_schema(text, "x", schema.name)
    assert again == schema
    assert to_text(to_json(again)) == text
    assert text.endswith("}\n")


@pytest.mark.parametrize("name", ["full/Ticket.json", "full/Vote.json"])
def test_a_file_in_our_form_stays_as_it_is(name: str) -> None:
    assert to_text(to_json(sample(name))) == (SAMPLES / name).read_text("utf-8")


def test_what_a_storage_learned_meanwhile_is_added_to_the_file() -> None:
    schema = declared(new_class("Vote"), sample("full/Vote.json"))
    grown = admit_document(schema, {"weight": 2})
    before, after = written(schema), written(grown)
    assert after["schema"].pop("weight") == {"type": "Number"}
    assert after == before


def test_the_plain_layout() -> None:
    schema = sample("plain/_User.schema.json")
    assert schema.name == "_User"
    assert schema.columns["address"] == ColumnType("Pointer", "Address")
    assert schema.columns["friends"] == ColumnType("Relation", "_User")
    assert schema.options["type"] == Options(
        required=True, read_only=True, hidden=True, user_private=True, default=1, v=1
    )
    assert schema.options["whatsUp"] == Options(v=1)
    assert "objectId" not in schema.options
    assert schema.unique == new_class("_User").unique
    assert (schema.permissions, schema.indexes, schema.kind) == (None, (), None)
    assert to_json(schema).keys() == {"schema"}


def test_the_fuller_layout() -> None:
    schema = sample("full/Ticket.json")
    assert schema.permissions["create"] == {"onlySignInUsers": True}
    serial, latest = schema.indexes
    assert (serial.name, serial.keys, serial.unique) == ("-user-nid_1", (("nid", 1),), True)
    assert latest.extra == {"v": 2, "ns": "-.Ticket", "background": True}
    assert schema.unique_indexes == (serial,)
    assert schema.options["nid"] == Options(auto_increment=True, comment="")


def test_the_layout_with_a_name() -> None:
    schema = sample("named/visits.json")
    assert (schema.name, schema.kind) == ("Visit", "log")
    assert schema.options["at"].default == {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"}
    assert schema.options["photo"].default == {"__type": "File", "id": "64c0ffee0000000000000002"}
    assert schema.options["page"] == Options(read_only=True)
    assert schema.options["serial"] == Options(auto_increment=True)
    assert list(to_json(schema)) == ["indexes", "name", "permissions", "schema", "type"]


def test_columns_of_an_index_keep_their_order() -> None:
    keys = {"z.$id": -1, "a": 1}
    schema = read({"schema": {}, "indexes": [{"key": keys}]})
    (index,) = written(schema)["indexes"]
    assert list(index["key"].items()) == list(keys.items())
    assert index["name"] == "z.$id_-1_a_1"


def test_built_in_columns_are_listed_and_keep_their_types() -> None:
    schema = read({"schema": {"email": {"type": "Any", "hidden": True}}}, "_User")
    assert schema.columns["email"] == ColumnType("String")
    assert schema.options["email"].hidden
    assert {"objectId", "ACL", "createdAt", "sessionToken"} <= schema.columns.keys()


@pytest.mark.parametrize("default", [None, 0, False, ""])
def test_a_default_may_be_falsy_and_null_is_none(default: Any) -> None:
    kind = {int: "Number", bool: "Boolean", str: "String"}.get(type(default), "String")
    schema = column(type=kind, default=default)
    expected = MISSING if default is None else default
    assert schema.options.get("c", Options()).default is expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "line 1 column 2: Expecting property name"),
        ('{"schema": NaN}', "the file: NaN is no JSON."),
        ("[" * 100_000, "the file: is nested too deep."),
        ([], "the file: must be a JSON object, not []."),
        ({}, "the file: has no member 'schema'"),
        ({"schema": []}, "schema: must be a JSON object, not []."),
        ({"schema": {}, "permission": {}}, "'permission' means nothing there. Did you mean 'perm"),
        ({"schema": {}, "name": "2x"}, 'name: "2x" is no name a class can have.'),
        ({"schema": {}, "name": 5}, "name: 5 is no name a class can have."),
        ({"schema": {}, "type": "odd"}, "type: must be 'normal' or 'log', not \"odd\"."),
        ({"schema": {"a b": {"type": "String"}}}, "column 'a b': is no name a column can have."),
        ({"schema": {"c": "String"}}, "column 'c': must be a JSON object, not \"String\"."),
        ({"schema": {}, "indexes": {}}, "indexes: must be a list, not {}."),
        ({"schema": {}, "indexes": [5]}, "index 1: must be a JSON object, not 5."),
        ({"schema": {}, "indexes": [{"key": {}}]}, "index 1: key: names no column."),
        ({"schema": {}, "indexes": [{"key": {"a": None}}]}, "index 1: key 'a': cannot be null."),
        ({"schema": {}, "indexes": [{"key": {"a": 1}, "unique": 1}]}, "index 1: unique must be tr"),
        ({"schema": {}, "indexes": [{"key": {"a": 1}, "name": 5}]}, "index 1: name: must be a tex"),
        ({"schema": {}, "indexes": [{"key": {"a": 1}}] * 2}, "index 2: the name 'a_1' is taken."),
        ({"schema": {}, "permissions": []}, "permissions: must be a JSON object, not []."),
        ({"schema": {}, "permissions": {"read": {}}}, "permissions: 'read' means nothing there."),
        ({"schema": {}, "permissions": {"get": {"all": True}}}, "permissions: get: 'all' means no"),
        ({"schema": {}, "permissions": {"get": {"*": 1}}}, "permissions: get: *: must be true or"),
        ({"schema": {}, "permissions": {"get": {"roles": [1]}}}, "get: roles: must be a list of"),
    ],
)
def test_a_wrong_file(content: Any, said: str) -> None:
    assert said in refused(content)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "type must be one of String, Number"),
        ({"type": "Strnig"}, '"Strnig". Did you mean \'String\'?'),
        ({"type": ["String"]}, 'not ["String"].'),
        ({"type": "Pointer"}, "a Pointer wants a className."),
        ({"type": "Relation", "className": "a b"}, 'className: "a b" is no name a class can have.'),
        ({"type": "String", "requierd": True}, "'requierd' means nothing there. Did you mean"),
        ({"type": "String", "required": "yes"}, 'required must be true or false, not "yes".'),
        ({"type": "String", "hidden": 1}, "hidden must be true or false, not 1."),
        ({"type": "String", "auto_increment": True}, "auto_increment is for a Number, not for a S"),
        ({"type": "String", "comment": 5}, "comment must be a text, not 5."),
        ({"type": "String", "v": True}, "v must be a whole number, not true."),
        ({"type": "String", "default": 5}, "default 5 is no String."),
        ({"type": "Number", "default": True}, "default true is no Number."),
        ({"type": "ACL", "default": {"*": {"eat": True}}}, "Malformed ACL"),
        ({"type": "Date", "default": {"__type": "Date", "iso": "then"}}, "Malformed Date: 'then'"),
        ({"type": "GeoPoint", "default": {"__type": "GeoPoint", "latitude": 99, "longitude": 0}},
         "is out of range"),
        ({"type": "Pointer", "className": "A", "default":
            {"__type": "Pointer", "className": "B", "objectId": "b"}}, "is no Pointer."),
    ],
)  # fmt: skip
def test_a_wrong_column(members: Any, said: str) -> None:
    text = refused({"schema": {"c": members}})
    assert text.startswith("column 'c': ")
    assert said in text
