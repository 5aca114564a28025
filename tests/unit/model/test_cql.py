"""CQL: every rule of its grammar, what it means, and what is said of texts it does not know."""

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.cql import MAX_BYTES, MAX_DEPTH, parse_cql, parse_pvalues
from lean_emulator.model.cql_literals import like_pattern
from lean_emulator.model.cql_statement import (
    DeleteStatement,
    InsertStatement,
    SelectStatement,
    Statement,
    UpdateStatement,
)
from lean_emulator.model.query import (
    EVERYTHING,
    All,
    AnyOf,
    Compare,
    Exists,
    InList,
    InQuery,
    Keys,
    Matches,
    Near,
    Not,
    Order,
    Query,
    RelatedTo,
    Select,
    Where,
)
from lean_emulator.model.where_json import parse_query, parse_where

NOW = "2026-11-20T08:00:00.000Z"
BUILT_IN = frozenset({"objectId", "createdAt", "updatedAt"})
POST: dict[str, Json] = {"__type": "Pointer", "className": "Post", "objectId": "p1"}
POINT: dict[str, Json] = {"__type": "GeoPoint", "latitude": 39.9, "longitude": 116.4}


def read(text: str, *values: Any) -> Statement:
    return parse_cql(text, values, now=NOW)


def select(text: str, *values: Any) -> SelectStatement:
    statement = read(text, *values)
    assert isinstance(statement, SelectStatement)
    return statement


def where(condition: str, *values: Any) -> Where:
    return select(f"select * from X where {condition}", *values).query.where


def refused(text: str, *values: Any, code: int = 300) -> str:
    with pytest.raises(ApiError) as caught:
        read(text, *values)
    assert (caught.value.code, caught.value.status) == (code, 400)
    return caught.value.message


def date(iso: str) -> dict[str, Json]:
    return {"__type": "Date", "iso": iso}


# Conditions: each row says the same in CQL and in JSON.

