"""The first figures, as ratios within one run (design: speed). Run by ``make bench``, never in CI.

Numbers go to ``tests/bench/results/first_figures.json`` and to the terminal.
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.bench.load import Load, request, run

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results"
SDK_PYTHON = os.environ.get("LEANCLOUD_SDK_PYTHON") or os.environ.get("LEAN_EMU_TEST_PYTHON")
REVIEW = json.dumps({"movie": "Gravity", "stars": 5, "comment": "c" * 200}).encode()
COUNT = 6_000

pytestmark = pytest.mark.timeout(300)

FIGURES: dict[str, Any] = {}


@pytest.fixture(scope="module", autouse=True)
def kept() -> Iterator[None]:
    yield
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "first_figures.json").write_text(json.dumps(FIGURES, indent=2) + "\n")
    print("\n" + json.dumps(FIGURES, indent=2))


@contextmanager
def bare(kind: str) -> Iterator[int]:
    program = str(Path(__file__).with_name("bare_server.py"))
    with subprocess.Popen([sys.executable, program, kind], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def emulator(project: Path, *options: str) -> Iterator[tuple[int, dict[str, str]]]:
    command = [sys.executable, "-m", "lean_emulator", "up", str(project), "--port", "0", *options]
    log = project / "up.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output) as process,
    ):
        try:
            end = time.monotonic() + 30
            while "\nready in " not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.01)
            instance = json.loads((project / ".lean-emu/run.json").read_text())
            keys = json.loads((project / ".lean-emu/keys.json").read_text())
            headers = {"X-LC-Id": keys["app_id"], "X-LC-Key": keys["app_key"]}
            yield int(instance["api_port"]), headers
        finally:
            process.terminate()


def measured(port: int, requests: list[bytes], connections: int) -> Load:
    uvloop.run(run(port, requests[:300], connections))
    return uvloop.run(run(port, requests, connections))


def ids(port: int, headers: dict[str, str], class_name: str, count: int) -> list[str]:
    async def create() -> list[str]:
        import aiohttp

        found = []
        async with aiohttp.ClientSession(headers=headers) as session:
            for _ in range(count):
                url = f"http://127.0.0.1:{port}/1.1/classes/{class_name}"
                async with session.post(url, data=REVIEW) as answer:
                    found.append((await answer.json(content_type=None))["objectId"])
        return found

    return asyncio.run(create())


def bare_figures(kind: str, connections: int) -> tuple[Load, Load]:
    """Creates and gets of a bare server."""
    with bare(kind) as port:
        creates = [request("POST", "/1.1/classes/Plain", {}, REVIEW)] * COUNT
        create = measured(port, creates, connections)
        known = ids(port, {}, "Plain", 50)
        gets = [request("GET", f"/1.1/classes/Plain/{known[i % 50]}", {}) for i in range(COUNT)]
        return create, measured(port, gets, connections)


@pytest.mark.parametrize("connections", [1, 32])
def test_create_and_get_against_bare_aiohttp(tmp_path: Path, connections: int) -> None:
    app_create, app_get = bare_figures("app", connections)
    floor_create, floor_get = bare_figures("floor", connections)
    with emulator(tmp_path, "--no-code") as (port, headers):
        creates = [request("POST", "/1.1/classes/Plain", headers, REVIEW)] * COUNT
        create = measured(port, creates, connections)
        known = ids(port, headers, "Plain", 50)
        paths = [f"/1.1/classes/Plain/{known[i % 50]}" for i in range(COUNT)]
        get = measured(port, [request("GET", path, headers) for path in paths], connections)
    report(f"create, no hook, {connections} connections", create, app_create, floor_create)
    report(f"get, {connections} connections", get, app_get, floor_get)


@pytest.mark.skipif(SDK_PYTHON is None, reason="LEANCLOUD_SDK_PYTHON names no interpreter")
@pytest.mark.parametrize("connections", [1, 32])
def test_create_with_before_and_after_hooks(tmp_path: Path, connections: int) -> None:
    (tmp_path / "cloud.py").write_text(
        "import leancloud\n"
        "engine = leancloud.Engine()\n"
        "@engine.before_save('Review')\n"
        "def before(review): review.set('seen', True)\n"
        "@engine.after_save('Review')\n"
        "def after(review): pass\n"
    )
    assert SDK_PYTHON is not None
    app, _ = bare_figures("app", connections)
    floor, _ = bare_figures("floor", connections)
    with emulator(tmp_path, "--python", SDK_PYTHON) as (port, headers):
        plain = measured(
            port, [request("POST", "/1.1/classes/Plain", headers, REVIEW)] * COUNT, connections
        )
        hooked = measured(
            port, [request("POST", "/1.1/classes/Review", headers, REVIEW)] * COUNT, connections
        )
    report(f"create, before and after hook, {connections} connections", hooked, app, floor)
    FIGURES[f"hooked over plain create, {connections} connections"] = round(
        hooked.per_second / plain.per_second, 3
    )


@pytest.mark.skipif(SDK_PYTHON is None, reason="LEANCLOUD_SDK_PYTHON names no interpreter")
def test_reload_from_write_to_first_new_answer(tmp_path: Path) -> None:
    project = Path(shutil.copytree(ROOT / "fixtures/cloud/reviews", tmp_path / "reviews"))
    source = (project / "cloud.py").read_text()
    assert SDK_PYTHON is not None
    took = []
    with emulator(project, "--python", SDK_PYTHON) as (port, headers):
        for number in range(15):
            text = source.replace("Hello, ", f"Hello {number} ")
            began = time.perf_counter()
            (project / "cloud.py").write_text(text)
            answer = asyncio.run(called(port, headers))
            took.append((time.perf_counter() - began) * 1000)
            assert answer == f"Hello {number} world!"
    fresh = [fresh_interpreter() for _ in range(5)]
    FIGURES["edit to first new answer, ms, median of 15"] = round(statistics.median(took), 1)
    FIGURES["fresh interpreter that imports the SDK, ms"] = round(statistics.median(fresh), 1)


async def called(port: int, headers: dict[str, str]) -> str:
    import aiohttp

    async with aiohttp.ClientSession(headers=headers) as session:
        url = f"http://127.0.0.1:{port}/1.1/functions/hello"
        async with session.post(url, json={}) as answer:
            return str((await answer.json(content_type=None))["result"])


def fresh_interpreter() -> float:
    assert SDK_PYTHON is not None
    began = time.perf_counter()
    subprocess.run([SDK_PYTHON, "-c", "import leancloud.engine"], check=True)
    return (time.perf_counter() - began) * 1000


def report(what: str, ours: Load, app: Load, floor: Load) -> None:
    FIGURES[what] = {
        "per second": round(ours.per_second),
        "of a bare aiohttp application": round(ours.per_second / app.per_second, 3),
        "of the least aiohttp can do": round(ours.per_second / floor.per_second, 3),
        "p50 ms": round(ours.p50_ms, 3),
        "p99 ms": round(ours.p99_ms, 3),
    }
