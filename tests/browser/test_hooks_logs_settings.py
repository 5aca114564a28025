"""Hooks, logs and settings as a person uses them."""

from pathlib import Path
from typing import Any

import pytest

from lean_emulator.storage.contract import Insert
from tests.browser.chromium import needs_chromium, page_on
from tests.support.api import KEYS
from tests.support.console_demo import demo

LIVE = "html[data-live]"
STAMP = "2026-11-20T00:00:00.000Z"

pytestmark = [needs_chromium, pytest.mark.timeout(60)]


def review(object_id: str, **fields: Any) -> list[Any]:
    document = {"objectId": object_id, "createdAt": STAMP, "updatedAt": STAMP, **fields}
    return [Insert("Review", document)]


async def test_a_hook_leads_to_its_runs_and_to_the_traces_of_it(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/hooks") as page:
        row = page.locator("tr", has_text="beforeSave Review")
        assert "50 %" in await row.inner_text()
        await row.locator("a", has_text="2").first.click()
        await page.wait_for_function("() => document.querySelectorAll('.row').length === 2")
        await page.go_back()
        await page.locator("tr", has_text="beforeSave Review").locator("[data-run]").click()
        await page.wait_for_selector("#run-drawer[open] .run")
        assert await page.input_value("#run-drawer [name=hook]") == "Review/beforeSave"


async def test_a_reload_that_failed_shows_the_line_of_the_project_first(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/hooks") as page:
        await page.click(".reloads summary")
        await page.wait_for_selector(".reloads .frame:visible")
        assert "cloud.py:37" in await page.inner_text(".reloads .frame >> nth=0")


async def test_the_hooks_page_follows_the_code(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/hooks") as page:
        await page.wait_for_selector(LIVE)
        running.runtime.break_down(str(tmp_path))
        await page.wait_for_selector(".broken-hero")
        running.runtime.heal()
        running.story.good_load()
        await page.wait_for_selector(".reloads")


@pytest.mark.parametrize(("locale", "error"), [("en-GB", "error"), ("zh-CN", "错误")])
async def test_the_log_is_followed_and_filtered(locale: str, error: str, tmp_path: Path) -> None:
    async with (
        demo(tmp_path) as running,
        page_on(f"{running.url}/logs", locale=locale) as page,
    ):
        await page.wait_for_selector(LIVE)
        running.logbook.add("stdout", "a line that has just come")
        await page.wait_for_selector(".log li:last-child:has-text('just come')")
        await page.click(".log-head summary >> nth=0")
        await page.click(f".menu-item:has-text('{error}')")
        await page.wait_for_function("() => document.querySelectorAll('.log li').length === 3")
        running.logbook.add("stdout", "not an error")
        running.logbook.add("stderr", "one more")
        await page.wait_for_selector(".log li:last-child:has-text('one more')")
        assert await page.locator(".log li").count() == 4
        await page.click(".chip-x")
        await page.wait_for_function("() => document.querySelectorAll('.log li').length === 11")
        await page.keyboard.press("/")
        await page.keyboard.type("3 reviews of")
        await page.wait_for_function("() => document.querySelectorAll('.log li').length === 1")
        assert await page.input_value("[name=q]") == "3 reviews of"
        await page.click(".log li a")
        await page.wait_for_selector(".inspector .output:has-text('3 reviews of')")


async def test_the_log_stands_still_when_nobody_follows(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/logs") as page:
        await page.wait_for_selector(LIVE)
        await page.click("#log-follow")
        await page.wait_for_selector("#log-follow[aria-pressed=false]")
        async with page.expect_response("**/logs*") as answered:
            running.logbook.add("stdout", "later")
            await page.click("#log-follow")
        assert (await answered.value).ok
        await page.wait_for_selector(".log li:last-child:has-text('later')")


async def test_a_long_log_shows_its_end_until_the_reader_leaves_it(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        for n in range(300):
            running.logbook.add("stdout", f"line {n}")
        async with page_on(f"{running.url}/logs") as page:
            await page.wait_for_selector(LIVE)
            main = "document.getElementById('main')"
            end = f"() => {main}.scrollHeight - {main}.scrollTop - {main}.clientHeight < 80"
            await page.wait_for_function(end)
            running.logbook.add("stdout", "the end")
            await page.wait_for_selector(".log li:last-child:has-text('the end')")
            await page.wait_for_function(end)
            await page.evaluate(f"{main}.scrollTop = 0")
            running.logbook.add("stdout", "after the end")
            await page.wait_for_selector(".log li:last-child:has-text('after the end')")
            assert await page.evaluate(f"{main}.scrollTop") == 0


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_objects_are_kept_compared_and_brought_back(locale: str, tmp_path: Path) -> None:
    async with (
        demo(tmp_path) as running,
        page_on(f"{running.url}/settings", locale=locale) as page,
    ):
        await running.emulator.storage.commit(review("a1"))
        await page.fill("#snapshot-name", "one")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".notice[data-outcome=ok]:has-text('one')")
        await running.emulator.storage.commit(review("a2", stars=3))
        await page.click(".setup-stack a.last")
        await page.wait_for_selector(".diff [data-change=added]:has-text('a2')")
        await page.click(".setup-stack summary >> nth=0")
        await page.click(".setup-stack .menu [data-kind=primary]:visible")
        await page.wait_for_selector("tr:has-text('before-one')")
        assert running.emulator.snapshots.now()["objects"] == 1


async def test_a_name_that_cannot_be_one_keeps_the_reader_in_the_field(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/settings") as page:
        await page.fill("#snapshot-name", "no way")
        await page.click("#snapshot-save")
        await page.wait_for_selector(".notice[data-outcome=failed]:has-text('no way')")
        assert await page.input_value("#snapshot-name") == "no way"
        assert await page.evaluate("document.activeElement.id") == "snapshot-name"


async def test_a_key_is_shown_when_somebody_confirms(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/settings") as page:
        assert KEYS.master_key not in await page.content()
        row = page.locator("tr", has_text="master_key")
        await row.locator("summary").click()
        await page.click(".menu:visible [data-kind=primary]")
        await page.wait_for_selector(f"#revealed:has-text('{KEYS.master_key}')")
        assert KEYS.app_key not in await page.content()
        await page.reload()
        await page.wait_for_selector("tr:has-text('master_key')")
        assert KEYS.master_key not in await page.content()


async def test_everything_is_forgotten_when_somebody_confirms(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/settings") as page:
        await running.emulator.storage.commit(review("a1"))
        await page.reload()
        await page.click("[data-menu=reset] summary")
        assert "1 object," in await page.inner_text("[data-menu=reset] .menu")
        await page.keyboard.press("Escape")
        assert not await page.is_visible("#reset")
        await page.click("[data-menu=reset] summary")
        await page.click("#reset")
        await page.wait_for_selector(".notice[data-outcome=ok]")
        assert running.emulator.snapshots.now()["objects"] == 0


async def test_without_scripts(tmp_path: Path) -> None:
    async with (
        demo(tmp_path) as running,
        page_on(f"{running.url}/settings", java_script_enabled=False) as page,
    ):
        await page.fill("#snapshot-name", "one")
        await page.click("#snapshot-save")
        assert await page.is_visible("tr:has-text('one')")
        row = page.locator("tr", has_text="app_key")
        await row.locator("summary").click()
        await row.locator(".menu button").click()
        assert await page.inner_text("#revealed") == KEYS.app_key
        await page.goto(f"{running.url}/logs?level=error")
        assert await page.locator(".log li").count() == 3
        await page.fill("[name=q]", "TimeoutError")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**q=TimeoutError**")
        assert await page.locator(".log li").count() == 1


@pytest.mark.parametrize("path", ["/hooks", "/logs", "/settings", "/settings?diff=empty"])
async def test_a_phone_is_wide_enough(path: str, tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await running.emulator.snapshots.save("empty")
        async with page_on(running.url + path, width=360, height=740) as page:
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360
            for summary in await page.locator(".main summary:visible").all():
                await summary.click()
                assert await page.evaluate("document.documentElement.scrollWidth") <= 360
                for menu in await page.locator(".menu:visible").all():
                    box = await menu.bounding_box()
                    assert box["x"] >= 0
                    assert box["x"] + box["width"] <= 360
                await summary.click()
