"""Objects inside of objects: ``include``, and ``keys`` on what it brings (storage.md 4.5)."""

from pathlib import Path
from typing import Any

import pytest

from lean_emulator.service import find
from tests.support.api import CLIENT, MASTER, running_api
from tests.support.matchers import ANY_DATE, With, error, text_with
from tests.support.questions import Question, ask_all, to
from tests.support.scenario import Id, SignedUp, Stored, Token

TIMES = {"createdAt": ANY_DATE, "updatedAt": ANY_DATE}


def city(name: str) -> dict[str, Any]:
    return to("City", Id(name))


def author(name: str) -> dict[str, Any]:
    return to("Author", Id(name))


def post(name: str) -> dict[str, Any]:
    return to("Post", Id(name))


GONE = to("Author", "gone")
FAR = to("Nothing", "gone")
FILE = {"__type": "File", "id": "5f0000000000000000000001"}
NOWHERE = {**FILE, "objectId": FILE["id"], "name": "", "url": ""}
NUMBER = "18600000000"
STORED: list[Stored | SignedUp] = [
    SignedUp("zoe", {"email": "zoe@example.com", "mobilePhoneNumber": NUMBER, "city": "x"}),
    Stored("york", "City", {"name": "York", "size": 3}),
    Stored("secret", "City", {"name": "Secret", "ACL": {Id("zoe"): {"read": True}}}),
    Stored("ann", "Author", {"name": "Ann", "age": 30, "home": city("york"), "o": {"p": 1, "q": 2},
                             "fans": {"__op": "AddRelation", "objects": [to("_User", Id("zoe"))]},
                             "photo": FILE, "ACL": {"*": {"read": True}}}),
    Stored("bob", "Author", {"name": "Bob", "home": city("secret")}),
    Stored("one", "Post", {"title": "one", "by": author("ann"), "n": 5,
                           "o": {"by": author("bob"), "deep": {"by": author("ann")}, "m": 1},
                           "l": [author("ann"), 5, GONE, author("bob"), None, author("ann")],
                           "ll": [[author("bob")], {"by": author("ann")}],
                           "at": {"__type": "GeoPoint", "latitude": 1.0, "longitude": 2.0},
                           "photo": FILE}),
    Stored("two", "Post", {"title": "two", "by": GONE, "owner": to("_User", Id("zoe"))}),
    Stored("three", "Post", {"title": "three", "by": author("bob"), "void": FAR}),
    Stored("note", "Note", {"post": post("one"), "posts": [post("one"), post("three")]}),
    Stored("self", "Node", {"n": 1}),
    Stored("loop", "Node", {"n": 2, "next": to("Node", Id("self"))}),
    Stored("hidden", "Post", {"title": "hidden", "by": author("ann"), "ACL": {}}),
]  # fmt: skip
ZOE = {**CLIENT, "X-LC-Session": Token("zoe")}


def less(value: Any, *names: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name not in names}


FANS = {"__type": "Relation", "className": "_User"}
YORK = {**city("york"), **TIMES, "name": "York", "size": 3}
SECRET = {**city("secret"), **TIMES, "name": "Secret"}
ANN = {**author("ann"), **TIMES, "name": "Ann", "age": 30, "home": city("york"),
       "o": {"p": 1, "q": 2}, "fans": FANS, "photo": NOWHERE}  # fmt: skip
BOB = {**author("bob"), **TIMES, "name": "Bob", "home": city("secret"), "fans": FANS}
AT = {"__type": "GeoPoint", "latitude": 1.0, "longitude": 2.0}
ONE = {"objectId": Id("one"), **TIMES, "title": "one", "by": author("ann"), "n": 5,
       "o": {"by": author("bob"), "deep": {"by": author("ann")}, "m": 1},
       "l": [author("ann"), 5, GONE, author("bob"), None, author("ann")],
       "ll": [[author("bob")], {"by": author("ann")}], "at": AT, "photo": NOWHERE}  # fmt: skip
TWO = {"objectId": Id("two"), **TIMES, "title": "two", "by": GONE, "owner": to("_User", Id("zoe"))}
THREE = {"objectId": Id("three"), **TIMES, "title": "three", "by": author("bob"), "void": FAR}


def one(name: str, include: str, changed: Any, headers: Any = None, **params: Any) -> Question:
    """Post one with an include, and how it differs from what it is without."""
    path, answer = "/1.1/classes/Post/{one}", {**ONE, **changed}
    return Question(f"include={include}: {name}", path, answer,
                    {"include": include, **params}, headers)  # fmt: skip


