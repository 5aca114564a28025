"""The order of a write and its hooks, also where something happens meanwhile (engine.md 4)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.trace_view import walk
from lean_emulator.model.hooknames import AFTER_HOOKS
from lean_emulator.service.fates import fates_of
from tests.support.api import CLIENT, ENGINE, MASTER, Api, running_api
from tests.support.code_client import Ask, Code, or_refuse
from tests.support.fake_engine import FakeEngine, refuse
from tests.support.matchers import ANY_DATE, ANY_ID, With, error
from tests.support.scenario import PASSWORD, Scenario, Sent, SignedUp, Stored, Token, run
from tests.wire.test_chains import running_code

WORDS = ("beforeSave", "afterSave", "beforeUpdate", "afterUpdate", "beforeDelete", "afterDelete")
PREFIX = "Cloud Code validation failed. Error detail : "


def agrees(given: dict[str, Any]) -> Any:
    return given["object"]


ALL_OF_POST = {f"Post.{word}": agrees for word in WORDS}
ALL_OF_USER = {f"_User.{word}": agrees for word in WORDS}
INSTALLATION = Stored("phone", "_Installation", {"deviceType": "ios"})
ACCOUNT = {"username": "bob", "password": "correct"}

SCENARIOS = [
    Scenario("4.1 sign-up over the class", Sent("POST", "/1.1/classes/_User", ACCOUNT), 201,
             engine=ALL_OF_USER, hooks={"_User.beforeSave": 1, "_User.afterSave": 1, "*": 0}),
    Scenario("4.1 an update of an installation",
             Sent("PUT", "/1.1/classes/_Installation/{phone}", {"n": 1}, headers=MASTER), 200,
             setup=[INSTALLATION],
             engine={f"_Installation.{word}": agrees for word in WORDS}),
    Scenario("4.1 a delete of an installation",
             Sent("DELETE", "/1.1/classes/_Installation/{phone}", headers=MASTER), 200,
             setup=[INSTALLATION],
             engine={f"_Installation.{word}": agrees for word in WORDS}),
    Scenario("4.1 a delete of a user", Sent("DELETE", "/1.1/users/{ann}", headers=MASTER), 200,
             setup=[SignedUp("ann")], engine=ALL_OF_USER,
             hooks={"_User.beforeDelete": 1, "_User.afterDelete": 1, "*": 0}),
    Scenario("4.2 an index refuses after the hook",
             Sent("POST", "/1.1/users", ACCOUNT), 400, error(202), setup=[SignedUp("ann")],
             engine={**ALL_OF_USER,
                     "_User.beforeSave": lambda g: {**g["object"], "username": "ann"}},
             hooks={"_User.beforeSave": 1, "*": 0}),
    Scenario("4.8 a change of password",
             Sent("PUT", "/1.1/users/{ann}/updatePassword",
                  {"old_password": PASSWORD, "new_password": "another"},
                  headers={**CLIENT, "X-LC-Session": Token("ann")}), 200,
             setup=[SignedUp("ann")], engine=ALL_OF_USER),
    Scenario("4.11 a create with its fields", Sent("POST", "/1.1/classes/Post", {"n": 1},
             params={"fetchWhenSave": "true"}), 201, With({"n": 1, "slug": "x"}),
             engine={"Post.beforeSave": lambda g: {**g["object"], "slug": "x"}},
             hooks={"Post.beforeSave": 1, "*": 0}),
    Scenario("4.11 a create without its fields", Sent("POST", "/1.1/classes/Post", {"n": 1}), 201,
             {"objectId": ANY_ID, "createdAt": ANY_DATE},
             engine={"Post.beforeSave": lambda g: {**g["object"], "slug": "x"}},
             hooks={"Post.beforeSave": 1, "*": 0}),
    Scenario("4.12 a wish at the top of a batch means nothing",
             Sent("POST", "/1.1/batch", {"__ignore_hooks": [*WORDS], "requests": [
                 {"method": "POST", "path": "/1.1/classes/Post", "body": {"n": 1}}]},
                 headers=ENGINE), 200,
             engine=ALL_OF_POST, hooks={"Post.beforeSave": 1, "Post.afterSave": 1, "*": 0}),
    Scenario("4.12 each member has a wish of its own",
             Sent("POST", "/1.1/batch", {"requests": [
                 {"method": "POST", "path": "/1.1/classes/Post",
                  "body": {"n": 1, "__ignore_hooks": ["beforeSave"]}},
                 {"method": "POST", "path": "/1.1/classes/Post", "body": {"n": 2}}]},
                 headers=ENGINE), 200,
             engine=ALL_OF_POST, hooks={"Post.beforeSave": 1, "Post.afterSave": 2, "*": 0}),
    Scenario("4.12 a member shows what its hook stored",
             Sent("POST", "/1.1/batch", {"requests": [
                 {"method": "POST", "path": "/1.1/classes/Post", "body": {"n": 1},
                  "params": {"fetchWhenSave": True}}]}), 200,
             [{"success": With({"n": 1, "slug": "x"})}],
             engine={"Post.beforeSave": lambda g: {**g["object"], "slug": "x"}},
             hooks={"Post.beforeSave": 1, "*": 0}),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
async def test_write_order(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


async def post_with(api: Api, **fields: Any) -> tuple[str, str]:
    """A stored Post and its path; none of its hooks is counted."""
    quiet = {"__ignore_hooks": [*WORDS]}
    made = await api("POST", "/1.1/classes/Post", {**fields, **quiet}, headers=MASTER)
    object_id = made.json["objectId"]
    return object_id, f"/1.1/classes/Post/{object_id}"


async def test_the_write_goes_onto_what_is_stored_then(tmp_path: Path) -> None:
    """4.3: a save of the same object in its beforeUpdate is a write that the outer one follows."""

    async def saves_first(given: dict[str, Any], ask: Ask) -> Any:
        body = {"n": {"__op": "Increment", "amount": 10}, "by": "hook"}
        path = f"/1.1/classes/Post/{given['object']['objectId']}"
        wish = {"__ignore_hooks": ["beforeUpdate"]}
        return or_refuse(await ask("PUT", path, {**body, **wish}), given["object"])

    code: dict[str, Code] = {"Post.beforeUpdate": saves_first}
    async with running_code(tmp_path, code) as api:
        post, path = await post_with(api, n=1)
        await api("PUT", path, {"n": {"__op": "Increment", "amount": 1}})
        sent = api.engine.received[0].json["object"]
        assert sent["n"] == 2, "the hook was shown a value that others overtook"
        assert await api.read("Post", post) == With({"n": 12, "by": "hook"})


async def test_a_condition_is_checked_again_after_the_hook(tmp_path: Path) -> None:
    """4.3: the hook ran, and nothing is written when the condition does not hold any more."""

    async def spends(given: dict[str, Any], ask: Ask) -> Any:
        path = f"/1.1/classes/Post/{given['object']['objectId']}"
        wish = {"__ignore_hooks": ["beforeUpdate", "afterUpdate"]}
        return or_refuse(await ask("PUT", path, {"n": 0, **wish}), given["object"])

    async def counts(given: dict[str, Any], ask: Ask) -> Any:
        return {}

    code: dict[str, Code] = {"Post.beforeUpdate": spends, "Post.afterUpdate": counts}
    async with running_code(tmp_path, code) as api:
        post, path = await post_with(api, n=1)
        answer = await api("PUT", path, {"m": 1}, where={"n": 1})
        assert answer.json == error(305)
        await api.settle()
        assert api.engine.fired() == ["Post.beforeUpdate"]
        assert await api.read("Post", post) == With({"n": 0}, without=("m",))


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_an_object_that_goes_while_its_hook_runs(method: str, tmp_path: Path) -> None:
    """4.3, 4.4: an update finds nothing (101); a delete has nothing left to do. No after hook."""

    async def deletes(given: dict[str, Any], ask: Ask) -> Any:
        path = f"/1.1/classes/Post/{given['object']['objectId']}"
        return or_refuse(await ask("DELETE", path, {"__ignore_hooks": [*WORDS]}), {})

    async def counts(given: dict[str, Any], ask: Ask) -> Any:
        return {}

    code: dict[str, Code] = {
        "Post.beforeUpdate": deletes,
        "Post.beforeDelete": deletes,
        "Post.afterUpdate": counts,
        "Post.afterDelete": counts,
    }
    async with running_code(tmp_path, code) as api:
        _, path = await post_with(api, n=1)
        answer = await api(method, path, {"n": 2} if method == "PUT" else None)
        assert answer.status == (400 if method == "PUT" else 200)
        await api.settle()
        assert len(api.engine.fired()) == 1
        root = api.emulator.log.traces()[0]
        *_, after = [fate for fate in fates_of(root) if fate.kind in AFTER_HOOKS]
        assert after.reason == "not_reached"
        gone = "not reached: the object was gone by then"
        assert (after.said.en == gone) == (method == "DELETE")
        assert (await api("GET", "/1.1/classes/Post")).json["results"] == []


async def test_after_hooks_do_not_hold_the_members_of_a_batch(tmp_path: Path) -> None:
    """4.5: before hooks one after another, nobody waits for an after hook."""
    gate = asyncio.Event()
    events: list[str] = []

    async def before(given: dict[str, Any]) -> Any:
        number = given["object"]["n"]
        events.append(f"in {number}")
        await asyncio.sleep(0)
        events.append(f"out {number}")
        return given["object"]

    async def after(_: dict[str, Any]) -> Any:
        await gate.wait()
        return {"result": "ok"}

    engine = FakeEngine({"Post.beforeSave": before, "Post.afterSave": after})
    async with running_api(engine, project=tmp_path) as api:
        members = [
            {"method": "POST", "path": "/1.1/classes/Post", "body": {"n": n}} for n in range(5)
        ]
        answer = await api("POST", "/1.1/batch", {"requests": members})
        assert [*map(list, answer.json)] == [["success"]] * 5
        assert api.emulator.hooks.running == 5
        assert events == [f"{way} {n}" for n in range(5) for way in ("in", "out")]
        gate.set()


async def test_what_after_hooks_change_is_not_in_the_answer(tmp_path: Path) -> None:
    """4.11: not even where the answer waits for them."""

    async def marks(given: dict[str, Any], ask: Ask) -> Any:
        path = f"/1.1/classes/Post/{given['object']['objectId']}"
        return or_refuse(await ask("PUT", path, {"n": 9}), {})

    code: dict[str, Code] = {"Post.afterSave": marks}
    async with running_code(tmp_path, code, after_hooks="await") as api:
        made = await api("POST", "/1.1/classes/Post", {"n": 1}, new="true")
        assert made.json["n"] == 1
        assert (await api.read("Post", made.json["objectId"]))["n"] == 9


async def test_who_is_user_at_sign_up(tmp_path: Path) -> None:
    """4.8: nobody is logged in yet; somebody who is signs up a friend."""
    async with running_api(FakeEngine({"_User.beforeSave": agrees}), project=tmp_path) as api:
        made = await api("POST", "/1.1/users", {"username": "ann", "password": "correct"})
        session = {**ENGINE, "X-LC-Session": made.json["sessionToken"]}
        await api("POST", "/1.1/users", ACCOUNT, headers=session)
        users = [received.json["user"] for received in api.engine.received]
        assert users == [None, With({"username": "ann"}, without=("password",))]


async def test_without_time_limits_nothing_is_cut(tmp_path: Path) -> None:
    """4.7: for breakpoints."""

    def stops(given: dict[str, Any]) -> Any:
        api.clock.advance(3_600)
        return given["object"]

    async with running_api(
        FakeEngine({"Post.beforeSave": stops}), project=tmp_path, timeouts=False
    ) as api:
        assert (await api("POST", "/1.1/classes/Post", {"n": 1})).status == 201
        (root,) = api.emulator.log.traces()
        hook = next(step for step in walk(root) if step.kind == "hook")
        assert (hook.detail["limit"], hook.outcome) == (float("inf"), "ok")


async def test_a_refusal_in_a_function_is_the_functions_to_handle(tmp_path: Path) -> None:
    """4.6, 4.10: the hook's words reach the code that saved, with their code."""

    async def tries(given: dict[str, Any], ask: Ask) -> Any:
        answer = await ask("POST", "/1.1/classes/Post", {})
        return {"result": [answer.status, answer.json]}

    async def refuses(given: dict[str, Any], ask: Ask) -> Any:
        return refuse("no title")

    code: dict[str, Code] = {"f": tries, "Post.beforeSave": refuses}
    async with running_code(tmp_path, code) as api:
        answer = await api("POST", "/1.1/functions/f")
        assert answer.json == {"result": [400, error(142, PREFIX + "no title")]}


