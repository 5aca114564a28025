"""The cloud queue, with time that tests let pass (engine.md 7.5)."""

import asyncio
from typing import Any

import pytest

from lean_emulator.base.errors import ENGINE_GONE, ApiError
from lean_emulator.model.queued import read_queued
from lean_emulator.service.cloud_queue import LOST_TEXT
from tests.support.fake_engine import FakeEngine, refuse
from tests.support.timed import Timed, timed


def at(time: str) -> str:
    return f"2026-01-01T{time}.000Z"


async def put(emu: Timed, unique_id: str, **options: Any) -> None:
    body = {"function": "f", "uniqueId": unique_id, **options}
    await emu.queue.put(read_queued(body, "made-by-us", emu.clock.now_ms()))


def state(emu: Timed, unique_id: str) -> Any:
    return emu.queue.told(unique_id)


def gone(_: Any) -> Any:
    raise ENGINE_GONE()


async def test_a_task_runs_at_once_and_its_result_can_be_asked_for() -> None:
    emu = timed(f=lambda sent: {"result": sent["n"] + 1})
    await put(emu, "a", params={"n": 1})
    assert state(emu, "a") == {"uniqueId": "a", "status": "queued"}
    await emu.advance(0)
    assert state(emu, "a") == {
        "uniqueId": "a",
        "status": "success",
        "statusCode": 200,
        "result": {"result": 2},
        "finishedAt": at("00:00:00"),
    }


async def test_a_delayed_task_waits() -> None:
    emu = timed(f=lambda _: {"result": 1})
    await put(emu, "a", delay=90_000)
    await emu.advance(89)
    assert state(emu, "a")["status"] == "queued"
    await emu.advance(1)
    assert state(emu, "a")["finishedAt"] == at("00:01:30")


async def test_the_lowest_priority_goes_first_and_else_the_first() -> None:
    seen: list[str] = []

    def note(sent: Any) -> Any:
        seen.append(sent["id"])
        return {"result": 1}

    emu = timed(f=note)
    urgent: list[tuple[str, dict[str, Any]]] = [("c", {"priority": 1}), ("d", {"priority": 0})]
    for unique_id, options in [("a", {}), ("b", {}), *urgent]:
        await put(emu, unique_id, params={"id": unique_id}, **options)
    await emu.advance(0)
    assert seen == ["d", "c", "a", "b"]


async def test_one_task_at_a_time() -> None:
    free, inside = asyncio.Event(), []

    async def slow(sent: Any) -> Any:
        inside.append(sent["id"])
        await free.wait()
        return {"result": 1}

    emu = timed(f=slow)
    for unique_id in ("a", "b"):
        await put(emu, unique_id, params={"id": unique_id})
    (running,) = emu.queue.start_due(emu.clock.now_ms())
    await asyncio.sleep(0)
    assert emu.queue.start_due(emu.clock.now_ms()) == []
    assert (inside, emu.queue.due_ms()) == (["a"], None)
    free.set()
    await asyncio.wait([running])
    assert inside == ["a", "b"]


async def test_an_error_is_final_unless_more_attempts_are_asked_for() -> None:
    emu = timed(f=lambda _: refuse("no"))
    await put(emu, "once")
    await put(emu, "thrice", attempts=3, backoff=10_000)
    await emu.advance(0)
    assert state(emu, "once") == {
        "uniqueId": "once",
        "status": "failed",
        "statusCode": 400,
        "result": {"code": 400, "error": "no"},
        "error": "no",
        "finishedAt": at("00:00:00"),
    }
    assert state(emu, "thrice")["status"] == "queued"
    assert state(emu, "thrice")["retryAt"] == at("00:00:10")
    await emu.advance(10)
    assert state(emu, "thrice")["retryAt"] == at("00:00:20")
    await emu.advance(10)
    assert (state(emu, "thrice")["status"], len(emu.engine.received)) == ("failed", 4)


async def test_a_retry_that_succeeds_is_a_success() -> None:
    answers: list[Any] = [refuse("no"), {"result": 1}]
    emu = timed(f=lambda _: answers.pop(0))
    await put(emu, "a", attempts=2)
    await emu.advance(60)
    assert state(emu, "a")["status"] == "success"
    assert "error" not in state(emu, "a")


