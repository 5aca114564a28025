"""authData: sign-up, log-in, union ids, linking, unlinking, anonymous users (storage.md 6.6)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.api import ENGINE as ENGINE_KEY
from tests.support.code_client import Ask, CodeClient
from tests.support.fake_engine import FakeEngine, refuse
from tests.support.matchers import ANY_DATE, ANY_ID, ANY_TOKEN, Looks, With, error
from tests.support.scenario import Id, Scenario, Sent, SignedUp, Token, run

GITHUB = {"uid": "g1", "access_token": "t1"}
WEIXIN = {"openid": "w1", "access_token": "t1", "expires_in": 7200}
ANONYMOUS = {"id": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}
ANN = SignedUp("ann", {"authData": {"github": GITHUB}})
BOB = SignedUp("bob")
AS_ANN = {**CLIENT, "X-LC-Session": Token("ann")}
AS_BOB = {**CLIENT, "X-LC-Session": Token("bob")}
FLAGS = {"emailVerified": False, "mobilePhoneVerified": False}
TIMES = {"createdAt": ANY_DATE, "updatedAt": ANY_DATE}
RANDOM_NAME = Looks("a random name", "[0-9a-z]{25}")
NOBODY = error(211, "Could not find user.")
TAKEN = error(137, "A unique field was given a value that is already taken.")
DONE = {"objectId": Id("ann"), "updatedAt": ANY_DATE}
ENGINE = {
    **{f"_User.{word}": lambda sent: sent["object"] for word in ("beforeSave", "beforeUpdate")},
    **{f"_User.{word}": lambda sent: {} for word in ("afterSave", "afterUpdate", "onLogin")},
    "_User.onAuthData": lambda sent: {"result": None},
}
CREATED = {"_User.onAuthData": 1, "_User.beforeSave": 1, "_User.afterSave": 1, "*": 0}


def no_weixin(sent: dict[str, Any]) -> Any:
    """An onAuthData that refuses one platform."""
    return refuse("not you") if "weixin" in sent["authData"] else {"result": None}


def swapped(sent: dict[str, Any]) -> Any:
    """An onAuthData that makes an account of a code."""
    return {"result": {"weixin": WEIXIN} if "code" in sent["authData"] else None}


KNOWN = {"_User.onAuthData": 1, "_User.onLogin": 1, "*": 0}
LINKED = {"_User.onAuthData": 1, "_User.beforeUpdate": 1, "_User.afterUpdate": 1, "*": 0}
UPDATED = {"_User.beforeUpdate": 1, "_User.afterUpdate": 1, "*": 0}


def signing_in(
    name: str, body: Any, status: int, answer: Any, path: str = "users", **more: Any
) -> Scenario:
    params = more.pop("params", {})
    return Scenario(
        f"sign in: {name}", Sent("POST", f"/1.1/{path}", body, params=params), status, answer,
        **{"setup": [ANN, BOB], "engine": ENGINE, "hooks": CREATED, **more},
    )  # fmt: skip


def new(auth_data: Any, **more: Any) -> dict[str, Any]:
    return {"objectId": ANY_ID, "username": RANDOM_NAME, "sessionToken": ANY_TOKEN,
            "authData": auth_data, **TIMES, **FLAGS, **more}  # fmt: skip


OWN_ANN = {"objectId": Id("ann"), "username": "ann", "sessionToken": Token("ann"),
           "authData": {"github": GITHUB}, **TIMES, **FLAGS}  # fmt: skip
FRESH = {"uid": "g1", "access_token": "t2"}
SIGN_INS = [
    signing_in("new", {"authData": {"weixin": WEIXIN}}, 201, new({"weixin": WEIXIN}),
               headers={"Location": Looks("a path", r"/1\.1/classes/_User/[0-9a-f]{24}")}),
    signing_in("by the class", {"authData": {"weixin": WEIXIN}}, 201, new({"weixin": WEIXIN}),
               "classes/_User"),
    signing_in("another platform's uid", {"authData": {"weibo": {"uid": "g1"}}}, 201,
               new({"weibo": {"uid": "g1"}})),
    signing_in("anonymous", {"authData": {"anonymous": ANONYMOUS}}, 201,
               new({"anonymous": ANONYMOUS})),
    signing_in("with a name", {"username": "cat", "n": 1, "authData": {"weixin": WEIXIN}}, 201,
               new({"weixin": WEIXIN}, username="cat", n=1)),
    signing_in("with name and password",
               {"username": "cat", "password": "pw", "authData": {"weixin": WEIXIN}}, 201,
               new({"weixin": WEIXIN}, username="cat")),
    signing_in("known", {"authData": {"github": FRESH}}, 200,
               {**OWN_ANN, "authData": {"github": FRESH}}, hooks=KNOWN),
    signing_in("known, failOnNotExist", {"authData": {"github": GITHUB}}, 200, OWN_ANN,
               hooks=KNOWN, params={"failOnNotExist": "true"}),
    signing_in("a known one with another", {"authData": {"github": GITHUB, "weixin": WEIXIN}}, 200,
               {**OWN_ANN, "authData": {"github": GITHUB, "weixin": WEIXIN}}, hooks=KNOWN),
    signing_in("a known one keeps its name", {"username": "x", "authData": {"github": GITHUB}}, 200,
               OWN_ANN, hooks=KNOWN),
    signing_in("nobody, failOnNotExist", {"authData": {"weixin": WEIXIN}}, 400, NOBODY,
               hooks={"_User.onAuthData": 1, "*": 0}, params={"failOnNotExist": "true"}),
    signing_in("a taken name", {"username": "ann", "authData": {"weixin": WEIXIN}}, 400, error(202),
               hooks={"_User.onAuthData": 1, "*": 0}),
    signing_in("no uid", {"authData": {"github": {"access_token": "t"}}}, 400, error(250),
               hooks={"*": 0}),
    signing_in("a uid that is no text", {"authData": {"github": {"uid": ["g1"]}}}, 400, error(250),
               hooks={"*": 0}),
    signing_in("an account that is no object", {"authData": {"github": "g1"}}, 400, error(111),
               hooks={"*": 0}),
    signing_in("authData that is no object", {"authData": "g1"}, 400, error(111), hooks={"*": 0}),
    signing_in("a platform with a dot", {"authData": {"a.b": {"uid": "1"}}}, 400, error(121),
               hooks={"*": 0}),
    signing_in("accounts of two users",
               {"authData": {"github": GITHUB, "weixin": {"openid": "w2"}}}, 400, TAKEN,
               setup=[ANN, SignedUp("eve", {"authData": {"weixin": {"openid": "w2"}}})],
               hooks={"_User.onAuthData": 1, "*": 0}),
    signing_in("nothing in it is a sign-up", {"authData": {}}, 400, error(200), hooks={"*": 0}),
    signing_in("onAuthData refuses", {"authData": {"weixin": WEIXIN}}, 400,
               error(142, "Cloud Code validation failed. Error detail : not you"),
               engine={"_User.onAuthData": no_weixin},
               hooks={"_User.onAuthData": 1, "*": 0}),
    signing_in("onAuthData changes it", {"authData": {"code": {"uid": "secret"}}}, 200,
               {**OWN_ANN, "authData": {"github": FRESH}},
               engine={"_User.onAuthData": lambda s: {"result": {"github": FRESH}}},
               hooks={"_User.onAuthData": 1, "*": 0}),
    signing_in("onAuthData as C# echoes it", {"authData": {"github": FRESH}}, 200,
               {**OWN_ANN, "authData": {"github": FRESH}},
               engine={"_User.onAuthData": lambda s: s}, hooks={"_User.onAuthData": 1, "*": 0}),
    signing_in("onLogin refuses", {"authData": {"github": FRESH}}, 401, error(142),
               engine={"_User.onLogin": lambda s: refuse("no")}, after={"ann": With(
                   {"authData": {"github": GITHUB}})}, hooks={"_User.onLogin": 1, "*": 0}),
    signing_in("beforeSave refuses", {"authData": {"weixin": WEIXIN}}, 400, error(142),
               engine={"_User.beforeSave": lambda s: refuse("no")},
               hooks={"_User.beforeSave": 1, "*": 0}),
]  # fmt: skip


def union(openid: str, **main: Any) -> dict[str, Any]:
    return {"openid": openid, "platform": "weixin", "unionid": "u1", **main}


MAIN = {"app": union("a1", main_account=True), "_weixin_unionid": {"uid": "u1"}}
UNITED = SignedUp("ann", {"authData": MAIN})
UNIONS = [
    signing_in("a main account", {"authData": {"app": union("a1", main_account=True)}}, 201,
               new(MAIN), setup=[]),
    signing_in("main as a text", {"authData": {"app": union("a1", main_account="true")}}, 201,
               new({**MAIN, "app": union("a1", main_account="true")}), setup=[]),
    signing_in("not the main one, nobody known",
               {"authData": {"mini": union("m1", main_account=False)}}, 201,
               new({"mini": union("m1", main_account=False)}), setup=[]),
    signing_in("not the main one finds its union",
               {"authData": {"mini": union("m1", main_account=False)}}, 200,
               With({"objectId": Id("ann"),
                     "authData": {**MAIN, "mini": union("m1", main_account=False)}}),
               setup=[UNITED], hooks=KNOWN),
    signing_in("a second main one finds the union", {"authData": {"web": union(
               "w9", main_account=True)}}, 200, With({"objectId": Id("ann")}), setup=[UNITED],
               hooks=KNOWN),
    signing_in("the union id alone", {"authData": {"_weixin_unionid": {"uid": "u1"}}}, 200,
               With({"objectId": Id("ann")}), setup=[UNITED], hooks=KNOWN),
]  # fmt: skip


def linking(name: str, body: Any, answer: Any, auth_data: Any, **more: Any) -> Scenario:
    status = more.pop("status", 200)
    headers = more.pop("headers", AS_ANN)
    return Scenario(
        f"link: {name}",
        Sent("PUT", "/1.1/users/{ann}", body, headers=headers, params={"new": "true"}),
        status, answer, after={"ann": With({"authData": auth_data})},
        **{"setup": [ANN, BOB], "engine": ENGINE, "hooks": LINKED, **more},
    )  # fmt: skip


ANON = SignedUp("ann", {"authData": {"anonymous": ANONYMOUS}})
BOTH = {"github": GITHUB, "weixin": WEIXIN}
EVE = SignedUp("eve", {"authData": {"weixin": WEIXIN}})
DELETE = {"__op": "Delete"}
LINKS = [
    linking("another", {"authData": {"weixin": WEIXIN}}, {**DONE, "authData": BOTH}, BOTH),
    linking("the same anew", {"authData": {"github": FRESH}},
            {**DONE, "authData": {"github": FRESH}}, {"github": FRESH}),
    linking("by its path", {"authData.weixin": WEIXIN}, {**DONE, "authData": BOTH}, BOTH),
    linking("with another field", {"n": 1, "authData": {"weixin": WEIXIN}},
            {**DONE, "n": 1, "authData": BOTH}, BOTH),
    linking("by master", {"authData": {"weixin": WEIXIN}}, {**DONE, "authData": BOTH}, BOTH,
            headers=MASTER),
    linking("somebody else's account", {"authData": {"weixin": WEIXIN}}, TAKEN, {"github": GITHUB},
            status=400, setup=[ANN, EVE], hooks={"_User.onAuthData": 1, "*": 0}),
    linking("to somebody else", {"authData": {"weixin": WEIXIN}}, error(206), {"github": GITHUB},
            status=400, headers=AS_BOB, hooks={"*": 0}),
    linking("no uid", {"authData": {"weixin": {}}}, error(250), {"github": GITHUB}, status=400,
            hooks={"*": 0}),
    linking("a main account", {"authData": {"app": MAIN["app"]}},
            {**DONE, "authData": {"github": GITHUB, **MAIN}}, {"github": GITHUB, **MAIN}),
    linking("somebody else's union id", {"authData": {"web": union("w9", main_account=True)}},
            TAKEN, {"github": GITHUB}, status=400,
            setup=[ANN, SignedUp("eve", {"authData": MAIN})],
            hooks={"_User.onAuthData": 1, "*": 0}),
    linking("as onAuthData wants it", {"authData": {"code": {"uid": "c"}}},
            {**DONE, "authData": BOTH}, BOTH,
            engine={"_User.onAuthData": swapped},
            hooks={"_User.onAuthData": 1, "*": 0}),
    linking("refused by onAuthData", {"authData": {"weixin": WEIXIN}}, error(142),
            {"github": GITHUB}, status=400, engine={"_User.onAuthData": no_weixin},
            hooks={"_User.onAuthData": 1, "*": 0}),
    linking("refused by beforeUpdate", {"authData": {"weixin": WEIXIN}}, error(142),
            {"github": GITHUB}, status=400, engine={"_User.beforeUpdate": lambda s: refuse("no")},
            hooks={"_User.beforeUpdate": 1, "*": 0}),
    linking("ends anonymity", {"authData": {"weixin": WEIXIN}},
            {**DONE, "authData": {"weixin": WEIXIN}}, {"weixin": WEIXIN}, setup=[ANON]),
    linking("ends anonymity, as SDKs send it",
            {"authData": {"anonymous": ANONYMOUS, "weixin": WEIXIN}},
            {**DONE, "authData": {"weixin": WEIXIN}}, {"weixin": WEIXIN}, setup=[ANON]),
    linking("a name and a password end anonymity", {"username": "cat", "password": "secret"},
            With({"authData": {}, "username": "cat"}, without=("password",)), {}, setup=[ANON],
            hooks=UPDATED),
    linking("a name alone does not", {"username": "cat"}, {**DONE, "username": "cat"},
            {"anonymous": ANONYMOUS}, setup=[ANON], hooks=UPDATED),
    linking("anonymous again", {"authData": {"anonymous": {"id": "new"}}},
            {**DONE, "authData": {"anonymous": {"id": "new"}}}, {"anonymous": {"id": "new"}},
            setup=[ANON]),
    linking("unlink", {"authData.github": DELETE}, {**DONE, "authData": {}}, {}, hooks=UPDATED),
    linking("unlink as Python does", {"authData": {"github": None}}, {**DONE, "authData": {}}, {},
            hooks=UPDATED),
    linking("unlink one of two", {"authData": {"github": None}},
            {**DONE, "authData": {"weixin": WEIXIN}}, {"weixin": WEIXIN}, hooks=UPDATED,
            setup=[SignedUp("ann", {"authData": BOTH})]),
    linking("unlink what is not there", {"authData.weixin": DELETE},
            {**DONE, "authData": {"github": GITHUB}}, {"github": GITHUB}, hooks=UPDATED),
    linking("one and unlink another", {"authData": {"github": None, "weixin": WEIXIN}},
            {**DONE, "authData": {"weixin": WEIXIN}}, {"weixin": WEIXIN}),
    linking("nothing", {"authData": {}}, DONE, {"github": GITHUB}, hooks=UPDATED),
    linking("a member of an account", {"authData.github.access_token": "t9"},
            {**DONE, "authData": {"github": {"uid": "g1", "access_token": "t9"}}},
            {"github": {"uid": "g1", "access_token": "t9"}}, hooks=UPDATED),
]  # fmt: skip


@pytest.mark.parametrize("scenario", [*SIGN_INS, *UNIONS, *LINKS], ids=str)
async def test_auth_data(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


async def _sign_in(api: Api, auth_data: Any) -> Any:
    return await api("POST", "/1.1/users", {"authData": auth_data})


async def test_a_log_in_moves_the_user(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        first = await _sign_in(api, {"github": GITHUB})
        api.clock.advance(5)
        again = await _sign_in(api, {"github": GITHUB})
        assert again.status == 200
        assert again.json["updatedAt"] > first.json["updatedAt"]
        assert again.json == {**first.json, "updatedAt": again.json["updatedAt"]}


async def test_many_at_once_are_one_user(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answers = await asyncio.gather(*(_sign_in(api, {"github": GITHUB}) for _ in range(20)))
        assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
        assert len({answer.json["objectId"] for answer in answers}) == 1


async def test_many_who_want_one_account_leave_it_to_one(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        users = [await _sign_in(api, {"weixin": {"openid": f"w{n}"}}) for n in range(10)]

        async def link(user: Any) -> int:
            session = {**CLIENT, "X-LC-Session": user.json["sessionToken"]}
            path = f"/1.1/users/{user.json['objectId']}"
            answer = await api("PUT", path, {"authData": {"github": GITHUB}}, headers=session)
            return answer.status

        assert sorted(await asyncio.gather(*map(link, users))) == [200] + [400] * 9
        again = await _sign_in(api, {"github": GITHUB})
        assert (again.status, len(again.json["authData"])) == (200, 2)


async def test_a_user_that_on_login_deletes_is_not_logged_in(tmp_path: Path) -> None:
    async def deletes(given: dict[str, Any], ask: Ask) -> Any:
        await ask("DELETE", f"/1.1/users/{given['object']['objectId']}")
        return {"result": "ok"}

    client = CodeClient(master=True)
    engine = FakeEngine({"_User.onLogin": client.handler(deletes)})
    async with running_api(engine, project=tmp_path) as api:
        client.api = api
        await _sign_in(api, {"github": GITHUB})
        gone = await _sign_in(api, {"github": GITHUB})
        assert (gone.status, gone.json) == (400, NOBODY)


async def test_an_account_that_lost_its_uid_names_nobody(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = await _sign_in(api, BOTH)
        path = f"/1.1/users/{made.json['objectId']}"
        await api("PUT", path, {"authData.weixin.openid": DELETE}, headers=MASTER)
        known = await _sign_in(api, {"github": GITHUB})
        assert (known.status, known.json["objectId"]) == (200, made.json["objectId"])
        assert (await _sign_in(api, {"weixin": WEIXIN})).status == 201


async def test_an_anonymous_user_that_signs_up_can_log_in(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = await _sign_in(api, {"anonymous": ANONYMOUS})
        session = {**CLIENT, "X-LC-Session": made.json["sessionToken"]}
        named = {"username": "cat", "password": "secret"}
        await api("PUT", f"/1.1/users/{made.json['objectId']}", named, headers=session)
        known = await api("POST", "/1.1/login", named)
        assert (known.json["objectId"], known.json["authData"]) == (made.json["objectId"], {})
        assert (await _sign_in(api, {"anonymous": ANONYMOUS})).status == 201


async def test_a_hook_sees_what_is_new_and_its_identity_is_the_user(tmp_path: Path) -> None:
    engine = FakeEngine(
        {"_User.beforeUpdate": lambda s: s["object"], "_User.onAuthData": lambda s: {"result": 1}}
    )
    async with running_api(engine, project=tmp_path) as api:
        made = await _sign_in(api, {"github": GITHUB})
        session = {**CLIENT, "X-LC-Session": made.json["sessionToken"]}
        path = f"/1.1/users/{made.json['objectId']}"
        await api("PUT", path, {"authData": {"weixin": WEIXIN}}, headers=session)
        first, asked, told = engine.received
        assert first.json == {"authData": {"github": GITHUB}}
        assert asked.json == {"authData": {"weixin": WEIXIN}}
        assert told.json["object"]["_updatedKeys"] == ["authData"]
        assert told.json["object"]["authData"] == BOTH
        assert told.json["user"]["objectId"] == made.json["objectId"]


async def test_others_see_no_auth_data(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = await _sign_in(api, {"github": GITHUB})
        shown = await api("GET", f"/1.1/users/{made.json['objectId']}")
        assert "authData" not in shown.json
        assert "sessionToken" not in shown.json


@pytest.mark.parametrize(
    ("headers", "fired"), [(ENGINE_KEY, ["_User.onAuthData"]), (CLIENT, [*CREATED][:3])]
)
async def test_only_the_engine_leaves_hooks_out(
    tmp_path: Path, headers: dict[str, str], fired: list[str]
) -> None:
    engine = FakeEngine(ENGINE)
    async with running_api(engine, project=tmp_path) as api:
        body = {
            "authData": {"github": GITHUB},
            "__ignore_hooks": ["beforeSave", "afterSave", "onAuthData"],
        }
        made = await api("POST", "/1.1/users", body, headers=headers)
        await api.settle()
        assert made.status == 201
        assert "__ignore_hooks" not in made.json
        assert engine.fired() == fired


async def test_in_a_batch(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        body = {"authData": {"github": GITHUB}}
        sign_in = {"method": "POST", "path": "/1.1/users", "body": body}
        nobody = {"method": "POST", "path": "/1.1/users", "body": {"authData": {"github": {}}}}
        answer = await api("POST", "/1.1/batch", {"requests": [sign_in, sign_in, nobody]})
        first, again, refused = answer.json
        assert first["success"]["objectId"] == again["success"]["objectId"]
        assert refused == {"error": error(250)}
