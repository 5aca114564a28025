"""The first figures, as ratios within one run (design: speed). Run by ``make bench``, never in CI.

Numbers go to ``tests/bench/results/first_figures.json`` and to the terminal.
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.bench.load import Load, request, run
from tests.bench.servers import ROOT, bare, emulator

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


def measured(port: int, requests: list[bytes], connections: int) -> Load:
    uvloop.run(run(port, requests[:300], connections))
    return uvloop.run(run(port, requests, connections))


def bare_figures(kind: str, connections: int) -> tuple[Load, Load]:
    """Creates and gets of a bare server."""
    with bare(kind) as server:
        port = server.port
        creates = [request("POST", "/1.1/classes/Plain", {}, REVIEW)] * COUNT
        create = measured(port, creates, connections)
        known = server.created("Plain", REVIEW, 50)
        gets = [request("GET", f"/1.1/classes/Plain/{known[i % 50]}", {}) for i in range(COUNT)]
        return create, measured(port, gets, connections)


@pytest.mark.parametrize("connections", [1, 32])
def test_create_and_get_against_bare_aiohttp(tmp_path: Path, connections: int) -> None:
    app_create, app_get = bare_figures("app", connections)
    floor_create, floor_get = bare_figures("floor", connections)
    with emulator(tmp_path, "--no-code") as server:
        port, headers = server.port, server.headers
        creates = [request("POST", "/1.1/classes/Plain", headers, REVIEW)] * COUNT
        create = measured(port, creates, connections)
        known = server.created("Plain", REVIEW, 50)
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
    with emulator(tmp_path, "--python", SDK_PYTHON) as server:
        port, headers = server.port, server.headers
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
    with emulator(project, "--python", SDK_PYTHON) as server:
        port, headers = server.port, server.headers
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


async def called(port: int, headers: Mapping[str, str]) -> str:
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
