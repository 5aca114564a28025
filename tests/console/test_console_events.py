"""The stream of notices."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.console_demo import Demo, demo


class Reader:
    """Events of one connection, in order."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def next(self, name: str) -> Any:
        """The next event of this name, within five seconds."""
        async with asyncio.timeout(5):
            while True:
                event, data = "", ""
                while (line := (await self._answer.content.readline()).decode()) != "\n":
                    assert line, "the stream ended"
                    key, _, value = line.rstrip("\n").partition(": ")
                    event, data = (value, data) if key == "event" else (event, value)
                if event == name:
                    return json.loads(data)

    async def ended(self) -> bool:
        async with asyncio.timeout(5):
            while await self._answer.content.readline():
                pass
        return True


@asynccontextmanager
async def listening(running: Demo) -> AsyncIterator[Reader]:
    async with aiohttp.ClientSession() as http, http.get(f"{running.url}/events") as answer:
        assert answer.content_type == "text/event-stream"
        yield Reader(answer)


async def test_state_comes_first_and_again_when_it_changes(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, listening(running) as reader:
        assert (await reader.next("state"))["state"] == "ready"
        running.runtime.break_down(str(tmp_path))
        broken = await reader.next("state")
        assert broken["state"] == "broken"
        assert broken["failure"] == "NameError: name 'cached' is not defined"


async def test_a_trace_is_told_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, listening(running) as reader:
        await reader.next("state")
        span = running.log.begin("request", "GET /1.1/date")
        (row,) = (await reader.next("traces"))["traces"]
        assert (row["id"], row["outcome"]) == (span.name, "running")
        running.log.end(span, "ok", 200)
        (row,) = (await reader.next("traces"))["traces"]
        assert (row["outcome"], row["status"]) == ("ok", 200)


async def test_a_flood_becomes_few_events_that_lose_no_trace(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, listening(running) as reader:
        await reader.next("state")
        for _ in range(150):
            running.story.average()
            await asyncio.sleep(0)
        seen: set[str] = set()
        events = 0
        while len(seen) < 150:
            told = await reader.next("traces")
            events += 1
            seen |= {row["id"] for row in told["traces"]}
        assert events <= 5


async def test_stopping_ends_open_streams(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        http = aiohttp.ClientSession()
        answer = await http.get(f"{running.url}/events")
        reader = Reader(answer)
        await reader.next("state")
    assert await reader.ended()
    await http.close()


async def test_a_reader_that_leaves_is_no_longer_served(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        async with listening(running) as reader:
            await reader.next("state")
        running.story.average()
        async with listening(running) as reader:
            assert (await reader.next("state"))["state"] == "ready"
