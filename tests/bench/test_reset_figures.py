"""What a test pays for a fresh start: ``reset`` of the pytest plugin's emulator."""

import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.testing.kit import LeanEmu
from lean_emulator.testing.projects import opened

RESULTS = Path(__file__).parent / "results"
OBJECTS, MANY, ROUNDS = 10_000, 100_000, 200
BAR_MS = 5.0

pytestmark = pytest.mark.timeout(600)


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            "objectId": f"{n:024x}",
            "movie": f"movie {n}",
            "stars": n % 5,
            "comment": "c" * 200,
            "createdAt": "2024-01-01T00:00:00.000Z",
            "updatedAt": "2024-01-01T00:00:00.000Z",
        }
        for n in range(count)
    ]


def resets(folder: Path, count: int) -> list[float]:
    """Milliseconds of each reset, after a write that has copied the class's table."""
    flags = {"port": 0, "console_port": 0, "storage": "memory", "code": False}
    settings, keys = opened(folder, flags, os.environ, fixed=True)
    emu = LeanEmu(settings, keys)
    try:
        emu.seed({"Review": rows(count)})
        emu.keep()
        took = []
        for n in range(ROUNDS):
            made = emu.save("Review", n=n)
            began = time.perf_counter()
            emu.reset()
            took.append((time.perf_counter() - began) * 1e3)
            assert made["n"] == n
        assert len(emu.find("Review", {"n": {"$exists": True}})) == 0
        assert emu.request("GET", "/1.1/classes/Review", limit=0, count=1)["count"] == count
        return took
    finally:
        emu.stop()


def test_putting_back_takes_no_time(tmp_path: Path) -> None:
    figures = {}
    for count in (100, OBJECTS, MANY):
        took = sorted(resets(tmp_path, count))
        figures[str(count)] = {
            "median_ms": round(statistics.median(took), 3),
            "p99_ms": round(took[int(len(took) * 0.99)], 3),
        }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "reset_figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print("\n" + json.dumps(figures, indent=2))
    assert figures[str(OBJECTS)]["p99_ms"] < BAR_MS
