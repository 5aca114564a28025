"""One hook alone, asked for over ``/__emu``, and the newest trace."""

from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.signing import verify_hook_mark
from lean_emulator.model.hook_samples import SPECIAL_HOOKS, takes_user
from lean_emulator.model.special_hooks import SpecialHook
from tests.support.api import CLIENT, ENGINE, KEYS, MASTER, Api, running_api
from tests.support.fake_engine import FakeEngine, refuse
from tests.support.matchers import With, error


def engine() -> FakeEngine:
    return FakeEngine(
        {
            "Post.beforeSave": lambda given: {**given["object"], "slug": "x-y"},
            "Post.beforeUpdate": lambda _: refuse("Not now."),
            "Post.afterSave": lambda _: {"result": "ok"},
        }
    )


async def run_hook(api: Api, **wish: Any) -> Any:
    return await api("POST", "/__emu/run-hook", wish, headers=MASTER)


async def test_a_hook_alone_stores_nothing_and_fires_no_other(tmp_path: Path) -> None:
    fake = engine()
    async with running_api(fake, project=tmp_path) as api:
        ran = await run_hook(api, className="Post", hook="beforeSave", object={"title": "X"})
        assert ran.status == 200
        assert ran.json == With({"status": 200, "body": {"title": "X", "slug": "x-y"}})
        assert ran.json["tookMs"] >= 0
        assert [each.target for each in fake.received] == ["/1.1/functions/Post/beforeSave"]
        assert fake.received[0].json == {"object": {"title": "X"}, "user": None}
        classes = await api("GET", "/__emu/schemas", headers=MASTER)
        assert classes.json["results"] == {}
        shown = await api("GET", f"/__emu/traces/{ran.json['trace']}", headers=MASTER)
        assert shown.json == With({"kind": "hook", "after": {"title": "X", "slug": "x-y"}})


async def test_a_refusal_is_its_answer(tmp_path: Path) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        object_id = await api.create("Post", title="old", n=1)
        ran = await run_hook(
            api,
            className="Post",
            hook="beforeUpdate",
            objectId=object_id,
            object={"title": "new"},
            updatedKeys=["title"],
        )
        assert ran.status == 200
        assert ran.json == With({"status": 400, "body": {"code": 400, "error": "Not now."}})
        received = api.engine.received[-1].json["object"]
        assert received == With({"title": "new", "n": 1, "_updatedKeys": ["title"]})
        stored = await api("GET", f"/1.1/classes/Post/{object_id}")
        assert stored.json["title"] == "old"


async def test_it_acts_as_a_user(tmp_path: Path) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        signed_up = await api("POST", "/1.1/users", {"username": "alice", "password": "secret"})
        assert signed_up.status == 201
        for master, identity in ((False, "user"), (True, "master")):
            ran = await run_hook(
                api, className="Post", hook="beforeSave", object={}, user="alice", master=master
            )
            assert api.engine.received[-1].json["user"]["username"] == "alice"
            shown = await api("GET", f"/__emu/traces/{ran.json['trace']}", headers=MASTER)
            assert shown.json["identity"] == identity


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"hook": "beforSave", "className": "Post"}, "There is no hook 'beforSave'"),
        ({"hook": "beforeSave", "className": "1Post"}, "class"),
        ({"hook": "beforeSave", "className": "Post", "objectId": "gone"}, "find object"),
        ({"hook": "beforeSave", "className": "Post", "object": [1]}, "must be a JSON object"),
        ({"hook": "beforeUpdate", "className": "Post", "updatedKeys": "a"}, "list of names"),
        ({"hook": "beforeSave", "className": "Post", "user": "nobody"}, "find user"),
        ({}, "There is no hook ''"),
    ],
)
async def test_what_cannot_be_asked_calls_nothing(
    tmp_path: Path, wish: dict[str, Any], said: str
) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        refused = await run_hook(api, **wish)
        assert refused.status == 400
        assert said.lower() in refused.json["error"].lower()
        assert api.engine.received == []


