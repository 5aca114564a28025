"""The permission matrix: every action, by everybody, under every setting (storage.md 7)."""

from collections.abc import Mapping
from typing import Any

import pytest

from lean_emulator.base.errors import ApiError
from lean_emulator.model.access import (
    ANONYMOUS,
    MASTER,
    OWNER,
    PUBLIC_ACL,
    Action,
    Principal,
    Refusal,
    acl_of_new,
    check_acl,
    may,
    read_filter,
    shared,
)
from lean_emulator.model.class_permissions import ACTIONS
from lean_emulator.model.query import EVERYTHING, ReadableBy
from lean_emulator.model.schema import ClassSchema, new_class
from lean_emulator.model.values import MISSING

ANN_ID, BOB_ID, EVE_ID = "a" * 24, "b" * 24, "e" * 24
EDITORS_ID = "d" * 24
ANN = Principal("user", {"objectId": ANN_ID, "username": "ann"}, {})
BOB = Principal("user", {"objectId": BOB_ID, "username": "bob"}, {EDITORS_ID: "editors"})
# Her names are the ids of others.
EVE = Principal("user", {"objectId": EVE_ID, "username": ANN_ID}, {"f" * 24: EDITORS_ID})
PEOPLE: Mapping[str, Principal] = {
    "nobody": ANONYMOUS,
    "ann": ANN,
    "bob": BOB,
    "eve": EVE,
    "engine": Principal("anonymous", from_engine=True),
    "ann by engine": Principal("user", ANN.user, {}, from_engine=True),
    "master": MASTER,
    "ann by master": Principal("master", ANN.user),
}
MASTERS = {"master", "ann by master"}
THE_SIGNED_IN = {"ann", "bob", "eve", "ann by engine"}
EVERYBODY = set(PEOPLE)
ANNS = {"ann", "ann by engine"}

PERMISSIONS: list[tuple[Any, set[str]]] = [
    (None, EVERYBODY),
    ({"*": True}, EVERYBODY),
    ({"*": True, "users": [], "roles": []}, EVERYBODY),
    ({"*": False}, set()),
    ({}, set()),
    ({"users": [], "roles": []}, set()),
    ({"users": "", "roles": ""}, set()),
    ({"onlySignInUsers": True}, THE_SIGNED_IN),
    ({"onlySignInUsers": False}, set()),
    ({"users": [ANN_ID]}, ANNS),
    ({"users": ANN_ID}, ANNS),
    ({"users": ["ann", "nobody"]}, ANNS),
    ({"users": ["ann", "bob"]}, {*ANNS, "bob"}),
    ({"users": ["role:editors", "*"]}, set()),
    ({"roles": ["editors"]}, {"bob"}),
    ({"roles": "editors"}, {"bob"}),
    ({"roles": [EDITORS_ID]}, {"bob"}),
    ({"roles": ["editors", "others"], "users": [EVE_ID]}, {"bob", "eve"}),
    ({"roles": ["others", "role:editors", "Editors"]}, set()),
    ({"roles": ["bob", BOB_ID], "users": ["editors", EDITORS_ID]}, set()),
]
"""What a schema file says of an action, and whom that lets in beside the master key."""

