"""``/__emu/logs`` and ``/__emu/objects`` over real sockets."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.engine.output import OutputLine
from tests.support.api import KEYS, MASTER, Api, running_api


def prints(api: Api, *lines: str) -> None:
    for line in lines:
        api.clock.advance(1)
        api.emulator._tell_output(OutputLine("stdout", line))


async def logs(api: Api, **params: Any) -> tuple[list[str], str]:
    answer = await api("GET", "/__emu/logs", headers=MASTER, **params)
    assert answer.status == 200, answer.json
    told = answer.json["results"]
    return [each.get("text") or each["title"] for each in told], answer.json["cursor"]


async def test_lines_and_requests_come_in_the_order_of_time(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        assert await logs(api) == ([], "")
        prints(api, "one", "two")
        api.clock.advance(1)
        await api.create("Movie", title="Alien")
        prints(api, f"the key is {KEYS.master_key}")
        shown, cursor = await logs(api)
        assert shown[:3] == ["one", "two", "POST /1.1/classes/Movie"]
        assert shown[3].startswith("the key is ••••")
        assert KEYS.master_key not in shown[3]
        assert (await logs(api, limit="2"))[0] == shown[2:]
        assert await logs(api, after=cursor) == ([], cursor)
        prints(api, "later")
        assert (await logs(api, after=cursor))[0] == ["later"]
        assert (await logs(api, limit="0")) == ([], (await logs(api))[1])


async def test_whoever_waits_hears_at_once_and_is_let_go_at_the_end(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        waiting = asyncio.ensure_future(logs(api, wait="30"))
        await logs(api)
        prints(api, "now")
        assert (await waiting)[0] == ["now"]
        _, cursor = await logs(api)
        last = asyncio.ensure_future(logs(api, after=cursor, wait="30"))
        await logs(api)
        api.emulator.logbook.close()
        assert await last == ([], cursor)


@pytest.mark.parametrize("asked", ["wait=31", "wait=x", "limit=-1", "after=x", "after=nan"])
async def test_what_cannot_be_asked(tmp_path: Path, asked: str) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("GET", f"/__emu/logs?{asked}", headers=MASTER)
        assert (answer.status, answer.json["code"]) == (400, 1)
        assert asked.partition("=")[0] in answer.json["error"]
        assert (await api("GET", "/__emu/logs")).status == 400


async def test_the_oldest_lines_are_forgotten(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        prints(api, *map(str, range(2_003)), "x" * 9_000)
        shown, _ = await logs(api, limit="10000")
        assert (len(shown), shown[0], len(shown[-1])) == (2_000, "4", 8_192)


async def test_objects_are_counted(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api.create("Movie", title="Alien")
        answer = await api("GET", "/__emu/objects", headers=MASTER)
        assert (answer.json["classes"], answer.json["objects"]) == ({"Movie": 1}, 1)
        assert (await api("GET", "/__emu/objects")).status == 400
