"""The tasks page as a person uses it: Chromium, real forms, real time that is turned."""

from pathlib import Path

import pytest

from tests.browser.chromium import needs_chromium, page_on
from tests.support.console_demo import demo
from tests.support.console_timers import enqueue, plan

LIVE = "html[data-live]"
pytestmark = [needs_chromium, pytest.mark.timeout(60)]


async def test_a_task_is_made_run_changed_and_deleted(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url) as page:
        await page.keyboard.press("g")
        await page.keyboard.press("k")
        await page.wait_for_url("**/tasks")
        await page.click("text=New task")
        assert await page.evaluate("document.activeElement.name") == "name"
        await page.keyboard.type("nightly")
        await page.fill("[name=function]", "greet")
        await page.fill("[name=cron]", "0 0 25 * * ?")
        await page.wait_for_selector("#task-meaning .problem")
        await page.fill("[name=cron]", "0 0 3 * * ?")
        await page.wait_for_selector("#task-meaning:has-text('At 03:00, every day.')")
        assert await page.locator("#task-meaning li").count() == 5
        await page.fill("[name=payload]", "{name: }")
        await page.click("text=Make task")
        await page.wait_for_selector("[data-editor][data-state=error]")
        await page.fill("[name=payload]", "{name: 'mia'}")
        await page.click("text=Make task")
        await page.wait_for_selector("h1:has-text('nightly')")
        await page.click("#task-switch")
        await page.wait_for_selector("#task-switch[aria-pressed=true]")
        assert running.timers.tasks.told("nightly")["enabled"] is True
        await page.click("#task-run")
        await page.wait_for_selector(".notice:has-text('nightly ran in')")
        assert await page.evaluate("document.activeElement.id") == "task-run", "focus stays"
        await page.fill("[name=at]", "2027-01-31T03:00:00")
        await page.click("#task-run-at")
        await page.wait_for_selector(".notice:has-text('31 Jan 2027 03:00:00')")
        await page.click(".page-head >> text=Edit")
        await page.fill("[name=name]", "hourly")
        await page.check("[name=kind][value=every]", force=True)
        await page.fill("[name=every]", "3600")
        await page.click("text=Save")
        await page.wait_for_selector(".page-head:has-text('Every 1 h.')")
        await page.click("summary:has-text('Delete')")
        await page.click("button:has-text('Delete hourly')")
        await page.wait_for_selector("text=Nothing is scheduled")


async def test_the_list_runs_and_switches_without_losing_the_place(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        async with page_on(f"{running.url}/tasks") as page:
            await page.wait_for_selector(LIVE)
            await page.click("tr:has-text('averageStars') button:has-text('Run now')")
            await page.wait_for_selector(".notice:has-text('Stars ran')")
            assert "ran=t-" in page.url
            assert await page.locator(".rows .row").count() == 1
            await page.click("tr:has-text('averageStars') button[aria-pressed=true]")
            await page.wait_for_selector("tr:has-text('averageStars') button[aria-pressed=false]")
            await page.click(".rows .row >> nth=0")
            await page.wait_for_selector(".trace-title:has-text('averageStars')")


async def test_time_is_turned_and_every_page_says_so(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        async with page_on(f"{running.url}/tasks") as page:
            await page.click("button:has-text('+1 h')")
            await page.wait_for_selector(".clock-badge:has-text('1 h ahead')")
            assert running.timers.tasks.told("Stars")["runs"] == 1
            await page.click("summary:has-text('Set clock')")
            await page.fill("#clock-span", "a while")
            await page.click("button:has-text('Advance')")
            await page.wait_for_selector("text=a while is no span of time")
            await page.fill("#clock-span", "1h")
            await page.click("button:has-text('Advance')")
            await page.wait_for_selector(".clock-badge:has-text('2 h ahead')")
            await page.click("summary:has-text('Set clock')")
            await page.click("button:has-text('Stop the clock')")
            await page.wait_for_selector(".clock-badge:has-text('Clock stopped')")
            await page.click("summary:has-text('Set clock')")
            await page.fill("#clock-to", "2027-02-01T08:00:00")
            await page.click(".menu button:text-is('Set')")
            await page.wait_for_selector(".banner:has-text('Mon 1 Feb 2027 08:00:00')")
            await page.goto(f"{running.url}/hooks")
            assert await page.is_visible(".clock-badge")
            await page.click(".clock-badge")
            await page.click(".banner >> text=Back to real time")
            await page.wait_for_selector(".clock-badge", state="detached")


async def test_a_clock_turned_elsewhere_shows_by_itself(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/hooks") as page:
        await page.wait_for_selector(LIVE)
        await running.timers.agenda.advance(86_400_000)
        await page.wait_for_selector(".clock-badge:has-text('1 day ahead')")


async def test_the_queue_shows_and_drops(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await enqueue(running.timers, uniqueId="later", delay=60_000)
        async with page_on(f"{running.url}/tasks") as page:
            await page.click("tr:has-text('later') button:has-text('Drop')")
            await page.wait_for_selector("text=The queue is empty")
        assert running.timers.queue.all() == []


async def test_without_scripts_in_chinese_on_a_phone(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        url = f"{running.url}/tasks?task=Stars"
        async with page_on(
            url, width=390, height=800, locale="zh-CN", java_script_enabled=False
        ) as page:
            await page.click("#task-run")
            await page.wait_for_selector(".notice:has-text('Stars 于')")
            await page.goto(f"{running.url}/tasks?new=1")
            await page.fill("[name=name]", "每晚")
            await page.fill("[name=function]", "greet")
            await page.fill("[name=cron]", "0 0 8 ? * MON")
            await page.click("text=查看含义")
            await page.wait_for_selector("text=每周一 08:00。")
            await page.click("text=创建任务")
            await page.wait_for_selector("h1:has-text('每晚')")
            await page.goto(f"{running.url}/tasks")
            await page.click("button:has-text('+1 小时')")
            await page.wait_for_selector("text=比真实时间快 1 小时")


@pytest.mark.parametrize("path", ["/tasks", "/tasks?task=Stars", "/tasks?new=1"])
async def test_it_fits_a_phone(path: str, tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        plan(running.timers)
        async with page_on(running.url + path, width=360, height=740) as page:
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width == 360
