"""Scheduled tasks, with time that tests let pass (engine.md 7.1, 7.4)."""

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lean_emulator.base.clock import iso_text
from lean_emulator.base.errors import ENGINE_GONE, TIMED_OUT, ApiError
from lean_emulator.model.task import parse_task
from lean_emulator.service.tasks import ERRORS_ALLOWED, MOST_RECORDS, OFF_TEXT
from lean_emulator.service.timed_call import LATE_TEXT
from tests.support.fake_engine import refuse
from tests.support.timed import KEYS, Timed, task, timed


def at(time: str) -> str:
    return f"2026-01-01T{time}.000Z"


def runs(emu: Timed, name: str = "t") -> list[tuple[Any, ...]]:
    """Records of a task, oldest first: when it was due, how it went, why it ran."""
    told = reversed(emu.tasks.records(name))
    return [(r["dueAt"], r["status"], r["why"]) for r in told]


def gone(_: Any) -> Any:
    raise ENGINE_GONE()


def late(_: Any) -> Any:
    raise TIMED_OUT()


async def test_a_cron_task_runs_at_its_seconds_and_knows_the_next() -> None:
    emu = timed(f=lambda _: {"result": 1})
    emu.add("t", cron="10 */5 * * * ?", params={"n": 7})
    assert emu.tasks.told("t")["next"] == at("00:00:10")
    await emu.advance(310)
    assert [received.json for received in emu.engine.received] == [{"n": 7}] * 2
    assert runs(emu) == [
        (at("00:00:10"), "success", "due"),
        (at("00:05:10"), "success", "due"),
    ]
    assert emu.tasks.told("t")["next"] == at("00:10:10")


async def test_an_interval_counts_from_when_it_was_switched_on() -> None:
    emu = timed(f=lambda _: {"result": 1})
    emu.tasks.add(task("t", every=30, enabled=False))
    await emu.advance(45)
    assert emu.engine.received == []
    emu.tasks.switch("t", on=True)
    await emu.advance(61)
    assert runs(emu) == [(at("00:01:15"), "success", "due"), (at("00:01:45"), "success", "due")]


async def test_the_call_has_hook_key_and_master_rights_and_no_session() -> None:
    emu = timed(f=lambda _: {"result": 1})
    emu.add("t", every=1)
    await emu.advance(1)
    headers = emu.engine.received[0].headers
    assert headers["X-LC-Key"] == f"{KEYS.master_key},master"
    assert headers["X-LC-Hook-Key"] == KEYS.hook_key
    assert "X-LC-Session" not in headers
    assert headers["X-LC-Prod"] == "1"


async def test_a_task_for_staging_says_so() -> None:
    emu = timed(f=lambda _: {"result": 1})
    emu.add("t", every=1, staging=True)
    await emu.advance(1)
    assert emu.engine.received[0].headers["X-LC-Prod"] == "0"


async def test_a_record_is_as_the_platform_keeps_it() -> None:
    emu = timed(f=lambda _: {"result": "fine"}, g=lambda _: refuse("no", 400))
    emu.add("good", every=60)
    emu.add("bad", every=60, function="g")
    await emu.advance(60)
    (good,), (bad,) = emu.tasks.records("good"), emu.tasks.records("bad")
    assert good == {
        "status": "success",
        "uniqueId": good["uniqueId"],
        "finishedAt": at("00:01:00"),
        "statusCode": 200,
        "result": {"result": "fine"},
        "dueAt": at("00:01:00"),
        "lateMs": 0,
        "why": "due",
        "trace": good["trace"],
    }
    assert (bad["status"], bad["statusCode"], bad["error"]) == ("failed", 400, "no")
    assert "retryAt" not in bad


async def test_records_go_five_minutes_after_their_run_and_the_last_run_stays_known() -> None:
    emu = timed(f=lambda _: {"result": 1})
    emu.add("t", cron="0 0 * * * ?")
    await emu.advance(3_600)
    await emu.advance(299)
    assert len(emu.tasks.records("t")) == 1
    await emu.advance(2)
    assert emu.tasks.records("t") == []
    assert emu.tasks.told("t")["last"]["finishedAt"] == at("01:00:00")  # type: ignore[index,call-overload]


async def test_no_more_records_than_anybody_reads() -> None:
    emu = timed(f=lambda _: {"result": 1})
    emu.add("t", every=1)
    await emu.advance(MOST_RECORDS + 50)
    assert len(emu.tasks.records("t")) == MOST_RECORDS
    assert emu.tasks.told("t")["runs"] == MOST_RECORDS + 50


async def test_a_lost_run_is_tried_again_after_a_minute_if_the_task_wants_that() -> None:
    answers: list[Any] = [gone, lambda _: {"result": 1}, lambda _: {"result": 1}]
    emu = timed(f=lambda sent: answers.pop(0)(sent))
    emu.add("t", every=600, on_error="retry")
    await emu.advance(600)
    assert emu.tasks.records("t")[0]["retryAt"] == at("00:11:00")
    assert emu.tasks.told("t")["next"] == at("00:11:00")
    await emu.advance(60)
    assert [why for _, _, why in runs(emu)] == ["due", "retry"]
    await emu.advance(540)
    assert runs(emu)[-1] == (at("00:20:00"), "success", "due")


