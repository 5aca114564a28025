"""Compiled predicates and sorting, held against plain interpreters of the same thing."""

import functools
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_emulator.base.errors import InvalidQuery
from lean_emulator.model.access import PUBLIC_ACL, Principal, granted, may, read_filter
from lean_emulator.model.pattern import Pattern
from lean_emulator.model.predicate import compile_where, sorted_documents
from lean_emulator.model.query import (
    EVERYTHING,
    All,
    AnyOf,
    Compare,
    Exists,
    Matches,
    Not,
    Order,
    ReadableBy,
    Where,
    both,
)
from lean_emulator.model.schema import new_class
from lean_emulator.model.where_json import parse_where
from tests.support import naive_where
from tests.support.model_values import FIELDS, PATHS, documents, values, wheres


def holds(where: Any, document: Any) -> bool:
    return compile_where(parse_where(where))(document)


@settings(max_examples=500)
@given(wheres, st.lists(documents, min_size=1, max_size=6))
def test_compiled_means_what_the_plain_interpreter_says(where: Any, rows: list[Any]) -> None:
    test = compile_where(parse_where(where))
    for row in rows:
        assert test(row) is naive_where.matches(where, row), (where, row)


@given(values, st.sampled_from(PATHS), documents)
def test_a_condition_and_its_negation_never_agree(
    value: Any, path: str, document: dict[str, Any]
) -> None:
    for name, opposite in (("$eq", "$ne"), ("$in", "$nin")):
        operand = value if name == "$eq" else [value]
        assert holds({path: {name: operand}}, document) is not holds(
            {path: {opposite: operand}}, document
        )


@given(
    st.lists(documents, max_size=12),
    st.lists(st.tuples(st.sampled_from(FIELDS), st.booleans()), min_size=1, max_size=3),
    st.integers(0, 13),
)
def test_sorting_is_what_comparing_two_by_two_gives(
    rows: list[dict[str, Any]], keys: list[tuple[str, bool]], wanted: int
) -> None:
    def compare(left: dict[str, Any], right: dict[str, Any]) -> int:
        for field, descending in keys:
            order = naive_where.compare(
                left.get(field, naive_where.ABSENT), right.get(field, naive_where.ABSENT)
            )
            if order:
                return -order if descending else order
        return 0

    numbered = [{**row, "number": n} for n, row in enumerate(rows)]
    expected = sorted(numbered, key=functools.cmp_to_key(compare))[:wanted]
    found = sorted_documents(numbered, [Order(*key) for key in keys], wanted)
    assert [row["number"] for row in found] == [row["number"] for row in expected]


def test_without_an_order_rows_stay_as_they_come() -> None:
    rows = [{"n": 3}, {"n": 1}, {"n": 2}]
    assert sorted_documents(rows, (), 2) == rows[:2]


def test_dotted_keys_sort_too() -> None:
    rows: list[dict[str, Any]] = [{"a": {"n": 2}}, {"a": {"n": 1}}, {}, {"a": [{"n": 0}]}]
    found = sorted_documents(rows, [Order("a.n")], 4)
    assert found == [rows[2], rows[3], rows[1], rows[0]]


def test_missing_and_null() -> None:
    assert holds({"a": None}, {})
    assert holds({"a": None}, {"a": None})
    assert not holds({"a": None}, {"a": 0})
    assert holds({"a": {"$ne": 1}}, {})
    assert not holds({"a": {"$exists": True, "$nin": ["", None]}}, {"a": None})
    assert holds({"a": {"$exists": True, "$nin": ["", None]}}, {"a": "x"})


def test_booleans_are_no_numbers() -> None:
    assert not holds({"a": 1}, {"a": True})
    assert not holds({"a": True}, {"a": 1})
    assert not holds({"a": {"$gte": 0}}, {"a": True})
    assert not holds({"a": {"$in": [1, "x"]}}, {"a": [True]})


def test_pointers_do_not_open_up() -> None:
    pointer = {"__type": "Pointer", "className": "Post", "objectId": "p1"}
    assert holds({"post": {**pointer, "title": "full object"}}, {"post": pointer})
    assert not holds({"post": {**pointer, "objectId": "p2"}}, {"post": pointer})


def test_dotted_paths_fan_out_over_lists_of_objects() -> None:
    document = {"tags": [{"name": "red"}, {"name": "blue"}, "plain"]}
    assert holds({"tags.name": "blue"}, document)
    assert not holds({"tags.name": {"$ne": "blue"}}, document)
    assert holds({"tags.weight": {"$exists": False}}, document)


@pytest.mark.parametrize(
    "name", ["a'b", 'a"b', "{x}", "{0}", "a\\b", "a\nb", "v0", "d", "__import__"]
)
def test_field_names_are_never_source(name: str) -> None:
    assert holds({name: 1}, {name: 1})
    assert not holds({name: 1}, {name: 2})
    assert holds({f"{name}.{name}": "x"}, {name: {name: "x"}})


def test_shapes_share_code_and_not_values() -> None:
    for value in ("x", "y", "'); raise SystemExit ('"):
        assert holds({"a": value}, {"a": value})
        assert not holds({"a": value}, {"a": value + "!"})