SAME = [
    ("a = 1", {"a": 1}),
    ("a = -1.5", {"a": -1.5}),
    ("a = +2e3", {"a": 2000.0}),
    ("a = .5", {"a": 0.5}),
    ("a = 'x'", {"a": "x"}),
    ('a = "it\'s"', {"a": "it's"}),
    ("a = 'it''s'", {"a": "it's"}),
    ("a = '\"\"'", {"a": '""'}),
    (r"a = 'it\'s\n\\\/'", {"a": "it's\n\\/"}),
    (r"a = '\d'", {"a": r"\d"}),
    ("a = '星'", {"a": "星"}),
    ("a = true AND b = False", {"a": True, "b": False}),
    ("a = null", {"a": None}),
    ("a = []", {"a": []}),
    ("a = [1, 'x', [true]]", {"a": [1, "x", [True]]}),
    ("a = {}", {"a": {}}),
    ("a = {b: 1, 'c d': {e: [null]}}", {"a": {"b": 1, "c d": {"e": [None]}}}),
    ("a = {__type: 'Pointer', className: 'Post', objectId: 'p1'}", {"a": POST}),
    ("a = pointer('Post', 'p1')", {"a": POST}),
    ("a = file('f1')", {"a": {"__type": "File", "id": "f1"}}),
    ("a = base64('YQ==')", {"a": {"__type": "Bytes", "base64": "YQ=="}}),
    ("a = geopoint(116.4, 39.9)", {"a": POINT}),
    ("a < date('2020-01-01T00:00:00.000Z')", {"a": {"$lt": date("2020-01-01T00:00:00.000Z")}}),
    ("a = current_timestamp()", {"a": date(NOW)}),
    ("createdAt <= date('2020-01-01T08:00:00+08:00')",
     {"createdAt": {"$lte": date("2020-01-01T00:00:00.000Z")}}),
    ("createdAt < current_timestamp()", {"createdAt": {"$lt": date(NOW)}}),
    ("a != 1", {"a": {"$ne": 1}}),
    ("a <> 1", {"a": {"$ne": 1}}),
    ("a < 1", {"a": {"$lt": 1}}),
    ("a <= 1", {"a": {"$lte": 1}}),
    ("a > 1", {"a": {"$gt": 1}}),
    ("a >= 1", {"a": {"$gte": 1}}),
    ("a.b.c = 1", {"a.b.c": 1}),
    ("l.0 = 1", {"l.0": 1}),
    ("`a.b-c` = 1", {"a.b-c": 1}),
    ("a > 1 and a <= 5", {"a": {"$gt": 1, "$lte": 5}}),
    ("a = 1 and b > 1 and b < 5", {"a": 1, "b": {"$gt": 1, "$lt": 5}}),
    ("(a = 1 and b = 2) and c = 3", {"a": 1, "b": 2, "c": 3}),
    ("a = 1 or b = 2 or c = 3", {"$or": [{"a": 1}, {"b": 2}, {"c": 3}]}),
    ("a = 1 or (b = 2 or c = 3)", {"$or": [{"a": 1}, {"b": 2}, {"c": 3}]}),
    ("a = 1 or b = 2 and c = 3", {"$or": [{"a": 1}, {"b": 2, "c": 3}]}),
    ("(a = 1 or b = 2) and c = 3", {"$or": [{"a": 1}, {"b": 2}], "c": 3}),
    ("((a = 1))", {"a": 1}),
    ("a like 'x%'", {"a": {"$regex": "^x"}}),
    ("a not like '%x'", {"a": {"$not": {"$regex": "x$"}}}),
    ("a regexp '^x.*'", {"a": {"$regex": "^x.*"}}),
    ("a not regexp 'x'", {"a": {"$not": {"$regex": "x"}}}),
    ("a in (1)", {"a": {"$in": [1]}}),
    ("a in (1, 'x', null)", {"a": {"$in": [1, "x", None]}}),
    ("a not in (1)", {"a": {"$nin": [1]}}),
    ("a is exists", {"a": {"$exists": True}}),
    ("a is not exists", {"a": {"$exists": False}}),
    ("a all (100, 100)", {"a": {"$all": [100, 100]}}),
    ("size(a) = 2", {"a": {"$size": 2}}),
    ("a near [116.4, 39.9]", {"a": {"$nearSphere": POINT}}),
    ("a near geopoint(116.4, 39.9) max 1 km",
     {"a": {"$nearSphere": POINT, "$maxDistanceInKilometers": 1}}),
    ("a near [116.4, 39.9] min 0.5km max 2 miles",
     {"a": {"$nearSphere": POINT, "$minDistanceInKilometers": 0.5, "$maxDistanceInMiles": 2}}),
    ("a near [116.4, 39.9] max 0.1", {"a": {"$nearSphere": POINT, "$maxDistance": 0.1}}),
    ("a near [116.4, 39.9] max .1 radians",
     {"a": {"$nearSphere": POINT, "$maxDistanceInRadians": 0.1}}),
    ("a near {__type: 'GeoPoint', latitude: 39.9, longitude: 116.4}",
     {"a": {"$nearSphere": POINT}}),
    ("a within [1, 2] and geopoint(3, 4) and b = 1",
     {"a": {"$within": {"$box": [[1, 2], [3, 4]]}}, "b": 1}),
    ("related likes to pointer('Post', 'p1')",
     {"$relatedTo": {"object": POST, "key": "likes"}}),
    ("a = (select k from Y where b > 1)",
     {"a": {"$select": {"query": {"className": "Y", "where": {"b": {"$gt": 1}}}, "key": "k"}}}),
    ("a in (select k from Y limit 10)",
     {"a": {"$select": {"query": {"className": "Y", "limit": 10}, "key": "k"}}}),
    ("a != (select k.l from Y)",
     {"a": {"$dontSelect": {"query": {"className": "Y"}, "key": "k.l"}}}),
    ("a not in (select k from Y)",
     {"a": {"$dontSelect": {"query": {"className": "Y"}, "key": "k"}}}),
    ("a in (select * from Y where b = 1 limit 2, 3 order by -c)",
     {"a": {"$inQuery": {"className": "Y", "where": {"b": 1}, "limit": 3, "skip": 2,
                         "order": "-c"}}}),
    ("a not in (select * from Y where b in (select * from Z))",
     {"a": {"$notInQuery": {"className": "Y",
                            "where": {"b": {"$inQuery": {"className": "Z"}}}}}}),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "document"), SAME, ids=[text for text, _ in SAME])