def note(name: str, include: str, members: Any, headers: Any = None) -> Question:
    path, params = "/1.1/classes/Note/{note}", {"include": include}
    return Question(f"include={include}: {name}", path, With(members), params, headers)


INCLUDES = [
    one("a pointer", "by", {"by": ANN}),
    one("nothing", "", {}),
    one("its home too", "by.home", {"by": {**ANN, "home": YORK}}),
    one("the level on the way is named as well", "by,by.home", {"by": {**ANN, "home": YORK}}),
    one("and in the other order", "by.home,by", {"by": {**ANN, "home": YORK}}),
    one("a list of pointers", "l", {"l": [ANN, 5, GONE, BOB, None, ANN]}),
    one("what is behind a list of pointers", "l.home",
        {"l": [{**ANN, "home": YORK}, 5, GONE, BOB, None, {**ANN, "home": YORK}]}),
    one("a list in a list", "ll", {"ll": [[BOB], {"by": author("ann")}]}),
    one("an Object in a list", "ll.by", {"ll": [[BOB], {"by": ANN}]}),
    one("a pointer in an Object", "o.by", {"o": {**ONE["o"], "by": BOB}}),
    one("a pointer deep in an Object", "o.deep.by",
        {"o": {**ONE["o"], "deep": {"by": ANN}}}),
    one("an Object brings nothing of itself", "o", {}),
    one("two", "by,l", {"by": ANN, "l": [ANN, 5, GONE, BOB, None, ANN]}),
    one("with blanks", " by , o.by ", {"by": ANN, "o": {**ONE["o"], "by": BOB}}),
    one("with doubles and stray signs", "by,,by,.by.,", {"by": ANN}),
    one("a number", "n", {}),
    one("beyond a number", "n.by.home", {}),
    one("a text, a point, a file and a time", "title,at.by,photo,createdAt.x,objectId", {}),
    one("a column nobody has", "nothing,nothing.at.all", {}),
    one("a column beyond a pointer that is none", "by.name.x,by.age", {"by": ANN}),
    one("a target nobody may read", "o.by.home", {"o": {**ONE["o"], "by": BOB}}),
    one("a target that a user may read", "o.by.home",
        {"o": {**ONE["o"], "by": {**BOB, "home": SECRET}}}, ZOE),
    one("a target that the master key may read", "o.by.home",
        {"o": {**ONE["o"], "by": {**BOB, "home": SECRET}}}, MASTER),
    one("the ACL is that of the object only", "by",
        {"by": ANN, "ACL": {"*": {"read": True, "write": True}}}, returnACL="true"),
    note("three levels, the ones between implied", "post.by.home",
         {"post": {**ONE, **post("one"), "by": {**ANN, "home": YORK}}}),
    note("three levels behind a list", "posts.by.home",
         {"posts": [{**ONE, **post("one"), "by": {**ANN, "home": YORK}},
                    {**THREE, **post("three"), "by": BOB}]}),
    note("several branches", "post.by,post.o.by.home",
         {"post": {**ONE, **post("one"), "by": ANN, "o": {**ONE["o"], "by": BOB}}}),
    note("a column only some targets have", "posts.void.x",
         {"posts": [{**ONE, **post("one")}, {**THREE, **post("three")}]}),
    Question("a target that is gone", "/1.1/classes/Post/{two}", TWO, {"include": "by,by.home"}),
    Question("a target whose class is not there", "/1.1/classes/Post/{three}",
             {**THREE, "by": BOB}, {"include": "void,by"}),
    Question("find", "/1.1/classes/Post",
             {"results": [{**ONE, "by": ANN}, TWO, {**THREE, "by": BOB}]}, {"include": "by"}),
    Question("find with order, limit and count", "/1.1/classes/Post",
             {"results": [TWO, {**THREE, "by": BOB}], "count": 3},
             {"include": "by", "order": "-title", "limit": 2, "count": 1}),
    Question("find of nobody", "/1.1/classes/Post", {"results": []},
             {"include": "by", "where": {"title": "nobody"}}),
    Question("an object that is not there", "/1.1/classes/Post/gone", {}, {"include": "by"}),
    Question("a chain ends where it ends", "/1.1/classes/Node/{loop}",
             With({"next": {**to("Node", Id("self")), **TIMES, "n": 1}}),
             {"include": "next.next.next"}),
]  # fmt: skip

