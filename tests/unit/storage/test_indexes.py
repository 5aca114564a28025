"""Indexes answer as scans do, whatever is written meanwhile."""

import asyncio
import random
from typing import Any

import pytest

from lean_emulator.model.access import Principal, read_filter
from lean_emulator.model.operations import Set, Unset
from lean_emulator.model.predicate import compile_where, sorted_documents
from lean_emulator.model.query import Compare, Order, Query, Where, both
from lean_emulator.model.schema import ANY, ClassSchema
from lean_emulator.storage import indexes, memory
from lean_emulator.storage.contract import Change, Delete, Insert, Update
from lean_emulator.storage.memory import MemoryStorage

VALUES: list[Any] = [
    *range(6), 2.5, True, False, None, "a", "b", "aa", ["a", 2], [[1]], [],
    {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"},
    {"__type": "Date", "iso": "2021-01-01T00:00:00.000Z"},
    {"__type": "Pointer", "className": "C", "objectId": "p1"},
    {"__type": "Pointer", "className": "C", "objectId": "p2"},
    {"x": 1}, {"x": "a"}, {"x": ["a", 2]}, [{"x": 1}, {"x": 2}, 5],
]  # fmt: skip


@pytest.fixture(autouse=True)
def small_classes_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "WORTH_IT", 5)
    monkeypatch.setattr(memory, "WORTH_IT", 5)


