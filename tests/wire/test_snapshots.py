"""Named states of all objects, over REST; in memory and in files."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.fake_engine import FakeEngine
from tests.support.matchers import error, text_with


async def emu(api: Api, method: str, path: str, body: Any = None, **params: Any) -> Any:
    answer = await api(method, f"/__emu{path}", body, headers=MASTER, **params)
    assert answer.status < 300, answer.json
    return answer.json


async def titles(api: Api) -> list[str]:
    found = await api("GET", "/1.1/classes/Post", headers=MASTER)
    return [row["title"] for row in (found.json or {}).get("results", [])]


@pytest.mark.parametrize("storage", ["memory", "tinydb"])
async def test_there_and_back_again(tmp_path: Path, storage: str) -> None:
    async with running_api(project=tmp_path, storage=storage) as api:
        await api.create("Post", title="a")
        saved = await emu(api, "PUT", "/snapshots/one")
        assert (saved["name"], saved["classes"], saved["objects"]) == ("one", {"Post": 1}, 1)
        await api.create("Post", title="b")
        await emu(api, "PUT", "/snapshots/two")
        for _ in range(2):
            await emu(api, "POST", "/snapshots/one/load")
            assert await titles(api) == ["a"]
            await api.create("Post", title="c")
            assert await titles(api) == ["a", "c"]
            await emu(api, "POST", "/snapshots/two/load")
            assert await titles(api) == ["a", "b"]
        assert [s["name"] for s in (await emu(api, "GET", "/snapshots"))["results"]] == [
            "one",
            "two",
        ]
        await emu(api, "DELETE", "/snapshots/one")
        assert [s["name"] for s in (await emu(api, "GET", "/snapshots"))["results"]] == ["two"]


async def test_in_files_they_outlive_the_process(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, storage="tinydb") as api:
        await api.create("Post", title="a")
        await emu(api, "PUT", "/snapshots/one")
        await api.create("Post", title="b")
        await emu(api, "PUT", "/snapshots/one")
        await api.create("Post", title="c")
    async with running_api(project=tmp_path, storage="tinydb") as api:
        assert await titles(api) == ["a", "b", "c"]
        await emu(api, "POST", "/snapshots/one/load")
        assert await titles(api) == ["a", "b"]
    async with running_api(project=tmp_path, storage="tinydb") as api:
        assert await titles(api) == ["a", "b"]
    kept = [*(tmp_path / ".lean-emu" / "data" / "snapshots").iterdir()]
    assert len(kept) == 1


async def test_what_is_different(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        one, two = await api.create("Post", title="a"), await api.create("Post", title="b")
        await emu(api, "PUT", "/snapshots/one")
        await api("PUT", f"/1.1/classes/Post/{one}", {"title": "A"}, headers=MASTER)
        await api("DELETE", f"/1.1/classes/Post/{two}", headers=MASTER)
        three = await api.create("Post", title="c")
        await api.create("Note", text="x")
        told = await emu(api, "GET", "/snapshots/one/diff")
        post = told["classes"]["Post"]
        assert [row["objectId"] for row in post["added"]["objects"]] == [three]
        assert [row["objectId"] for row in post["removed"]["objects"]] == [two]
        (changed,) = post["changed"]["objects"]
        assert changed == {
            "objectId": one,
            "changes": [{"key": "title", "change": "changed", "before": "a", "after": "A"}],
        }
        assert told["classes"]["Note"]["added"]["count"] == 1
        await emu(api, "PUT", "/snapshots/two")
        assert await emu(api, "GET", "/snapshots/one/diff", to="two") == {**told, "to": "two"}


async def test_reset_forgets_everything(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api.create("Post", title="a")
        await emu(api, "POST", "/reset")
        assert (await api("GET", "/1.1/schemas", headers=MASTER)).json == {}


async def test_queued_tasks_belong_to_the_state(tmp_path: Path) -> None:
    engine = FakeEngine({"f": lambda _: {"result": 1}})
    async with running_api(engine, project=tmp_path) as api:
        await emu(api, "PUT", "/snapshots/empty")
        body = {"function": "f", "delay": 60_000}
        await api("POST", "/1.1/engine/cloud-queue/tasks", body, headers=MASTER)
        await emu(api, "PUT", "/snapshots/queued")
        await emu(api, "POST", "/snapshots/empty/load")
        assert (await emu(api, "GET", "/queue"))["results"] == []
        await emu(api, "POST", "/snapshots/queued/load")
        assert len((await emu(api, "GET", "/queue"))["results"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "headers", "answer"),
    [
        ("POST", "/snapshots/none/load", MASTER, error(101, text_with("'none'"))),
        ("DELETE", "/snapshots/none", MASTER, error(101, text_with("'none'"))),
        ("PUT", "/snapshots/..", MASTER, error(1, text_with("'..'"))),
        ("PUT", "/snapshots/a%2Fb", MASTER, error(1, text_with("'a/b'"))),
        ("PUT", "/snapshots/x", CLIENT, error(1, text_with("master"))),
        ("POST", "/reset", CLIENT, error(1, text_with("master"))),
    ],
)
async def test_refused(tmp_path: Path, method: str, path: str, headers: Any, answer: Any) -> None:
    async with running_api(project=tmp_path, storage="tinydb") as api:
        refused = await api(method, f"/__emu{path}", headers=headers)
        assert refused.json == answer
