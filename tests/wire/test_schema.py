"""What columns ask for, over real sockets (storage.md 2.4, 7.1, 9.3; project-files.md 3)."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.errors import StartError
from lean_emulator.model.query import Query
from lean_emulator.model.schema_file import read_schema
from tests.support.api import CLIENT, ENGINE, MASTER, Api, running_api
from tests.support.fake_engine import FakeEngine, Handler
from tests.support.matchers import ANY_ID, ANY_TOKEN, With, error, text_with
from tests.support.scenario import PASSWORD, Id, Scenario, Sent, SignedUp, Stored, Token, run

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "schema"
NOW = "2023-11-14T22:13:20.000Z"
STAMPS = {"objectId": ANY_ID, "createdAt": NOW, "updatedAt": NOW}
TAKEN = error(137, "A unique field was given a value that is already taken.")
AS_ANN = {**CLIENT, "X-LC-Session": Token("ann")}
AS_BOB = {**CLIENT, "X-LC-Session": Token("bob")}
ANN = SignedUp("ann", {"birthday": "1 May", "secret": "s"})
BOB = SignedUp("bob", {"birthday": "2 May"})
NUMBER = {"type": "Number"}
TEXT = {"type": "String"}

POST: dict[str, Any] = {
    "schema": {
        "title": {**TEXT, "required": True},
        "cover": {"type": "File", "required": True, "default": {"__type": "File", "id": "f0"}},
        "stars": {**NUMBER, "default": 3},
        "kind": {**TEXT, "read_only": True},
        "notes": {"type": "Object", "read_only": True, "default": {"by": "us"}},
        "tags": {"type": "Array"},
        "score": {**NUMBER, "hidden": True, "default": 50},
        "nid": {**NUMBER, "auto_increment": True},
        "fans": {"type": "Relation", "className": "_User", "required": True},
        "code": TEXT,
        "ACL": {"type": "ACL", "required": True},
    },
    "indexes": [{"name": "code", "key": {"code": 1}, "unique": True, "sparse": True}],
}
VOTE: dict[str, Any] = {
    "schema": {
        "author": {"type": "Pointer", "className": "_User"},
        "revision": {"type": "Pointer", "className": "Revision"},
        "ACL": {"type": "ACL", "default": {"*": {"read": True}}},
    },
    "indexes": [{"name": "once", "key": {"revision.$id": 1, "author.$id": 1}, "unique": True}],
}
USER: dict[str, Any] = {
    "schema": {
        "birthday": {**TEXT, "user_private": True},
        "secret": {**TEXT, "hidden": True},
        "nickname": TEXT,
        "createdAt": {"type": "Date", "user_private": True, "read_only": True},
    },
    "indexes": [{"name": "nick", "key": {"nickname": 1}, "unique": True, "sparse": True}],
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that declares three classes."""
    declare(tmp_path, Post=POST, Vote=VOTE, _User=USER)
    return tmp_path


def declare(project: Path, **classes: Any) -> None:
    folder = project / "schema"
    folder.mkdir(exist_ok=True)
    for name, content in classes.items():
        (folder / f"{name}.schema.json").write_text(json.dumps(content), "utf-8")


FANS = {"fans": {"__type": "Relation", "className": "_User"}}
COVER = {"cover": {"__type": "File", "id": "f0", "objectId": "f0", "name": "", "url": ""}}
NOTES = {"notes": {"by": "us"}}
SHOWN = {**STAMPS, **FANS, **COVER, **NOTES, "stars": 3, "nid": 1, "title": "t"}


def create(
    name: str, body: Any, status: int = 201, answer: Any = None, *, headers: Any = None, **more: Any
) -> Scenario:
    request = Sent(
        "POST", "/1.1/classes/Post", body, params={"fetchWhenSave": True}, headers=headers
    )
    return Scenario(f"create: {name}", request, status, answer or SHOWN, **more)


def hooked(handler: Handler) -> dict[str, Any]:
    return {"engine": {"Post.beforeSave": handler}, "hooks": {"Post.beforeSave": 1, "*": 0}}


