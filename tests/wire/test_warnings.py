"""What a trace warns of: what passes here and fails or vanishes in the cloud (engine.md 2–4)."""

from pathlib import Path
from typing import Any

import pytest

from lean_emulator.cli.trace_text import lines
from lean_emulator.cli.traffic import Traffic
from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.code_client import Ask, Code, or_refuse
from tests.support.fake_engine import EngineReply, FakeEngine, Handler, refuse, reply
from tests.wire.test_chains import running_code

FILE = {"__type": "File", "id": "f1", "name": "a.png", "url": "http://127.0.0.1/a.png"}
POINTER = {"__type": "Pointer", "className": "Movie", "objectId": "m1"}
DATE = {"__type": "Date", "iso": "2026-11-20T00:00:00.000Z"}


def agrees(given: dict[str, Any]) -> Any:
    return given["object"]


async def last(api: Api) -> Any:
    await api.settle()
    return (await api("GET", "/__emu/traces/last", headers=MASTER)).json


def warned(node: Any) -> list[str]:
    """The kinds of all warnings below a step, outermost first."""
    own = [warning["kind"] for warning in node.get("warnings", [])]
    return own + [kind for child in node["children"] for kind in warned(child)]


def answering(change: Any) -> Handler:
    return lambda given: {**given["object"], **change}


@pytest.mark.parametrize(
    ("name", "handler", "kinds"),
    [
        ("nothing", agrees, []),
        ("a field", answering({"n": 9}), ["edits_vanish"]),
        ("a new field", answering({"extra": 1}), ["edits_vanish"]),
        ("a field unset", lambda g: {k: v for k, v in g["object"].items() if k != "n"},
         ["edits_vanish"]),
        ("marks and automatic fields", answering({"__before": "x", "updatedAt": DATE}), []),
        ("what is null", answering({"nothing": None}), []),
        ("a pointer in other words", answering({"movie": {**POINTER, "title": "x"}}), []),
        ("another pointer", answering({"movie": {**POINTER, "objectId": "m2"}}), ["edits_vanish"]),
        ("a file in other words", answering({"files": [{"__type": "File", "id": "f1"}]}), []),
        ("no object", lambda _: {"result": "ok"}, []),
        ("an echo of the request", lambda given: given, []),
    ],
)  # fmt: skip
async def test_edits_in_before_update_vanish(
    name: str, handler: Handler, kinds: list[str], tmp_path: Path
) -> None:
    async with running_api(FakeEngine({"Post.beforeUpdate": handler}), project=tmp_path) as api:
        post = await api.create("Post", n=1, movie=POINTER, files=[FILE], at=DATE)
        await api("PUT", f"/1.1/classes/Post/{post}", {"n": 2})
        root = await last(api)
        assert warned(root) == kinds
        assert (await api.read("Post", post))["n"] == 2


async def test_the_edited_fields_are_named_in_both_languages(tmp_path: Path) -> None:
    edits = {f"field{n:02}": n for n in range(12)}
    engine = FakeEngine({"Post.beforeUpdate": answering(edits)})
    async with running_api(engine, project=tmp_path) as api:
        post = await api.create("Post", n=1)
        await api("PUT", f"/1.1/classes/Post/{post}", {"n": 2})
        (warning,) = (await last(api))["children"][0]["warnings"]
        for text in (warning["en"], warning["zh"]):
            assert "field00, field01" in text
            assert "field07, …" in text
            assert "field08" not in text


async def test_a_users_password_is_no_edit(tmp_path: Path) -> None:
    engine = FakeEngine({"_User.beforeUpdate": agrees})
    async with running_api(engine, project=tmp_path) as api:
        made = await api("POST", "/1.1/users", {"username": "ann", "password": "correct"})
        path = f"/1.1/users/{made.json['objectId']}"
        assert (await api("PUT", path, {"n": 2}, headers=MASTER)).status == 200
        root = await last(api)
        assert engine.fired() == ["_User.beforeUpdate"]
        assert warned(root) == []


