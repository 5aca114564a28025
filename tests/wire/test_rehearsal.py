"""``/__emu/rehearse``: the real chain, and nothing of it stored."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.service.rehearsal import DRY_RUN
from tests.support.api import MASTER, Api, WireAnswer
from tests.support.code_client import Ask, Code, CodeClient, or_refuse
from tests.support.fake_engine import refuse
from tests.support.matchers import ANY_ID, With, text_with
from tests.wire.test_chains import agrees, running_code

POST = "/1.1/classes/Post"


async def rehearse(api: Api, method: str, path: str, body: Any = None, **more: Any) -> WireAnswer:
    wish = {"method": method, "path": path, "body": body, **more}
    return await api("POST", "/__emu/rehearse", wish, headers=MASTER)


async def stored(api: Api, class_name: str) -> list[Any]:
    """All objects of a class, as they really are."""
    answer = await api("GET", f"/1.1/classes/{class_name}", headers=MASTER)
    return list(answer.json["results"]) if answer.status == 200 else []


async def counts(given: dict[str, Any], ask: Ask) -> Any:
    """An after hook that writes: the post's number of comments."""
    path = f"{POST}/{given['object']['post']}"
    return or_refuse(await ask("PUT", path, {"comments": {"__op": "Increment", "amount": 1}}), {})


async def improves(given: dict[str, Any], ask: Ask) -> Any:
    return {**given["object"], "checked": True}


async def test_what_a_chain_writes_is_told_and_dropped(tmp_path: Path) -> None:
    code: dict[str, Code] = {
        "Comment.beforeSave": improves,
        "Comment.afterSave": counts,
        "Post.beforeUpdate": agrees,
        "Post.afterUpdate": agrees,
    }
    async with running_code(tmp_path, code) as api:
        post = await api.create("Post", title="x")
        before = await stored(api, "Post")
        api.engine.received.clear()
        answer = await rehearse(
            api, "POST", "/1.1/classes/Comment?fetchWhenSave=true", {"post": post}
        )
        assert answer.json["status"] == 201
        assert answer.json["body"] == With({"objectId": ANY_ID, "checked": True})
        assert api.engine.fired() == [
            "Comment.beforeSave", "Comment.afterSave", "Post.beforeUpdate", "Post.afterUpdate",
        ]  # fmt: skip
        created, updated = answer.json["writes"]
        assert created == With(
            {"className": "Comment", "change": "created", "before": None, "relations": []}
        )
        assert created["after"] == With({"post": post, "checked": True})
        assert updated == With({"className": "Post", "objectId": post, "change": "updated"})
        assert [row for row in updated["changes"] if row["key"] == "comments"] == [
            {"key": "comments", "change": "added", "after": 1}
        ]
        assert answer.json["unfinished"] == []
        assert await stored(api, "Comment") == []
        assert await stored(api, "Post") == before
        assert "Comment" not in api.emulator.storage.classes()


async def test_its_trace_is_whole_and_marked(tmp_path: Path) -> None:
    async with running_code(tmp_path, {"Post.afterSave": agrees}) as api:
        answer = await rehearse(api, "POST", POST, {"title": "x"})
        trace = await api("GET", f"/__emu/traces/{answer.json['trace']}", headers=MASTER)
        assert trace.json["note"] == DRY_RUN
        assert [step["title"] for step in trace.json["children"]] == [
            "insert Post", "afterSave Post",
        ]  # fmt: skip


async def test_a_function_reads_what_it_wrote_and_nobody_else_does(tmp_path: Path) -> None:
    seen: list[Any] = []

    async def writes(given: dict[str, Any], ask: Ask) -> Any:
        made = await ask("POST", POST, {"title": "x"})
        path = f"{POST}/{made.json['objectId']}"
        seen.append((await ask("GET", path)).json)
        assert client.api is not None
        seen.append((await client.api("GET", path, headers=MASTER)).json)
        seen.append((await ask("DELETE", path)).status)
        return {"result": 1}

    client = CodeClient()
    async with running_code(tmp_path, {"f": writes}, client=client) as api:
        await api.create("Post", title="real")
        answer = await rehearse(api, "POST", "/1.1/functions/f", {})
        assert answer.json == With({"status": 200, "body": {"result": 1}, "writes": []})
        assert seen == [With({"title": "x"}), {}, 200]