ACLS: list[tuple[Any, set[str], set[str]]] = [
    (MISSING, EVERYBODY, EVERYBODY),
    (None, EVERYBODY, EVERYBODY),
    (PUBLIC_ACL, EVERYBODY, EVERYBODY),
    (dict(PUBLIC_ACL), EVERYBODY, EVERYBODY),
    ({}, set(), set()),
    ({"*": {"read": True}}, EVERYBODY, set()),
    ({"*": {"write": True}}, set(), EVERYBODY),
    ({"*": {"read": True, "write": False}}, EVERYBODY, set()),
    ({ANN_ID: {"read": True, "write": True}}, ANNS, ANNS),
    ({ANN_ID: {"write": True}, "*": {"read": True}}, EVERYBODY, ANNS),
    ({ANN_ID: {"read": False}, "*": {"read": True}}, EVERYBODY, set()),
    ({"role:editors": {"write": True}}, set(), {"bob"}),
    ({"role:others": {"read": True, "write": True}}, set(), set()),
    ({"role:Editors": {"read": True}}, set(), set()),
    ({"role: editors": {"read": True}}, set(), set()),
    ({f"role:{EDITORS_ID}": {"read": True}}, {"eve"}, set()),
    ({"editors": {"read": True}, "ann": {"write": True}}, set(), set()),
    ({"role:": {"read": True}, "": {"write": True}}, set(), set()),
    ({OWNER: {"read": True, "write": True}}, set(), set()),
    ({"*": {"read": "yes"}, ANN_ID: {"write": 1}}, set(), set()),
    ({"*": None}, set(), set()),
    ("nonsense", set(), set()),
]
"""An ACL, who reads by it and who writes by it."""

OF_OBJECTS: Mapping[Action, int] = {"get": 0, "include": 0, "update": 1, "delete": 1}
"""Actions an object's ACL speaks of: to read is 0, to write is 1."""


def post(action: Action, declared: Any) -> ClassSchema:
    permissions: dict[str, Any] | None = None if declared is None else {action: declared}
    return ClassSchema("Post", permissions=permissions)


def rulings(action: Action, schema: ClassSchema, object_id: str, acl: Any) -> dict[str, Any]:
    return {who: may(people, action, schema, object_id, acl) for who, people in PEOPLE.items()}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("declared", "let_in"), PERMISSIONS)
def test_class_permissions(action: Action, declared: Any, let_in: set[str]) -> None:
    ruled = rulings(action, post(action, declared), "p1", PUBLIC_ACL)
    assert {who for who, ruling in ruled.items() if ruling} == let_in | MASTERS
    for ruling in (ruling for ruling in ruled.values() if not ruling):
        error = ruling.error()
        assert ruling.rule == "class permissions"
        assert (error.code, error.status) == (403, 403)
        assert error.message == f"Forbidden to {action} by class permissions."
        assert ruling.words().en.startswith(f"class permission {action} of Post: for ")


@pytest.mark.parametrize("action", [*ACTIONS, "include"])
@pytest.mark.parametrize(("acl", "readers", "writers"), ACLS)
def test_acls(action: Action, acl: Any, readers: set[str], writers: set[str]) -> None:
    ruled = rulings(action, new_class("Post"), "p1", acl)
    allowed = {who for who, ruling in ruled.items() if ruling}
    if action not in OF_OBJECTS:
        assert allowed == EVERYBODY
        return
    assert allowed == (readers, writers)[OF_OBJECTS[action]] | MASTERS
    for ruling in (ruling for ruling in ruled.values() if not ruling):
        error, doing = ruling.error(), ("reading", "writing")[OF_OBJECTS[action]]
        assert ruling.rule == "ACL"
        assert (error.code, error.status) == (403, 403)
        assert error.message == f"Forbidden {doing} by object's ACL., the object id is p1."
        assert ruling.words().en.startswith("ACL of Post p1: ")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("other", ACTIONS)
def test_a_permission_is_for_its_own_action(action: Action, other: Action) -> None:
    allowed = may(ANN, action, post(other, {"users": []}), "p1")
    assert bool(allowed) == (action != other)


def test_reading_along_asks_no_class_permission() -> None:
    closed = ClassSchema("Post", permissions={action: {} for action in ACTIONS})
    assert may(ANONYMOUS, "include", closed, "p1", PUBLIC_ACL)


def test_both_class_and_object_must_allow() -> None:
    schema = post("update", {"roles": ["editors"]})
    cases: list[tuple[Any, Principal, str | None]] = [
        ({}, BOB, "ACL"),
        ({}, ANN, "class permissions"),
        (PUBLIC_ACL, ANN, "class permissions"),
        ({BOB_ID: {"write": True}}, BOB, None),
    ]
    for acl, who, rule in cases:
        ruling = may(who, "update", schema, "p1", acl)
        assert (None if ruling else ruling.rule) == rule


