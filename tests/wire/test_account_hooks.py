"""onLogin, onVerified and onAuthData: when they run, with what, what becomes of their answers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.deadline import Deadline
from lean_emulator.base.signing import hook_mark
from lean_emulator.model.access import ANONYMOUS
from lean_emulator.service.call import Call
from tests.support.api import KEYS, running_api
from tests.support.code_client import Ask, CodeClient, or_refuse
from tests.support.fake_engine import FakeEngine, Handler, refuse, reply
from tests.support.matchers import With, error
from tests.support.scenario import PASSWORD, Scenario, Sent, SignedUp, run

ANN = SignedUp("ann", {"email": "ann@example.com", "n": 1})
LOGIN = Sent("POST", "/1.1/login", {"username": "ann", "password": PASSWORD})
PREFIX = "Cloud Code validation failed. Error detail : "
FIRED = {"_User.onLogin": 1, "*": 0}


async def never(sent: dict[str, Any]) -> Any:
    await asyncio.Event().wait()


def logging_in(name: str, handler: Handler, status: int, body: Any, **more: Any) -> Scenario:
    return Scenario(
        f"onLogin that {name}",
        LOGIN,
        status,
        body,
        setup=[ANN],
        engine={"_User.onLogin": handler},
        hooks=FIRED,
        **more,
    )


def only_login(name: str, request: Sent, status: int) -> Scenario:
    """A request beside which onLogin is registered, and does not run."""
    handler: Handler = lambda sent: refuse("no")  # noqa: E731 - one line says it
    return Scenario(
        f"no onLogin: {name}", request, status, setup=[ANN], engine={"_User.onLogin": handler}
    )


LOGINS = [
    logging_in("agrees", lambda sent: {"result": None}, 200, With({"username": "ann"})),
    logging_in("agrees as Node does", lambda s: {"result": "ok"}, 200, With({"n": 1})),
    logging_in("refuses", lambda s: refuse("Forbidden"), 401, error(142, f"{PREFIX}Forbidden")),
    logging_in("refuses with a code", lambda s: refuse("no", 403, 123), 401,
               error(142, f"{PREFIX}no")),
    logging_in("breaks", lambda s: refuse("Cloud Code script had an error.", 500, 141), 401,
               error(142, f"{PREFIX}Cloud Code script had an error.")),
    logging_in("takes too long", never, 400,
               error(141, "LeanEngine request timeout. className: _User, hook: onLogin"),
               settings={"login_hook_seconds": 0.05}),
    Scenario("no onLogin after a wrong password",
             Sent("POST", "/1.1/login", {"username": "ann", "password": "wrong"}), 400, error(210),
             setup=[ANN], engine={"_User.onLogin": lambda s: {}}),
    only_login("sign-up", Sent("POST", "/1.1/users", {"username": "b", "password": "c"}), 201),
    only_login("whose session", Sent("GET", "/1.1/users/me"), 400),
    only_login("a read", Sent("GET", "/1.1/users/{ann}"), 200),
]  # fmt: skip


@pytest.mark.parametrize("scenario", LOGINS, ids=str)
async def test_logging_in(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


async def test_on_login_is_told_of_the_user_and_no_password(tmp_path: Path) -> None:
    engine = FakeEngine({"_User.onLogin": lambda sent: {"result": "ok"}})
    async with running_api(engine, project=tmp_path) as api:
        made = await api("POST", "/1.1/users", {"username": "ann", "password": PASSWORD, "n": 1})
        await api("POST", "/1.1/login", LOGIN.body)
        (received,) = engine.received
        assert received.target == "/1.1/functions/_User/onLogin"
        assert received.json == {"object": With({**made.json}, without=("password", "salt"))}
        assert received.headers["X-LC-Hook-Key"] == KEYS.hook_key
        assert "X-LC-Session" not in received.headers


@pytest.mark.parametrize("is_old", [True, False])
async def test_old_engines_get_a_mark_in_the_user(tmp_path: Path, is_old: bool) -> None:
    engine = FakeEngine({"_User.onLogin": lambda sent: {}})
    engine.needs_marks = is_old
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/users", {"username": "ann", "password": PASSWORD})
        await api("POST", "/1.1/login", LOGIN.body)
        (received,) = engine.received
        mark = hook_mark(KEYS.master_key, "__on_login__User", api.clock.now_ms())
        assert received.json["object"].get("__sign") == (mark if is_old else None)


async def test_code_that_never_loaded_lets_nobody_in(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/users", {"username": "ann", "password": PASSWORD})
        engine.broken("NameError: name 'x' is not defined", ever_ready=False)
        answer = await api("POST", "/1.1/login", LOGIN.body)
        assert answer.status == 401
        assert "NameError" in answer.json["error"]


async def test_code_that_broke_keeps_its_on_login(tmp_path: Path) -> None:
    engine = FakeEngine({"_User.onLogin": lambda sent: {}})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/users", {"username": "ann", "password": PASSWORD})
        engine.broken("SyntaxError: invalid syntax", ever_ready=True)
        answer = await api("POST", "/1.1/login", LOGIN.body)
        assert answer.status == 401
        assert "SyntaxError" in answer.json["error"]


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize(
    "handler", [lambda s: {"result": None}, lambda s: refuse("no"), lambda s: reply({}, 500)]
)
async def test_on_verified_never_stops_anybody(
    tmp_path: Path, channel: Any, handler: Handler
) -> None:
    engine = FakeEngine({f"onVerified.{channel}": handler})
    async with running_api(engine, project=tmp_path) as api:
        call = Call(
            ANONYMOUS, Deadline.after(api.clock, 60), api.emulator.log.begin("request", "r")
        )
        user: dict[str, Any] = {
            "objectId": "u1",
            "username": "ann",
            "password": "hash",
            "emailVerified": True,
        }
        await api.emulator.account_hooks.on_verified(call, channel, user)
        await api.settle()
        (received,) = engine.received
        assert received.target == f"/1.1/functions/onVerified/{channel}"
        assert received.json == {"object": With({"emailVerified": True}, without=("password",))}
        assert call.span is not None
        (step,) = call.span.children
        assert (step.title, step.ended is not None) == (f"onVerified {channel}", True)


async def test_a_log_in_does_not_wait_for_on_verified(tmp_path: Path) -> None:
    released = asyncio.Event()

    async def slow(sent: dict[str, Any]) -> Any:
        await released.wait()
        return {"result": "ok"}

    engine = FakeEngine({"onVerified.sms": slow})
    async with running_api(engine, project=tmp_path) as api:
        hooks = api.emulator.account_hooks
        call = Call(ANONYMOUS, Deadline.after(api.clock, 60), None)
        await hooks.on_verified(call, "sms", {"objectId": "u1"})
        assert hooks.running == 1
        released.set()
        await api.settle()
        assert hooks.running == 0


async def test_a_log_in_that_logs_in_is_a_loop(tmp_path: Path) -> None:
    async def logs_in(given: dict[str, Any], ask: Ask) -> Any:
        answer = await ask("POST", "/1.1/login", LOGIN.body)
        return or_refuse(answer, {"result": "ok"})

    client = CodeClient()
    engine = FakeEngine({"_User.onLogin": client.handler(logs_in)})
    async with running_api(engine, project=tmp_path, hook_depth=3) as api:
        client.api = api
        await api("POST", "/1.1/users", {"username": "ann", "password": PASSWORD})
        answer = await api("POST", "/1.1/login", LOGIN.body)
        assert answer.status == 431
        assert "onLogin _User → onLogin _User" in answer.json["error"]
        assert engine.fired() == ["_User.onLogin"] * 3


async def test_what_on_login_writes_belongs_to_its_step(tmp_path: Path) -> None:
    async def counts(given: dict[str, Any], ask: Ask) -> Any:
        await ask("POST", "/1.1/classes/Login", {"who": given["object"]["username"]})
        return {"result": "ok"}

    client = CodeClient()
    engine = FakeEngine({"_User.onLogin": client.handler(counts)})
    async with running_api(engine, project=tmp_path) as api:
        client.api = api
        await api("POST", "/1.1/users", {"username": "ann", "password": PASSWORD})
        assert (await api("POST", "/1.1/login", LOGIN.body)).status == 200
        (root, _) = api.emulator.log.traces()
        (step,) = [child for child in root.children if child.kind == "hook"]
        assert [child.title for child in step.children] == ["POST /1.1/classes/Login"]


async def test_a_user_comes_with_its_files(tmp_path: Path) -> None:
    engine = FakeEngine({"_User.onLogin": lambda sent: {}})
    async with running_api(engine, project=tmp_path) as api:
        file_id = await api.create("_File", url="http://x.example/a.png", name="a")
        picture = {"__type": "File", "id": file_id, "name": "a"}
        await api("POST", "/1.1/users", {"username": "ann", "password": PASSWORD, "face": picture})
        await api("POST", "/1.1/login", LOGIN.body)
        assert engine.received[-1].json["object"]["face"]["url"] == "http://x.example/a.png"
