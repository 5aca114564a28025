"""What every storage promises about unique indexes, numbered columns and declared classes."""

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

from lean_emulator.base.errors import ApiError, DuplicateValue
from lean_emulator.model.column_options import Options
from lean_emulator.model.declared_index import Index
from lean_emulator.model.operations import parse_write
from lean_emulator.model.schema import NUMBER, ClassSchema, new_class
from lean_emulator.model.values import pointer
from lean_emulator.storage.contract import Change, Delete, Storage, Update
from tests.contract.storage_suite import Make, delete, ids, insert, query, update


def unique(*paths: str, sparse: bool = False) -> Index:
    return Index("-".join(paths), tuple((path, 1) for path in paths), unique=True, sparse=sparse)


async def indexed(storage: Storage, *indexes: Index) -> None:
    known = storage.classes().get("Post") or new_class("Post")
    await storage.save_class(replace(known, indexes=indexes))


async def numbered(storage: Storage) -> None:
    known = storage.classes().get("Post") or new_class("Post")
    await storage.save_class(
        replace(
            known,
            columns={**known.columns, "nid": NUMBER},
            options={"nid": Options(auto_increment=True)},
        )
    )


async def refuses(storage: Storage, field: str, *changes: Change) -> None:
    kept = await storage.find(query())
    with pytest.raises(DuplicateValue) as caught:
        await storage.commit(changes)
    assert (caught.value.code, caught.value.field) == (137, field)
    assert await storage.find(query()) == kept


async def numbers(storage: Storage) -> list[Any]:
    return [row.get("nid") for row in await storage.find(query())]


def collides(rows: dict[str, dict[str, int]]) -> bool:
    """Whether two rows have the same ``a`` and ``b``, one at least, or the same ``c``."""
    pairs = [(row.get("a"), row.get("b")) for row in rows.values() if row.keys() & {"a", "b"}]
    singles = [row["c"] for row in rows.values() if "c" in row]
    return len(set(pairs)) < len(pairs) or len(set(singles)) < len(singles)


