"""Options of columns, turned into rules of the class."""

from typing import Any

import pytest

from lean_emulator.base.errors import ApiError
from lean_emulator.model.column_options import Options, Rules
from lean_emulator.model.schema import (
    ANY,
    BOOLEAN,
    NUMBER,
    STRING,
    ClassSchema,
    ColumnType,
    declared,
    new_class,
)
from lean_emulator.model.values import MISSING


def rules(class_name: str = "Post", **options: Options) -> Rules | None:
    columns = {**new_class(class_name).columns, **dict.fromkeys(options, NUMBER)}
    return ClassSchema(class_name, columns, options=options).rules


def made(class_name: str = "Post", **options: Options) -> Rules:
    found = rules(class_name, **options)
    assert found is not None
    return found


def test_a_class_without_options_has_no_rules() -> None:
    assert new_class("Post").rules is None
    assert rules(a=Options(), b=Options(comment="for people", v=2)) is None


def test_what_the_server_sets_is_never_missing() -> None:
    asked = Options(required=True, hidden=True, read_only=True, user_private=True, default=1)
    found = made(objectId=asked, createdAt=asked, updatedAt=asked)
    assert found.required == ()
    assert found.defaults == {}
    assert found.locked == frozenset()
    assert found.hidden == found.private == {"createdAt", "updatedAt"}


def test_an_acl_is_never_missing_but_may_be_locked() -> None:
    found = made(ACL=Options(required=True, read_only=True, default={"*": {"read": True}}))
    assert found.required == ()
    assert found.defaults == {}
    assert found.locked == {"ACL"}
    assert found.default_acl == {"*": {"read": True}}
    assert made(a=Options(hidden=True)).default_acl is MISSING


def test_a_users_name_and_password_are_asked_for_by_sign_up() -> None:
    asked = Options(required=True)
    assert made("_User", username=asked, password=asked, nickname=asked).required == ("nickname",)
    assert made("Post", username=asked).required == ("username",)


def test_relations_and_numbered_columns_are_never_missing() -> None:
    options = {
        "members": Options(required=True),
        "nid": Options(required=True, auto_increment=True),
    }
    columns = {"members": ColumnType("Relation", "_User"), "nid": NUMBER}
    found = ClassSchema("Post", columns, options=options).rules
    assert found is not None
    assert (found.required, found.numbered) == ((), ("nid",))


@pytest.mark.parametrize(
    ("document", "missing"),
    [({}, "a"), ({"a": 1}, "b"), ({"a": None, "b": 1}, "a"), ({"b": 0}, "a")],
)
def test_the_first_missing_column_is_named(document: Any, missing: str) -> None:
    with pytest.raises(ApiError) as caught:
        made(b=Options(required=True), a=Options(required=True)).check_required(document)
    assert (caught.value.code, caught.value.message) == (113, f"{missing} is required.")


@pytest.mark.parametrize("value", [0, False, "", [], {}])
def test_falsy_values_are_values(value: Any) -> None:
    made(a=Options(required=True)).check_required({"a": value})


def test_defaults_fill_what_is_absent_but_not_null() -> None:
    found = made(a=Options(default=0), b=Options(default=False))
    assert found.completed({"a": None}) == {"a": None, "b": False}
    assert found.completed({"c": 1}) == {"a": 0, "b": False, "c": 1}


@pytest.mark.parametrize("path", ["locked", "locked.inner", "nid"])
def test_locked_columns_refuse_updates(path: str) -> None:
    found = made(locked=Options(read_only=True), nid=Options(auto_increment=True))
    found.check_update(["open", "lockedNot"])
    with pytest.raises(ApiError) as caught:
        found.check_update(["open", path])
    assert caught.value.code == 117


def test_declaring_keeps_what_is_not_spoken_of() -> None:
    known = ClassSchema("Post", {**new_class("Post").columns, "old": STRING, "n": NUMBER})
    wanted = ClassSchema("Post", {"n": NUMBER, "new": BOOLEAN}, options={"n": Options(hidden=True)})
    schema = declared(known, wanted)
    assert schema.columns == {**known.columns, "new": BOOLEAN}
    assert schema.rules is not None
    assert schema.rules.hidden == {"n"}


def test_declaring_another_type_is_refused_but_any_is_fine() -> None:
    known = ClassSchema("Post", {**new_class("Post").columns, "n": NUMBER})
    with pytest.raises(ApiError) as caught:
        declared(known, ClassSchema("Post", {"n": STRING}))
    assert caught.value.code == 111
    assert caught.value.message == (
        'column \'n\' cannot be {:type "String"}: it is {:type "Number"} already.'
    )
    assert declared(known, ClassSchema("Post", {"n": ANY})).columns["n"] == ANY


def test_declaring_changes_no_built_in_type() -> None:
    schema = declared(new_class("_User"), ClassSchema("_User", {"email": NUMBER, "ACL": NUMBER}))
    assert schema.columns == new_class("_User").columns
