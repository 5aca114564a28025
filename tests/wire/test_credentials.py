"""Who is let in, and under which spellings of the credentials (storage.md 1.2, 1.3)."""

from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.signing import request_sign
from tests.support.api import CLIENT, KEYS, MASTER
from tests.support.matchers import ANY_DATE, ANY_ID, With, error
from tests.support.scenario import Id, Scenario, Sent, SignedUp, Stored, Token, run

ID = {"X-LC-Id": KEYS.app_id}
MS, SECONDS = "1453014943466", "1453014943"
APP_SIGN = request_sign(KEYS.app_key, MS)
MASTER_SIGN = request_sign(KEYS.master_key, MS)
SECRET = Stored("post", "Post", {"title": "x", "ACL": {}})
DATE = {"__type": "Date", "iso": ANY_DATE}


def lets_in(name: str, headers: dict[str, Any], *, master: bool) -> Scenario:
    """Reading an object that only the master key may read tells the rights apart."""
    return Scenario(
        name,
        Sent("GET", "/1.1/classes/Post/{post}", headers=headers, params={"keys": "title"}),
        200 if master else 403,
        {"title": "x", "objectId": Id("post"), "createdAt": ANY_DATE, "updatedAt": ANY_DATE}
        if master
        else error(403),
        setup=[SECRET],
    )


def refuses(name: str, headers: dict[str, Any]) -> Scenario:
    return Scenario(
        name,
        Sent("GET", "/1.1/classes/Post/{post}", headers=headers),
        401,
        error(401, "Unauthorized."),
        setup=[SECRET],
    )


HEADERS = [
    lets_in("app key", CLIENT, master=False),
    lets_in("master key", MASTER, master=True),
    lets_in("master key, blank", {**ID, "X-LC-Key": f"{KEYS.master_key}, master"}, master=True),
    lets_in("bare master key", {**ID, "X-LC-Key": KEYS.master_key}, master=True),
    lets_in("odd case", {"x-lc-ID": KEYS.app_id, "X-Lc-kEY": KEYS.app_key}, master=False),
    lets_in(
        "AVOSCloud app key",
        {"X-AVOSCloud-Application-Id": KEYS.app_id, "X-AVOSCloud-Application-Key": KEYS.app_key},
        master=False,
    ),
    lets_in(
        "Uluru app key",
        {"X-Uluru-Application-Id": KEYS.app_id, "X-Uluru-Application-Key": KEYS.app_key},
        master=False,
    ),
    *(
        lets_in(name, {**ID, name: KEYS.master_key}, master=True)
        for name in ("X-AVOSCloud-Master-Key", "X-AVOSCloud-Super-Key", "X-Uluru-Master-Key")
    ),
    lets_in(
        "app key beside the master key", {**CLIENT, "X-AVOSCloud-Master-Key": KEYS.master_key},
        master=True,
    ),
    lets_in("app sign", {**ID, "X-LC-Sign": f"{APP_SIGN},{MS}"}, master=False),
    lets_in("app sign with a blank", {**ID, "X-LC-Sign": f"{APP_SIGN}, {MS}"}, master=False),
    lets_in("app sign in capitals", {**ID, "X-LC-Sign": f"{APP_SIGN.upper()},{MS}"}, master=False),
    lets_in(
        "app sign in seconds",
        {**ID, "X-LC-Sign": f"{request_sign(KEYS.app_key, SECONDS)},{SECONDS}"},
        master=False,
    ),
    lets_in("master sign", {**ID, "X-LC-Sign": f"{MASTER_SIGN},{MS},master"}, master=True),
    lets_in("sign, blanks", {**ID, "X-LC-Sign": f"{MASTER_SIGN}, {MS}, master"}, master=True),
    lets_in(
        "AVOSCloud sign",
        {"X-AVOSCloud-Application-Id": KEYS.app_id, "X-AVOSCloud-Request-Sign": f"{APP_SIGN},{MS}"},
        master=False,
    ),
    lets_in("key before sign", {**MASTER, "X-LC-Sign": "nonsense"}, master=True),
    refuses("nothing", {}),
    refuses("no key", ID),
    refuses("no id", {"X-LC-Key": KEYS.app_key}),
    refuses("no id, master key", {"X-LC-Key": f"{KEYS.master_key},master"}),
    refuses("wrong id", {**CLIENT, "X-LC-Id": "another-app"}),
    refuses("wrong key", {**ID, "X-LC-Key": "wrong"}),
    refuses("empty key", {**ID, "X-LC-Key": ""}),
    refuses("app key as master", {**ID, "X-LC-Key": f"{KEYS.app_key},master"}),
    refuses("app key, something", {**ID, "X-LC-Key": f"{KEYS.app_key},other"}),
    refuses("master key, something", {**ID, "X-LC-Key": f"{KEYS.master_key},other"}),
    refuses("wrong master key", {**ID, "X-LC-Key": "wrong,master"}),
    refuses("hook key as key", {**ID, "X-LC-Key": KEYS.hook_key}),
    refuses("hook key alone", {**ID, "X-LC-Hook-Key": KEYS.hook_key}),
    refuses("wrong key, right sign", {**ID, "X-LC-Key": "x", "X-LC-Sign": f"{APP_SIGN},{MS}"}),
    refuses("wrong sign", {**ID, "X-LC-Sign": f"{'0' * 32},{MS}"}),
    refuses("sign without a time", {**ID, "X-LC-Sign": APP_SIGN}),
    refuses("sign of another time", {**ID, "X-LC-Sign": f"{APP_SIGN},{SECONDS}"}),
    refuses("app sign as master", {**ID, "X-LC-Sign": f"{APP_SIGN},{MS},master"}),
    refuses("master sign as app", {**ID, "X-LC-Sign": f"{MASTER_SIGN},{MS}"}),
    refuses("sign with a closed key", {**ID, "X-LC-Sign": f"{APP_SIGN},{MS},ax-sig-1"}),
    refuses("key that is no UTF-8", {**ID, "X-LC-Key": "\udcff\udcfe"}),
    refuses("call id without hook key", {"X-LC-Id": "x", "X-Lean-Emu-Call": "1"}),
]  # fmt: skip

