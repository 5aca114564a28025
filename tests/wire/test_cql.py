"""``/cloudQuery`` over real sockets: CQL finds and writes what REST does (storage.md 5)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace_view import summary
from tests.support.api import CLIENT, KEYS, MASTER, running_api
from tests.support.fake_engine import refuse
from tests.support.matchers import ANY_DATE, ANY_ID, ANY_TOKEN, With, error, text_with
from tests.support.scenario import PASSWORD, Id, Scenario, Sent, SignedUp, Stored, Token, run

URL = "/1.1/cloudQuery"


def to_author(object_id: Any) -> dict[str, Any]:
    return {"__type": "Pointer", "className": "Author", "objectId": object_id}


def point(longitude: float, latitude: float) -> dict[str, Json]:
    return {"__type": "GeoPoint", "longitude": longitude, "latitude": latitude}


ROWS = [
    Stored("lea", "Author", {"name": "Lea", "team": "red"}),
    Stored("max", "Author", {"name": "Max", "team": "blue"}),
    Stored("ann", "Row", {"name": "Ann", "n": 1, "by": to_author(Id("lea")), "at": point(1, 1)}),
    Stored("bob", "Row", {"name": "bob", "n": 2, "by": to_author(Id("max")), "at": point(2, 2),
                          "tags": ["x", "y"]}),
    Stored("cid", "Row", {"name": "Cid (x)", "n": 3, "tags": ["x"], "at": point(3, 3)}),
    Stored("dee", "Row", {"name": "dee", "fans": {
        "__op": "AddRelation", "objects": [to_author(Id("max"))]}}),
]  # fmt: skip


def select(
    text: str,
    found: Sequence[str],
    pvalues: Any = None,
    *,
    class_name: str = "Row",
    **more: Any,
) -> Scenario:
    """A statement and the objects it finds, in order, by their names above."""
    params = {"cql": text} if pvalues is None else {"cql": text, "pvalues": pvalues}
    answer = {
        "results": [With({"objectId": Id(one)}) for one in found],
        "className": class_name,
        **more,
    }
    return Scenario(text, Sent("GET", URL, params=params), 200, answer, setup=ROWS)


def answers(name: str, request: Sent, status: int, body: Any, **more: Any) -> Scenario:
    return Scenario(name, request, status, body, setup=ROWS, **more)


def cql(text: str, *values: Any, headers: Mapping[str, Any] | None = None) -> Sent:
    return Sent("GET", URL, params={"cql": text, "pvalues": [*values]}, headers=headers)


FINDS = [
    select("select * from Row", ["ann", "bob", "cid", "dee"]),
    select("SELECT name FROM Row WHERE n > 1 ORDER BY n DESC", ["cid", "bob"]),
    select("select * from Row order by -n limit 1, 2", ["bob", "ann"]),
    select("select * from Row where n >= ? and n < ? limit ?", ["ann", "bob"], [1, 3, 5]),
    select("select * from Row where n = 1 or name = 'dee'", ["ann", "dee"]),
    select("select * from Row where n != 1", ["bob", "cid", "dee"]),
    select("select * from Row where name like '%(x)'", ["cid"]),
    select("select * from Row where name like '%[(]x[)]'", ["cid"]),
    select("select * from Row where name not like 'A%'", ["bob", "cid", "dee"]),
    select("select * from Row where name regexp '^.e'", ["dee"]),
    select("select * from Row where name in ('Ann', 'dee')", ["ann", "dee"]),
    select("select * from Row where n is not exists", ["dee"]),
    select("select * from Row where tags = 'x'", ["bob", "cid"]),
    select("select * from Row where tags all ('y', 'x')", ["bob"]),
    select("select * from Row where size(tags) = 1", ["cid"]),
    select("select * from Row where at near [3, 3]", ["cid", "bob", "ann"]),
    select("select * from Row where at near [3, 3] min 100 km max 200 km", ["bob"]),
    select("select * from Row where at within [1.5, 1.5] and [4, 4]", ["bob", "cid"]),
    select("select * from Row where createdAt <= current_timestamp() and n = 1", ["ann"]),
    select("select * from Row where by = ?", ["ann"], [to_author(Id("lea"))]),
    select("select * from Row where by in (select * from Author where team = 'blue')", ["bob"]),
    select("select * from Row where by not in (select * from Author where team = 'blue')",
           ["ann", "cid", "dee"]),
    select("select * from Author where name in (select name from Author where team = 'red')",
           ["lea"], class_name="Author"),
    select("select * from Author where name != (select name from Author where team = 'red')",
           ["max"], class_name="Author"),
    select("select * from Author where related fans to pointer('Row', ?)", ["max"], [Id("dee")],
           class_name="Author"),
    select("select count(*) from Row", [], count=4),
    select("select *, count(objectId) from Row where n > 0 limit ?", ["ann"], [1], count=3),
    select("select count(*) from Row where by in (select * from Author limit 1)", [], count=1),
    select("select * from Row where n = ?", ["ann"], json.dumps(json.dumps([1]))),
    answers("columns", cql("select name, -updatedAt from Row where n = 1"), 200,
            {"className": "Row", "results": [
                {"name": "Ann", "objectId": Id("ann"), "createdAt": ANY_DATE}]}),
    answers("include", cql("select include by, name from Row where n = 1"), 200,
            {"className": "Row", "results": [
                With({"name": "Ann", "by": With({"name": "Lea", "className": "Author"})},
                     without=("n",))]}),
    answers("no include", cql("select * from Row where n = 1"), 200,
            {"className": "Row", "results": [With({"by": to_author(Id("lea"))})]}),
]  # fmt: skip

WAYS = [
    answers("as a body", Sent("POST", URL, {"cql": "select * from Row where n=?", "pvalues": [2]}),
            200, With({"results": [With({"objectId": Id("bob")})]})),
    answers("as the text of lean-cli", Sent("GET", URL, raw=b"", params={
        "cql": "select * from Row where n = 2;"}), 200, With({"className": "Row"})),
    answers(
        "as a plain text from a page",
        Sent("POST", URL, headers={"Content-Type": "text/plain"}, raw=json.dumps({
            "_method": "GET", "_ApplicationId": KEYS.app_id, "_ApplicationKey": KEYS.app_key,
            "cql": "select * from Row where n = ?", "pvalues": [2]}).encode()),
        200,
        With({"results": [With({"objectId": Id("bob")})]}),
    ),
    answers(
        "as members of a batch",
        Sent("POST", "/1.1/batch", {"requests": [
            {"method": "GET", "path": URL, "params": {"cql": "select count(*) from Row"}},
            {"method": "GET", "path": URL, "params": {"cql": "select"}},
        ]}),
        200,
        [{"success": {"results": [], "className": "Row", "count": 4}},
         {"error": error(300, text_with("line 1, column 7"))}],
    ),
]  # fmt: skip

REFUSED = [
    answers("a syntax error", cql("select * GameScore limit 10"), 400, error(
        300,
        "CQL syntax error.Detail: Parse error at line 1, column 10:\nselect * GameScore limit 10\n"
        '         ^\nExpected one of:\nfrom\n#"\\s+"\n,\n\n',
    )),
    answers("no statement", Sent("GET", URL), 400, error(300, text_with("column 1"))),
    answers("a statement that is no text", Sent("POST", URL, {"cql": 5}), 400, error(300)),
    answers("too few values", cql("select * from Row where n = ?"), 400,
            error(300, text_with("? number 1"))),
    answers("values that are no list", Sent("GET", URL, params={
        "cql": "select * from Row", "pvalues": "{}"}), 400, error(1, text_with("pvalues"))),
    answers("an unknown class", cql("select * from Nothing"), 404, error(101)),
    answers("a geo query with count", cql("select count(*) from Row where at near [1, 2]"), 400,
            error(300, text_with("cannot be counted"))),
    answers("no credentials", cql("select * from Row", headers={}), 401, error(401)),
    answers("an update of many", cql("update Row set n = 1 where n = 2"), 400,
            error(300, text_with("objectId"))),
]  # fmt: skip

BOTH_HOOKS = {"beforeSave": 1, "afterSave": 1}
SAVING: dict[str, Any] = {
    "Row.beforeSave": lambda body: {**body["object"], "byHook": True},
    "Row.afterSave": lambda _: {},
}
UPDATING: dict[str, Any] = {
    "Row.beforeUpdate": lambda body: body["object"],
    "Row.afterUpdate": lambda _: {},
}
DELETING: dict[str, Any] = {
    "Row.beforeDelete": lambda body: body["object"],
    "Row.afterDelete": lambda _: {},
}
BOB = With({"name": "bob", "n": 2})
DONE = {"className": "Row", "results": [{"objectId": Id("bob"), "updatedAt": ANY_DATE}]}

WRITES = [
    answers("an insert of two", cql("insert into Row(name, n) values (?, 4), ('fay', ?)", "eve", 5),
            200, {"className": "Row", "results": [{"objectId": ANY_ID, "createdAt": ANY_DATE}] * 2},
            engine=SAVING, hooks={"Row.beforeSave": 2, "Row.afterSave": 2, "*": 0}),
    answers("an insert that a hook refuses", cql("insert into Row(n) values (1), (2)"), 400,
            error(142, text_with("no")), engine={"Row.beforeSave": lambda _: refuse("no")},
            hooks={"Row.beforeSave": 1, "*": 0}),
    answers("an update", cql("update Row set n = op('Increment', {amount: 5}), name = ? "
                             "where objectId = ?", "Bob", Id("bob")), 200, DONE,
            engine=UPDATING, hooks={"Row.beforeUpdate": 1, "Row.afterUpdate": 1, "*": 0},
            after={"bob": With({"name": "Bob", "n": 7})}),
    answers("an update without hooks",
            Sent("POST", URL, {"cql": "update Row set n = 9 where objectId = ?",
                               "pvalues": [Id("bob")], "__ignore_hooks": ["beforeUpdate"]},
                 headers=MASTER), 200, DONE,
            engine=UPDATING, hooks={"Row.afterUpdate": 1, "*": 0},
            after={"bob": With({"n": 9}, without=("__ignore_hooks",))}),
    answers("an update whose condition holds",
            cql("update Row set n = 0 where objectId = ? and n >= 2", Id("bob")), 200, DONE,
            after={"bob": With({"n": 0})}),
    answers("an update whose condition does not hold",
            cql("update Row set n = 0 where objectId = ? and (n > 2 or n < 2)", Id("bob")), 400,
            error(305), engine=UPDATING, after={"bob": BOB}),
    answers("an update of nothing", cql("update Row set n = 0 where objectId = 'abc'"), 400,
            error(1, text_with("Could not find object", "abc"))),
    answers("a field that goes away",
            cql("update Row set n = op('Delete', {delete: true}) where objectId = ?", Id("bob")),
            200, DONE, after={"bob": With({"name": "bob"}, without=("n",))}),
    answers("a delete", cql("delete from Row where objectId = ?", Id("bob")), 200,
            {"className": "Row", "results": []}, engine=DELETING,
            hooks={"Row.beforeDelete": 1, "Row.afterDelete": 1, "*": 0}, after={"bob": None}),
    answers("a delete whose condition does not hold",
            cql("delete from Row where objectId = ? and name = 'x'", Id("bob")), 400, error(305),
            engine=DELETING, after={"bob": BOB}),
    answers("a delete of a wrong type", cql("insert into Row(n) values ('x')"), 400, error(111)),
]  # fmt: skip

RIGHTS = [
    Scenario("objects that one may not read", cql("select count(*), * from Row"), 200,
             {"className": "Row", "count": 1, "results": [With({"objectId": Id("open")})]},
             setup=[Stored("shut", "Row", {"ACL": {}}), Stored("open", "Row")]),
    Scenario("all of them for the master", cql("select count(*) from Row", headers=MASTER), 200,
             {"className": "Row", "count": 2, "results": []},
             setup=[Stored("shut", "Row", {"ACL": {}}), Stored("open", "Row")]),
    Scenario("a write that the ACL forbids",
             cql("update Row set n = 1 where objectId = ?", Id("shut")), 403, error(403),
             setup=[Stored("shut", "Row", {"ACL": {"*": {"read": True}}})]),
    Scenario("a user without password", cql("insert into _User(username) values ('x')"), 400,
             error(201)),
    Scenario("a sign-up",
             cql("insert into _User(username, password) values ('eve', ?)", PASSWORD), 200,
             {"className": "_User",
              "results": [With({"sessionToken": ANY_TOKEN}, without=("password", "salt"))]}),
    Scenario("somebody else's user", cql("update _User set n = 1 where objectId = ?", Id("eve")),
             400, error(206), setup=[SignedUp("eve")]),
    Scenario("one's own user",
             cql("update _User set n = 1 where objectId = ?", Id("eve"),
                 headers={**CLIENT, "X-LC-Session": Token("eve")}), 200,
             With({"className": "_User"}), setup=[SignedUp("eve")],
             after={"eve": With({"n": 1})}),
]  # fmt: skip


@pytest.mark.parametrize("scenario", [*FINDS, *WAYS, *REFUSED, *WRITES, *RIGHTS], ids=str)
async def test_statements(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


async def test_what_is_inserted_can_be_found(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = await api("GET", URL, cql="insert into Post(a, b) values (1, {c: ['x']})")
        (row,) = made.json["results"]
        found = await api("GET", URL, cql="select * from Post where b.c = 'x'")
        assert found.json["results"] == [{**row, "a": 1, "b": {"c": ["x"]}, "updatedAt": ANY_DATE}]


async def test_rows_before_a_refused_one_stay(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("GET", URL, cql="insert into Post(a) values (1), ('x'), (2)")
        assert (answer.status, answer.json["code"]) == (400, 111)
        count = await api("GET", URL, cql="select count(*) from Post")
        assert count.json["count"] == 1


async def test_the_trace_shows_one_request_with_its_steps(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api("GET", URL, cql="insert into Post(a) values (1), (2)")
        (root,) = api.emulator.log.traces()
        assert summary(root, api.emulator.mask)["title"] == "GET /1.1/cloudQuery"
        assert [child.title for child in root.children] == ["insert Post", "insert Post"]
