"""What a hook of the official SDK costs: creates with and without, in turn, in one run.

Run by ``make bench``, never in CI. Figures go to ``tests/bench/results/hook_figures.json``.
"""

import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.bench.load import request, run
from tests.support.up_process import Up, running_up

RESULTS = Path(__file__).parent / "results"
SDK_PYTHON = os.environ.get("LEANCLOUD_SDK_PYTHON") or os.environ.get("LEAN_EMU_TEST_PYTHON")
REVIEW = json.dumps({"movie": "Gravity", "stars": 5, "comment": "c" * 200}).encode()
COUNT = 1_000
ROUNDS = 5

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(SDK_PYTHON is None, reason="LEANCLOUD_SDK_PYTHON names no interpreter"),
]

FIGURES: dict[str, Any] = {}

CODE = """
import leancloud

engine = leancloud.Engine()


@engine.before_save("Before")
def before(obj):
    obj.set("seen", True)


@engine.after_save("After")
def after(obj):
    pass


@engine.before_save("Both")
def both_before(obj):
    obj.set("seen", True)


@engine.after_save("Both")
def both_after(obj):
    pass


@engine.define
def nothing(**params):
    return None
"""
HOOKS = {"Plain": 0, "Before": 1, "After": 1, "Both": 2}


@pytest.fixture(scope="module", autouse=True)
def kept() -> Iterator[None]:
    yield
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "hook_figures.json").write_text(
        json.dumps(FIGURES, indent=2, ensure_ascii=False) + "\n"
    )
    print("\n" + json.dumps(FIGURES, indent=2, ensure_ascii=False))


@pytest.mark.parametrize("connections", [1, 32])
def test_what_a_hook_costs(tmp_path: Path, connections: int) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "cloud.py").write_text(CODE)
    assert SDK_PYTHON is not None
    took: dict[str, list[float]] = {name: [] for name in HOOKS}
    calls: list[float] = []
    with running_up(project, "--python", SDK_PYTHON) as up:
        for name in HOOKS:
            creates(up, name, connections)
        for _ in range(ROUNDS):
            for name in HOOKS:
                took[name].append(creates(up, name, connections))
            calls.append(measured(up, "/1.1/functions/nothing", b"{}", connections))
    micros = {name: statistics.median(seconds) * 1e6 for name, seconds in took.items()}
    plain = micros.pop("Plain")
    FIGURES[f"{connections} connections"] = {
        "plain create, µs": round(plain),
        **{f"{n}, of a plain create": round(m / plain, 2) for n, m in micros.items()},
        **{f"{n}, µs for each hook": round((m - plain) / HOOKS[n]) for n, m in micros.items()},
        "function that does nothing, µs": round(statistics.median(calls) * 1e6),
    }
    assert all(plain < m for m in micros.values()), "a hook that costs nothing did not run"


def creates(up: Up, class_name: str, connections: int) -> float:
    """Seconds for one create until everything it caused is over."""
    return measured(up, f"/1.1/classes/{class_name}", REVIEW, connections)


def measured(up: Up, path: str, body: bytes, connections: int) -> float:
    requests = [request("POST", path, up.headers, body)] * COUNT
    began = time.perf_counter()
    uvloop.run(run(int(up.api_url.rpartition(":")[2]), requests, connections))
    up.settle()
    return (time.perf_counter() - began) / COUNT