OPEN = [
    Scenario("date wants no credentials", Sent("GET", "/1.1/date", headers={}), 200, DATE),
    Scenario("date with wrong ones", Sent("GET", "/1.1/date", headers={"X-LC-Id": "x"}), 200, DATE),
    Scenario("ping", Sent("GET", "/1.1/ping", headers={}), 200, {}),
    Scenario("an unknown path does", Sent("GET", "/1.1/dates", headers={}), 401, error(401)),
]


def tunnel(path: str, params: Any = None, headers: Any = None, **members: Any) -> Sent:
    """A browser's simple request: everything in a ``text/plain`` body."""
    own = {"_ApplicationId": KEYS.app_id, "_ApplicationKey": KEYS.app_key}
    body = {**(own if headers is None else {}), **members}
    return Sent(
        "POST",
        path,
        body,
        headers={"Content-Type": "text/plain;charset=UTF-8", **(headers or {})},
        params=params or {},
    )


POST = Stored("post", "Post", {"title": "x", "n": 1})
TUNNELS = [
    Scenario(
        "POST is a create",
        tunnel("/1.1/classes/Post", title="y", __type="kept out"),
        400,
        error(105),
    ),
    Scenario(
        "POST drops members that begin with one underscore",
        tunnel("/1.1/classes/Post", {"fetchWhenSave": True}, title="y", _ClientVersion="1"),
        201,
        {"title": "y", "objectId": ANY_ID, "createdAt": ANY_DATE, "updatedAt": ANY_DATE},
    ),
    Scenario(
        "GET takes members as parameters",
        tunnel("/1.1/classes/Post", _method="GET", where={"n": 1}, limit=1, keys="title"),
        200,
        {
            "results": [
                {
                    "title": "x",
                    "objectId": Id("post"),
                    "createdAt": ANY_DATE,
                    "updatedAt": ANY_DATE,
                }
            ]
        },
        setup=[POST, Stored("other", "Post", {"n": 2})],
    ),
    Scenario(
        "GET takes texts too",
        tunnel("/1.1/classes/Post", _method="get", where='{"n":1}', limit="0", count="1"),
        200,
        {"results": [], "count": 1},
        setup=[POST],
    ),
    Scenario(
        "PUT",
        tunnel("/1.1/classes/Post/{post}", _method="PUT", n={"__op": "Increment"}),
        200,
        {"updatedAt": ANY_DATE, "objectId": Id("post")},
        setup=[POST],
    ),
    Scenario(
        "PUT with a condition in the URL",
        tunnel("/1.1/classes/Post/{post}", {"where": {"n": 5}}, _method="PUT", n=9),
        400,
        error(305),
        setup=[POST],
    ),
    Scenario(
        "DELETE",
        tunnel("/1.1/classes/Post/{post}", _method="DELETE"),
        200,
        {},
        setup=[POST],
        after={"post": None},
    ),
    Scenario(
        "master key",
        tunnel(
            "/1.1/classes/Post/{post}",
            headers={},
            _ApplicationId=KEYS.app_id,
            _MasterKey=KEYS.master_key,
            _method="DELETE",
        ),
        200,
        {},
        setup=[SECRET],
        after={"post": None},
    ),
    Scenario(
        "session",
        tunnel("/1.1/users/me", _method="GET", _SessionToken=Token("ann")),
        200,
        With({"username": "ann", "sessionToken": Token("ann")}),
        setup=[SignedUp("ann")],
    ),
    Scenario(
        "credentials in headers do as well",
        tunnel("/1.1/classes/Post/{post}", headers=CLIENT, _method="PUT", n=2),
        200,
        setup=[POST],
    ),
    Scenario(
        "wrong key in the body",
        tunnel(
            "/1.1/classes/Post", headers={}, _ApplicationId=KEYS.app_id, _ApplicationKey="wrong"
        ),
        401,
        error(401, "Unauthorized."),
    ),
    Scenario("no credentials at all", tunnel("/1.1/classes/Post", headers={}), 401, error(401)),
    Scenario(
        "an ordinary body is never searched for credentials",
        Sent(
            "POST",
            "/1.1/classes/Post",
            {"_ApplicationId": KEYS.app_id, "_ApplicationKey": KEYS.app_key},
            headers={},
        ),
        401,
        error(401),
    ),
    Scenario(
        "an ordinary body has no method",
        Sent("POST", "/1.1/classes/Post", {"_method": "GET"}),
        400,
        error(105),
    ),
    Scenario(
        "a body that is no JSON",
        Sent(
            "POST",
            "/1.1/classes/Post",
            raw=b"a=b",
            headers={**CLIENT, "Content-Type": "text/plain"},
        ),
        400,
        error(107),
    ),
]

SESSIONS = [
    Scenario(
        f"session in {name}",
        Sent("GET", "/1.1/users/me", headers={**CLIENT, name: Token("ann")}),
        200,
        setup=[SignedUp("ann")],
    )
    for name in ("X-LC-Session", "X-AVOSCloud-Session-Token", "X-Uluru-Session-Token")
]


@pytest.mark.parametrize("scenario", [*HEADERS, *OPEN, *TUNNELS, *SESSIONS], ids=str)
async def test_credentials(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)