@pytest.mark.parametrize(
    ("class_name", "closed"),
    [
        ("Post", set()),
        ("_User", set()),
        ("_Role", set()),
        ("_Installation", {"find", "delete"}),
        ("_File", {"update", "delete"}),
        ("_Followee", set()),
        ("_FriendshipRequest", {"create", "update"}),
        ("_Blocklist", {"create", "update"}),
        ("_Notification", set(ACTIONS)),
        ("_Conversation", set()),
    ],
)
def test_what_the_platform_keeps_to_itself(class_name: str, closed: set[str]) -> None:
    schema = new_class(class_name)
    # everybody's own account is beside the point here
    refused = {a for a in ACTIONS if not may(ANN, a, schema, ANN_ID, PUBLIC_ACL)}
    assert refused == closed
    assert all(may(MASTER, action, schema, "x", {}) for action in ACTIONS)


def test_a_schema_file_opens_what_is_closed_and_leaves_the_rest() -> None:
    schema = ClassSchema("_Installation", permissions={"find": {"*": True}})
    assert may(ANONYMOUS, "find", schema)
    assert not may(ANONYMOUS, "delete", schema, "i1")


@pytest.mark.parametrize("acl", [MISSING, PUBLIC_ACL, {}, {BOB_ID: {"write": True}}])
@pytest.mark.parametrize("action", ["update", "delete"])
def test_accounts_are_changed_by_themselves_alone(action: Action, acl: Any) -> None:
    """Whatever the ACL says, which is for reading alone (storage.md 6.5)."""
    ruled = rulings(action, new_class("_User"), ANN_ID, acl)
    assert {who for who, ruling in ruled.items() if ruling} == ANNS | MASTERS
    for ruling in (ruling for ruling in ruled.values() if not ruling):
        error = ruling.error()
        assert (ruling.rule, error.code, error.status) == ("session guard", 206, 400)


def test_the_class_is_asked_before_the_session() -> None:
    schema = ClassSchema("_User", permissions={"update": {"users": []}})
    for who in (ANN, BOB):
        ruling = may(who, "update", schema, ANN_ID)
        assert not ruling
        assert ruling.rule == "class permissions"


def test_accounts_are_read_by_their_acl() -> None:
    acl: Any = {ANN_ID: {"read": True}}
    assert may(ANN, "get", new_class("_User"), ANN_ID, acl)
    assert not may(BOB, "get", new_class("_User"), ANN_ID, acl)


@pytest.mark.parametrize(
    ("principal", "acl", "declared", "expected"),
    [
        (Principal("user", BOB.user), {"role:editors": {"write": True}}, None, True),
        (Principal("user", BOB.user), PUBLIC_ACL, {"roles": ["editors"]}, True),
        (Principal("user", BOB.user), {"role:editors": {"read": True}}, None, False),
        (Principal("user", BOB.user), {ANN_ID: {"write": True}}, None, False),
        (Principal("user", BOB.user), PUBLIC_ACL, {"users": ["ann"]}, False),
        (Principal("user", BOB.user, {}), {"role:editors": {"write": True}}, None, False),
        (ANONYMOUS, {"role:editors": {"write": True}}, None, False),
    ],
)
def test_only_a_rule_that_names_roles_wants_them_known(
    principal: Principal, acl: Any, declared: Any, expected: bool
) -> None:
    ruling = may(principal, "update", post("update", declared), "p1", acl)
    assert isinstance(ruling, Refusal)
    assert ruling.may_depend_on_roles is expected


