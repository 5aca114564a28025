"""Users through ``/batch/save``, as the Swift and Objective-C SDKs save them (storage.md 3.8)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import ANN, BOB, EMAIL, sent, session_of, signed_up
from tests.support.api import CLIENT, MASTER, Api, WireAnswer, running_api
from tests.support.fake_engine import FakeEngine
from tests.support.matchers import ANY_DATE, ANY_ID, ANY_TOKEN, With, error

TIMES = {"createdAt": ANY_DATE, "updatedAt": ANY_DATE}


async def save(api: Api, *members: dict[str, Any], headers: Any = CLIENT) -> WireAnswer:
    return await api("POST", "/1.1/batch/save", {"requests": [*members]}, headers=headers)


def new(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    member = {"method": "POST", "path": "/1.1/users", "body": {"__internalId": "u1", **body}}
    return {**member, **more}


def changed(user: Any, body: dict[str, Any]) -> dict[str, Any]:
    return {"method": "PUT", "path": f"/1.1/classes/_User/{user['objectId']}", "body": body}


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"path": "/1.1/classes/_User"},
        {"method": "PUT", "path": "/1.1/classes/_User/655fe2aa0000000000000000", "new": True},
    ],
    ids=["users", "class", "put"],
)
async def test_signing_up(shape: dict[str, Any], tmp_path: Path) -> None:
    engine = FakeEngine({"_User.beforeSave": lambda sent: {}})
    async with running_api(engine, project=tmp_path) as api:
        body = {"username": "ann", "password": "pw-of-ann", "email": EMAIL}
        server_set = {"sessionToken": "a" * 25, "salt": "x", "emailVerified": True}
        answer = await save(api, new({**body, **server_set}, **shape))
        assert answer.status == 200, answer.json
        made = answer.json["u1"]
        assert made == {
            "objectId": ANY_ID,
            "username": "ann",
            "email": EMAIL,
            "emailVerified": False,
            "mobilePhoneVerified": False,
            "sessionToken": ANY_TOKEN,
            **TIMES,
        }
        assert made["sessionToken"] != "a" * 25
        assert engine.fired() == ["_User.beforeSave"]
        assert sent(api).to == EMAIL
        stored = await api.emulator.storage.get("_User", made["objectId"])
        assert stored is not None
        assert len(str(stored["password"])) == 88
        assert (await api("POST", "/1.1/login", body)).status == 200


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"password": "x"}, 200),
        ({"username": "x"}, 201),
        ({"username": " ", "password": "x"}, 217),
        ({"username": "ann", "password": "x"}, 202),
        ({"username": "x", "password": "x", "email": "none"}, 125),
    ],
)
async def test_refusals(fields: dict[str, Any], code: int, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, ANN)
        post = {"method": "POST", "path": "/1.1/classes/Post", "body": {"__internalId": "p"}}
        answer = await save(api, post, new(fields))
        assert (answer.status, answer.json) == (400, error(code))
        assert (await api("GET", "/1.1/classes/Post")).status == 404


async def test_two_new_users_with_one_name(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await save(api, new(BOB), new({**BOB, "__internalId": "u2"}))
        assert (answer.status, answer.json) == (400, error(202))


async def test_a_new_user_in_two_parts(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        later = {"n": 1, "password": "other", "sessionToken": "x"}
        answer = await save(api, new(BOB), new(later))
        assert answer.json["u1"] == With({"username": "bob", "n": 1, "sessionToken": ANY_TOKEN})
        assert (await api("POST", "/1.1/login", BOB)).status == 200


async def test_changing_oneself(tmp_path: Path) -> None:
    engine = FakeEngine({"_User.beforeUpdate": lambda sent: {}})
    async with running_api(engine, project=tmp_path) as api:
        user = await signed_up(api, BOB)
        body = {"password": "another", "email": EMAIL, "emailVerified": True, "n": 1}
        answer = await save(api, changed(user, body), headers=session_of(user))
        assert answer.json == {
            user["objectId"]: {"objectId": user["objectId"], "updatedAt": ANY_DATE}
        }
        assert engine.received[0].json["object"]["_updatedKeys"] == ["password", "email", "n"]
        assert sent(api).to == EMAIL
        assert (await api("GET", "/1.1/users/me", headers=session_of(user))).json == error(211)
        login = await api("POST", "/1.1/login", {"email": EMAIL, "password": "another"})
        assert login.json == With({"emailVerified": False, "n": 1})


async def test_changing_somebody_else(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ann, bob = await signed_up(api, ANN), await signed_up(api, BOB)
        for headers in (session_of(bob), CLIENT):
            answer = await save(api, changed(ann, {"n": 1}), headers=headers)
            assert (answer.status, answer.json) == (400, error(206))


GITHUB = {"github": {"uid": "1", "access_token": "a"}}
WEIXIN = {"weixin": {"openid": "2", "access_token": "b"}}


@pytest.mark.parametrize("body", [{"authData": GITHUB}, {"authData.github": {"uid": "1"}}])
async def test_no_sign_up_by_accounts_of_other_platforms(
    body: dict[str, Any], tmp_path: Path
) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await save(api, new({**BOB, **body}))
        assert (answer.status, answer.json) == (501, error(1))
        in_parts = await save(api, new(BOB), new(body))
        assert (in_parts.status, in_parts.json) == (501, error(1))
        assert (await api("GET", "/1.1/users", headers=MASTER)).json == {"results": []}


async def test_linking_and_unlinking(tmp_path: Path) -> None:
    engine = FakeEngine({"_User.onAuthData": lambda sent: {"result": None}})
    async with running_api(engine, project=tmp_path) as api:
        user = (await api("POST", "/1.1/users", {"authData": {"anonymous": {"id": "x"}}})).json
        own, path = session_of(user), f"/1.1/users/{user['objectId']}"

        async def accounts() -> Any:
            return (await api("GET", path, headers=own)).json["authData"]

        post = {"method": "POST", "path": "/1.1/classes/Post", "body": {"__internalId": "p"}}
        body = {"authData": {"anonymous": {"id": "x"}, **GITHUB}}
        answer = await save(api, changed(user, body), post, headers=own)
        assert answer.json[user["objectId"]] == {
            "objectId": user["objectId"], "updatedAt": ANY_DATE,
        }  # fmt: skip
        assert await accounts() == GITHUB
        await save(api, changed(user, {"authData": WEIXIN}), headers=own)
        assert await accounts() == {**GITHUB, **WEIXIN}
        away = {"authData.github": {"__op": "Delete"}}
        await save(api, changed(user, away), headers=own)
        assert await accounts() == WEIXIN
        again = await api("POST", "/1.1/users", {"authData": WEIXIN})
        assert (again.status, again.json["objectId"]) == (200, user["objectId"])
        assert engine.fired() == ["_User.onAuthData"] * 4, "all but the unlinking"


async def test_the_account_of_another_user_refuses_the_whole(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ann, bob = await signed_up(api, ANN), await signed_up(api, BOB)
        await save(api, changed(ann, {"authData": GITHUB}), headers=MASTER)
        post = {"method": "POST", "path": "/1.1/classes/Post", "body": {"__internalId": "p"}}
        answer = await save(api, post, changed(bob, {"authData": GITHUB}), headers=session_of(bob))
        assert (answer.status, answer.json) == (400, error(137))
        assert (await api("GET", "/1.1/classes/Post")).status == 404


async def test_two_who_want_one_account_at_the_same_time(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ann, bob = await signed_up(api, ANN), await signed_up(api, BOB)
        both = [changed(user, {"authData": GITHUB}) for user in (ann, bob)]
        answers = await asyncio.gather(*(save(api, one, headers=MASTER) for one in both * 3))
        assert sorted(answer.status for answer in answers) == [200] * 3 + [400] * 3
        together = await save(
            api, *[changed(u, {"authData": WEIXIN}) for u in (ann, bob)], headers=MASTER
        )
        assert (together.status, together.json) == (400, error(137))


async def test_a_name_and_a_password_end_anonymity(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = (await api("POST", "/1.1/users", {"authData": {"anonymous": {"id": "x"}}})).json
        await save(api, changed(user, BOB), headers=session_of(user))
        known = (await api("POST", "/1.1/login", BOB)).json
        assert (known["objectId"], known["authData"]) == (user["objectId"], {})
