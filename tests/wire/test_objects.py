"""Create, read, update and delete over REST (storage.md 2, 3, appendix B)."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CLIENT, MASTER
from tests.support.matchers import ANY_DATE, ANY_ID, Looks, With, error, text_with
from tests.support.scenario import Id, Scenario, Sent, Stored, run

NOW = "2023-11-14T22:13:20.000Z"
PUBLIC = {"*": {"read": True, "write": True}}
HTTP_DATE = Looks("a date with milliseconds", r"Tue, 14 Nov 2023 22:13:20\.000 GMT")
STAMPS = {"objectId": ANY_ID, "createdAt": NOW, "updatedAt": NOW}
CREATED = {"objectId": ANY_ID, "createdAt": NOW}
CAPITALS = {**CLIENT, "Content-Type": "Application/JSON"}
POINTER = {"__type": "Pointer", "className": "Author", "objectId": "a1"}
DATE = {"__type": "Date", "iso": "2021-02-03T04:05:06.789Z"}


def create(
    name: str, body: Any, stored: Any = None, *, status: int = 201, answer: Any = None, **more: Any
) -> Scenario:
    """A create that is answered with all of the new object."""
    expected = answer if answer is not None else {**STAMPS, **(stored or {})}
    request = Sent("POST", "/1.1/classes/Post", body, params={"fetchWhenSave": "true"})
    return Scenario(f"create: {name}", request, status, expected, **more)


def op(word: str, **more: Any) -> dict[str, Any]:
    return {"__op": word, **more}


CREATES = [
    Scenario(
        "create answers id and time",
        Sent("POST", "/1.1/classes/Person", {"age": 40}),
        201,
        CREATED,
        headers={
            "Location": Looks("a relative path", r"/1\.1/classes/Person/[0-9a-f]{24}"),
            "Content-Type": "application/json;charset=utf-8",
            "Cache-Control": "no-cache,no-store",
            "Pragma": "no-cache",
        },
    ),
    Scenario("create under /1/", Sent("POST", "/1/classes/Post", {"a": 1}), 201, CREATED),
    Scenario("doubled slashes", Sent("POST", "/1.1//classes/Post/", {"a": 1}), 201, CREATED),
    Scenario("no body", Sent("POST", "/1.1/classes/Post"), 201, CREATED),
    Scenario("body null", Sent("POST", "/1.1/classes/Post", raw=b"null"), 201, CREATED),
    Scenario("what PHP sends for {}", Sent("POST", "/1.1/classes/Post", raw=b"[]"), 201, CREATED),
    Scenario(
        "content type in capitals",
        Sent("POST", "/1.1/classes/Post", {}, headers=CAPITALS),
        201,
        CREATED,
    ),
    *(
        Scenario(
            f"whole object with {name}={value}",
            Sent("POST", "/1.1/classes/Post", {"a": 1}, params={name: value}),
            201,
            {**STAMPS, "a": 1} if wanted else CREATED,
        )
        for name, value, wanted in [
            ("fetchWhenSave", "true", True),
            ("fetchWhenSave", "1", True),
            ("new", "true", True),
            ("fetchWhenSave", "false", False),
            ("fetchWhenSave", "0", False),
        ]
    ),
    Scenario(
        "whole object by an old body option",
        Sent("POST", "/1.1/classes/Post", {"a": 1, "_fetchWhenSave": True}),
        201,
        {**STAMPS, "a": 1},
    ),
    create("every plain type", body := {"s": "é", "i": 1, "d": 1.5, "b": False, "n": None}, body),
    create("lists and objects", body := {"l": [1, [2], {"a": []}], "o": {"p": {"q": None}}}, body),
    create("a field called id", {"id": 5, "error": "x"}, {"id": 5, "error": "x"}),
    create("a pointer", {"p": {**POINTER, "name": "extra"}}, {"p": POINTER}),
    create("a full object", {"p": {**POINTER, "__type": "Object", "n": 1}}, {"p": POINTER}),
    create("a zone", {"d": {**DATE, "iso": "2021-02-03T12:05:06.789+08:00"}}, {"d": DATE}),
    create(
        "a point",
        {"g": {"__type": "GeoPoint", "latitude": 40, "longitude": -30}},
        {"g": {"__type": "GeoPoint", "latitude": 40.0, "longitude": -30.0}},
    ),
    create("bytes", body := {"b": {"__type": "Bytes", "base64": "YQ=="}}, body),
    create("a map with a strange type", body := {"m": {"__type": "Object", "x": 1}}, body),
    create("Increment", {"n": op("Increment", amount=3)}, {"n": 3}),
    create("Decrement", {"n": op("Decrement", amount=3)}, {"n": -3}),
    create("Add", {"l": op("Add", objects=[1, 1])}, {"l": [1, 1]}),
    create("AddUnique", {"l": op("AddUnique", objects=[1, 1, 2])}, {"l": [1, 2]}),
    create("Remove", {"l": op("Remove", objects=[1])}, {"l": []}),
    create("Delete", {"a": 1, "l": op("Delete")}, {"a": 1}),
    create("BitAnd", {"n": op("BitAnd", value=6)}, {"n": 0}),
    create("BitOr and BitXor", {"n": op("BitOr", value=6), "m": op("BitXor", value=5)},
           {"n": 6, "m": 5}),
    create("the server's own fields are ignored",
           {"objectId": "mine", "createdAt": DATE, "updatedAt": "x", "a": 1}, {"a": 1}),
    create("control members are not stored",
           {"a": 1, "__internalId": "x", "__children": [], "_fetchWhenSave": False}, {"a": 1}),
    create("marks are not stored",
           {"a": 1, "__before": "1,x", "__after": "1,x", "__after_update": 1, "__sign": "x",
            "_updatedKeys": ["a"], "__ignore_hooks": ["beforeSave"]}, {"a": 1}),
    create("a number beyond 64 bits", {"n": 10**25}, {"n": 1e25}),
]  # fmt: skip

REFUSED_CREATES = [
    *(
        Scenario(f"body {raw!r}", Sent("POST", "/1.1/classes/Post", raw=raw), 400, error(107))
        for raw in (b"{", b"5", b'"text"', b"[1]", b"true", b'{"a":NaN}', b"\xff", b"{" * 200)
    ),
    Scenario("class name with a blank", Sent("POST", "/1.1/classes/Po%20st", {}), 400, error(103)),
    Scenario("class name with a digit", Sent("POST", "/1.1/classes/2Post", {}), 400, error(103)),
    Scenario("class name and line break", Sent("POST", "/1.1/classes/P%0A", {}), 400, error(103)),
    create(
        "field name",
        {"invalid?": 1},
        status=400,
        answer=error(
            105,
            "Invalid key name. Keys are case-sensitive and 'a-zA-Z0-9_' are the only valid "
            "characters. The column is: 'invalid?'.",
        ),
    ),
    create("reserved name", {"className": 1}, status=400, answer=error(105)),
    create("dotted name", {"a.b": 1}, status=400, answer=error(105)),
    create("unknown underscored name", {"_a": 1}, status=400, answer=error(105)),
    create("pointer without id", {"p": {**POINTER, "objectId": ""}}, status=400, answer=error(106)),
    create("date that is none", {"d": {**DATE, "iso": "soon"}}, status=400, answer=error(107)),
    create("nested key", {"o": {"a.b": 1}}, status=400, answer=error(121)),
    create("nested key, deep", {"l": [{"$a": 1}]}, status=400, answer=error(121)),
    create("malformed ACL", {"ACL": {"*": {"read": "yes"}}}, status=400, answer=error(123)),
    create("ACL that is no object", {"ACL": "public"}, status=400, answer=error(123)),
    create(
        "point out of range",
        {"g": {"__type": "GeoPoint", "latitude": 91, "longitude": 0}},
        status=400,
        answer=error(302),
    ),
    create("unknown operation", {"a": op("add", objects=[1])}, status=400,
           answer=error(1, text_with("'add'", "'a'"))),
    create("SetOnInsert", {"a": op("SetOnInsert")}, status=400, answer=error(1)),
    create("objects that are no list", {"a": op("Add", objects=1)}, status=400, answer=error(1)),
    create(
        "another type than before",
        {"flag": "yes"},
        status=400,
        answer=error(
            111,
            "Invalid value type for field 'flag',expect type is {:type \"Boolean\"},"
            "but it is '{:type \"String\"}'.",
        ),
        setup=[Stored("old", "Post", {"flag": True})],
    ),
    create(
        "pointer to another class",
        {"p": POINTER},
        status=400,
        answer=error(111, text_with(':className "Post"', ':className "Author"')),
        setup=[Stored("old", "Post", {"p": {**POINTER, "className": "Post"}})],
    ),
]  # fmt: skip

POST = Stored("post", "Post", {"title": "x", "n": 1, "tags": ["a", "b"], "o": {"p": 1, "q": [2]}})
POST_FIELDS = {"title": "x", "n": 1, "tags": ["a", "b"], "o": {"p": 1, "q": [2]}}
FULL = {**STAMPS, **POST_FIELDS, "objectId": Id("post")}
CLASS_404 = error(101, "Class or object doesn't exists.")


def get(
    name: str, expected: Any, path: str = "{post}", status: int = 200, **params: Any
) -> Scenario:
    return Scenario(
        f"get: {name}",
        Sent("GET", f"/1.1/classes/Post/{path}", params=params),
        status,
        expected,
        setup=[POST],
    )


BARE = {"objectId": Id("post"), "createdAt": NOW, "updatedAt": NOW}
READS = [
    Scenario(
        "get",
        Sent("GET", "/1.1/classes/Post/{post}"),
        200,
        FULL,
        setup=[POST],
        headers={"Last-Modified": HTTP_DATE},
    ),
    get("unknown id", {}, "5d831234abcdef0011223344"),
    get("short id", {}, "123"),
    get("unknown id and keys", {}, "123", keys="title"),
    get("id that cannot be", error(104), "a-b", 400),
    get("id with a line break", error(104), "abc%0A", 400),
    get("keys", {**BARE, "title": "x"}, keys="title"),
    get("keys with blanks", {**BARE, "title": "x", "n": 1}, keys="title, n"),
    get("keys that cannot exist", BARE, keys="2fa,nothing"),
    get("keys to leave out", {**BARE, "title": "x", "n": 1}, keys="-tags,-o"),
    get("built-in keys to leave out", {"title": "x"},
        keys="title,-createdAt,-updatedAt,-objectId"),
    get("dotted keys", {**BARE, "o": {"p": 1}}, keys="o.p"),
    get("dotted key to nothing", {**BARE, "o": {}}, keys="o.z"),
    get("dotted key to leave out", {**FULL, "o": {"q": [2]}}, keys="-o.p"),
    get("returnACL", {**FULL, "ACL": PUBLIC}, returnACL="true"),
    get("returnACL=false", FULL, returnACL="false"),
    Scenario("unknown class", Sent("GET", "/1.1/classes/Nothing/123"), 404, CLASS_404),
    Scenario(
        "a body beside GET is ignored", Sent("GET", "/1.1/classes/Post/{post}", raw=b"null"), 200,
        FULL, setup=[POST],
    ),
    Scenario(
        "even one that is no JSON", Sent("GET", "/1.1/classes/Post/{post}", raw=b"{"), 200, FULL,
        setup=[POST],
    ),
    Scenario(
        "unknown class, when that may be empty",
        Sent("GET", "/1.1/classes/Nothing/123"),
        200,
        {},
        settings={"unknown_class": "empty"},
    ),
    Scenario(
        "forbidden by ACL",
        Sent("GET", "/1.1/classes/Post/{post}"),
        403,
        error(403, text_with("Forbidden reading by object's ACL.")),
        setup=[Stored("post", "Post", {"ACL": {"someone": {"read": True}}})],
    ),
]  # fmt: skip

UPDATED = {"updatedAt": ANY_DATE, "objectId": Id("post")}
KEPT = {"ACL": PUBLIC, **FULL}


def update(
    name: str, body: Any, after: Any = None, fetched: Any = None, *, status: int = 200,
    answer: Any = None, **params: Any,
) -> Scenario:  # fmt: skip
    """An update; ``after`` are the fields that differ then, ``...`` for what is gone."""
    wanted = {**KEPT, **(after or {})}
    return Scenario(
        f"update: {name}",
        Sent("PUT", "/1.1/classes/Post/{post}", body, params=params),
        status,
        answer if answer is not None else {**UPDATED, **(fetched or {})},
        setup=[POST],
        after={"post": {key: value for key, value in wanted.items() if value is not ...}},
    )


UPDATES = [
    update("a field", {"title": "y"}, {"title": "y"}),
    update("nothing", {}),
    update("no body at all", None),
    update("null", {"title": None}, {"title": None}),
    update("the server's own fields are ignored", {"objectId": "x", "createdAt": "y"}),
    update("fetchWhenSave gives what was named", {"title": "y", "n": op("Increment")},
           {"title": "y", "n": 2}, {"title": "y", "n": 2}, fetchWhenSave="true"),
    update("new gives what was named", {"o.p": 5}, {"o": {"p": 5, "q": [2]}},
           {"o": {"p": 5, "q": [2]}}, new="true"),
    update("what was unset is not there", {"title": op("Delete")}, {"title": ...}, {}, new="true"),
    update("Increment", {"n": op("Increment", amount=4)}, {"n": 5}),
    update("Increment of nothing", {"m": op("Increment")}, {"m": 1}),
    update("Decrement", {"n": op("Decrement", amount=4)}, {"n": -3}),
    update("Add", {"tags": op("Add", objects=["a"])}, {"tags": ["a", "b", "a"]}),
    update("AddUnique", {"tags": op("AddUnique", objects=["a", "c"])}, {"tags": ["a", "b", "c"]}),
    update("Remove", {"tags": op("Remove", objects=["a"])}, {"tags": ["b"]}),
    update("Delete", {"tags": op("Delete")}, {"tags": ...}),
    update("bits", {"n": op("BitOr", value=6)}, {"n": 7}),
    update("a dotted path", {"o.p": op("Increment"), "o.r": "x"},
           {"o": {"p": 2, "q": [2], "r": "x"}}),
    update("a list in an object", {"o.q": op("Add", objects=[3])}, {"o": {"p": 1, "q": [2, 3]}}),
    update("unset in an object", {"o.p": op("Delete")}, {"o": {"q": [2]}}),
    update("a condition that holds", {"n": 2}, {"n": 2}, where={"n": 1}),
    update("a condition that holds, with operators", {"n": 2}, {"n": 2}, where={"n": {"$lt": 5}}),
    update("a condition that does not hold", {"n": 2}, status=400, where={"n": 5},
           answer=error(305, "No effect on updating/deleting a document.")),
    update("an empty condition", {"n": 2}, {"n": 2}, where={}),
    update("a condition in an old body", {"n": 2, "_where": {"n": 5}}, status=400,
           answer=error(305)),
    update("a condition that is no JSON", {"n": 2}, status=400, where="{", answer=error(107)),
    update("a condition with an unknown operator", {"n": 2}, status=400, where={"n": {"$x": 1}},
           answer=error(1)),
    update("where in the body is a field", {"where": {"n": 5}}, {"where": {"n": 5}}),
    update("another type", {"n": "two"}, status=400, answer=error(111)),
    update("an operation of another type", {"title": op("Increment")}, status=400,
           answer=error(111)),
    update("a path through what is no object", {"n.m": 1}, status=400, answer=error(111)),
    update("a field name", {"a b": 1}, status=400, answer=error(105)),
    update("a dotted name with a dollar", {"o.$p": 1}, status=400, answer=error(105)),
    update("a malformed ACL", {"ACL": {"*": 1}}, status=400, answer=error(123)),
    update("an ACL made malformed by a path", {"ACL.x": 1}, status=400, answer=error(123)),
    update("an ACL", {"ACL": {}}, {"ACL": {}}),
    Scenario(
        "update of an unknown id",
        Sent("PUT", "/1.1/classes/Person/fakeid", {"a": 1}),
        400,
        error(1, "Could not find object by id 'fakeid' for class 'Person'."),
    ),
    Scenario(
        "update of an unknown id with a condition",
        Sent("PUT", "/1.1/classes/Person/fakeid", {"a": 1}, params={"where": {"a": 1}}),
        400,
        error(305),
    ),
    Scenario("update of an id that cannot be", Sent("PUT", "/1.1/classes/Post/a-b", {"a": 1}), 400,
             error(104)),
    Scenario("update of several ids", Sent("PUT", "/1.1/classes/Post/{post},x", {"n": 1}), 400,
             error(104), setup=[POST]),
    Scenario(
        "update forbidden by ACL",
        Sent("PUT", "/1.1/classes/Post/{post}", {"n": 2}),
        403,
        error(403, text_with("Forbidden writing by object's ACL.")),
        setup=[Stored("post", "Post", {"n": 1, "ACL": {"*": {"read": True}}})],
    ),
    Scenario(
        "the master key passes every ACL",
        Sent("PUT", "/1.1/classes/Post/{post}", {"n": 2}, headers=MASTER),
        200,
        UPDATED,
        setup=[Stored("post", "Post", {"n": 1, "ACL": {}})],
    ),
    Scenario(
        "an empty ACL is for the master key",
        Sent("GET", "/1.1/classes/Post/{post}"),
        403,
        error(403),
        setup=[Stored("post", "Post", {"n": 1, "ACL": {}})],
        after={"post": With({"ACL": {}})},
    ),
]  # fmt: skip

TWO = [POST, Stored("other", "Post", {"n": 2})]
DELETES = [
    Scenario("delete", Sent("DELETE", "/1.1/classes/Post/{post}"), 200, {}, setup=[POST],
             after={"post": None}),
    Scenario("delete of nothing", Sent("DELETE", "/1.1/classes/Post/123"), 200, {}, setup=[POST],
             after={"post": KEPT}),
    Scenario("delete in an unknown class", Sent("DELETE", "/1.1/classes/No/123"), 200, {}),
    Scenario("delete with a body", Sent("DELETE", "/1.1/classes/Post/{post}", {}), 200, {},
             setup=[POST], after={"post": None}),
    Scenario("delete several", Sent("DELETE", "/1.1/classes/Post/{post},123,{other}"), 200, {},
             setup=TWO, after={"post": None, "other": None}),
    Scenario("delete an id that cannot be", Sent("DELETE", "/1.1/classes/Post/{post},a-b"), 400,
             error(104), setup=[POST], after={"post": KEPT}),
    Scenario("delete on a condition", Sent("DELETE", "/1.1/classes/Post/{post}",
             params={"where": {"n": 1}}), 200, {}, setup=[POST], after={"post": None}),
    Scenario("delete on a condition that does not hold", Sent("DELETE", "/1.1/classes/Post/{post}",
             params={"where": {"n": 5}}), 400, error(305), setup=[POST], after={"post": KEPT}),
    Scenario("delete forbidden by ACL", Sent("DELETE", "/1.1/classes/Post/{post}"), 403, error(403),
             setup=[Stored("post", "Post", {"ACL": {"*": {"read": True}}})],
             after={"post": With({"ACL": {"*": {"read": True}}})}),
]  # fmt: skip


@pytest.mark.parametrize(
    "scenario", [*CREATES, *REFUSED_CREATES, *READS, *UPDATES, *DELETES], ids=str
)
async def test_objects(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)
