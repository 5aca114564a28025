"""The console over the real emulator: the reviews project, its own process, the official SDK."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from lean_emulator.emulator import Emulator
from lean_emulator.keys import Keys
from lean_emulator.settings import Settings
from tests.browser.chromium import needs_chromium, page_on

PROJECT = Path(__file__).parents[2] / "fixtures" / "cloud" / "reviews"
SDK_PYTHON = os.environ.get("LEANCLOUD_SDK_PYTHON")
KEYS = Keys(
    "app-id-of-the-test", "app-key-of-the-test", "master-key-of-the-test", "hook-key-of-the-test"
)

pytestmark = [
    needs_chromium,
    pytest.mark.timeout(60),
    pytest.mark.skipif(
        not SDK_PYTHON, reason="LEANCLOUD_SDK_PYTHON names no Python with the leancloud package"
    ),
]


@asynccontextmanager
async def reviews(folder: Path) -> AsyncIterator[Emulator]:
    project = folder / "reviews"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns(".lean-emu", "__pycache__"))
    async with Emulator(Settings(project_dir=project, port=0, python=SDK_PYTHON), KEYS) as emulator:
        yield emulator


async def save(emulator: Emulator, class_name: str, fields: dict[str, object]) -> int:
    headers = {"X-LC-Id": KEYS.app_id, "X-LC-Key": KEYS.app_key}
    url = f"{emulator.api_url}/1.1/classes/{class_name}"
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(url, json=fields) as answer,
    ):
        return answer.status


async def test_average_stars_is_invoked_and_its_trace_read(tmp_path: Path) -> None:
    async with reviews(tmp_path) as emulator:
        for stars in (3, 5, 5):
            review: dict[str, object] = {
                "movie": "A Quiet Place",
                "stars": stars,
                "comment": "Hush",
            }
            assert await save(emulator, "Review", review) == 201
        async with page_on(emulator.console_url) as page:
            await page.keyboard.press("n")
            await page.select_option("dialog [name=name]", "averageStars")
            await page.fill("dialog textarea", "{movie: 'A Quiet Place'}")
            await page.keyboard.press("Control+Enter")
            await page.wait_for_selector("dialog .result")
            result = await page.inner_text("dialog .result")
            assert "200 OK" in result
            assert "4.33333" in result
            assert "averageStars: 3 reviews of A Quiet Place" in result
            await page.click("dialog .result a")
            await page.wait_for_selector(".trace-title:has-text('averageStars')")
            assert await page.locator(".step[data-kind=function]").count() == 1
            assert await page.locator(".step:has-text('/classes/Review')").count() == 1
            assert KEYS.app_key not in await page.content()


async def test_a_hook_is_invoked_alone_and_a_saved_review_shows_its_chain(tmp_path: Path) -> None:
    async with reviews(tmp_path) as emulator, page_on(emulator.console_url) as page:
        await page.goto(f"{emulator.console_url}/run?hook=Review/beforeSave")
        await page.fill("textarea", "{stars: 2}")
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector(".result")
        result = await page.inner_text(".result")
        assert "400 Rejected" in result
        assert "No comment!" in result
        assert await save(emulator, "Review", {"comment": "word " * 60}) == 201
        await page.goto(emulator.console_url)
        await page.wait_for_selector(".trace-title:has-text('201 Created')")
        assert await page.inner_text(".step[data-kind=hook] .step-text") == "beforeSave Review"
        assert await page.locator(".diff del").count() >= 1
        assert "141 characters" in await page.inner_text(".diff")


async def test_a_broken_edit_is_seen_and_mended(tmp_path: Path) -> None:
    async with reviews(tmp_path) as emulator, page_on(f"{emulator.console_url}/hooks") as page:
        await page.wait_for_selector("html[data-live]")
        file = tmp_path / "reviews" / "cloud.py"
        good = file.read_text("utf-8")
        file.write_text(f"{good}\nboom()\n", "utf-8")
        await page.wait_for_selector(".broken-hero")
        assert "NameError: name 'boom' is not defined" in await page.inner_text(".error-line")
        assert "boom()" in await page.inner_text(".source [data-here]")
        file.write_text(good, "utf-8")
        await page.wait_for_selector("h1:has-text('Hooks and functions')")
