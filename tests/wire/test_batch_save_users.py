"""Users through ``/batch/save``, as the Swift and Objective-C SDKs save them (storage.md 3.8)."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import ANN, BOB, EMAIL, sent, session_of, signed_up
from tests.support.api import CLIENT, Api, WireAnswer, running_api
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


@pytest.mark.parametrize("body", [{"authData": {"github": {"uid": "1"}}}, {"authData.github": {}}])
async def test_no_accounts_of_other_platforms(body: dict[str, Any], tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = await signed_up(api, BOB)
        answer = await save(api, changed(user, body), headers=session_of(user))
        assert (answer.status, answer.json) == (501, error(1))
