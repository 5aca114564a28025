"""Changing passwords and tokens, and guessing them (storage.md 6.3, 6.4)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import ANN, BOB, EMAIL, PHONE, code_in, session_of, signed_up
from tests.support.api import CLIENT, MASTER, running_api
from tests.support.fake_engine import FakeEngine, refuse
from tests.support.matchers import ANY_DATE, ANY_TOKEN, With, error
from tests.support.scenario import PASSWORD, Id, Scenario, Sent, SignedUp, Token, run

OWNER = SignedUp("ann")
OTHER = SignedUp("bob")
AS_ANN = {**CLIENT, "X-LC-Session": Token("ann")}
AS_BOB = {**CLIENT, "X-LC-Session": Token("bob")}
DEAD = {**CLIENT, "X-LC-Session": "0" * 25}
GUARD = error(206, "The user cannot be altered by a client without the session.")
MISMATCH = error(210, "The username and password mismatch.")
CHANGED = {"objectId": Id("ann"), "updatedAt": ANY_DATE}
OLD_AND_NEW = {"old_password": PASSWORD, "new_password": "another"}


def change(name: str, body: Any, status: int, answer: Any, headers: Any = AS_ANN) -> Scenario:
    path = "/1.1/users/{ann}/updatePassword"
    return Scenario(
        f"updatePassword: {name}", Sent("PUT", path, body, headers=headers), status, answer,
        setup=[OWNER, OTHER],
    )  # fmt: skip


def refresh(name: str, headers: Any, status: int, answer: Any, **more: Any) -> Scenario:
    path = "/1.1/users/{ann}/refreshSessionToken"
    return Scenario(
        f"refreshSessionToken: {name}", Sent("PUT", path, headers=headers, **more), status, answer,
        setup=[OWNER, OTHER],
    )  # fmt: skip


WHOLE = With({"objectId": Id("ann"), "username": "ann", "sessionToken": ANY_TOKEN})
SCENARIOS = [
    change("by the user", OLD_AND_NEW, 200, {**CHANGED, "sessionToken": ANY_TOKEN}),
    change("by master", OLD_AND_NEW, 200, {**CHANGED, "sessionToken": ANY_TOKEN}, MASTER),
    change("wrong old one", {**OLD_AND_NEW, "old_password": "x"}, 400, MISMATCH),
    change("no old one", {"new_password": "x"}, 400, error(201)),
    change("no new one", {"old_password": PASSWORD}, 400, error(201)),
    change("new one that is no text", {**OLD_AND_NEW, "new_password": 5}, 400, error(201)),
    change("blank new one", {**OLD_AND_NEW, "new_password": " "}, 400, error(218)),
    change("by another", OLD_AND_NEW, 400, GUARD, AS_BOB),
    change("by nobody", OLD_AND_NEW, 400, GUARD, CLIENT),
    change("by a dead session", OLD_AND_NEW, 400, GUARD, DEAD),
    Scenario("updatePassword: of nobody", Sent("PUT", "/1.1/users/123/updatePassword", OLD_AND_NEW,
             headers=MASTER), 400, error(211)),
    refresh("by the user", AS_ANN, 200, WHOLE),
    refresh("with the body null", AS_ANN, 200, WHOLE, raw=b"null"),
    refresh("by master", MASTER, 200, WHOLE),
    refresh("by another", AS_BOB, 400, GUARD),
    refresh("by nobody", CLIENT, 400, GUARD),
    Scenario("refreshSessionToken: of nobody", Sent("PUT", "/1.1/users/123/refreshSessionToken",
             headers=MASTER), 400, error(211)),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
async def test_passwords_and_tokens(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


@pytest.mark.parametrize("way", ["updatePassword", "PUT", "PUT by master", "refresh"])
@pytest.mark.parametrize("ends", [True, False], ids=["sessions end", "sessions go on"])
async def test_what_becomes_of_the_session(way: str, ends: bool, tmp_path: Path) -> None:
    async with running_api(project=tmp_path, password_ends_sessions=ends) as api:
        user = await signed_up(api, BOB)
        path, own = f"/1.1/users/{user['objectId']}", session_of(user)
        if way == "updatePassword":
            body = {"old_password": BOB["password"], "new_password": "another"}
            answer = await api("PUT", f"{path}/updatePassword", body, headers=own)
        elif way == "refresh":
            answer = await api("PUT", f"{path}/refreshSessionToken", headers=own)
        else:
            rights = MASTER if way == "PUT by master" else own
            answer = await api("PUT", path, {"password": "another"}, headers=rights)
            assert set(answer.json) == {"objectId", "updatedAt"}
        assert answer.status == 200
        assert (answer.json.get("sessionToken", "") != user["sessionToken"]) is (
            ends or way != "updatePassword"
        )

        me = await api("GET", "/1.1/users/me", headers=own)
        assert me.status == (400 if ends or way == "refresh" else 200)
        password = BOB["password"] if way == "refresh" else "another"
        login = await api("POST", "/1.1/login", {"username": "bob", "password": password})
        assert login.status == 200
        if "sessionToken" in answer.json:
            assert login.json["sessionToken"] == answer.json["sessionToken"]
            assert login.json["updatedAt"] == answer.json["updatedAt"]


async def test_hooks_of_a_password_change_are_told_of_the_password_alone(tmp_path: Path) -> None:
    hooks = ("_User.beforeUpdate", "_User.afterUpdate")
    engine = FakeEngine({hook: lambda sent: {} for hook in hooks})
    async with running_api(engine, project=tmp_path) as api:
        user = await signed_up(api, ANN)
        await api(
            "PUT",
            f"/1.1/users/{user['objectId']}",
            {"password": "another", "email": "new@example.com", "n": 1},
            headers=session_of(user),
        )
        await api.settle()
        assert engine.fired() == [*hooks]
        for received in engine.received:
            assert received.json["object"]["_updatedKeys"] == ["password", "email", "n"]
            assert "password" not in received.json["object"]
            assert "salt" not in received.json["object"]


LOCKED = error(219)
WRONG = {"username": "bob", "password": "guess"}


async def test_many_guesses_at_once_are_no_more_than_seven(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, BOB)
        guesses = [WRONG] * 20 + [BOB]
        answers = await asyncio.gather(*(api("POST", "/1.1/login", body) for body in guesses))
        assert [a.json for a in answers].count(MISMATCH) == 7
        assert [a.json for a in answers].count(LOCKED) >= 13


async def test_seven_failures_lock_a_user(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, BOB)
        await signed_up(api, ANN)
        for _ in range(7):
            assert (await api("POST", "/1.1/login", WRONG)).json == MISMATCH
        for body in (WRONG, BOB):
            answer = await api("POST", "/1.1/login", body)
            assert (answer.status, answer.json) == (400, LOCKED)
        assert (await api("POST", "/1.1/login", ANN)).status == 200
        api.clock.advance(15 * 60 - 1)
        assert (await api("POST", "/1.1/login", BOB)).json == LOCKED
        api.clock.advance(1)
        assert (await api("POST", "/1.1/login", BOB)).status == 200


async def test_failures_count_for_fifteen_minutes(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, BOB)
        for _ in range(20):
            assert (await api("POST", "/1.1/login", WRONG)).json == MISMATCH
            api.clock.advance(151)
        assert (await api("POST", "/1.1/login", BOB)).status == 200


async def test_a_log_in_forgives_earlier_failures(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, BOB)
        for _ in range(3):
            for _ in range(6):
                assert (await api("POST", "/1.1/login", WRONG)).json == MISMATCH
            assert (await api("POST", "/1.1/login", BOB)).status == 200


async def test_wrong_codes_count_and_a_reset_unlocks(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, reset_by_unverified_phone=True) as api:
        await signed_up(api, ANN)
        for name in ("username", "email", "mobilePhoneNumber"):
            for _ in range(2):
                await api("POST", "/1.1/login", {name: ANN[name], "password": "guess"})
        wrong = {"mobilePhoneNumber": PHONE, "smsCode": "no"}
        assert (await api("POST", "/1.1/login", wrong)).json == error(603)
        assert (await api("POST", "/1.1/login", wrong)).json == LOCKED
        assert (await api("POST", "/1.1/usersByMobilePhone", wrong)).json == LOCKED

        await api("POST", "/1.1/requestPasswordResetBySmsCode", {"mobilePhoneNumber": PHONE})
        body = {"password": "another"}
        reset = await api("PUT", f"/1.1/resetPasswordBySmsCode/{code_in(api)}", body)
        assert reset.status == 200
        login = await api("POST", "/1.1/login", {"email": EMAIL, "password": "another"})
        assert login.status == 200


async def test_a_login_that_the_hook_refuses_is_no_failure(tmp_path: Path) -> None:
    engine = FakeEngine({"_User.onLogin": lambda sent: refuse("closed")})
    async with running_api(engine, project=tmp_path) as api:
        await signed_up(api, BOB)
        for _ in range(10):
            answer = await api("POST", "/1.1/login", BOB)
            assert (answer.status, answer.json) == (401, error(142))


async def test_a_user_that_its_login_hook_deletes(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = await signed_up(api, BOB)

        async def delete(sent: Any) -> dict[str, Any]:
            await api("DELETE", f"/1.1/users/{user['objectId']}", headers=MASTER)
            return {}

        api.engine.handlers["_User.onLogin"] = delete
        assert (await api("POST", "/1.1/login", BOB)).json == error(211)


NEW = {"username": "new", "email": "new@x.org", "mobilePhoneNumber": "+4912345678"}


@pytest.mark.parametrize("name", ["username", "email", "mobilePhoneNumber"])
async def test_many_race_for_one_value(name: str, tmp_path: Path) -> None:
    taken = {"username": 202, "email": 203, "mobilePhoneNumber": 214}[name]
    async with running_api(project=tmp_path) as api:
        bodies = [{"username": f"u{n}", "password": "x", **({name: ANN[name]})} for n in range(8)]
        answers = await asyncio.gather(*(api("POST", "/1.1/users", body) for body in bodies))
        assert sorted(answer.status for answer in answers) == [201] + [400] * 7
        assert [a.json for a in answers if a.status == 400] == [error(taken)] * 7

        others = [await signed_up(api, {"username": f"o{n}", "password": "x"}) for n in range(4)]
        new = {name: NEW[name]}
        answers = await asyncio.gather(
            *(
                api("PUT", f"/1.1/users/{user['objectId']}", new, headers=session_of(user))
                for user in others
            )
        )
        assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
        assert [a.json for a in answers if a.status == 400] == [error(taken)] * 3
