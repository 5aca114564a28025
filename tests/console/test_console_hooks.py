"""The hooks page: what is registered, how it does, and what reloads changed."""

import json
import re
from pathlib import Path

import aiohttp
import pytest

from tests.support.console_demo import Demo, demo
from tests.support.console_samples import MASTER_KEY

AS_JSON = {"Accept": "application/json"}


async def text_of(running: Demo, path: str, **headers: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(running.url + path, headers=headers) as a:
        assert a.status == 200
        return await a.text()


async def test_error_rate_and_times_as_json(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        told = json.loads(await text_of(running, "/hooks", **AS_JSON))
        (hook,) = (row for row in told["hooks"] if row["name"] == "__before_save_for_Review")
        assert (hook["runs"], hook["rejected"], hook["failed"]) == (2, 1, 0)
        assert hook["errorRate"] == 0.5
        assert hook["where"] == "cloud.py:15"
        assert hook["medianMs"] <= hook["slowestMs"]
        (idle,) = (row for row in told["hooks"] if row["name"] == "__before_delete_for_Album")
        assert (idle["runs"], idle["errorRate"], idle["medianMs"]) == (0, None, None)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_runs_lead_to_their_traces(language: str, tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        page = await text_of(running, "/hooks", **{"Accept-Language": language})
        links = re.findall(r'href="(/\?q=[^"]+)"[^>]*>(\d+)</a>', page)
        assert len(links) == 5
        for link, runs in links:
            listed = json.loads(await text_of(running, link.replace("&amp;", "&"), **AS_JSON))
            assert 0 < listed["matching"] <= int(runs), link
        (before,) = (link for link, _ in links if "beforeSave" in link)
        listed = json.loads(await text_of(running, before, **AS_JSON))
        assert listed["matching"] == 2


async def test_a_hook_that_was_skipped_is_no_run(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        root = running.log.begin("request", "POST /1.1/classes/A")
        running.log.skip(
            "hook", "afterSave A", root, hook="afterSave", class_name="A", why="not_registered"
        )
        running.log.end(root)
        listed = json.loads(await text_of(running, "/?q=hook:afterSave", **AS_JSON))
        assert listed["matching"] == 0


async def test_reloads_tell_what_they_changed(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        told = json.loads(await text_of(running, "/hooks", **AS_JSON))["reloads"]
        assert [each["outcome"] for each in told] == ["ok", "failed", "ok"]
        good, bad, first = told
        assert good["added"] == [{"name": "greet", "where": "cloud.py:71"}]
        assert bad["error"] == "NameError: name 'cached' is not defined"
        assert bad["traceback"].startswith("Traceback")
        assert (first["added"], first["registered"]) == ([], 7)
        page = await text_of(running, "/hooks")
        assert f'href="/?trace={bad["trace"]}"' in page
        own = page.index("cloud.py:37")
        assert own < page.index("The whole traceback"), "the frames of the project come first"


async def test_no_key_gets_out_of_a_failed_reload(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        span = running.log.begin("reload", "cloud.py", reason=f"{MASTER_KEY} changed")
        text = f'Traceback (most recent call last):\n  File "cloud.py", line 1\nE: {MASTER_KEY}'
        span.detail["error"] = {"message": f"E: {MASTER_KEY}", "traceback": text}
        span.detail["added"] = [MASTER_KEY]
        running.log.end(span, "failed")
        for headers in ({}, AS_JSON):
            assert MASTER_KEY not in await text_of(running, "/hooks", **headers)


async def test_nothing_registered_shows_how(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        running.runtime.names = frozenset()
        page = await text_of(running, "/hooks")
        assert '@engine.before_save("Review")' in page
