"""From an edit to the first answer of the new code, and what becomes of requests meanwhile.

Run by ``make bench``, never in CI. Figures go to ``tests/bench/results/reload_figures.json``.
"""

import asyncio
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.up_process import ROOT, asked, running_up, wait_until

RESULTS = Path(__file__).parent / "results"
SDK_PYTHON = os.environ.get("LEANCLOUD_SDK_PYTHON") or os.environ.get("LEAN_EMU_TEST_PYTHON")
EDITS = 15
REQUESTS, LOST_EDITS, WORKERS = 2_000, 50, 8
KEYS = {
    "LEANCLOUD_APP_ID": "an-app-id-for-the-bench",
    "LEANCLOUD_APP_KEY": "an-app-key",
    "LEANCLOUD_APP_MASTER_KEY": "a-master-key",
    "LEANCLOUD_APP_HOOK_KEY": "a-hook-key",
}
CLIENT = {"X-LC-Id": KEYS["LEANCLOUD_APP_ID"], "X-LC-Key": KEYS["LEANCLOUD_APP_KEY"]}

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(SDK_PYTHON is None, reason="LEANCLOUD_SDK_PYTHON names no interpreter"),
]

FIGURES: dict[str, Any] = {}

SERVE = """
import sys
import leancloud
from werkzeug.serving import run_simple
leancloud.init({LEANCLOUD_APP_ID!r}, {LEANCLOUD_APP_KEY!r}, {LEANCLOUD_APP_MASTER_KEY!r})
from cloud import engine
run_simple('127.0.0.1', int(sys.argv[1]), engine, use_reloader=sys.argv[2] == 'reload')
"""


@pytest.fixture(scope="module", autouse=True)
def kept() -> Iterator[None]:
    yield
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "reload_figures.json").write_text(json.dumps(FIGURES, indent=2) + "\n")
    print("\n" + json.dumps(FIGURES, indent=2))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "fixtures/cloud/reviews", tmp_path / "reviews"))


def edit(project: Path, number: int) -> None:
    path = project / "cloud.py"
    text = (ROOT / "fixtures/cloud/reviews/cloud.py").read_text()
    path.write_text(text.replace("Hello, ", f"Hello {number} "))


def answers(base: str, headers: dict[str, str], number: int) -> bool:
    """Is the function of that edit served?"""
    try:
        told = asked(base, "POST", "/1.1/functions/hello", headers, {})
    except (OSError, http.client.HTTPException):
        return False  # it is just being started again
    return bool(told.json == {"result": f"Hello {number} world!"})


def median_ms(once: Callable[[int], None], rest: float = 0.0) -> float:
    """``rest`` is how long it is left alone between two edits."""
    took = []
    for number in range(EDITS):
        time.sleep(rest)
        began = time.perf_counter()
        once(number)
        took.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(took), 1)


def test_an_edit_is_served_sooner_than_by_anything_else(project: Path) -> None:
    ours = our_reload(project)
    fresh = fresh_interpreter(project)
    werkzeug = werkzeug_reloader(project)
    FIGURES["edit to first new answer, ms, median of 15"] = {
        "lean-emu": ours,
        "a fresh interpreter": fresh,
        "the reloader of werkzeug": werkzeug,
        "fresh over lean-emu": round(fresh / ours, 1),
        "werkzeug over lean-emu": round(werkzeug / ours, 1),
    }
    assert werkzeug / ours >= 20 * 2 / 3
    assert fresh > ours


def our_reload(project: Path) -> float:
    assert SDK_PYTHON is not None
    with running_up(project, "--python", SDK_PYTHON) as up:

        def once(number: int) -> None:
            edit(project, number)
            assert answers(up.api_url, up.headers, number), "the next call meets the new code"

        return median_ms(once)


