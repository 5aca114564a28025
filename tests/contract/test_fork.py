"""Forks of a memory storage: equal at first, apart from then on, given back when cleared."""

import asyncio
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from lean_emulator.base.errors import ApiError
from lean_emulator.model.query import Compare, Order, Query
from lean_emulator.model.schema import new_class
from lean_emulator.storage import indexes, memory
from lean_emulator.storage.contract import Change
from lean_emulator.storage.memory import MemoryStorage
from tests.contract.storage_suite import delete, insert, relation, update

IDS = ("p1", "p2", "p3")
_MANY = 1_000

_codes = st.sampled_from(["a", "b"])
_fields = st.fixed_dictionaries(
    {"k": st.integers(0, 2), "tags": st.lists(st.integers(0, 2), max_size=2)},
    optional={"code": _codes},
)
_objects = st.sampled_from(IDS)
_members = st.lists(st.sampled_from(["u1", "u2"]), min_size=1, max_size=2, unique=True)
_changes = st.one_of(
    st.builds(lambda object_id, fields: insert(object_id, **fields), _objects, _fields),
    st.builds(update, _objects, _fields),
    st.builds(lambda object_id, code: update(object_id, {"code": code}), _objects, _codes),
    st.builds(
        lambda object_id, word, users: update(object_id, {"likes": relation(word, *users)}),
        _objects,
        st.sampled_from(["Add", "Remove"]),
        _members,
    ),
    st.builds(delete, _objects),
)
_sides = st.integers(0, 5)
_commits = st.tuples(st.just("commit"), _sides, _changes)
_deeds = st.one_of(
    _commits,
    _commits,
    _commits,
    st.tuples(st.just("fork"), _sides, st.none()),
    st.tuples(st.just("restore"), _sides, _sides),
    st.tuples(st.just("clear"), _sides, st.none()),
    st.tuples(st.just("unique"), _sides, st.sampled_from([frozenset(), {"code"}])),
)


class Pair:
    """A storage that shares, and one that was made by doing all its writes again."""

    def __init__(self) -> None:
        self.storage = MemoryStorage()
        self.deeds: list[tuple[str, Any]] = []


async def attempted(storage: MemoryStorage, deed: str, what: Any) -> str:
    """Do it; what it was refused with, or nothing."""
    try:
        if deed == "commit":
            change: Change = what
            await storage.commit([change])
        elif deed == "unique":
            known = storage.classes().get("Post") or new_class("Post")
            await storage.save_class(replace(known, unique=frozenset(what)))
        else:
            await storage.clear()
    except ApiError as e:
        return f"{e.code}"
    return ""


async def content(storage: MemoryStorage) -> Any:
    """Everything one can ask of it, twice, so that indexes answer too."""
    found: list[Any] = []
    for _ in range(2):
        found.append(await storage.find(Query("Post", limit=_MANY)))
        found.append(await storage.find(Query("Post", order=(Order("k", True),), limit=_MANY)))
        for path, values in (("k", (0, 1, 2)), ("tags", (0, 1, 2)), ("code", ("a", "b"))):
            for value in values:
                query = Query("Post", Compare(path, "eq", value), limit=_MANY)
                found.append((await storage.find(query), await storage.count(query)))
    links = [await storage.related("Post", object_id, "likes") for object_id in IDS]
    back = [await storage.owners("Post", "likes", user) for user in ("u1", "u2")]
    return dict(storage.classes()), found, links, back


@pytest.fixture(autouse=True)
def small_classes_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "WORTH_IT", 1)
    monkeypatch.setattr(memory, "WORTH_IT", 1)


@settings(max_examples=150, deadline=None)
@given(st.lists(_deeds, min_size=8, max_size=25))
def test_no_side_sees_what_others_write(deeds: list[tuple[str, int, Any]]) -> None:
    asyncio.run(_play(deeds))


async def _play(deeds: list[tuple[str, int, Any]]) -> None:
    sides = [Pair()]
    start = [insert(object_id, k=k, tags=[k]) for k, object_id in enumerate(IDS)]
    for deed, number, what in [
        *(("commit", 0, change) for change in start),
        ("unique", 0, {"code"}),
        ("fork", 0, None),
        ("fork", 1, None),
        *deeds,
    ]:
        side = sides[number % len(sides)]
        if deed == "fork":
            other = Pair()
            other.storage, other.deeds = side.storage.fork(), [*side.deeds]
            sides.append(other)
        elif deed == "restore":
            source = sides[what % len(sides)]
            if source is not side:
                await side.storage.restore(source.storage)
                side.deeds = [*source.deeds]
        else:
            await attempted(side.storage, deed, what)
            side.deeds.append((deed, what))
        await content(side.storage)  # grows indexes, which are shared or copied next
    for side in sides:
        alone = MemoryStorage()
        for deed, what in side.deeds:
            await attempted(alone, deed, what)
        assert await content(side.storage) == await content(alone)


async def test_a_write_copies_a_table_only_while_it_is_shared() -> None:
    storage = MemoryStorage()
    await storage.commit([insert("p1", n=1)])
    table = storage._tables["Post"]
    fork = storage.fork()
    assert fork._tables["Post"] is table
    await fork.clear()
    await storage.commit([insert("p2", n=2)])
    assert storage._tables["Post"] is table


async def test_a_fork_that_wrote_leaves_the_table_to_the_other() -> None:
    storage = MemoryStorage()
    await storage.commit([insert("p1", n=1)])
    table = storage._tables["Post"]
    fork = storage.fork()
    await fork.commit([insert("p2", n=2)])
    await storage.commit([insert("p3", n=3)])
    assert storage._tables["Post"] is table
    assert [row["objectId"] for row in await fork.find(Query("Post"))] == ["p1", "p2"]


async def test_what_is_not_there_is_deleted_without_a_copy() -> None:
    storage = MemoryStorage()
    await storage.commit([insert("p1", n=1)])
    fork = storage.fork()
    await fork.commit([delete("nobody")])
    assert fork._tables["Post"] is storage._tables["Post"]


async def test_an_index_that_is_being_built_survives_a_fork_that_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexes, "SLICE", 3)
    storage = MemoryStorage()
    await storage.commit([insert(f"p{n}", k=n % 2) for n in range(20)])
    query = Query("Post", Compare("k", "eq", 1), limit=_MANY)
    await storage.find(query)
    building = asyncio.create_task(storage.find(query))
    await asyncio.sleep(0)
    fork = storage.fork()
    await storage.commit([insert("new", k=1)])
    assert len(await building) in (10, 11)
    assert len(await storage.find(query)) == 11
    assert len(await fork.find(query)) == 10


async def test_a_saved_state_can_be_restored_again_and_again() -> None:
    storage = MemoryStorage()
    await storage.commit([insert("p1", n=1)])
    saved = storage.fork()
    for _ in range(3):
        await storage.commit([update("p1", {"n": 2}), insert("p2", n=3)])
        await storage.restore(saved)
        assert await storage.find(Query("Post")) == [insert("p1", n=1).document]
    assert await saved.count(Query("Post")) == 1


async def test_a_fork_has_the_stamps_of_its_origin_until_one_of_them_writes() -> None:
    origin = MemoryStorage()
    await origin.commit([insert("p1"), insert("o1", "Other")])
    fork = origin.fork()
    before = origin.stamp("Post")
    assert fork.stamp("Post") is before
    await fork.commit([insert("p2")])
    assert origin.stamp("Post") is before
    assert fork.stamp("Post") is not before
    assert fork.stamp("Other") is origin.stamp("Other")
    await fork.restore(origin)
    assert fork.stamp("Post") is before