class ConstraintSuite:
    """One test per promise."""

    @pytest.fixture
    def make(self) -> Make:
        raise NotImplementedError

    async def test_a_unique_index_holds_each_value_once(self, make: Make) -> None:
        async with make() as storage:
            await indexed(storage, unique("code"))
            await storage.commit([insert("p1", code=1), insert("p2", code=2)])
            await refuses(storage, "code", insert("p3", code=1))
            await refuses(storage, "code", insert("p3", code=1.0))
            await refuses(storage, "code", update("p2", {"code": 1}))
            await refuses(storage, "code", update("p2", {"code": {"__op": "Decrement"}}))
            await refuses(storage, "code", insert("p3", code=3), insert("p4", code=3))
            await storage.commit([update("p1", {"code": 1, "other": 1}), insert("p3", code=3)])

    async def test_a_number_of_a_phone_is_one_in_both_spellings(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("ann", "_User", mobilePhoneNumber="13800000000")])
            taken = insert("bob", "_User", mobilePhoneNumber="+8613800000000")
            with pytest.raises(DuplicateValue) as caught:
                await storage.commit([taken])
            assert caught.value.field == "mobilePhoneNumber"
            await storage.commit([insert("eve", "_User", mobilePhoneNumber="+113800000000")])
            await storage.commit([Delete("_User", "ann"), taken])

    async def test_the_whole_of_a_refused_commit_is_undone(self, make: Make) -> None:
        async with make() as storage:
            await indexed(storage, unique("code"))
            await storage.commit([insert("p1", code=1)])
            changes: list[Change] = [
                update("p1", {"code": 2}),
                insert("p2", code=3),
                insert("p3", code=2),
            ]
            await refuses(storage, "code", *changes)
            await refuses(storage, "code", insert("p2", code=1))
            await storage.commit([insert("p2", code=2), insert("p3", code=3)])

    async def test_values_move_and_become_free_within_a_commit(self, make: Make) -> None:
        async with make() as storage:
            await indexed(storage, unique("code"))
            await storage.commit([insert("p1", code=1), insert("p2", code=2)])
            await storage.commit(
                [update("p1", {"code": 3}), update("p2", {"code": 1}), insert("p4", code=2)]
            )
            await storage.commit([delete("p4"), insert("p5", code=2)])
            await refuses(storage, "code", insert("p6", code=3))
            await storage.commit([update("p1", {"code": {"__op": "Delete"}}), insert("p6", code=3)])

    async def test_objects_without_a_value_count_as_one(self, make: Make) -> None:
        async with make() as storage:
            await indexed(storage, unique("code"))
            await storage.commit([insert("p1")])
            await refuses(storage, "code", insert("p2"))
            await refuses(storage, "code", insert("p2", code=None))

    async def test_a_sparse_index_leaves_them_out(self, make: Make) -> None:
        async with make() as storage:
            await indexed(storage, unique("code", sparse=True))
            await storage.commit([insert("p1"), insert("p2"), insert("p3", code=1)])
            await refuses(storage, "code", insert("p4", code=1))
            await refuses(storage, "code", update("p1", {"code": 1}))

    async def test_several_columns_are_unique_together(self, make: Make) -> None:
        async with make() as storage:
            await indexed(storage, unique("revision.$id", "author.$id"))

            def vote(name: str, revision: str, author: str) -> Change:
                return insert(
                    name, revision=pointer("Revision", revision), author=pointer("_User", author)
                )

            await storage.commit([vote("p1", "r1", "ann"), vote("p2", "r1", "bob")])
            await refuses(storage, "revision, author", vote("p3", "r1", "ann"))
            other = update("p2", {"author": pointer("_User", "ann")})
            await refuses(storage, "revision, author", other)
            await storage.commit([vote("p3", "r2", "ann")])

    async def test_every_member_of_a_list_counts(self, make: Make) -> None:
        async with make() as storage:
            await indexed(storage, unique("tags", sparse=True))
            await storage.commit([insert("p1", tags=["a", "b", "a"]), insert("p2", tags=["c"])])
            await refuses(storage, "tags", insert("p3", tags=["x", "b"]))
            add = update("p2", {"tags": {"__op": "Add", "objects": ["a"]}})
            await refuses(storage, "tags", add)
            take = update("p1", {"tags": {"__op": "Remove", "objects": ["a"]}})
            await storage.commit([take, add])

    async def test_indexes_hold_beside_each_other(self, make: Make) -> None:
        async with make() as storage:
            plain = Index("plain", (("a", 1),))
            await indexed(storage, unique("a", sparse=True), unique("b", sparse=True), plain)
            await storage.commit([insert("p1", a=1, b=1), insert("p2", a=2)])
            await refuses(storage, "b", insert("p3", a=3, b=1))
            await refuses(storage, "a", insert("p3", a=2, b=3))

    async def test_an_index_that_is_broken_already_is_refused(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", a=1, b=1), insert("p2", a=1, b=2)])
            kept = storage.classes()["Post"]
            with pytest.raises(DuplicateValue) as caught:
                await indexed(storage, unique("a"))
            assert caught.value.field == "a"
            assert storage.classes()["Post"] == kept
            await indexed(storage, unique("a", "b"))
            await refuses(storage, "a, b", insert("p3", a=1, b=2))

    async def test_an_index_that_is_taken_away_holds_no_more(self, make: Make) -> None:
        async with make() as storage:
            await indexed(storage, unique("code"))
            await storage.commit([insert("p1", code=1)])
            await indexed(storage)
            await storage.commit([insert("p2", code=1)])

    async def test_new_columns_leave_options_and_indexes_alone(self, make: Make) -> None:
        async with make() as storage:
            await indexed(storage, unique("code", sparse=True))
            await numbered(storage)
            before = storage.classes()["Post"]
            await storage.commit([insert("p1", fresh=1)])
            after = storage.classes()["Post"]
            assert (after.options, after.indexes) == (before.options, before.indexes)
            assert after.columns["fresh"] == NUMBER

    @pytest.mark.parametrize("seed", range(5))
    async def test_random_writes_are_refused_exactly_when_they_collide(
        self, make: Make, seed: int
    ) -> None:
        chance = random.Random(seed)
        async with make() as storage:
            await indexed(storage, unique("a", "b", sparse=True), unique("c", sparse=True))
            rows: dict[str, dict[str, int]] = {}
            outcomes = set()
            for _ in range(400):
                changes: list[Change] = []
                wanted = {name: dict(row) for name, row in rows.items()}
                ends_free = True
                for _ in range(chance.randint(1, 3)):
                    name = f"p{chance.randrange(8)}"
                    fields: dict[str, Any] = {
                        key: chance.randrange(4) for key in chance.sample("abc", 2)
                    }
                    if name in wanted and chance.random() < 0.4:
                        del wanted[name]
                        changes.append(delete(name))
                    elif name in wanted:
                        wanted[name] |= fields
                        changes.append(update(name, fields))
                    else:
                        wanted[name] = fields
                        changes.append(insert(name, **fields))
                    ends_free = ends_free and not collides(wanted)
                try:
                    await storage.commit(changes)
                except DuplicateValue:
                    assert not ends_free
                else:
                    assert ends_free
                    rows = wanted
                outcomes.add(ends_free)
            assert outcomes == {True, False}
            stored = await storage.find(query())
            kept = {str(r["objectId"]): {k: r[k] for k in "abc" if k in r} for r in stored}
            assert kept == rows

    async def test_objects_are_numbered_from_one(self, make: Make) -> None:
        async with make() as storage:
            await numbered(storage)
            first, second = await storage.commit([insert("p1"), insert("p2", nid=None)])
            assert first.after is not None
            assert second.after is not None
            assert (first.after["nid"], second.after["nid"]) == (1, 2)
            assert await ids(storage, where={"nid": 2}) == ["p2"]

    async def test_many_at_once_get_each_number_once(self, make: Make) -> None:
        async with make() as storage:
            await numbered(storage)
            await asyncio.gather(*(storage.commit([insert(f"p{n}")]) for n in range(50)))
            assert sorted(await numbers(storage)) == list(range(1, 51))

    async def test_a_number_that_is_given_counts(self, make: Make) -> None:
        async with make() as storage:
            await numbered(storage)
            await storage.commit([insert("p1", nid=7), insert("p2"), insert("p3", nid=3)])
            await storage.commit(
                [insert("p4"), Update("Post", "p4", parse_write({"nid": 20}), "t")]
            )
            await storage.commit([insert("p5")])
            assert await numbers(storage) == [7, 8, 3, 20, 21]

    async def test_a_number_is_not_given_twice(self, make: Make) -> None:
        async with make() as storage:
            await numbered(storage)
            await storage.commit([insert("p1"), insert("p2")])
            await storage.commit([delete("p2")])
            await storage.commit([insert("p3")])
            assert await numbers(storage) == [1, 3]

    async def test_a_refused_commit_takes_no_number(self, make: Make) -> None:
        async with make() as storage:
            await numbered(storage)
            await storage.commit([insert("p1", n=1)])
            with pytest.raises(ApiError):
                await storage.commit([insert("p2", n=1), insert("p3", n="text")])
            await storage.commit([insert("p2")])
            assert await numbers(storage) == [1, 2]

    async def test_counting_goes_on_from_the_largest_there_is(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", nid=41), insert("p2")])
            await numbered(storage)
            await storage.commit([insert("p3")])
            assert await numbers(storage) == [41, None, 42]

    async def test_declaring_again_counts_on(self, make: Make) -> None:
        async with make() as storage:
            await numbered(storage)
            await storage.commit([insert("p1"), insert("p2"), delete("p2")])
            await numbered(storage)
            await storage.commit([insert("p3")])
            assert await numbers(storage) == [1, 3]

    async def test_a_class_that_was_dropped_or_cleared_starts_anew(self, make: Make) -> None:
        async with make() as storage:

            async def begin() -> None:
                await numbered(storage)
                await indexed(storage, unique("code"))
                await storage.commit([insert("p1", code=1)])
                assert await numbers(storage) == [1]

            await begin()
            await storage.drop_class("Post")
            await begin()
            await storage.clear()
            await begin()

    async def test_a_declared_class_is_kept_whole(self, make: Make) -> None:
        async with make() as storage:
            schema = ClassSchema(
                "Post",
                {**new_class("Post").columns, "n": NUMBER},
                options={"n": Options(required=True, default=3, comment="how many")},
                indexes=(unique("n", sparse=True),),
                permissions={"find": {"*": True}},
                kind="log",
            )
            await storage.save_class(schema)
            assert storage.classes()["Post"] == schema
