"""``/__emu/replay`` and ``/__emu/reloads``: what was asked, again, with the code of now."""

import asyncio
import json
from pathlib import Path
from typing import Any

from lean_emulator.service.rehearsal import DRY_RUN
from tests.support.api import CLIENT, KEYS, MASTER, Api, WireAnswer
from tests.support.code_client import Ask
from tests.support.fake_engine import refuse
from tests.support.matchers import ANY_ID, With, text_with
from tests.wire.test_chains import agrees, running_code
from tests.wire.test_rehearsal import POST, improves, stored

TRACE = "X-Lean-Emu-Trace"


async def replay(api: Api, trace: str, **more: Any) -> WireAnswer:
    return await api("POST", "/__emu/replay", {"trace": trace, **more}, headers=MASTER)


async def traced(api: Api, *request: Any, **more: Any) -> str:
    """The trace of a request that has ended."""
    answer = await api(*request, **more)
    await api.settle()
    return answer.headers[TRACE]


def changed(answer: WireAnswer) -> list[Any]:
    """Steps that differ, with their differences by path."""
    return [
        (step["change"], step["title"], [row["path"] for row in step["differences"]])
        for step in answer.json["diff"]["steps"]
        if step["change"] != "same"
    ]


async def test_the_same_code_does_the_same(tmp_path: Path) -> None:
    async with running_code(
        tmp_path, {"Post.beforeSave": improves, "Post.afterSave": agrees}
    ) as api:
        first = await traced(api, "POST", POST, {"title": "x"})
        answer = await replay(api, first)
        assert answer.json == With(
            {"status": 201, "replayOf": first, "body": With({"objectId": ANY_ID})}
        )
        assert answer.json["diff"]["same"] is True
        assert answer.json["trace"] != first
        assert len(await stored(api, "Post")) == 2
        assert api.engine.fired() == ["Post.beforeSave", "Post.afterSave"] * 2


async def test_other_code_is_told_apart_step_by_step(tmp_path: Path) -> None:
    async with running_code(
        tmp_path, {"Post.beforeSave": improves, "Post.afterSave": agrees}
    ) as api:
        first = await traced(api, "POST", POST, {"title": "x"})
        api.engine.handlers["Post.beforeSave"] = lambda given: {**given["object"], "checked": False}
        del api.engine.handlers["Post.afterSave"]
        assert changed(await replay(api, first)) == [
            ("changed", "beforeSave Post", ["after.checked"]),
            ("changed", "insert Post", ["after.checked"]),
            ("removed", "afterSave Post", []),
        ]
        api.engine.handlers["Post.beforeSave"] = lambda given: refuse("No!")
        answer = await replay(api, first)
        assert answer.json == With({"status": 400, "body": With({"code": 142})})
        assert [row[:2] for row in changed(answer)] == [
            ("changed", "POST /1.1/classes/Post"),
            ("changed", "beforeSave Post"),
            ("removed", "insert Post"),
            ("removed", "afterSave Post"),
        ]


