"""Reading what engines answer: JSON, refusals, replacements, and what is none of it."""

from typing import Any

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError
from lean_emulator.model.access import Principal
from lean_emulator.service.call import Call
from lean_emulator.service.engine import (
    Credentials,
    hook_headers,
    read_json,
    refusal,
    shown_answer,
    user_for_engine,
)
from lean_emulator.service.functions import as_json, forwarded
from lean_emulator.service.hook_event import rejection, replacement
from tests.support.fake_engine import EngineReply, reply

KEYS = Credentials("app", "app-key", "master-key", "hook-key")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"code":1,"error":"no"}', "no"),
        (b'{"error":""}', ""),
        (b'{"error":5}', '{"error":5}'),
        (b"plain text\n", "plain text"),
        (b"x" * 500, "x" * 200),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", "HTTP 502"),
    ],
)
def test_refusal(body: bytes, text: str) -> None:
    assert refusal(EngineReply(502, body)) == text


def test_read_json_gives_the_error_as_a_value() -> None:
    assert read_json(EngineReply(200, b"null")) is None
    broken = read_json(EngineReply(200, b"<"))
    assert isinstance(broken, ApiError)
    assert "the engine's answer" in broken.message


@pytest.mark.parametrize(
    ("body", "shown"),
    [(b'{"a":1}', {"a": 1}), (b"", None), (b"<p>", "<p>"), (b"x" * 5000, "x" * 2048)],
)
def test_what_a_trace_shows_of_an_answer(body: bytes, shown: Any) -> None:
    assert shown_answer(EngineReply(200, body)) == shown


def test_a_rejection_has_the_platforms_prefix() -> None:
    made = rejection("no")
    assert (made.code, made.status) == (142, 400)
    assert made.message == "Cloud Code validation failed. Error detail : no"


def test_users_keep_their_secrets() -> None:
    document = {
        "objectId": "u1", "username": "ann", "password": "p", "salt": "s", "sessionToken": "t",
    }  # fmt: skip
    class_names = {"_User": {"password": "p", "salt": "s", "sessionToken": "t"}, "Wifi": {}}
    for class_name, kept in class_names.items():
        replaced = replacement(reply({"level": 1, "password": "new"}), class_name, dict(document))
        assert replaced == {"level": 1, "password": "new", **kept}


def test_the_given_document_is_left_alone() -> None:
    document: dict[str, Any] = {"n": 1, "tags": ["a"]}
    replacement(reply({"n": 2}), "Post", document)
    assert document == {"n": 1, "tags": ["a"]}
    assert replacement(reply({"result": "ok"}), "Post", document) is document


def test_user_for_engine() -> None:
    assert user_for_engine(Principal("master")) is None
    user = {"objectId": "u", "password": "p", "salt": "s", "sessionToken": "t"}
    assert user_for_engine(Principal("user", user)) == {"objectId": "u", "sessionToken": "t"}


@pytest.mark.parametrize(("prod", "sent"), [(True, "1"), (False, "0")])
def test_hook_headers_never_carry_a_session_or_the_master_key(prod: bool, sent: str) -> None:
    user = {"objectId": "u", "sessionToken": "t"}
    call = Call(Principal("master", user), Deadline.never(ManualClock()), None, prod=prod)
    headers = hook_headers(KEYS, call)
    assert headers["X-LC-Prod"] == sent
    assert headers["X-LC-Hook-Key"] == "hook-key"
    assert "X-LC-Session" not in headers
    assert "master-key" not in str(headers)


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (200, b'{"result":1}', (200, {"result": 1})),
        (200, b"", (200, {"result": None})),
        (204, b"", (204, {"result": None})),
        (200, b"<html>", (500, 141)),
        (302, b"", (500, 141)),
        (404, b"<html>", (404, 141)),
        (400, b"[1]", (400, [1])),
    ],
)
def test_clients_always_get_json(status: int, body: bytes, answer: tuple[int, Any]) -> None:
    said = as_json(EngineReply(status, body))
    shown = said.body
    if isinstance(shown, dict) and "code" in shown:
        assert (said.status, shown["code"]) == answer
    else:
        assert (said.status, shown) == answer


@pytest.mark.parametrize(
    "name",
    [
        "Host", "Connection", "Content-Length", "Transfer-Encoding", "X-LC-Key", "x-lc-session",
        "X-LC-Hook-Key", "X-AVOSCloud-Master-Key", "x-uluru-session-token", "X-Forwarded-For",
        "X-Real-IP", "Forwarded", "X-Lean-Emu-Call", "Accept-Encoding", "Content-Type",
    ],
)  # fmt: skip
def test_headers_that_stay_here(name: str) -> None:
    assert forwarded({name: "x", "User-Agent": "y"}) == {"User-Agent": "y"}
