"""Queries over REST: conditions, order, pages, keys (storage.md 4)."""

from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.jsontext import Json
from tests.support.api import CLIENT, MASTER
from tests.support.matchers import ANY_DATE, With, error, text_with
from tests.support.scenario import Id, Scenario, Sent, SignedUp, Stored, Token, run


def date(day: int) -> dict[str, Json]:
    return {"__type": "Date", "iso": f"2021-01-{day:02}T00:00:00.000Z"}


def author(object_id: str) -> dict[str, Json]:
    return {"__type": "Pointer", "className": "Author", "objectId": object_id}


ROWS = [
    Stored("ann", "Row", {"name": "Ann", "n": 1, "at": date(1), "by": author("a1")}),
    Stored("bob", "Row", {"name": "bob", "n": 2, "at": date(2), "tags": ["x", "y"]}),
    Stored("cid", "Row", {"name": "Cid", "n": 3, "on": True, "tags": [], "o": {"p": {"q": 1}}}),
    Stored("dee", "Row", {"name": "dee.e", "n": None, "on": False, "tags": ["x"],
                          "by": author("a2")}),
    Stored("eve", "Row", {"l": [{"k": 1}, {"k": 2}], "o": {"p": 5}}),
]  # fmt: skip
EVERYBODY = ["ann", "bob", "cid", "dee", "eve"]


def finds(name: str, found: list[str], **params: Any) -> Scenario:
    """A query and the objects it finds, in order, by their names above."""
    answer = {"results": [With({"objectId": Id(one)}) for one in found]}
    return Scenario(name, Sent("GET", "/1.1/classes/Row", params=params), 200, answer, setup=ROWS)


def where(name: str, condition: Any, *found: str) -> Scenario:
    return finds(f"where: {name}", [*found], where=condition)


CONDITIONS = [
    where("nothing", {}, *EVERYBODY),
    where("equality", {"n": 1}, "ann"),
    where("a double equals an integer", {"n": 1.0}, "ann"),
    where("no number is a boolean", {"n": True}),
    where("a boolean", {"on": False}, "dee"),
    where("text is case sensitive", {"name": "ann"}),
    where("null is absent too", {"n": None}, "dee", "eve"),
    where("a member of a list", {"tags": "x"}, "bob", "dee"),
    where("a whole list", {"tags": ["x", "y"]}, "bob"),
    where("a whole list, other order", {"tags": ["y", "x"]}),
    where("an empty list", {"tags": []}, "cid"),
    where("an object", {"o": {"p": 5}}, "eve"),
    where("a date", {"at": date(2)}, "bob"),
    where("a date with a zone", {"at": {**date(1), "iso": "2021-01-01T08:00:00+08:00"}}, "ann"),
    where("a pointer", {"by": author("a1")}, "ann"),
    where("a pointer with fields", {"by": {**author("a2"), "name": "x"}}, "dee"),
    where("a dotted path", {"o.p": 5}, "eve"),
    where("a deep path", {"o.p.q": 1}, "cid"),
    where("a path through a list", {"l.k": 2}, "eve"),
    where("two fields", {"n": 1, "name": "Ann"}, "ann"),
    where("$ne", {"n": {"$ne": 1}}, "bob", "cid", "dee", "eve"),
    where("$ne in a list", {"tags": {"$ne": "x"}}, "ann", "cid", "eve"),
    where("$lt", {"n": {"$lt": 2}}, "ann"),
    where("$lte", {"n": {"$lte": 2}}, "ann", "bob"),
    where("$gt", {"n": {"$gt": 2}}, "cid"),
    where("$gte and $lt", {"n": {"$gte": 2, "$lt": 3}}, "bob"),
    where("$gt on dates", {"at": {"$gt": date(1)}}, "bob"),
    where("$lt on texts", {"name": {"$lt": "a"}}, "ann", "cid"),
    where("$lt compares one type", {"name": {"$lt": 5}}),
    where("$in", {"n": {"$in": [1, 3, 9]}}, "ann", "cid"),
    where("$in with null", {"n": {"$in": [None, 1]}}, "ann", "dee", "eve"),
    where("$in in a list", {"tags": {"$in": ["y"]}}, "bob"),
    where("$in of pointers", {"by": {"$in": [author("a1"), author("a9")]}}, "ann"),
    where("$in of nothing", {"n": {"$in": []}}),
    where("$nin", {"n": {"$nin": [1, 2]}}, "cid", "dee", "eve"),
    where("$nin and $exists", {"n": {"$exists": True, "$nin": ["", None]}}, "ann", "bob", "cid"),
    where("$all", {"tags": {"$all": ["y", "x"]}}, "bob"),
    where("$size", {"tags": {"$size": 0}}, "cid"),
    where("$exists", {"n": {"$exists": True}}, "ann", "bob", "cid", "dee"),
    where("$exists false", {"n": {"$exists": False}}, "eve"),
    where("$regex", {"name": {"$regex": "e"}}, "dee"),
    where("$regex and $options", {"name": {"$regex": "^A", "$options": "i"}}, "ann"),
    where("$regex, quoted", {"name": {"$regex": "\\Qe.e\\E"}}, "dee"),
    where("$regex, quoted at the start", {"name": {"$regex": "^\\QA\\E"}}, "ann"),
    where("$eq", {"n": {"$eq": 2}}, "bob"),
    where("$not", {"n": {"$not": {"$gt": 1}}}, "ann", "dee", "eve"),
    where("$or", {"$or": [{"n": 1}, {"name": "bob"}]}, "ann", "bob"),
    where("$or beside a field", {"$or": [{"n": 1}, {"n": 2}], "name": "bob"}, "bob"),
    where("$and", {"$and": [{"n": {"$gt": 1}}, {"n": {"$lt": 3}}]}, "bob"),
    where("$nor", {"$nor": [{"n": 1}, {"tags": "x"}]}, "cid", "eve"),
    where("a list of conditions", [{"n": {"$gt": 1}}, {"on": True}], "cid"),
    where("createdAt as a date", {"createdAt": {"$lt": date(2)}}),
    where("createdAt as a text", {"createdAt": {"$gt": "2021-01-01T00:00:00Z"}}, *EVERYBODY),
    where("a field nobody has", {"nothing": 1}),
    where("objectId", {"objectId": {"$in": [Id("dee"), Id("bob"), "gone"]}}, "bob", "dee"),
    where("objectId alone", {"objectId": Id("cid")}, "cid"),
]  # fmt: skip

