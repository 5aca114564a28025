"""What ``storage.contract`` promises, asked of any storage.

A module that tests a storage derives its class from ``StorageSuite`` and says how to make one.
"""

import copy
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import cmp_to_key
from typing import Any

import pytest

from lean_emulator.base.errors import ApiError, DuplicateValue, NoEffect
from lean_emulator.model.operations import Relate, parse_operation, parse_write
from lean_emulator.model.query import Query
from lean_emulator.model.schema import ColumnType, new_class
from lean_emulator.model.where_json import parse_query, parse_where
from lean_emulator.storage.contract import Change, Delete, Insert, Storage, Update
from tests.support.naive_where import ABSENT, compare, matches

Make = Callable[[], AbstractAsyncContextManager[Storage]]


@asynccontextmanager
async def opened(storage: Storage) -> AsyncIterator[Storage]:
    await storage.open()
    try:
        yield storage
    finally:
        await storage.close()


def insert(object_id: str, class_name: str = "Post", second: int = 0, **fields: Any) -> Insert:
    at = f"2026-01-01T00:00:{second:02d}.000Z"
    return Insert(class_name, {"objectId": object_id, "createdAt": at, "updatedAt": at, **fields})


def update(object_id: str, body: dict[str, Any], guard: Any = None, at: str = "later") -> Update:
    return Update("Post", object_id, parse_write(body), at, guard and parse_where(guard))


def delete(object_id: str, guard: Any = None) -> Delete:
    return Delete("Post", object_id, guard and parse_where(guard))


def pointer(class_name: str, object_id: str) -> dict[str, Any]:
    return {"__type": "Pointer", "className": class_name, "objectId": object_id}


def relation(word: str, *users: str) -> dict[str, Any]:
    return {"__op": f"{word}Relation", "objects": [pointer("_User", user) for user in users]}


def relate(*users: str) -> Relate:
    operation = parse_operation("likes", relation("Add", *users))
    assert isinstance(operation, Relate)
    return operation


def query(**params: Any) -> Query:
    return parse_query("Post", params)


async def ids(storage: Storage, **params: Any) -> list[str]:
    return [str(row["objectId"]) for row in await storage.find(query(**params))]


def in_order(rows: Iterable[dict[str, Any]], order: str, where: Any) -> list[dict[str, Any]]:
    """Matching rows, sorted by comparing two by two."""
    field, sign = order.removeprefix("-"), -1 if order.startswith("-") else 1

    def by_field(left: dict[str, Any], right: dict[str, Any]) -> int:
        return sign * compare(left.get(field, ABSENT), right.get(field, ABSENT))

    return sorted((row for row in rows if matches(where, row)), key=cmp_to_key(by_field))