def test_cql_and_json_of_the_same_meaning_are_the_same_tree(condition: str, document: Any) -> None:
    assert where(condition) == parse_where(document)


def test_trees_are_what_they_should_be() -> None:
    """A few without the way over JSON, so that the table above cannot be wrong on both sides."""
    assert where("a=1 and b!=2 or c is exists") == AnyOf(
        (All((Compare("a", "eq", 1), Not(Compare("b", "eq", 2)))), Exists("c"))
    )
    assert where("p in (select * from Y)") == InQuery("p", Query("Y"))
    assert where("a != (select k from Y)") == Not(Select("a", Query("Y"), "k"))
    assert where("related likes to pointer('Post','p1')") == RelatedTo("Post", "p1", "likes")
    assert where("a like 'a%'") == Matches("a", "^a")
    assert where("a not in (1,2)") == Not(InList("a", (1, 2)))
    near = where("at near [116, 40] max 0.5 radians")
    assert near == Near("at", 40.0, 116.0, 0.0, 0.5)
    assert select("select * from X").query.where == EVERYTHING


@pytest.mark.parametrize(
    ("text", "pattern", "options"),
    [
        ("", "^$", None),
        ("%", "", None),
        ("%%", "", None),
        ("x", "^x$", None),
        ("x%", "^x", None),
        ("%x", "x$", None),
        ("%x%", "x", None),
        ("x%y", "^x.*y$", "s"),
        ("x_", "^x.$", "s"),
        ("%_", ".$", "s"),
        ("1.5*(a|b)+", r"^1\.5\*\(a\|b\)\+$", None),
        ("x[(]y[)]%", r"^x\(y\)", None),
        ("[%]", "^%$", None),
        ("[ab]", r"^\[ab\]$", None),
        ("a\\", r"^a\\$", None),
    ],
)
def test_like_is_a_pattern(text: str, pattern: str, options: str | None) -> None:
    wanted = {"$regex": pattern} if options is None else {"$regex": pattern, "$options": options}
    assert like_pattern(text) == wanted


# Selections, pages, orders


def test_columns() -> None:
    def keys(columns: str) -> tuple[Keys, tuple[str, ...], bool, bool]:
        statement = select(f"select {columns} from X")
        return (
            statement.query.keys, statement.include, statement.wants_rows, statement.wants_count
        )  # fmt: skip

    assert keys("*") == (Keys(), (), True, False)
    assert keys("a, b.c") == (Keys(BUILT_IN | {"a", "b.c"}), (), True, False)
    assert keys("*, a") == (Keys(), (), True, False)
    assert keys("*, -a") == (Keys(None, frozenset({"a"})), (), True, False)
    assert keys("a, -objectId") == (
        Keys(BUILT_IN | {"a"}, frozenset({"objectId"})), (), True, False
    )  # fmt: skip
    assert keys("include post, *") == (Keys(), ("post",), True, False)
    assert keys("include post, include author.team") == (
        Keys(), ("post", "author.team"), True, False
    )  # fmt: skip
    assert keys("a, include post.tag") == (
        Keys(BUILT_IN | {"a", "post"}), ("post.tag",), True, False
    )  # fmt: skip
    assert keys("count(*), *") == (Keys(), (), True, True)
    assert keys("*,count(objectId)") == (Keys(), (), True, True)
    assert keys("count (*), a") == (Keys(BUILT_IN | {"a"}), (), True, True)


def test_a_count_alone_wants_no_rows() -> None:
    statement = select("select count(*) from X where a = 1 limit 5")
    assert (statement.wants_rows, statement.wants_count) == (False, True)
    assert statement.query.limit == 0


