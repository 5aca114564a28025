"""Which storage is meant: the real one, or the fork of a rehearsal."""

import asyncio

import pytest

from lean_emulator.base.errors import ApiError
from lean_emulator.model.query import Query
from lean_emulator.storage.memory import MemoryStorage
from lean_emulator.storage.rehearsable import RehearsableStorage, current_rehearsal
from tests.contract.storage_suite import Make, StorageSuite, delete, insert, opened, update


class TestRehearsable(StorageSuite):
    """It keeps every promise of the storage behind it."""

    @pytest.fixture
    def make(self) -> Make:
        return lambda: opened(RehearsableStorage(MemoryStorage()))


async def test_writes_inside_are_noted_and_stay_inside() -> None:
    storage = RehearsableStorage(MemoryStorage())
    await storage.commit([insert("p1", n=1)])
    rehearsal = storage.begin()
    with rehearsal.entered():
        await storage.commit([update("p1", {"n": 2})])
        await storage.commit([insert("p2", n=3), delete("p1")])
        assert await storage.count(Query("Post")) == 1
        assert current_rehearsal() is rehearsal
    assert current_rehearsal() is None
    assert [type(done.change).__name__ for done in rehearsal.commits] == [
        "Update", "Insert", "Delete",
    ]  # fmt: skip
    assert await storage.get("Post", "p1") == insert("p1", n=1).document
    assert await storage.get("Post", "p2") is None


async def test_tasks_that_start_inside_stay_inside() -> None:
    storage = RehearsableStorage(MemoryStorage())
    go_on = asyncio.Event()

    async def later() -> None:
        await go_on.wait()
        await storage.commit([insert("p1")])

    rehearsal = storage.begin()
    with rehearsal.entered():
        task = asyncio.create_task(later())
    go_on.set()
    await task
    assert len(rehearsal.commits) == 1
    assert await storage.count(Query("Post")) == 0


async def test_what_comes_after_the_end_is_refused() -> None:
    storage = RehearsableStorage(MemoryStorage())
    rehearsal = storage.begin()
    await rehearsal.drop()
    await rehearsal.drop()
    with rehearsal.entered(), pytest.raises(ApiError) as caught:
        await storage.commit([insert("p1")])
    assert caught.value.hint is not None
    assert await storage.count(Query("Post")) == 0


async def test_a_dropped_rehearsal_gives_its_tables_back() -> None:
    real = MemoryStorage()
    storage = RehearsableStorage(real)
    await storage.commit([insert("p1")])
    table = real._tables["Post"]
    await storage.begin().drop()
    await storage.commit([insert("p2")])
    assert real._tables["Post"] is table
