"""Rows of files into a running instance, over the admin routes (storage.md 10.4)."""

import json
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.service.import_runs import MOST
from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.fake_engine import FakeEngine, refuse
from tests.support.matchers import error, text_with

THEN = "2015-06-21T18:02:52.249Z"
HASH = "tA7BLW+NK0UeARng0693gCaVnljkglCB9snqlpCSUKjx2RgYp8VZZOQt0S5iUtlDrkJXfT3gknS4rRqjYsd/Ug=="
SALT = "h60d8x797d3oa0naxybxxv9bn7xpt2yiowz68mpiwou7gwr2"


async def begin(api: Api, **options: bool) -> str:
    answer = await api("POST", "/__emu/imports", options, headers=MASTER)
    assert answer.status == 200, answer.json
    return str(answer.json["id"])


async def send(api: Api, run: str, class_name: str, rows: list[Any]) -> Any:
    body = {"file": "f", "className": class_name, "rows": rows}
    answer = await api("POST", f"/__emu/imports/{run}/rows", body, headers=MASTER)
    assert answer.status == 200, answer.json
    return answer.json


async def end(api: Api, run: str) -> None:
    assert (await api("DELETE", f"/__emu/imports/{run}", headers=MASTER)).status == 200


async def stored(api: Api, class_name: str, *rows: Any, **options: bool) -> Any:
    run = await begin(api, **options)
    told = await send(api, run, class_name, [*rows])
    await end(api, run)
    return told


def tally(**more: Any) -> Any:
    return {"inserted": 0, "replaced": 0, "skipped": [], "waiting": 0, "errors": [], **more}