PUBLIC = {**to("_User", Id("zoe")), **TIMES, "username": "zoe", "city": "x",
          "emailVerified": False, "mobilePhoneVerified": False}  # fmt: skip
PRIVATE = {"email": "zoe@example.com", "mobilePhoneNumber": NUMBER}
USERS = [
    Question(f"an included user, seen by {who}", "/1.1/classes/Post/{two}",
             {**TWO, "owner": {**PUBLIC, **shown}}, {"include": "owner"}, headers)
    for who, headers, shown in [
        ("nobody", None, {}),
        ("itself", ZOE, PRIVATE),
        ("the master key", MASTER, PRIVATE),
    ]
] + [
    Question("nor does a query show session tokens to the master key", "/1.1/classes/_User",
             {"results": [{**less(PUBLIC, "__type", "className"), **PRIVATE}]}, headers=MASTER),
    Question("keys bring no private field of an included user", "/1.1/classes/Post/{two}",
             With({"owner": {**to("_User", Id("zoe")), **TIMES}}),
             {"include": "owner", "keys": "owner.email,owner.password,owner.sessionToken"}),
]  # fmt: skip

BARE = {"objectId": Id("one"), **TIMES}
NAMED = {**author("ann"), **TIMES, "name": "Ann"}


def keys(keys: str, include: str, expected: Any, name: str = "") -> Question:
    params = {"include": include, "keys": keys}
    return Question(f"keys={keys}&include={include} {name}", "/1.1/classes/Post/{one}", expected,
                    params)  # fmt: skip


KEYS = [
    keys("title", "by", {**BARE, "title": "one"}, "shows what is named only"),
    keys("by", "by", {**BARE, "by": ANN}),
    keys("by", "by.home", {**BARE, "by": {**ANN, "home": YORK}}),
    keys("title,by.name", "by", {**BARE, "title": "one", "by": NAMED}),
    keys("by.name", "", {**BARE, "by": author("ann")}, "a pointer that is not included"),
    keys("by,by.name", "by", {**BARE, "by": ANN}, "the whole wins"),
    keys("by.nothing", "by", {**BARE, "by": {**author("ann"), **TIMES}}),
    keys("by.home.name", "by.home", {**BARE, "by": {
        **author("ann"), **TIMES, "home": {**city("york"), **TIMES, "name": "York"}}}),
    keys("by.name,by.home.size", "by.home", {**BARE, "by": {
        **NAMED, "home": {**city("york"), **TIMES, "size": 3}}}),
    keys("by.home", "by", {**BARE, "by": {**author("ann"), **TIMES, "home": city("york")}}),
    keys("by.o.p", "by", {**BARE, "by": {**author("ann"), **TIMES, "o": {"p": 1}}}),
    keys("by.photo,by.fans", "by",
         {**BARE, "by": {**author("ann"), **TIMES, "photo": NOWHERE, "fans": FANS}}),
    keys("at.latitude,photo.id", "", {**BARE, "at": AT, "photo": NOWHERE},
         "values of a type stay whole"),
    keys("l.name", "l", {**BARE, "l": [NAMED, 5, GONE, {**NAMED, **author("bob"), "name": "Bob"},
                                       None, NAMED]}),
    keys("l.home.name", "l.home", {**BARE, "l": [
        at_home := {**author("ann"), **TIMES, "home": {**city("york"), **TIMES, "name": "York"}},
        5, GONE, {**author("bob"), **TIMES, "home": city("secret")}, None, at_home]}),
    keys("ll.by.name", "ll.by", {**BARE, "ll": [[{**author("bob"), **TIMES}], {"by": NAMED}]}),
    keys("-by", "by", less(ONE, "by")),
    keys("-by.name", "by", {**ONE, "by": less(ANN, "name")}),
    keys("-by.createdAt,-by.updatedAt,-by.objectId", "by",
         {**ONE, "by": less(ANN, "createdAt", "updatedAt", "objectId")}),
    keys("-by.home.size", "by.home", {**ONE, "by": {**ANN, "home": less(YORK, "size")}}),
    keys("-by.o.p", "by", {**ONE, "by": {**ANN, "o": {"q": 2}}}),
    keys("-l.age,-l.photo", "l",
         {**ONE, "l": [lean := less(ANN, "age", "photo"), 5, GONE, BOB, None, lean]}),
    keys("by,-by.age", "by", {**BARE, "by": less(ANN, "age")}, "positives, then negatives"),
    keys("by.name,by.age,-by.age,-createdAt", "by", {**less(BARE, "createdAt"), "by": NAMED}),
    keys("-objectId,-createdAt,-updatedAt", "by",
         {**less(ONE, "objectId", "createdAt", "updatedAt"), "by": ANN}),
    Question("keys in find", "/1.1/classes/Post",
             {"results": [{**BARE, "by": NAMED},
                          {"objectId": Id("two"), **TIMES, "by": GONE},
                          {"objectId": Id("three"), **TIMES,
                           "by": {**author("bob"), **TIMES, "name": "Bob"}}]},
             {"keys": "by.name", "include": "by"}),
]  # fmt: skip


