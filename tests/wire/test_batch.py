"""Many requests in one (storage.md 3.8, engine.md 4.12, appendix B)."""

from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.trace_view import step
from tests.support.api import CLIENT, KEYS, MASTER, running_api
from tests.support.fake_engine import refuse
from tests.support.matchers import ANY_DATE, ANY_ID, With, error, text_with
from tests.support.scenario import At, Id, Scenario, Sent, SignedUp, Stored, Token, run

POST = Stored("post", "Post", {"n": 1, "title": "x"})
CREATED = {"success": {"objectId": ANY_ID, "createdAt": ANY_DATE}}
UPDATED = {"success": {"objectId": Id("post"), "updatedAt": ANY_DATE}}
CLASS_404 = {"error": error(101, "Class or object doesn't exists.")}


def batch(name: str, requests: Any, answers: Any, **more: Any) -> Scenario:
    request = Sent("POST", "/1.1/batch", {"requests": requests})
    return Scenario(name, request, 200, answers, **more)


def on_post(method: str, tail: str = "", **more: Any) -> dict[str, Any]:
    return {"method": method, "path": At(f"/1.1/classes/Post/{{post}}{tail}"), **more}


PERSON = "/1.1/classes/Person"
BATCHES = [
    batch("nothing", [], []),
    batch(
        "a failure and what follows",
        [
            {"method": "PUT", "path": f"{PERSON}/fakeid", "body": {"age": 1}},
            {"method": "POST", "path": PERSON, "body": {"age": 2}},
        ],
        [
            {"error": error(1, "Could not find object by id 'fakeid' for class 'Person'.")},
            CREATED,
        ],
    ),
    batch("a create without a body", [{"method": "POST", "path": PERSON}], [CREATED]),
    batch("method in small letters", [{"method": "post", "path": PERSON, "body": {}}], [CREATED]),
    batch("path under /1/", [{"method": "POST", "path": "/1/classes/Person"}], [CREATED]),
    batch("encoded path", [{"method": "POST", "path": "/1.1/classes/%50erson"}], [CREATED]),
    batch(
        "options among params",
        [{"method": "POST", "path": PERSON, "body": {"a": 1}, "params": {"fetchWhenSave": True}}],
        [{"success": With({"a": 1, "updatedAt": ANY_DATE})}],
    ),
    batch(
        "options in the path",
        [{"method": "POST", "path": f"{PERSON}?new=true", "body": {"a": 1}}],
        [{"success": With({"a": 1, "updatedAt": ANY_DATE})}],
    ),
    batch("no method is GET", [{"path": "/1.1/classes/Post"}], [CLASS_404]),
    batch("get", [on_post("GET")], [{"success": With({"n": 1})}], setup=[POST]),
    batch("get with keys", [on_post("GET", params={"keys": "n"})],
          [{"success": With({"n": 1}, without=("title",))}], setup=[POST]),
    batch("get of nothing", [{"method": "GET", "path": "/1.1/classes/Post/123"}],
          [{"success": None}], setup=[POST]),
    batch("get in an unknown class", [{"path": "/1.1/classes/No/123"}], [CLASS_404]),
    batch("query", [{"method": "GET", "path": "/1.1/classes/Post"}],
          [{"success": {"results": [With({"n": 1})]}}], setup=[POST]),
    batch(
        "query with JSON",
        [{"path": "/1.1/classes/Post", "params": {"where": {"n": 1}, "limit": 0, "count": 1}}],
        [{"success": {"results": [], "count": 1}}],
        setup=[POST],
    ),
    batch(
        "query with texts",
        [{"path": "/1.1/classes/Post", "params": {"where": '{"n":2}', "limit": "5"}}],
        [{"success": {"results": []}}],
        setup=[POST],
    ),
    batch("query in the path", [{"path": "/1.1/classes/Post?where=%7B%22n%22%3A1%7D&keys=n"}],
          [{"success": {"results": [With({"n": 1}, without=("title",))]}}], setup=[POST]),
    batch("params win", [{"path": "/1.1/classes/Post?limit=5", "params": {"limit": 0}}],
          [{"success": {"results": []}}], setup=[POST]),
    batch("later members see earlier ones",
          [on_post("PUT", body={"n": {"__op": "Increment"}})] * 3 + [on_post("GET")],
          [UPDATED] * 3 + [{"success": With({"n": 4})}], setup=[POST]),
    batch("a condition", [on_post("PUT", body={"n": 5}, params={"where": {"n": 9}})],
          [{"error": error(305)}], setup=[POST]),
    batch("delete", [on_post("DELETE"), on_post("GET")], [{"success": {}}, {"success": None}],
          setup=[POST], after={"post": None}),
    batch("delete several", [on_post("DELETE", ",123,456", body={})], [{"success": {}}],
          setup=[POST], after={"post": None}),
    batch("date", [{"path": "/1.1/date"}], [{"success": {"__type": "Date", "iso": ANY_DATE}}]),
    batch("an unknown path", [{"path": "/1.1/nothing"}], [{"error": error(404)}]),
    batch("a path that is not built", [{"path": "/1.1/search/select"}], [{"error": error(1)}]),
    batch("a batch in a batch", [{"method": "POST", "path": "/1.1/batch"}], [{"error": error(1)}]),
    batch("no path", [{"method": "GET"}], [{"error": error(1, text_with("path"))}]),
    batch("a member that is none", [5, None], [{"error": error(1)}] * 2),
    batch("a body that is no object", [{"method": "POST", "path": PERSON, "body": [1]}],
          [{"error": error(107)}]),
    batch("sign-up", [{"method": "POST", "path": "/1.1/users",
                       "body": {"username": "bob", "password": "x"}}],
          [{"success": With({"username": "bob"})}]),
    batch("a function", [{"method": "POST", "path": "/1.1/functions/add", "body": {"a": 1}}],
          [{"success": {"result": 2}}], engine={"add": lambda given: {"result": given["a"] + 1}},
          hooks={"add": 1, "*": 0}),
    batch("a function that fails", [{"method": "POST", "path": "/1.1/functions/f"}],
          [{"error": {"code": 77, "error": "no"}}],
          engine={"f": lambda _: refuse("no", 422, 77)}, hooks={"f": 1, "*": 0}),
    Scenario("no list of requests", Sent("POST", "/1.1/batch", {"requests": {}}), 400, error(1)),
    Scenario("no requests at all", Sent("POST", "/1.1/batch"), 400, error(1)),
    Scenario("too many", Sent("POST", "/1.1/batch", {"requests": [{}] * 1001}), 400,
             error(1, text_with("1000", "1001"))),
    Scenario("credentials are the batch's", Sent("POST", "/1.1/batch",
             {"requests": [{"method": "GET", "path": "/1.1/users/me"}]},
             headers={**CLIENT, "X-LC-Session": Token("ann")}), 200,
             [{"success": With({"username": "ann"})}], setup=[SignedUp("ann")]),
    Scenario(
        "tunnelled",
        Sent(
            "POST",
            "/1.1/batch",
            {
                "_ApplicationId": KEYS.app_id,
                "_ApplicationKey": KEYS.app_key,
                "requests": [{"method": "POST", "path": PERSON, "body": {"a": 1}}],
            },
            headers={"Content-Type": "text/plain"},
        ),
        200,
        [CREATED],
    ),
    Scenario("wrong credentials", Sent("POST", "/1.1/batch", {"requests": []}, headers={}), 401,
             error(401)),
]  # fmt: skip


