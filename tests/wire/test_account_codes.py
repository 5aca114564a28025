"""Each error code of accounts, permissions, files, social and push, provoked (storage.md 6–9, 11).

A row per code, and a look into the source that no code is raised there without a row here. The
neighbours of this file tell when exactly each comes; this one that each can come at all.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import lean_emulator
from lean_emulator.base import errors
from tests.support.api import CLIENT, MASTER, running_api
from tests.support.fake_engine import FakeEngine, Handler
from tests.support.matchers import error
from tests.support.scenario import PASSWORD, Sent, SignedUp, Token, check_traces, prepare, send

PHONE = "+8613800000000"
NEW: dict[str, Any] = {"username": "new", "password": "pw"}
ANN_FIELDS = {"email": "ann@example.com", "mobilePhoneNumber": PHONE}
AS_ANN = {**CLIENT, "X-LC-Session": Token("ann")}
AS_BOB = {**CLIENT, "X-LC-Session": Token("bob")}
WRONG = Sent("POST", "/1.1/login", {"username": "ann", "password": "wrong"})
TO_PHONE = {"mobilePhoneNumber": PHONE}
WITH_FILE = {"sms_templates": "templates.toml"}
PUSH = {"data": {"alert": "x"}}
TEMPLATES = """
[welcome]
text = "Hi {{who}}"
[draft]
text = "x"
approved = false
"""


@dataclass(frozen=True)
class Row:
    """``twice`` is how often the request is made; the last answer counts."""

    code: int
    request: Sent
    status: int = 400
    twice: int = 1
    engine: Mapping[str, Handler] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def refuse(sent: dict[str, Any]) -> Any:
    raise errors.HOOK_REJECTED("no")


def post(code: int, path: str, body: Any, status: int = 400, **more: Any) -> Row:
    headers = more.pop("headers", None)
    return Row(code, Sent("POST", f"/1.1{path}", body, headers), status, **more)


def get(code: int, path: str, status: int = 400, headers: Any = None) -> Row:
    return Row(code, Sent("GET", f"/1.1{path}", headers=headers), status)


def put(code: int, path: str, body: Any, status: int = 400, headers: Any = AS_ANN) -> Row:
    return Row(code, Sent("PUT", f"/1.1{path}", body, headers), status)


ROWS = [
    post(1, "/roles", {"name": "editors"}),
    get(101, "/classes/Absent", 404),
    post(103, "/statuses", {"data": {}, "query": {}}),
    get(104, "/statuses/no+id"),
    post(105, "/users/self/friendship/{bob}", {"bad key": 1}, headers=AS_ANN),
    post(106, "/users/friendshipRequests", {"user": 1}, headers=AS_ANN),
    post(107, "/push", {"data": 1}),
    post(111, "/users", {**NEW, "email": 5}),
    post(112, "/installations", {"deviceType": "ios", "deviceToken": "t", "channels": ["a b"]}),
    post(114, "/installations", {"deviceType": "ios", "deviceToken": "no token!"}),
    post(119, "/push", PUSH, 403, settings={"client_push": False}),
    post(121, "/users", {"authData": {"a.b": {"uid": "1"}}}),
    post(122, "/files/no%20name", {"base64": "eA=="}),
    post(123, "/classes/Post", {"ACL": []}),
    post(125, "/users", {**NEW, "email": "nowhere"}),
    post(127, "/requestSmsCode", {"mobilePhoneNumber": "1"}),
    put(137, "/users/{bob}", {"authData": {"github": {"uid": "1"}}}, headers=AS_BOB),
    post(139, "/roles", {"name": "a/b", "ACL": {}}),
    post(142, "/users", NEW, engine={"_User.beforeSave": refuse}),
    post(200, "/users", {"password": "x"}),
    post(201, "/users", {"username": "x"}),
    post(202, "/users", {**NEW, "username": "ann"}),
    post(203, "/users", {**NEW, "email": "ann@example.com"}),
    post(204, "/requestPasswordReset", {}),
    post(205, "/requestPasswordReset", {"email": "nobody@example.com"}),
    put(206, "/users/{ann}", {"n": 1}, headers=AS_BOB),
    Row(210, WRONG),
    post(211, "/login", NEW),
    post(212, "/requestLoginSmsCode", {}),
    post(213, "/requestLoginSmsCode", {"mobilePhoneNumber": "13911111111"}),
    post(214, "/users", {**NEW, "mobilePhoneNumber": "13800000000"}),
    post(215, "/requestLoginSmsCode", TO_PHONE),
    post(216, "/login", {"username": "ann", "password": PASSWORD},
         settings={"login_needs_email": True}),
    post(217, "/users", {**NEW, "username": " "}),
    post(218, "/users", {**NEW, "password": " "}),
    Row(219, WRONG, twice=8),
    Row(221, Sent("PUT", "/1.1/users/self/friendship/{bob}", {"n": 1}, AS_ANN)),
    post(207, "/users", {"authData": {"github": {"uid": "nobody"}}},
         settings={"third_party_login": False}),
    post(250, "/users", {"authData": {"github": {"name": "ann"}}}),
    post(300, "/push", {**PUSH, "cql": "select"}),
    get(401, "/users/me", 401, {"X-LC-Id": CLIENT["X-LC-Id"], "X-LC-Key": "wrong"}),
    get(403, "/installations", 403),
    Row(404, Sent("GET", "/1.1/users/{ann}/nothing"), 404),
    Row(413, Sent("POST", "/1.1/files/a.txt", {"base64": "eHh4" * 9}), 413,
        settings={"max_file_bytes": 10}),
    post(601, "/requestSmsCode", TO_PHONE, twice=2),
    post(603, "/verifySmsCode/000000", TO_PHONE),
    post(604, "/requestSmsCode", {**TO_PHONE, "template": "unknown"}, settings=WITH_FILE),
    post(605, "/requestSmsCode", {**TO_PHONE, "template": "draft"}, settings=WITH_FILE),
    post(606, "/requestSmsCode", {**TO_PHONE, "template": "welcome"}, settings=WITH_FILE),
    post(608, "/requestSmsCode", TO_PHONE, settings={"captcha": True}),
]  # fmt: skip

ELSEWHERE = {
    141: "test_account_hooks: an onLogin that answers too late, and code that is broken",
    304: "an inbox that a hundred others write to between two reads: nobody can be that quick",
}

ROOMS = {
    "service": (
        "account_hooks accounts captcha files follow friends installations later_pushes "
        "mail_flows passwords permissions phone_flows push roles sessions short_messages "
        "status_inbox statuses third_party uploads users verification"
    ),
    "wire": (
        "captcha direct_upload file_transfer files follow installations mail phone push qiniu "
        "roles statuses users"
    ),
    "model": "access auth_data contact file_record installation push role",
}


@pytest.mark.parametrize("row", ROWS, ids=[str(row.code) for row in ROWS])
async def test_code(row: Row, tmp_path: Path) -> None:
    settings = dict(row.settings)
    if "sms_templates" in settings:
        (tmp_path / "templates.toml").write_text(TEMPLATES, "utf-8")
        settings["sms_templates"] = str(tmp_path / settings["sms_templates"])
    async with running_api(FakeEngine(row.engine), project=tmp_path, **settings) as api:
        names = await prepare(api, [SignedUp("ann", ANN_FIELDS), SignedUp("bob")])
        path = f"/1.1/users/{names.ids['ann']}"
        await api("PUT", path, {"authData": {"github": {"uid": "1"}}}, headers=MASTER)
        for _ in range(row.twice):
            answer = await send(api, row.request, names)
        assert (answer.status, answer.json) == (row.status, error(row.code))
        await check_traces(api, [*names.tokens.values()])


def raised(tree: ast.AST) -> Iterator[int]:
    """Codes in ``ApiError(206, …)``, in pairs ``(206, "…")`` and of ``errors.FORBIDDEN(…)``."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Name("ApiError"), [ast.Constant(int(code)), *_]) | ast.Tuple(
                [ast.Constant(int(code)), ast.Constant(str())]
            ):
                yield code
            case ast.Call(ast.Attribute(ast.Name("errors"), name)) if name.isupper():
                yield getattr(errors, name).code


def test_no_code_is_raised_that_nobody_provokes() -> None:
    package = Path(lean_emulator.__file__).parent
    found: dict[int, str] = {}
    for folder, rooms in ROOMS.items():
        for name in rooms.split():
            tree = ast.parse((package / folder / f"{name}.py").read_text("utf-8"))
            found.update(dict.fromkeys(raised(tree), f"{folder}/{name}.py"))
    known = {row.code for row in ROWS} | ELSEWHERE.keys()
    assert {code: where for code, where in found.items() if code not in known} == {}
    assert len(found) > 30
