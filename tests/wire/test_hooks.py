"""Which hooks fire on which write, with what, and what their answers do (engine.md 2.7, 4)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base import errors
from lean_emulator.base.signing import hook_mark
from tests.support.api import CLIENT, ENGINE, KEYS, MASTER, running_api
from tests.support.fake_engine import EngineReply, FakeEngine, Handler, refuse, reply
from tests.support.matchers import ANY_DATE, ANY_ID, With, error, text_with
from tests.support.scenario import Id, Scenario, Sent, SignedUp, Stored, run

WORDS = ("beforeSave", "afterSave", "beforeUpdate", "afterUpdate", "beforeDelete", "afterDelete")
PUBLIC = {"*": {"read": True, "write": True}}
PREFIX = "Cloud Code validation failed. Error detail : "


def agrees(given: dict[str, Any]) -> Any:
    """What the Python SDK answers when a hook returns: the object itself."""
    return given["object"]


ALL = {f"Post.{word}": agrees for word in WORDS}
POST = Stored("post", "Post", {"n": 1})
CREATE = Sent("POST", "/1.1/classes/Post", {"n": 1})
UPDATE = Sent("PUT", "/1.1/classes/Post/{post}", {"n": 2})
DELETE = Sent("DELETE", "/1.1/classes/Post/{post}")


def fires(name: str, request: Sent, *hooks: str, status: int = 200, **more: Any) -> Scenario:
    counted = {**{f"Post.{hook}": 1 for hook in hooks}, "*": 0}
    return Scenario(name, request, status, setup=[POST], engine=ALL, hooks=counted, **more)


def asking(request: Sent, ignored: Any, headers: dict[str, str] | None) -> Sent:
    body = {**(request.body or {}), "__ignore_hooks": ignored}
    return Sent(request.method, request.path, body, headers=headers)


BEFORES = ["beforeSave", "beforeUpdate", "beforeDelete"]
AFTERS = ["afterSave", "afterUpdate", "afterDelete"]
SAVES, UPDATES, DELETES = ("beforeSave", "afterSave"), ("beforeUpdate", "afterUpdate"), (
    "beforeDelete", "afterDelete")  # fmt: skip
FIRING = [
    fires("create", CREATE, *SAVES, status=201),
    fires("update", UPDATE, *UPDATES),
    fires("delete", DELETE, *DELETES),
    fires("create by master", Sent("POST", CREATE.path, {}, headers=MASTER), *SAVES, status=201),
    fires("get", Sent("GET", "/1.1/classes/Post/{post}")),
    fires("query", Sent("GET", "/1.1/classes/Post")),
    fires("another class", Sent("POST", "/1.1/classes/Other", {}), status=201),
    fires("update of nothing", Sent("PUT", "/1.1/classes/Post/123", {"n": 1}), status=400),
    fires("delete of nothing", Sent("DELETE", "/1.1/classes/Post/123")),
    fires("what is malformed", Sent("POST", "/1.1/classes/Post", {"a.b": 1}), status=400),
    fires("another type", Sent("POST", "/1.1/classes/Post", {"n": "x"}), status=400),
    fires("a condition that does not hold",
          Sent("PUT", UPDATE.path, {"n": 2}, params={"where": {"n": 9}}), status=400),
    fires("delete on a condition that does not hold",
          Sent("DELETE", DELETE.path, params={"where": {"n": 9}}), status=400),
    Scenario("an update that the ACL forbids", UPDATE, 403, engine=ALL,
             setup=[Stored("post", "Post", {"n": 1, "ACL": {}})]),
    Scenario("several deletes", Sent("DELETE", "/1.1/classes/Post/{post},{other},123"), 200, {},
             setup=[POST, Stored("other", "Post")], engine=ALL,
             hooks={"Post.beforeDelete": 2, "Post.afterDelete": 2, "*": 0}),
    Scenario("_Installation never", Sent("POST", "/1.1/classes/_Installation", {}), 201,
             engine={"_Installation.beforeSave": agrees, "_Installation.afterSave": agrees}),
    Scenario("sign-up", Sent("POST", "/1.1/users", {"username": "x", "password": "y"}), 201,
             engine={f"_User.{word}": agrees for word in WORDS},
             hooks={"_User.beforeSave": 1, "_User.afterSave": 1, "*": 0}),
    Scenario("update of a user", Sent("PUT", "/1.1/users/{ann}", {"n": 1}, headers=MASTER), 200,
             setup=[SignedUp("ann")], engine={f"_User.{word}": agrees for word in WORDS},
             hooks={"_User.beforeUpdate": 1, "_User.afterUpdate": 1, "*": 0}),
]  # fmt: skip

IGNORING = [
    fires("engine: before hooks", asking(CREATE, BEFORES, ENGINE), "afterSave", status=201),
    fires("engine: after hooks", asking(CREATE, AFTERS, ENGINE), "beforeSave", status=201),
    fires("engine: each name on its own", asking(CREATE, ["afterSave"], ENGINE), "beforeSave",
          status=201),
    fires("engine: after hooks of an update", asking(UPDATE, AFTERS, ENGINE), "beforeUpdate"),
    fires("engine: all of a delete", asking(DELETE, BEFORES + AFTERS, ENGINE)),
    fires("engine: names of other hooks", asking(UPDATE, ["beforeSave", "afterDelete"], ENGINE),
          *UPDATES),
    fires("engine: unknown names", asking(UPDATE, ["onLogin", 5, None], ENGINE), *UPDATES),
    fires("engine: no list", asking(UPDATE, "afterUpdate", ENGINE), *UPDATES),
    fires("engine: nothing asked", Sent("PUT", UPDATE.path, {"n": 2}, headers=ENGINE), *UPDATES),
    fires("master key", asking(UPDATE, BEFORES + AFTERS, MASTER)),
    fires("a client's wish", asking(UPDATE, BEFORES + AFTERS, None), *UPDATES),
    fires("a wrong hook key", asking(UPDATE, BEFORES, {**CLIENT, "X-LC-Hook-Key": "x"}), *UPDATES),
    fires("a client's wish on delete", asking(DELETE, BEFORES + AFTERS, None), *DELETES),
]  # fmt: skip

NOW = 1_700_000_000_000
BEFORE_MARK = hook_mark(KEYS.master_key, "__before_for_Post", NOW)
AFTER_MARK = hook_mark(KEYS.master_key, "__after_for_Post", NOW)
JAVA_MARK = hook_mark(KEYS.master_key, "__before_update_for_Post", NOW)


def marked(**marks: Any) -> Sent:
    return Sent("PUT", UPDATE.path, {"n": 2, **marks})


MARKS = [
    fires("mark: before", marked(__before=BEFORE_MARK), "afterUpdate"),
    fires("mark: after", marked(__after=AFTER_MARK), "beforeUpdate"),
    fires("mark: both", marked(__before=BEFORE_MARK, __after=AFTER_MARK)),
    fires("mark: by the hook's own name", marked(__before=JAVA_MARK), "afterUpdate"),
    fires("mark: of another class",
          marked(__before=hook_mark(KEYS.master_key, "__before_for_Other", NOW)), *UPDATES),
    fires("mark: with another key", marked(__before=hook_mark("x", "__before_for_Post", NOW)),
          *UPDATES),
    fires("mark: of the first generation", marked(__before=NOW, __after="1"), *UPDATES),
    fires("mark: before as after", marked(__after=BEFORE_MARK), *UPDATES),
]  # fmt: skip


def saves(
    name: str, handler: Handler, stored: Any, *, status: int = 201, answer: Any = None,
    body: Any = None, hooks: int = 1,
) -> Scenario:  # fmt: skip
    """A create through one beforeSave; ``stored`` is what the whole object is then."""
    whole = {"objectId": ANY_ID, "createdAt": ANY_DATE, "updatedAt": ANY_DATE, **(stored or {})}
    return Scenario(
        f"beforeSave: {name}",
        Sent("POST", "/1.1/classes/Post", body or {"n": 1}, params={"new": "true"}),
        status,
        answer or whole,
        engine={"Post.beforeSave": handler},
        hooks={"Post.beforeSave": hooks, "*": 0},
    )


def answering(value: Any, status: int = 200) -> Handler:
    return lambda _: reply(value, status)


def raw(body: bytes, status: int = 200) -> Handler:
    return lambda _: EngineReply(status, body)


DATE = {"__type": "Date", "iso": "2020-01-01T08:00:00+08:00"}
UTC = {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"}
FULL = {"__type": "Object", "className": "A", "objectId": "a1", "x": 1}
REPLACING = [
    saves("the answer replaces the object", answering({"n": 5, "m": "x"}), {"n": 5, "m": "x"}),
    saves("what it leaves out is gone", answering({"more": 1}), {"more": 1}),
    saves("its types are checked and brought into form", answering({"d": DATE, "p": FULL}),
          {"d": UTC, "p": {"__type": "Pointer", "className": "A", "objectId": "a1"}}),
    saves("nulls are kept", answering({"n": None}), {"n": None}),
    saves("operations apply to nothing", answering(
        {"n": {"__op": "Increment", "amount": 2}, "l": {"__op": "Add", "objects": [1]},
         "gone": {"__op": "Delete"}}), {"n": 2, "l": [1]}),
    saves("marks and automatic fields are dropped", answering(
        {"n": 1, "__before": "1,x", "__after": "x", "__ignore_hooks": ["afterSave"],
         "_updatedKeys": ["n"], "__sign": "x", "objectId": "mine", "createdAt": "x",
         "updatedAt": UTC, "__type": "Object", "className": "Post"}), {"n": 1}),
    saves("empty body", raw(b""), {"n": 1}),
    saves("null", answering(None), {"n": 1}),
    saves("a list", answering([1]), {"n": 1}),
    saves("what is no JSON", raw(b"<html>"), {"n": 1}),
    saves("the answer of an after hook", answering({"result": "ok"}), {"n": 1}),
    saves("another result is a field", answering({"result": "fine"}), {"result": "fine"}),
    saves("the request itself", lambda given: {**given, "object": {**given["object"], "m": 2}},
          {"n": 1, "m": 2}),
    saves("an object alone", answering({"object": {"n": 7}}), {"n": 7}),
    saves("a field called object beside others", answering({"object": {"a": 1}, "n": 3}),
          {"object": {"a": 1}, "n": 3}),
    saves("status 204", raw(b"", 204), {"n": 1}),
    saves("a field name that cannot be", answering({"a b": 1}), None, status=400,
          answer=error(105)),
    saves("a malformed pointer", answering({"p": {"__type": "Pointer"}}), None, status=400,
          answer=error(106)),
    saves("an unknown operation", answering({"p": {"__op": "Nope"}}), None, status=400,
          answer=error(1)),
    saves("a malformed ACL", answering({"ACL": {"*": "rw"}}), None, status=400, answer=error(123)),
    saves("an ACL", answering({"n": 1, "ACL": {"*": {"read": True}}}), {"n": 1}),
    saves("a refusal", lambda _: refuse("no"), None, status=400, answer=error(142, PREFIX + "no")),
    saves("a refusal with code and status", lambda _: refuse("no", 422, 77), None, status=400,
          answer=error(142, PREFIX + "no")),
    saves("an exception", lambda _: refuse("Cloud Code script had an error.", 500, 141), None,
          status=400, answer=error(142, PREFIX + "Cloud Code script had an error.")),
    saves("a refusal in other letters", lambda _: refuse("不行 ≠ \"ok\""), None, status=400,
          answer=error(142, PREFIX + "不行 ≠ \"ok\"")),
    saves("a refusal that is no JSON", raw(b"Bad Gateway", 502), None, status=400,
          answer=error(142, PREFIX + "Bad Gateway")),
    saves("a refusal without a word", raw(b"", 500), None, status=400,
          answer=error(142, PREFIX + "HTTP 500")),
    saves("a redirect", raw(b"", 302), None, status=400, answer=error(142, PREFIX + "HTTP 302")),
]  # fmt: skip

STORED = {"ACL": PUBLIC, "objectId": Id("post"), "createdAt": ANY_DATE, "updatedAt": ANY_DATE}
EFFECTS = [
    Scenario("beforeUpdate cannot change the object", UPDATE, 200,
             {"objectId": Id("post"), "updatedAt": ANY_DATE}, setup=[POST],
             engine={"Post.beforeUpdate": answering({"n": 99, "more": 1})},
             hooks={"Post.beforeUpdate": 1, "*": 0}, after={"post": {**STORED, "n": 2}}),
    Scenario("beforeUpdate refuses", UPDATE, 400, error(142, PREFIX + "too long"), setup=[POST],
             engine={"Post.beforeUpdate": lambda _: refuse("too long"), "Post.afterUpdate": agrees},
             hooks={"Post.beforeUpdate": 1, "*": 0}, after={"post": {**STORED, "n": 1}}),
    Scenario("beforeUpdate answers nothing", UPDATE, 200, setup=[POST],
             engine={"Post.beforeUpdate": raw(b"")}, hooks={"Post.beforeUpdate": 1, "*": 0},
             after={"post": {**STORED, "n": 2}}),
    Scenario("beforeDelete refuses", DELETE, 400, error(142, PREFIX + "has photos"), setup=[POST],
             engine={"Post.beforeDelete": lambda _: refuse("has photos"),
                     "Post.afterDelete": agrees},
             hooks={"Post.beforeDelete": 1, "*": 0}, after={"post": {**STORED, "n": 1}}),
    Scenario("beforeDelete answers HTML", DELETE, 200, {}, setup=[POST],
             engine={"Post.beforeDelete": raw(b"<html>")}, hooks={"Post.beforeDelete": 1, "*": 0},
             after={"post": None}),
    Scenario("the first refusal ends a list of deletes",
             Sent("DELETE", "/1.1/classes/Post/{first},{post},{last}"), 400,
             error(142, PREFIX + "mine"),
             setup=[Stored("first", "Post", {"n": 0}), POST, Stored("last", "Post", {"n": 2})],
             engine={"Post.beforeDelete": lambda given: (
                 refuse("mine") if given["object"]["n"] == 1 else {})},
             hooks={"Post.beforeDelete": 2, "*": 0},
             after={"first": None, "post": {**STORED, "n": 1},
                    "last": {**STORED, "n": 2, "objectId": Id("last")}}),
    Scenario("after hooks change nothing", UPDATE, 200, setup=[POST],
             engine={"Post.afterUpdate": answering({"n": 99})},
             hooks={"Post.afterUpdate": 1, "*": 0}, after={"post": {**STORED, "n": 2}}),
    Scenario("after hooks may fail", UPDATE, 200, setup=[POST],
             engine={"Post.afterUpdate": lambda _: refuse("boom", 500, 141)},
             hooks={"Post.afterUpdate": 1, "*": 0}, after={"post": {**STORED, "n": 2}}),
    Scenario("a password of another class is a field like any other",
             Sent("POST", "/1.1/classes/Wifi", {"password": "a", "salt": "b", "sessionToken": "c"},
                  params={"new": "true"}), 201,
             With({"password": "A", "salt": "B", "sessionToken": "C"}),
             engine={"Wifi.beforeSave": lambda given: {
                 name: value.upper() for name, value in given["object"].items()}},
             hooks={"Wifi.beforeSave": 1, "*": 0}),
]  # fmt: skip


@pytest.mark.parametrize("scenario", [*FIRING, *IGNORING, *MARKS, *REPLACING, *EFFECTS], ids=str)
async def test_hooks(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


async def never(_: dict[str, Any]) -> Any:
    await asyncio.Event().wait()


LATE = {"before_hook_seconds": 0.02, "after_hook_seconds": 0.02}
BROKEN = [
    Scenario("a before hook that takes too long", CREATE, 400,
             error(141, "LeanEngine request timeout. className: Post, hook: beforeSave"),
             engine={"Post.beforeSave": never}, hooks={"Post.beforeSave": 1, "*": 0},
             settings=LATE),
    Scenario("an after hook that takes too long", UPDATE, 200, setup=[POST],
             engine={"Post.afterUpdate": never}, hooks={"Post.afterUpdate": 1, "*": 0},
             settings=LATE, after={"post": {**STORED, "n": 2}}),
    Scenario("a delete whose hook takes too long", DELETE, 400,
             error(141, text_with("hook: beforeDelete")), setup=[POST],
             engine={"Post.beforeDelete": never}, hooks={"Post.beforeDelete": 1, "*": 0},
             settings=LATE, after={"post": {**STORED, "n": 1}}),
]  # fmt: skip


@pytest.mark.parametrize("scenario", BROKEN, ids=str)
async def test_late_hooks(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


async def test_what_a_before_save_is_given(tmp_path: Path) -> None:
    async with running_api(FakeEngine({"Post.beforeSave": agrees}), project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {"n": {"__op": "Increment"}, "__before": "1,x"})
        (received,) = api.engine.received
        assert received.target == "/1.1/functions/Post/beforeSave"
        assert received.json == {"object": {"n": 1}, "user": None}
        assert received.headers == {
            "X-LC-Id": KEYS.app_id,
            "X-LC-Key": KEYS.app_key,
            "X-LC-Hook-Key": KEYS.hook_key,
            "X-LC-Prod": "1",
            "X-Real-IP": "127.0.0.1",
            "Forwarded": "for=127.0.0.1;proto=http",
            "Content-Type": "application/json",
        }


async def test_what_the_other_hooks_are_given(tmp_path: Path) -> None:
    async with running_api(FakeEngine(ALL), project=tmp_path) as api:
        made = await api("POST", "/1.1/classes/Post", {"n": 1, "o": {"p": 1}})
        post = {"n": 1, "o": {"p": 1}, "ACL": PUBLIC, "objectId": made.json["objectId"]}
        times = {"createdAt": ANY_DATE, "updatedAt": ANY_DATE}
        await api.settle()
        path = f"/1.1/classes/Post/{made.json['objectId']}"
        await api("PUT", path, {"o.p": 5, "n": {"__op": "Increment"}, "updatedAt": "x"})
        await api.settle()
        await api("DELETE", path)
        await api.settle()
        changed = {**post, **times, "n": 2, "o": {"p": 5}}
        keys = {"_updatedKeys": ["o.p", "n"]}
        assert [(r.target.rpartition("/")[2], r.json["object"]) for r in api.engine.received] == [
            ("beforeSave", {"n": 1, "o": {"p": 1}}),
            ("afterSave", {**post, **times}),
            ("beforeUpdate", {**changed, **keys}),
            ("afterUpdate", {**changed, **keys}),
            ("beforeDelete", changed),
            ("afterDelete", changed),
        ]


async def test_who_is_user_in_a_hook(tmp_path: Path) -> None:
    async with running_api(FakeEngine({"Post.beforeSave": agrees}), project=tmp_path) as api:
        made = await api("POST", "/1.1/users", {"username": "ann", "password": "correct"})
        token = made.json["sessionToken"]
        for headers in (
            CLIENT,
            MASTER,
            {**CLIENT, "X-LC-Session": "0" * 25},
            {**CLIENT, "X-LC-Session": token},
            {**MASTER, "X-LC-Session": token},
        ):
            await api("POST", "/1.1/classes/Post", {}, headers=headers)
        users = [received.json["user"] for received in api.engine.received]
        ann = With(
            {"username": "ann", "objectId": made.json["objectId"], "sessionToken": token},
            without=("password", "salt"),
        )
        assert users == [None, None, None, ann, ann]
        assert not any("X-LC-Session" in received.headers for received in api.engine.received)


async def test_a_hook_never_sees_passwords_and_cannot_lose_them(tmp_path: Path) -> None:
    engine = FakeEngine({"_User.beforeSave": lambda _: {"username": "ann", "level": 1}})
    async with running_api(engine, project=tmp_path) as api:
        made = await api("POST", "/1.1/users", {"username": "x", "password": "correct", "a": 1})
        (received,) = engine.received
        assert "password" not in received.json["object"]
        assert "salt" not in received.json["object"]
        assert received.json["object"]["emailVerified"] is False
        assert made.json == With({"username": "ann", "level": 1}, without=("a",))
        login = await api("POST", "/1.1/login", {"username": "ann", "password": "correct"})
        assert login.json["sessionToken"] == made.json["sessionToken"]


async def test_staging_reaches_the_hook(tmp_path: Path) -> None:
    async with running_api(FakeEngine({"Post.beforeSave": agrees}), project=tmp_path) as api:
        for prod in ("0", "false", "1", "2"):
            await api("POST", "/1.1/classes/Post", {}, headers={**CLIENT, "X-LC-Prod": prod})
        assert [r.headers["X-LC-Prod"] for r in api.engine.received] == ["0", "0", "1", "1"]


async def test_after_hooks_do_not_hold_the_answer(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def waits(_: dict[str, Any]) -> Any:
        await gate.wait()
        return {"result": "ok"}

    async with running_api(FakeEngine({"Post.afterSave": waits}), project=tmp_path) as api:
        answer = await api("POST", "/1.1/classes/Post", {"n": 1})
        assert answer.status == 201
        info = await api("GET", "/__emu/info", headers=MASTER)
        assert info.json["runningAfterHooks"] == 1
        settling = asyncio.create_task(api("POST", "/__emu/settle", headers=MASTER))
        await asyncio.wait({settling}, timeout=0.02)
        assert not settling.done()
        gate.set()
        assert (await settling).status == 200
        assert api.emulator.hooks.running == 0


async def test_after_hooks_are_awaited_when_told_so(tmp_path: Path) -> None:
    ended: list[str] = []

    async def waits(_: dict[str, Any]) -> Any:
        await asyncio.sleep(0)
        ended.append("afterSave")

    engine = FakeEngine({"Post.afterSave": waits})
    async with running_api(engine, project=tmp_path, after_hooks="await") as api:
        await api("POST", "/1.1/classes/Post", {"n": 1})
        assert ended == ["afterSave"]


async def test_stopping_gives_up_on_after_hooks(tmp_path: Path) -> None:
    async with running_api(FakeEngine({"Post.afterSave": never}), project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {"n": 1})
        assert api.emulator.hooks.running == 1
    assert api.emulator.hooks.running == 0
    (root,) = api.emulator.log.traces()
    assert root.children[-1].outcome == "failed"


async def test_code_that_never_loaded_stops_every_write(tmp_path: Path) -> None:
    async with running_api(FakeEngine(ALL), project=tmp_path) as api:
        post = await api.create("Other", n=1)
        api.engine.broken("NameError: name 'x' is not defined", ever_ready=False)
        refusal = error(
            142, PREFIX + "the cloud code did not load: NameError: name 'x' is not defined"
        )
        for method, path in (
            ("POST", "/1.1/classes/Post"),
            ("PUT", f"/1.1/classes/Other/{post}"),
            ("DELETE", f"/1.1/classes/Other/{post}"),
        ):
            answer = await api(method, path, {})
            assert (answer.status, answer.json) == (400, refusal)
        assert (await api.read("Other", post))["n"] == 1


async def test_code_that_broke_later_stops_hooked_writes_only(tmp_path: Path) -> None:
    async with running_api(FakeEngine(ALL), project=tmp_path) as api:
        api.engine.broken("SyntaxError: invalid syntax", ever_ready=True)
        hooked = await api("POST", "/1.1/classes/Post", {})
        assert (hooked.status, hooked.json) == (
            400,
            error(142, PREFIX + "cloud.py did not load: SyntaxError: invalid syntax"),
        )
        assert (await api("POST", "/1.1/classes/Other", {})).status == 201
        function = await api("POST", "/1.1/functions/hello")
        assert (function.status, function.json) == (
            500,
            error(141, "cloud.py did not load: SyntaxError: invalid syntax"),
        )
        api.engine.state = "ready"
        assert (await api("POST", "/1.1/classes/Post", {})).status == 201


async def test_an_engine_that_is_gone(tmp_path: Path) -> None:
    def gone(_: dict[str, Any]) -> Any:
        raise errors.ENGINE_GONE("The process ended while it was working on this.")

    engine = FakeEngine({"Post.beforeSave": gone, "Other.afterSave": gone, "hello": gone})
    async with running_api(engine, project=tmp_path) as api:
        hooked = await api("POST", "/1.1/classes/Post", {})
        assert (hooked.status, hooked.json) == (
            400,
            error(142, PREFIX + "The process ended while it was working on this."),
        )
        assert (await api("POST", "/1.1/classes/Other", {})).status == 201
        await api.settle()
        assert (await api("POST", "/1.1/functions/hello")).status == 502
        other = api.emulator.log.traces()[1]
        assert other.children[-1].outcome == "failed"


async def test_a_hook_can_be_called_by_hand_with_the_hook_key(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeUpdate": agrees, "Post.beforeSave": lambda _: refuse("no")})
    async with running_api(engine, project=tmp_path) as api:
        body = {"object": {"n": 1, "_updatedKeys": ["n"]}}
        path = "/1.1/functions/Post/beforeUpdate"
        for headers in (CLIENT, MASTER, {**CLIENT, "X-LC-Hook-Key": "wrong"}):
            assert (await api("POST", path, body, headers=headers)).status == 401
        assert engine.received == []
        answer = await api("POST", path, body, headers=ENGINE)
        assert (answer.status, answer.json) == (200, {"n": 1, "_updatedKeys": ["n"]})
        refused = await api("POST", "/1.1/functions/Post/beforeSave", {}, headers=ENGINE)
        assert (refused.status, refused.json) == (400, error(400, "no"))
        unknown = await api("POST", "/1.1/functions/Post/onMoon", {}, headers=ENGINE)
        assert (unknown.status, unknown.json) == (404, error(404, "There is no hook 'onMoon'."))
        assert (await api("GET", "/1.1/classes/Post")).status == 404
