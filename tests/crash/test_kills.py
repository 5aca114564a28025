"""``kill -9`` at any moment: what was answered is there, nothing is there by half.

A hundred kills of a process that does nothing but write, and compacts all the time.
"""

import asyncio
import copy
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


class State:
    """What a storage has to hold, as far as anybody was told."""

    def __init__(self) -> None:
        self.objects: dict[str, int] = {}
        self.related: set[str] = set()
        self.count = 0
        self.maybe_gone: set[str] = set()
        self.pairs: list[list[str]] = []

    def hear(self, said: dict[str, Any]) -> None:
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

    def complaint(self, found: dict[str, Any], count: int, related: set[str]) -> str | None:
        """What was lost or is there by half; ``None`` when all is well."""
        objects = self.objects
        lost = [i for i in objects if i not in found and i not in self.maybe_gone]
        if lost:
            return f"lost: {lost}"
        # of each object at most one update was not answered, and that is a later one
        older = [i for i, v in objects.items() if i in found and found[i] < v]
        if older:
            return f"an older state came back: {older}"
        if not self.count <= count <= self.count + 1:
            return f"{self.count} were counted, {count} are there"
        if not self.related & found.keys() <= related:
            return f"relations are lost: {self.related - related}"
        gone = self.maybe_gone | (objects.keys() ^ found.keys())
        halves = [p for p in self.pairs if len(found.keys() & set(p)) == 1 and not set(p) & gone]
        return f"half of a batch: {halves}" if halves else None

    def settle(self, found: dict[str, Any], count: int, related: set[str]) -> None:
        """Take over what is there: writes may have happened though nobody was told."""
        self.objects, self.count, self.related = dict(found), count, set(related)
        self.maybe_gone.clear()
        self.pairs.clear()


class Expected:
    """The state, those that snapshots keep, and one that may just have been loaded."""

    def __init__(self) -> None:
        self.state = State()
        self.saved: dict[str, State] = {}
        self.loading: State | None = None
        self.answers = 0

    def hear(self, said: dict[str, Any]) -> None:
        self.answers += 1
        match said:
            case {"saved": name}:
                self.saved[name] = copy.deepcopy(self.state)
            case {"loading": name}:
                self.loading = copy.deepcopy(self.saved[name])
            case {"loaded": _}:
                assert self.loading is not None
                self.state, self.loading = self.loading, None
            case _:
                self.state.hear(said)

    def check(self, found: dict[str, Any], count: int, related: set[str]) -> None:
        wrong = self.state.complaint(found, count, related)
        if wrong is not None and self.loading is not None:
            wrong = self.loading.complaint(found, count, related)
        assert wrong is None, wrong
        self.state.settle(found, count, related)
        self.loading = None
        self.saved.clear()  # the next writer knows nothing of them


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
        for said in killed_writer(folder, trial, rng.uniform(0.0, 0.08)):
            expected.hear(said)
        expected.check(*asyncio.run(opened(folder, reports)))
    assert all("not complete" in report for report in reports), reports
    answers += expected.answers
    print(f"{TRIALS} kills, {answers} answers, {len(reports)} torn ends cut off")
    assert answers > TRIALS * 5
