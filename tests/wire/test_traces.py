"""What a trace tells of a request: who, what before and after, what did not run and why."""

from pathlib import Path
from typing import Any

from tests.support.api import CLIENT, ENGINE, MASTER, Api, running_api
from tests.support.fake_engine import FakeEngine, refuse
from tests.support.matchers import ANY_DATE, ANY_ID, With, error


async def last(api: Api) -> Any:
    """The newest trace as a tree."""
    listed = await api("GET", "/__emu/traces", headers=MASTER)
    return listed.json["results"][-1]


async def test_a_create_from_outside_in(tmp_path: Path) -> None:
    engine = FakeEngine(
        {
            "Post.beforeSave": lambda given: {**given["object"], "slug": "x-y"},
            "Post.afterSave": lambda _: {"result": "ok"},
        }
    )
    engine.where = {"__before_save_for_Post": "cloud.py:7"}
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {"title": "X Y"})
        await api.settle()
        root = await last(api)
        assert root == With(
            {
                "kind": "request",
                "title": "POST /1.1/classes/Post",
                "method": "POST",
                "path": "/1.1/classes/Post",
                "identity": "anonymous",
                "outcome": "ok",
                "status": 201,
                "body": {"title": "X Y"},
                "response": {"objectId": ANY_ID, "createdAt": ANY_DATE},
            }
        )
        before, insert, after = root["children"]
        assert before == With(
            {
                "kind": "hook",
                "hook": "beforeSave",
                "className": "Post",
                "where": "cloud.py:7",
                "limitMs": 10_000.0,
                "leftMs": 10_000.0,
                "before": {"title": "X Y"},
                "after": {"title": "X Y", "slug": "x-y"},
                "changes": [
                    {"key": "slug", "change": "added", "after": "x-y"},
                    {"key": "title", "change": "same", "before": "X Y", "after": "X Y"},
                ],
            }
        )
        assert insert == With(
            {"kind": "storage", "op": "insert", "after": With({"slug": "x-y", "objectId": ANY_ID})}
        )
        assert after == With({"hook": "afterSave", "limitMs": 3_000.0, "outcome": "ok"})


async def test_an_update_shows_the_stored_object_before_and_after(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeUpdate": lambda _: {"n": 99}})
    async with running_api(engine, project=tmp_path) as api:
        post = await api.create("Post", n=1)
        await api("PUT", f"/1.1/classes/Post/{post}", {"n": {"__op": "Increment"}})
        hook, update = (await last(api))["children"]
        assert hook == With({"updatedKeys": ["n"], "objectId": post, "answer": {"n": 99}})
        assert hook["before"] == With({"n": 2})
        assert (update["before"]["n"], update["after"]["n"]) == (1, 2)
        assert update["changes"][0] == {"key": "n", "change": "changed", "before": 1, "after": 2}


async def test_who_asked(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = await api("POST", "/1.1/users", {"username": "ann", "password": "correct"})
        session = {"X-LC-Session": made.json["sessionToken"]}
        for headers, identity, user in (
            (CLIENT, "anonymous", None),
            (ENGINE, "anonymous", None),
            (MASTER, "master", None),
            ({**CLIENT, **session}, "user", "ann"),
            ({**MASTER, **session}, "master", "ann"),
        ):
            await api("GET", "/1.1/date")
            await api("POST", "/1.1/classes/Post", {}, headers=headers)
            root = await last(api)
            assert (root["identity"], root.get("user", {}).get("username")) == (identity, user)
        await api("POST", "/1.1/classes/Post", {}, headers={})
        assert "identity" not in await last(api)


async def test_hooks_that_did_not_run_say_why(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.afterSave": lambda _: {}, "_Installation.beforeSave": lambda _: {}})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {"__ignore_hooks": ["afterSave"]}, headers=MASTER)
        skipped = (await last(api))["children"][-1]
        assert (skipped["title"], skipped["outcome"]) == ("afterSave Post", "skipped")
        assert skipped["why"]["reason"] == "ignored"
        await api("POST", "/1.1/classes/_Installation", {"deviceType": "ios"})
        excluded = (await last(api))["children"][0]
        assert excluded["why"]["reason"] == "excluded"
        assert excluded["why"]["en"]
        assert excluded["why"]["zh"]


async def test_a_refusal_is_told_at_every_level(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": lambda _: refuse("too short", 422, 77)})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {})
        root = await last(api)
        (hook,) = root["children"]
        assert (hook["outcome"], hook["status"]) == ("rejected", 422)
        assert hook["error"]["message"] == "too short"
        assert (root["outcome"], root["status"]) == ("rejected", 400)
        assert root["response"] == error(142)


async def test_an_exception_is_a_failure_and_no_refusal(tmp_path: Path) -> None:
    engine = FakeEngine(
        {"Post.beforeSave": lambda _: refuse("Cloud Code script had an error.", 500)}
    )
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {})
        assert (await last(api))["children"][0]["outcome"] == "failed"


async def test_a_refused_commit_is_in_the_trace(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": lambda _: {"n": "text"}})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {"__ignore_hooks": ["beforeSave"], "n": 1},
                  headers=MASTER)  # fmt: skip
        answer = await api("POST", "/1.1/classes/Post", {"n": 2})
        assert answer.json == error(111)
        insert = (await last(api))["children"][-1]
        assert (insert["title"], insert["outcome"]) == ("insert Post", "failed")
        assert insert["error"]["code"] == 111


async def test_requests_that_were_refused_at_the_door_are_kept_too(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {"n": 1}, headers={"X-LC-Id": "x", "X-LC-Key": "y"})
        root = await last(api)
        assert (root["outcome"], root["status"], root["body"]) == ("rejected", 401, {"n": 1})
        await api("POST", "/1.1/classes/Post", raw=b"{")
        assert (await last(api))["error"]["code"] == 107


async def test_only_so_many_traces_are_kept(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, traces=3) as api:
        for n in range(5):
            await api("GET", f"/1.1/date?n={n}")
        listed = await api("GET", "/__emu/traces", headers=MASTER)
        assert [trace["query"] for trace in listed.json["results"]] == ["n=2", "n=3", "n=4"]
