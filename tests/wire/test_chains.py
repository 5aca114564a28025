"""Hooks and functions that write: chains, their time, and their end (engine.md 3.4, 4.7, 4.10)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.trace import Span
from lean_emulator.base.trace_view import walk
from tests.support.api import CLIENT, KEYS, MASTER, Api, running_api
from tests.support.code_client import Ask, Code, CodeClient, or_refuse
from tests.support.fake_engine import FakeEngine
from tests.support.matchers import With, error, text_with

AFTERS = ["afterSave", "afterUpdate", "afterDelete"]


@asynccontextmanager
async def running_code(
    project: Path, code: Mapping[str, Code], *, client: CodeClient | None = None, **settings: Any
) -> AsyncIterator[Api]:
    client = client or CodeClient()
    engine = FakeEngine({name: client.handler(made) for name, made in code.items()})
    async with running_api(engine, project=project, **settings) as api:
        client.api = api
        yield api


def shape(span: Span) -> Any:
    """A trace as nested titles."""
    return [span.title, *map(shape, span.children)]


async def agrees(given: dict[str, Any], ask: Ask) -> Any:
    return given["object"]


async def test_a_save_in_a_hook_runs_its_own_chain(tmp_path: Path) -> None:
    async def counts(given: dict[str, Any], ask: Ask) -> Any:
        post = given["object"]["post"]["objectId"]
        increment = {"comments": {"__op": "Increment", "amount": 1}}
        return or_refuse(await ask("PUT", f"/1.1/classes/Post/{post}", increment), {})

    code: dict[str, Code] = {
        "Comment.afterSave": counts,
        "Post.beforeUpdate": agrees,
        "Post.afterUpdate": agrees,
    }
    async with running_code(tmp_path, code) as api:
        post = await api.create("Post", title="x")
        api.emulator.log.clear()
        pointer = {"__type": "Pointer", "className": "Post", "objectId": post}
        for _ in range(3):
            await api("POST", "/1.1/classes/Comment", {"post": pointer})
            await api.settle()
        assert (await api.read("Post", post))["comments"] == 3
        assert (
            api.engine.fired() == ["Comment.afterSave", "Post.beforeUpdate", "Post.afterUpdate"] * 3
        )
        assert shape(api.emulator.log.traces()[1]) == [
            "POST /1.1/classes/Comment",
            ["insert Comment"],
            [
                "afterSave Comment",
                [
                    f"PUT /1.1/classes/Post/{post}",
                    ["beforeUpdate Post"],
                    ["update Post"],
                    ["afterUpdate Post"],
                ],
            ],
        ]


async def test_a_hook_that_saves_does_not_hold_others_up(tmp_path: Path) -> None:
    async def before(given: dict[str, Any], ask: Ask) -> Any:
        return or_refuse(await ask("POST", "/1.1/classes/Log", {"n": 1}), given["object"])

    async with running_code(tmp_path, {"Post.beforeSave": before, "Log.beforeSave": agrees}) as api:
        answers = await asyncio.gather(*(api("POST", "/1.1/classes/Post", {}) for _ in range(8)))
        assert [answer.status for answer in answers] == [201] * 8
        assert api.engine.fired().count("Log.beforeSave") == 8


async def test_the_object_of_an_after_hook_saved_again_fires_no_after_hook(tmp_path: Path) -> None:
    async def saves_itself(given: dict[str, Any], ask: Ask) -> Any:
        path = f"/1.1/classes/Post/{given['object']['objectId']}"
        return or_refuse(await ask("PUT", path, {"seen": True, "__ignore_hooks": AFTERS}), {})

    code: dict[str, Code] = {
        "Post.afterSave": saves_itself,
        "Post.beforeUpdate": agrees,
        "Post.afterUpdate": agrees,
    }
    async with running_code(tmp_path, code) as api:
        made = await api("POST", "/1.1/classes/Post", {"n": 1})
        await api.settle()
        assert api.engine.fired() == ["Post.afterSave", "Post.beforeUpdate"]
        stored = await api.read("Post", made.json["objectId"])
        assert stored == With({"seen": True}, without=("__ignore_hooks",))
        (skipped,) = [
            span for span in walk(api.emulator.log.traces()[1]) if span.outcome == "skipped"
        ]
        assert skipped.title == "afterUpdate Post"
        assert skipped.detail["why"]["reason"] == "ignored"


async def test_a_function_and_what_it_saves_are_one_trace(tmp_path: Path) -> None:
    async def makes(given: dict[str, Any], ask: Ask) -> Any:
        answer = await ask("POST", "/1.1/classes/Post", {"title": given["title"]})
        return {"result": answer.json["objectId"]}

    async with running_code(tmp_path, {"make": makes, "Post.beforeSave": agrees}) as api:
        answer = await api("POST", "/1.1/functions/make", {"title": "x"})
        (root,) = api.emulator.log.traces()
        assert shape(root) == [
            "POST /1.1/functions/make",
            ["make", ["POST /1.1/classes/Post", ["beforeSave Post"], ["insert Post"]]],
        ]
        assert (await api.read("Post", answer.json["result"]))["title"] == "x"


async def test_a_batch_in_a_function_stays_in_its_trace(tmp_path: Path) -> None:
    async def saves_all(given: dict[str, Any], ask: Ask) -> Any:
        members = [
            {"method": "POST", "path": "/1.1/classes/Post", "body": {"n": n}} for n in range(2)
        ]
        answer = await ask("POST", "/1.1/batch", {"requests": members})
        return {"result": len(answer.json)}

    async with running_code(tmp_path, {"f": saves_all, "Post.beforeSave": agrees}) as api:
        assert (await api("POST", "/1.1/functions/f")).json == {"result": 2}
        (root,) = api.emulator.log.traces()
        member = ["POST /1.1/classes/Post", ["beforeSave Post"], ["insert Post"]]
        assert shape(root)[1] == ["f", ["POST /1.1/batch", member, member]]


async def test_a_loop_of_before_hooks_is_cut_and_shown(tmp_path: Path) -> None:
    async def saves_another(given: dict[str, Any], ask: Ask) -> Any:
        return or_refuse(await ask("POST", "/1.1/classes/Post", {"n": 1}), given["object"])

    async with running_code(tmp_path, {"Post.beforeSave": saves_another}) as api:
        answer = await api("POST", "/1.1/classes/Post", {"n": 1})
        assert (answer.status, answer.json) == (
            431,
            error(
                431,
                "LeanEngine hooks rate limit exceeded. 9 calls deep: "
                "beforeSave Post → beforeSave Post",
            ),
        )
        assert api.engine.fired() == ["Post.beforeSave"] * 8
        assert (await api("GET", "/1.1/classes/Post")).status == 404
        root = api.emulator.log.traces()[1]
        assert root.outcome == "loop"
        hooks = [span for span in walk(root) if span.kind == "hook"]
        assert {span.outcome for span in hooks} == {"loop"}
        assert hooks[-1].detail["cycle"] == ["beforeSave Post"]


async def test_a_loop_over_two_classes_shows_both(tmp_path: Path) -> None:
    def saves(class_name: str) -> Code:
        async def code(given: dict[str, Any], ask: Ask) -> Any:
            return or_refuse(await ask("POST", f"/1.1/classes/{class_name}", {}), given["object"])

        return code

    code = {"Post.beforeSave": saves("Album"), "Album.beforeSave": saves("Post")}
    async with running_code(tmp_path, code, hook_depth=5) as api:
        answer = await api("POST", "/1.1/classes/Post", {})
        assert answer.status == 431
        assert answer.json["error"].endswith(
            "6 calls deep: beforeSave Album → beforeSave Post → beforeSave Album"
        )
        assert len(api.engine.received) == 5


async def test_a_loop_of_after_hooks_ends_and_the_client_never_knows(tmp_path: Path) -> None:
    async def saves_itself(given: dict[str, Any], ask: Ask) -> Any:
        path = f"/1.1/classes/Post/{given['object']['objectId']}"
        return or_refuse(await ask("PUT", path, {"n": {"__op": "Increment"}}), {})

    async with running_code(tmp_path, {"Post.afterUpdate": saves_itself}) as api:
        post = await api.create("Post", n=0)
        answer = await api("PUT", f"/1.1/classes/Post/{post}", {"n": 1})
        assert answer.status == 200
        await api.settle()
        assert api.engine.fired() == ["Post.afterUpdate"] * 8
        loops = [
            span
            for root in api.emulator.log.traces()
            for span in walk(root)
            if span.outcome == "loop"
        ]
        assert len(loops) == 1
        assert "afterUpdate Post → afterUpdate Post" in loops[0].detail["error"]["message"]
        assert "disable_after_hook()" in loops[0].detail["error"]["hint"]["en"]
        assert (await api.read("Post", post))["n"] == 9


async def test_a_hook_may_catch_the_error_of_a_loop(tmp_path: Path) -> None:
    async def does_not_care(given: dict[str, Any], ask: Ask) -> Any:
        await ask("POST", "/1.1/classes/Post", {"n": 1})
        return given["object"]

    async with running_code(tmp_path, {"Post.beforeSave": does_not_care}, hook_depth=3) as api:
        answer = await api("POST", "/1.1/classes/Post", {"n": 1})
        assert answer.status == 201
        assert len((await api("GET", "/1.1/classes/Post")).json["results"]) == 3


async def test_code_without_tags_is_not_followed_but_served(tmp_path: Path) -> None:
    async def saves(given: dict[str, Any], ask: Ask) -> Any:
        return or_refuse(await ask("POST", "/1.1/classes/Log", {}), given["object"])

    client = CodeClient(tagged=False)
    async with running_code(tmp_path, {"Post.beforeSave": saves}, client=client) as api:
        assert (await api("POST", "/1.1/classes/Post", {})).status == 201
        assert len(api.emulator.log.traces()) == 2


@pytest.mark.parametrize("hook_key", [None, "wrong"])
async def test_a_call_id_without_the_hook_key_means_nothing(
    hook_key: str | None, tmp_path: Path
) -> None:
    inside = asyncio.Event()
    done = asyncio.Event()

    async def waits(given: dict[str, Any], ask: Ask) -> Any:
        inside.set()
        await done.wait()
        return {"result": None}

    async with running_code(tmp_path, {"f": waits}) as api:
        call = asyncio.create_task(api("POST", "/1.1/functions/f"))
        await inside.wait()
        call_id = api.engine.received[0].call_id
        assert call_id is not None
        headers = {**CLIENT, "X-Lean-Emu-Call": call_id}
        if hook_key is not None:
            headers["X-LC-Hook-Key"] = hook_key
        await api("POST", "/1.1/classes/Post", {}, headers=headers)
        done.set()
        await call
        assert len(api.emulator.log.traces()) == 2


async def test_nested_hooks_share_the_time_of_their_function(tmp_path: Path) -> None:
    async def works_long(given: dict[str, Any], ask: Ask) -> Any:
        client_api.clock.advance(13.0)
        await ask("POST", "/1.1/classes/Post", {})
        return {"result": None}

    async with running_code(
        tmp_path, {"f": works_long, "Post.beforeSave": agrees, "Post.afterSave": agrees}
    ) as client_api:
        await client_api("POST", "/1.1/functions/f")
        await client_api.settle()
        (root,) = client_api.emulator.log.traces()
        lefts = {
            span.title: (span.detail["limit"], span.detail["left"])
            for span in walk(root)
            if "left" in span.detail
        }
        assert lefts == {
            "f": (15.0, 15.0),
            "beforeSave Post": (10.0, 2.0),
            "afterSave Post": (3.0, 2.0),
        }


async def test_a_write_whose_time_is_over_is_not_made(tmp_path: Path) -> None:
    async def too_long(given: dict[str, Any], ask: Ask) -> Any:
        api.clock.advance(10.0)
        return given["object"]

    async def asks(given: dict[str, Any], ask: Ask) -> Any:
        api.clock.advance(14.0)
        answer = await ask("POST", "/1.1/classes/Post", {})
        return {"result": answer.json}

    async with running_code(tmp_path, {"f": asks, "Post.beforeSave": too_long}) as api:
        answer = await api("POST", "/1.1/functions/f")
        assert answer.json == {"result": error(124, "The request timed out on the server.")}
        assert (await api("GET", "/1.1/classes/Post")).status == 404


async def test_a_hook_acts_for_whoever_it_says(tmp_path: Path) -> None:
    async def asks_as_master(given: dict[str, Any], ask: Ask) -> Any:
        answer = await ask("GET", "/1.1/classes/Secret")
        return {**given["object"], "seen": len(answer.json["results"])}

    for master, seen in ((True, 1), (False, 0)):
        client = CodeClient(master=master)
        async with running_code(
            tmp_path, {"Post.beforeSave": asks_as_master}, client=client
        ) as api:
            await api("POST", "/1.1/classes/Secret", {"ACL": {}}, headers=MASTER)
            made = await api("POST", "/1.1/classes/Post", {})
            assert (await api.read("Post", made.json["objectId"]))["seen"] == seen


async def test_deleting_a_tree_from_an_after_hook(tmp_path: Path) -> None:
    async def deletes_photos(given: dict[str, Any], ask: Ask) -> Any:
        found = await ask("GET", "/1.1/classes/Photo")
        ids = ",".join(row["objectId"] for row in found.json["results"])
        return or_refuse(await ask("DELETE", f"/1.1/classes/Photo/{ids}"), {})

    code: dict[str, Code] = {"Album.afterDelete": deletes_photos, "Photo.beforeDelete": agrees}
    async with running_code(tmp_path, code) as api:
        album = await api.create("Album")
        for n in range(3):
            await api.create("Photo", n=n)
        await api("DELETE", f"/1.1/classes/Album/{album}")
        await api.settle()
        assert (await api("GET", "/1.1/classes/Photo")).json == {"results": []}
        assert api.engine.fired() == ["Album.afterDelete", *["Photo.beforeDelete"] * 3]


async def test_nothing_secret_is_in_a_whole_chain(tmp_path: Path) -> None:
    async def signs_up(given: dict[str, Any], ask: Ask) -> Any:
        account = {"username": "ann", "password": "correct-horse-battery"}
        made = await ask("POST", "/1.1/users", account)
        await ask("POST", "/1.1/login", account)
        await ask("GET", f"/1.1/users/me?session_token={made.json['sessionToken']}")
        return {"result": {"token": "unrelated", "sessionToken": made.json["sessionToken"]}}

    async with running_code(tmp_path, {"f": signs_up, "_User.afterSave": agrees}) as api:
        answer = await api("POST", "/1.1/functions/f", headers=MASTER)
        await api.settle()
        shown = (await api("GET", "/__emu/traces", headers=MASTER)).body.decode()
        token = answer.json["result"]["sessionToken"]
        for secret in (KEYS.app_key, KEYS.master_key, KEYS.hook_key, "correct-horse", token):
            assert secret not in shown
        assert '"username":"ann"' in shown


async def test_an_error_deep_inside_keeps_its_text(tmp_path: Path) -> None:
    async def refuses(given: dict[str, Any], ask: Ask) -> Any:
        return or_refuse(await ask("PUT", "/1.1/classes/Post/gone", {}), {})

    async with running_code(tmp_path, {"Post.beforeSave": refuses}) as api:
        answer = await api("POST", "/1.1/classes/Post", {})
        assert answer.json == error(
            142, text_with("Error detail : Could not find object by id 'gone' for class 'Post'.")
        )