async def test_a_lost_call_is_made_again_at_least_once_and_never_at_most_once() -> None:
    emu = timed(f=gone)
    await put(emu, "least")
    await put(emu, "most", deliveryMode="atMostOnce", attempts=5)
    await emu.advance(0)
    assert state(emu, "least")["retryAt"] == at("00:01:00")
    assert state(emu, "most")["status"] == "failed"
    await emu.advance(120)
    assert state(emu, "least")["status"] == "failed"
    assert len(emu.engine.received) == 3


async def test_an_id_is_taken_until_its_result_is_forgotten() -> None:
    emu = timed(f=lambda _: {"result": 1})
    await put(emu, "a", keepResult=60_000)
    for seconds in (0, 59):
        await emu.advance(seconds)
        with pytest.raises(ApiError) as caught:
            await put(emu, "a")
        assert (caught.value.code, caught.value.status) == (409, 409)
    await emu.advance(1)
    with pytest.raises(ApiError) as unknown:
        state(emu, "a")
    assert (unknown.value.code, unknown.value.status) == (404, 404)
    await put(emu, "a")


async def test_what_was_queued_outlives_the_process() -> None:
    before = timed(f=lambda _: {"result": 1})
    await put(before, "done")
    await before.advance(0)
    await put(before, "later", delay=60_000)
    after = Timed(FakeEngine({"f": lambda _: {"result": 2}}), storage=before.storage)
    await after.queue.open()
    assert state(after, "done")["result"] == {"result": 1}
    await after.advance(60)
    assert state(after, "later")["result"] == {"result": 2}


@pytest.mark.parametrize(("mode", "runs"), [("atLeastOnce", 2), ("atMostOnce", 1)])
async def test_a_task_that_ran_when_the_process_died(mode: str, runs: int) -> None:
    calls, called = 0, asyncio.Event()

    async def dying(_: Any) -> Any:
        nonlocal calls
        calls += 1
        called.set()
        if calls == 1:
            await asyncio.Event().wait()
        return {"result": 1}

    before = timed(f=dying)
    await put(before, "a", deliveryMode=mode)
    before.queue.start_due(before.clock.now_ms())
    await called.wait()
    await before.queue.close()
    after = Timed(FakeEngine({"f": dying}), storage=before.storage)
    await after.queue.open()
    await after.advance(0)
    assert calls == runs
    told = state(after, "a")
    assert told["status"] == ("success" if runs == 2 else "failed")
    if runs == 1:
        assert told["error"] == LOST_TEXT


async def test_a_result_that_was_forgotten_is_not_kept_either() -> None:
    emu = timed(f=lambda _: {"result": 1})
    await put(emu, "a", keepResult=1_000)
    await emu.advance(5)
    await put(emu, "b")
    await emu.advance(5)
    after = Timed(FakeEngine({}), storage=emu.storage)
    await after.queue.open()
    assert [told["uniqueId"] for told in after.queue.all()] == ["b"]


async def test_a_dropped_task_does_not_run() -> None:
    emu = timed(f=lambda _: {"result": 1})
    await put(emu, "a", delay=1_000)
    await emu.queue.drop("a")
    await emu.advance(5)
    assert emu.engine.received == []


async def test_the_call_is_limited_to_what_the_task_allows() -> None:
    emu = timed(f=lambda _: {"result": 1})
    await put(emu, "a", timeout=2_000)
    await emu.advance(0)
    (root,) = emu.log.traces()
    assert root.detail["cause"] == "queue"
    assert root.children[0].detail["left"] == 2.0


async def test_an_id_is_made_where_none_is_given() -> None:
    emu = timed(f=lambda _: {"result": 1})
    made = read_queued({"function": "f"}, "made-by-us", emu.clock.now_ms())
    assert made.unique_id == "made-by-us"
    assert made.prod is True
    assert read_queued({"function": "f", "prod": 0}, "x", 0).prod is False


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"function": ""}, "'function'"),
        ({"function": 5}, "'function'"),
        ({"uniqueId": ""}, "'uniqueId'"),
        ({"uniqueId": "x" * 37}, "'uniqueId'"),
        ({"attempts": 0}, "'attempts'"),
        ({"attempts": 1.5}, "'attempts'"),
        ({"backoff": -1}, "'backoff'"),
        ({"delay": "soon"}, "'delay'"),
        ({"timeout": True}, "'timeout'"),
        ({"priority": "high"}, "'priority'"),
        ({"deliveryMode": "twice"}, "'deliveryMode'"),
        ({"later": 1}, "'later'"),
    ],
)
def test_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_queued({"function": "f", **options}, "x", 0)
    assert why in caught.value.message