@pytest.mark.parametrize(
    ("clauses", "order", "skip", "limit"),
    [
        ("", (), 0, 100),
        ("limit 5", (), 0, 5),
        ("limit 2, 5", (), 2, 5),
        ("limit 0", (), 0, 0),
        ("limit 5000", (), 0, 1000),
        ("order by a", (Order("a"),), 0, 100),
        ("order by +a, -b.c", (Order("a"), Order("b.c", True)), 0, 100),
        ("order by a desc", (Order("a", True),), 0, 100),
        ("order by a ASC", (Order("a"),), 0, 100),
        ("order by a, b desc", (Order("a", True), Order("b", True)), 0, 100),
        ("order by a asc, b desc", (Order("a"), Order("b", True)), 0, 100),
        ("order by a desc, b", (Order("a", True), Order("b")), 0, 100),
        ("order by score, +name desc", (Order("score", True), Order("name")), 0, 100),
        ("order by -score, name asc", (Order("score", True), Order("name")), 0, 100),
        ("order by -a, -a", (Order("a", True), Order("a", True)), 0, 100),
        ("limit 1 order by a", (Order("a"),), 0, 1),
        ("order by a limit 3, 1", (Order("a"),), 3, 1),
        ("order by a desc limit 1", (Order("a", True),), 0, 1),
        ("order by desc desc", (Order("desc", True),), 0, 100),
    ],
)
def test_pages_and_orders(clauses: str, order: tuple[Order, ...], skip: int, limit: int) -> None:
    query = select(f"select * from X {clauses}").query
    assert (query.order, query.skip, query.limit) == (order, skip, limit)


def test_keywords_in_any_case_and_any_white_space() -> None:
    small = read("select count(*), a from X where b not in (1) and c is exists limit 1 order by d")
    large = read(
        "SELECT COUNT( * ) ,\n\ta FROM X WHERE b NOT\nIN(1)And c Is ExistS Limit 1 ORDER BY d ;\n"
    )
    assert small == large


NAMES_LIKE_KEYWORDS = [
    "select", "from", "where", "limit", "order", "by", "and", "or", "not", "like", "regexp", "in",
    "is", "exists", "all", "near", "within", "min", "max", "to", "values", "set", "into", "insert",
    "update", "delete", "count", "size", "include", "related", "date", "pointer", "geopoint",
    "file", "base64", "current_timestamp", "op", "asc", "desc", "true", "false", "null",
]  # fmt: skip


def test_keywords_can_be_names() -> None:
    for word in NAMES_LIKE_KEYWORDS:
        assert where(f"{word} = 1") == Compare(word, "eq", 1)
        assert select(f"select {word}, a from X").params["keys"] == f"{word},a"
        assert select(f"select a, {word} from {word} order by {word}").params["order"] == word
        assert read(f"insert into X({word}) values ({{{word}: 1}})") == InsertStatement(
            "X", ({word: {word: 1}},)
        )


def test_classes_with_names_of_their_own() -> None:
    assert select("select * from _User").class_name == "_User"
    assert select("select * from `Post`").class_name == "Post"
    assert "Invalid class name '_a.b'" in refused("select * from _a.b", code=103)
    assert "Invalid class name" in refused("delete from __x where objectId='1'", code=103)


# Placeholders


def test_placeholders_are_filled_in_the_order_of_the_text() -> None:
    statement = select(
        "select * from X where a = ? and (b in (?, ?) or c like ?) and at near ? max ? km and "
        "related d to ? and size(e) = ? and f = {g: [?]} and h = pointer(?, ?) limit ?, ?",
        1, 2, 3, "x%", POINT, 5, POST, 6, 7, "C", "id", 8, 9,
    )  # fmt: skip
    assert statement.query == parse_query("X", {
        "where": {"$and": [
            {"a": 1},
            {"$or": [{"b": {"$in": [2, 3]}}, {"c": {"$regex": "^x"}}]},
            {"at": {"$nearSphere": POINT, "$maxDistanceInKilometers": 5}},
            {"$relatedTo": {"object": POST, "key": "d"}},
            {"e": {"$size": 6}},
            {"f": {"g": [7]}},
            {"h": {"__type": "Pointer", "className": "C", "objectId": "id"}},
        ]},
        "skip": 8, "limit": 9,
    })  # fmt: skip


def test_placeholders_in_writes() -> None:
    assert read("insert into X(a, b) values (?, 1), (2, ?)", "x", [3]) == InsertStatement(
        "X", ({"a": "x", "b": 1}, {"a": 2, "b": [3]})
    )
    assert read("update X set a = ?, b = op('Add', ?) where objectId = ? and c = ?",
                1, {"objects": [1]}, "id1", 2) == UpdateStatement(
        "X", "id1", {"a": 1, "b": {"__op": "Add", "objects": [1]}}, {"c": {"$eq": 2}}
    )  # fmt: skip
    assert read("delete from X where objectId = ?", "id1") == DeleteStatement("X", "id1")


