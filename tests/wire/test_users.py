"""Accounts over REST: sign-up, log-in, sessions, what others see (storage.md 6)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CLIENT, MASTER, running_api
from tests.support.matchers import ANY_DATE, ANY_ID, ANY_TOKEN, Looks, With, error
from tests.support.scenario import PASSWORD, Id, Scenario, Sent, SignedUp, Token, run

ANN = SignedUp("ann", {"email": "ann@example.com", "mobilePhoneNumber": "+8613800000000", "n": 1})
BOB = SignedUp("bob")
AS_ANN = {**CLIENT, "X-LC-Session": Token("ann")}
AS_BOB = {**CLIENT, "X-LC-Session": Token("bob")}
TIMES = {"createdAt": ANY_DATE, "updatedAt": ANY_DATE}
FLAGS = {"emailVerified": False, "mobilePhoneVerified": False}
PRIVATE = {"email": "ann@example.com", "mobilePhoneNumber": "+8613800000000"}
PUBLIC_ANN = {"objectId": Id("ann"), "username": "ann", "n": 1, **TIMES, **FLAGS}
OWN_ANN = {**PUBLIC_ANN, **PRIVATE}
ME = {**OWN_ANN, "sessionToken": Token("ann")}
NO_SUCH_USER = error(211, "Could not find user.")
MISMATCH = error(210, "The username and password mismatch.")


def sign_up(
    name: str, body: Any, status: int, answer: Any, path: str = "users", **more: Any
) -> Scenario:
    return Scenario(
        f"sign-up: {name}", Sent("POST", f"/1.1/{path}", body, **more), status, answer, setup=[ANN]
    )


def taken(code: int, **body: Any) -> Scenario:
    fields = {"username": "new", "password": PASSWORD, **body}
    return sign_up(f"taken, code {code}", fields, 400, error(code))


NEW = {"username": "new", "password": PASSWORD}
MADE = {"objectId": ANY_ID, "username": "new", "sessionToken": ANY_TOKEN, **TIMES, **FLAGS}
SIGN_UPS = [
    Scenario("sign-up", Sent("POST", "/1.1/users", {**NEW, "n": 5}), 201, {**MADE, "n": 5},
             headers={"Location": Looks("a path", r"/1\.1/classes/_User/[0-9a-f]{24}")}),
    sign_up("by the class", NEW, 201, MADE, "classes/_User"),
    sign_up("with a dead session", NEW, 201, MADE, headers={**CLIENT, "X-LC-Session": "0" * 25}),
    sign_up("by master", NEW, 201, MADE, headers=MASTER),
    sign_up("the server's own fields are not the client's",
            {**NEW, "sessionToken": "a" * 25, "emailVerified": True, "salt": "x",
             "mobilePhoneVerified": True, "objectId": "mine"}, 201, MADE),
    sign_up("no username", {"password": "x"}, 400, error(200)),
    sign_up("empty username", {"username": "", "password": "x"}, 400, error(200)),
    sign_up("username that is no text", {"username": 5, "password": "x"}, 400, error(200)),
    sign_up("no password", {"username": "x"}, 400, error(201)),
    sign_up("empty password", {"username": "x", "password": ""}, 400, error(201)),
    sign_up("password that is no text", {"username": "x", "password": 12345678}, 400, error(201)),
    sign_up("blank username", {"username": "  ", "password": "x"}, 400, error(217)),
    sign_up("blank password", {"username": "x", "password": "  "}, 400, error(218)),
    sign_up("no body", None, 400, error(200)),
    sign_up("authData without uid", {"authData": {"weixin": {}}}, 400, error(250)),
    taken(202, username="ann"),
    taken(203, email="ann@example.com"),
    taken(214, mobilePhoneNumber="+8613800000000"),
]  # fmt: skip


def login(name: str, body: Any, status: int, answer: Any, **more: Any) -> Scenario:
    return Scenario(
        f"login: {name}", Sent("POST", "/1.1/login", body, **more), status, answer, setup=[ANN]
    )


RIGHT = {"username": "ann", "password": PASSWORD}
LOGINS = [
    login("by name", RIGHT, 200, ME),
    login("by email", {"email": "ann@example.com", "password": PASSWORD}, 200, ME),
    login("by phone", {"mobilePhoneNumber": "+8613800000000", "password": PASSWORD}, 200, ME),
    login("the name wins", {**RIGHT, "email": "nobody@example.com"}, 200, ME),
    login("other members are ignored", {**RIGHT, "ACL": {}, "x": {"y": 1}}, 200, ME),
    login("with a dead session", RIGHT, 200, ME, headers={**CLIENT, "X-LC-Session": "0" * 25}),
    Scenario("login: the old way", Sent("GET", "/1.1/login", params=RIGHT), 200, ME, setup=[ANN]),
    login("wrong password", {**RIGHT, "password": "wrong"}, 400, MISMATCH),
    login("wrong case of the name", {**RIGHT, "username": "Ann"}, 400, NO_SUCH_USER),
    login("nobody", {**RIGHT, "username": "nobody"}, 400, NO_SUCH_USER),
    login("nobody's phone", {"mobilePhoneNumber": "+1", "password": "x"}, 400, error(213)),
    login("no name", {"password": "x"}, 400, error(200)),
    login("no password", {"username": "ann"}, 400, error(201)),
    login("a name that is no text", {"username": {"$ne": ""}, "password": "x"}, 400, error(200)),
    login("nothing", None, 400, error(200)),
    login("empty name", {"username": "", "password": "x"}, 400, error(200)),
    login("empty address", {"email": "", "password": "x"}, 400, error(204)),
    login("empty number", {"mobilePhoneNumber": "", "smsCode": "1"}, 400, error(212)),
    login("neither password nor code", {"mobilePhoneNumber": "+8613800000000"}, 400, error(201)),
    login("a code beside the password is not looked at",
          {"mobilePhoneNumber": "+8613800000000", "password": PASSWORD, "smsCode": "x"}, 200, ME),
]  # fmt: skip


def me(name: str, status: int, answer: Any, **more: Any) -> Scenario:
    return Scenario(
        f"users/me: {name}", Sent("GET", "/1.1/users/me", **more), status, answer, setup=[ANN, BOB]
    )


SESSIONS = [
    me("own session", 200, ME, headers=AS_ANN),
    me("session in the URL", 200, ME, params={"session_token": Token("ann")}),
    me("the header wins", 200, With({"username": "bob"}), headers=AS_BOB,
       params={"session_token": Token("ann")}),
    me("beside the master key", 200, ME, headers={**MASTER, "X-LC-Session": Token("ann")}),
    me("no session", 400, NO_SUCH_USER),
    me("empty session", 400, NO_SUCH_USER, headers={**CLIENT, "X-LC-Session": ""}),
    me("dead session", 400, NO_SUCH_USER, headers={**CLIENT, "X-LC-Session": "0" * 25}),
    me("master without a session", 400, NO_SUCH_USER, headers=MASTER),
    me("a body beside it", 200, ME, headers=AS_ANN, raw=b"null"),
    Scenario("a dead session reads", Sent("GET", "/1.1/classes/_User/{ann}",
             headers={**CLIENT, "X-LC-Session": "0"}), 200, PUBLIC_ANN, setup=[ANN]),
    Scenario("a dead session creates", Sent("POST", "/1.1/classes/Post", {},
             headers={**CLIENT, "X-LC-Session": "0" * 25}), 201),
]  # fmt: skip


def read_as(who: str, path: str, headers: dict[str, Any], answer: Any) -> Scenario:
    return Scenario(
        f"read {path} as {who}",
        Sent("GET", path, headers=headers),
        200,
        answer,
        setup=[ANN, BOB],
    )


READS = [
    *(
        scenario
        for path in ("/1.1/users/{ann}", "/1.1/classes/_User/{ann}")
        for scenario in (
            read_as("nobody", path, CLIENT, PUBLIC_ANN),
            read_as("another", path, AS_BOB, PUBLIC_ANN),
            read_as("the user", path, AS_ANN, OWN_ANN),
            read_as("master", path, MASTER, ME),
            Scenario(f"nobody at {path}", Sent("GET", path.replace("{ann}", "123")), 400,
                     NO_SUCH_USER, setup=[ANN]),
        )
    ),
    Scenario("query of users", Sent("GET", "/1.1/classes/_User", headers=AS_ANN,
             params={"order": "username"}), 200,
             {"results": [OWN_ANN, With({"username": "bob"}, without=("sessionToken",))]},
             setup=[ANN, BOB]),
    *(
        Scenario(f"contacts that are public, at {path}", Sent("GET", path, headers=AS_BOB), 200,
                 answer, setup=[ANN, BOB], settings={"private_contacts": False})
        for path, answer in (
            ("/1.1/users/{ann}", OWN_ANN),
            ("/1.1/users?limit=1", {"results": [OWN_ANN]}),
        )
    ),
    *(
        Scenario(f"{name} is no field to ask for", Sent("GET", "/1.1/classes/_User", headers=MASTER,
                 params={"where": {name: {"$exists": True}}}), 200, {"results": []}, setup=[ANN])
        for name in ("password", "salt", "sessionToken", "password.x")
    ),
    Scenario("nor deep inside a condition", Sent("GET", "/1.1/classes/_User",
             params={"where": {"$or": [{"n": 9}, {"sessionToken": {"$regex": "^."}}]}}), 200,
             {"results": []}, setup=[ANN]),
    Scenario("nor for an order", Sent("GET", "/1.1/classes/_User",
             params={"order": "-salt,-sessionToken,n", "keys": "n"}), 200,
             {"results": [With({"n": 1}), With({"n": 2})]},
             setup=[SignedUp("eve", {"n": 2}), SignedUp("dee", {"n": 1})]),
]  # fmt: skip

UPDATED = {"objectId": Id("ann"), "updatedAt": ANY_DATE}
GUARD = error(206, "The user cannot be altered by a client without the session.")


def change(name: str, body: Any, status: int, answer: Any, headers: Any = AS_ANN) -> Scenario:
    return Scenario(
        f"update: {name}",
        Sent("PUT", "/1.1/users/{ann}", body, headers=headers, params={"new": "true"}),
        status,
        answer,
        setup=[ANN, BOB],
    )


CHANGES = [
    change("own field", {"n": 2}, 200, {**UPDATED, "n": 2}),
    change("by master", {"n": 2}, 200, {**UPDATED, "n": 2}, MASTER),
    change("own unchanged name", {"username": "ann"}, 200, {**UPDATED, "username": "ann"}),
    change("by nobody", {"n": 2}, 400, GUARD, CLIENT),
    change("by another", {"n": 2}, 400, GUARD, AS_BOB),
    change("by a dead session", {"n": 2}, 400, GUARD, {**CLIENT, "X-LC-Session": "0" * 25}),
    change("a taken name", {"username": "bob"}, 400, error(202)),
    change("what only the server sets",
           {"n": 2, "sessionToken": "a" * 25, "salt": "x", "emailVerified": True,
            "mobilePhoneVerified": True}, 200, {**UPDATED, "n": 2}),
    change("the password", {"password": "new"}, 200, UPDATED),
    Scenario("update by the class", Sent("PUT", "/1.1/classes/_User/{ann}", {"n": 2}), 400, GUARD,
             setup=[ANN]),
    Scenario("delete by nobody", Sent("DELETE", "/1.1/users/{ann}"), 400, GUARD, setup=[ANN]),
    Scenario("delete by another", Sent("DELETE", "/1.1/classes/_User/{ann}", headers=AS_BOB), 400,
             GUARD, setup=[ANN, BOB]),
    Scenario("delete among others", Sent("DELETE", "/1.1/users/{ann},{bob}", headers=AS_ANN), 400,
             GUARD, setup=[ANN, BOB]),
    Scenario("delete oneself", Sent("DELETE", "/1.1/users/{ann}", headers=AS_ANN), 200, {},
             setup=[ANN], after={"ann": None}),
    Scenario("delete by master", Sent("DELETE", "/1.1/users/{ann}", headers=MASTER), 200, {},
             setup=[ANN], after={"ann": None}),
]  # fmt: skip


@pytest.mark.parametrize("scenario", [*SIGN_UPS, *LOGINS, *SESSIONS, *READS, *CHANGES], ids=str)
async def test_users(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


async def test_an_acl_follows_the_session(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = await api("POST", "/1.1/users", NEW)
        acl = {made.json["objectId"]: {"read": True, "write": True}}
        post = await api.create("Post", n=1, ACL=acl)
        path = f"/1.1/classes/Post/{post}"
        own = {**CLIENT, "X-LC-Session": made.json["sessionToken"]}
        assert (await api("GET", path)).status == 403
        assert (await api("GET", path, headers=own)).status == 200
        assert (await api("PUT", path, {"n": 2})).status == 403
        assert (await api("PUT", path, {"n": 2}, headers=own)).status == 200
        assert (await api("DELETE", path)).status == 403
        assert (await api("DELETE", path, headers=own)).status == 200


async def test_a_deleted_user_is_gone_for_good(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        first = await api("POST", "/1.1/users", NEW)
        session = {**CLIENT, "X-LC-Session": first.json["sessionToken"]}
        await api("DELETE", f"/1.1/users/{first.json['objectId']}", headers=session)
        assert (await api("GET", "/1.1/users/me", headers=session)).json == NO_SUCH_USER
        assert (await api("POST", "/1.1/login", NEW)).json == NO_SUCH_USER
        again = await api("POST", "/1.1/users", NEW)
        assert again.status == 201
        assert again.json["sessionToken"] != first.json["sessionToken"]


async def test_login_does_not_move_the_user(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = await api("POST", "/1.1/users", NEW)
        api.clock.advance(60)
        assert (await api("POST", "/1.1/login", NEW)).json == made.json


async def test_two_sign_ups_at_the_same_time(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answers = await asyncio.gather(*(api("POST", "/1.1/users", NEW) for _ in range(5)))
        assert sorted(answer.status for answer in answers) == [201, 400, 400, 400, 400]
        assert [a.json for a in answers if a.status == 400] == [error(202)] * 4


async def test_two_sign_ups_with_one_number_in_two_spellings(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        numbers = ("13800000000", "+8613800000000")
        bodies = (
            {"username": f"u{n}", "password": "x", "mobilePhoneNumber": numbers[n % 2]}
            for n in range(6)
        )
        answers = await asyncio.gather(*(api("POST", "/1.1/users", body) for body in bodies))
        assert sorted(answer.status for answer in answers) == [201] + [400] * 5
        assert [a.json for a in answers if a.status == 400] == [error(214)] * 5
        (user,) = [answer.json for answer in answers if answer.status == 201]
        path = f"/1.1/users/{user['objectId']}"
        for number in (*numbers, *numbers):
            own = await api("PUT", path, {"mobilePhoneNumber": number}, headers=MASTER)
            assert own.status == 200, "its own number in the other spelling is still its own"


@pytest.mark.parametrize(
    ("name", "code"),
    [("", 200), (None, 200), ({"__op": "Delete"}, 200), (" ", 217), ("\t\n", 217)],
    ids=repr,
)
async def test_a_user_keeps_having_a_name(name: Any, code: int, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = (await api("POST", "/1.1/users", NEW)).json
        path = f"/1.1/users/{user['objectId']}"
        for headers in ({**CLIENT, "X-LC-Session": user["sessionToken"]}, MASTER):
            answer = await api("PUT", path, {"username": name}, headers=headers)
            assert (answer.status, answer.json) == (400, error(code))
        assert (await api("POST", "/1.1/login", NEW)).status == 200


@pytest.mark.parametrize(("name", "code"), [("", 200), (" ", 217)], ids=repr)
async def test_an_account_of_another_platform_has_a_name(
    name: str, code: int, tmp_path: Path
) -> None:
    async with running_api(project=tmp_path) as api:
        body = {"username": name, "authData": {"github": {"uid": "1"}}}
        assert (await api("POST", "/1.1/users", body)).json == error(code)
        made = await api("POST", "/1.1/users", {**body, "username": None})
        assert made.json["username"] == Looks("a drawn name", "[0-9a-z]{25}")