PAGES = [
    finds("no parameters", EVERYBODY),
    finds("parameters nobody knows", EVERYBODY, hint="x", cache="1"),
    finds("order, missing first", ["dee", "eve", "ann", "bob", "cid"], order="n"),
    finds("order, descending", ["cid", "bob", "ann", "dee", "eve"], order="-n"),
    finds("order of texts", ["eve", "ann", "cid", "bob", "dee"], order="name"),
    finds("order by two", ["bob", "ann", "eve", "dee", "cid"], order="on, -n"),
    finds("order by a date", ["bob", "ann", "cid", "dee", "eve"], order="-at"),
    finds("order by a path", ["ann", "bob", "dee", "eve", "cid"], order="o.p"),
    finds("order by creation, newest first", EVERYBODY[::-1], order="-objectId"),
    finds("order by a field nobody has", EVERYBODY, order="nothing"),
    finds("limit", ["ann", "bob"], limit=2),
    finds("limit and skip", ["cid", "dee"], limit=2, skip=2),
    finds("skip beyond the end", [], skip=9),
    finds("limit 0", [], limit=0),
    finds("limit below 0", EVERYBODY, limit=-1),
    finds("limit and order", ["cid", "bob"], order="-n", limit=2),
    Scenario(
        "count",
        Sent("GET", "/1.1/classes/Row", params={"count": 1, "limit": 1}),
        200,
        {"results": [With({"objectId": Id("ann")})], "count": 5},
        setup=ROWS,
    ),
    Scenario(
        "count alone",
        Sent(
            "GET",
            "/1.1/classes/Row",
            params={"where": {"name": {"$regex": "^\\QA\\E"}}, "limit": 0, "count": 1},
        ),
        200,
        {"results": [], "count": 1},
        setup=ROWS,
    ),
    Scenario(
        "count=true",
        Sent("GET", "/1.1/classes/Row", params={"count": "true", "limit": "0"}),
        200,
        {"results": [], "count": 5},
        setup=ROWS,
    ),
    Scenario(
        "count=0",
        Sent("GET", "/1.1/classes/Row", params={"count": "0", "limit": "0"}),
        200,
        {"results": []},
        setup=ROWS,
    ),
    Scenario(
        "a plus in the URL is a blank",
        Sent("GET", "/1.1/classes/Row?where=%7B%22name%22:%22a+b%22%7D&keys=name"),
        200,
        {"results": [With({"name": "a b"})]},
        setup=[Stored("row", "Row", {"name": "a b"})],
    ),
]
TIMES = {"createdAt": ANY_DATE, "updatedAt": ANY_DATE}
KEYS = [
    Scenario(
        f"keys={keys}",
        Sent("GET", "/1.1/classes/Row", params={"keys": keys, "limit": 1}),
        200,
        {"results": [expected]},
        setup=ROWS,
    )
    for keys, expected in [
        ("name", {"objectId": Id("ann"), **TIMES, "name": "Ann"}),
        ("name,by", {"objectId": Id("ann"), **TIMES, "name": "Ann", "by": author("a1")}),
        ("by.name", {"objectId": Id("ann"), **TIMES, "by": author("a1")}),
        ("nothing", {"objectId": Id("ann"), **TIMES}),
        ("-by,-at,-name", {"objectId": Id("ann"), **TIMES, "n": 1}),
        ("name,-createdAt,-updatedAt,-objectId", {"name": "Ann"}),
    ]
]

