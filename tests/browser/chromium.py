"""One Chromium page on a console, and the reason when there is none."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

playwright_api = pytest.importorskip(
    "playwright.async_api", reason="playwright is not installed: pip install -e .[dev]"
)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = os.environ.get("LEAN_EMU_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: set LEAN_EMU_CHROMIUM or install `chromium`"
)


@asynccontextmanager
async def page_on(
    url: str, *, width: int = 1280, height: int = 860, **context: Any
) -> AsyncIterator[Any]:
    """A page at ``url``. Whatever the page complains about in its console fails the test.

    Answers that a test provokes on purpose (422) are complained about too and do not count.
    """
    complaints: list[str] = []
    async with playwright_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            made = await browser.new_context(
                viewport={"width": width, "height": height}, **{"locale": "en-GB", **context}
            )
            page = await made.new_page()
            page.set_default_timeout(8_000)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: _note(said, complaints))
            await page.goto(url)
            yield page
        finally:
            await browser.close()
    assert not complaints, complaints


def _note(said: Any, complaints: list[str]) -> None:
    if said.type in ("error", "warning") and "status of 422" not in said.text:
        complaints.append(said.text)
