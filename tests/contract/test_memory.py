"""The memory storage keeps the promises of every storage, and some of its own."""

import asyncio

import pytest

from lean_emulator.model.operations import parse_write
from lean_emulator.model.query import Query
from lean_emulator.storage import table
from lean_emulator.storage.contract import Insert, Update
from lean_emulator.storage.memory import MemoryStorage
from tests.contract.storage_suite import Make, StorageSuite, ids, insert, opened
from tests.support.forking import Forking


class TestMemory(StorageSuite):
    @pytest.fixture
    def make(self) -> Make:
        return lambda: opened(MemoryStorage())


class TestFork(StorageSuite):
    """A fork keeps the promises, and so does what it was forked from."""

    @pytest.fixture
    def make(self) -> Make:
        return lambda: opened(Forking())


async def test_increments_from_many_tasks_all_count() -> None:
    async with opened(MemoryStorage()) as storage:
        await storage.commit([insert("p1", n=0)])
        plus = Update("Post", "p1", parse_write({"n": {"__op": "Increment"}}), "t")
        await asyncio.gather(*(storage.commit([plus]) for _ in range(200)))
        stored = await storage.get("Post", "p1")
        assert stored is not None
        assert stored["n"] == 200


async def test_a_long_scan_lets_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "SLICE", 10)
    async with opened(MemoryStorage()) as storage:
        await storage.commit([insert(f"p{n:03}", n=n) for n in range(100)])
        scan = asyncio.create_task(ids(storage, where={"n": {"$gte": 0}}, limit=1000))
        await asyncio.sleep(0)
        assert not scan.done()
        await storage.commit([insert("late", n=5)])
        assert (await scan)[:100] == [f"p{n:03}" for n in range(100)]


async def test_a_scan_stops_when_it_has_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "SLICE", 10)
    async with opened(MemoryStorage()) as storage:
        await storage.commit([insert(f"p{n:03}", n=n) for n in range(100)])
        scan = asyncio.create_task(ids(storage, where={"n": {"$gte": 0}}, limit=3))
        await asyncio.sleep(0)
        assert scan.done()
        assert await scan == ["p000", "p001", "p002"]


async def test_documents_are_kept_as_they_are() -> None:
    async with opened(MemoryStorage()) as storage:
        document = insert("p1", tags=["a"]).document
        await storage.commit([Insert("Post", document)])
        assert await storage.get("Post", "p1") is document
        assert (await storage.find(Query("Post")))[0] is document
