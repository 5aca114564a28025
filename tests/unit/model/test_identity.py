"""Keys of values agree with the comparison of values."""

import pytest
from hypothesis import given

from lean_emulator.base.jsontext import Json
from lean_emulator.model.identity import identity
from lean_emulator.model.operations import AddUnique, Remove
from lean_emulator.model.predicate import compile_where
from lean_emulator.model.values import same
from lean_emulator.model.where_json import parse_where
from tests.support.model_values import values

MANY = 5_000


@given(values, values)
def test_equal_keys_mean_the_same_value(left: Json, right: Json) -> None:
    assert (identity(left) == identity(right)) is same(left, right)


@pytest.mark.parametrize(
    ("left", "right", "alike"),
    [
        (True, 1, False),
        (False, 0, False),
        (1, 1.0, True),
        (-0.0, 0, True),
        (2**53 + 1, float(2**53 + 1), False),
        ("1", 1, False),
        (None, 0, False),
        ([], {}, False),
        ([1, 2], [2, 1], False),
        ([[1], 2], [[1, 2]], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": None}, {}, False),
        ({"a": [True]}, {"a": [1]}, False),
    ],
)
def test_pairs(left: Json, right: Json, alike: bool) -> None:
    assert (identity(left) == identity(right)) is alike is same(left, right)


def objects(first: int) -> tuple[Json, ...]:
    return tuple({"n": first + i, "inner": [first + i]} for i in range(MANY))


def test_long_lists_of_objects_are_joined_in_time() -> None:
    old: Json = [*objects(0)]
    joined = AddUnique(objects(MANY // 2)).apply(old)
    assert joined == [*objects(0), *objects(MANY // 2)[MANY // 2 :]]
    assert Remove(objects(1)).apply(old) == [objects(0)[0]]


def test_long_lists_of_values_are_looked_through_in_time() -> None:
    matches = compile_where(parse_where({"n": {"$in": [{"n": i} for i in range(MANY)]}}))
    assert sum(matches({"n": {"n": i}}) for i in range(MANY * 2)) == MANY
    every = compile_where(parse_where({"list": {"$all": [[i] for i in range(MANY)]}}))
    assert every({"list": [[i] for i in range(MANY)]})
    assert not every({"list": [[i] for i in range(1, MANY)]})
