"""Code that goes on after its call is over, and more after hooks than can run at once."""

import asyncio
from pathlib import Path
from typing import Any

from lean_emulator.base.trace_view import walk
from lean_emulator.service.hooks import AT_ONCE
from tests.support.api import running_api
from tests.support.code_client import Ask, CodeClient
from tests.support.fake_engine import FakeEngine


async def test_saves_that_nobody_awaits_are_a_loop_too(tmp_path: Path) -> None:
    later: list[Ask] = []

    async def saves_when_it_is_over(given: dict[str, Any], ask: Ask) -> Any:
        later.append(ask)
        return {"result": "ok"}

    client = CodeClient()
    engine = FakeEngine({"Post.afterSave": client.handler(saves_when_it_is_over)})
    async with running_api(engine, project=tmp_path, hook_depth=4) as api:
        client.api = api
        await api("POST", "/1.1/classes/Post", {})
        await api.settle()
        while later:
            assert (await later.pop()("POST", "/1.1/classes/Post", {})).status == 201
            await api.settle()
        assert engine.fired() == ["Post.afterSave"] * 4
        cycles = [
            span.detail["cycle"]
            for root in api.emulator.log.traces()
            for span in walk(root)
            if span.outcome == "loop"
        ]
        assert cycles == [["afterSave Post"]]


async def test_what_is_late_has_time_of_its_own(tmp_path: Path) -> None:
    asks: list[Ask] = []

    async def keeps(given: dict[str, Any], ask: Ask) -> Any:
        asks.append(ask)
        return {"result": None}

    client = CodeClient()
    engine = FakeEngine({"f": client.handler(keeps)})
    async with running_api(engine, project=tmp_path) as api:
        client.api = api
        await api("POST", "/1.1/functions/f")
        api.clock.advance(3600)
        assert (await asks[0]("POST", "/1.1/classes/Post", {})).status == 201


async def test_only_so_many_after_hooks_run_at_once_and_all_do(tmp_path: Path) -> None:
    gate, inside, most = asyncio.Event(), 0, 0

    async def waits(_: dict[str, Any]) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await gate.wait()
        inside -= 1
        return {"result": "ok"}

    async with running_api(FakeEngine({"Post.afterSave": waits}), project=tmp_path) as api:
        count = AT_ONCE + 10
        for _ in range(count):
            assert (await api("POST", "/1.1/classes/Post", {})).status == 201
        assert api.emulator.hooks.running == count
        assert inside == AT_ONCE
        gate.set()
        await api.settle()
        assert (most, len(api.engine.received)) == (AT_ONCE, count)


async def test_stopping_gives_up_on_those_that_wait(tmp_path: Path) -> None:
    async def never(_: dict[str, Any]) -> Any:
        await asyncio.Event().wait()

    async with running_api(FakeEngine({"Post.afterSave": never}), project=tmp_path) as api:
        for _ in range(AT_ONCE + 2):
            await api("POST", "/1.1/classes/Post", {})
    assert api.emulator.hooks.running == 0