FILLED = hooked(lambda s: {**s["object"], "title": "t"})
CREATES = [
    create("defaults fill what is lacking", {"title": "t"}),
    create("values stay", {"title": "t", "stars": 0, "notes": {}},
           answer={**SHOWN, "stars": 0, "notes": {}}),
    create("null is a value, but not for required", {"title": "t", "stars": None},
           answer={**SHOWN, "stars": None}),
    create("required", {"stars": 1}, 400, error(113, "title is required.")),
    create("required and null", {"title": None}, 400, error(113, "title is required.")),
    create("required and deleted", {"title": {"__op": "Delete"}}, 400, error(113)),
    create("required with a default, given null", {"title": "t", "cover": None}, 400,
           error(113, "cover is required.")),
    create("required without the ACL", {"title": "t", "ACL": {"*": {"read": True}}}),
    create("required is not for the master key", {}, headers=MASTER,
           answer=With({"score": 50, "nid": 1}, ("title",))),
    create("required in code of the project", {}, 400, error(113), headers=ENGINE),
    create("the hook fills what is required", {}, **FILLED),
    create("the hook takes what is required", {"title": "t"}, 400, error(113),
           **hooked(lambda s: {"stars": 1})),
    create("defaults come after the hook", {"title": "t"},
           **hooked(lambda s: s["object"] if "stars" not in s["object"] else {})),
    create("types come before the hook", {"title": 5}, 400, error(111, text_with("'title'"))),
    create("the type of what the hook sets", {"title": "t"}, 400, error(111),
           **hooked(lambda s: {**s["object"], "stars": "many"})),
    create("read only", {"title": "t", "kind": "k"}, answer={**SHOWN, "kind": "k"}),
    create("read only, by the hook", {"title": "t"}, answer={**SHOWN, "kind": "h"},
           **hooked(lambda s: {**s["object"], "kind": "h"})),
    create("hidden shows to the master key", {"title": "t", "score": 7}, headers=MASTER,
           answer={**SHOWN, "score": 7}),
    create("hidden does not show, also when given", {"title": "t", "score": 7}),
    create("a number of one's own", {"title": "t", "nid": 77}),
    create("a number by the master key", {"title": "t", "nid": 77}, headers=MASTER,
           answer={**SHOWN, "nid": 77, "score": 50}),
    create("a number by the hook", {"title": "t"}, answer={**SHOWN, "nid": 9},
           **hooked(lambda s: {**s["object"], "nid": 9})),
    create("unique", {"title": "t", "code": "c"}, 400, TAKEN,
           setup=[Stored("p", "Post", {"title": "t", "code": "c"})]),
    create("unique, by the master key", {"title": "t", "code": "c"}, 400, TAKEN, headers=MASTER,
           setup=[Stored("p", "Post", {"title": "t", "code": "c"})]),
    create("unique, by the hook", {"title": "t"}, 400, TAKEN,
           setup=[Stored("p", "Post", {"title": "t", "code": "c"})],
           **hooked(lambda s: {**s["object"], "code": "c"})),
    create("unique and sparse", {"title": "t"}, answer={**SHOWN, "nid": 2},
           setup=[Stored("p", "Post", {"title": "t"})]),
]  # fmt: skip

OLD = Stored("p", "Post", {"title": "t", "kind": "k", "code": "c"})


def update(
    name: str, body: Any, status: int = 200, answer: Any = None, headers: Any = None, **more: Any
) -> Scenario:
    request = Sent(
        "PUT", "/1.1/classes/Post/{p}", body, headers=headers, params={"fetchWhenSave": True}
    )
    usual = {"objectId": Id("p"), "updatedAt": NOW, **FANS, **body}
    return Scenario(f"update: {name}", request, status, answer or usual, setup=[OLD], **more)


