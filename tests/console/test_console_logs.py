"""The logs page: what the code printed, filtered, in pages, with links to its requests."""

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lean_emulator.console.log_view import PAGE, level_of
from lean_emulator.service.logbook import Line
from tests.support.console_demo import Demo, demo
from tests.support.console_samples import MASTER_KEY

AS_JSON = {"Accept": "application/json"}


async def text_of(running: Demo, path: str, **headers: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(running.url + path, headers=headers) as a:
        assert a.status == 200
        return await a.text()


async def told(running: Demo, path: str = "/logs") -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(await text_of(running, path, **AS_JSON))
    return answer


@pytest.mark.parametrize(
    ("stream", "text", "level"),
    [
        ("stdout", "hello", "info"),
        ("stderr", "hello", "error"),
        ("stderr", "INFO:werkzeug:started", "info"),
        ("stderr", "2026-11-20 12:00:00,000 WARNING shop.cart: late", "warning"),
        ("stdout", "[debug] cache", "debug"),
        ("stdout", "warn: old option", "warning"),
        ("stdout", "CRITICAL:root:out of memory", "error"),
        ("stdout", "there was no error at all", "info"),
        ("stdout", "INFORMATION", "info"),
        ("stdout", "x" * 80 + " ERROR", "info"),
    ],
)
def test_levels(stream: str, text: str, level: str) -> None:
    assert level_of(Line(0.0, 0, stream, text)) == level


@pytest.mark.parametrize(("language", "word"), [("en", "8 lines"), ("zh", "8 行")])
async def test_lines_lead_to_their_traces(language: str, word: str, tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        page = await text_of(running, "/logs", **{"Accept-Language": language})
        assert word in page
        links = re.findall(r'href="(/\?trace=t-[^"]+tab=prints)"', page)
        assert len(links) == 2
        for link in links:
            assert "cloud.py:" in await text_of(running, link.replace("&amp;", "&"))


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ("", 8),
        ("level=error", 3),
        ("level=warning", 1),
        ("level=debug&stream=stderr", 0),
        ("stream=stdout", 4),
        ("q=INDEX+answers", 1),
        ("q=cloud.py:21", 1),
        ("q=nothing+like+it", 0),
        ("trace=t-1", 0),
    ],
)
async def test_filters(query: str, lines: int, tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        body = await told(running, f"/logs?{query}")
        assert (len(body["lines"]), body["matching"], body["kept"]) == (lines, lines, 8)
        page = await text_of(running, f"/logs?{query}")
        assert page.count("data-number=") == lines
        assert ("No line matches" in page) is (lines == 0)


async def test_the_lines_of_one_trace(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        trace = next(line["trace"] for line in (await told(running))["lines"] if line["trace"])
        (line,) = (await told(running, f"/logs?trace={trace}"))["lines"]
        assert line["text"].startswith("averageStars:")


async def test_many_lines_come_in_pages(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        for n in range(1, 2101):
            running.logbook.add("stdout", f"line {n}")
        newest = await told(running)
        assert [line["text"] for line in newest["lines"]] == [
            f"line {n}" for n in range(2101 - PAGE, 2101)
        ]
        older = await told(running, f"/logs?before={newest['older']}")
        assert older["lines"][-1]["text"] == f"line {2100 - PAGE}"
        first = await told(running, "/logs?before=600")
        assert (first["lines"][0]["text"], first["older"]) == ("line 101", None)
        page = await text_of(running, "/logs?before=600")
        assert "Back to the newest" in page
        assert "The last 2000 lines are kept." in page


async def test_only_what_is_new_can_be_asked_for(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        seen = (await told(running))["newest"]
        running.logbook.add("stdout", "<b>new</b>")
        part = await text_of(running, f"/logs?after={seen}", **{"X-Lean-Emu-Part": "lines"})
        assert part.count("<li") == 1
        assert "&lt;b&gt;new" in part


async def test_keys_are_masked_once_more(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        running.logbook.add("stdout", f"key {MASTER_KEY}", where=MASTER_KEY)
        assert MASTER_KEY not in await text_of(running, "/logs")
        assert MASTER_KEY not in await text_of(running, "/logs", **AS_JSON)


async def test_a_trace_that_is_gone_is_no_link(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        running.logbook.add("stdout", "x", "t-ffff", "s-ffff")
        assert (await told(running))["lines"][0]["trace"] is None
        assert "t-ffff" not in await text_of(running, "/logs")


async def test_an_empty_log_says_how_to_fill_it(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        page = await text_of(running, "/logs")
        assert "lean-emu invoke hello" in page


async def test_an_open_stream_tells_of_new_lines(tmp_path: Path) -> None:
    async with (
        demo(tmp_path, filled=False) as running,
        aiohttp.ClientSession() as http,
        http.get(f"{running.url}/events") as stream,
    ):
        assert (await stream.content.readline()) == b"event: state\n"
        running.logbook.add("stdout", "x")
        lines = [await stream.content.readline() for _ in range(4)]
        assert b"event: logs\n" in lines
        assert b'data: {"newest":1}\n' in lines
