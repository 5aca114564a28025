"""The pages over sockets: what they show, what they answer as JSON."""

import json
import re
import time
from pathlib import Path

import aiohttp
import pytest

from tests.support.console_demo import Demo, demo
from tests.support.console_samples import MASTER_KEY

AS_JSON = {"Accept": "application/json"}
PAGES = [
    "/",
    "/?trace=t-1",
    "/run",
    "/run?tab=hook",
    "/hooks",
    "/inbox",
    "/logs",
    "/settings",
    "/keys",
    "/nowhere",
]


async def text_of(url: str, **headers: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        return await answer.text()


def trace_named(running: Demo, outcome: str) -> str:
    return next(root.name for root in running.log.traces() if root.outcome == outcome)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_every_page_is_served_in_both_languages(tmp_path: Path, language: str) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        for path in PAGES:
            async with http.get(
                running.url + path, headers={"Accept-Language": language}
            ) as answer:
                text = await answer.text()
                assert answer.status == (404 if path == "/nowhere" else 200), path
                assert f'<html lang="{language}"' in text
                assert answer.headers["Content-Language"] == language


async def test_every_link_leads_somewhere(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        seen: set[str] = set()
        waiting = ["/", "/hooks", "/run"]
        while waiting:
            path = waiting.pop()
            async with http.get(running.url + path) as answer:
                assert answer.status == 200, path
                text = await answer.text()
            if len(seen) > 150:
                continue
            for link in re.findall(r'(?:href|src)="(/[^"#]*)', text):
                link = link.replace("&amp;", "&")
                if link not in seen:
                    seen.add(link)
                    waiting.append(link)
        assert len(seen) > 50


async def test_the_review_chain_can_be_read(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        text = await text_of(f"{running.url}/")
    assert "POST /1.1/classes/Review" in text
    assert "201 Created" in text
    assert "3 hooks ran, 2 did not" in text
    assert "<del>" in text
    assert "208 characters" in text
    assert "switched off by the SDK" in text


async def test_a_rejection_shows_the_line_that_raised(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        text = await text_of(f"{running.url}/?trace={trace_named(running, 'rejected')}")
    assert "No comment provided!" in text
    assert re.search(r'data-line="18" data-here>\s+raise LeanEngineError', text)
    assert "before_review_save" in text


async def test_why_is_said_in_the_language_of_the_reader(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        url = f"{running.url}/?trace={trace_named(running, 'timeout')}"
        assert "beforeSave had 1.9 s, not 10 s" in await text_of(url)
        assert "beforeSave 只有 1.9 s" in await text_of(url, **{"Accept-Language": "zh"})


async def test_steps_and_tabs_are_in_the_address(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        root = next(r for r in running.log.traces() if r.title == "POST /1.1/classes/Review")
        url = f"{running.url}/?trace={root.name}&step={root.name.replace('t-', 's-')}"
        prints = await text_of(f"{running.url}/?trace={root.name}&tab=prints")
        assert "cut a comment of 203 characters" in prints
        body = await text_of(f"{running.url}/?trace={root.name}&step={root.name}&tab=input")
        assert "X-LC-Key" in body
        assert "app-key-of-the-demo" not in body
        assert "••••demo" in body
        assert 'aria-current="true"' in await text_of(url)


async def test_each_page_answers_as_json_under_its_path(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        listed = json.loads(await text_of(running.url, **AS_JSON))
        assert [row["id"] for row in listed["traces"]] == [r.name for r in running.log.traces()]
        one = json.loads(
            await text_of(f"{running.url}/?trace={listed['traces'][0]['id']}", **AS_JSON)
        )
        assert one["trace"]["children"][0]["hook"] == "beforeSave"
        hooks = json.loads(await text_of(f"{running.url}/hooks", **AS_JSON))
        assert {"name": "averageStars", "runs": 1, "where": "cloud.py:8"}.items() <= next(
            row for row in hooks["hooks"] if row["label"] == "averageStars"
        ).items()
        run = json.loads(await text_of(f"{running.url}/run", **AS_JSON))
        assert "Review/beforeSave" in run["hooks"]
        assert "error" in json.loads(await text_of(f"{running.url}/nowhere", **AS_JSON))


async def test_a_trace_that_is_gone_says_so(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        assert "t-fff is no longer kept" in await text_of(f"{running.url}/?trace=t-fff")
        async with http.get(f"{running.url}/?trace=t-fff", headers=AS_JSON) as answer:
            assert answer.status == 404


async def test_filters_without_hits_name_the_way_out(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        text = await text_of(f"{running.url}/?q=unheard-of")
    assert "None of the 8 traces" in text
    assert "Clear the filter" in text


async def test_the_empty_console_shows_the_commands(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        text = await text_of(running.url)
    assert "curl -X POST http://127.0.0.1:3000/1.1/classes/Review" in text
    assert "$LEANCLOUD_APP_KEY" in text
    assert "lean-emu invoke averageStars" in text
    assert "export LEANCLOUD_API_SERVER=http://127.0.0.1:3000" in text


async def test_broken_code_is_told_everywhere_and_explained_on_hooks(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        running.runtime.break_down(str(tmp_path))
        for path in ("/", "/run", "/keys"):
            text = await text_of(running.url + path)
            assert "NameError: name &#39;cached&#39; is not defined" in text
            assert 'href="/hooks"' in text
        hooks = await text_of(f"{running.url}/hooks")
        assert re.search(r"data-here>averageStars = cached\(averageStars\)", hooks)
        assert "Answers with this error" in hooks
        running.runtime.heal()
        assert "Hooks and functions" in await text_of(f"{running.url}/hooks")


async def test_markup_in_names_and_data_stays_text(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    async with demo(tmp_path, filled=False) as running:
        log = running.log
        root = log.begin(
            "request",
            evil,
            method="POST",
            path=f"/1.1/classes/{evil}",
            class_name=evil,
            user={"username": evil},
            identity="user",
            body={evil: evil},
            response=evil,
        )
        hook = log.begin(
            "hook",
            evil,
            root,
            hook=evil,
            class_name=evil,
            where=evil,
            before={evil: "a" + evil},
            after={evil: "b" + evil},
            error={"message": evil, "traceback": f'  File "{evil}", line 1\n{evil}'},
            why={"en": evil},
            cycle=[evil],
            reason=evil,
            note=evil,
        )
        log.printed(hook, "stdout", evil, evil)
        log.end(hook, "rejected")
        log.end(root, "rejected", 400)
        running.runtime.names = frozenset({evil, f"__before_save_for_{evil}"})
        for tab in ("why", "error", "changes", "input", "prints", "identity"):
            assert evil not in await text_of(f"{running.url}/?trace={root.name}&tab={tab}")
        for path in ("/hooks", "/run", "/run?tab=hook", f"/?q={evil}", f"/?trace={evil}"):
            text = await text_of(running.url + path)
            assert "<img" not in text, path


async def test_no_key_gets_out(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        root = running.log.begin(
            "request",
            f"GET /?k={MASTER_KEY}",
            path=f"/1.1/x?k={MASTER_KEY}",
            method="GET",
            body={"a": MASTER_KEY, MASTER_KEY: 1},
            note=MASTER_KEY,
            headers={"X-LC-Key": f"{MASTER_KEY},master", "X-Other": MASTER_KEY},
            error={"message": MASTER_KEY, "traceback": MASTER_KEY},
        )
        running.log.printed(root, "stdout", MASTER_KEY)
        running.log.end(root, "failed", 500)
        for accept in ("text/html", "application/json"):
            for path in (
                "/",
                "/hooks",
                "/run",
                *(f"/?trace={root.name}&tab={t}" for t in ("error", "input", "prints")),
            ):
                assert MASTER_KEY not in await text_of(running.url + path, Accept=accept), path


async def test_theme_and_language_are_kept(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            async with http.get(running.url) as answer:
                token = re.findall(r'name="token" value="([^"]+)"', await answer.text())[0]
            form = {"token": token, "back": "/hooks", "theme": "dark"}
            async with http.post(f"{running.url}/preferences", data=form) as answer:
                assert answer.url.path == "/hooks"
                assert 'data-theme="dark"' in await answer.text()
            form = {"token": token, "back": "//evil.example/", "language": "zh"}
            async with http.post(f"{running.url}/preferences", data=form) as answer:
                assert str(answer.url) == f"{running.url}/"
                assert '<html lang="zh-CN"' in await answer.text()


async def test_two_thousand_traces_do_not_slow_the_first_paint(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        for _ in range(2_000):
            running.story.average()
        assert len(running.log) == 2_000
        await text_of(running.url)
        began = time.perf_counter()
        text = await text_of(running.url)
        took = time.perf_counter() - began
    assert text.count('class="row"') == 100
    assert "Older traces" in text
    assert took < 0.5, "a generous bound: it takes about a tenth of it"


async def test_a_trace_of_thousands_of_steps_is_read_in_windows(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        root = running.story.wide(4_000)
        began = time.perf_counter()
        text = await text_of(f"{running.url}/?trace={root.name}")
        assert time.perf_counter() - began < 1.0
        assert text.count('class="step"') == 300
        assert "3702 more steps" in text
        step = root.children[0].children[3_999].name
        assert step in await text_of(f"{running.url}/?trace={root.name}&step={step}")
