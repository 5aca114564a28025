"""Cloud functions through the front door (engine.md 2.5, 4.6, 5)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.base.signing import request_sign
from tests.support.api import CLIENT, ENGINE, KEYS, MASTER, running_api
from tests.support.fake_engine import EngineReply, FakeEngine, Handler, refuse, reply
from tests.support.matchers import With, error, text_with
from tests.support.scenario import Scenario, Sent, run

WRAPPED = error(141, "Cloud Code script had an error.")


def echo(given: Any) -> Any:
    return {"result": given}


def call(
    name: str, handler: Handler, status: int, body: Any, *, sent: Any = None,
    path: str = "functions/f", method: str = "POST", raw: bytes | None = None, called: int = 1,
    **more: Any,
) -> Scenario:  # fmt: skip
    return Scenario(
        name,
        Sent(method, f"/1.1/{path}", sent, raw=raw, **more),
        status,
        body,
        engine={"f": handler},
        hooks={"f": called, "*": 0},
    )


def answers(status: int, body: bytes) -> Handler:
    return lambda _: EngineReply(status, body)


CALLS = [
    call("parameters and result", echo, 200, {"result": {"a": [1, None]}}, sent={"a": [1, None]}),
    call("no body", echo, 200, {"result": {}}),
    call("GET has no parameters", echo, 200, {"result": {}}, method="GET", raw=b'{"a":1}'),
    call("a list", echo, 200, {"result": [1]}, sent=[1]),
    call("rpc", echo, 200, {"result": {"a": 1}}, sent={"a": 1}, path="call/f"),
    Scenario("under /1/", Sent("POST", "/1/functions/f"), 200, {"result": {}}, engine={"f": echo},
             hooks={"f": 1, "*": 0}),
    call("the query is not a parameter", echo, 200, {"result": {}}, path="functions/f?a=1"),
    call("names that look like credentials are parameters", echo, 200,
         {"result": {"_ApplicationId": "x", "__op": 1}}, sent={"_ApplicationId": "x", "__op": 1}),
    call("null", answers(200, b'{"result":null}'), 200, {"result": None}),
    call("more members stay", answers(200, b'{"result":1,"m":2}'), 200, {"result": 1, "m": 2}),
    call("nothing at all", answers(200, b""), 200, {"result": None}),
    call("an empty object", answers(200, b"{}"), 200, {}),
    call("a bare value", answers(200, b'"done"'), 200, "done"),
    call("other letters", answers(200, '{"result":"≠ 不"}'.encode()), 200, {"result": "≠ 不"}),
    call("an error with status and code", lambda _: refuse("no", 422, 77), 422, error(77, "no")),
    call("an error with more members", answers(400, b'{"code":1,"error":"x","why":"y"}'), 400,
         {"code": 1, "error": "x", "why": "y"}),
    call("a code that is a text", answers(400, b'{"code":"400","error":"x"}'), 400,
         {"code": "400", "error": "x"}),
    call("unauthorized by the function", lambda _: refuse("no", 401, 401), 401, error(401, "no")),
    call("an exception", lambda _: refuse(WRAPPED["error"], 500, 141), 500, WRAPPED),
    call("HTML", answers(500, b"<html>Internal Server Error</html>"), 500, WRAPPED),
    call("HTML as a success", answers(200, b"<html>"), 500, WRAPPED),
    call("text in another encoding", answers(200, b'"\xff"'), 500, WRAPPED),
    call("nothing and an error", answers(503, b""), 503, WRAPPED),
    call("NaN", answers(200, b'{"result":NaN}'), 500, WRAPPED),
    call("malformed parameters", echo, 400, error(107), raw=b"{", called=0),
    call("wrong credentials", echo, 401, error(401), headers={}, called=0),
    call("two segments want the hook key", echo, 401, error(401), path="functions/F/f", called=0),
    call("two segments by call", echo, 404, error(404), path="call/F/f", called=0),
    call("tunnelled", echo, 200, {"result": {"a": 1}}, called=1,
         sent={"_ApplicationId": KEYS.app_id, "_ApplicationKey": KEYS.app_key, "a": 1},
         headers={"Content-Type": "text/plain"}),
    Scenario("an unknown name", Sent("POST", "/1.1/functions/nope"), 404,
             error(404, "cloud func named 'nope' not found."), hooks={"nope": 1, "*": 0}),
    Scenario("no name", Sent("POST", "/1.1/functions/"), 404, error(404)),
    Scenario("takes too long", Sent("POST", "/1.1/functions/f"), 503,
             error(124, "The request timed out on the server."),
             engine={"f": lambda _: asyncio.Event().wait()}, hooks={"f": 1, "*": 0},
             settings={"function_seconds": 0.02}),
    Scenario("metadatas for the master key",
             Sent("GET", "/1.1/functions/_ops/metadatas", headers=MASTER), 200,
             {"result": ["__before_save_for_Post", "f"]},
             engine={"f": echo, "Post.beforeSave": echo}),
    Scenario("metadatas for others", Sent("GET", "/1.1/functions/_ops/metadatas"), 401, error(401)),
    Scenario("metadatas for the engine",
             Sent("GET", "/1.1/functions/_ops/metadatas", headers=ENGINE), 401, error(401)),
]  # fmt: skip


@pytest.mark.parametrize("scenario", CALLS, ids=str)
async def test_functions(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("functions/status.topic", "/1.1/functions/status.topic"),
        ("functions/a-b_c~d", "/1.1/functions/a-b_c~d"),
        ("call/f", "/1.1/call/f"),
        ("functions/h%C3%A9", "/1.1/functions/h%C3%A9"),
        ("functions/a%20b", "/1.1/functions/a%20b"),
        ("functions/a%3Fb", "/1.1/functions/a%3Fb"),
        ("functions/a%2Fb", "/1.1/functions/a%2Fb"),
        ("functions/a%0D%0AX-Evil:%201", "/1.1/functions/a%0D%0AX-Evil:%201"),
    ],
)
async def test_the_path_reaches_the_engine_as_it_was(
    path: str, target: str, tmp_path: Path
) -> None:
    async with running_api(project=tmp_path) as api:
        await api("POST", f"/1.1/{path}?x=1")
        assert [received.target for received in api.engine.received] == [target]


async def test_headers_that_reach_the_engine(tmp_path: Path) -> None:
    async with running_api(FakeEngine({"f": echo}), project=tmp_path) as api:
        sign = request_sign(KEYS.app_key, "1453014943466")
        await api(
            "POST",
            "/1.1/functions/f",
            {},
            headers={
                "X-AVOSCloud-Application-Id": KEYS.app_id,
                "X-LC-Sign": f"{sign},1453014943466",
                "X-LC-Prod": "0",
                "X-LC-Hook-Key": "wrong",
                "X-LC-UA": "LeanCloud-Test/1",
                "X-Forwarded-For": "6.6.6.6",
                "X-Real-IP": "6.6.6.6",
                "X-Lean-Emu-Call": "forged",
                "X-Custom": "kept",
                "User-Agent": "tests",
                "Accept": "*/*",
            },
        )
        (received,) = api.engine.received
        assert received.headers == {
            "X-LC-Id": KEYS.app_id,
            "X-LC-Key": KEYS.app_key,
            "X-LC-Prod": "0",
            "X-LC-UA": "LeanCloud-Test/1",
            "X-Real-IP": "127.0.0.1",
            "Forwarded": "for=127.0.0.1;proto=http",
            "Content-Type": "application/json",
            "X-Custom": "kept",
            "User-Agent": "tests",
            "Accept": "*/*",
        }


async def test_the_callers_rights_reach_the_engine(tmp_path: Path) -> None:
    async with running_api(FakeEngine({"f": echo}), project=tmp_path) as api:
        made = await api("POST", "/1.1/users", {"username": "ann", "password": "correct"})
        token = made.json["sessionToken"]

        async def seen(headers: dict[str, str]) -> dict[str, str]:
            api.engine.received.clear()
            await api("POST", "/1.1/functions/f", {}, headers=headers)
            return api.engine.received[0].headers

        user = await seen({**CLIENT, "X-AVOSCloud-Session-Token": token})
        assert (user["X-LC-Key"], user["X-LC-Session"]) == (KEYS.app_key, token)
        dead = await seen({**CLIENT, "X-LC-Session": "0" * 25})
        assert dead["X-LC-Session"] == "0" * 25, "what comes of it is for the SDK to say"
        master = await seen({**MASTER, "X-LC-Session": token})
        assert (master["X-LC-Key"], master["X-LC-Session"]) == (f"{KEYS.master_key},master", token)
        engine = await seen(ENGINE)
        assert (engine["X-LC-Key"], engine["X-LC-Hook-Key"]) == (KEYS.app_key, KEYS.hook_key)
        assert "X-LC-Hook-Key" not in user


async def test_every_call_has_an_id_of_its_own_while_it_runs(tmp_path: Path) -> None:
    open_calls: list[int] = []

    def looks(_: Any) -> Any:
        open_calls.append(len(engine.ledger.calls))

    engine = FakeEngine({"f": looks})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/functions/f")
        await api("POST", "/1.1/functions/f")
        ids = [received.call_id for received in engine.received]
        assert None not in ids
        assert len(set(ids)) == 2
        assert open_calls == [1, 1]
        assert engine.ledger.calls == {}


@pytest.mark.parametrize(
    ("handler", "outcome", "status"),
    [
        (echo, "ok", 200),
        (lambda _: refuse("no", 400, 1), "rejected", 400),
        (lambda _: refuse("no", 500, 141), "failed", 500),
        (lambda _: reply([1], 418), "rejected", 418),
    ],
)
async def test_what_came_of_a_call_is_in_the_trace(
    handler: Handler, outcome: str, status: int, tmp_path: Path
) -> None:
    async with running_api(FakeEngine({"f": handler}), project=tmp_path) as api:
        answer = await api("POST", "/1.1/functions/f", {"a": 1})
        (root,) = api.emulator.log.traces()
        (step,) = root.children
        assert (step.kind, step.title, step.outcome, step.status) == (
            "function", "f", outcome, status,
        )  # fmt: skip
        assert (step.detail["params"], step.detail["answer"]) == ({"a": 1}, answer.json)
        assert (root.outcome, root.status) == (outcome, status)


async def test_a_name_that_was_meant_is_offered_in_the_trace(tmp_path: Path) -> None:
    async with running_api(FakeEngine({"averageStars": echo}), project=tmp_path) as api:
        await api("POST", "/1.1/functions/averagestars")
        (root,) = api.emulator.log.traces()
        hint = root.children[0].detail["error"]["hint"]["en"]
        assert "Did you mean 'averageStars'?" in hint


async def test_calls_at_the_same_time_do_not_wait_for_each_other(tmp_path: Path) -> None:
    both = asyncio.Barrier(2)

    async def meets(_: Any) -> Any:
        await both.wait()
        return {"result": "met"}

    async with running_api(FakeEngine({"f": meets}), project=tmp_path) as api:
        answers = await asyncio.gather(*(api("POST", "/1.1/functions/f") for _ in range(2)))
        assert [answer.json for answer in answers] == [{"result": "met"}] * 2


async def test_the_workbench_runs_functions_as_anybody(tmp_path: Path) -> None:
    async with running_api(FakeEngine({"f": echo}), project=tmp_path) as api:
        made = await api("POST", "/1.1/users", {"username": "ann", "password": "correct"})
        bench = api.emulator.workbench
        result = await bench.run_function("f", {"a": 1}, user="ann")
        assert (result.status, result.body) == (200, {"result": {"a": 1}})
        assert api.emulator.log.trace(result.trace) is not None
        (received,) = api.engine.received
        assert received.headers["X-LC-Session"] == made.json["sessionToken"]
        await bench.run_function("f", None, user=made.json["objectId"], master=True, rpc=True)
        assert api.engine.received[-1].target == "/1.1/call/f"
        assert api.engine.received[-1].headers["X-LC-Key"] == f"{KEYS.master_key},master"
        with pytest.raises(errors.ApiError) as caught:
            await bench.run_function("f", None, user="nobody")
        assert caught.value.code == 211


async def test_the_workbench_runs_hooks_alone_or_in_the_real_chain(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": lambda given: {**given["object"], "seen": True}})
    async with running_api(engine, project=tmp_path) as api:
        bench = api.emulator.workbench
        alone = await bench.run_hook("Post", "beforeSave", object={"n": 1})
        assert (alone.status, alone.body) == (200, {"n": 1, "seen": True})
        assert [remark.text.en for remark in alone.remarks] == ["This is what gets stored."]
        assert (await api("GET", "/1.1/classes/Post")).status == 404
        chain = await bench.run_hook("Post", "beforeSave", object={"n": 1}, chain=True)
        assert chain.status == 201
        assert chain.body == With({"n": 1, "seen": True})
        for word, text in (("onMoon", "There is no hook 'onMoon'"), ("afterSave", "object")):
            with pytest.raises(errors.ApiError, match=text):
                await bench.run_hook("Post", word, object=[1])
        with pytest.raises(errors.ApiError, match="Could not find object by id 'gone'"):
            await bench.run_hook("Post", "beforeDelete", object_id="gone")


async def test_the_real_chain_of_a_user_is_a_sign_up(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        bench = api.emulator.workbench
        user: dict[str, Json] = {"username": "ann", "password": "correct-horse"}
        made = await bench.run_hook("_User", "beforeSave", object=user, chain=True)
        assert made.status == 201
        assert isinstance(made.body, dict)
        stored = await api.emulator.storage.get("_User", str(made.body["objectId"]))
        assert stored is not None
        assert stored["password"] != "correct-horse"
        assert (await api("POST", "/1.1/login", user)).status == 200
        changed = await bench.run_hook(
            "_User", "beforeUpdate", object={"n": 1}, object_id=str(stored["objectId"]),
            user="ann", chain=True,
        )  # fmt: skip
        assert changed.body == With({"n": 1})
        refused = await bench.run_hook(
            "_User", "afterDelete", object_id=str(stored["objectId"]), chain=True
        )
        assert (refused.status, refused.body) == (400, error(206))
        gone = await bench.run_hook(
            "_User", "afterDelete", object_id=str(stored["objectId"]), user="ann", chain=True
        )
        assert (gone.status, gone.body) == (200, {})


async def test_a_text_with_the_reason_reaches_the_client(tmp_path: Path) -> None:
    engine = FakeEngine({"f": lambda _: refuse("no")})
    engine.broken("NameError: name 'x' is not defined", ever_ready=False)
    async with running_api(engine, project=tmp_path) as api:
        answer = await api("POST", "/1.1/functions/f")
        assert (answer.status, answer.json) == (
            500,
            error(141, text_with("NameError: name 'x' is not defined")),
        )