async def test_a_lost_run_is_let_go_if_the_task_wants_that() -> None:
    emu = timed(f=gone)
    emu.add("t", every=600, on_error="cancel")
    await emu.advance(700)
    assert [why for _, _, why in runs(emu)] == ["due"]


async def test_a_retry_is_not_retried() -> None:
    emu = timed(f=gone)
    emu.add("t", every=600, on_error="retry")
    await emu.advance(800)
    assert [why for _, _, why in runs(emu)] == ["due", "retry"]


async def test_an_error_of_the_function_is_not_retried() -> None:
    emu = timed(f=lambda _: refuse("no"))
    emu.add("t", every=600, on_error="retry")
    await emu.advance(900)
    assert [why for _, _, why in runs(emu)] == ["due"]


async def test_a_function_that_takes_too_long_is_cut_with_the_platforms_text() -> None:
    emu = timed(f=late)
    emu.add("t", every=60)
    await emu.tasks.run_now("t")
    record = emu.tasks.records("t")[0]
    assert (record["status"], record["error"], record["why"]) == ("failed", LATE_TEXT, "by hand")


async def test_more_than_thirty_errors_in_a_day_switch_a_task_off() -> None:
    emu = timed(f=lambda _: refuse("no", 400))
    emu.add("t", every=60)
    await emu.advance(60 * ERRORS_ALLOWED)
    assert emu.tasks.told("t")["enabled"] is True
    await emu.advance(60)
    told = emu.tasks.told("t")
    assert (told["enabled"], told["next"], told["offBecause"]) == (False, None, OFF_TEXT)
    (mail,) = emu.inbox.messages("mail")
    assert OFF_TEXT in mail.text
    assert "'t'" in mail.title
    assert emu.said == [f"{mail.title}: {mail.text}"]
    assert emu.stored[-1][0].enabled is False
    await emu.advance(3_600)
    assert told["runs"] == emu.tasks.told("t")["runs"] == ERRORS_ALLOWED + 1


async def test_errors_of_more_than_a_day_ago_do_not_count() -> None:
    emu = timed(f=lambda _: refuse("no", 400))
    emu.add("t", every=3_000)  # 28.8 a day
    await emu.advance(5 * 86_400)
    assert emu.tasks.told("t")["enabled"] is True


async def test_only_answers_with_400_and_502_count() -> None:
    emu = timed(f=lambda _: refuse("no", 500))
    emu.add("t", every=60)
    await emu.advance(60 * 100)
    assert emu.tasks.told("t")["enabled"] is True


async def test_switched_on_again_it_starts_with_a_clean_record() -> None:
    emu = timed(f=lambda _: refuse("no", 400))
    emu.add("t", every=60)
    await emu.advance(60 * (ERRORS_ALLOWED + 1))
    emu.tasks.switch("t", on=True)
    assert emu.tasks.told("t")["offBecause"] is None
    await emu.advance(60 * ERRORS_ALLOWED)
    assert emu.tasks.told("t")["enabled"] is True


async def test_runs_of_one_task_never_overlap() -> None:
    free, inside, most = asyncio.Event(), 0, 0

    async def slow(_: Any) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await free.wait()
        inside -= 1
        return {"result": 1}

    emu = timed(f=slow)
    emu.add("t", every=1)
    first = emu.clock.now_ms() + 1_000
    (running,) = emu.tasks.start_due(first)
    await asyncio.sleep(0)
    for late in (1_000, 2_000, 3_000):
        assert emu.tasks.start_due(first + late) == []
    free.set()
    await asyncio.wait([running])
    told = emu.tasks.told("t")
    assert (most, told["runs"], told["waited"]) == (1, 2, 3)


async def test_a_missed_run_is_made_up_for_once_if_the_task_wants_that() -> None:
    emu = timed(f=lambda _: {"result": 1})
    emu.add("kept", every=60, on_error="retry")
    emu.add("gone", every=60, on_error="cancel")
    emu.hand.advance(3_600)  # the machine slept
    await asyncio.wait(emu.tasks.start_due(emu.clock.now_ms()))
    assert runs(emu, "kept") == [(at("00:01:00"), "success", "missed")]
    assert runs(emu, "gone") == [(at("00:01:00"), "failed", "missed")]
    assert emu.tasks.told("kept")["next"] == at("01:01:00")
    assert emu.tasks.told("gone")["next"] == at("01:01:00")


async def test_a_clock_that_is_set_back_plans_anew() -> None:
    emu = timed(f=lambda _: {"result": 1})
    emu.add("t", cron="0 0 * * * ?")
    await emu.advance(5 * 3_600)
    emu.clock.turn(emu.clock.now_ms() - 4 * 3_600_000)
    assert emu.tasks.due_ms() is not None
    assert emu.tasks.told("t")["next"] == at("02:00:00")


