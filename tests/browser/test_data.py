"""The data page as a person uses it: Chromium over a real emulator."""

from pathlib import Path

import pytest

from tests.browser.chromium import needs_chromium, page_on
from tests.console.test_console_data import desk
from tests.support.fake_engine import refuse

pytestmark = [needs_chromium, pytest.mark.timeout(60)]


async def test_objects_are_found_changed_and_deleted(tmp_path: Path) -> None:
    async with (
        desk(tmp_path, Review_beforeUpdate=lambda body: body["object"]) as data,
        page_on(data.url) as page,
    ):
        await page.keyboard.press("g")
        await page.keyboard.press("d")
        await page.wait_for_selector(".data-classes")
        await page.click(".class-item:has-text('Review')")
        await page.wait_for_selector("text=3 objects")
        await page.select_option("[name=col]", "stars")
        await page.select_option("[name=op]", "gte")
        await page.fill("[name=val]", "4")
        await page.click("button:has-text('Condition')")
        await page.wait_for_selector(".data-head:has-text('2 objects')")
        await page.click("thead a:has-text('stars')")
        await page.wait_for_selector("th[aria-sort=ascending]")
        assert await page.locator("tbody tr").count() == 2
        await page.click("tbody .id a >> nth=1")
        await page.wait_for_selector("#row-json")
        await page.fill("#row-json", "{stars: }")
        await page.click("button:has-text('Save')")
        await page.wait_for_selector("[data-editor][data-state=error]")
        await page.fill("#row-json", "{stars: 4.5}")
        await page.click("button:has-text('Save')")
        await page.wait_for_selector(".notice:has-text('Saved.')")
        assert (await data.api.read("Review", data.reviews[0]))["stars"] == 4.5
        assert len(data.api.engine.received) == 1
        await page.click(".notice >> text=Trace")
        await page.wait_for_selector(".step:has-text('beforeUpdate')")
        await page.go_back()
        await page.uncheck("#save-hooks")
        await page.fill("#row-json", "{stars: 5}")
        await page.click("button:has-text('Save')")
        await page.wait_for_selector(".notice:has-text('Saved.')")
        assert len(data.api.engine.received) == 1
        await page.click(".row-panel summary:has-text('Delete')")
        await page.click("button:has-text('Delete 6')")
        await page.wait_for_selector(".data-rows .notice:has-text('Deleted.')")
        await page.click(".chip-x")
        await page.wait_for_selector(".data-head:has-text('2 objects')")


async def test_links_lead_from_object_to_object(tmp_path: Path) -> None:
    async with desk(tmp_path) as data, page_on(f"{data.url}/data?class=Review") as page:
        await page.click("tbody .chip >> nth=0")
        await page.wait_for_selector(".row-panel-head:has-text('" + data.post + "')")
        await page.click(".row-panel .chip:has-text('Review.post')")
        await page.wait_for_selector(".data-head:has-text('3 objects')")


async def test_a_hook_refuses_a_new_object(tmp_path: Path) -> None:
    async with (
        desk(tmp_path, Review_beforeSave=_no_stars) as data,
        page_on(f"{data.url}/data?class=Review") as page,
    ):
        await page.click("text=New object")
        await page.fill("#row-json", "{comment: 'no stars'}")
        await page.click("button:has-text('Create')")
        await page.wait_for_selector(".save-bar:has-text('How many stars?')")
        assert await page.input_value("#row-json") == "{comment: 'no stars'}"
        await page.fill("#row-json", "{stars: 1}")
        await page.click("button:has-text('Create')")
        await page.wait_for_selector(".notice:has-text('Saved.')")
        await page.wait_for_selector(".data-head:has-text('4 objects')")


def _no_stars(body: dict[str, dict[str, object]]) -> object:
    return body["object"] if "stars" in body["object"] else refuse("How many stars?", 400, 142)


async def test_the_table_keeps_its_place(tmp_path: Path) -> None:
    async with desk(tmp_path) as data:
        for _ in range(60):
            await data.api.create("Review", stars=3)
        async with page_on(f"{data.url}/data?class=Review", height=500) as page:
            await page.locator("tbody .id a >> nth=40").scroll_into_view_if_needed()
            top = await page.evaluate("document.querySelector('.data-rows').scrollTop")
            assert top > 0
            await page.click("tbody .id a >> nth=40")
            await page.wait_for_selector("#row-json")
            assert "row=" in page.url
            assert await page.evaluate("document.querySelector('.data-rows').scrollTop") == top
            await page.keyboard.press("Escape")
            await page.wait_for_selector(".data-row", state="detached")
            assert "row=" not in page.url
            await page.go_back()
            await page.wait_for_selector("#row-json")
            await page.fill("#row-json", "{stars: 1}")
            await page.keyboard.press("Control+Enter")
            await page.wait_for_selector(".notice:has-text('Saved.')")


async def test_as_somebody_else(tmp_path: Path) -> None:
    async with desk(tmp_path) as data, page_on(f"{data.url}/data?class=Review") as page:
        await page.select_option("#data-as", "nobody")
        await page.click("text=Look")
        await page.wait_for_selector("text=1 object is hidden")
        await page.select_option("#data-as", "user")
        await page.fill("[name=who]", "mia")
        await page.click("text=Look")
        await page.wait_for_selector(".data-head:has-text('3 objects')")


async def test_without_scripts_in_chinese_on_a_phone(tmp_path: Path) -> None:
    async with desk(tmp_path) as data:
        url = f"{data.url}/data?class=Review"
        async with page_on(
            url, width=390, height=800, locale="zh-CN", java_script_enabled=False
        ) as page:
            await page.wait_for_selector("text=3 个对象")
            await page.select_option("[name=col]", "stars")
            await page.fill("[name=val]", "5")
            await page.click("text=添加条件")
            await page.wait_for_selector("text=1 个对象")
            await page.click("tbody .id a")
            await page.fill("#row-json", "{stars: 3}")
            await page.click("button:has-text('保存')")
            await page.wait_for_selector("text=已保存。")
        assert (await data.api.read("Review", data.reviews[0]))["stars"] == 3


@pytest.mark.parametrize("row", ["", "&row=new"])
async def test_it_fits_a_phone(row: str, tmp_path: Path) -> None:
    async with (
        desk(tmp_path) as data,
        page_on(f"{data.url}/data?class=Review{row}", width=360, height=740) as page,
    ):
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
