"""Addresses and forgotten passwords, by mail (storage.md 6.7)."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lean_emulator.base.trace_view import walk
from tests.support.accounts import (
    ANN,
    BOB,
    EMAIL,
    PHONE,
    path_in,
    post_form,
    sent,
    session_of,
    signed_up,
)
from tests.support.api import MASTER, Api, running_api
from tests.support.fake_engine import FakeEngine
from tests.support.matchers import ANY_DATE, With, error

WEEK = 7 * 24 * 3600
MAIL_ONLY = {"username": "ann", "password": "pw-of-ann", "email": EMAIL}


async def page(api: Api, path: str, method: str = "GET") -> tuple[int, str]:
    """A page as a browser without any keys gets it."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, api.emulator.api_url + path) as answer,
    ):
        assert answer.content_type == "text/html"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        return answer.status, await answer.text()


async def test_signing_up_with_an_address_mails_a_link(tmp_path: Path) -> None:
    engine = FakeEngine({"onVerified.email": lambda sent: {}})
    async with running_api(engine, project=tmp_path) as api:
        made = await api("POST", "/1.1/users", MAIL_ONLY)
        assert made.json["emailVerified"] is False
        assert (sent(api).to, sent(api).kind, sent(api).code) == (EMAIL, "mail", None)
        status, text = await page(api, path_in(api))
        assert status == 200
        assert "Address verified" in text
        assert "邮箱已验证" in text
        await api.emulator.settle()
        assert engine.fired() == ["onVerified.email"]
        told = engine.received[0].json["object"]
        assert told == With(
            {"username": "ann", "emailVerified": True}, without=("password", "salt")
        )
        me = await api("GET", "/1.1/users/me", headers=session_of(made.json))
        assert me.json["emailVerified"] is True

        # again, as programs do that look at links: the same page, and no second hook
        assert await page(api, path_in(api), "POST") == (200, text)
        await api.emulator.settle()
        assert len(engine.fired()) == 1