async def test_a_session_in_a_hooks_request_is_the_user_of_its_chain(tmp_path: Path) -> None:
    """4.9: each write of a chain tells its own user."""

    async def saves(given: dict[str, Any], ask: Ask) -> Any:
        return or_refuse(await ask("POST", "/1.1/classes/Log", {}), given["object"])

    async def sees(given: dict[str, Any], ask: Ask) -> Any:
        return given["object"]

    code: dict[str, Code] = {"Post.beforeSave": saves, "Log.beforeSave": sees}
    async with running_code(tmp_path, code) as api:
        made = await api("POST", "/1.1/users", {"username": "ann", "password": "correct"})
        session = {**ENGINE, "X-LC-Session": made.json["sessionToken"]}
        await api("POST", "/1.1/classes/Post", {}, headers=session)
        users = [received.json["user"] for received in api.engine.received]
        assert users == [With({"username": "ann"}), None]


@pytest.mark.parametrize(("method", "hook"), [("PUT", "beforeUpdate"), ("DELETE", "beforeDelete")])
async def test_rights_that_end_while_the_hook_runs(method: str, hook: str, tmp_path: Path) -> None:
    """Somebody takes the object away from everybody between the first look and the commit."""

    async def closes(given: dict[str, Any], ask: Ask) -> Any:
        closed = {"ACL": {"*": {"read": True}}, "__ignore_hooks": ["beforeUpdate", "afterUpdate"]}
        path = f"/1.1/classes/Post/{given['object']['objectId']}"
        return or_refuse(await ask("PUT", path, closed), given["object"])

    async with running_code(tmp_path, {f"Post.{hook}": closes}) as api:
        post = await api.create("Post", n=1)
        answer = await api(
            method, f"/1.1/classes/Post/{post}", {"n": 2} if method == "PUT" else None
        )
        assert (answer.status, answer.json) == (403, error(403))
        assert (await api.read("Post", post))["n"] == 1