def test_deep_and_wide_conditions_compile() -> None:
    deep: Any = {"$gt": 0}
    for _ in range(90):
        deep = {"$not": deep}
    assert holds({"a": deep}, {"a": 1})
    wide = {"$or": [{"a": n} for n in range(900)]}
    assert holds(wide, {"a": 899})
    assert not holds(wide, {"a": 900})
    nested: Any = {"a": 1}
    for _ in range(48):
        nested = {"$nor": [nested, {"a": 2}]}
    assert holds(nested, {"a": 1})


@pytest.mark.parametrize(
    ("pattern", "options", "text", "found"),
    [
        ("b", "", "abc", True),
        ("^b", "", "abc", False),
        ("B", "", "abc", False),
        ("B", "i", "abc", True),
        ("^b", "m", "a\nb", True),
        ("a.b", "", "a\nb", False),
        ("a.b", "s", "a\nb", True),
        ("a b # comment", "x", "ab", True),
        (r"^\Qa.b\E", "", "a.bc", True),
        (r"^\Qa.b\E", "", "aXbc", False),
        (r"\Q(1+1)\E$", "", "is (1+1)", True),
        (r"\Qno end.", "", "no end.", True),
        (r"\Qno end.", "", "no endX", False),
        (r"\Qa\E\\E\Qb\E", "", r"a\Eb", True),
        (r"\Qa\E\\E\Qb\E", "", "ab", False),
        (r"\Qa b#c\E", "x", "a b#c", True),
        (r"\\Qa", "", r"\Qa", True),
        (r"[\Q^]\E]", "", "^", True),
        ("", "", "", True),
    ],
)
def test_patterns(pattern: str, options: str, text: str, found: bool) -> None:
    assert compile_where(Matches("t", pattern, options))({"t": text}) is found


def test_patterns_look_into_lists_of_texts_only() -> None:
    where = parse_where({"t": {"$regex": "b"}})
    assert compile_where(where)({"t": [1, None, "abc"]})
    assert not compile_where(where)({"t": {"x": "b"}})
    assert not compile_where(where)({})


def test_a_pattern_that_is_none_names_itself() -> None:
    with pytest.raises(InvalidQuery, match=r"The pattern '\(' is not valid"):
        Pattern("(")


def test_a_pattern_that_is_nested_too_deep_is_none() -> None:
    with pytest.raises(InvalidQuery, match="nested too deep"):
        Pattern("(" * 5_000 + "a" + ")" * 5_000)


def test_a_pattern_that_is_slow_on_many_texts_is_stopped() -> None:
    matches = compile_where(Matches("t", "(a|aa)+$", ""))
    began = time.perf_counter()
    with pytest.raises(InvalidQuery, match="takes too long on") as caught:
        for _ in range(100_000):
            matches({"t": "a" * 20 + "!"})
    assert caught.value.code == 102
    assert time.perf_counter() - began < 5


def test_a_pattern_that_would_run_for_ever_is_stopped() -> None:
    with pytest.raises(InvalidQuery, match=r"The pattern '\(a\+a\+\)\+b' takes too long") as caught:
        holds({"t": {"$regex": "(a+a+)+b"}}, {"t": "a" * 5_000})
    assert caught.value.code == 102


acls = st.none() | st.dictionaries(
    st.sampled_from(["*", "u1", "u2", "role:admin"]),
    st.dictionaries(st.sampled_from(["read", "write"]), st.booleans()),
    max_size=3,
)
principals = st.sampled_from(
    [
        Principal("anonymous"),
        Principal("user", {"objectId": "u1"}),
        Principal("user", {"objectId": "u2"}, {"r1": "admin"}),
        Principal("master"),
        Principal("master", {"objectId": "u1"}),
    ]
)


@given(acls, principals)
def test_the_query_filter_hides_what_reading_would_refuse(acl: Any, principal: Principal) -> None:
    document = {} if acl is None else {"ACL": acl}
    assert compile_where(read_filter(principal))(document) is bool(
        may(principal, "get", new_class("Post"), "p1", document.get("ACL"))
    )


def test_readers_share_compiled_code_whatever_their_roles() -> None:
    filters = [
        compile_where(both(Compare("n", "eq", number), ReadableBy(frozenset(grantees))))
        for number, grantees in enumerate((["*"], ["*", "u1"], map(str, range(50))))
    ]
    assert len({readable.__code__ for readable in filters}) == 1


def test_public_and_absent_lists_are_readable() -> None:
    test = compile_where(ReadableBy(frozenset({"u1"})))
    assert test({"ACL": PUBLIC_ACL})
    assert not test({"ACL": dict(PUBLIC_ACL)})
    assert test({})
    assert granted(dict(PUBLIC_ACL), "read", frozenset({"*"}))


@pytest.mark.parametrize(
    ("where", "expected"),
    [(EVERYTHING, True), (AnyOf(()), False), (All((AnyOf(()),)), False), (Not(All()), False)],
)
def test_empty_conjunctions_and_disjunctions(where: Where, expected: bool) -> None:
    assert compile_where(where)({"a": 1}) is expected


def test_both_is_flat() -> None:
    one, two, three = Exists("a"), Compare("b", "eq", 1), Exists("c")
    assert both(one, EVERYTHING) == one
    assert both(EVERYTHING, EVERYTHING) == EVERYTHING
    assert both(All((one, two)), three) == All((one, two, three))
