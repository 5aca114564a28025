"""Run, as a form without scripts and as scripts use it."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.console_demo import Demo, demo


async def token_of(url: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        found = re.search(r'name="lean-emu-token" content="([^"]+)"', await answer.text())
        assert found is not None
        return found[1]


async def send(running: Demo, fields: dict[str, str], **headers: str) -> tuple[int, str, str]:
    """Status, final path and text."""
    data = {**fields, "token": await token_of(running.url)}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{running.url}/run", data=data, headers=headers) as answer,
    ):
        return answer.status, answer.url.path_qs, await answer.text()


async def test_a_plain_form_leads_to_its_result(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        fields = {"tab": "function", "name": "averageStars", "payload": "{movie: 'A Quiet Place'}"}
        status, where, text = await send(running, fields)
        assert (status, where) == (200, "/run?history=1")
        assert "200 OK" in text
        assert "4.333333333333333" in text
        assert "averageStars: 3 reviews of A Quiet Place" in text, "what it printed"
        trace = running.log.traces()[0].name
        assert f'href="/?trace={trace}"' in text
        assert "{movie: &#39;A Quiet Place&#39;}</textarea>" in text, "the form as it was sent"


async def test_a_rejecting_hook_shows_error_and_source(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        fields = {"tab": "hook", "hook": "Review/beforeSave", "payload": "{stars: 2}"}
        _, _, text = await send(running, fields)
        assert "400 Rejected" in text
        assert "No comment provided!" in text
        assert "raise LeanEngineError" in text


async def test_wrong_json5_comes_back_with_its_place_and_sends_nothing(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        fields = {"tab": "function", "name": "averageStars", "payload": "{\n  a: 1 b: 2\n}"}
        status, where, text = await send(running, fields)
        assert (status, where) == (422, "/run")
        assert "Line 2, column 8" in text
        assert 'aria-invalid="true"' in text
        assert "a: 1 b: 2" in text
        assert running.workbench.sent == []


async def test_scripts_get_the_reason_as_json(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        fields = {"tab": "function", "name": "averageStars", "payload": "{a: 1 b: 2}"}
        headers = {"X-Lean-Emu-Part": "result", "Accept-Language": "zh"}
        status, _, text = await send(running, fields, **headers)
        assert status == 422
        problem = json.loads(text)["problem"]
        assert (problem["field"], problem["line"], problem["column"]) == ("payload", 1, 7)
        assert problem["message"] == "第 1 行第 7 列：“b” 之前缺少逗号或右括号。"


async def test_a_json_client_runs_and_reads_json(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        headers = {"X-Lean-Emu-Token": await token_of(running.url), "Accept": "application/json"}
        body: dict[str, Any] = {"name": "averageStars", "payload": {"movie": "x"}, "rpc": True}
        async with aiohttp.ClientSession(headers=headers) as http:
            async with http.post(f"{running.url}/run", json=body) as answer:
                assert answer.status == 200
                said = await answer.json()
            async with http.post(f"{running.url}/run", json=[1]) as answer:
                assert answer.status == 400
            async with http.get(f"{running.url}/run") as answer:
                history = (await answer.json())["history"]
        assert said["body"] == {"result": 4.333333333333333}
        assert running.workbench.sent[0][1]["params"] == {"movie": "x"}
        assert running.workbench.sent[0][1]["rpc"] is True
        assert history == [said]


async def test_an_unknown_user_is_said_at_the_field(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        fields = {"name": "averageStars", "as": "user", "who": "ghost"}
        status, _, text = await send(running, fields)
        assert status == 422
        assert re.search(r'data-problem="who"[^>]*>.*There is no user', text)


async def test_history_brings_the_form_back(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        await send(running, {"name": "monthlyReport", "payload": "{year: 2026}", "as": "master"})
        await send(running, {"name": "averageStars", "payload": "{movie: 'x'}"})
        async with http.get(f"{running.url}/run?history=1") as answer:
            text = await answer.text()
        assert "<option selected>monthlyReport</option>" in text
        assert "{year: 2026}</textarea>" in text
        assert re.search(r'value="master" checked', text)
        assert "503 Timed out" in text
        assert text.count("data-history") == 2


IM_AND_LOGIN = frozenset({"__on_login__User", "_messageReceived", "_conversationStart", "greet"})


async def test_hooks_that_belong_to_no_write_have_their_own_form(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        running.runtime.names = IM_AND_LOGIN
        async with http.get(f"{running.url}/run?tab=event&hook=/_messageReceived") as answer:
            text = await answer.text()
        assert '<option value="_User/onLogin" data-sample="">onLogin _User</option>' in text
        assert re.search(r'<option value="/_messageReceived" data-sample="{[^"]+" selected>', text)
        assert "&#34;fromPeer&#34;: &#34;Tom&#34;" in text.split("<textarea")[1]
        async with http.get(f"{running.url}/run?tab=event") as answer:
            first = await answer.text()
        assert re.search(r"<textarea[^>]*></textarea>", first), "the user that is chosen"
        async with http.get(f"{running.url}/run?tab=function") as answer:
            assert "_messageReceived" not in await answer.text()
        async with http.get(f"{running.url}/hooks") as answer:
            assert 'href="/run?tab=event&amp;hook=_User/onLogin"' in (await answer.text()).replace(
                "%2F", "/"
            )
        accept = {"Accept": "application/json"}
        async with http.get(f"{running.url}/run", headers=accept) as answer:
            events = (await answer.json())["events"]
        assert events == ["_User/onLogin", "/_conversationStart", "/_messageReceived"]


async def test_what_the_platform_makes_of_an_answer_is_said(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        running.runtime.names = IM_AND_LOGIN
        fields = {"tab": "event", "hook": "_User/onLogin", "as": "user", "who": "mia"}
        status, _, text = await send(running, fields)
        assert status == 200
        assert running.workbench.sent[0][1]["user"] == "mia"
        assert '<p class="hint">The user is logged in.</p>' in text
        assert re.search(r'<p class="warning">.*&#39;x&#39; means nothing.', text)
        _, _, chinese = await send(running, fields, **{"Accept-Language": "zh"})
        assert "用户登录成功。" in chinese


async def test_nothing_registered_shows_how_to_begin(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        running.runtime.names = frozenset()
        async with http.get(f"{running.url}/run") as answer:
            assert "@engine.define" in await answer.text()
        async with http.get(f"{running.url}/run?tab=hook") as answer:
            assert "@engine.before_save" in await answer.text()
        async with http.get(f"{running.url}/run?tab=event") as answer:
            assert "@engine.on_login" in await answer.text()


async def test_a_slow_call_does_not_hold_the_console(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        running.workbench.hold = asyncio.Event()
        token = await token_of(running.url)
        form = {"name": "averageStars", "token": token}
        slow = asyncio.create_task(http.post(f"{running.url}/run", data=form))
        async with http.get(running.url) as answer:
            assert answer.status == 200
        assert not slow.done()
        running.workbench.hold.set()
        answer = await slow
        answer.close()
        assert answer.status == 200