def test_a_list_for_one_placeholder() -> None:
    assert where("a in ?", [1, 2]) == InList("a", (1, 2))
    assert where("a in (?)", [1, 2]) == InList("a", ([1, 2],))
    with pytest.raises(ApiError, match="wants a list"):
        where("a in ?", 1)


def test_a_value_is_no_operator() -> None:
    """What a client fills in cannot change the question."""
    assert "'$gt'" in refused("select * from X where a = ?", {"$gt": 1}, code=121)
    assert "'$gt'" in refused("select * from X where a in (?)", {"$gt": 1}, code=121)
    assert where("a = ?", "x' or 1=1") == Compare("a", "eq", "x' or 1=1")


def test_patterns_with_backslashes_come_by_placeholder() -> None:
    assert where("a regexp ?", r"^\d+$") == Matches("a", r"^\d+$")
    assert "a string without backslashes" in refused(r"select * from X where a regexp '\d'")


def test_values_are_too_few_or_too_many() -> None:
    text = "select * from X where a = ? and b = ?"
    assert "no value for ? number 2: pvalues has 1" in refused(text, 1)
    assert read(text, 1, 2, 3) == read(text, 1, 2)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("select * from X where a = date(?)", [5]),
        ("select * from X where a = pointer('C', ?)", [None]),
        ("select * from X where a like ?", [5]),
        ("select * from X where a near [?, 1]", ["x"]),
        ("select * from X where a near geopoint(?, 1)", [True]),
        ("insert into X(a) values (op('Add', ?))", [[1]]),
    ],
)
def test_values_of_a_wrong_kind(text: str, values: list[Any]) -> None:
    assert "want" in refused(text, *values)


def test_pvalues_encoded_once_twice_or_not() -> None:
    assert parse_pvalues(None) == parse_pvalues("") == parse_pvalues('""') == []
    assert parse_pvalues([1, "x"]) == [1, "x"]
    assert parse_pvalues('[1, "x"]') == [1, "x"]
    assert parse_pvalues(json.dumps(json.dumps([1, "x"]))) == [1, "x"]
    for wrong, code in (('{"a": 1}', 1), ("5", 1), ("[1", 107), ('"[1"', 107)):
        with pytest.raises(ApiError) as caught:
            parse_pvalues(wrong)
        assert caught.value.code == code


# Writes


def test_insert() -> None:
    text = "insert into Player(name, age) values ('LeanCloud', 2), ('美味书签', 3)"
    assert read(text) == InsertStatement(
        "Player", ({"name": "LeanCloud", "age": 2}, {"name": "美味书签", "age": 3})
    )


def test_operations() -> None:
    text = (
        "update Account set n = op('Decrement', {'amount': 50}), gone = op('Delete', {'delete': "
        "true}), friends = op('AddRelation', {'objects': [pointer('_User', 'u1')]}) "
        "where objectId = 'a1' and n >= 100"
    )
    assert read(text) == UpdateStatement(
        "Account",
        "a1",
        {
            "n": {"amount": 50, "__op": "Decrement"},
            "gone": {"delete": True, "__op": "Delete"},
            "friends": {
                "objects": [{"__type": "Pointer", "className": "_User", "objectId": "u1"}],
                "__op": "AddRelation",
            },
        },
        {"n": {"$gte": 100}},
    )


@pytest.mark.parametrize(
    ("condition", "guard"),
    [
        ("objectId = 'x1'", None),
        ("(objectId = 'x1')", None),
        ("objectId = 'x1' and a = 1", {"a": {"$eq": 1}}),
        ("a = 1 and objectId = 'x1'", {"a": {"$eq": 1}}),
        ("objectId = 'x1' and a = 1 and b > 2", {"$and": [{"a": {"$eq": 1}}, {"b": {"$gt": 2}}]}),
        ("objectId = 'x1' and (a = 1 or b = 2)",
         {"$or": [{"a": {"$eq": 1}}, {"b": {"$eq": 2}}]}),
    ],
)  # fmt: skip
def test_writes_name_one_object(condition: str, guard: Any) -> None:
    assert read(f"delete from X where {condition}") == DeleteStatement("X", "x1", guard)
    assert read(f"update X set a = 1 where {condition}") == UpdateStatement(
        "X", "x1", {"a": 1}, guard
    )


