"""What clients are not shown they cannot find out by conditions either (storage.md 4.2, 7.1)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.matchers import error
from tests.support.people import NOBODY, ROOT, People, people

GITHUB = {"github": {"uid": "4711"}}
TEXT = {"type": "String"}
SCHEMAS: dict[str, Any] = {
    "_User": {"birthday": {**TEXT, "user_private": True}, "secret": {**TEXT, "hidden": True}},
    "Post": {
        "score": {"type": "Number", "hidden": True},
        "judges": {"type": "Relation", "className": "_User", "hidden": True},
        "by": TEXT,
    },
}
OF_ANN = {"birthday": "1 May", "secret": "s", "authData": GITHUB}
ON_USERS = [
    {"birthday": "1 May"},
    {"secret": {"$regex": "^s"}},
    {"authData.github.uid": "4711"},
    {"authData": GITHUB},
    {"authData.github": {"$exists": True}},
    {"$or": [{"secret": "s"}, {"birthday": {"$gt": "0"}}]},
    {"$and": [{"secret": {"$in": ["s"]}}]},
    {"username": {"$select": {"key": "secret", "query": {"className": "_User", "where": {}}}}},
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "schema"
    folder.mkdir()
    for name, columns in SCHEMAS.items():
        (folder / f"{name}.schema.json").write_text(json.dumps({"schema": columns}), "utf-8")
    return tmp_path


async def found(who: People, asker: str, where: Any, class_name: str = "_User") -> int:
    answer = await who.ok(asker, "GET", f"/classes/{class_name}", where=where, count=1)
    assert len(answer["results"]) == answer["count"]
    return int(answer["count"])


@pytest.mark.parametrize("where", ON_USERS, ids=[json.dumps(where) for where in ON_USERS])
async def test_conditions_on_users(where: Any, project: Path) -> None:
    async with people(project, "ann", "s") as who:
        await who.ok(ROOT, "PUT", "/users/{ann}", OF_ANN)
        assert [await found(who, asker, where) for asker in (NOBODY, "s", "ann")] == [0, 0, 0]
        assert await found(who, ROOT, where) == 1


async def test_conditions_on_other_classes(project: Path) -> None:
    async with people(project, "ann") as who:
        judges = {"__op": "AddRelation", "objects": [who.pointer("ann")]}
        made = await who.ok(ROOT, "POST", "/classes/Post", {"score": 7, "judges": judges})
        post = {"__type": "Pointer", "className": "Post", "objectId": made["objectId"]}
        inner = {"className": "Post", "where": {"score": 7}}
        related = {"$relatedTo": {"object": post, "key": "judges"}}
        await who.ok(ROOT, "POST", "/classes/Note", {"post": post})
        for class_name, where in (
            ("Post", {"score": {"$gt": 6}}),
            ("Post", {"judges": who.pointer("ann")}),
            ("Note", {"post": {"$inQuery": inner}}),
            ("_User", related),
        ):
            assert await found(who, "ann", where, class_name) == 0, where
            assert await found(who, ROOT, where, class_name) == 1, where


async def test_cql_asks_no_more(project: Path) -> None:
    async with people(project, "ann") as who:
        await who.ok(ROOT, "POST", "/classes/Post", {"score": 7})
        cql = "select * from Post where score > 6"
        assert (await who.ok("ann", "GET", "/cloudQuery", cql=cql))["results"] == []
        assert len((await who.ok(ROOT, "GET", "/cloudQuery", cql=cql))["results"]) == 1


@pytest.mark.parametrize("order", ["score", "-score"])
async def test_order_tells_nothing(order: str, project: Path) -> None:
    async with people(project) as who:
        for name, score in (("first", 2), ("second", 1), ("third", 3)):
            await who.ok(ROOT, "POST", "/classes/Post", {"by": name, "score": score})
        answer = await who.ok(NOBODY, "GET", "/classes/Post", order=order)
        assert [row["by"] for row in answer["results"]] == ["first", "second", "third"]
        answer = await who.ok(ROOT, "GET", "/classes/Post", order="-score")
        assert [row["by"] for row in answer["results"]] == ["third", "first", "second"]


async def test_conditional_writes_ask_no_more_than_queries(project: Path) -> None:
    async with people(project, "ann") as who:
        await who.ok(ROOT, "PUT", "/users/{ann}", OF_ANN)
        post = await who.ok(ROOT, "POST", "/classes/Post", {"score": 7})
        path = f"/classes/Post/{post['objectId']}"
        for asker, score, refused in (("ann", 7, True), (ROOT, 7, False), (ROOT, 8, True)):
            answer = await who(asker, "PUT", path, {"by": "x"}, where={"score": score})
            assert (answer.json == error(305)) is refused, (asker, score)
        # one's own private columns are no secret to oneself
        for where, refused in (
            ({"birthday": "1 May"}, False),
            ({"authData.github.uid": "4711"}, False),
            ({"secret": "s"}, True),
            ({"birthday": "2 May"}, True),
        ):
            answer = await who("ann", "PUT", "/users/{ann}", {"n": 1}, where=where)
            assert (answer.json == error(305)) is refused, where


async def test_addresses_and_numbers_can_be_looked_for(project: Path) -> None:
    async with people(project, "ann", "bob") as who:
        await who.ok(ROOT, "PUT", "/users/{ann}", {"email": "ann@example.com"})
        answer = await who.ok("bob", "GET", "/users", where={"email": "ann@example.com"})
        (ann,) = answer["results"]
        assert "email" not in ann