async def test_update_and_delete_leave_what_is_stored(tmp_path: Path) -> None:
    async with running_code(tmp_path, {"Post.beforeDelete": agrees}) as api:
        post = await api.create("Post", title="x", likes=1)
        before = await stored(api, "Post")
        answer = await rehearse(
            api, "PUT", f"{POST}/{post}", {"likes": {"__op": "Increment", "amount": 2}}
        )
        (written,) = answer.json["writes"]
        assert (written["change"], written["after"]["likes"]) == ("updated", 3)
        answer = await rehearse(api, "DELETE", f"{POST}/{post}")
        (written,) = answer.json["writes"]
        assert (written["change"], written["after"]) == ("deleted", None)
        assert await stored(api, "Post") == before


async def test_members_of_relations_are_told_of(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:
        post, fan = await api.create("Post"), await api.create("Fan")
        member = {"__type": "Pointer", "className": "Fan", "objectId": fan}
        added = {"fans": {"__op": "AddRelation", "objects": [member]}}
        answer = await rehearse(api, "PUT", f"{POST}/{post}", added)
        (written,) = answer.json["writes"]
        assert written["relations"] == [{"key": "fans", "added": [fan], "removed": []}]
        assert await api.emulator.storage.related("Post", post, "fans") == []


async def test_a_refusal_is_an_answer_and_writes_nothing(tmp_path: Path) -> None:
    async def refuses(given: dict[str, Any], ask: Ask) -> Any:
        await ask("POST", "/1.1/classes/Log", {"n": 1})
        return refuse("No!")

    async with running_code(tmp_path, {"Post.beforeSave": refuses}) as api:
        answer = await rehearse(api, "POST", POST, {})
        assert answer.json == With(
            {"status": 400, "body": {"code": 142, "error": text_with("No!")}}
        )
        (written,) = answer.json["writes"]
        assert written["className"] == "Log"
        assert await stored(api, "Log") == []


async def test_somebody_else_writes_meanwhile(tmp_path: Path) -> None:
    """Real writes during a dry run are real, and the dry run does not see them."""
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def waits(given: dict[str, Any], ask: Ask) -> Any:
        inside.set()
        await go_on.wait()
        found = await ask("GET", POST)
        return {**given["object"], "seen": len(found.json["results"])}

    async with running_code(tmp_path, {"Post.beforeSave": waits}) as api:
        quiet = {"__ignore_hooks": ["beforeSave"]}
        await api.create("Post", n=1, **quiet)
        running = asyncio.create_task(rehearse(api, "POST", POST, {"n": 3}))
        await inside.wait()
        await api.create("Post", n=2, **quiet)
        go_on.set()
        (written,) = (await running).json["writes"]
        assert written["after"]["seen"] == 1
        assert sorted(row["n"] for row in await stored(api, "Post")) == [1, 2]


async def test_a_late_write_of_a_dry_run_is_refused(tmp_path: Path) -> None:
    """Code that goes on in a thread of its own must not write for real."""
    late: list[asyncio.Task[WireAnswer]] = []
    over = asyncio.Event()

    async def goes_on(given: dict[str, Any], ask: Ask) -> Any:
        async def afterwards() -> WireAnswer:
            await over.wait()
            return await ask("POST", POST, {"late": True})

        late.append(asyncio.create_task(afterwards()))
        return given["object"]

    async with running_code(tmp_path, {"Post.beforeSave": goes_on}) as api:
        await rehearse(api, "POST", POST, {"n": 1})
        over.set()
        (answer,) = [await task for task in late]
        assert (answer.status, answer.json) == (
            400,
            {"code": 1, "error": text_with("a dry run that is over")},
        )
        assert await stored(api, "Post") == []


async def test_requests_of_the_code_without_the_hook_key_stay_inside(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:

        async def writes_as_a_client(given: dict[str, Any]) -> Any:
            call = {"X-Lean-Emu-Call": str(api.engine.received[-1].call_id)}
            answer = await api("POST", POST, {"n": 1}, headers={**MASTER, **call})
            return {"result": answer.status}

        api.engine.handlers["f"] = writes_as_a_client
        answer = await rehearse(api, "POST", "/1.1/functions/f", {})
        assert answer.json["body"] == {"result": 201}
        assert [write["className"] for write in answer.json["writes"]] == ["Post"]
        assert await stored(api, "Post") == []


async def test_it_waits_for_after_hooks_only_so_long(tmp_path: Path) -> None:
    hanging = asyncio.Event()

    async def hangs(given: dict[str, Any], ask: Ask) -> Any:
        await hanging.wait()
        return or_refuse(await ask("POST", "/1.1/classes/Log", {}), {})

    client = CodeClient()
    async with running_code(tmp_path, {"Post.afterSave": hangs}, client=client) as api:
        api.emulator.rehearsals.seconds = 0.05
        answer = await rehearse(api, "POST", POST, {})
        assert answer.json["unfinished"] == ["afterSave Post"]
        hanging.set()
        await api.settle()
        (refused,) = client.answers
        assert refused.status == 400
        assert await stored(api, "Log") == []


async def test_it_acts_as_a_user(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:
        signed = await api("POST", "/1.1/users", {"username": "ann", "password": "secret word"})
        mine = {"ACL": {signed.json["objectId"]: {"read": True}}}
        post = await api.create("Post", **mine)
        as_user = await rehearse(api, "PUT", f"{POST}/{post}", {"n": 1}, user="ann")
        assert (as_user.json["status"], as_user.json["writes"]) == (403, [])
        both = await rehearse(api, "PUT", f"{POST}/{post}", {"n": 1}, user="ann", master=True)
        assert both.json["status"] == 200
        trace = await api("GET", f"/__emu/traces/{both.json['trace']}", headers=MASTER)
        assert trace.json == With({"identity": "master", "user": With({"username": "ann"})})
        unknown = await rehearse(api, "PUT", POST, {}, user="nobody")
        assert unknown.json["code"] == 211


async def test_a_user_who_signs_up_is_shown_without_secrets(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:
        answer = await rehearse(
            api, "POST", "/1.1/users", {"username": "ann", "password": "secret word"}
        )
        (written,) = answer.json["writes"]
        token = answer.json["body"]["sessionToken"]
        assert token not in str(written)
        assert await stored(api, "_User") == []


@pytest.mark.parametrize(
    "wish", [{"path": "/somewhere"}, {"path": POST, "method": "BREW"}, {}, {"path": "1.1/classes"}]
)
async def test_what_is_no_request_of_the_api_is_refused(wish: Any, tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:
        answer = await api("POST", "/__emu/rehearse", wish, headers=MASTER)
        assert (answer.status, answer.json) == (
            400,
            {"code": 1, "error": text_with("no request of the API")},
        )


async def test_nothing_is_sent(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:
        ann = {"username": "ann", "password": "secret word", "email": "ann@example.com"}
        assert (await api("POST", "/1.1/users", ann)).status == 201
        inbox = api.emulator.inbox
        before = inbox.messages()
        asked = ("POST", "/1.1/requestPasswordReset", {"email": "ann@example.com"})
        assert (await rehearse(api, *asked)).json["status"] == 200
        assert inbox.messages() == before
        assert (await api(*asked)).status == 200
        assert len(inbox.messages()) == len(before) + 1


async def test_nothing_is_queued_for_later(tmp_path: Path) -> None:
    async with running_code(tmp_path, {"f": agrees}) as api:
        queue = "/1.1/engine/cloud-queue/tasks"
        body = {"function": "f", "params": {}, "delay": 5_000}
        answer = await rehearse(api, "POST", queue, body)
        assert (answer.json["status"], answer.json["body"]) == (200, With({}))
        queued = await api("GET", "/__emu/queue", headers=MASTER)
        assert queued.json["results"] == []


async def test_when_a_class_was_last_written_is_not_changed(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:
        await api.create("Post", n=1)
        before = (await api("GET", POST)).headers["Last-Modified"]
        api.clock.advance(60)
        await rehearse(api, "POST", POST, {"n": 2})
        assert (await api("GET", POST)).headers["Last-Modified"] == before


async def test_only_the_master_key_may_ask(tmp_path: Path) -> None:
    async with running_code(tmp_path, {}) as api:
        wish = {"path": POST, "body": {}}
        assert (await api("POST", "/__emu/rehearse", wish)).json["code"] == 1
        assert api.engine.fired() == []
        assert await stored(api, "Post") == []


async def test_many_dry_runs_do_not_see_each_other(tmp_path: Path) -> None:
    async def looks(given: dict[str, Any], ask: Ask) -> Any:
        await ask("POST", "/1.1/classes/Log", {})
        found = await ask("GET", "/1.1/classes/Log?count=1")
        return {**given["object"], "logs": found.json["count"]}

    async with running_code(tmp_path, {"Post.beforeSave": looks}) as api:
        answers = await asyncio.gather(*(rehearse(api, "POST", POST, {}) for _ in range(6)))
        made = [answer.json["writes"][1]["after"]["logs"] for answer in answers]
        assert made == [1] * 6
        assert await stored(api, "Log") == []
