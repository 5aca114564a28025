"""``kill -9`` at any moment: what was answered is there, nothing is there by half.

A hundred kills of a process that does nothing but write, and compacts all the time.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.model.query import Query
from lean_emulator.storage.keeper import FileKeeper
from lean_emulator.storage.memory import MemoryStorage

pytestmark = pytest.mark.timeout(300)
TRIALS = 100
PER_FOLDER = 10
"""Kills of one history, before another begins: opening costs what was written."""
WRITER = Path(__file__).with_name("writer.py")


class Expected:
    """What was answered, over all trials."""

    def __init__(self) -> None:
        self.objects: dict[str, int] = {}
        self.related: set[str] = set()
        self.count = 0
        self.maybe_gone: set[str] = set()
        self.pairs: list[list[str]] = []
        self.answers = 0

    def hear(self, said: dict[str, Any]) -> None:
        self.answers += 1
        match said:
            case {"create": object_id}:
                self.objects[object_id] = 0
            case {"update": object_id, "v": v}:
                self.objects[object_id] = v
            case {"deleting": object_id}:
                self.maybe_gone.add(object_id)
            case {"delete": object_id}:
                del self.objects[object_id]
            case {"pairing": pair}:
                self.pairs.append(pair)
            case {"batch": pair}:
                self.objects |= dict.fromkeys(pair, 0)
            case {"count": _}:
                self.count += 1
            case {"relate": object_id}:
                self.related.add(object_id)

    def settle(self, found: dict[str, Any], count: int) -> None:
        """Take over writes that happened though nobody was told."""
        for object_id in self.maybe_gone - found.keys():
            self.objects.pop(object_id, None)
        self.maybe_gone.clear()
        self.objects = {**{k: v for k, v in found.items() if k not in self.objects}, **self.objects}
        self.count = count


def killed_writer(folder: Path, seed: int, seconds: float) -> list[dict[str, Any]]:
    """What a writer said before it was killed with its process group."""
    with subprocess.Popen(
        [sys.executable, str(WRITER), str(folder), str(seed)],
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert json.loads(first) == {"ready": True}
        time.sleep(seconds)  # the moment of the kill is what is tried out here
        os.killpg(process.pid, signal.SIGKILL)
        lines = process.stdout.read().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


async def opened(folder: Path, reports: list[str]) -> tuple[dict[str, Any], int, set[str]]:
    """Values by id, the counter, and who is related."""
    storage = MemoryStorage(keeper=FileKeeper(folder, report=lambda text, _: reports.append(text)))
    await storage.open()
    try:
        rows = await storage.find(Query("Post", limit=10**9))
        found = {str(row["objectId"]): row.get("v") for row in rows}
        counter = await storage.get("Post", "counter")
        assert counter is not None
        related = {i for i in found if await storage.related("Post", i, "friends") == ["counter"]}
    finally:
        await storage.close()
    del found["counter"]
    return found, int(str(counter["n"])), related


def test_a_hundred_kills_lose_nothing_that_was_answered(tmp_path: Path) -> None:
    rng, expected, reports = random.Random(20_261_120), Expected(), list[str]()
    answers, folder = 0, tmp_path
    for trial in range(TRIALS):
        if trial % PER_FOLDER == 0:
            answers += expected.answers
            expected, folder = Expected(), tmp_path / str(trial)
        expected.pairs.clear()
        for said in killed_writer(folder, trial, rng.uniform(0.0, 0.08)):
            expected.hear(said)
        found, count, related = asyncio.run(opened(folder, reports))
        lost = {
            i: v
            for i, v in expected.objects.items()
            if i not in found and i not in expected.maybe_gone
        }
        assert not lost, f"trial {trial}: {lost}"
        # of each object at most one update was not answered, and it is a later one
        older = {i for i, v in expected.objects.items() if i in found and found[i] < v}
        assert not older, f"trial {trial}: {older}"
        assert expected.count <= count <= expected.count + 1, f"trial {trial}"
        assert expected.related & found.keys() <= related, f"trial {trial}"
        halves = [pair for pair in expected.pairs if len(found.keys() & set(pair)) == 1]
        gone = expected.maybe_gone | (expected.objects.keys() ^ found.keys())
        assert all(set(pair) & gone for pair in halves), f"trial {trial}: {halves}"
        expected.settle(found, count)
        expected.related &= found.keys()
    assert all("not complete" in report for report in reports), reports
    answers += expected.answers
    print(f"{TRIALS} kills, {answers} answers, {len(reports)} torn ends cut off")
    assert answers > TRIALS * 5