def fresh_interpreter(project: Path) -> float:
    """Ending the old process and starting another one."""
    serving: list[subprocess.Popen[bytes]] = []
    port = free_port()

    def once(number: int) -> None:
        edit(project, number)
        stop(serving)
        serving.append(serve(project, port, "once"))
        wait_until_fast(lambda: answers(f"http://127.0.0.1:{port}", CLIENT, number))

    try:
        return median_ms(once)
    finally:
        stop(serving)


def werkzeug_reloader(project: Path) -> float:
    """What the SDK's own template has: the development server with ``use_reloader``."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    edit(project, EDITS)
    serving = [serve(project, port, "reload")]

    def once(number: int) -> None:
        edit(project, number)
        wait_until_fast(lambda: answers(base, CLIENT, number))

    try:
        wait_until(lambda: answers(base, CLIENT, EDITS), "the development server answers")
        return median_ms(once, rest=0.3)  # it misses an edit before its first look at the files
    finally:
        stop(serving)


def serve(project: Path, port: int, how: str) -> "subprocess.Popen[bytes]":
    assert SDK_PYTHON is not None
    (project / "serve.py").write_text(SERVE.format(**KEYS))
    return subprocess.Popen(
        [SDK_PYTHON, "serve.py", str(port), how],
        cwd=project,
        # its cache tells edits within one second by their size alone
        env={**os.environ, **KEYS, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def stop(serving: "list[subprocess.Popen[bytes]]") -> None:
    while serving:
        process = serving.pop()
        os.killpg(process.pid, 9)
        process.wait()


def wait_until_fast(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_no_request_is_lost_over_fifty_edits(project: Path) -> None:
    assert SDK_PYTHON is not None
    with running_up(project, "--python", SDK_PYTHON) as up:
        outcome, longest = asyncio.run(while_edited(project, up.api_url, up.headers))
    FIGURES["requests over edits"] = {
        "requests": outcome.total(),
        "edits": LOST_EDITS,
        "of them broken": len([n for n in range(LOST_EDITS) if is_broken(n)]),
        "lost": outcome["lost"],
        "told that the code did not load": outcome["told"],
        "longest wait, ms": round(longest * 1000),
    }
    assert outcome.total() == REQUESTS
    assert outcome["lost"] == 0
    assert 0 < outcome["told"] < REQUESTS / 2


def is_broken(number: int) -> bool:
    return number % 5 == 2


async def while_edited(
    project: Path, base: str, headers: dict[str, str]
) -> tuple[Counter[str], float]:
    """What became of the requests, and the longest any of them took."""
    sent = 0
    outcome: Counter[str] = Counter()
    longest = 0.0
    progress = asyncio.Event()

    async def edits() -> None:
        for number in range(LOST_EDITS):
            while sent < number * REQUESTS // LOST_EDITS:
                progress.clear()
                await progress.wait()
            if is_broken(number):
                (project / "cloud.py").write_text("import leancloud\ndef broken(:\n")
            else:
                edit(project, number)

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal sent, longest
        while sent < REQUESTS:
            number, sent = sent, sent + 1
            progress.set()
            began = time.perf_counter()
            outcome[await one(session, number)] += 1
            longest = max(longest, time.perf_counter() - began)

    async with (
        aiohttp.ClientSession(base, headers=headers) as session,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(edits())
        for _ in range(WORKERS):
            group.create_task(work(session))
    return outcome, longest


async def one(session: aiohttp.ClientSession, number: int) -> str:
    """``served``, ``told`` that the code does not load, or ``lost``."""
    path, body, good, told = [
        ("/1.1/functions/hello", {}, 200, (500, 141)),
        ("/1.1/classes/Review", {"comment": "c"}, 201, (400, 142)),
        ("/1.1/classes/Post", {"title": "t"}, 201, None),
    ][number % 3]
    try:
        async with session.post(path, json=body) as answer:
            said = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return "lost"
    if answer.status == good:
        return "served"
    if told == (answer.status, said["code"]) and "did not load" in said["error"]:
        return "told"
    return "lost"
