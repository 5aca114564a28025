"""How authData names a person, and what a change of it means (storage.md 6.6)."""

from typing import Any

import pytest

from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.auth_data import (
    AuthChange,
    Identity,
    Link,
    check_auth_data,
    held_identities,
    login_identities,
    touches_auth_data,
    with_union_ids,
)
from lean_emulator.model.operations import parse_write
from lean_emulator.model.values import MISSING

DELETE = {"__op": "Delete"}


@pytest.mark.parametrize(
    ("entry", "key", "value"),
    [
        ({"uid": "1"}, "uid", "1"),
        ({"openid": "1", "uid": "2"}, "uid", "2"),
        ({"id": "3", "openid": "1"}, "openid", "1"),
        ({"id": "3"}, "id", "3"),
        ({"uid": 42}, "uid", 42),
        ({"uid": "", "id": "3"}, "id", "3"),
        ({"uid": None, "openid": True, "id": "3"}, "id", "3"),
    ],
)
def test_the_first_that_names_somebody(entry: dict[str, Json], key: str, value: object) -> None:
    (identity,) = login_identities({"p": entry})
    assert (identity.key, identity.value) == (key, value)
    assert identity.path == f"authData.p.{key}"


@pytest.mark.parametrize(
    ("auth_data", "code"),
    [
        ("text", 111),
        ([], 111),
        ({"p": "text"}, 111),
        ({"p": None}, 111),
        ({"p": {}}, 250),
        ({"p": {"uid": {"$ne": 1}}}, 250),
        ({"p.q": {"uid": "1"}}, 121),
        ({"$p": {"uid": "1"}}, 121),
        ({"": {"uid": "1"}}, 121),
    ],
)
def test_what_names_nobody_is_refused(auth_data: Any, code: int) -> None:
    with pytest.raises(ApiError) as refused:
        check_auth_data(auth_data)
    assert refused.value.code == code


def app(main: object) -> dict[str, Json]:
    return {"openid": "o", "platform": "weixin", "unionid": "u", "main_account": main}  # type: ignore[dict-item]  # any JSON


OWN, UNION = Identity("app", "openid", "o"), Identity("_weixin_unionid", "uid", "u")


@pytest.mark.parametrize(
    ("main", "added", "order"),
    [
        (True, True, [OWN, UNION]),
        ("true", True, [OWN, UNION]),
        (False, False, [UNION, OWN]),
        ("false", False, [UNION, OWN]),
        (None, False, [UNION, OWN]),
        (1, False, [UNION, OWN]),
    ],
)
def test_union_ids(main: object, added: bool, order: list[Identity]) -> None:
    auth_data: dict[str, Json] = {"app": app(main)}
    union: dict[str, Json] = {"_weixin_unionid": {"uid": "u"}}
    assert with_union_ids(auth_data) == {**auth_data, **(union if added else {})}
    assert list(login_identities(auth_data)) == order


def test_a_union_id_wants_its_platform() -> None:
    auth_data: dict[str, Json] = {"app": {"openid": "o", "unionid": "u", "main_account": True}}
    assert with_union_ids(auth_data) == auth_data
    assert list(login_identities(auth_data)) == [OWN]


def test_stored_accounts_that_name_nobody_are_passed_over() -> None:
    stored: dict[str, Json] = {"a": {"x": 1}, "b": None, "c": {"uid": "1"}}
    assert [identity.platform for identity in held_identities(stored)] == ["c"]


OLD: dict[str, Json] = {"anonymous": {"id": "a"}, "qq": {"openid": "q"}}


@pytest.mark.parametrize(
    ("body", "old", "new"),
    [
        ({"authData": {"g": {"uid": "1"}}}, {"qq": 1}, {"qq": 1, "g": {"uid": "1"}}),
        ({"authData": {"g": {"uid": "1"}}}, None, {"g": {"uid": "1"}}),
        ({"authData": {"g": {"uid": "1"}}}, MISSING, {"g": {"uid": "1"}}),
        ({"authData": {"g": {"uid": "1"}}}, OLD, {"qq": {"openid": "q"}, "g": {"uid": "1"}}),
        ({"authData.g": {"uid": "1"}}, {}, {"g": {"uid": "1"}}),
        ({"authData": {"qq": None}}, OLD, {"anonymous": {"id": "a"}}),
        ({"authData.qq": DELETE}, OLD, {"anonymous": {"id": "a"}}),
        ({"authData.qq": DELETE}, MISSING, MISSING),
        ({"username": "x", "password": "y"}, OLD, {"qq": {"openid": "q"}}),
        ({"username": "x", "password": "y"}, MISSING, MISSING),
        ({"authData": {"anonymous": {"id": "b"}}}, {}, {"anonymous": {"id": "b"}}),
        ({"authData": {"qq": None, "g": {"uid": "1"}}}, OLD, {"g": {"uid": "1"}}),
    ],
)
def test_a_change_of_accounts(body: dict[str, Any], old: Any, new: Any) -> None:
    write = parse_write(body)
    assert touches_auth_data(write)
    change = AuthChange.of(write)
    link = change.write(change.linked)["authData"]
    assert isinstance(link, Link)
    assert link.apply(old) == new


def test_other_changes_are_left_alone() -> None:
    write = parse_write({"n": 1, "username": "x", "authDataOfMine": {}})
    assert not touches_auth_data(write)
    deep = parse_write({"authData.qq.access_token": "t", "n": 1})
    assert AuthChange.of(deep).write({}) == deep
    nothing = parse_write({"authData": {}, "n": 1})
    assert AuthChange.of(nothing).write({}).keys() == {"n"}


def test_what_on_auth_data_made_of_it_is_linked() -> None:
    change = AuthChange.of(parse_write({"authData": {"code": {"uid": "1"}, "qq": None}}))
    link = change.write({"g": {"uid": "2"}})["authData"]
    assert link.apply(OLD) == {"g": {"uid": "2"}}