@pytest.mark.parametrize(
    "condition",
    ["a = 1", "objectId != 'x1'", "objectId in ('x1')", "objectId = 'x1' or a = 1",
     "objectId = 5", "objectId = 'x1' and a = 1 or b = 2"],
)  # fmt: skip
def test_writes_without_one_object_are_refused(condition: str) -> None:
    assert "change one object" in refused(f"delete from X where {condition}")
    assert "change one object" in refused(f"update X set a = 1 where {condition}")


def test_one_delete_is_of_one_object() -> None:
    assert "objectId 'a,b'" in refused("delete from X where objectId = 'a,b'", code=104)


def test_columns_that_cannot_be_written() -> None:
    assert "'_where'" in refused("insert into X(_where) values (1)", code=105)
    assert "'__ignore_hooks'" in refused(
        "update X set __ignore_hooks = ['beforeSave'] where objectId = 'x'", code=105
    )
    assert "written twice" in refused("update X set a = 1, a = 2 where objectId = 'x'")
    assert "Row 2 has 1 values for 2 columns" in refused("insert into X(a, b) values (1, 2), (3)")


# What cannot be read


def test_the_recorded_error() -> None:
    assert refused("select * GameScore limit 10") == (
        "CQL syntax error.Detail: Parse error at line 1, column 10:\n"
        "select * GameScore limit 10\n"
        "         ^\n"
        'Expected one of:\nfrom\n#"\\s+"\n,\n\n'
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "shown", "expected"),
    [
        ("", 1, 1, "", ["delete", "insert", "select", "update"]),
        ("selec * from X", 1, 1, "selec * from X", ["delete", "insert", "select", "update"]),
        ("select", 1, 7, "select", ["a name", "count", "include", "*", "-"]),
        ("select *", 1, 9, "select *", ["from", ","]),
        ("select * from", 1, 14, "select * from", ["a name"]),
        ("select * from X y", 1, 17, "select * from X y",
         ["end of text", "limit", "order", "where"]),
        ("select * from X\nwhere a = 1\n  b = 2", 3, 3, "  b = 2",
         ["and", "end of text", "limit", "or", "order"]),
        ("select * from X where (a = 1", 1, 29, "select * from X where (a = 1",
         ["and", "or", ")"]),
        ("select * from X limit 1.5", 1, 23, "select * from X limit 1.5", ["a whole number", "?"]),
        ("select * from X limit -1", 1, 23, "select * from X limit -1", ["a whole number", "?"]),
        ("update X set a = 1", 1, 19, "update X set a = 1", ["where", ","]),
        ("select * from X where a # 1", 1, 25, "select * from X where a # 1",
         ["all", "in", "is", "like", "near", "not", "regexp", "within",
          "!=", "<", "<=", "<>", "=", ">", ">="]),
        ("select * from X where a near [1,2] max x", 1, 40,
         "select * from X where a near [1,2] max x", ["a distance", "?"]),
        ("select * from X order by -", 1, 27, "select * from X order by -", ["a name"]),
        ("insert into X(a) values (1", 1, 27, "insert into X(a) values (1", [")", ","]),
        ("select * from 星", 1, 15, "select * from 星", ["a name"]),
        ("select * from X where objectId = 55x", 1, 34, "select * from X where objectId = 55x",
         ["a number", "a string", "base64", "current_timestamp", "date", "false", "file",
          "geopoint", "null", "pointer", "true", "(", "?", "[", "{"]),
    ],
)  # fmt: skip
def test_errors_tell_place_and_what_could_stand_there(
    text: str, line: int, column: int, shown: str, expected: list[str]
) -> None:
    message = refused(text)
    first, quoted, caret, title, *words = message.split("\n")
    assert first == f"CQL syntax error.Detail: Parse error at line {line}, column {column}:"
    assert (quoted, caret) == (shown, f"{' ' * (column - 1)}^")
    assert title == "Expected one of:"
    assert words[-2:] == ["", ""]
    assert words.count('#"\\s+"') == 1
    assert sorted(word for word in words[:-2] if word != '#"\\s+"') == sorted(expected)


