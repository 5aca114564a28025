"""Relations over REST: who is in, how they are asked for, what is refused (storage.md 3.5, 3.6)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lean_emulator.model.schema import ColumnType
from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.matchers import ANY_DATE, ANY_ID, With, error
from tests.support.questions import Question, ask_all, rows, to
from tests.support.scenario import Id, SignedUp, Stored, Token

STUB = {"__type": "Relation", "className": "Fan"}
TIMES = {"createdAt": ANY_DATE, "updatedAt": ANY_DATE}


def fans(*ids: Any) -> list[dict[str, Any]]:
    return [to("Fan", one) for one in ids]


def add(*ids: Any) -> dict[str, Any]:
    return {"__op": "AddRelation", "objects": fans(*ids)}


def remove(*ids: Any) -> dict[str, Any]:
    return {"__op": "RemoveRelation", "objects": fans(*ids)}


def batch(*ops: Any) -> dict[str, Any]:
    return {"__op": "Batch", "ops": [*ops]}


# What is there: one relation of three, one of one, one class with rows that never had any.

STORED: list[Stored | SignedUp] = [
    SignedUp("zoe"),
    Stored("ann", "Fan", {"age": 30}),
    Stored("bob", "Fan", {"age": 20}),
    Stored("cid", "Fan", {"age": 40, "ACL": {Id("zoe"): {"read": True}}}),
    Stored("dee", "Fan", {"age": 50}),
    Stored("lonely", "Post", {"title": "lonely"}),
    Stored("liked", "Post", {"title": "liked", "likes": add(Id("ann"), Id("bob"), Id("cid"))}),
    Stored("twice", "Post", {"title": "twice", "likes": add(Id("bob"))}),
    Stored("note", "Note", {"post": to("Post", Id("lonely"))}),
]
ZOE = {**CLIENT, "X-LC-Session": Token("zoe")}
LIKED = {"$relatedTo": {"object": to("Post", Id("liked")), "key": "likes"}}


def related(name: str, *found: str, headers: Any = None, **params: Any) -> Question:
    asked = {"where": LIKED, **params}
    return Question(name, "/1.1/classes/Fan", rows(*found), asked, headers)


def owners(name: str, condition: Any, *found: str, headers: Any = None) -> Question:
    params = {"where": {"likes": condition}}
    return Question(name, "/1.1/classes/Post", rows(*found), params, headers)


def young(age: int) -> dict[str, Any]:
    return {"className": "Fan", "where": {"age": {"$lte": age}}}


MEMBERS = [
    related("members that everybody may read", "ann", "bob"),
    related("members a user may read", "ann", "bob", "cid", headers=ZOE),
    related("the master key reads all members", "ann", "bob", "cid", headers=MASTER),
    related("in order", "bob", "ann", order="age"),
    related("in descending order", "cid", "ann", "bob", order="-age", headers=MASTER),
    related("a page", "ann", order="age", limit=1, skip=1),
    related("no limit is under 1", limit=0),
    related("with a condition", "ann", where={**LIKED, "age": {"$gt": 25}}),
    related("inside $and", "bob", where={"$and": [LIKED, {"age": 20}]}),
    related("inside $or", "ann", "bob", "dee", where={"$or": [LIKED, {"age": 50}]}),
    related("everybody else", "dee", where={"$nor": [LIKED]}),
    related(
        "of two relations at once",
        "bob",
        where={
            "$and": [
                LIKED,
                {"$relatedTo": {"object": to("Post", Id("twice")), "key": "likes"}},
            ]
        },
    ),
    *(
        related(f"nobody: {name}", where={"$relatedTo": {"object": owner, "key": key}})
        for name, owner, key in [
            ("an empty relation", to("Post", Id("lonely")), "likes"),
            ("an owner that is not there", to("Post", "gone"), "likes"),
            ("an owner's class that is not there", to("Nothing", "gone"), "likes"),
            ("another column", to("Post", Id("liked")), "hates"),
            ("a column that is no relation", to("Post", Id("liked")), "title"),
        ]
    ),
    Question("nobody: another class than that of the members", "/1.1/classes/Post",
             rows(), {"where": LIKED}),
    Question("how many", "/1.1/classes/Fan", {"results": [], "count": 2},
             {"where": LIKED, "limit": 0, "count": 1}),
    Question("how many, beside a page", "/1.1/classes/Fan", {**rows("bob"), "count": 3},
             {"where": LIKED, "limit": 1, "skip": 1, "count": 1}, MASTER),
]  # fmt: skip

OF_LONELY = {"$relatedTo": {"object": to("Post", Id("lonely")), "key": "likes"}}


def redirected(
    name: str,
    answer: Any,
    key: str = "likes",
    *,
    owner: str = "Post",
    status: int = 200,
    **more: Any,
) -> Question:
    params = {"where": LIKED, "redirectClassNameForKey": key, **more}
    path = f"/1.1/classes/{owner}"
    return Question(f"not knowing their class: {name}", path, answer, params, status=status)


FAN = {"className": "Fan"}
REDIRECTED = [
    redirected("all", rows("ann", "bob") | FAN),
    redirected("a page", rows("bob") | FAN, order="age", limit=1),
    redirected("counted", {"results": [], "count": 2} | FAN, limit=0, count=1),
    redirected("nobody", {"results": []} | FAN, where=OF_LONELY),
    redirected("a column that is no relation", rows(), "title"),
    redirected("a column that is not there", rows(), "hates"),
    redirected("an owner's class that is not there", error(101), owner="Nothing", status=404),
]

REVERSE = [
    owners("a pointer", to("Fan", Id("bob")), "liked", "twice"),
    owners("a pointer with fields", {**to("Fan", Id("ann")), "age": 1}, "liked"),
    owners("$eq", {"$eq": to("Fan", Id("ann"))}, "liked"),
    owners("a member one may not read", to("Fan", Id("cid")), "liked"),
    owners("a member of none", to("Fan", Id("dee"))),
    owners("a pointer to another class", to("Post", Id("bob"))),
    owners("$ne", {"$ne": to("Fan", Id("ann"))}, "lonely", "twice"),
    owners("$in", {"$in": fans(Id("ann"), Id("dee"), "gone")}, "liked"),
    owners("$in, several", {"$in": fans(Id("ann"), Id("bob"))}, "liked", "twice"),
    owners("$in, not all of them pointers", {"$in": [*fans(Id("ann")), 1, STUB]}, "liked"),
    owners("$in of nothing", {"$in": []}),
    owners("$in of what is no pointer", {"$in": [1, "x", {"a": 1}]}),
    owners("$nin", {"$nin": fans(Id("ann"), Id("dee"))}, "lonely", "twice"),
    owners("$all", {"$all": fans(Id("ann"), Id("bob"))}, "liked"),
    owners("$all with one that is not in", {"$all": fans(Id("bob"), Id("dee"))}),
    owners("$all of nothing", {"$all": []}),
    owners("$inQuery", {"$inQuery": young(25)}, "liked", "twice"),
    owners("$inQuery that finds none", {"$inQuery": young(1)}),
    owners("$inQuery of another class", {"$inQuery": {"className": "Post"}}),
    owners("$inQuery reads with the reader's rights",
           {"$inQuery": {"className": "Fan", "where": {"age": 40}}}),
    owners("$inQuery of the master key",
           {"$inQuery": {"className": "Fan", "where": {"age": 40}}}, "liked", headers=MASTER),
    owners("$notInQuery", {"$notInQuery": young(30) | {"order": "-age", "limit": 1}},
           "lonely", "twice"),
    Question("inside $or", "/1.1/classes/Post", rows("lonely", "liked"),
             {"where": {"$or": [{"likes": to("Fan", Id("ann"))}, {"title": "lonely"}]}}),
    Question("inside a sub-query", "/1.1/classes/Note", rows("note"), {"where": {"post": {
        "$notInQuery": {"className": "Post", "where": {"likes": to("Fan", Id("bob"))}}}}}),
]  # fmt: skip

BARE = {"objectId": Id("lonely"), **TIMES}
LONELY = "/1.1/classes/Post/{lonely}"
STUBS = [
    Question("get", LONELY, {**BARE, "title": "lonely", "likes": STUB}),
    Question("find", "/1.1/classes/Post", {"results": [With({"likes": STUB})] * 3}),
    Question("keys that name it", LONELY, {**BARE, "likes": STUB}, {"keys": "likes"}),
    Question("keys that leave it out", LONELY, {**BARE, "title": "lonely"}, {"keys": "title"}),
    Question("keys that hide it", LONELY, {**BARE, "title": "lonely"}, {"keys": "-likes"}),
    Question("find with keys", "/1.1/classes/Post", {"results": [{**BARE, "title": "lonely"}]},
             {"keys": "title", "limit": 1}),
    Question("included it stays as it is", LONELY, With({"likes": STUB}), {"include": "likes"}),
    Question("included objects have it", "/1.1/classes/Note/{note}",
             With({"post": {**to("Post", Id("lonely")), **TIMES, "title": "lonely",
                            "likes": STUB}}), {"include": "post"}),
    Question("keys of an included object leave it out", "/1.1/classes/Note/{note}",
             With({"post": {**to("Post", Id("lonely")), **TIMES, "title": "lonely"}}),
             {"include": "post", "keys": "post.title"}),
]  # fmt: skip


async def test_what_relations_answer(tmp_path: Path) -> None:
    await ask_all([*MEMBERS, *REDIRECTED, *REVERSE, *STUBS], STORED, tmp_path)


async def members(api: Api, class_name: str, owner: str) -> list[str]:
    found: list[str] = await api.emulator.storage.related(class_name, owner, "likes")
    return found


CREATED: list[tuple[str, Any, list[str]]] = [
    ("AddRelation", add("u1", "u2"), ["u1", "u2"]),
    ("AddRelation of the same twice", add("u1", "u1"), ["u1"]),
    ("AddRelation of none", add(), []),
    ("RemoveRelation", remove("u1"), []),
    ("Batch", batch(add("u1", "u2"), remove("u1")), ["u2"]),
    ("Batch, the other way", batch(remove("u1"), add("u1")), ["u1"]),
    ("Batch of none", batch(), []),
    ("Batch in a Batch", batch(add("u1"), batch(add("u2"), remove("u1"))), ["u2"]),
    ("as many as there may be", add(*(f"u{n}" for n in range(1000))),
     [f"u{n}" for n in range(1000)]),
    ("full objects", {"__op": "AddRelation", "objects": [{**to("Fan", "u1"), "__type": "Object",
                                                          "age": 3}]}, ["u1"]),
]  # fmt: skip
UPDATED: list[tuple[str, Any, list[str]]] = [
    ("AddRelation", add("u3"), ["u1", "u2", "u3"]),
    ("AddRelation of what is in", add("u1", "u3"), ["u1", "u2", "u3"]),
    ("AddRelation of none", add(), ["u1", "u2"]),
    ("RemoveRelation", remove("u1"), ["u2"]),
    ("RemoveRelation of what is not in", remove("u9"), ["u1", "u2"]),
    ("RemoveRelation of all", remove("u2", "u1"), []),
    ("Batch", batch(add("u3"), remove("u1")), ["u2", "u3"]),
    ("Batch, out and in again", batch(remove("u1"), add("u1")), ["u2", "u1"]),
    ("Batch, in and out again", batch(add("u3"), remove("u3", "u1")), ["u2"]),
    ("a stub, which says nothing", STUB, ["u1", "u2"]),
]


async def test_members_at_creation(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for n, (name, value, expected) in enumerate(CREATED):
            owner = await api.create(f"Post{n}", likes=value)
            assert (name, await members(api, f"Post{n}", owner)) == (name, expected)


async def test_members_after_an_update(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for name, value, expected in UPDATED:
            owner = await api.create("Post", likes=add("u1", "u2"))
            changed = await api("PUT", f"/1.1/classes/Post/{owner}", {"likes": value})
            assert changed.json == {"objectId": owner, "updatedAt": ANY_DATE}, name
            assert (name, await members(api, "Post", owner)) == (name, expected)


async def test_answers_to_writes_that_ask_for_them_show_stubs(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        wanted: dict[str, Any] = {"fetchWhenSave": "true"}
        made = await api("POST", "/1.1/classes/Post", {"likes": add("u1")}, **wanted)
        assert made.json == {"objectId": ANY_ID, **TIMES, "likes": STUB}
        other = await api("POST", "/1.1/classes/Post", {"n": 1}, new="true")
        assert other.json == {"objectId": ANY_ID, **TIMES, "n": 1, "likes": STUB}
        path = f"/1.1/classes/Post/{other.json['objectId']}"
        related = {"objectId": ANY_ID, "updatedAt": ANY_DATE, "likes": STUB}
        assert (await api("PUT", path, {"likes": add("u2")}, **wanted)).json == related
        assert (await api("PUT", path, {"n": 2}, **wanted)).json == {**related, "n": 2}
        plain = await api("PUT", path, {"likes": remove("u2")})
        assert plain.json == {"objectId": ANY_ID, "updatedAt": ANY_DATE}


LIST = [1]
MIXED = {"__op": "AddRelation", "objects": [to("Fan", "u1"), to("Post", "p1")]}
STRANGERS = [to("Post", "p1")]
REFUSED: list[tuple[str, Any, int]] = [
    ("members of two classes", MIXED, 111),
    ("members of two classes in a Batch",
     batch(add("u1"), {"__op": "AddRelation", "objects": STRANGERS}), 111),
    ("members of another class", {"__op": "AddRelation", "objects": STRANGERS}, 111),
    ("taking out members of another class", {"__op": "RemoveRelation", "objects": STRANGERS}, 111),
    ("a pointer without an id", {"__op": "AddRelation", "objects": [{**to("Fan", "")}]}, 106),
    ("a pointer without a class",
     {"__op": "RemoveRelation", "objects": [{"__type": "Pointer", "objectId": "u1"}]}, 106),
    ("ids", {"__op": "AddRelation", "objects": ["u1"]}, 106),
    ("an object", {"__op": "AddRelation", "objects": [{"objectId": "u1"}]}, 106),
    ("no list", {"__op": "AddRelation", "objects": to("Fan", "u1")}, 128),
    ("no objects", {"__op": "RemoveRelation"}, 128),
    ("too many", add(*(f"u{n}" for n in range(1001))), 128),
    ("too many to take out", remove(*(f"u{n}" for n in range(1001))), 128),
    ("too many in a Batch", batch(add(*(f"u{n}" for n in range(1001)))), 128),
    ("Add in a Batch", batch({"__op": "Add", "objects": LIST}), 304),
    ("AddUnique in a Batch", batch(add("u1"), {"__op": "AddUnique", "objects": LIST}), 304),
    ("Remove in a Batch", batch({"__op": "Remove", "objects": LIST}), 304),
    ("Increment in a Batch", batch({"__op": "Increment", "amount": 1}), 304),
    ("a value in a Batch", batch(add("u1"), 5), 304),
    ("an unknown operation in a Batch", batch({"__op": "addRelation", "objects": []}), 1),
    ("a Batch of no list", {"__op": "Batch", "ops": add("u1")}, 1),
    ("a Batch without ops", {"__op": "Batch"}, 1),
    ("a list", fans("u1"), 111),
    ("a pointer", to("Fan", "u1"), 111),
    ("a text", "u1", 111),
    ("Add", {"__op": "Add", "objects": fans("u1")}, 111),
    ("Increment", {"__op": "Increment", "amount": 1}, 111),
]  # fmt: skip


async def test_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        owner = await api.create("Post", title="x", likes=add("u1", "u2"))
        for name, value, code in REFUSED:
            body = {"title": "y", "likes": value}
            for method, path in (("POST", ""), ("PUT", f"/{owner}")):
                answer = await api(method, f"/1.1/classes/Post{path}", body)
                assert (name, answer.status, answer.json) == (name, 400, error(code))
        assert await members(api, "Post", owner) == ["u1", "u2"]
        assert (await api.read("Post", owner))["title"] == "x"
        assert await api.emulator.storage.owners("Post", "likes", "u1") == [owner]
        counted = await api("GET", "/1.1/classes/Post", limit="0", count="1")
        assert counted.json["count"] == 1


async def test_columns_of_other_types_take_no_members(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = {"n": 1, "by": to("Fan", "u1"), "tags": [], "o": {"p": 1}}
        owner = await api.create("Post", **made)
        path = f"/1.1/classes/Post/{owner}"
        for column in ("n", "by", "tags", "o", "o.p", "o.likes", "ACL"):
            answer = await api("PUT", path, {column: add("u1")})
            assert (column, answer.status, answer.json) == (column, 400, error(111))
        ignored = await api("PUT", path, {"objectId": add("u1"), "createdAt": add("u1")})
        assert ignored.status == 200
        for column in ("o.p", "o.likes", "ACL", "objectId", "createdAt"):
            assert await api.emulator.storage.related("Post", owner, column) == []
        assert await api.read("Post", owner) == With(made)


async def test_the_class_of_a_relation_is_that_of_its_first_member(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        columns = api.emulator.storage.classes
        owner = await api.create("Post", likes=add(), hates=batch())
        assert not {"likes", "hates"} & columns()["Post"].columns.keys()
        await api("PUT", f"/1.1/classes/Post/{owner}", {"likes": add("u1")})
        assert columns()["Post"].columns["likes"] == ColumnType("Relation", "Fan")


async def test_a_condition_that_fails_keeps_the_members(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        owner = await api.create("Post", n=1, likes=add("u1"))
        path, body = f"/1.1/classes/Post/{owner}", {"likes": add("u2")}
        assert (await api("PUT", path, body, where={"n": 2})).json == error(305)
        assert await members(api, "Post", owner) == ["u1"]
        assert (await api("PUT", path, body, where={"likes": to("Fan", "u1")})).status == 200
        assert await members(api, "Post", owner) == ["u1", "u2"]
        assert (await api("PUT", path, body, where={"likes": to("Fan", "u9")})).json == error(305)


async def test_only_who_may_write_the_owner_changes_its_members(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        owner = await api.create("Post", likes=add("u1"), ACL={"*": {"read": True}})
        path = f"/1.1/classes/Post/{owner}"
        refused = await api("PUT", path, {"likes": remove("u1")})
        assert (refused.status, refused.json) == (403, error(403))
        assert await members(api, "Post", owner) == ["u1"]
        await api("PUT", path, {"likes": remove("u1")}, headers=MASTER)
        assert await members(api, "Post", owner) == []


async def results(api: Api, class_name: str, where: Any) -> list[str]:
    answer = await api("GET", f"/1.1/classes/{class_name}", where=where)
    assert answer.status == 200, answer.json
    return [row["objectId"] for row in answer.json["results"]]


async def test_who_is_deleted_stays_a_member_that_nobody_finds(tmp_path: Path) -> None:
    """Recorded: membership does not need the member."""
    async with running_api(project=tmp_path) as api:
        ann, bob = await api.create("Fan", n=1), await api.create("Fan", n=2)
        owner = await api.create("Post", likes=add(ann, bob))
        await api("DELETE", f"/1.1/classes/Fan/{ann}")
        of_owner = {"$relatedTo": {"object": to("Post", owner), "key": "likes"}}
        assert await results(api, "Fan", of_owner) == [bob]
        assert await results(api, "Post", {"likes": to("Fan", ann)}) == [owner]
        late = await api.create("Post", likes=add(ann))
        assert await results(api, "Post", {"likes": to("Fan", ann)}) == [owner, late]


async def test_relations_go_with_their_owner(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ann = await api.create("Fan", n=1)
        first, second = [await api.create("Post", likes=add(ann)) for _ in range(2)]
        await api("DELETE", f"/1.1/classes/Post/{first}")
        assert await results(api, "Post", {"likes": to("Fan", ann)}) == [second]
        assert await members(api, "Post", first) == []
        of_first = {"$relatedTo": {"object": to("Post", first), "key": "likes"}}
        assert await results(api, "Fan", of_first) == []


def request(method: str, path: str, body: Any, **more: Any) -> dict[str, Any]:
    return {"method": method, "path": f"/1.1/classes/{path}", "body": body, **more}


async def batched(api: Api, *requests: Any) -> Sequence[Any]:
    answer = await api("POST", "/1.1/batch", {"requests": [*requests]})
    assert answer.status == 200, answer.json
    found: Sequence[Any] = answer.json
    return found


async def test_relations_in_a_batch(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ann = await api.create("Fan", n=1)
        owner = await api.create("Post", n=1)
        of_owner = {"$relatedTo": {"object": to("Post", owner), "key": "likes"}}
        redirected = {"where": of_owner, "redirectClassNameForKey": "likes"}
        answers = await batched(
            api,
            request("PUT", f"Post/{owner}", {"likes": add(ann)}, params={"new": True}),
            request("PUT", f"Post/{owner}", {"likes": MIXED}),
            request("POST", "Post", {"likes": batch(add(ann), remove(ann))}),
            {"method": "GET", "path": "/1.1/classes/Post", "params": redirected},
            {"method": "GET", "path": f"/1.1/classes/Post/{owner}"},
        )
        assert answers == [
            {"success": {"objectId": owner, "updatedAt": ANY_DATE, "likes": STUB}},
            {"error": error(111)},
            {"success": {"objectId": ANY_ID, "createdAt": ANY_DATE}},
            {"success": {"results": [With({"objectId": ann})], "className": "Fan"}},
            {"success": {"objectId": owner, **TIMES, "n": 1, "likes": STUB}},
        ]


async def test_two_entries_of_one_object_in_batch_save_join_their_members(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:

        def entry(method: str, op: Any) -> dict[str, Any]:
            return request(method, "Post", {"__internalId": "new", "likes": op})

        saved = await api(
            "POST",
            "/1.1/batch/save",
            {
                "requests": [
                    entry("POST", add("u1", "u2")),
                    entry("PUT", remove("u1")),
                    entry("PUT", add("u3")),
                ]
            },
        )
        assert saved.status == 200, saved.json
        assert await members(api, "Post", saved.json["new"]["objectId"]) == ["u2", "u3"]
