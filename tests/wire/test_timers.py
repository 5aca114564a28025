"""Scheduled tasks, the cloud queue and the clock over REST (engine.md 7)."""

import json
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.errors import StartError
from lean_emulator.task_file import TaskFiles
from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.fake_engine import FakeEngine, refuse
from tests.support.matchers import error, text_with

TASK = {"name": "nightly", "function": "clean", "cron": "0 0 3 * * ?", "params": {"days": 7}}
QUEUE = "/1.1/engine/cloud-queue/tasks"
DECLARED = """
[[task]]
name = "hourly"
function = "clean"
cron = "0 0 * * * ?"

[[task]]
name = "resting"
function = "clean"
every = 60
enabled = false
"""


def engine() -> FakeEngine:
    return FakeEngine({"clean": lambda sent: {"result": sent}, "fail": lambda _: refuse("no")})


async def emu(api: Api, method: str, path: str, body: Any = None) -> Any:
    answer = await api(method, f"/__emu{path}", body, headers=MASTER)
    assert answer.status < 300, answer.json
    return answer.json


async def advance(api: Api, seconds: float) -> Any:
    return await emu(api, "POST", "/clock", {"action": "advance", "seconds": seconds})


async def test_a_task_is_off_until_it_is_switched_on(tmp_path: Path) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        made = await emu(api, "POST", "/tasks", TASK)
        assert (made["enabled"], made["next"], made["missing"]) == (False, None, False)
        on = await emu(api, "POST", "/tasks/nightly/enable", {})
        assert on["next"] == "2023-11-15T03:00:00.000Z"
        assert (await advance(api, 86_400))["instants"] == 1
        assert api.engine.fired() == ["clean"]
        assert api.engine.received[0].json == {"days": 7}
        last = (await emu(api, "GET", "/tasks"))["results"][0]["last"]
        assert (last["status"], last["finishedAt"]) == ("success", "2023-11-15T03:00:00.000Z")
        assert (await emu(api, "POST", "/tasks/nightly/disable", {}))["next"] is None


async def test_edit_run_and_remove(tmp_path: Path) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        await emu(api, "POST", "/tasks", TASK)
        edited = await emu(api, "PUT", "/tasks/nightly", {"every": 60, "name": "often"})
        assert (edited["every"], "cron" in edited, edited["params"]) == (60, False, {"days": 7})
        ran = await emu(api, "POST", "/tasks/often/run", {})
        assert (ran["status"], ran["why"], ran["result"]) == (
            "success",
            "by hand",
            {"result": {"days": 7}},
        )
        (record,) = (await emu(api, "GET", "/tasks/often/records"))["results"]
        assert record == ran
        await emu(api, "DELETE", "/tasks/often")
        assert (await emu(api, "GET", "/tasks"))["results"] == []


async def test_a_run_as_if_at_another_time(tmp_path: Path) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        await emu(api, "POST", "/tasks", TASK)
        before = await emu(api, "GET", "/clock")
        ran = await emu(api, "POST", "/tasks/nightly/run", {"at": "2030-01-01T03:00:00Z"})
        assert ran["finishedAt"] == "2030-01-01T03:00:00.000Z"
        assert await emu(api, "GET", "/clock") == before


async def test_tasks_of_the_repository_and_what_people_switch(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(DECLARED)
    async with running_api(engine(), project=tmp_path) as api:
        told = {task["name"]: task for task in (await emu(api, "GET", "/tasks"))["results"]}
        assert {name: (t["enabled"], t["origin"]) for name, t in told.items()} == {
            "hourly": (True, "file"),
            "resting": (False, "file"),
        }
        await emu(api, "POST", "/tasks", {**TASK, "enabled": True})
        await emu(api, "POST", "/tasks/resting/enable", {})
        await emu(api, "POST", "/tasks/hourly/disable", {})
    async with running_api(engine(), project=tmp_path) as api:
        told = {task["name"]: task for task in (await emu(api, "GET", "/tasks"))["results"]}
        assert {name: t["enabled"] for name, t in told.items()} == {
            "hourly": False,
            "resting": True,
            "nightly": True,
        }


async def test_tasks_of_the_repository_are_changed_in_their_file(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(DECLARED)
    async with running_api(engine(), project=tmp_path) as api:
        for method, body in (("PUT", {"every": 5}), ("DELETE", None)):
            refused = await api(method, "/__emu/tasks/hourly", body, headers=MASTER)
            assert refused.json == error(1, text_with("'hourly'", "change it there"))
        assert (await emu(api, "GET", "/tasks/hourly"))["cron"] == "0 0 * * * ?"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[[task]]\nname = 'x'\nfunction = 'f'\ncron = '* * *'", "3 fields"),
        ("[[task]]\nname = 'x'", "function wants the name"),
        ("task = 5", "nothing but [[task]] tables"),
        ("[tasks]\na = 1", "nothing but [[task]] tables"),
        ("nonsense", "not valid TOML"),
        (DECLARED + DECLARED, "'hourly' is there twice"),
    ],
)
def test_a_file_of_tasks_that_cannot_be_read(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "tasks.toml").write_text(content)
    with pytest.raises(StartError) as caught:
        TaskFiles(tmp_path).load()
    assert why in caught.value.message
    assert "tasks.toml" in caught.value.message


