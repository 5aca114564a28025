"""Inboxes of statuses on a storage that counts what is asked of it."""

from typing import Any

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.service.status_inbox import AT_ONCE, Box, Counts, StatusInboxes
from lean_emulator.storage.memory import MemoryStorage

ANN = Box("_User", "ann", "default")


class CountingStorage(MemoryStorage):
    """Counts reads by id, and the changes of each commit."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.searches = 0
        self.commits: list[int] = []

    async def get(self, class_name: str, object_id: str) -> dict[str, Any] | None:
        self.reads += 1
        return await super().get(class_name, object_id)

    async def find(self, query: Any) -> list[dict[str, Any]]:
        self.searches += 1
        return await super().find(query)

    async def commit(self, changes: Any) -> Any:
        self.commits.append(len(changes))
        return await super().commit(changes)

    def forget(self) -> None:
        self.reads, self.searches, self.commits = 0, 0, []


@pytest.fixture
def storage() -> CountingStorage:
    return CountingStorage()


@pytest.fixture
def boxes(storage: CountingStorage) -> StatusInboxes:
    return StatusInboxes(storage, ManualClock())


async def read(boxes: StatusInboxes, above: int, upto: int, **more: Any) -> list[tuple[int, str]]:
    found = boxes.items(ANN, above=above, upto=upto, **more)
    return [(item.number, item.status_id) async for item in found]


async def test_deliveries_are_numbered_and_counted(boxes: StatusInboxes) -> None:
    assert await boxes.counts(ANN) == Counts()
    for name in ("a", "b", "c"):
        await boxes.deliver([ANN], name)
    assert await read(boxes, 0, 3) == [(3, "c"), (2, "b"), (1, "a")]
    assert await read(boxes, 1, 2) == [(2, "b")]
    assert await read(boxes, 0, 3, oldest_first=True) == [(1, "a"), (2, "b"), (3, "c")]
    assert await boxes.counts(ANN) == Counts(last=3, read=0, total=3, unread=3)


async def test_removal_tells_read_from_unread(boxes: StatusInboxes) -> None:
    for name in ("a", "b"):
        await boxes.deliver([ANN], name)
    await boxes.mark_read(ANN)
    await boxes.deliver([ANN], "c")
    assert await boxes.counts(ANN) == Counts(last=3, read=2, total=3, unread=1)
    await boxes.remove(ANN.key, 1)
    assert await boxes.counts(ANN) == Counts(last=3, read=2, total=2, unread=1)
    await boxes.remove(ANN.key, 3)
    assert await boxes.counts(ANN) == Counts(last=3, read=2, total=1, unread=0)
    for nothing in (1, 3, 99):
        await boxes.remove(ANN.key, nothing)
    assert await boxes.counts(ANN) == Counts(last=3, read=2, total=1, unread=0)
    await boxes.withdraw("b")
    assert (await boxes.counts(ANN)).total == 0


async def test_a_page_costs_what_it_holds(storage: CountingStorage, boxes: StatusInboxes) -> None:
    for n in range(1_000):
        await boxes.deliver([ANN], str(n))
    storage.forget()
    assert len(await read(boxes, 990, 1_000)) == 10
    assert (storage.reads, storage.searches) == (10, 0)


async def test_a_delivery_costs_the_same_whatever_is_there(
    storage: CountingStorage, boxes: StatusInboxes
) -> None:
    costs = []
    for n in range(1_000):
        storage.forget()
        await boxes.deliver([ANN], str(n))
        costs.append((storage.reads, storage.searches, *storage.commits))
    assert set(costs) == {(1, 0, 2)}


async def test_many_inboxes_are_delivered_to_in_portions(
    storage: CountingStorage, boxes: StatusInboxes
) -> None:
    many = [Box("_User", str(n), "default") for n in range(2 * AT_ONCE + 1)]
    await boxes.deliver(many, "news")
    assert storage.commits == [2 * AT_ONCE, 2 * AT_ONCE, 2]
    assert storage.searches == 0
    for box in (many[0], many[AT_ONCE], many[-1]):
        assert (await boxes.counts(box)).total == 1


async def test_somebody_quicker_is_no_loss(boxes: StatusInboxes, storage: CountingStorage) -> None:
    """Another delivery gets in between reading the counters and the commit."""
    await boxes.deliver([ANN], "first")
    quick = StatusInboxes(storage, ManualClock())
    plain = storage.commit

    async def late(changes: Any) -> Any:
        storage.commit = plain  # type: ignore[method-assign]  # once only
        await quick.deliver([ANN], "quick")
        return await plain(changes)

    storage.commit = late  # type: ignore[method-assign]  # stands for another request
    await boxes.deliver([ANN], "late")
    assert [name for _, name in await read(boxes, 0, 9)] == ["late", "quick", "first"]
    assert await boxes.counts(ANN) == Counts(last=3, read=0, total=3, unread=3)


def test_inboxes_of_different_owners_and_types_have_different_keys() -> None:
    kinds = [Box(c, o, t) for c in ("_User", "A") for o in ("a", "b") for t in ("x", "y", "\ud800")]
    assert len({box.key for box in kinds}) == len(kinds)
    assert all(box.key.isalnum() for box in kinds)