async def test_ids_and_times_are_kept(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        row = {"objectId": "p1", "createdAt": THEN, "updatedAt": THEN, "title": "a"}
        assert await stored(api, "Post", row, {"title": "b"}) == tally(inserted=2)
        assert await api.read("Post", "p1") == row
        found = await api("GET", "/1.1/classes/Post", headers=MASTER, where={"title": "b"})
        assert len(found.json["results"][0]["objectId"]) == 24


async def test_no_hook_runs_and_the_trace_says_why(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": lambda body: body["object"]})
    async with running_api(engine, project=tmp_path) as api:
        await api("DELETE", "/__emu/traces", headers=MASTER)
        await stored(api, "Post", {"title": "a"}, {"title": "b"})
        assert engine.fired() == []
        traces = (await api("GET", "/__emu/traces", headers=MASTER)).json["results"]
        (trace,) = traces
        assert (trace["title"], trace["note"]) == ("import Post", "2 rows of f, 0 refused")
        fates = {fate["hook"]: fate["en"] for fate in trace["hooks"]}
        assert fates["beforeSave"] == "an import fires no hooks"


async def test_with_hooks_they_run_and_ids_and_times_are_kept_too(tmp_path: Path) -> None:
    engine = FakeEngine(
        {
            "Post.beforeSave": lambda body: {**body["object"], "seen": True},
            "Post.beforeUpdate": lambda _: {},
            "Post.afterSave": lambda _: "ok",
        }
    )
    async with running_api(engine, project=tmp_path) as api:
        row = {"objectId": "p1", "createdAt": THEN, "updatedAt": THEN, "title": "a"}
        assert await stored(api, "Post", row, hooks=True) == tally(inserted=1)
        assert await api.read("Post", "p1") == {**row, "seen": True}
        changed = {**row, "title": "b"}
        assert await stored(api, "Post", changed, hooks=True) == tally(skipped=[0])
        told = await stored(api, "Post", changed, hooks=True, replace=True)
        assert told == tally(replaced=1)
        await api.settle()
        assert engine.fired() == ["Post.beforeSave", "Post.afterSave", "Post.beforeUpdate"]


async def test_a_hook_that_refuses_refuses_its_row_alone(tmp_path: Path) -> None:
    def only_good(body: Any) -> Any:
        if body["object"]["title"] == "bad":
            return refuse("no")
        return body["object"]

    engine = FakeEngine({"Post.beforeSave": only_good})
    async with running_api(engine, project=tmp_path) as api:
        rows = [{"title": "bad"}, {"title": "good"}]
        told = await stored(api, "Post", *rows, hooks=True)
        assert told["inserted"] == 1
        assert [(e["row"], e["code"]) for e in told["errors"]] == [(0, 142)]


async def test_what_exists_is_skipped_or_replaced(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        member = {"__type": "Pointer", "className": "_User", "objectId": "u1"}
        await stored(api, "Post", {"objectId": "p1", "createdAt": THEN, "title": "a", "n": 1})
        likes = {"likes": {"__op": "AddRelation", "objects": [member]}}
        await api("PUT", "/1.1/classes/Post/p1", likes, headers=MASTER)
        same = {"objectId": "p1", "createdAt": THEN, "title": "b"}
        assert await stored(api, "Post", same) == tally(skipped=[0])
        assert (await api.read("Post", "p1"))["title"] == "a"
        for created in (THEN, "2016-01-01T00:00:00.000Z"):
            told = await stored(api, "Post", {**same, "createdAt": created}, replace=True)
            assert told == tally(replaced=1)
            assert await api.read("Post", "p1") == {
                "objectId": "p1",
                "createdAt": created,
                "updatedAt": created,
                "title": "b",
                "likes": {"__type": "Relation", "className": "_User"},
            }
            assert await api.emulator.storage.related("Post", "p1", "likes") == ["u1"]


async def test_the_same_id_twice_in_a_file(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        rows = [{"objectId": "p1", "n": 1}, {"objectId": "p1", "n": 2}]
        assert await stored(api, "Post", *rows) == tally(inserted=1, skipped=[1])
        told = await stored(api, "Post", *rows, {"objectId": "p2"}, replace=True)
        assert told == tally(inserted=1, replaced=2)
        assert (await api.read("Post", "p1"))["n"] == 2


async def test_wrong_rows_are_told_of_and_keep_no_other_out(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        rows = [{"n": 1}, {"n": "x"}, [], {"objectId": "a b"}, {"n": 2}, {"a b": 1}]
        told = await stored(api, "Post", *rows)
        assert told["inserted"] == 2
        assert [(e["row"], e["code"]) for e in told["errors"]] == [
            (2, 107), (3, 104), (5, 105), (1, 111),
        ]  # fmt: skip


async def test_required_columns_are_not_asked_for_and_defaults_show(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        run = await begin(api)
        columns = {"a": {"type": "String", "required": True}, "b": {"type": "Number", "default": 7}}
        body = {"className": "Post", "content": {"schema": columns}}
        answer = await api("POST", f"/__emu/imports/{run}/schema", body, headers=MASTER)
        assert answer.status == 200, answer.json
        assert await send(api, run, "Post", [{"objectId": "p1"}]) == tally(inserted=1)
        assert (await api.read("Post", "p1"))["b"] == 7
        wrong = {"className": "Post", "content": {"schema": {"a": {"type": "Text"}}}}
        answer = await api("POST", f"/__emu/imports/{run}/schema", wrong, headers=MASTER)
        assert answer.json == error(1, text_with("Text"))


@pytest.mark.parametrize(
    "row", [{"password": HASH, "salt": SALT}, {"password": "password"}, {"password": "password",
            "sessionToken": "kept"}],
)  # fmt: skip
async def test_users_log_in_with_the_password_they_had(tmp_path: Path, row: Any) -> None:
    async with running_api(project=tmp_path) as api:
        assert (await stored(api, "_User", {"username": "ann", **row}))["inserted"] == 1
        body = {"username": "ann", "password": "password"}
        answer = await api("POST", "/1.1/login", body)
        assert answer.status == 200, answer.json
        token = answer.json["sessionToken"]
        assert row.get("sessionToken") in (None, token)
        me = await api("GET", "/1.1/users/me", headers={**CLIENT, "X-LC-Session": token})
        assert me.json["username"] == "ann"


async def test_a_user_that_is_replaced_without_a_password_keeps_it(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        row = {"objectId": "u1", "createdAt": THEN, "username": "ann"}
        await stored(api, "_User", {**row, "password": "secret"})
        assert (await stored(api, "_User", {**row, "n": 1}, replace=True))["replaced"] == 1
        answer = await api("POST", "/1.1/login", {"username": "ann", "password": "secret"})
        assert (answer.status, answer.json["n"]) == (200, 1)


async def test_two_users_of_one_name_are_told_apart(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        told = await stored(api, "_User", {"username": "a"}, {"username": "a"}, {"username": "b"})
        assert told["inserted"] == 2
        assert [(e["row"], e["code"]) for e in told["errors"]] == [(1, 137)]


async def test_members_of_relations_in_any_order(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        pair = {"owningId": "r1", "relatedId": "u1"}
        rows = [pair, pair, {"owningId": "r2", "relatedId": "u9"}, {"owningId": "r1"}, "x"]
        told = await stored(api, "_Join:_Role:users:_User", *rows)
        assert (told["inserted"], told["waiting"], told["skipped"]) == (0, 2, [1])
        assert [(e["row"], e["code"]) for e in told["errors"]] == [(3, 128), (4, 128)]
        assert await stored(api, "_Role", {"objectId": "r1", "name": "A", "updatedAt": THEN,
                                           "createdAt": THEN}) == tally(inserted=1)  # fmt: skip
        where = {"users": {"__type": "Pointer", "className": "_User", "objectId": "u1"}}
        found = await api("GET", "/1.1/roles", headers=MASTER, where=where)
        assert [role["name"] for role in found.json["results"]] == ["A"]
        more = [pair, {"owningId": "r1", "relatedId": "u2"}]
        told = await stored(api, "_Join:users:_Role", *more)
        assert told == tally(inserted=1, skipped=[0])
        assert (await api.read("_Role", "r1"))["updatedAt"] == THEN
        assert await api.emulator.storage.related("_Role", "r1", "users") == ["u1", "u2"]


async def test_a_dry_run_sees_itself_and_stores_nothing(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        run = await begin(api, dryRun=True)
        assert await send(api, run, "Post", [{"objectId": "p1"}]) == tally(inserted=1)
        assert await send(api, run, "Post", [{"objectId": "p1"}]) == tally(skipped=[0])
        await end(api, run)
        assert (await api("GET", "/1.1/schemas", headers=MASTER)).json == {}


async def test_an_import_that_was_left_alone_gives_way(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        runs = [await begin(api, dryRun=True) for _ in range(MOST + 1)]
        body = {"className": "Post", "rows": []}
        first, *_, last = [
            await api("POST", f"/__emu/imports/{run}/rows", body, headers=MASTER) for run in runs
        ]
        assert first.json == error(101, text_with("import"))
        assert last.status == 200


async def test_contents_of_files(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        record = {"objectId": "f1", "name": "a.txt", "key": "k/a.txt", "url": "http://gone/a.txt",
                  "createdAt": THEN, "updatedAt": THEN}  # fmt: skip
        await stored(api, "_File", record)
        assert (await api.read("_File", "f1"))["url"] == "http://gone/a.txt"
        put = await api("PUT", "/__emu/contents/f1", raw=b"hello", headers=MASTER)
        assert put.json == {"objectId": "f1", "size": 5}
        seen = await api.read("_File", "f1")
        assert seen["url"].startswith(api.emulator.api_url)
        assert seen["updatedAt"] == THEN
        path = seen["url"].removeprefix(api.emulator.api_url)
        assert (await api("GET", path)).body == b"hello"
        absent = await api("PUT", "/__emu/contents/nope", raw=b"x", headers=MASTER)
        assert absent.json == error(101, text_with("nope"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/__emu/imports"), ("POST", "/__emu/imports/x/rows"),
        ("POST", "/__emu/imports/x/schema"), ("DELETE", "/__emu/imports/x"),
        ("PUT", "/__emu/contents/x"), ("GET", "/__emu/export"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("headers", [CLIENT, {**MASTER, "Origin": "http://evil.example"}])
async def test_for_the_master_key_alone(
    tmp_path: Path, method: str, path: str, headers: dict[str, str]
) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api(method, path, {} if method == "POST" else None, headers=headers)
        assert answer.json == error(1, text_with("master"))


async def test_the_export_is_one_stream_with_an_end(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await stored(api, "Post", {"objectId": "b", "createdAt": THEN}, {"objectId": "a",
                     "createdAt": THEN})  # fmt: skip
        answer = await api("GET", "/__emu/export", headers=MASTER)
        lines = answer.body.decode().splitlines()
        assert json.loads(lines[0].partition(" ")[2]) == {"type": "Schema", "class": "Post"}
        assert json.loads(lines[2].partition(" ")[2]) == {"type": "Class", "class": "Post"}
        assert [json.loads(line)["objectId"] for line in lines[3:5]] == ["a", "b"]
        assert lines[5:] == ["#end"]
        unknown = await api("GET", "/__emu/export?classes=Nope", headers=MASTER)
        assert unknown.json == error(101, text_with("Nope"))