@pytest.mark.parametrize("headers", [CLIENT, ENGINE, {**MASTER, "Origin": "http://127.0.0.1"}])
async def test_only_the_master_key_may_and_never_a_page(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        wish = {"className": "Post", "hook": "beforeSave", "object": {}}
        refused = await api("POST", "/__emu/run-hook", wish, headers=headers)
        assert refused.status >= 400
        assert "master" in refused.json["error"]
        assert api.engine.received == []


async def test_the_last_trace_is_the_newest_that_is_no_reload(tmp_path: Path) -> None:
    async with running_api(engine(), project=tmp_path) as api:
        nothing = await api("GET", "/__emu/traces/last", headers=MASTER)
        assert nothing.status == 404
        await api.create("Post", title="first")
        await api.create("Post", title="second")
        log = api.emulator.log
        log.end(log.begin("reload", "reload"))
        last = await api("GET", "/__emu/traces/last", headers=MASTER)
        assert last.json == With({"title": "POST /1.1/classes/Post"})
        assert last.json["body"] == With({"title": "second"})


async def test_the_traceback_of_broken_code_is_told_without_keys(tmp_path: Path) -> None:
    fake = engine()
    async with running_api(fake, project=tmp_path) as api:
        told = await api("GET", "/__emu/info", headers=MASTER)
        assert told.json["traceback"] is None
        fake.broken("NameError: x", ever_ready=True)
        assert fake.failure is not None
        fake.failure.traceback = "Traceback: key is master-key-0123456"
        told = await api("GET", "/__emu/info", headers=MASTER)
        assert told.json["traceback"].startswith("Traceback: key is ")
        assert "master-key-0123456" not in told.json["traceback"]


async def test_a_hook_that_belongs_to_no_write(tmp_path: Path) -> None:
    fake = FakeEngine({"_messageReceived": lambda _: {"result": {"drop": True, "cod": 1}}})
    async with running_api(fake, project=tmp_path) as api:
        ran = await run_hook(api, hook="_messageReceived", params={"fromPeer": "Tom"})
        assert ran.json == With({"status": 200, "body": {"result": {"drop": True, "cod": 1}}})
        effect, wrong = ran.json["remarks"]
        assert effect == With({"en": "Refused: the client gets error 4402.", "wrong": False})
        assert wrong == With({"wrong": True})
        (received,) = fake.received
        assert received.target == "/1.1/functions/_messageReceived"
        assert received.json == {"fromPeer": "Tom"}
        assert received.headers["X-LC-Hook-Key"] == KEYS.hook_key
        shown = await api("GET", f"/__emu/traces/{ran.json['trace']}", headers=MASTER)
        assert shown.json == With({"kind": "hook", "hook": "_messageReceived", "outcome": "ok"})


@pytest.mark.parametrize("hook", SPECIAL_HOOKS, ids=lambda hook: hook.title)
async def test_each_can_be_tried_with_its_sample(tmp_path: Path, hook: SpecialHook) -> None:
    name = ".".join(hook.path.split("/")[3:])
    fake = FakeEngine({name: lambda _: {"result": None}})
    wish = {"hook": hook.word, "className": hook.of or "", "user": "alice"}
    async with running_api(fake, project=tmp_path) as api:
        await api("POST", "/1.1/users", {"username": "alice", "password": "secret"})
        ran = await run_hook(api, **wish)
        assert ran.json == With({"status": 200, "body": {"result": None}})
        (received,) = fake.received
        assert received.target == hook.path
        assert received.json.get("object", {}).get("username") == (
            "alice" if takes_user(hook) else None
        )


@pytest.mark.parametrize("hook", SPECIAL_HOOKS, ids=lambda hook: hook.title)
async def test_old_engines_get_a_signed_mark_with_it(tmp_path: Path, hook: SpecialHook) -> None:
    fake = FakeEngine({".".join(hook.path.split("/")[3:]): lambda _: {}})
    fake.needs_marks = True
    async with running_api(fake, project=tmp_path) as api:
        wish = {"hook": hook.word, "className": hook.of or "", "params": {"objectId": "u"}}
        await run_hook(api, **wish)
        (received,) = fake.received
        marked = received.json["object"] if takes_user(hook) else received.json
        now, names = api.clock.now_ms(), (hook.metadata_name,)
        assert verify_hook_mark(KEYS.master_key, names, marked["__sign"], now)
        assert received.headers["X-LC-Hook-Key"] == KEYS.hook_key


async def test_a_login_hook_wants_a_user(tmp_path: Path) -> None:
    fake = FakeEngine({"_User.onLogin": lambda _: refuse("no")})
    async with running_api(fake, project=tmp_path) as api:
        ran = await run_hook(api, hook="onLogin")
        assert (ran.status, ran.json["error"]) == (
            400,
            "onLogin _User is about a user: name one, or give one by hand.",
        )
        by_hand = await run_hook(api, hook="onLogin", object={"username": "tom"})
        assert by_hand.json["status"] == 400
        assert by_hand.json["remarks"][0]["en"].startswith("The log-in is refused")
        assert fake.received[0].json == {"object": {"username": "tom"}}


@pytest.mark.parametrize("name", ["_messageReceived", "__on_login__User"])
async def test_clients_cannot_call_a_hook_as_a_function(tmp_path: Path, name: str) -> None:
    fake = FakeEngine({name: lambda _: {"result": "ok"}, "_own": lambda _: {"result": 1}})
    async with running_api(fake, project=tmp_path) as api:
        for path in (f"/1.1/functions/{name}", f"/1.1/call/{name}"):
            for headers in (CLIENT, MASTER, {**CLIENT, "X-LC-Hook-Key": "wrong"}):
                answer = await api("POST", path, {}, headers=headers)
                assert (answer.status, answer.json) == (401, error(401, "Unauthorized."))
        assert fake.received == []
        assert (await api("POST", f"/1.1/functions/{name}", {}, headers=ENGINE)).status == 200
        assert (await api("POST", "/1.1/functions/_own", {})).json == {"result": 1}


@pytest.mark.parametrize("path", ["_User/onLogin", "onVerified/sms", "BigQuery/onComplete"])
async def test_only_the_engine_calls_them_through_the_front_door(tmp_path: Path, path: str) -> None:
    fake = FakeEngine({path.replace("/", "."): lambda _: {"result": "ok"}})
    async with running_api(fake, project=tmp_path) as api:
        target, body = f"/1.1/functions/{path}", {"object": {"objectId": "1"}}
        assert (await api("POST", target, body)).status == 401
        answer = await api("POST", target, {**body, "__sign": "x"}, headers=ENGINE)
        assert (answer.status, answer.json) == (200, {"result": "ok"})
        assert fake.received[0].json == body
        assert (await api("POST", "/1.1/functions/_User/onFire", {}, headers=ENGINE)).status == 404