@pytest.mark.parametrize("status", [400, 500])
async def test_an_after_hook_that_fails_is_seen_by_nobody(status: int, tmp_path: Path) -> None:
    engine = FakeEngine({"Post.afterSave": lambda _: refuse("no", status)})
    async with running_api(engine, project=tmp_path) as api:
        answer = await api("POST", "/1.1/classes/Post", {})
        assert answer.status == 201
        assert warned(await last(api)) == ["after_failed"]


async def test_hooks_of_accounts_are_watched_too(tmp_path: Path) -> None:
    def thinks(_: dict[str, Any]) -> Any:
        api.clock.advance(4.0)
        return {"result": "ok"}

    engine = FakeEngine({"_User.onLogin": thinks})
    async with running_api(engine, project=tmp_path) as api:
        account = {"username": "ann", "password": "correct"}
        await api("POST", "/1.1/users", account)
        assert (await api("POST", "/1.1/login", account)).status == 200
        assert warned(await last(api)) == ["slow_before"]


async def test_a_before_hook_that_refuses_is_no_warning(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": lambda _: refuse("no")})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {})
        assert warned(await last(api)) == []


@pytest.mark.parametrize(
    ("hook", "seconds", "kinds"),
    [
        ("Post.beforeSave", 2.9, []),
        ("Post.beforeSave", 3.1, ["slow_before"]),
        ("Post.beforeSave", 10.1, ["over_time"]),
        ("Post.afterSave", 2.9, []),
        ("Post.afterSave", 3.1, ["over_time"]),
        ("slow", 14.9, []),
        ("slow", 15.1, ["over_time"]),
    ],
)
async def test_hooks_and_functions_that_take_long(
    hook: str, seconds: float, kinds: list[str], tmp_path: Path
) -> None:
    def takes(given: dict[str, Any]) -> Any:
        api.clock.advance(seconds)
        return given.get("object", {"result": 1})

    settings = {"before_hook_seconds": 60.0, "after_hook_seconds": 60.0, "function_seconds": 60.0}
    async with running_api(FakeEngine({hook: takes}), project=tmp_path, **settings) as api:
        path = "/1.1/functions/slow" if hook == "slow" else "/1.1/classes/Post"
        await api("POST", path, {})
        assert warned(await last(api)) == kinds


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        (EngineReply(200, b"<html>"), ["not_json"]),
        (EngineReply(200, b""), []),
        (reply({"result": "ok"}), ["no_object"]),
        (reply([1]), ["no_object"]),
        (reply(None), ["no_object"]),
        (reply({}), ["no_object"]),
        (reply({"n": 1}), []),
        (reply({"object": {"n": 1}, "user": None}), []),
    ],
)
async def test_a_before_save_that_answers_without_the_object(
    answer: EngineReply, kinds: list[str], tmp_path: Path
) -> None:
    async with running_api(
        FakeEngine({"Post.beforeSave": lambda _: answer}), project=tmp_path
    ) as api:
        made = await api("POST", "/1.1/classes/Post", {"n": 1})
        root = await last(api)
        assert warned(root) == kinds
        assert (await api.read("Post", made.json["objectId"]))["n"] == 1


@pytest.mark.parametrize(
    ("hook", "answer", "kinds"),
    [
        ("afterDelete", EngineReply(200, b""), []),
        ("beforeDelete", reply([]), []),
        ("beforeDelete", EngineReply(200, b"<html>"), ["not_json"]),
    ],
)
async def test_what_other_engines_answer_is_no_mistake(
    hook: str, answer: EngineReply, kinds: list[str], tmp_path: Path
) -> None:
    """Java answers after hooks with nothing, PHP answers beforeDelete with a list."""
    async with running_api(FakeEngine({f"Post.{hook}": lambda _: answer}), project=tmp_path) as api:
        post = await api.create("Post")
        await api("DELETE", f"/1.1/classes/Post/{post}")
        assert warned(await last(api)) == kinds


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (b'{"result": NaN}', ["not_json"]),
        (b"<html>", ["not_json"]),
        (b'{"result": null}', []),
        (b"", []),
    ],
)
async def test_a_function_whose_result_is_no_json(
    body: bytes, kinds: list[str], tmp_path: Path
) -> None:
    engine = FakeEngine({"f": lambda _: EngineReply(200, body)})
    async with running_api(engine, project=tmp_path) as api:
        answer = await api("POST", "/1.1/functions/f", {})
        assert answer.status == (500 if kinds else 200)
        assert warned(await last(api)) == kinds