async def test_values_can_be_set(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:
        first = await traced(api, "POST", POST, {"a": {"b": 1}, "tags": ["x"]})
        answer = await replay(api, first, set={"a.b": 2, "tags.0": "y"})
        row = await api.read("Post", answer.json["body"]["objectId"])
        assert (row["a"], row["tags"]) == ({"b": 2}, ["y"])
        assert changed(answer) == [
            ("changed", "POST /1.1/classes/Post", ["body.a.b", "body.tags.0"]),
            ("changed", "insert Post", ["after.a.b", "after.tags.0"]),
        ]


async def test_a_dry_replay_stores_nothing(tmp_path: Path) -> None:
    async with running_code(tmp_path, {"Post.afterSave": agrees}) as api:
        first = await traced(api, "POST", POST, {"title": "x"})
        answer = await replay(api, first, dryRun=True)
        assert answer.json["diff"]["same"] is True
        assert [write["change"] for write in answer.json["writes"]] == ["created"]
        assert len(await stored(api, "Post")) == 1
        trace = await api("GET", f"/__emu/traces/{answer.json['trace']}", headers=MASTER)
        assert trace.json["note"] == DRY_RUN


async def test_it_is_done_for_the_same_user_with_the_session_of_now(tmp_path: Path) -> None:
    async with running_code(tmp_path, {"f": agrees_with_user}) as api:
        signed = await api("POST", "/1.1/users", {"username": "ann", "password": "secret word"})
        token = signed.json["sessionToken"]
        headers = {**CLIENT, "X-LC-Session": token}
        first = await traced(api, "POST", "/1.1/functions/f", {}, headers=headers)
        answer = await replay(api, first)
        assert answer.json["body"] == {"result": "yes"}
        assert api.engine.received[-1].headers["X-LC-Session"] == token
        assert token not in str(answer.json)
        renewed = f"/1.1/users/{signed.json['objectId']}/refreshSessionToken"
        new = await api("PUT", renewed, {}, headers=headers)
        if new.status == 200:
            await replay(api, first)
            assert api.engine.received[-1].headers["X-LC-Session"] == new.json["sessionToken"]
        path = f"/1.1/classes/_User/{signed.json['objectId']}"
        assert (await api("DELETE", path, headers=MASTER)).status == 200
        gone = await replay(api, first)
        assert (gone.status, gone.json["error"]) == (400, text_with("its user", "is gone"))


async def agrees_with_user(given: dict[str, Any], ask: Ask) -> Any:
    return {"result": "yes"}


async def test_hooks_and_functions_of_the_console_are_called_again(tmp_path: Path) -> None:
    async with running_code(tmp_path, {"Post.beforeSave": improves, "f": agrees_with_user}) as api:
        workbench = api.emulator.workbench
        function = await workbench.run_function("f", {"n": 1}, master=True)
        assert (await replay(api, function.trace)).json["diff"]["same"] is True
        assert api.engine.received[-1].json == {"n": 1}
        hook = await workbench.run_hook("Post", "beforeSave", object={"n": 1})
        answer = await replay(api, hook.trace, set={"n": 5})
        assert answer.json["body"] == With({"n": 5, "checked": True})
        chain = await workbench.run_hook("Post", "beforeSave", object={"n": 1}, chain=True)
        assert (await replay(api, chain.trace)).json["diff"]["same"] is True
        assert len(await stored(api, "Post")) == 2


async def test_batches_reads_and_refusals_can_be_replayed(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:
        member = {"method": "POST", "path": "/1.1/classes/Post", "body": {"n": 1}}
        asked: list[tuple[Any, ...]] = [
            ("POST", "/1.1/batch", {"requests": [member, member]}),
            ("GET", f"{POST}?where=%7B%22n%22%3A2%7D&count=1"),
            ("POST", POST, {"__bad": 1}),
            ("DELETE", f"{POST}/nobody"),
        ]
        for request in asked:
            first = await traced(api, *request)
            answer = await replay(api, first)
            assert answer.json["diff"]["same"] is True, changed(answer)


async def test_what_came_through_the_tunnel_goes_through_it_again(tmp_path: Path) -> None:
    """Browsers send everything in a text/plain body, and clients write headers as they like."""
    async with running_code(tmp_path, {}) as api:
        ann = await api("POST", "/1.1/users", {"username": "ann", "password": "secret word"})
        tunnelled = {
            "_method": "POST",
            "_ApplicationId": KEYS.app_id,
            "_ApplicationKey": KEYS.app_key,
            "_SessionToken": ann.json["sessionToken"],
            "n": 1,
        }
        # the usual header in capitals would stand beside it
        sent = await api._session.post(
            api.emulator.api_url + POST,
            data=json.dumps(tunnelled),
            headers={"content-type": "text/plain"},
        )
        assert sent.status == 201
        answer = await replay(api, sent.headers[TRACE], set={"n": 2})
        assert answer.json["status"] == 201, answer.json
        assert [row["n"] for row in await stored(api, "Post")] == [1, 2]
        trace = await api("GET", f"/__emu/traces/{answer.json['trace']}", headers=MASTER)
        assert trace.json["user"] == With({"username": "ann"})


async def test_what_cannot_be_replayed_says_why(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:
        first = await traced(api, "POST", POST, raw=b"{no json")
        answer = await replay(api, first)
        assert (answer.status, answer.json["error"]) == (
            400,
            text_with("cannot be replayed", "JSON"),
        )
        page = api.emulator.log.begin("request", "GET /", method="GET", path="/")
        api.emulator.log.end(page)
        answer = await replay(api, page.name)
        assert answer.json["error"] == text_with("the project's own web app")


async def test_traces_that_are_not_there_and_wishes_that_make_no_sense(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:
        for name in ("t-ffff", "nonsense", "", "last"):
            assert (await replay(api, name)).status == 404
        first = await traced(api, "POST", POST, {"n": 1})
        assert (await replay(api, first, set=[1])).status == 400
        assert (await replay(api, first, set={"n.x": 1})).json["error"] == text_with("'n.x'")
        assert (await api("POST", "/__emu/replay", {"trace": first})).status in (400, 401, 403)
        assert len(await stored(api, "Post")) == 1


async def test_a_reload_is_told_when_it_comes(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:

        async def asked(query: str = "") -> Any:
            answer = await api("GET", f"/__emu/reloads{query}", headers=MASTER)
            assert answer.status == 200, answer.json
            return answer.json["reload"]

        def reload() -> str:
            log = api.emulator.log
            span = log.begin("reload", "cloud.py changed")
            log.end(span)
            return span.name

        assert await asked() is None
        first = reload()
        assert (await asked())["id"] == first
        assert await asked(f"?after={first}") is None
        waiting = asyncio.create_task(asked(f"?after={first}&seconds=10"))
        await asyncio.wait({waiting}, timeout=0.05)  # it may be answered early, or late
        await api("POST", POST, {})  # what is no reload does not wake it for good
        second = reload()
        assert (await waiting)["id"] == second
        assert await asked(f"?after={second}&seconds=0.01") is None
        assert (await api("GET", "/__emu/reloads?after=x-y", headers=MASTER)).status == 400
        assert (await api("GET", "/__emu/reloads?seconds=long", headers=MASTER)).status == 400