class StorageSuite:
    """One test per promise."""

    @pytest.fixture
    def make(self) -> Make:
        raise NotImplementedError

    async def test_what_was_inserted_is_found(self, make: Make) -> None:
        async with make() as storage:
            change = insert("p1", title="x")
            (committed,) = await storage.commit([change])
            assert (committed.change, committed.before) == (change, None)
            assert committed.after == change.document
            assert await storage.get("Post", "p1") == change.document
            assert await storage.find(query()) == [change.document]
            assert await storage.count(query()) == 1

    async def test_an_absent_class_has_no_objects(self, make: Make) -> None:
        async with make() as storage:
            assert await storage.get("Nothing", "p1") is None
            assert await storage.find(query(where={"a": 1})) == []
            assert await storage.count(query()) == 0
            assert "Nothing" not in storage.classes()
            await storage.drop_class("Nothing")

    async def test_asking_makes_no_class(self, make: Make) -> None:
        async with make() as storage:
            await storage.find(query(where={"a": 1}, order="a"))
            await storage.commit([delete("p1")])
            assert dict(storage.classes()) == {}

    async def test_an_update_applies_operations(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", n=1, kept=True)])
            (done,) = await storage.commit([update("p1", {"n": {"__op": "Increment"}}, at="t2")])
            assert done.before is not None
            assert done.after is not None
            assert (done.before["n"], done.after["n"]) == (1, 2)
            assert (done.after["updatedAt"], done.after["kept"]) == ("t2", True)
            assert await storage.get("Post", "p1") == done.after

    async def test_operations_in_one_commit_see_each_other(self, make: Make) -> None:
        async with make() as storage:
            plus = {"n": {"__op": "Increment", "amount": 1}}
            done = await storage.commit([insert("p1", n=0), *[update("p1", plus)] * 10])
            assert [row.after and row.after["n"] for row in done] == list(range(11))
            assert done[5].before == done[4].after

    async def test_an_update_of_an_absent_object_is_code_1(self, make: Make) -> None:
        async with make() as storage:
            refused: list[list[Change]] = [
                [update("p1", {})],
                [insert("p1"), delete("p1"), update("p1", {})],
            ]
            for changes in refused:
                with pytest.raises(ApiError) as caught:
                    await storage.commit(changes)
                assert (caught.value.code, caught.value.message) == (
                    1,
                    "Could not find object by id 'p1' for class 'Post'.",
                )
            assert "Post" not in storage.classes()

    async def test_a_delete_gives_what_was_there(self, make: Make) -> None:
        async with make() as storage:
            (made,) = await storage.commit([insert("p1")])
            (done,) = await storage.commit([delete("p1")])
            assert (done.before, done.after) == (made.after, None)
            assert await storage.get("Post", "p1") is None
            (again,) = await storage.commit([delete("p1")])
            assert (again.before, again.after) == (None, None)

    async def test_a_deleted_id_is_free_again(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1"), insert("p2"), delete("p1"), insert("p1", n=2)])
            assert await ids(storage) == ["p2", "p1"]
            await storage.commit([delete("p2"), insert("p2")])
            assert await ids(storage) == ["p1", "p2"]

    async def test_an_id_that_is_taken_is_refused(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", n=1)])
            for changes in ([insert("p1", n=2)], [insert("p2"), insert("p2")]):
                with pytest.raises(DuplicateValue):
                    await storage.commit(changes)
            assert await storage.find(query()) == [insert("p1", n=1).document]
            await storage.commit([insert("p1", "Album")])

    @pytest.mark.parametrize("good", [{"n": 1}, {"n": {"$lt": 2}}, {"objectId": "p1"}])
    async def test_a_guard_that_holds_lets_through(self, make: Make, good: Any) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", n=1)])
            await storage.commit([update("p1", {"n": 5}, good)])
            assert await ids(storage, where={"n": 5}) == ["p1"]
            await storage.commit([delete("p1", {"n": 5})])
            assert await ids(storage) == []

    async def test_a_guard_that_does_not_hold_changes_nothing(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", n=1)])
            refused: list[list[Change]] = [
                [update("p1", {"n": 5}, {"n": 2})],
                [delete("p1", {"n": 2})],
                [delete("absent", {"n": 2})],
                [update("p1", {"n": 2}), insert("p2"), delete("p1", {"n": 1})],
            ]
            for changes in refused:
                with pytest.raises(NoEffect):
                    await storage.commit(changes)
            assert await storage.find(query()) == [insert("p1", n=1).document]

    async def test_guards_see_earlier_changes_of_the_commit(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit(
                [insert("p1", n=1), update("p1", {"n": 2}), delete("p1", {"n": 2})]
            )
            assert await storage.count(query()) == 0

    async def test_a_refused_commit_leaves_no_trace(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", n=1)])
            changes: list[Change] = [
                insert("p2", fresh=1),
                insert("a1", "Album"),
                update("p1", {"n": 9, "more": "x"}),
                update("p1", {"n": "no number"}),
            ]
            with pytest.raises(ApiError) as caught:
                await storage.commit(changes)
            assert caught.value.code == 111
            assert await storage.find(query()) == [insert("p1", n=1).document]
            assert "Album" not in storage.classes()
            assert "fresh" not in storage.classes()["Post"].columns
            await storage.commit([insert("p2", fresh="now a text", more=5)])

    async def test_columns_are_learned_and_held_to(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", n=1, nothing=None)])
            columns = storage.classes()["Post"].columns
            assert columns["n"] == ColumnType("Number")
            assert "nothing" not in columns
            for change in (
                insert("p2", n="x"),
                update("p1", {"n": {"__op": "Add", "objects": []}}),
            ):
                with pytest.raises(ApiError) as caught:
                    await storage.commit([change])
                assert caught.value.code == 111
            await storage.commit([insert("p2", n=None), update("p1", {"m": {"__op": "Increment"}})])
            assert storage.classes()["Post"].columns["m"] == ColumnType("Number")

    async def test_an_operation_that_fits_its_column_and_not_the_value(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", o={"n": "text"})])
            with pytest.raises(ApiError):
                await storage.commit([update("p1", {"o.n": {"__op": "Increment"}})])
            assert await storage.get("Post", "p1") == insert("p1", o={"n": "text"}).document

    async def test_what_was_returned_never_changes(self, make: Make) -> None:
        async with make() as storage:
            (made,) = await storage.commit([insert("p1", tags=["a"], o={"n": 1})])
            held = [made.after, await storage.get("Post", "p1"), *await storage.find(query())]
            kept = copy.deepcopy(held)
            await storage.commit(
                [
                    update("p1", {"tags": {"__op": "Add", "objects": ["b"]}, "o.n": 2, "new": 1}),
                    update("p1", {"tags": {"__op": "Remove", "objects": ["a"]}}),
                ]
            )
            await storage.commit([delete("p1")])
            assert held == kept

    async def test_without_an_order_objects_come_as_they_were_made(self, make: Make) -> None:
        async with make() as storage:
            names = ["p5", "p1", "p9", "p3"]
            for second, name in enumerate(names):
                await storage.commit([insert(name, second=second, n=1)])
            await storage.commit([update("p1", {"n": 2}), update("p5", {"n": 1})])
            assert await ids(storage) == names
            assert await ids(storage, where={"n": 1}) == ["p5", "p9", "p3"]
            assert await ids(storage, where={"objectId": {"$in": ["p3", "p1", "p9"]}}) == [
                "p1",
                "p9",
                "p3",
            ]

    async def test_objects_that_sort_equal_come_as_they_were_made(self, make: Make) -> None:
        async with make() as storage:
            rows = [("c", 1), ("a", 2), ("b", 1), ("d", 2)]
            await storage.commit([insert(name, n=n, second=i) for i, (name, n) in enumerate(rows)])
            assert await ids(storage, order="n") == ["c", "b", "a", "d"]
            assert await ids(storage, order="-n") == ["a", "d", "c", "b"]
            assert await ids(storage, order="-n", limit=1) == ["a"]
            assert await ids(storage, order="n,-objectId") == ["c", "b", "d", "a"]

    async def test_order_skip_and_limit(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert(f"p{n}", n=n) for n in (3, 1, 4, 0, 2)])
            assert await ids(storage, order="n") == ["p0", "p1", "p2", "p3", "p4"]
            assert await ids(storage, order="-n", limit=2) == ["p4", "p3"]
            assert await ids(storage, order="n", skip=3) == ["p3", "p4"]
            assert await ids(storage, order="n", skip=1, limit=2) == ["p1", "p2"]
            assert await ids(storage, skip=1, limit=2) == ["p1", "p4"]
            assert await ids(storage, where={"n": {"$gt": 0}}, skip=1, limit=1) == ["p1"]
            assert await ids(storage, limit=0) == []
            assert await ids(storage, skip=9) == []

    async def test_count_looks_at_no_page(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert(f"p{n}", n=n) for n in range(5)])
            assert await storage.count(query(limit=0)) == 5
            assert await storage.count(query(skip=3, limit=1)) == 5
            assert await storage.count(query(where={"n": {"$gte": 2}}, limit=1, skip=2)) == 3
            assert await storage.count(query(where={"objectId": "p1"})) == 1

    async def test_conditions_on_ids_mean_what_they_say(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", n=1), insert("p2", n=2)])
            assert await ids(storage, where={"objectId": "p1"}) == ["p1"]
            assert await ids(storage, where={"objectId": "p1", "n": 2}) == []
            assert await ids(storage, where={"objectId": {"$in": ["p1", "p1", "p7", 5]}}) == ["p1"]
            assert await ids(storage, where={"objectId": {"$in": []}}) == []
            assert await ids(storage, where={"objectId": {"$ne": "p1"}}) == ["p2"]
            assert await ids(storage, where={"$or": [{"objectId": "p1"}, {"n": 2}]}) == ["p1", "p2"]

    async def test_unique_columns_hold_each_value_once(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("u1", "_User", username="ann")])
            refused: list[list[Change]] = [
                [insert("u2", "_User", username="ann")],
                [insert("u2", "_User", username="bob"), insert("u3", "_User", username="bob")],
                [
                    insert("u2", "_User", username="bob"),
                    Update("_User", "u2", parse_write({"username": "ann"}), "t"),
                ],
            ]
            for changes in refused:
                with pytest.raises(DuplicateValue) as caught:
                    await storage.commit(changes)
                assert (caught.value.field, caught.value.code) == ("username", 137)
            assert await storage.count(Query("_User")) == 1

    async def test_unique_values_move_and_become_free(self, make: Make) -> None:
        async with make() as storage:

            async def named(name: str) -> list[Any]:
                found = await storage.find(Query("_User", parse_where({"username": name})))
                return [row["objectId"] for row in found]

            await storage.commit([insert("u1", "_User", username="ann")])
            rename = Update("_User", "u1", parse_write({"username": "eve"}), "t")
            await storage.commit([rename, insert("u2", "_User", username="ann")])
            assert (await named("ann"), await named("eve")) == (["u2"], ["u1"])
            await storage.commit([rename])
            await storage.commit([Delete("_User", "u2"), insert("u3", "_User", username="ann")])
            assert await named("ann") == ["u3"]
            unset = Update("_User", "u1", parse_write({"username": {"__op": "Delete"}}), "t")
            await storage.commit([unset, insert("u4", "_User", username="eve")])
            assert await named("eve") == ["u4"]
            assert await named("nobody") == []

    async def test_absent_and_null_are_not_held_to_be_unique(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit(
                [insert("u1", "_User"), insert("u2", "_User"), insert("u3", "_User", email=None)]
            )
            assert await storage.count(Query("_User")) == 3
            nobody = parse_where({"email": None})
            assert await storage.count(Query("_User", nobody)) == 3

    async def test_a_column_can_become_unique(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", code="a"), insert("p2", code="b")])
            schema = storage.classes()["Post"]
            await storage.save_class(replace(schema, unique=frozenset({"code"})))
            assert await ids(storage, where={"code": "a"}) == ["p1"]
            with pytest.raises(DuplicateValue):
                await storage.commit([insert("p3", code="b")])
            await storage.save_class(schema)
            await storage.commit([insert("p3", code="b")])
            assert await ids(storage, where={"code": "b"}) == ["p2", "p3"]

    async def test_a_column_with_doubles_cannot_become_unique(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("p1", code="a"), insert("p2", code="a")])
            schema = storage.classes()["Post"]
            with pytest.raises(DuplicateValue) as caught:
                await storage.save_class(replace(schema, unique=frozenset({"code"})))
            assert caught.value.field == "code"
            assert storage.classes()["Post"] == schema

    async def test_a_saved_class_is_there_without_objects(self, make: Make) -> None:
        async with make() as storage:
            await storage.save_class(new_class("Empty"))
            assert storage.classes()["Empty"] == new_class("Empty")
            assert await storage.count(Query("Empty")) == 0

    async def test_dropping_takes_objects_columns_and_unique_values(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("u1", "_User", username="ann"), insert("p1", n=1)])
            await storage.drop_class("_User")
            assert "_User" not in storage.classes()
            assert await storage.count(Query("_User")) == 0
            assert await ids(storage) == ["p1"]
            await storage.commit([insert("u1", "_User", username="ann")])

    async def test_clearing_takes_everything(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([insert("u1", "_User", username="ann"), insert("p1", n=1)])
            await storage.clear()
            assert dict(storage.classes()) == {}
            assert await ids(storage) == []
            await storage.commit([insert("u1", "_User", username="ann"), insert("p1", n="text")])

    async def test_members_of_relations_are_committed_with_their_owner(self, make: Make) -> None:
        async with make() as storage:
            first = Insert("Post", insert("p1").document, {"likes": relate("u2", "u1")})
            await storage.commit([first, insert("p2")])
            assert await storage.related("Post", "p1", "likes") == ["u2", "u1"]
            assert await storage.owners("Post", "likes", "u1") == ["p1"]
            changes = [
                update("p1", {"likes": relation("Add", "u3", "u1")}),
                update("p2", {"likes": relation("Add", "u1")}),
                update("p1", {"likes": relation("Remove", "u2", "u9")}),
            ]
            await storage.commit(changes)
            assert await storage.related("Post", "p1", "likes") == ["u1", "u3"]
            assert await storage.owners("Post", "likes", "u1") == ["p1", "p2"]
            assert await storage.owners("Post", "likes", "u2") == []
            assert await storage.related("Post", "p1", "other") == []
            assert await storage.related("Nothing", "p1", "likes") == []
            assert storage.classes()["Post"].columns["likes"] == ColumnType("Relation", "_User")

    async def test_members_go_with_their_owner(self, make: Make) -> None:
        async with make() as storage:
            changes: list[Change] = [
                Insert("Post", insert(name).document, {"likes": relate("u1")})
                for name in ("p1", "p2", "p3")
            ]
            await storage.commit(changes)
            await storage.commit([delete("p1")])
            assert await storage.related("Post", "p1", "likes") == []
            assert await storage.owners("Post", "likes", "u1") == ["p2", "p3"]
            await storage.commit([insert("p1")])
            assert await storage.related("Post", "p1", "likes") == []
            await storage.drop_class("Post")
            assert await storage.owners("Post", "likes", "u1") == []

    async def test_members_follow_the_changes_of_a_commit_one_by_one(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([Insert("Post", insert("p1").document, {"likes": relate("u1")})])
            born_again = Insert("Post", insert("p1").document, {"likes": relate("u3")})
            await storage.commit([delete("p1"), born_again])
            assert await storage.related("Post", "p1", "likes") == ["u3"]
            assert await storage.owners("Post", "likes", "u1") == []
            add = update("p1", {"likes": relation("Add", "u2")})
            await storage.commit([add, update("p1", {"likes": relation("Remove", "u2", "u3")})])
            assert await storage.related("Post", "p1", "likes") == []
            await storage.commit([add, delete("p1")])
            assert await storage.related("Post", "p1", "likes") == []
            assert await storage.owners("Post", "likes", "u2") == []

    async def test_who_leaves_and_comes_back_is_the_last_member(self, make: Make) -> None:
        async with make() as storage:
            likes = {"likes": relate("u1", "u2", "u3")}
            await storage.commit([Insert("Post", insert("p1").document, likes)])
            back = {"__op": "Batch", "ops": [relation("Remove", "u1", "u2"), relation("Add", "u1")]}
            await storage.commit([update("p1", {"likes": back})])
            assert await storage.related("Post", "p1", "likes") == ["u3", "u1"]
            assert await storage.owners("Post", "likes", "u1") == ["p1"]
            assert await storage.owners("Post", "likes", "u2") == []

    async def test_a_refused_commit_relates_nothing(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([Insert("Post", insert("p1", n=1).document, {"l": relate("u1")})])
            refused: list[list[Change]] = [
                [update("p1", {"l": relation("Add", "u2")}), update("p1", {"n": "text"})],
                [update("p1", {"l": relation("Remove", "u1")}), delete("p1", {"n": 5})],
                [delete("p1"), update("p1", {})],
                [Insert("Post", insert("p2").document, {"l": relate("u2")}), insert("p1")],
            ]
            for changes in refused:
                with pytest.raises(ApiError):
                    await storage.commit(changes)
                assert await storage.related("Post", "p1", "l") == ["u1"]
                assert await storage.owners("Post", "l", "u2") == []

    async def test_relations_hold_one_class(self, make: Make) -> None:
        async with make() as storage:
            await storage.commit([Insert("Post", insert("p1", n=1).document, {"l": relate("u1")})])
            for body in (
                {"l": {"__op": "AddRelation", "objects": [pointer("Album", "a1")]}},
                {"n": relation("Add", "u1")},
                {"l": "a text"},
            ):
                with pytest.raises(ApiError) as caught:
                    await storage.commit([update("p1", body)])
                assert caught.value.code == 111

    async def test_asking_often_changes_no_answer(self, make: Make) -> None:
        """Whatever a storage learns from questions, answers stay those of a plain look."""
        async with make() as storage:
            rows = {
                f"p{n:04}": insert(f"p{n:04}", n=n % 7, tag=f"t{n % 50}", l=[n % 3], d=n)
                for n in range(2_500)
            }
            await storage.commit([*rows.values()])
            documents = {name: dict(row.document) for name, row in rows.items()}
            wheres: list[Any] = [
                {"tag": "t7"},
                {"n": 3},
                {"l": 2},
                {"tag": "t7", "n": {"$gt": 2}},
                {"n": True},
                {"tag": None},
                {"tag": {"$in": ["t1", "t49"]}},
                {"d": {"$gte": 2_490}},
            ]
            for turn in range(4):
                for where in wheres:
                    found = await storage.find(query(where=where, limit=1_000))
                    expected = [row for row in documents.values() if matches(where, row)][:1_000]
                    assert [row["objectId"] for row in found] == [r["objectId"] for r in expected]
                    count = await storage.count(query(where=where))
                    assert count == sum(matches(where, row) for row in documents.values())
                for order in ("d", "-d", "tag", "-n"):
                    page = query(where={"d": {"$gte": 100}}, order=order, limit=15, skip=5)
                    expected = in_order(documents.values(), order, {"d": {"$gte": 100}})[5:20]
                    found = await storage.find(page)
                    assert [row["objectId"] for row in found] == [r["objectId"] for r in expected]
                changes: list[Change] = []
                for n in range(turn, 2_500, 97):
                    name = f"p{n:04}"
                    if name not in documents:
                        continue
                    if n % 2:
                        del documents[name]
                        changes.append(delete(name))
                    else:
                        documents[name] |= {"tag": "t7", "n": None, "updatedAt": "t"}
                        changes.append(update(name, {"tag": "t7", "n": None}, at="t"))
                await storage.commit(changes)

    async def test_a_commit_of_nothing(self, make: Make) -> None:
        async with make() as storage:
            assert await storage.commit([]) == []

    async def test_a_stamp_is_another_one_after_every_write_to_its_class(self, make: Make) -> None:
        async with make() as storage:
            writes: list[Change] = [
                insert("p1", n=1),
                insert("p2", n=1),
                update("p1", {"n": 2}),
                update("p1", {"likes": relation("Add", "u1")}),
                update("p1", {"likes": relation("Remove", "u1")}),
                delete("p2"),
                delete("p1"),
            ]
            stamps = [storage.stamp("Post")]
            for change in writes:
                await storage.commit([change])
                stamps.append(storage.stamp("Post"))
                await storage.get("Post", "p1")
                await storage.commit([insert(f"o{len(stamps)}", "Other")])
                assert storage.stamp("Post") is stamps[-1]
            assert len({id(stamp) for stamp in stamps}) == len(stamps)

    async def test_a_class_that_is_dropped_and_made_again_has_another_stamp(
        self, make: Make
    ) -> None:
        async with make() as storage:
            stamps = []
            for drop in (storage.clear, lambda: storage.drop_class("Post"), storage.clear):
                await storage.commit([insert("p1")])
                stamps.append(storage.stamp("Post"))
                await drop()
                assert storage.stamp("Post") is not stamps[-1]
            assert len({id(stamp) for stamp in stamps}) == len(stamps)