NOT_QUERIES: list[tuple[str, dict[str, Any], int, Any]] = [
    ("where that is no JSON", {"where": "{"}, 400, error(107, text_with("in where"))),
    ("where that is no object", {"where": "5"}, 400, error(1)),
    ("an unknown operator", {"where": {"n": {"$x": 1}}}, 400, error(1, text_with("$x", "n"))),
    ("an unknown operator on top", {"where": {"$x": []}}, 400, error(1, text_with("$x"))),
    ("$or of nothing", {"where": {"$or": []}}, 400, error(1)),
    ("$in of no list", {"where": {"n": {"$in": 1}}}, 400, error(1)),
    ("a pattern that is none", {"where": {"name": {"$regex": "("}}}, 400, error(1)),
    ("limit that is no number", {"limit": "all"}, 400, error(1, text_with("limit"))),
    ("skip that is no number", {"skip": "x"}, 400, error(1)),
    ("a malformed pointer", {"where": {"by": {"__type": "Pointer"}}}, 400, error(106)),
    (
        "a point out of range",
        {"where": {"g": {"__type": "GeoPoint", "latitude": 100, "longitude": 0}}},
        400,
        error(302),
    ),
]
REFUSED = [
    Scenario(
        f"refused: {name}",
        Sent("GET", "/1.1/classes/Row", params=params),
        status,
        expected,
        setup=ROWS,
    )
    for name, params, status, expected in NOT_QUERIES
]

ACLS: list[Stored | SignedUp] = [
    Stored("public", "Note", {"n": 1}),
    Stored("hidden", "Note", {"n": 2, "ACL": {}}),
    Stored("read", "Note", {"n": 3, "ACL": {"*": {"read": True}}}),
    SignedUp("ann"),
    Stored("anns", "Note", {"n": 4, "ACL": {Id("ann"): {"read": True}}}),
]
RIGHTS = [
    Scenario(
        f"read as {who}",
        Sent("GET", "/1.1/classes/Note", headers=headers, params={"count": 1, "keys": "n"}),
        200,
        {"results": [With({"n": n}) for n in seen], "count": len(seen)},
        setup=ACLS,
    )
    for who, headers, seen in [
        ("nobody", None, [1, 3]),
        ("a user", {**CLIENT, "X-LC-Session": Token("ann")}, [1, 3, 4]),
        ("a dead session", {**CLIENT, "X-LC-Session": "0" * 25}, [1, 3]),
        ("master", MASTER, [1, 2, 3, 4]),
    ]
]


@pytest.mark.parametrize("scenario", [*CONDITIONS, *PAGES, *KEYS, *REFUSED, *RIGHTS], ids=str)
async def test_queries(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)
