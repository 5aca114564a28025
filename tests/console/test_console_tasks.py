"""The tasks page as a form without scripts and as JSON: tasks, queue, runs, the clock."""

import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.console_demo import Demo, demo
from tests.support.console_timers import enqueue, plan

AS_JSON = {"Accept": "application/json"}
HOUR = 3_600_000


async def text_of(running: Demo, path: str, **headers: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(running.url + path, headers=headers) as a:
        assert a.status in (200, 404)
        return await a.text()


async def json_of(running: Demo, path: str) -> Any:
    async with (
        aiohttp.ClientSession() as http,
        http.get(running.url + path, headers=AS_JSON) as answer,
    ):
        return await answer.json()


async def token_of(running: Demo) -> str:
    found = re.search(r'name="lean-emu-token" content="([^"]+)"', await text_of(running, "/tasks"))
    assert found is not None
    return found[1]


async def post(running: Demo, path: str, **fields: str) -> tuple[int, str, str]:
    """Status, final path and text."""
    data = {**fields, "token": await token_of(running)}
    async with (
        aiohttp.ClientSession() as http,
        http.post(running.url + path, data=data) as answer,
    ):
        return answer.status, answer.url.path_qs, await answer.text()


async def sent(running: Demo, path: str, **fields: Any) -> tuple[int, Any]:
    """Status and JSON, as a script gets them."""
    headers = {**AS_JSON, "X-Lean-Emu-Token": await token_of(running)}
    async with (
        aiohttp.ClientSession() as http,
        http.post(running.url + path, json=fields, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def test_tasks_with_words_next_run_and_what_is_wrong(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        text = await text_of(running, "/tasks")
        assert "<code>0 0 8 ? * MON</code>" in text
        assert "At 08:00, on Monday." in text
        assert "Every 1 h." in text
        assert "Clocks of Asia/Shanghai." in text
        assert "in a file" in text
        assert text.count("no such function") == 1, "cleanDrafts is not defined"
        assert text.count('aria-pressed="true"') == 3
        assert 'href="/tasks?task=Monday+greeting"' in text


async def test_the_same_in_chinese(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        await running.timers.tasks.run_now("Stars")
        text = await text_of(running, "/tasks", **{"Accept-Language": "zh-CN"})
        assert "每周一 08:00。" in text
        assert "每 1 小时。" in text
        assert "立即运行" in text
        assert "手动" in text


async def test_nothing_planned_says_how_to_begin(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        text = await text_of(running, "/tasks")
        assert "lean-emu tasks add nightly --function averageStars" in text
        assert "[[task]]" in text
        assert "/1.1/engine/cloud-queue/tasks" in text


async def test_running_one_now_leads_to_its_trace(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        status, where, text = await post(running, "/tasks/act", task="Stars", action="run")
        trace = running.log.traces()[0].name
        assert (status, where) == (200, f"/tasks?task=Stars&ran={trace}")
        assert "Stars ran in 3.0 ms" in text
        assert f'href="/?trace={trace}"' in text
        assert "1 in all, 0 failed" in text
        assert "by hand" in text
        assert "4.333" in text, "the record holds the result"


async def test_running_from_the_list_comes_back_to_it(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        _, where, text = await post(running, "/tasks/act", task="Report", action="run", back="list")
        assert where.startswith("/tasks?ran=t-")
        assert "1 failed" in text
        assert "mail address missing" in text


async def test_running_as_if_at_another_time(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        before = running.timers.clock.now_ms()
        await post(running, "/tasks/act", task="Report", action="run", at="2027-01-31T03:00:00")
        (root,) = [t for t in running.log.traces() if t.kind == "task"]
        assert root.detail["due"] == "2027-01-30T19:00:00.000Z", "by the task's own clocks"
        assert abs(running.timers.clock.now_ms() - before) < 1000
        status, _, text = await post(running, "/tasks/act", task="Report", action="run", at="soon")
        assert status == 422
        assert "soon is no time" in text


async def test_a_task_that_was_switched_off_says_why(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        for _ in range(31):
            await running.timers.tasks.run_now("Report")
        for path in ("/tasks", "/tasks?task=Report"):
            text = await text_of(running, path)
            assert "more than 30 times within 24 hours" in text
            assert "timerAction short-circuited" in text
        await post(running, "/tasks/act", task="Report", action="enable")
        assert "short-circuited" not in await text_of(running, "/tasks")


async def test_switching(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        await post(running, "/tasks/act", task="Stars", action="disable")
        assert running.timers.tasks.told("Stars")["enabled"] is False
        _, where, _ = await post(running, "/tasks/act", task="Stars", action="enable", back="list")
        assert running.timers.tasks.told("Stars")["enabled"] is True
        assert where == "/tasks"


async def test_deleting(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        assert "Delete Stars" in await text_of(running, "/tasks?task=Stars")
        assert "Delete Report" not in await text_of(running, "/tasks?task=Report"), "of the file"
        _, where, text = await post(running, "/tasks/act", task="Stars", action="delete")
        assert where == "/tasks"
        assert "task=Stars" not in text
        assert "There is no task Stars" in await text_of(running, "/tasks?task=Stars")


NEW = {
    "name": "nightly",
    "function": "greet",
    "kind": "cron",
    "cron": "0 0 3 * * ?",
    "zone": "Asia/Shanghai",
    "payload": "{name: 'mia'}",
    "on_error": "retry",
    "enabled": "on",
}


async def test_a_new_task(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        assert 'name="cron"' in await text_of(running, "/tasks?new=1")
        status, where, _ = await post(running, "/tasks/save", **NEW)
        assert (status, where) == (200, "/tasks?task=nightly")
        told = running.timers.tasks.told("nightly")
        assert told["cron"] == "0 0 3 * * ?"
        assert told["params"] == {"name": "mia"}
        assert (told["zone"], told["on_error"], told["enabled"]) == ("Asia/Shanghai", "retry", True)
        assert told["origin"] == "user"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "A name has 1 to 100 characters"),
        ({"name": "Stars"}, "There is a task &#39;Stars&#39; already."),
        ({"function": ""}, "Which function"),
        ({"cron": "0 0 25 * * ?"}, "25"),
        ({"zone": "Mars/Olympus"}, "There is no time zone &#39;Mars/Olympus&#39;."),
        ({"kind": "every", "every": "soon"}, "whole number of seconds"),
        ({"payload": "{name: }"}, 'data-state="error"'),
        ({"payload": "[1]"}, "Parameters are an object: {a: 1}."),
    ],
)
async def test_what_cannot_be_a_task(wrong: dict[str, str], said: str, tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        status, _, text = await post(running, "/tasks/save", **{**NEW, **wrong})
        assert status == 422
        assert said in text
        assert "nightly" in text or wrong.get("name") is not None, "what was typed stays"
        assert len(running.timers.tasks.all()) == 4


async def test_editing_keeps_what_is_known_of_the_runs(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        await running.timers.tasks.run_now("Stars")
        form = await text_of(running, "/tasks?task=Stars&edit=1")
        assert 'name="was" value="Stars"' in form
        assert "&#34;movie&#34;: &#34;Alien&#34;" in form
        fields = {"was": "Stars", "name": "Points", "function": "averageStars", "every": "60"}
        _, where, _ = await post(running, "/tasks/save", kind="every", **fields)
        assert where == "/tasks?task=Points"
        told = running.timers.tasks.told("Points")
        assert (told["every"], told["runs"], told["enabled"]) == (60, 1, False)


async def test_a_task_of_the_file_is_copied_and_not_edited(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        text = await text_of(running, "/tasks?task=Report&edit=1")
        assert "stands in a file of the repository" in text
        assert '<form class="form"' not in text
        copy = await text_of(running, "/tasks?new=1&from=Report")
        assert 'name="was" value=""' in copy
        assert 'value="0 0 3 L * ?"' in copy


async def test_an_expression_in_words_as_it_is_typed(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        said = await text_of(running, "/tasks/cron?cron=0+0+8+?+*+MON&zone=Asia/Shanghai")
        assert "At 08:00, on Monday." in said
        assert said.count("<li>") == 5
        assert "second minute hour" in await text_of(running, "/tasks/cron?cron=")
        told = await json_of(running, "/tasks/cron?cron=0+0+8+?+*+MON")
        assert told["words"]["zh"] == "每周一 08:00。"
        assert len(told["next"]) == 5
        assert "problem" in (await json_of(running, "/tasks/cron?cron=0+0+25+*+*+?"))
        _, _, text = await post(running, "/tasks/save", **{**NEW, "preview": "1"})
        assert "At 03:00, every day." in text
        assert running.timers.tasks.all() == [], "without scripts a button shows it"


async def test_the_queue(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await enqueue(running.timers, uniqueId="later", delay=60_000)
        await enqueue(running.timers, uniqueId="broken", function="monthlyReport", attempts=3)
        await running.timers.agenda.advance(10)
        text = await text_of(running, "/tasks")
        assert "2 waiting, 0 running" in text
        assert "Failed, retries" in text
        assert "1 of 3" in text
        assert "mail address missing" in text
        status, where, _ = await post(running, "/tasks/drop", id="later")
        assert (status, where) == (200, "/tasks")
        assert [t["uniqueId"] for t in running.timers.queue.all()] == ["broken"]
        status, _, text = await post(running, "/tasks/drop", id="later")
        assert status == 422
        assert "There is no task &#39;later&#39;" in text


async def test_letting_time_pass_runs_what_falls_due(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        _, where, text = await post(
            running, "/clock", action="advance", span="2h", back="/tasks?task=Stars"
        )
        assert where == "/tasks?task=Stars"
        assert "2 in all, 0 failed" in text
        assert "2 h ahead" in text, "the badge stands on every page"
        assert "2 h ahead" in await text_of(running, "/")
        assert "ahead of real time" in await text_of(running, "/tasks")
        await post(running, "/clock", action="resume")
        assert "ahead" not in await text_of(running, "/")


async def test_setting_and_stopping_the_clock(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        _, _, text = await post(running, "/clock", action="set", to="2027-02-01T08:00:00")
        assert "Virtual clock: <b class=num>Mon 1 Feb 2027 08:00:00</b>" in text
        await post(running, "/clock", action="freeze")
        assert "Clock stopped" in await text_of(running, "/hooks")
        _, _, text = await post(running, "/clock", action="set", to="2020-01-01T00:00:00")
        assert "behind real time" in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"action": "advance", "span": "a while"}, "a while is no span of time"),
        ({"action": "advance", "span": "99999d"}, "99999d is no span of time"),
        ({"action": "set", "to": "then"}, "then is no time"),
        ({"action": "wind"}, "not wind"),
    ],
)
async def test_what_a_clock_cannot_do(fields: dict[str, str], said: str, tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        status, body = await sent(running, "/clock", **fields)
        assert status == 422
        assert said in body["problem"]["message"]
        status, _, text = await post(running, "/clock", **fields)
        assert status == 422
        assert 'name="back" value="/clock"' not in text
        if fields["action"] != "wind":
            assert said in text


async def test_as_json(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        await enqueue(running.timers, uniqueId="later", delay=60_000)
        body = await json_of(running, "/tasks")
        assert [t["name"] for t in body["tasks"]] == [
            "Clean drafts",
            "Monday greeting",
            "Report",
            "Stars",
        ]
        assert body["queue"][0]["uniqueId"] == "later"
        assert body["clock"]["frozen"] is False
        status, record = await sent(running, "/tasks/act", task="Stars", action="run")
        assert (status, record["status"]) == (200, "success")
        one = await json_of(running, "/tasks?task=Stars")
        assert one["task"]["runs"] == 1
        assert one["records"] == [record]
        assert "error" in await json_of(running, "/tasks?task=x")
        assert (await sent(running, "/tasks/act", task="x", action="run"))[0] == 404
        status, made = await sent(running, "/tasks/save", **NEW)
        assert (status, made["name"]) == (201, "nightly")


async def test_posts_want_the_token(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        plan(running.timers)
        for path in ("/tasks/act", "/tasks/save", "/tasks/drop", "/clock"):
            async with http.post(running.url + path, data={"action": "freeze"}) as answer:
                assert answer.status == 403
        assert running.timers.clock.frozen is False


async def test_traces_by_task_and_by_cause(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        await enqueue(running.timers)
        await running.timers.tasks.run_now("Stars")
        await running.timers.agenda.advance(HOUR)
        for query, rows in (("kind=task", 3), ("task=Stars", 2), ("cause=queue", 1)):
            text = await text_of(running, f"/?{query}")
            assert text.count('<a class="row"') == rows, query


async def test_a_trace_leads_back_to_its_task(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        await running.timers.tasks.run_now("Monday greeting")
        trace = running.log.traces()[0].name
        text = await text_of(running, f"/?trace={trace}")
        assert '<a href="/tasks?task=Monday%20greeting">Monday greeting</a> by hand' in text
        told = await json_of(running, "/?kind=task")
        (row,) = told["traces"]
        assert (row["cause"], row["task"], row["why"]) == ("timer", "Monday greeting", "by hand")


async def test_names_are_text(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await sent(running, "/tasks/save", **{**NEW, "name": "<b>&'x"})
        text = await text_of(running, "/tasks")
        assert "<b>&" not in text
        assert "&lt;b&gt;&amp;&#39;x" in text
        assert "lean-emu tasks show &#39;&lt;b&gt;&amp;&#39;\\&#39;&#39;x&#39;" in await text_of(
            running, "/tasks?task=%3Cb%3E%26'x"
        )