async def test_the_zone_of_the_task_goes_before_that_of_the_project() -> None:
    emu = timed(ZoneInfo("Asia/Shanghai"), f=lambda _: {"result": 1})
    emu.add("project", cron="0 0 9 * * ?")
    emu.add("own", cron="0 0 9 * * ?", zone="Europe/Berlin")
    assert emu.tasks.told("project")["next"] == at("01:00:00")
    assert emu.tasks.told("own")["next"] == at("08:00:00")


async def test_a_task_whose_function_is_gone_says_so() -> None:
    emu = timed(f=lambda _: {"result": 1})
    emu.add("t", every=60)
    assert emu.tasks.told("t")["missing"] is False
    del emu.engine.handlers["f"]
    assert emu.tasks.told("t")["missing"] is True


async def test_an_edited_task_keeps_its_records() -> None:
    emu = timed(f=lambda _: {"result": 1}, g=lambda _: {"result": 2})
    emu.add("t", every=60)
    await emu.advance(60)
    emu.tasks.edit("t", task("u", every=120, function="g"))
    await emu.advance(120)
    assert runs(emu, "u") == [
        (at("00:01:00"), "success", "due"),
        (at("00:03:00"), "success", "due"),
    ]
    with pytest.raises(ApiError):
        emu.tasks.told("t")


async def test_names_are_taken_once() -> None:
    emu = timed(f=lambda _: 1)
    emu.add("t", every=60)
    emu.add("u", every=60)
    with pytest.raises(ApiError) as added:
        emu.add("t", every=1)
    with pytest.raises(ApiError) as edited:
        emu.tasks.edit("u", task("t", every=1))
    assert (added.value.code, edited.value.code) == (137, 137)


async def test_a_removed_task_runs_no_more() -> None:
    emu = timed(f=lambda _: {"result": 1})
    emu.add("t", every=60)
    emu.tasks.remove("t")
    await emu.advance(600)
    assert emu.engine.received == []
    with pytest.raises(ApiError) as caught:
        emu.tasks.remove("t")
    assert caught.value.code == 101


@pytest.mark.timeout(60)
async def test_ten_thousand_tasks_of_a_day_run_once_each_in_order_and_without_drift() -> None:
    seen: list[tuple[int, Any]] = []
    emu = timed(f=lambda sent: seen.append((emu.clock.now_ms(), sent["n"])))
    start = emu.clock.now_ms()
    for n in range(10_000):
        second = n * 8_640 // 1_000  # spread over the day, some at the same second
        hour, minute, rest = second // 3_600, second // 60 % 60, second % 60
        emu.tasks.load([task(f"t{n}", cron=f"{rest} {minute} {hour} 2 1 ?", params={"n": n})])
    await emu.advance(2 * 86_400)
    assert [n for _, n in seen] == list(range(10_000))
    assert [ms for ms, _ in seen] == [
        start + 86_400_000 + n * 8_640 // 1_000 * 1_000 for n in range(10_000)
    ]
    assert all(emu.tasks.told(f"t{n}")["mostLateMs"] == 0 for n in range(10_000))


async def test_each_run_is_a_trace_that_tells_its_cause() -> None:
    emu = timed(f=lambda _: {"result": 1})
    emu.add("t", every=60)
    await emu.advance(60)
    (root,) = emu.log.traces()
    assert (root.kind, root.title, root.outcome) == ("task", "task t", "ok")
    assert root.detail["cause"] == "timer"
    assert root.detail["due"] == iso_text(emu.clock.now_ms())
    assert [child.kind for child in root.children] == ["function"]
    assert emu.tasks.records("t")[0]["trace"] == root.name


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"name": ""}, "wants a name"),
        ({"name": "a/b"}, "wants a name"),
        ({"function": None}, "function wants the name"),
        ({"cron": "0 * * * * ?"}, "either cron or every"),
        ({"every": None}, "either cron or every"),
        ({"every": 0}, "from 1 to"),
        ({"every": 1.5}, "from 1 to"),
        ({"every": True}, "from 1 to"),
        ({"every": None, "cron": "* * * * *"}, "5 fields"),
        ({"every": None, "cron": 5}, "cron wants a text"),
        ({"zone": "Mars"}, "no time zone 'Mars'"),
        ({"params": [1]}, "params want an object"),
        ({"on_error": "shrug"}, "'retry' or 'cancel'"),
        ({"enabled": "yes"}, "enabled is true or false"),
        ({"crom": "x"}, "'crom' is no member"),
    ],
)
def test_tasks_that_are_refused(members: dict[str, Any], why: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_task({"name": "t", "function": "f", "every": 60, **members}, origin="user")
    assert why in caught.value.message


def test_a_task_reads_what_it_tells() -> None:
    made = parse_task(
        {"name": "t", "function": "f", "cron": "0 0 8 ? * MON", "zone": "UTC", "params": {"a": 1},
         "on_error": "retry", "enabled": True, "staging": True},
        origin="user",
    )  # fmt: skip
    assert parse_task(made.to_json(), origin="user") == made
    every = parse_task({"name": "t", "function": "f", "every": 5}, origin="user")
    assert parse_task(every.to_json(), origin="user") == every