@pytest.mark.parametrize(
    "text",
    [
        "select *", "select a as b from X", "select distinct a from X", "select max(a) from X",
        "select * from X, Y", "select * from X where a = b", "select * from X where a = 1 + 1",
        "select * from X where a < (select b from Y)", "select * from X where not a = 1",
        "select * from X where a like 5", "select * from X where a is null",
        "select * from X where a in ()", "select * from X where size(a) > 1",
        "select * from X where a near [1, 2] max 1 km min 1 km", "select count(a) from X",
        "select * from X where a = 'x", "select * from X where a = x", "select * from ?",
        "select * from X where ? = 1", "select * from X order by ?", "select * from X limit",
        "select * from X group by a", "select * from X where a = op('Add', {})",
        "insert into X values (1)", "insert into X(a) values ()", "update X set where a = 1",
        "update X set a where objectId = 'x'", "delete X where objectId = 'x'", "delete from X",
        "update X set a = op('Delete') where objectId = 'x'",
        "select * from X; select * from Y", "drop X", "select * fromX", "select * from X limit5",
    ],
)  # fmt: skip
def test_what_the_language_does_not_have(text: str) -> None:
    assert "Parse error at line 1, column " in refused(text, 1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "select a, b from Y", "select count(*) from Y", "select count(*), a from Y",
        "select include a, * from Y", "select -a from Y", "select a, -b from Y",
    ],
)  # fmt: skip
def test_sub_queries_select_one_column_or_everything(text: str) -> None:
    assert "one column" in refused(f"select * from X where a in ({text})")


def test_geo_conditions_cannot_be_counted() -> None:
    for condition in ("at near [1, 2]", "a = 1 and at within [1, 2] and [3, 4]"):
        assert "cannot be counted" in refused(f"select count(*), * from X where {condition}")
    counted = select("select count(*) from X where a in (select * from Y where at near [1, 2])")
    assert counted.wants_count


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("select * from X where a = date('yesterday')", 107),
        ("select * from X where a near [1, 100]", 302),
        ("select * from X where a = pointer('Post', '')", 106),
        ("select * from X where related a to 5", 1),
    ],
)
def test_values_are_held_to_the_rules_of_rest(text: str, code: int) -> None:
    assert refused(text, code=code)


def test_numbers_beyond_any() -> None:
    assert where(f"a = {2**70}") == Compare("a", "eq", float(2**70))
    assert where(f"a = {2**63}") == Compare("a", "eq", 2**63)
    assert "out of range" in refused("select * from X where a = 1e999")
    assert "out of range" in refused(f"select * from X where a = {'9' * 1000}")