class Shadow:
    """The same objects in a list, asked by scanning."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    def find(self, query: Query) -> list[dict[str, Any]]:
        matches = compile_where(query.where)
        rows = [row for row in self.rows.values() if matches(row)]
        wanted = query.skip + query.limit
        return sorted_documents(rows, query.order, wanted)[query.skip :]

    def count(self, query: Query) -> int:
        return sum(map(compile_where(query.where), self.rows.values()))


def a_condition(chance: random.Random) -> Where:
    op: Any = chance.choice(["eq", "eq", "eq", "lt", "lte", "gt", "gte"])
    path = chance.choice(["k", "m", "n", "k.x", "m.x"])
    return Compare(path, op, chance.choice(VALUES))


def a_query(chance: random.Random) -> Query:
    where = a_condition(chance)
    if chance.random() < 0.5:
        where = both(where, a_condition(chance))
    order = tuple(
        Order(chance.choice("kmn"), chance.random() < 0.5) for _ in range(chance.choice([0, 1, 1]))
    )
    return Query("C", where, order, chance.choice([0, 0, 3]), chance.choice([1, 5, 1_000]))


def a_change(chance: random.Random, shadow: Shadow, number: int) -> Change:
    now = f"2024-01-01T00:00:{number % 60:02d}.000Z"
    if not shadow.rows or chance.random() < 0.5:
        row = {key: chance.choice(VALUES) for key in "kmn" if chance.random() < 0.8}
        return Insert("C", {**row, "objectId": f"o{number}", "createdAt": now, "updatedAt": now})
    object_id = chance.choice(list(shadow.rows))
    if chance.random() < 0.3:
        return Delete("C", object_id)
    write = {key: Set(chance.choice(VALUES)) for key in "km" if chance.random() < 0.7}
    return Update("C", object_id, {**write, "n": Unset()}, now)


@pytest.mark.parametrize("seed", range(12))
def test_index_answers_equal_scan_answers_under_random_writes(seed: int) -> None:
    asyncio.run(compare_for_a_while(random.Random(seed)))


async def compare_for_a_while(chance: random.Random) -> None:
    storage, shadow = MemoryStorage(), Shadow()
    await storage.save_class(ClassSchema("C", dict.fromkeys("kmn", ANY)))
    for number in range(250):
        (done,) = await storage.commit([a_change(chance, shadow, number)])
        if done.after is None:
            shadow.rows.pop(done.change.object_id)
        else:
            shadow.rows[done.change.object_id] = done.after
        query = a_query(chance)
        assert await storage.find(query) == shadow.find(query), query
        assert await storage.count(query) == shadow.count(query), query


def test_an_index_nobody_asks_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "IDLE_WRITES", 10)

    async def scene() -> None:
        storage = MemoryStorage()

        async def insert(count: int) -> None:
            for _ in range(count):
                number = await storage.count(Query("C"))
                row: Any = {
                    "k": number % 3,
                    "objectId": f"o{number}",
                    "createdAt": "",
                    "updatedAt": "",
                }
                await storage.commit([Insert("C", row)])

        await insert(10)
        query = Query("C", Compare("k", "eq", 1), (Order("k"),))
        for _ in range(2):
            await storage.find(query)
        made = storage._tables["C"].indexes
        assert made._hash.keys() == {"k"}
        await insert(20)
        assert made._hash.keys() == set()
        assert len(await storage.find(query)) == 10

    asyncio.run(scene())


def test_counting_one_indexed_equality_looks_at_no_object() -> None:
    async def scene() -> None:
        storage = MemoryStorage()
        for n in range(50):
            row: Any = {"k": n % 5, "objectId": f"o{n}", "createdAt": "", "updatedAt": ""}
            await storage.commit([Insert("C", row)])
        query = Query("C", Compare("k", "eq", 1))
        for _ in range(2):
            assert await storage.count(query) == 10
        assert storage._tables["C"].indexes.exact(query.where) == 10

    asyncio.run(scene())


def test_what_is_inside_of_objects_is_indexed_too() -> None:
    async def scene() -> None:
        storage = MemoryStorage()
        for n in range(50):
            row: Any = {"k": {"p": {"uid": f"u{n}"}}, "objectId": f"o{n}"}
            await storage.commit([Insert("C", {**row, "createdAt": "", "updatedAt": ""})])
        query = Query("C", Compare("k.p.uid", "eq", "u7"))
        for _ in range(2):
            (found,) = await storage.find(query)
            assert found["objectId"] == "o7"
        narrowed = storage._tables["C"].indexes.narrowed({}, query.where)
        assert narrowed is None, "a small class is not narrowed"
        narrowed = storage._tables["C"].indexes.narrowed(
            storage._tables["C"].documents, query.where
        )
        assert narrowed is not None
        assert list(narrowed) == ["o7"]

    asyncio.run(scene())


def test_writes_while_an_index_is_built_are_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "SLICE", 3)

    async def scene() -> None:
        storage = MemoryStorage()

        def row(n: int) -> Any:
            return {"k": n % 4, "s": -n, "objectId": f"o{n}", "createdAt": "", "updatedAt": ""}

        for n in range(40):
            await storage.commit([Insert("C", row(n))])
        query = Query("C", Compare("k", "eq", 1), (Order("s"),), limit=1_000)
        await storage.find(query)

        async def write() -> None:
            for n in range(20):
                await asyncio.sleep(0)
                await storage.commit([Insert("C", row(100 + n)), Delete("C", f"o{n}")])
                now = "2024-01-01T00:00:00.000Z"
                await storage.commit([Update("C", f"o{39 - n // 2}", {"k": Set(1)}, now)])

        _, _ = await asyncio.gather(storage.find(query), write())
        made = storage._tables["C"].indexes
        assert (list(made._hash), list(made._ordered)) == (["k"], ["s"])
        rows = [r for r in storage._tables["C"].documents.values() if r["k"] == 1]
        assert await storage.count(Query("C", Compare("k", "eq", 1))) == len(rows)
        assert await storage.find(query) == sorted(rows, key=lambda r: r["s"])  # type: ignore[arg-type,return-value]  # numbers
        ids = list(made.ordered(Order("s"), Compare("k", "eq", 1)) or ())
        assert sorted(ids) == sorted(storage._tables["C"].documents)

    asyncio.run(scene())


def test_counting_a_list_does_not_count_what_is_in_it() -> None:
    async def scene() -> None:
        storage = MemoryStorage()
        for n in range(20):
            value: Any = [5] if n < 3 else [5, 6]
            row: Any = {"k": value, "objectId": f"o{n}", "createdAt": "", "updatedAt": ""}
            await storage.commit([Insert("C", row)])
        for _ in range(2):
            assert await storage.count(Query("C", Compare("k", "eq", 5))) == 20
        assert await storage.count(Query("C", Compare("k", "eq", [5]))) == 3

    asyncio.run(scene())


async def test_the_rights_of_a_reader_with_many_roles_leave_indexes_in_use() -> None:
    found = indexes.ClassIndexes()
    rows: dict[str, dict[str, Any]] = {
        f"o{n}": {"objectId": f"o{n}", "k": n % 10, "ACL": {}} for n in range(100)
    }
    for object_id, row in rows.items():
        found.change(object_id, None, row)
    reader = Principal("user", {"objectId": "u1"}, {f"r{n}": f"role{n}" for n in range(50)})
    where = both(Compare("k", "eq", 3), read_filter(reader))
    for _ in range(3):  # an index grows when it is asked for again
        await found.prepare(rows, where, ())
    left = found.narrowed(rows, where)
    assert left is not None
    assert set(left) == {f"o{n}" for n in range(3, 100, 10)}