UPDATES = [
    update("open columns", {"stars": 1}),
    update("read only", {"kind": "new"}, 400, error(117, text_with("'kind'"))),
    update("read only, unchanged", {"kind": "k"}, 400, error(117)),
    update("read only, deleted", {"kind": {"__op": "Delete"}}, 400, error(117)),
    update("read only, inside", {"notes.by": "me"}, 400, error(117, text_with("'notes'"))),
    update("read only, by the master key", {"kind": "new"}, headers=MASTER),
    update("read only, by code of the project", {"kind": "new"}, headers=ENGINE),
    update("numbered", {"nid": 5}, 400, error(117)),
    update("numbered, counted", {"nid": {"__op": "Increment"}}, 400, error(117)),
    update("numbered, by the master key", {"nid": 5}, headers=MASTER),
    update("hidden does not show", {"score": 1}, answer={
        "objectId": Id("p"), "updatedAt": NOW, **FANS}),
    update("hidden shows to the master key", {"score": 1}, headers=MASTER),
    update("required may go", {"title": {"__op": "Delete"}},
           answer={"objectId": Id("p"), "updatedAt": NOW, **FANS}),
    update("the type", {"tags": "x"}, 400, error(
        111, "Invalid value type for field 'tags',expect type is {:type \"Array\"},"
        "but it is '{:type \"String\"}'.")),
    update("a pointer's class", {"fans": {"__op": "AddRelation", "objects": [
        {"__type": "Pointer", "className": "Post", "objectId": "x"}]}}, 400, error(
        111, "Invalid value type for field 'fans',expect type is {:type \"Relation\", :className "
        "\"_User\"},but it is '{:type \"Relation\", :className \"Post\"}'.")),
    update("unique, its own value", {"code": "c"}),
]  # fmt: skip


def read(name: str, path: str, answer: Any, headers: Any = None, **params: Any) -> Scenario:
    return Scenario(
        f"read: {name}",
        Sent("GET", path, headers=headers, params=params),
        200,
        answer,
        setup=[ANN, BOB],
    )


PUBLIC_ANN = {"objectId": Id("ann"), "username": "ann", "updatedAt": NOW, "emailVerified": False,
              "mobilePhoneVerified": False}  # fmt: skip
OWN_ANN = {**PUBLIC_ANN, "createdAt": NOW, "birthday": "1 May"}
USERS = [
    read("a stranger", "/1.1/users/{ann}", PUBLIC_ANN),
    read("another user", "/1.1/users/{ann}", PUBLIC_ANN, AS_BOB),
    read("the user", "/1.1/users/{ann}", OWN_ANN, AS_ANN),
    read("the master key", "/1.1/users/{ann}", With({"secret": "s", "birthday": "1 May"}), MASTER),
    read("in a list", "/1.1/classes/_User", {"results": [PUBLIC_ANN]}, AS_BOB,
         where={"username": "ann"}),
    read("in a list of one's own", "/1.1/classes/_User", {"results": [OWN_ANN]}, AS_ANN,
         where={"username": "ann"}),
    read("me", "/1.1/users/me", {**OWN_ANN, "sessionToken": Token("ann")}, AS_ANN),
    Scenario("log-in shows nothing hidden",
             Sent("POST", "/1.1/login", {"username": "ann", "password": PASSWORD}), 200,
             {**OWN_ANN, "sessionToken": Token("ann")}, setup=[ANN]),
    Scenario("sign-up shows nothing hidden",
             Sent("POST", "/1.1/users", {"username": "eve", "password": PASSWORD, "secret": "s",
                                         "birthday": "x"}), 201,
             {**OWN_ANN, "objectId": ANY_ID, "username": "eve", "birthday": "x",
              "sessionToken": ANY_TOKEN}),
    Scenario("a unique nickname",
             Sent("POST", "/1.1/users", {"username": "eve", "password": "x", "nickname": "n"}),
             400, TAKEN, setup=[SignedUp("ann", {"nickname": "n"})]),
    Scenario("included users keep what is private",
             Sent("GET", "/1.1/classes/Vote", params={"include": "author"}, headers=AS_BOB), 200,
             {"results": [{**STAMPS, "author": {
                 **PUBLIC_ANN, "__type": "Pointer", "className": "_User"}}]},
             setup=[ANN, BOB, Stored("v", "Vote", {"author": {
                 "__type": "Pointer", "className": "_User", "objectId": Id("ann")}})]),
]  # fmt: skip


def person(name: str) -> dict[str, Any]:
    return {"__type": "Pointer", "className": "_User", "objectId": name}


def revision(name: str) -> dict[str, Any]:
    return {"__type": "Pointer", "className": "Revision", "objectId": name}