async def test_include(tmp_path: Path) -> None:
    await ask_all([*INCLUDES, *USERS, *KEYS], STORED, tmp_path)


async def test_include_in_a_batch(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        york = await api.create("City", name="York", size=3)
        ann = await api.create("Author", name="Ann", home=to("City", york))
        one = await api.create("Post", by=to("Author", ann))
        wish = {"include": "by.home", "keys": "by.name,by.home.name"}
        members = [
            {"method": "GET", "path": f"/1.1/classes/Post/{one}", "params": wish},
            {"method": "GET", "path": "/1.1/classes/Post", "params": {**wish, "limit": 1}},
            {"method": "GET", "path": f"/1.1/classes/Post/{one}?include=by"},
            {"method": "GET", "path": "/1.1/classes/Post/gone", "params": wish},
        ]
        answer = await api("POST", "/1.1/batch", {"requests": members})
        home = {**to("City", york), **TIMES, "name": "York"}
        by = {**to("Author", ann), **TIMES, "name": "Ann", "home": home}
        whole = {"objectId": one, **TIMES, "by": by}
        assert answer.json == [
            {"success": whole},
            {"success": {"results": [whole]}},
            {"success": {**whole, "by": {**by, "home": to("City", york)}}},
            {"success": None},
        ]


async def test_pointers_in_values_nobody_understands_stay_as_they_came(tmp_path: Path) -> None:
    """Values with an incomplete ``__type`` are stored verbatim, whatever is inside."""
    broken: list[Any] = [{"__type": "Pointer"}, {"__type": "Pointer", "className": 5}, 7]
    values = {
        "object": {"__type": "Object", "p": broken[0], "l": broken},
        "bytes": {"__type": "Bytes", "base64": "YQ==", "p": broken[0], "l": broken},
        "date": {"__type": "Date", "p": broken[0]},
    }
    async with running_api(project=tmp_path) as api:
        made = await api.create("Post", **values)
        paths = ",".join(f"{name}.{inner}.x" for name in values for inner in ("p", "l"))
        answer = await api("GET", f"/1.1/classes/Post/{made}", include=paths)
        assert (answer.status, answer.json) == (200, {"objectId": made, **TIMES, **values})
        for name in values:
            where: Any = {f"{name}.p": {"$exists": True}}
            found = await api("GET", "/1.1/classes/Post", where=where, keys=f"{name}.p")
            assert found.json["results"] == [With({name: values[name]})]


async def test_an_included_object_is_looked_up_once(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ann = await api.create("Author", name="Ann")
        for _ in range(20):
            await api.create("Post", by=to("Author", ann), l=[to("Author", ann)] * 5)
        storage, asked = api.emulator.storage, []
        get = storage.get

        async def counting(class_name: str, object_id: str) -> Any:
            asked.append((class_name, object_id))
            return await get(class_name, object_id)

        storage.get = counting  # type: ignore[method-assign]  # to count
        answer = await api("GET", "/1.1/classes/Post", include="by,l")
        assert len(answer.json["results"]) == 20
        assert asked == [("Author", ann)]


async def test_objects_that_point_at_each_other_do_not_fill_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "MAX_INCLUDED", 30)
    async with running_api(project=tmp_path) as api:
        node = await api.create("Node", n=1)
        path = f"/1.1/classes/Node/{node}"
        await api("PUT", path, {"l": [to("Node", node)] * 5})
        assert (await api("GET", path, include="l.l")).status == 200
        refused = await api("GET", path, include="l.l.l")
        assert (refused.status, refused.json) == (400, error(1, text_with("include", "30")))
        refused = await api("GET", "/1.1/classes/Node", include=".".join("l" * 10))
        assert (refused.status, refused.json) == (400, error(1, text_with("include", "30")))