async def test_a_function_that_returns_an_object_of_the_sdk(tmp_path: Path) -> None:
    def returns(_: dict[str, Any]) -> Any:
        span = api.emulator.log.traces()[0].children[0]
        text = "TypeError: Object of type Review is not JSON serializable"
        api.emulator.log.printed(span, "stderr", text)
        return refuse("Cloud Code script had an error.", 500, 141)

    async with running_api(FakeEngine({"f": returns}), project=tmp_path) as api:
        await api("POST", "/1.1/functions/f", {})
        assert warned(await last(api)) == ["not_serializable"]


async def test_a_request_of_the_code_without_the_hook_key(tmp_path: Path) -> None:
    async def stranger(given: dict[str, Any], ask: Ask) -> Any:
        headers = {**CLIENT, "X-Lean-Emu-Call": api.engine.received[-1].call_id or ""}
        body = {"__ignore_hooks": ["beforeSave"]}
        answer = await api("POST", "/1.1/classes/Log", body, headers=headers)
        return or_refuse(answer, given["object"])

    code: dict[str, Code] = {"Post.beforeSave": stranger}
    async with running_code(tmp_path, code) as api:
        await api("POST", "/1.1/classes/Post", {})
        root = await last(api)
        assert root["title"] == "POST /1.1/classes/Log"
        assert warned(root) == ["keyless"]
        assert "from the code of beforeSave Post without the hook key" in root["warnings"][0]["en"]
        await api("POST", "/1.1/classes/Log", {}, headers={**CLIENT, "X-Lean-Emu-Call": "c-none"})
        assert warned(await last(api)) == []


@pytest.mark.parametrize("headers", [CLIENT, MASTER], ids=["app key", "master key"])
async def test_a_hook_that_is_called_without_the_hook_key(
    headers: dict[str, str], tmp_path: Path
) -> None:
    engine = FakeEngine({"Post.beforeSave": agrees})
    async with running_api(engine, project=tmp_path) as api:
        body = {"object": {"n": 1}}
        answer = await api("POST", "/1.1/functions/Post/beforeSave", body, headers=headers)
        assert (answer.status, answer.json) == (401, {"code": 401, "error": "Unauthorized."})
        assert engine.received == []
        assert "lean-emu hook Post beforeSave" in (await last(api))["error"]["hint"]["en"]


async def test_warnings_are_counted_and_read_in_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAN_EMU_LANG", "en")
    engine = FakeEngine({"Post.beforeUpdate": answering({"n": 9})})
    async with running_api(engine, project=tmp_path) as api:
        post = await api.create("Post", n=1)
        traffic, told = Traffic(verbose=False), []
        for n in range(2):
            await api("PUT", f"/1.1/classes/Post/{post}", {"n": n})
            told += [*traffic.lines(api.emulator.log.traces()[0])]
        assert any(
            line.startswith("      ⚠ beforeUpdate changed n") for line in lines(await last(api))
        )
        about = [line for line in told if "⚠" in line]
        assert len(about) == 1, "once until the code is loaded again"
        assert about[0].startswith("  ⚠ beforeUpdate Post  beforeUpdate changed n of its object")
        reload = api.emulator.log.begin("reload", "cloud.py")
        api.emulator.log.end(reload)
        told = [*traffic.lines(reload)]
        await api("PUT", f"/1.1/classes/Post/{post}", {"n": 5})
        assert "⚠" in "".join(traffic.lines(api.emulator.log.traces()[0]))