FIRST = Stored("v", "Vote", {"author": person("a"), "revision": revision("r")})
SECOND = Stored("w", "Vote", {"author": person("a"), "revision": revision("s")})
VOTES = [
    Scenario("a vote each", Sent("POST", "/1.1/classes/Vote",
             {"author": person("a"), "revision": revision("r")}), 400, TAKEN, setup=[FIRST]),
    Scenario("another voter", Sent("POST", "/1.1/classes/Vote",
             {"author": person("b"), "revision": revision("r")}), 201, setup=[FIRST]),
    Scenario("a vote moved onto another", Sent("PUT", "/1.1/classes/Vote/{w}",
             {"revision": revision("r")}, headers=MASTER), 400, TAKEN, setup=[FIRST, SECOND]),
    Scenario("the class's own ACL", Sent("PUT", "/1.1/classes/Vote/{v}", {"n": 1}), 403,
             error(403), setup=[FIRST]),
    Scenario("the class's own ACL is stored", Sent("GET", "/1.1/classes/Vote/{v}",
             params={"returnACL": True}), 200, With({"ACL": {"*": {"read": True}}}),
             setup=[FIRST]),
    Scenario("one's own ACL goes before it", Sent("PUT", "/1.1/classes/Vote/{v}", {"n": 1}), 200,
             setup=[Stored("v", "Vote", {"ACL": {"*": {"read": True, "write": True}}})]),
    Scenario("the second of a batch", Sent("POST", "/1.1/batch", {"requests": [
        {"method": "POST", "path": "/1.1/classes/Vote",
         "body": {"author": person("a"), "revision": revision("r")}}] * 2}), 200,
             [{"success": With({"objectId": ANY_ID})}, {"error": TAKEN}]),
]  # fmt: skip

TYPES_OF_VOTE = {
    "objectId": TEXT,
    "createdAt": {"type": "Date"},
    "updatedAt": {"type": "Date"},
    "ACL": {"type": "ACL"},
    "author": {"type": "Pointer", "className": "_User"},
    "revision": {"type": "Pointer", "className": "Revision"},
}
ONLY_MASTER = error(1, "The request must be signed by master key.")
SCHEMAS = [
    Scenario("all classes", Sent("GET", "/1.1/schemas", headers=MASTER), 200,
             With({"Vote": TYPES_OF_VOTE, "_User": With({"username": TEXT, "birthday": TEXT})})),
    Scenario("one class", Sent("GET", "/1.1/schemas/Vote", headers=MASTER), 200, TYPES_OF_VOTE),
    Scenario("with what was learned", Sent("GET", "/1.1/schemas/Vote", headers=MASTER), 200,
             {**TYPES_OF_VOTE, "at": {"type": "Date"}},
             setup=[Stored("v", "Vote", {"at": {"__type": "Date", "iso": NOW}})]),
    Scenario("no such class", Sent("GET", "/1.1/schemas/Nothing", headers=MASTER), 404, error(101)),
    Scenario("no class name", Sent("GET", "/1.1/schemas/No%20thing", headers=MASTER), 400,
             error(103)),
    Scenario("all, without the master key", Sent("GET", "/1.1/schemas"), 400, ONLY_MASTER),
    Scenario("one, without the master key", Sent("GET", "/1.1/schemas/Vote"), 400, ONLY_MASTER),
    Scenario("learn", Sent("POST", "/1.1/schemas/Vote", {"weight": 1}, headers=MASTER), 200,
             {"result": True}),
    Scenario("learn another type", Sent("POST", "/1.1/schemas/Vote", {"author": 1}, headers=MASTER),
             400, error(111)),
    Scenario("learn no column", Sent("POST", "/1.1/schemas/Vote", {"a b": 1}, headers=MASTER),
             400, error(105)),
    Scenario("learn, without the master key", Sent("POST", "/1.1/schemas/Vote", {"weight": 1}),
             400, ONLY_MASTER),
]  # fmt: skip


@pytest.mark.parametrize(
    "scenario", [*CREATES, *UPDATES, *USERS, *VOTES, *SCHEMAS], ids=str
)  # fmt: skip
async def test_schema(scenario: Scenario, project: Path) -> None:
    await run(scenario, project)


