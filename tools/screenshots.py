"""Takes the pictures of the README: ``python tools/screenshots.py FOLDER``.

Everything in them is real: the reviews project in a process of its own, requests over HTTP, and the
console in Chromium. ``LEANCLOUD_SDK_PYTHON`` names an interpreter with the official SDK.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import async_playwright

from lean_emulator.emulator import Emulator
from lean_emulator.keys import Keys
from lean_emulator.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SIZE = {"width": 1280, "height": 800}
COMMENT = (
    "Alone among the stars and never once at ease: a slow, lovely, frightening film that trusts "
    "silence more than any other I have seen in years, and earns it."
)


async def main(target: Path, browser: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "reviews"
        shutil.copytree(
            ROOT / "fixtures/cloud/reviews",
            project,
            ignore=shutil.ignore_patterns(".lean-emu", "__pycache__"),
        )
        python = os.environ.get("LEANCLOUD_SDK_PYTHON")
        settings = Settings(project_dir=project, port=0, python=python)
        keys = Keys.fresh()
        async with Emulator(settings, keys) as emulator:
            trace = await a_busy_minute(emulator.api_url, keys)
            await emulator.hooks.settle()
            url = f"{emulator.console_url}/?trace={trace}"
            for scheme in ("light", "dark"):
                await shoot(browser, url, scheme, target / f"traces-{scheme}.png")


async def a_busy_minute(api_url: str, keys: Keys) -> str:
    """Requests of every kind; the trace of the one with the most to see."""
    headers = {"X-LC-Id": keys.app_id, "X-LC-Key": f"{keys.master_key},master"}
    async with aiohttp.ClientSession(api_url, headers=headers) as http:

        async def send(method: str, path: str, **body: Any) -> tuple[dict[str, Any], str]:
            async with http.request(method, f"/1.1/{path}", json=body or None) as answer:
                told: dict[str, Any] = await answer.json(content_type=None)
                return told, answer.headers["X-Lean-Emu-Trace"]

        for movie, stars in (("Gravity", 5), ("Gravity", 4), ("Alien", 5), ("Solaris", 3)):
            await send("POST", "classes/Review", movie=movie, stars=stars, comment="Worth it.")
        post, _ = await send("POST", "classes/Post", title="Ten quiet films")
        pointer = {"__type": "Pointer", "className": "Post", "objectId": post["objectId"]}
        await send("POST", "classes/Comment", text="First.", post=pointer)
        await send("POST", "classes/Review", movie="Gravity", stars=1)
        album, _ = await send("POST", "classes/Album", title="Stills")
        owner = {"__type": "Pointer", "className": "Album", "objectId": album["objectId"]}
        await send("POST", "classes/Photo", name="one.jpg", album=owner)
        await send("DELETE", f"classes/Album/{album['objectId']}")
        await send("POST", "functions/averageStars", movie="Gravity")
        await send("GET", "classes/Review")
        _, trace = await send("POST", "classes/Review", movie="Gravity", stars=5, comment=COMMENT)
        return trace


async def shoot(program: str, url: str, scheme: Any, target: Path) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--force-color-profile=srgb"]
        )
        try:
            context = await browser.new_context(
                viewport=SIZE, color_scheme=scheme, device_scale_factor=2, locale="en-GB"
            )
            page = await context.new_page()
            await page.goto(url)
            await page.wait_for_load_state("load")
            await page.screenshot(path=target)
        finally:
            await browser.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    found = subprocess.run([ROOT / "tools/find-chromium"], capture_output=True, check=True)  # noqa: S603 - a script of ours
    asyncio.run(main(folder, found.stdout.decode().strip()))