@pytest.mark.parametrize(
    ("principal", "acl", "words"),
    [
        (ANONYMOUS, {}, "ACL of Post p1: read is for nobody but the master key; "
                        "this is nobody, without a session"),
        (ANN, {BOB_ID: {"read": True}, "role:x": {"read": True}, "*": {"write": True}},
         f"ACL of Post p1: read is for {BOB_ID}, role:x; this is ann ({ANN_ID}), in no role"),
        (BOB, {f"u{n}": {"read": True} for n in range(7)},
         "ACL of Post p1: read is for u0, u1, u2, u3, u4 and 2 more; "
         f"this is bob ({BOB_ID}), in the roles editors"),
    ],
)  # fmt: skip
def test_a_refusal_says_who_would_have_been_let_in(
    principal: Principal, acl: Any, words: str
) -> None:
    ruling = may(principal, "get", new_class("Post"), "p1", acl)
    assert isinstance(ruling, Refusal)
    assert ruling.words().en == words
    hint = ruling.error().hint
    assert hint is not None
    assert words in hint.en
    assert ruling.words().zh in hint.zh


def test_a_refusal_by_class_names_the_schema_file() -> None:
    ruling = may(ANN, "find", post("find", {"onlySignInUsers": False, "roles": ["b", "a"]}))
    assert isinstance(ruling, Refusal)
    hint = ruling.error().hint
    assert hint is not None
    assert "role:a, role:b" in hint.en
    assert "permissions.find" in hint.en
    assert "permissions.find" in hint.zh


def test_a_user_beside_the_master_key_is_master() -> None:
    principal = PEOPLE["ann by master"]
    assert may(principal, "update", new_class("Post"), "p1", {})
    assert (principal.is_master, principal.user_id) == (True, ANN_ID)


def test_grantees_name_the_principal() -> None:
    assert ANONYMOUS.grantees() == {"*"}
    assert BOB.grantees() == {"*", BOB_ID, "role:editors"}
    assert Principal("user", BOB.user).grantees() == {"*", BOB_ID}
    assert read_filter(BOB) == ReadableBy(frozenset({"*", BOB_ID, "role:editors"}))
    assert read_filter(MASTER) is EVERYTHING


@pytest.mark.parametrize(
    ("default", "principal", "expected"),
    [
        (MISSING, ANN, PUBLIC_ACL),
        ({}, ANN, {}),
        ({"*": {"read": True}}, ANN, {"*": {"read": True}}),
        ({OWNER: {"write": True}}, ANN, {ANN_ID: {"write": True}}),
        ({OWNER: {"write": True}}, PEOPLE["ann by master"], {ANN_ID: {"write": True}}),
        ({OWNER: {"write": True}, "*": {"read": True}}, ANONYMOUS, {"*": {"read": True}}),
        ({OWNER: {"write": True}}, MASTER, {}),
        ({OWNER: {"write": True}, ANN_ID: {"read": True}}, ANN,
         {ANN_ID: {"read": True, "write": True}}),
    ],
)  # fmt: skip
def test_the_acl_of_an_object_that_brings_none(
    default: Any, principal: Principal, expected: Any
) -> None:
    assert acl_of_new(default, principal) == expected


def test_the_usual_acl_is_one_and_the_same() -> None:
    assert acl_of_new(MISSING, ANN) is PUBLIC_ACL


def test_equal_public_acls_become_one() -> None:
    assert shared(dict(PUBLIC_ACL)) is PUBLIC_ACL
    other: Any = {"*": {"read": True}}
    assert shared(other) is other


@pytest.mark.parametrize("acl", [{}, PUBLIC_ACL, {"u": {}}, {"role:x": {"read": False}}])
def test_what_is_an_acl(acl: Any) -> None:
    check_acl(acl)


@pytest.mark.parametrize(
    "acl",
    [None, [], "x", 5, {"*": True}, {"*": {"read": 1}}, {"*": {"delete": True}}, {"*": None}],
)
def test_what_is_no_acl_is_code_123(acl: Any) -> None:
    with pytest.raises(ApiError) as caught:
        check_acl(acl)
    assert caught.value.code == 123