async def test_what_was_refused_is_not_stored(project: Path) -> None:
    async with running_api(project=project) as api:
        kept = await api.create("Post", title="t", code="c", kind="k")
        creates: list[dict[str, Any]] = [{}, {"title": "t", "code": "c"}, {"title": 5}]
        for body in creates:
            assert (await api("POST", "/1.1/classes/Post", body)).status == 400
        before = await api.read("Post", kept)
        for body in ({"kind": "x", "stars": 1}, {"tags": 1, "stars": 1}):
            assert (await api("PUT", f"/1.1/classes/Post/{kept}", body)).status == 400
        assert await api.read("Post", kept) == before
        assert (await api("GET", "/1.1/classes/Post", count=1, limit=0)).json["count"] == 1


async def test_twenty_creates_at_once_get_twenty_numbers(project: Path) -> None:
    async with running_api(project=project) as api:
        creates = (
            api("POST", "/1.1/classes/Post", {"title": f"{n}"}, fetchWhenSave=True)
            for n in range(20)
        )
        answers = await asyncio.gather(*creates)
        assert sorted(answer.json["nid"] for answer in answers) == list(range(1, 21))
        last = await api("POST", "/1.1/classes/Post", {"title": "t"}, fetchWhenSave=True)
        assert last.json["nid"] == 21


async def test_of_twenty_that_want_the_same_value_one_gets_it(project: Path) -> None:
    async with running_api(project=project) as api:
        body = {"title": "t", "code": "c"}
        answers = await asyncio.gather(*(api("POST", "/1.1/classes/Post", body) for _ in range(20)))
        assert sorted(answer.status for answer in answers) == [201] + [400] * 19
        refused = [answer.json for answer in answers if answer.status == 400]
        assert refused == [TAKEN] * 19