def test_a_chosen_file_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="There is no file"):
        TaskFiles(tmp_path, str(tmp_path / "mine.toml")).load()


def test_a_damaged_file_of_ours_is_named(tmp_path: Path) -> None:
    (tmp_path / ".lean-emu").mkdir()
    (tmp_path / ".lean-emu" / "tasks.json").write_text(json.dumps({"tasks": 5}))
    with pytest.raises(StartError, match=r"tasks\.json is damaged"):
        TaskFiles(tmp_path).load()


async def test_the_queue_as_the_node_sdk_asks_it(tmp_path: Path) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        body = {"function": "clean", "params": {"n": 1}, "prod": 0, "delay": 5_000}
        put = await api("POST", QUEUE, body, headers=MASTER)
        unique_id = put.json["uniqueId"]
        assert len(unique_id) == 36
        told = await api("GET", f"{QUEUE}/{unique_id}")
        assert told.json == {"uniqueId": unique_id, "status": "queued"}
        await advance(api, 5)
        told = await api("GET", f"{QUEUE}/{unique_id}")
        assert told.json == {
            "uniqueId": unique_id,
            "status": "success",
            "statusCode": 200,
            "result": {"result": {"n": 1}},
            "finishedAt": "2023-11-14T22:13:25.000Z",
        }
        assert api.engine.received[0].headers["X-LC-Prod"] == "0"
        (shown,) = (await emu(api, "GET", "/queue"))["results"]
        assert (shown["function"], shown["tried"]) == ("clean", 1)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "answer", "status"),
    [
        ("POST", QUEUE, {"function": "clean"}, CLIENT,
         error(1, "The request must be signed by master key."), 400),
        ("POST", QUEUE, {"function": "clean", "uniqueId": "taken"}, MASTER,
         error(409, text_with("taken")), 409),
        ("POST", QUEUE, {}, MASTER, error(1, text_with("function")), 400),
        ("GET", f"{QUEUE}/nobody", None, CLIENT, error(404, text_with("nobody")), 404),
        ("GET", "/__emu/tasks", None, CLIENT, error(1, text_with("master")), 400),
        ("GET", "/__emu/tasks/none", None, MASTER, error(101, text_with("none")), 400),
        ("POST", "/__emu/tasks", {"name": "x"}, MASTER, error(1, text_with("function")), 400),
        ("POST", "/__emu/clock", {"action": "stop"}, MASTER, error(1, text_with("'stop'")), 400),
        ("POST", "/__emu/clock", {"action": "advance", "seconds": -1}, MASTER,
         error(1, text_with("seconds")), 400),
        ("POST", "/__emu/clock", {"action": "set", "to": "soon"}, MASTER,
         error(1, text_with("soon")), 400),
    ],
)  # fmt: skip
async def test_refused(
    tmp_path: Path, method: str, path: str, body: Any, headers: Any, answer: Any, status: int
) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        taken = {"function": "clean", "uniqueId": "taken", "delay": 60_000}
        assert (await api("POST", QUEUE, taken, headers=MASTER)).status == 200
        refused = await api(method, path, body, headers=headers)
        assert (refused.status, refused.json) == (status, answer)


async def test_turned_time_is_the_time_of_everything(tmp_path: Path) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        frozen = await emu(api, "POST", "/clock", {"action": "freeze"})
        assert (frozen["now"], frozen["frozen"]) == ("2023-11-14T22:13:20.000Z", True)
        moved = await emu(api, "POST", "/clock", {"action": "set", "to": "2031-05-05T05:05:05Z"})
        assert moved["now"] == "2031-05-05T05:05:05.000Z"
        post = await api.read("Post", await api.create("Post", title="x"))
        assert post["createdAt"] == "2031-05-05T05:05:05.000Z"
        assert (await api("GET", "/1.1/date")).json["iso"] == "2031-05-05T05:05:05.000Z"
        back = await emu(api, "POST", "/clock", {"action": "resume"})
        assert (back["frozen"], back["aheadSeconds"]) == (False, 0)


async def test_frozen_time_keeps_no_request_waiting(tmp_path: Path) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        await emu(api, "POST", "/clock", {"action": "freeze"})
        ran = await api("POST", "/1.1/functions/clean", {"a": 1})
        assert (ran.status, ran.json) == (200, {"result": {"a": 1}})


async def test_the_queue_is_no_class_of_the_application(tmp_path: Path) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        await api("POST", QUEUE, {"function": "clean", "delay": 60_000}, headers=MASTER)
        assert (await api("GET", "/1.1/schemas", headers=MASTER)).json == {}
        refused = await api("GET", "/1.1/classes/_LeanEmuQueue", headers=MASTER)
        assert refused.json["code"] == 103


async def test_codes_expire_by_the_turned_clock(tmp_path: Path) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        await emu(api, "POST", "/clock", {"action": "freeze"})
        number = {"mobilePhoneNumber": "13800000000"}
        assert (await api("POST", "/1.1/requestSmsCode", number)).status == 200
        (sms,) = (await emu(api, "GET", "/inbox"))["results"]
        path = f"/1.1/verifySmsCode/{sms['code']}?mobilePhoneNumber=13800000000"
        await advance(api, 3_600)
        refused = await api("POST", path)
        assert refused.json["code"] == 603