async def test_the_old_version_of_the_path(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api("POST", "/1.1/users", MAIL_ONLY)
        assert (await page(api, path_in(api).replace("/1.1/", "/1/")))[0] == 200


@pytest.mark.parametrize("fields", [BOB, {**BOB, "mobilePhoneNumber": PHONE}], ids=["no", "phone"])
async def test_no_address_no_mail(fields: dict[str, str], tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api("POST", "/1.1/users", fields)
        assert api.emulator.inbox.messages() == []


async def test_what_only_master_may_say(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        vouched = {**MAIL_ONLY, "emailVerified": True}
        made = await api("POST", "/1.1/users", vouched, headers=MASTER)
        assert made.json["emailVerified"] is True
        assert api.emulator.inbox.messages() == []
        body = {"email": "new@example.com", "emailVerified": True, "mobilePhoneVerified": True}
        path = f"/1.1/users/{made.json['objectId']}"
        await api("PUT", path, body, headers=MASTER)
        assert await api.read("_User", made.json["objectId"]) == With(body)
        assert api.emulator.inbox.messages() == []


@pytest.mark.parametrize(
    ("change", "verified", "mails"),
    [
        ({"email": "new@example.com"}, False, 1),
        ({"email": EMAIL}, True, 0),
        ({"n": 1}, True, 0),
        ({"email": {"__op": "Delete"}}, False, 0),
        ({"email": None}, False, 0),
        ({"email": "new@example.com", "emailVerified": True}, False, 1),
    ],
    ids=str,
)
async def test_a_changed_address(
    change: dict[str, Any], verified: bool, mails: int, tmp_path: Path
) -> None:
    async with running_api(project=tmp_path) as api:
        made = await api("POST", "/1.1/users", MAIL_ONLY)
        await page(api, path_in(api))
        api.emulator.inbox.clear()
        user_path = f"/1.1/users/{made.json['objectId']}"
        await api("PUT", user_path, change, headers=session_of(made.json))
        stored = await api.read("_User", made.json["objectId"])
        assert stored["emailVerified"] is verified
        assert len(api.emulator.inbox.messages()) == mails


async def test_a_link_ends_with_the_address_it_was_for(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = await api("POST", "/1.1/users", MAIL_ONLY)
        old = path_in(api)
        new = {"email": "new@example.com"}
        await api("PUT", f"/1.1/users/{made.json['objectId']}", new, headers=session_of(made.json))
        status, text = await page(api, old)
        assert status == 404
        assert "This link does not work" in text
        assert (await api.read("_User", made.json["objectId"]))["emailVerified"] is False


@pytest.mark.parametrize("kind", ["verifyEmail", "resetPassword"])
@pytest.mark.parametrize("token", ["", "x", "0" * 40, "../users", "%00", "<script>"])
async def test_links_nobody_sent(kind: str, token: str, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, MAIL_ONLY)
        status, text = await page(api, f"/1.1/{kind}/{token}") if token != "../users" else (404, "")
        assert status == 404
        assert "<script>" not in text


async def test_a_link_holds_a_week(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api("POST", "/1.1/users", MAIL_ONLY)
        first = path_in(api)
        api.clock.advance(WEEK - 1)
        api.emulator.inbox.clear()
        await api("POST", "/1.1/requestEmailVerify", {"email": EMAIL})
        second = path_in(api)
        api.clock.advance(1)
        assert (await page(api, first))[0] == 404
        assert (await page(api, second))[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "answer", "settings"),
    [
        ("requestEmailVerify", {"email": EMAIL}, 200, {}, {}),
        ("requestEmailVerify", {}, 400, error(204), {}),
        ("requestEmailVerify", {"email": ""}, 400, error(204), {}),
        ("requestEmailVerify", {"email": 5}, 400, error(204), {}),
        ("requestEmailVerify", {"email": "no@example.com"}, 400, error(205), {}),
        ("requestEmailVerify", {"email": EMAIL}, 403, error(119), {"email_verification": False}),
        ("requestPasswordReset", {"email": EMAIL}, 200, {}, {}),
        ("requestPasswordReset", {"email": EMAIL}, 200, {}, {"email_verification": False}),
        ("requestPasswordReset", None, 400, error(204), {}),
        ("requestPasswordReset", {"email": "no@example.com"}, 400, error(205), {}),
        ("requestPasswordReset", {"email": EMAIL}, 400, error(216), {"login_needs_email": True}),
    ],
)
async def test_asking(
    path: str, body: Any, status: int, answer: Any, settings: dict[str, Any], tmp_path: Path
) -> None:
    async with running_api(project=tmp_path, **settings) as api:
        await signed_up(api, MAIL_ONLY)
        asked = await api("POST", f"/1.1/{path}", body)
        assert (asked.status, asked.json) == (status, answer)
        assert len(api.emulator.inbox.messages()) == (1 if status == 200 else 0)


async def test_a_verified_address_gets_no_more_mail(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api("POST", "/1.1/users", MAIL_ONLY)
        await page(api, path_in(api))
        api.emulator.inbox.clear()
        asked = await api("POST", "/1.1/requestEmailVerify", {"email": EMAIL})
        assert (asked.status, api.emulator.inbox.messages()) == (200, [])


async def test_logging_in_before_the_address_is_verified(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, login_needs_email=True) as api:
        await api("POST", "/1.1/users", ANN)
        await api("POST", "/1.1/users", BOB)
        for name in ("username", "email", "mobilePhoneNumber"):
            body = {name: ANN[name], "password": ANN["password"]}
            assert (await api("POST", "/1.1/login", body)).json == error(216)
        wrong = await api("POST", "/1.1/login", {"email": EMAIL, "password": "x"})
        assert wrong.json == error(210)
        assert (await api("POST", "/1.1/login", BOB)).status == 200
        await page(api, path_in(api))
        assert (await api("POST", "/1.1/login", ANN)).status == 200


async def reset_link(api: Api) -> str:
    api.emulator.inbox.clear()
    asked = await api("POST", "/1.1/requestPasswordReset", {"email": EMAIL})
    assert asked.status == 200
    return path_in(api)


async def test_a_forgotten_password(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = await signed_up(api, MAIL_ONLY)
        path = await reset_link(api)
        status, text = await page(api, path)
        assert status == 200
        assert '<form method="post"' in text
        assert "重设密码" in text
        own = {"Origin": api.emulator.api_url, "Sec-Fetch-Site": "same-origin"}
        status, text = await post_form(api, path, own, password="another", again="another")
        assert status == 200
        assert "The password is set" in text

        assert (await api("GET", "/1.1/users/me", headers=session_of(user))).json == error(211)
        assert (await api("POST", "/1.1/login", MAIL_ONLY)).json == error(210)
        login = await api("POST", "/1.1/login", {**MAIL_ONLY, "password": "another"})
        assert login.status == 200
        # it worked once
        assert (await page(api, path))[0] == 404
        status, _ = await post_form(api, path, password="third", again="third")
        assert status == 404


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"password": "a", "again": "b"}, "not the same"),
        ({"password": "a"}, "not the same"),
        ({"password": "", "again": ""}, "cannot be empty"),
        ({"password": " ", "again": " "}, "cannot be empty"),
        ({}, "not the same"),
    ],
    ids=str,
)
async def test_a_form_filled_in_wrongly(fields: dict[str, str], says: str, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, MAIL_ONLY)
        path = await reset_link(api)
        status, text = await post_form(api, path, **fields)
        assert status == 400
        assert says in text
        assert (await api("POST", "/1.1/login", MAIL_ONLY)).status == 200
        status, _ = await post_form(api, path, password="good", again="good")
        assert status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_a_form_of_another_site(headers: dict[str, str], tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, MAIL_ONLY)
        path = await reset_link(api)
        status, _ = await post_form(api, path, headers, password="x", again="x")
        assert status == 403
        assert (await api("POST", "/1.1/login", MAIL_ONLY)).status == 200


async def test_a_form_that_is_too_large(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, MAIL_ONLY)
        long = "x" * 40_000
        assert (await post_form(api, await reset_link(api), password=long, again=long))[0] == 403


@pytest.mark.parametrize("way", ["a newer password", "a deleted user", "a week"])
async def test_what_ends_a_reset_link(way: str, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = await signed_up(api, MAIL_ONLY)
        path = await reset_link(api)
        user_path = f"/1.1/users/{user['objectId']}"
        if way == "a newer password":
            await api("PUT", user_path, {"password": "newer"}, headers=session_of(user))
        elif way == "a deleted user":
            await api("DELETE", user_path, headers=session_of(user))
        else:
            api.clock.advance(WEEK)
        assert (await page(api, path))[0] == 404
        assert (await post_form(api, path, password="x", again="x"))[0] == 404


async def test_names_are_no_markup(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, {**MAIL_ONLY, "username": "<b>ann</b>"})
        _, text = await page(api, await reset_link(api))
        assert "<b>ann" not in text
        assert "&lt;b&gt;ann" in text


async def test_visits_are_traced_without_the_token(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api("POST", "/1.1/users", MAIL_ONLY)
        await page(api, path_in(api))
        trace = api.emulator.log.traces()[0]
        assert (trace.title, trace.outcome, trace.status) == ("GET /1.1/verifyEmail/…", "ok", 200)
        assert [step.title for step in walk(trace)][1:] == ["update _User"]
        await page(api, "/1.1/verifyEmail/wrong")
        assert api.emulator.log.traces()[0].outcome == "rejected"


async def test_the_mail_names_the_request_that_sent_it(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api("POST", "/1.1/users", MAIL_ONLY)
        assert sent(api).trace == api.emulator.log.traces()[0].name
        assert sent(api).to_json()["at"] == ANY_DATE


@pytest.mark.parametrize(
    "bad", ["ann", "ann@", "@example.com", "a b@example.com", "a@b", "", "a@b..c"]
)
async def test_addresses_that_are_none(bad: str, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("POST", "/1.1/users", {**BOB, "email": bad})
        assert (answer.status, answer.json) == (400, error(125))
        user = await signed_up(api, BOB)
        path = f"/1.1/users/{user['objectId']}"
        changed = await api("PUT", path, {"email": bad}, headers=session_of(user))
        assert changed.json == error(125)