@pytest.mark.parametrize("scenario", BATCHES, ids=str)
async def test_batches(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


async def test_a_refused_delete_leaves_the_others_alone(tmp_path: Path) -> None:
    """Appendix B 13: hooks are switched off for the first member only."""
    async with running_api(project=tmp_path) as api:
        first, second, third = [await api.create("Post", n=n) for n in range(3)]
        api.engine.handlers = {"Post.beforeDelete": lambda _: refuse("Error from beforeDelete")}
        members = [
            {
                "method": "DELETE",
                "path": f"/1.1/classes/Post/{one}",
                "body": {"__ignore_hooks": ["beforeDelete"]} if one != second else {},
            }
            for one in (first, second, third)
        ]
        answer = await api("POST", "/1.1/batch", {"requests": members}, headers=MASTER)
        refusal = "Cloud Code validation failed. Error detail : Error from beforeDelete"
        assert answer.json == [{"success": {}}, {"error": error(142, refusal)}, {"success": {}}]
        assert api.engine.fired() == ["Post.beforeDelete"]
        left = await api("GET", "/1.1/classes/Post")
        assert [row["objectId"] for row in left.json["results"]] == [second]


async def test_members_run_one_after_another(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        inside: list[int] = []

        def before_save(given: dict[str, Any]) -> Any:
            inside.append(given["object"]["n"])
            return given["object"]

        api.engine.handlers = {"Post.beforeSave": before_save, "Post.afterSave": lambda _: {}}
        members = [
            {"method": "POST", "path": "/1.1/classes/Post", "body": {"n": n}} for n in range(5)
        ]
        await api("POST", "/1.1/batch", {"requests": members})
        await api.settle()
        assert inside == [0, 1, 2, 3, 4]
        assert api.engine.fired().count("Post.afterSave") == 5


async def test_a_secret_in_the_path_of_a_member_is_not_shown(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        path = "/1.1/users/me?session_token=0123456789012345678901234"
        await api("POST", "/1.1/batch", {"requests": [{"method": "GET", "path": path}]})
        (root,) = api.emulator.log.traces()
        rendered: Any = step(root.children[0], api.emulator.mask)
        assert (rendered["title"], rendered["path"]) == ("GET /1.1/users/me", "/1.1/users/me")
        assert rendered["query"] == "session_token=••••1234"


async def test_every_member_has_its_own_step_in_the_trace(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        members = [
            {"method": "POST", "path": "/1.1/classes/Post", "body": {"n": 1}},
            {"method": "PUT", "path": "/1.1/classes/Post/fakeid", "body": {"n": 1}},
        ]
        await api("POST", "/1.1/batch", {"requests": members})
        (root,) = api.emulator.log.traces()
        assert [(span.title, span.outcome, span.status) for span in root.children] == [
            ("POST /1.1/classes/Post", "ok", 201),
            ("PUT /1.1/classes/Post/fakeid", "rejected", 400),
        ]
        assert [span.title for span in root.children[0].children] == ["insert Post"]
