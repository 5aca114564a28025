"""What each operation does to a field, and what it refuses."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.operations import (
    OPERATIONS,
    Add,
    AddUnique,
    Bitwise,
    Increment,
    Operation,
    Relate,
    Remove,
    Set,
    Unset,
    merged,
    parse_operation,
    parse_write,
)
from lean_emulator.model.values import MISSING, Missing
from lean_emulator.storage.relations import Relations
from tests.support.model_values import values


def op(word: str, **more: Any) -> dict[str, Any]:
    return {"__op": word, **more}


@pytest.mark.parametrize(
    ("raw", "old", "new"),
    [
        (5, MISSING, 5),
        (None, 5, None),
        (op("Delete"), 5, MISSING),
        (op("Delete"), MISSING, MISSING),
        (op("Increment", amount=2), 5, 7),
        (op("Increment", amount=0.5), 1, 1.5),
        (op("Increment", amount=2), MISSING, 2),
        (op("Increment", amount=2), None, 2),
        (op("Increment"), 5, 6),
        (op("Increment", amount=1), 2**63 - 1, 2**63),
        (op("Decrement", amount=2), 5, 3),
        (op("Decrement", amount=2), MISSING, -2),
        (op("Add", objects=[1, 1]), [1], [1, 1, 1]),
        (op("Add", objects=["a"]), MISSING, ["a"]),
        (op("Add", objects=[]), MISSING, []),
        (op("AddUnique", objects=[1, 2, 2]), [1, 1], [1, 1, 2]),
        (op("AddUnique", objects=[True]), [1], [1, True]),
        (op("AddUnique", objects=[2, 2]), MISSING, [2]),
        (op("Remove", objects=[1, 3]), [1, 2, 1, 3], [2]),
        (op("Remove", objects=[1]), [True, 1], [True]),
        (op("Remove", objects=[1]), MISSING, []),
        (op("Remove", objects=[{"a": 1}]), [{"a": 1}, {"a": 2}], [{"a": 2}]),
        (op("BitAnd", value=6), 3, 2),
        (op("BitOr", value=6), 3, 7),
        (op("BitXor", value=6), 3, 5),
        (op("BitAnd", value=6), MISSING, 0),
        (op("BitOr", value=6), MISSING, 6),
        (op("BitXor", value=6), None, 6),
    ],
)
def test_effects(raw: Any, old: Any, new: Any) -> None:
    assert parse_operation("f", raw).apply(old) == new


def test_pointers_in_lists_compare_by_class_and_id() -> None:
    full = {"__type": "Object", "className": "Post", "objectId": "p1", "title": "x"}
    bare: dict[str, Json] = {"__type": "Pointer", "className": "Post", "objectId": "p1"}
    assert parse_operation("f", op("AddUnique", objects=[full])).apply([bare]) == [bare]
    assert parse_operation("f", op("Remove", objects=[full])).apply([bare]) == []


numbers = st.integers(-100, 100)
lists = st.lists(values, max_size=4)
any_operation: st.SearchStrategy[tuple[Operation, Any]] = st.one_of(
    st.tuples(st.builds(Increment, numbers), numbers | st.none()),
    st.tuples(st.builds(Add, lists.map(tuple)), lists),
    st.tuples(st.builds(AddUnique, lists.map(tuple)), lists),
    st.tuples(st.builds(Remove, lists.map(tuple)), lists),
    st.tuples(st.builds(Bitwise, st.sampled_from(["BitAnd", "BitOr", "BitXor"]), numbers), numbers),
    st.tuples(st.builds(Set, values), values),
    st.tuples(st.just(Unset()), values),
)


@given(any_operation)
def test_the_old_value_stays_as_it_was(pair: tuple[Operation, Any]) -> None:
    operation, old = pair
    kept = copy.deepcopy(old)
    operation.apply(old)
    assert old == kept
    assert repr(old) == repr(kept)


operations = any_operation.map(lambda pair: pair[0])
bits = st.sampled_from(["BitAnd", "BitOr", "BitXor"])
on_numbers = st.one_of(
    st.builds(Increment, numbers), st.builds(Bitwise, bits, numbers), st.builds(Set, numbers)
)
on_lists = st.one_of(
    st.builds(Add, lists.map(tuple)),
    st.builds(AddUnique, lists.map(tuple)),
    st.builds(Remove, lists.map(tuple)),
    st.builds(Set, lists),
    st.just(Unset()),
)
absent = st.sampled_from([MISSING, None])
chains = st.one_of(
    st.tuples(st.lists(on_numbers, min_size=2, max_size=4), numbers | absent),
    st.tuples(st.lists(on_lists, min_size=2, max_size=4), lists | absent),
    st.tuples(st.lists(operations, min_size=2, max_size=4), values | absent),
)


def outcome(operation: Operation, old: Json | Missing) -> Json | Missing | ApiError:
    try:
        return operation.apply(old)
    except ApiError as e:
        return e


@given(chains)
def test_merged_operations_do_what_both_do_in_turn(
    chain: tuple[list[Operation], Json | Missing],
) -> None:
    (whole, *rest), old = chain
    in_turn = outcome(whole, old)
    for operation in rest:
        whole = merged("f", whole, operation)
        if isinstance(in_turn, ApiError) and not operation.is_assignment:
            assert isinstance(outcome(whole, old), ApiError)
            continue
        # an assignment forgets what was there, and what could not be done to it
        in_turn = outcome(operation, MISSING if isinstance(in_turn, ApiError) else in_turn)
        found = outcome(whole, old)
        if isinstance(in_turn, ApiError):
            assert isinstance(found, ApiError)
        else:
            assert repr(found) == repr(in_turn)


related = st.lists(st.sampled_from("abcd"), max_size=3).map(tuple)
relates = st.builds(Relate, st.none() | st.just("Fan"), related, related)


@given(relates, st.lists(relates, min_size=1, max_size=3))
def test_merged_relations_have_the_members_of_both_in_turn(
    first: Relate, rest: list[Relate]
) -> None:
    in_turn, at_once = Relations(), Relations()
    for relations in (in_turn, at_once):
        relations.change("p1", "likes", Relate("Fan", added=("a", "b")))
    whole: Operation = first
    in_turn.change("p1", "likes", first)
    for relate in rest:
        whole = merged("likes", whole, relate)
        in_turn.change("p1", "likes", relate)
    assert isinstance(whole, Relate)
    at_once.change("p1", "likes", whole)
    assert at_once.members("p1", "likes") == in_turn.members("p1", "likes")
    for member in "abcd":
        owners = at_once.owners("likes", member)
        assert owners == in_turn.owners("likes", member)
        assert bool(owners) is (member in at_once.members("p1", "likes"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Relate("Fan", added=("a",)), Relate("Post", added=("b",))),
        (Relate("Fan"), Set(1)),
        (Set(1), Relate(None)),
        (Add((1,)), Relate("Fan", removed=("a",))),
    ],
)
def test_what_cannot_be_merged_is_code_111(first: Operation, second: Operation) -> None:
    with pytest.raises(ApiError, match="'likes'") as caught:
        merged("likes", first, second)
    assert caught.value.code == 111


@given(lists, lists)
def test_add_unique_adds_each_once_and_keeps_what_is_there(old: list[Any], new: list[Any]) -> None:
    added: Any = AddUnique(tuple(new)).apply(old)
    assert added[: len(old)] == old
    assert AddUnique(tuple(new)).apply(added) == added
    assert Remove(tuple(new)).apply(added) == Remove(tuple(new)).apply(old)


@given(lists, lists)
def test_remove_leaves_none_of_what_it_names(old: list[Any], gone: list[Any]) -> None:
    left: Any = Remove(tuple(gone)).apply(old)
    assert AddUnique(tuple(gone)).apply(left) == [*left, *AddUnique(tuple(gone)).apply([])]  # type: ignore[misc]  # a list here


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (op("add", objects=[1]), 1),
        (op("SetOnInsert"), 1),
        (op(""), 1),
        ({"__op": None}, 1),
        ({"__op": ["Add"]}, 1),
        (op("Add"), 1),
        (op("Add", objects=1), 1),
        (op("AddUnique", objects={"a": 1}), 1),
        (op("Increment", amount="1"), 1),
        (op("Increment", amount=None), 1),
        (op("Increment", amount=True), 1),
        (op("BitAnd", value=1.5), 1),
        (op("BitOr"), 1),
        (op("BitXor", value=True), 1),
        (op("Add", objects=[{"__type": "Pointer"}]), 106),
        (op("Add", objects=[{"a.b": 1}]), 121),
    ],
)
def test_malformed_operations(raw: Any, code: int) -> None:
    with pytest.raises(ApiError) as caught:
        parse_operation("field", raw)
    assert (caught.value.code, caught.value.status) == (code, 400)
    if code == 1:
        assert "field" in caught.value.message


@pytest.mark.parametrize(
    ("raw", "old"),
    [
        (op("Increment"), "5"),
        (op("Increment"), True),
        (op("Increment"), [1]),
        (op("Add", objects=[1]), 5),
        (op("AddUnique", objects=[1]), "x"),
        (op("Remove", objects=[1]), {"a": 1}),
        (op("BitAnd", value=1), "x"),
        (op("BitAnd", value=1), 1.5),
    ],
)
def test_a_value_of_another_type_is_code_111(raw: Any, old: Any) -> None:
    with pytest.raises(ApiError) as caught:
        parse_operation("f", raw).apply(old)
    assert caught.value.code == 111


def test_numbers_stay_numbers_that_json_can_say() -> None:
    with pytest.raises(ApiError, match="out of range"):
        parse_operation("f", op("Increment", amount=1e308)).apply(1e308)


def test_a_body_is_a_map_of_operations() -> None:
    write = parse_write({"a": 1, "b": op("Increment"), "c": None, "d": {"__type": "X"}})
    assert write == {"a": Set(1), "b": Increment(1), "c": Set(None), "d": Set({"__type": "X"})}


def test_assignments_do_not_depend_on_the_old_value() -> None:
    assert Set(1).is_assignment
    assert Unset().is_assignment
    assert not Increment(1).is_assignment
    assert not Add(()).is_assignment


def test_every_listed_operation_can_be_read() -> None:
    for word in OPERATIONS:
        parse_operation("f", op(word, amount=1, objects=[], value=1, ops=[]))
