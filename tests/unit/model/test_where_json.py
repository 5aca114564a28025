"""Query parameters as clients send them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_emulator.base import jsontext
from lean_emulator.base.errors import ApiError, InvalidQuery
from lean_emulator.base.jsontext import Json
from lean_emulator.model import where_json
from lean_emulator.model.document import apply_write
from lean_emulator.model.operations import OPERATIONS, parse_write
from lean_emulator.model.query import (
    EVERYTHING,
    All,
    AnyOf,
    Compare,
    Exists,
    HasAll,
    HasSize,
    InList,
    Keys,
    Matches,
    Not,
    Order,
    Query,
    Where,
)
from lean_emulator.model.where_json import parse_keys, parse_order, parse_query, parse_where, truth

DATE: dict[str, Json] = {"__type": "Date", "iso": "2020-01-01T08:00:00+08:00"}
UTC: dict[str, Json] = {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"}
BUILT_IN = frozenset({"objectId", "createdAt", "updatedAt"})


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (None, EVERYTHING),
        ({}, EVERYTHING),
        ([], EVERYTHING),
        ({"a": 1}, Compare("a", "eq", 1)),
        ({"a": {}}, Compare("a", "eq", {})),
        ({"a": {"x": 1}}, Compare("a", "eq", {"x": 1})),
        ({"a": DATE}, Compare("a", "eq", UTC)),
        ({"a": 1, "b": 2}, All((Compare("a", "eq", 1), Compare("b", "eq", 2)))),
        ([{"a": 1}, {"b": 2}], All((Compare("a", "eq", 1), Compare("b", "eq", 2)))),
        ({"a": {"$eq": 1}}, Compare("a", "eq", 1)),
        ({"a": {"__eq": 1}}, Compare("a", "eq", 1)),
        ({"a": {"$ne": 1}}, Not(Compare("a", "eq", 1))),
        ({"a": {"$lt": 1, "$gte": 0}}, All((Compare("a", "lt", 1), Compare("a", "gte", 0)))),
        ({"a": {"$lte": DATE}}, Compare("a", "lte", UTC)),
        ({"a": {"$gt": "x"}}, Compare("a", "gt", "x")),
        ({"a": {"$in": [1, DATE]}}, InList("a", (1, UTC))),
        ({"a": {"$nin": ["x", None]}}, Not(InList("a", ("x", None)))),
        ({"a": {"$all": [1]}}, HasAll("a", (1,))),
        ({"a": {"$size": 2}}, HasSize("a", 2)),
        ({"a": {"$exists": True}}, Exists("a")),
        ({"a": {"$exists": False}}, Not(Exists("a"))),
        ({"a": {"$exists": "false"}}, Not(Exists("a"))),
        ({"a": {"$exists": 1}}, Exists("a")),
        ({"a": {"$regex": "x"}}, Matches("a", "x")),
        ({"a": {"$regex": "x", "$options": "gimu"}}, Matches("a", "x", "im")),
        ({"a": {"$options": "", "$regex": "x"}}, Matches("a", "x")),
        ({"a": {"$not": {"$gt": 1}}}, Not(Compare("a", "gt", 1))),
        ({"$or": [{"a": 1}, {"b": 2}]}, AnyOf((Compare("a", "eq", 1), Compare("b", "eq", 2)))),
        ({"$and": [{"a": 1}, {"a": 2}]}, All((Compare("a", "eq", 1), Compare("a", "eq", 2)))),
        ({"$nor": [{"a": 1}]}, Not(Compare("a", "eq", 1))),
        ({"createdAt": {"$gt": DATE}}, Compare("createdAt", "gt", UTC["iso"])),
        ({"updatedAt": {"$in": [DATE]}}, InList("updatedAt", (UTC["iso"],))),
        ({"createdAt": {"$lt": "2020-01-01T00:00:00Z"}}, Compare("createdAt", "lt", UTC["iso"])),
        ({"createdAt": {"$ne": "x"}}, Not(Compare("createdAt", "eq", "x"))),
        (
            {"p": {"__type": "Object", "className": "P", "objectId": "1", "title": "x"}},
            Compare("p", "eq", {"__type": "Pointer", "className": "P", "objectId": "1"}),
        ),
    ],
)
def test_where(raw: Any, where: Where) -> None:
    assert parse_where(raw) == where


@pytest.mark.parametrize(
    "raw",
    [
        "x",
        5,
        [5],
        {"$or": {}},
        {"$or": []},
        {"$and": [5]},
        {"$nor": None},
        {"$strange": 1},
        {"a": {"$strange": 1}},
        {"a": {"$text": "x"}},
        {"a": {"$elemMatch": {}}},
        {"a": {"$mod": [2, 0]}},
        {"a": {"$gt": 1, "plain": 2}},
        {"a": {"$in": 5}},
        {"a": {"$nin": {}}},
        {"a": {"$all": "x"}},
        {"a": {"$size": "two"}},
        {"a": {"$size": None, "$regex": 5}},
        {"a": {"$maxDistance": 5}},
        {"a": {"$minDistanceInMiles": 5, "$exists": True}},
        {"a": {"$regex": None}},
        {"a": {"$in": list(range(where_json.MAX_LIST + 1))}},
        {"$or": [{"a": n} for n in range(where_json.MAX_NODES + 1)]},
        {"$or": [{}] * (where_json.MAX_NODES + 1)},
        [{}] * (where_json.MAX_NODES + 1),
        {"$or": [{"a": {"$gt": n, "$lt": 1}} for n in range(400)]},
    ],
)
def test_what_means_nothing_is_code_1(raw: Any) -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse_where(raw)
    assert (caught.value.code, caught.value.status) == (1, 400)


names = st.sampled_from(
    [
        *where_json.OPERATORS, "$box", "$x", "__type", "className", "objectId", "where", "query",
        "key", "limit", "skip", "order", "object", "iso", "latitude", "longitude", "createdAt",
        "a", "a.b", "", ".", "$", "__eq", "__op",
    ]
)  # fmt: skip
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["Pointer", "Date", "GeoPoint", "Object", "File", "Relation", "(", "{", "[]"]),
    st.sampled_from(["2020-01-01", "0001-01-01T00:00:00+23:59", "9" * 5000, "Post", "-1", "1e5"]),
    st.text(max_size=5),
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names | st.text(max_size=3), inner, max_size=4)
        | st.fixed_dictionaries({"className": st.just("C"), "where": inner})
        | st.fixed_dictionaries(
            {"query": st.fixed_dictionaries({"className": st.just("C")}), "key": inner}
        )
        | st.fixed_dictionaries({"$box": st.lists(inner, min_size=2, max_size=2)})
    ),
    max_leaves=12,
)
sub_queries = st.dictionaries(
    st.sampled_from(["$inQuery", "$notInQuery", "$select", "$dontSelect"]), anything, max_size=2
)


def refusal(read: Callable[[], object]) -> int:
    """The HTTP status that reading ends with, 200 when nothing is wrong."""
    try:
        read()
    except ApiError as e:
        return e.status
    return 200


@settings(max_examples=200)
@given(anything | st.dictionaries(names, anything | sub_queries, max_size=3))
def test_whatever_is_sent_is_read_or_refused(raw: Json) -> None:
    sent = jsontext.loads(jsontext.dumps(raw))
    params: dict[str, Json] = dict.fromkeys(("where", "order", "keys", "limit", "skip"), sent)
    assert refusal(lambda: parse_query("Post", params)) in (200, 400)
    assert refusal(lambda: parse_where(sent)) in (200, 400)


def written(body: dict[str, Json]) -> object:
    return apply_write({}, parse_write(body))


@given(anything)
def test_whatever_is_written_is_read_or_refused(raw: Json) -> None:
    sent = jsontext.loads(jsontext.dumps(raw))
    members = dict.fromkeys(("objects", "amount", "value", "ops"), sent)
    for word in OPERATIONS:
        operation: Json = {"__op": word, **members}
        assert refusal(partial(written, {"f": operation, "g": sent})) in (200, 400)


def test_sizes_up_to_the_limits_are_fine() -> None:
    parse_where({"a": {"$in": list(range(where_json.MAX_LIST))}})
    parse_where({"$or": [{"a": n} for n in range(400)]})


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ({"a": {"$lt": {"__type": "Pointer"}}}, 106),
        ({"a": {"__type": "Date", "iso": "soon"}}, 107),
        ({"a": {"x.y": 1}}, 121),
        ({"a": {"__type": "GeoPoint", "latitude": 91, "longitude": 0}}, 302),
    ],
)
def test_values_are_checked_as_in_writes(raw: Any, code: int) -> None:
    with pytest.raises(ApiError) as caught:
        parse_where(raw)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("raw", "order"),
    [
        (None, ()),
        ("", ()),
        ("a", (Order("a"),)),
        ("-a", (Order("a", True),)),
        ("+a, -b", (Order("a"), Order("b", True))),
        ("a,,", (Order("a"),)),
        ("-createdAt,-createdAt", (Order("createdAt", True), Order("createdAt", True))),
        ("a.b", (Order("a.b"),)),
    ],
)
def test_order(raw: Any, order: tuple[Order, ...]) -> None:
    assert parse_order(raw) == order


@pytest.mark.parametrize(
    ("raw", "keys"),
    [
        (None, Keys()),
        ("", Keys()),
        ("a, b", Keys(BUILT_IN | {"a", "b"})),
        ("+a", Keys(BUILT_IN | {"a"})),
        ("-a", Keys(None, frozenset({"a"}))),
        ("a,-createdAt", Keys(BUILT_IN | {"a"}, frozenset({"createdAt"}))),
        ("a.b", Keys(BUILT_IN | {"a.b"})),
    ],
)
def test_keys(raw: Any, keys: Keys) -> None:
    assert parse_keys(raw) == keys


@pytest.mark.parametrize(
    ("given", "limit"),
    [(None, 100), ("", 100), ("5", 5), (5, 5), ("0", 0), ("1000", 1000), ("5000", 1000), (-1, 100)],
)
def test_limit(given: Any, limit: int) -> None:
    assert parse_query("Post", {"limit": given}).limit == limit


@pytest.mark.parametrize(("given", "skip"), [(None, 0), ("7", 7), (-3, 0)])
def test_skip(given: Any, skip: int) -> None:
    assert parse_query("Post", {"skip": given}).skip == skip


@pytest.mark.parametrize("name", ["limit", "skip"])
def test_numbers_must_be_numbers(name: str) -> None:
    values: list[Json] = ["ten", "1.5", [], {}, True]
    for value in values:
        with pytest.raises(InvalidQuery, match=f"'{name}' wants a number"):
            parse_query("Post", {name: value})


def test_texts_from_a_url_and_json_from_a_batch_mean_the_same() -> None:
    from_url = parse_query("Post", {"where": '{"a":{"$gt":1}}', "limit": "5", "order": "-a"})
    from_batch = parse_query("Post", {"where": {"a": {"$gt": 1}}, "limit": 5, "order": "-a"})
    assert from_url == from_batch
    assert from_url == Query("Post", Compare("a", "gt", 1), (Order("a", True),), 0, 5)


def test_unknown_parameters_mean_nothing() -> None:
    assert parse_query("Post", {"hint": "x", "cache": "1", "subClass": "y"}) == Query("Post")


@pytest.mark.parametrize("text", ["{", "{'a':1}", "NaN"])
def test_where_that_is_no_json_is_code_107(text: str) -> None:
    with pytest.raises(ApiError, match="in where") as caught:
        parse_query("Post", {"where": text})
    assert caught.value.code == 107


@pytest.mark.parametrize("text", ["", "  ", "null", "{}"])
def test_an_empty_where_means_all(text: str) -> None:
    assert parse_query("Post", {"where": text}).where == EVERYTHING


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (True, True), ("true", True), ("True", True), ("1", True), (1, True),
        (False, False), ("false", False), ("0", False), (0, False), (None, False), ("", False),
        ("yes", False),
    ],
)  # fmt: skip
def test_truth(value: Any, meaning: bool) -> None:
    assert truth(value) is meaning


def test_the_list_of_operators_is_what_works() -> None:
    for name in where_json.OPERATORS:
        if name in ("$and", "$or", "$nor"):
            parse_where({name: [{"a": 1}]})
        elif name == "$not":
            parse_where({"a": {name: {"$gt": 1}}})
        else:
            point: Json = {"__type": "GeoPoint", "latitude": 1, "longitude": 2}
            inner: Json = {"className": "C", "where": {}}
            post: Json = {"__type": "Pointer", "className": "Post", "objectId": "p"}
            operands: dict[str, Json] = {
                "$size": 1,
                "$regex": "x",
                "$nearSphere": point,
                "$within": {"$box": [point, point]},
                "$inQuery": inner,
                "$notInQuery": inner,
                "$select": {"query": inner, "key": "k"},
                "$dontSelect": {"query": inner, "key": "k"},
            }
            if name == "$relatedTo":
                parse_where({name: {"object": post, "key": "likes"}})
            elif "Distance" in name:
                parse_where({"a": {"$nearSphere": point, name: 1}})
            else:
                parse_where({"a": {name: operands.get(name, [1])}})
