"""Who may read and write, and which ACLs are none."""

from typing import Any

import pytest

from lean_emulator.base.errors import ApiError
from lean_emulator.model.access import (
    ANONYMOUS,
    MASTER,
    PUBLIC_ACL,
    Action,
    Principal,
    check_acl,
    may,
    read_filter,
)
from lean_emulator.model.query import EVERYTHING, ReadableBy

ANN = Principal("user", {"objectId": "ann"})
EDITOR = Principal("user", {"objectId": "bob"}, frozenset({"editors"}))


@pytest.mark.parametrize(
    ("acl", "anonymous", "ann", "editor"),
    [
        (None, "rw", "rw", "rw"),
        (PUBLIC_ACL, "rw", "rw", "rw"),
        ({}, "", "", ""),
        ({"*": {"read": True}}, "r", "r", "r"),
        ({"*": {"read": True, "write": False}}, "r", "r", "r"),
        ({"ann": {"read": True, "write": True}}, "", "rw", ""),
        ({"ann": {"write": True}, "*": {"read": True}}, "r", "rw", "r"),
        ({"role:editors": {"write": True}}, "", "", "w"),
        ({"role:others": {"read": True, "write": True}}, "", "", ""),
        ({"editors": {"read": True}}, "", "", ""),
        ({"*": {"read": "yes"}}, "", "", ""),
        ({"*": None}, "", "", ""),
        ("nonsense", "", "", ""),
    ],
)
def test_grants(acl: Any, anonymous: str, ann: str, editor: str) -> None:
    actions: tuple[Action, ...] = ("read", "write")
    for principal, granted in ((ANONYMOUS, anonymous), (ANN, ann), (EDITOR, editor)):
        assert "".join(a[0] for a in actions if may(principal, a, acl)) == granted
    assert all(may(MASTER, action, acl) for action in actions)


def test_a_user_beside_the_master_key_is_master() -> None:
    principal = Principal("master", {"objectId": "ann"})
    assert may(principal, "write", {})
    assert (principal.is_master, principal.user_id) == (True, "ann")


def test_grantees_name_the_principal() -> None:
    assert ANONYMOUS.grantees() == ("*",)
    assert EDITOR.grantees() == ("*", "bob", "role:editors")
    assert read_filter(EDITOR) == ReadableBy(("*", "bob", "role:editors"))
    assert read_filter(MASTER) is EVERYTHING


@pytest.mark.parametrize("acl", [{}, PUBLIC_ACL, {"u": {}}, {"role:x": {"read": False}}])
def test_acls(acl: Any) -> None:
    check_acl(acl)


@pytest.mark.parametrize(
    "acl",
    [None, [], "x", 5, {"*": True}, {"*": {"read": 1}}, {"*": {"delete": True}}, {"*": None}],
)
def test_what_is_no_acl_is_code_123(acl: Any) -> None:
    with pytest.raises(ApiError) as caught:
        check_acl(acl)
    assert caught.value.code == 123