def test_texts_are_limited() -> None:
    fits = "select * from X where a = '" + "é" * ((MAX_BYTES - 28) // 2) + "'"
    assert len(fits.encode()) == MAX_BYTES
    assert read(fits)
    assert f"{MAX_BYTES + 1} bytes" in refused(f"{fits} ")


def test_nesting_is_limited() -> None:
    def nested(depth: int) -> str:
        return f"select * from X where a = {'[' * depth}{']' * depth}"

    assert read(nested(MAX_DEPTH))
    assert "nested deeper" in refused(nested(MAX_DEPTH + 1))
    assert "nested deeper" in refused(f"select * from X where {'(' * 4000}")
    assert read(f"select * from X where a = '{'(' * 1000}'")


# Properties


class Said(NamedTuple):
    """A condition in both languages; ``values`` are those of its ``?``."""

    cql: str
    values: list[Any]
    document: dict[str, Any]


def literal(value: Any) -> str:
    """A value as CQL writes it, with keys unquoted and texts in single quotes."""
    match value:
        case None | bool():
            return json.dumps(value)
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
        case list():
            return f"[{', '.join(map(literal, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {literal(item)}' for key, item in value.items())}}}"
        case _:
            return repr(value)


PATHS = st.sampled_from(["a", "b", "count", "a.b", "in", "size", "createdAt"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=4)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([POST, POINT, date("2020-01-01T00:00:00.000Z")])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=2)
    ),
    max_leaves=3,
)
SIGNS = {"!=": "$ne", "<>": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
LISTS = {"in": "$in", "not in": "$nin", "all": "$all"}


def filled(value: Any, by_placeholder: bool) -> tuple[str, list[Any]]:
    return ("?", [value]) if by_placeholder else (literal(value), [])


@st.composite
def conditions(draw: st.DrawFn) -> Said:
    path = draw(PATHS)
    kind = draw(st.sampled_from(["equal", "sign", "list", "exists", "sub"]))
    if kind == "list":
        word = draw(st.sampled_from(sorted(LISTS)))
        members = draw(st.lists(st.tuples(VALUES, st.booleans()), min_size=1, max_size=3))
        parts = [filled(*member) for member in members]
        text = f"{path} {word} ({', '.join(part for part, _ in parts)})"
        values = [value for _, given_ in parts for value in given_]
        return Said(text, values, {path: {LISTS[word]: [value for value, _ in members]}})
    if kind == "exists":
        there = draw(st.booleans())
        text = f"{path} is exists" if there else f"{path} is not exists"
        return Said(text, [], {path: {"$exists": there}})
    value = draw(VALUES)
    shown, values = filled(value, draw(st.booleans()))
    if kind == "sub":
        text = f"{path} in (select k from Y where b = {shown} limit 7)"
        inner = {"className": "Y", "where": {"b": value}, "limit": 7}
        return Said(text, values, {path: {"$select": {"query": inner, "key": "k"}}})
    if kind == "equal":
        return Said(f"{path}={shown}", values, {path: value})
    sign = draw(st.sampled_from(sorted(SIGNS)))
    return Said(f"{path} {sign} {shown}", values, {path: {SIGNS[sign]: value}})


def joined(word: str, operator: str, parts: list[Said]) -> Said:
    text = f" {word} ".join(f"({part.cql})" for part in parts)
    documents = [part.document for part in parts]
    keys = [key for document in documents for key in document]
    merge = operator == "$and" and len(set(keys)) == len(keys)
    document = {k: v for d in documents for k, v in d.items()} if merge else {operator: documents}
    return Said(text, [value for part in parts for value in part.values], document)


SAID = st.recursive(
    conditions(),
    lambda inner: st.builds(
        joined, st.just("and"), st.just("$and"), st.lists(inner, min_size=2, max_size=3)
    ) | st.builds(joined, st.just("or"), st.just("$or"), st.lists(inner, min_size=2, max_size=3)),
    max_leaves=5,
)  # fmt: skip


@given(SAID, st.integers(0, 2000), st.integers(0, 2000))
def test_both_languages_give_equal_queries(said: Said, skip: int, limit: int) -> None:
    statement = select(
        f"select * from X where {said.cql} limit ?, {limit} order by -a, b",
        *said.values,
        skip,
    )
    params: dict[str, Json] = {
        "where": said.document,
        "skip": skip,
        "limit": limit,
        "order": "-a,b",
    }
    assert statement.query == parse_query("X", params)


WORDS = [
    "select", "*", "from", "X", "where", "and", "or", "not", "in", "(", ")", "=", "1", "'x'", "a",
    "b", "?", ",", "limit", "order by", "insert into", "values", "update", "set", "delete",
    "objectId", "like", "near", "[", "]", "{", "}", ":", "count(*)", "pointer(", "date(", "null",
    "within", "-", "related", "to", "`", "'", "1e9",
]  # fmt: skip
STARTS = ["", "select * from X where ", "update X set ", "insert into X("]


def is_read_or_refused(text: str, values: list[Any]) -> bool:
    try:
        statement = read(text, *values)
    except ApiError as e:
        return e.status == 400
    return isinstance(
        statement, SelectStatement | InsertStatement | UpdateStatement | DeleteStatement
    )


@given(st.sampled_from(STARTS), st.lists(st.sampled_from(WORDS), max_size=15), st.lists(VALUES))
def test_no_arrangement_of_words_breaks_the_reader(
    start: str, words: list[str], values: list[Any]
) -> None:
    assert is_read_or_refused(start + " ".join(words), values)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    assert is_read_or_refused(text, [])
