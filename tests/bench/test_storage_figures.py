"""Cost of storage at different sizes, against itself and against mongomock; ratios in one run."""

import asyncio
import json
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.model.operations import Set
from lean_emulator.model.query import Compare, Order, Query
from lean_emulator.model.where_json import parse_where
from lean_emulator.storage.contract import Delete, Insert, Update
from lean_emulator.storage.memory import MemoryStorage

RESULTS = Path(__file__).parent / "results"
LARGE, SMALL = 100_000, 1_000
NOW = "2024-01-01T00:00:00.000Z"

pytestmark = pytest.mark.timeout(600)
FIGURES: dict[str, Any] = {}


@pytest.fixture(scope="module", autouse=True)
def kept() -> Iterator[None]:
    yield
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "storage_figures.json").write_text(json.dumps(FIGURES, indent=2) + "\n")
    print("\n" + json.dumps(FIGURES, indent=2))


def document(n: int) -> dict[str, Any]:
    return {
        "movie": f"movie {n % 997}",
        "stars": n % 5,
        "score": (n * 7919) % 100_003,
        "comment": "c" * 200,
        "objectId": f"{n:024x}",
        "createdAt": NOW,
        "updatedAt": NOW,
    }


async def filled(count: int) -> MemoryStorage:
    storage = MemoryStorage()
    for n in range(count):
        await storage.commit([Insert("C", document(n))])
    return storage


async def timed(repeat: int, work: Callable[[int], Awaitable[object]]) -> float:
    """Microseconds of one call, the median of many."""
    took = []
    for n in range(repeat):
        began = time.perf_counter()
        await work(n)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e6


def test_single_objects_cost_the_same_at_any_size() -> None:
    async def scene() -> None:
        small, large = await filled(SMALL), await filled(LARGE)
        chance = random.Random(1)
        ids = [f"{chance.randrange(SMALL):024x}" for _ in range(2_000)]
        new = iter(range(LARGE, LARGE * 10))

        def works(storage: MemoryStorage) -> dict[str, Callable[[int], Awaitable[object]]]:
            def update(n: int) -> Awaitable[object]:
                write = {"comment": Set("d" * 200)}
                return storage.commit([Update("C", ids[n], write, NOW)])

            return {
                "get": lambda n: storage.get("C", ids[n]),
                "update": update,
                "create": lambda n: storage.commit([Insert("C", document(next(new)))]),
                "delete": lambda n: storage.commit([Delete("C", f"{n:024x}")]),
            }

        for name in ("get", "update", "create", "delete"):
            count = 900 if name == "delete" else 2_000
            ratio = await timed(count, works(large)[name]) / await timed(count, works(small)[name])
            FIGURES[f"{name} at 100k over 1k"] = round(ratio, 2)
            assert ratio <= 1.15 * 1.5

    asyncio.run(scene())


def test_indexed_equality_does_not_grow_with_the_class() -> None:
    async def scene() -> None:
        query = Query("C", Compare("score", "eq", 5), limit=10)
        took = {}
        for size in (SMALL * 3, LARGE):
            storage = await filled(size)
            for _ in range(2):
                await storage.find(query)
            took[size] = await timed(500, lambda n, s=storage: s.find(query))  # type: ignore[misc]
        ratio = took[LARGE] / took[SMALL * 3]
        FIGURES["indexed equality at 100k over 3k"] = round(ratio, 2)
        assert ratio <= 2

    asyncio.run(scene())


def test_where_sort_and_limit_against_mongomock() -> None:
    mongomock = pytest.importorskip("mongomock")

    async def scene() -> None:
        storage = await filled(LARGE)
        peer = mongomock.MongoClient().db.c
        peer.insert_many([{**document(n), "_id": n} for n in range(LARGE)])
        where: Any = {"stars": {"$gte": 2}, "movie": {"$ne": "movie 5"}}
        query = Query("C", parse_where(where), (Order("score", descending=True),), limit=20)

        began = time.perf_counter()
        first = await storage.find(query)
        scan = time.perf_counter() - began
        began = time.perf_counter()
        expected = list(peer.find(where).sort("score", -1).limit(20))
        theirs = time.perf_counter() - began
        assert [row["objectId"] for row in first] == [row["objectId"] for row in expected]
        await storage.find(query)  # builds the index
        indexed = await timed(50, lambda n: storage.find(query)) / 1e6
        FIGURES["where+sort+limit at 100k: mongomock over first scan"] = round(theirs / scan, 1)
        FIGURES["where+sort+limit at 100k: mongomock over index"] = round(theirs / indexed)
        assert theirs / scan >= 25 * 2 / 3
        assert theirs / indexed >= 100

    asyncio.run(scene())