async def test_old_objects_show_defaults_that_came_later(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        old = await api.create("Post", title="t", stars=None)
        await api.emulator.schemas.declare(read_schema(json.dumps(POST), "Post.json", "Post"))
        shown = (await api("GET", f"/1.1/classes/Post/{old}")).json
        assert shown == {**STAMPS, **FANS, **COVER, **NOTES, "title": "t", "stars": None}
        found = (await api("GET", "/1.1/classes/Post", keys="notes,score")).json["results"]
        assert found == [{**STAMPS, **NOTES}]
        stored = await api.emulator.storage.get("Post", old)
        assert stored is not None
        assert "notes" not in stored


async def test_limits_are_settings(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, max_columns=2, max_classes=1) as api:
        await api.create("Post", a=1, b=2)
        wide = await api("POST", "/1.1/classes/Post", {"c": 1})
        assert (wide.status, wide.json) == (400, error(154, text_with("'Post'", "2 columns")))
        more = await api("POST", "/1.1/classes/Other", {"a": 1})
        assert (more.status, more.json) == (400, error(154, text_with("'Other'")))


def usual_hooks() -> dict[str, Handler]:
    """What the project of project-files.md 1 does before it saves a user."""
    return {"_User.beforeSave": lambda s: {**s["object"], "horoscope": 4, "ageGroup": 80}}


SOMEBODY = {
    "username": "sam",
    "password": PASSWORD,
    "nickname": "Sam",
    "type": 2,
    "birthday": {"__type": "Date", "iso": "1987-04-25T00:00:00.000Z"},
    "coverPhoto": {"__type": "File", "id": "64c0ffee0000000000000003"},
}


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """A project with the sample files of the plain layout."""
    shutil.copytree(FIXTURES / "plain", tmp_path / "schema")
    return tmp_path


async def test_a_sign_up_as_in_a_real_project(samples: Path) -> None:
    engine = FakeEngine(usual_hooks())
    async with running_api(engine, project=samples) as api:
        answer = await api("POST", "/1.1/users", SOMEBODY)
        assert answer.status == 201, answer.json
        user = answer.json
        assert (user["horoscope"], user["ageGroup"], user["visits"]) == (4, 80, 0)
        assert user["birthday"] == SOMEBODY["birthday"]
        assert not user.keys() & {"type", "isActive", "password", "salt"}
        stored = await api.read("_User", user["objectId"])
        assert (stored["type"], stored["isActive"]) == (2, True)
        own = {**CLIENT, "X-LC-Session": user["sessionToken"]}
        path = f"/1.1/users/{user['objectId']}"
        attempts: list[tuple[dict[str, Any], int]] = [
            ({"type": 1}, 400),
            ({"visits": {"__op": "Increment"}}, 400),
            ({"nickname": "S"}, 200),
        ]
        for body, status in attempts:
            changed = await api("PUT", path, body, headers=own)
            assert changed.status == status, changed.json
            assert status == 200 or changed.json["code"] == 117
        counted = await api("PUT", path, {"visits": {"__op": "Increment"}}, headers=MASTER)
        assert counted.status == 200


@pytest.mark.parametrize(
    ("missing", "code"), [("coverPhoto", 113), ("nickname", 113), ("username", 200),
                          ("password", 201)],
)  # fmt: skip
async def test_a_sign_up_without_what_is_required(samples: Path, missing: str, code: int) -> None:
    async with running_api(FakeEngine(usual_hooks()), project=samples) as api:
        body = {name: value for name, value in SOMEBODY.items() if name != missing}
        answer = await api("POST", "/1.1/users", body)
        assert (answer.status, answer.json["code"]) == (400, code)
        if code == 113:
            assert answer.json["error"] == f"{missing} is required."
        assert await api.emulator.storage.count(Query("_User")) == 0


async def test_a_sign_up_whose_hook_does_not_fill_what_is_required(samples: Path) -> None:
    async with running_api(project=samples) as api:
        answer = await api("POST", "/1.1/users", SOMEBODY)
        assert answer.json == error(113, "ageGroup is required.")


@pytest.mark.parametrize("layout", ["plain", "full", "named"])
async def test_files_come_back_as_they_were_read(tmp_path: Path, layout: str) -> None:
    async with running_api(project=tmp_path, schema=str(FIXTURES / layout)) as api:
        first = await dumped(api)
    folder = tmp_path / "schema"
    folder.mkdir()
    for name, content in first.items():
        (folder / f"{name}.schema.json").write_text(json.dumps(content), "utf-8")
    async with running_api(project=tmp_path) as api:
        assert await dumped(api) == first


async def test_a_reset_forgets_objects_but_not_declarations(project: Path) -> None:
    async with running_api(project=project) as api:
        before = await dumped(api)
        await api.create("Post", title="t", learned=1)
        await api.create("Passing", a=1)
        await api.emulator.reset()
        assert await dumped(api) == before
        assert (await api("POST", "/1.1/classes/Post", {})).json == error(113, "title is required.")


async def test_only_the_master_key_gets_the_files(project: Path) -> None:
    async with running_api(project=project) as api:
        for headers in (CLIENT, ENGINE, {**MASTER, "Origin": "http://localhost"}):
            assert (await api("GET", "/__emu/schemas", headers=headers)).json == ONLY_MASTER


async def dumped(api: Api) -> Any:
    answer = await api("GET", "/__emu/schemas", headers=MASTER)
    assert answer.status == 200
    return answer.json["results"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Post.schema.json", '{"schema": {"a": {"type": "Text"}}}', "column 'a': type must be one"),
        ("Post.json", "{", "line 1 column 2"),
        ("deep/Post.json", "[]", "must be a JSON object"),
        ("Post.json", b"\xff", "is no UTF-8"),
        ("2.json", '{"schema": {}}', "is no name a class can have"),
    ],
)
async def test_a_wrong_file_stops_the_start(
    tmp_path: Path, name: str, text: str | bytes, said: str
) -> None:
    path = tmp_path / "schema" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    engine = FakeEngine()
    with pytest.raises(StartError) as caught:
        async with running_api(engine, project=tmp_path):
            raise AssertionError("it started")
    assert caught.value.message.startswith(f"{path}: ")
    assert said in caught.value.message


async def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="There is no schema folder"):
        async with running_api(project=tmp_path, schema="nowhere"):
            raise AssertionError("it started")


async def test_a_class_with_two_files_stops_the_start(tmp_path: Path) -> None:
    declare(tmp_path, Post=POST)
    (tmp_path / "schema" / "Post.json").write_text('{"schema": {}}', "utf-8")
    with pytest.raises(StartError, match="'Post' has two files"):
        async with running_api(project=tmp_path):
            raise AssertionError("it started")
