"""Takes the pictures of the README: ``tools/screenshots.py FOLDER``.

Starts the emulator on a copy of ``fixtures/cloud/reviews``, uses it as a client would, and looks at
the console in Chromium. ``LEANCLOUD_SDK_PYTHON`` names the interpreter for the cloud code.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lean_emulator.emulator import Emulator  # noqa: E402 - a script beside the package
from lean_emulator.keys import Keys  # noqa: E402 - a script beside the package
from lean_emulator.settings import Settings  # noqa: E402 - a script beside the package
from tests.browser.chromium import page_on  # noqa: E402 - a script beside the package

KEYS = Keys("reviews", "screenshot-app-key", "screenshot-master-key", "screenshot-hook-key")
COMMENT = (
    "I almost forgot breathing when watching this movie. The first ten minutes alone are worth it: "
    "the stairs, the bath tub: every sound became a threat, and I left the cinema whispering."
)


async def use(emulator: Emulator) -> None:
    """A few minutes in the life of a review site."""
    headers = {"X-LC-Id": KEYS.app_id, "X-LC-Key": KEYS.app_key}
    async with aiohttp.ClientSession(headers=headers) as http:

        async def send(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
            url = f"{emulator.api_url}/1.1{path}"
            async with http.request(method, url, json=body) as answer:
                return await answer.json()

        post = await send("POST", "/classes/Post", {"title": "Quiet films"})
        pointer = {"__type": "Pointer", "className": "Post", "objectId": post["objectId"]}
        album = await send("POST", "/classes/Album", {"name": "Stills"})
        holder = {"__type": "Pointer", "className": "Album", "objectId": album["objectId"]}
        await send("POST", "/classes/Photo", {"album": holder})
        await send("DELETE", f"/classes/Album/{album['objectId']}")
        await send(
            "POST", "/classes/Review", {"movie": "A Quiet Place", "stars": 4, "comment": "Hush"}
        )
        await send("POST", "/classes/Review", {"movie": "A Quiet Place", "stars": 2})
        await send("POST", "/functions/averageStars", {"movie": "A Quiet Place"})
        await send("POST", "/classes/Comment", {"text": "Agreed", "post": pointer})
        await send(
            "POST", "/classes/Review", {"movie": "A Quiet Place", "stars": 5, "comment": COMMENT}
        )
        await emulator.hooks.settle()


async def run_drawer(page: Any) -> None:
    await page.keyboard.press("n")
    await page.select_option("dialog [name=name]", "averageStars")
    await page.fill("dialog textarea", "{\n  movie: 'A Quiet Place',\n}")
    await page.keyboard.press("Control+Enter")
    await page.wait_for_selector("dialog .result")


async def take(emulator: Emulator, folder: Path) -> None:
    url = emulator.console_url
    for scheme in ("light", "dark"):
        async with page_on(url, color_scheme=scheme, reduced_motion="reduce") as page:
            await page.wait_for_selector("html[data-live]")
            await page.screenshot(path=folder / f"traces-{scheme}.png")
            await page.click(".row:has-text('Comment')")
            await page.wait_for_selector(".trace-title:has-text('Comment')")
            await page.screenshot(path=folder / f"chain-{scheme}.png")
            await page.goto(f"{url}/hooks")
            await page.screenshot(path=folder / f"hooks-{scheme}.png")
            await run_drawer(page)
            await page.screenshot(path=folder / f"run-{scheme}.png")


async def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, "reviews")
        shutil.copytree(
            ROOT / "fixtures" / "cloud" / "reviews",
            project,
            ignore=shutil.ignore_patterns(".lean-emu", "__pycache__"),
        )
        python = os.environ.get("LEANCLOUD_SDK_PYTHON")
        async with Emulator(Settings(project_dir=project, port=0, python=python), KEYS) as emulator:
            await use(emulator)
            await take(emulator, folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tools/screenshots.py FOLDER")
    pictures = Path(sys.argv[1])
    pictures.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(pictures))
    print(f"{len([*pictures.glob('*.png')])} pictures in {pictures}")
