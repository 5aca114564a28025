"""What a declared index holds for a document."""

from typing import Any

import pytest

from lean_emulator.model.declared_index import Index
from lean_emulator.model.values import pointer


def index(*paths: str, sparse: bool = False) -> Index:
    return Index("i", tuple((path, 1) for path in paths), unique=True, sparse=sparse)


@pytest.mark.parametrize(
    ("left", "right", "collide"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": "x"}, {"a": "X"}, False),
        ({}, {}, True),
        ({}, {"a": None}, True),
        ({"a": [1, 2]}, {"a": 2}, True),
        ({"a": [1, 2]}, {"a": [3]}, False),
        ({"a": []}, {"a": []}, True),
        ({"a": []}, {}, False),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, True),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, False),
        ({"a": pointer("P", "1")}, {"a": pointer("P", "1")}, True),
        ({"a": pointer("P", "1")}, {"a": pointer("Q", "1")}, False),
    ],
)
def test_what_counts_as_equal(left: Any, right: Any, collide: bool) -> None:
    entries = index("a").entries
    assert bool(entries(left) & entries(right)) is collide


@pytest.mark.parametrize(
    ("left", "right", "collide"),
    [
        ({"a": 1, "b": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": [1, 2], "b": 1}, {"a": 2, "b": 1}, True),
        ({"a": [1, 2], "b": 1}, {"a": 2, "b": 2}, False),
    ],
)
def test_several_columns_count_together(left: Any, right: Any, collide: bool) -> None:
    entries = index("a", "b").entries
    assert bool(entries(left) & entries(right)) is collide


def test_sparse_leaves_out_what_has_none_of_the_columns() -> None:
    entries = index("a", "b", sparse=True).entries
    assert entries({"c": 1}) == frozenset()
    assert len(entries({"a": 1})) == 1
    assert len(entries({"a": None})) == 1


def test_the_id_of_a_pointer_or_file_and_paths_into_objects() -> None:
    ids = index("author.$id").entries
    assert ids({"author": pointer("_User", "u1")}) == ids({"author": {"id": "u1"}})
    assert ids({"author": pointer("_User", "u1")}) != ids({"author": pointer("_User", "u2")})
    assert ids({"author": 5}) == ids({})
    deep = index("o.n").entries
    assert deep({"o": {"n": 1}}) & deep({"o": [{"n": 2}, {"n": 1}]})


def test_the_columns_are_named_for_people() -> None:
    assert index("revision.$id", "author.$id", "n").columns == "revision, author, n"
