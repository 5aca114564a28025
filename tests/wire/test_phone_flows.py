"""Codes by short message, and what they prove (storage.md 6.8)."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import (
    ANN,
    BOB,
    PHONE,
    code_in,
    sent,
    session_of,
    signed_up,
    verified_phone,
)
from tests.support.api import MASTER, running_api
from tests.support.fake_engine import FakeEngine
from tests.support.matchers import ANY_DATE, ANY_ID, ANY_TOKEN, With, error

TO_PHONE = {"mobilePhoneNumber": PHONE}
OTHER = "+8613900000000"
BAD_NUMBERS = ["", 5, None]
NO_NUMBERS = ["1", "abc", "8613800000000", "+0123456789", "13800", "+86 138 0000 0000"]


@pytest.mark.parametrize("given", ["13800000000", "+8613800000000", "+14155550100"])
async def test_a_code_and_its_check(given: str, tmp_path: Path) -> None:
    full = given if given.startswith("+") else f"+86{given}"
    async with running_api(project=tmp_path) as api:
        asked = await api("POST", "/1.1/requestSmsCode", {"mobilePhoneNumber": given})
        assert (asked.status, asked.json) == (200, {})
        assert (sent(api).to, sent(api).kind) == (full, "sms")
        code = code_in(api)
        body = {"mobilePhoneNumber": full}
        assert (await api("POST", "/1.1/verifySmsCode/000", body)).json == error(603)
        other = await api("POST", f"/1.1/verifySmsCode/{code}", {"mobilePhoneNumber": OTHER})
        assert other.json == error(603)
        checked = await api("POST", f"/1.1/verifySmsCode/{code}", body)
        assert (checked.status, checked.json) == (200, {})
        again = await api("POST", f"/1.1/verifySmsCode/{code}", body)
        assert again.json == error(603)


async def test_the_number_may_stand_in_the_url(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api("POST", "/1.1/requestSmsCode", TO_PHONE)
        path = f"/1.1/verifySmsCode/{code_in(api)}"
        assert (await api("POST", path)).json == error(212)
        assert (await api("POST", path, mobilePhoneNumber=PHONE)).status == 200


@pytest.mark.parametrize(
    ("ttl", "seconds"), [(None, 600), (5, 300), ("5", 300), (0.5, 30), ("1440", 86_400)]
)
async def test_how_long_a_code_works(ttl: Any, seconds: int, tmp_path: Path) -> None:
    async with running_api(project=tmp_path, sms_limits=False) as api:
        for wait, status in ((seconds - 1, 200), (seconds, 400)):
            body = TO_PHONE if ttl is None else {**TO_PHONE, "ttl": ttl}
            assert (await api("POST", "/1.1/requestSmsCode", body)).status == 200
            api.clock.advance(wait)
            checked = await api("POST", f"/1.1/verifySmsCode/{code_in(api)}", TO_PHONE)
            assert checked.status == status
            api.emulator.inbox.clear()


@pytest.mark.parametrize("ttl", [0, -1, "soon", True, 1441, [], "nan"])
async def test_no_time_for_a_code(ttl: Any, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        asked = await api("POST", "/1.1/requestSmsCode", {**TO_PHONE, "ttl": ttl})
        assert (asked.status, asked.json) == (400, error(1))


async def test_the_newest_code_counts(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, sms_limits=False) as api:
        await api("POST", "/1.1/requestSmsCode", TO_PHONE)
        first = code_in(api)
        await api("POST", "/1.1/requestSmsCode", TO_PHONE)
        second = api.emulator.inbox.messages()[0].code
        assert (await api("POST", f"/1.1/verifySmsCode/{first}", TO_PHONE)).json == error(603)
        assert (await api("POST", f"/1.1/verifySmsCode/{second}", TO_PHONE)).status == 200


async def test_a_text_says_what_it_is_for(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, sms_limits=False) as api:
        body = {**TO_PHONE, "name": "Shop", "op": "pay", "ttl": 5, "smsType": "voice"}
        await api("POST", "/1.1/requestSmsCode", body)
        for words in ("Shop", "pay", "5 minutes", "5 分钟", code_in(api)):
            assert words in sent(api).text
        assert sent(api).detail == {"use": "general", "type": "voice"}
        wrong = await api("POST", "/1.1/requestSmsCode", {**TO_PHONE, "smsType": "fax"})
        assert wrong.json == error(1)


NEEDS_NUMBER = [
    ("POST", "requestSmsCode"),
    ("POST", "verifySmsCode/1"),
    ("POST", "requestMobilePhoneVerify"),
    ("POST", "requestLoginSmsCode"),
    ("POST", "requestPasswordResetBySmsCode"),
    ("POST", "requestChangePhoneNumber"),
    ("POST", "changePhoneNumber"),
    ("POST", "usersByMobilePhone"),
]


@pytest.mark.parametrize(("method", "path"), NEEDS_NUMBER)
async def test_no_number(method: str, path: str, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for number in BAD_NUMBERS:
            answer = await api(method, f"/1.1/{path}", {"mobilePhoneNumber": number})
            assert (answer.status, answer.json) == (400, error(212))


@pytest.mark.parametrize("number", NO_NUMBERS)
async def test_numbers_that_are_none(number: str, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        body = {"mobilePhoneNumber": number, "smsCode": "1"}
        for path in ("requestSmsCode", "verifySmsCode/1", "usersByMobilePhone"):
            assert (await api("POST", f"/1.1/{path}", body)).json == error(127)
        fields = {**BOB, "mobilePhoneNumber": number}
        assert (await api("POST", "/1.1/users", fields)).json == error(127)
        user = await signed_up(api, BOB)
        path = f"/1.1/users/{user['objectId']}"
        assert (await api("PUT", path, body, headers=session_of(user))).json == error(127)


UNKNOWN = "+8613711111111"


@pytest.mark.parametrize(
    "path", ["requestMobilePhoneVerify", "requestLoginSmsCode", "requestPasswordResetBySmsCode"]
)
async def test_numbers_of_nobody(path: str, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("POST", f"/1.1/{path}", {"mobilePhoneNumber": UNKNOWN})
        assert answer.json == error(213)
        assert "phone number was not found" in answer.json["error"]


async def test_one_message_a_minute_and_ten_a_day(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:

        async def ask(number: str = PHONE, **more: str) -> Any:
            body = {"mobilePhoneNumber": number, **more}
            return (await api("POST", "/1.1/requestSmsCode", body)).json

        for _ in range(10):
            assert await ask() == {}
            assert await ask("13800000000") == error(601)
            assert len(api.emulator.inbox.messages()) == 1
            api.emulator.inbox.clear()
            api.clock.advance(60)
        assert await ask() == error(601)
        assert await ask(OTHER) == {}
        assert await ask(smsType="voice") == {}
        assert await ask(smsType="voice") == error(601)
        api.clock.advance(24 * 3600 - 600)
        assert await ask() == {}


async def test_limits_are_shared_by_all_uses(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, reset_by_unverified_phone=True) as api:
        await signed_up(api, ANN)
        await api("POST", "/1.1/requestMobilePhoneVerify", TO_PHONE)
        for path in ("requestSmsCode", "requestPasswordResetBySmsCode", "requestMobilePhoneVerify"):
            assert (await api("POST", f"/1.1/{path}", TO_PHONE)).json == error(601)


TEMPLATES = """
[welcome]
text = "Hi {{ who }}, {{code}} opens {{name}} for {{ttl}} min"

[draft]
text = "{{code}}"
approved = false
"""


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        ({"template": "welcome", "who": "Ann", "name": "Shop", "sign": "X"}, {}),
        ({"template": "welcome"}, error(606)),
        ({"template": "unknown"}, error(604)),
        ({"template": "draft"}, error(605)),
        ({}, {}),
    ],
    ids=str,
)
async def test_templates(more: dict[str, str], answer: Any, tmp_path: Path) -> None:
    file = tmp_path / "sms.toml"
    file.write_text(TEMPLATES)
    async with running_api(project=tmp_path, sms_templates=str(file)) as api:
        asked = await api("POST", "/1.1/requestSmsCode", {**TO_PHONE, **more})
        assert asked.json == answer
        if "who" in more:
            assert sent(api).text == f"Hi Ann, {code_in(api)} opens Shop for 10 min"
        if asked.status != 200:
            # a refused message counts for nothing
            assert api.emulator.inbox.messages() == []
            assert (await api("POST", "/1.1/requestSmsCode", TO_PHONE)).json == {}


async def test_any_template_will_do_without_a_file(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        asked = await api("POST", "/1.1/requestSmsCode", {**TO_PHONE, "template": "any"})
        assert asked.json == {}
        assert sent(api).detail["template"] == "any"


async def test_verifying_a_number(tmp_path: Path) -> None:
    engine = FakeEngine({"onVerified.sms": lambda sent: {}})
    async with running_api(engine, project=tmp_path) as api:
        user = await signed_up(api, ANN)
        await api("POST", "/1.1/requestMobilePhoneVerify", TO_PHONE)
        path = f"/1.1/verifyMobilePhone/{code_in(api)}"
        assert (await api("POST", "/1.1/verifyMobilePhone/0", TO_PHONE)).json == error(603)
        verified = await api("POST", path, TO_PHONE)
        assert verified.json == {"objectId": user["objectId"], "updatedAt": ANY_DATE}
        await api.emulator.settle()
        assert engine.fired() == ["onVerified.sms"]
        assert engine.received[0].json["object"] == With(
            {"mobilePhoneVerified": True}, without=("password", "salt")
        )
        assert (await api("POST", path, TO_PHONE)).json == error(603)
        api.clock.advance(60)
        api.emulator.inbox.clear()
        again = await api("POST", "/1.1/requestMobilePhoneVerify", TO_PHONE)
        assert (again.json, api.emulator.inbox.messages()) == ({}, [])


async def test_a_changed_number_is_not_verified(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = await signed_up(api, ANN)
        await verified_phone(api)
        path = f"/1.1/users/{user['objectId']}"
        for change, verified in (
            ({"mobilePhoneNumber": PHONE}, True),
            ({"n": 1}, True),
            ({"mobilePhoneNumber": OTHER}, False),
        ):
            await api("PUT", path, change, headers=session_of(user))
            stored = await api.read("_User", user["objectId"])
            assert stored["mobilePhoneVerified"] is verified
        assert api.emulator.inbox.messages() == []


async def test_new_numbers_get_a_code_where_that_is_wanted(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, phone_verification=True) as api:
        made = await api("POST", "/1.1/users", {**BOB, "mobilePhoneNumber": PHONE})
        assert made.json["mobilePhoneVerified"] is False
        assert (await api("POST", f"/1.1/verifyMobilePhone/{code_in(api)}")).status == 200
        api.emulator.inbox.clear()
        path = f"/1.1/users/{made.json['objectId']}"
        await api("PUT", path, {"mobilePhoneNumber": OTHER}, headers=session_of(made.json))
        assert (sent(api).to, sent(api).detail["use"]) == (OTHER, "verify")


async def test_logging_in_by_code(tmp_path: Path) -> None:
    engine = FakeEngine({"_User.onLogin": lambda sent: {}})
    async with running_api(engine, project=tmp_path) as api:
        user = await signed_up(api, ANN)
        assert (await api("POST", "/1.1/requestLoginSmsCode", TO_PHONE)).json == error(215)
        await verified_phone(api)
        assert (await api("POST", "/1.1/requestLoginSmsCode", TO_PHONE)).json == {}
        code = code_in(api)
        wrong = await api("POST", "/1.1/login", {**TO_PHONE, "smsCode": "no"})
        assert (wrong.status, wrong.json) == (400, error(603))
        nobody = await api("POST", "/1.1/login", {"mobilePhoneNumber": UNKNOWN, "smsCode": code})
        assert nobody.json == error(213)
        # a verification code is no password
        login = await api("POST", "/1.1/login", {**TO_PHONE, "smsCode": code})
        assert login.status == 200
        assert login.json == With({"sessionToken": user["sessionToken"], "username": "ann"})
        assert engine.fired() == ["_User.onLogin"]
        again = await api("POST", "/1.1/login", {**TO_PHONE, "smsCode": code})
        assert again.json == error(603)


async def test_codes_of_other_uses_do_not_log_in(tmp_path: Path) -> None:
    async with running_api(
        project=tmp_path, sms_limits=False, reset_by_unverified_phone=True
    ) as api:
        user = await signed_up(api, ANN)
        own = session_of(user)
        for path in (
            "requestMobilePhoneVerify",
            "requestPasswordResetBySmsCode",
            "requestChangePhoneNumber",
        ):
            assert (await api("POST", f"/1.1/{path}", TO_PHONE, headers=own)).json == {}
            body = {**TO_PHONE, "smsCode": code_in(api)}
            assert (await api("POST", "/1.1/login", body)).json == error(603)
            assert (await api("POST", "/1.1/usersByMobilePhone", body)).json == error(603)
            api.emulator.inbox.clear()


async def test_numbers_that_are_not_verified_may_be_kept_out(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, login_needs_phone=True, sms_limits=False) as api:
        await signed_up(api, ANN)
        by_number = {**TO_PHONE, "password": ANN["password"]}
        assert (await api("POST", "/1.1/login", by_number)).json == error(215)
        await api("POST", "/1.1/requestSmsCode", TO_PHONE)
        by_code = {**TO_PHONE, "smsCode": code_in(api)}
        assert (await api("POST", "/1.1/login", by_code)).json == error(215)
        by_name = {"username": "ann", "password": ANN["password"]}
        assert (await api("POST", "/1.1/login", by_name)).status == 200
        api.emulator.inbox.clear()
        await verified_phone(api)
        assert (await api("POST", "/1.1/login", by_number)).status == 200


@pytest.mark.parametrize(
    ("more", "username", "has_password"),
    [
        ({}, PHONE, False),
        ({"username": "mia", "n": 5}, "mia", False),
        ({"password": "pw-of-mia"}, PHONE, True),
        ({"username": "", "emailVerified": True, "sessionToken": "x"}, PHONE, False),
    ],
    ids=str,
)
async def test_signing_up_by_number(
    more: dict[str, Any], username: str, has_password: bool, tmp_path: Path
) -> None:
    engine = FakeEngine({"_User.beforeSave": lambda sent: {}, "_User.onLogin": lambda sent: {}})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/requestSmsCode", TO_PHONE)
        made = await api(
            "POST", "/1.1/usersByMobilePhone", {**TO_PHONE, "smsCode": code_in(api), **more}
        )
        assert made.status == 201
        assert made.headers["Location"] == f"/1.1/classes/_User/{made.json['objectId']}"
        kept = {"n": 5} if "n" in more else {}
        assert made.json == {
            "objectId": ANY_ID,
            "username": username,
            "mobilePhoneNumber": PHONE,
            "mobilePhoneVerified": True,
            "emailVerified": False,
            "sessionToken": ANY_TOKEN,
            "createdAt": ANY_DATE,
            "updatedAt": ANY_DATE,
            **kept,
        }
        assert engine.fired() == ["_User.beforeSave"]
        login = await api("POST", "/1.1/login", {**TO_PHONE, "password": "pw-of-mia"})
        assert login.status == (200 if has_password else 400)


async def test_who_is_known_signs_in_by_number(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = await signed_up(api, {**ANN, "mobilePhoneNumber": "13800000000"})
        await api("POST", "/1.1/requestSmsCode", TO_PHONE)
        body = {**TO_PHONE, "smsCode": code_in(api), "password": "ignored", "username": "ignored"}
        answer = await api("POST", "/1.1/usersByMobilePhone", body)
        assert answer.status == 200
        assert answer.json == With(
            {
                "objectId": user["objectId"],
                "username": "ann",
                "sessionToken": user["sessionToken"],
                "mobilePhoneVerified": True,
            }
        )
        assert (await api("POST", "/1.1/login", ANN)).status == 200


@pytest.mark.parametrize("code", [None, 5, "000"])
async def test_signing_up_with_a_wrong_code(code: Any, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api("POST", "/1.1/requestSmsCode", TO_PHONE)
        answer = await api("POST", "/1.1/usersByMobilePhone", {**TO_PHONE, "smsCode": code})
        assert (answer.status, answer.json) == (400, error(603))


async def test_a_forgotten_password(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = await signed_up(api, ANN)
        asked = await api("POST", "/1.1/requestPasswordResetBySmsCode", TO_PHONE)
        assert asked.json == error(215)
        await verified_phone(api)
        await api("POST", "/1.1/requestPasswordResetBySmsCode", {**TO_PHONE, "ttl": 3})
        path = f"/1.1/resetPasswordBySmsCode/{code_in(api)}"
        for body, code in (({}, 201), ({"password": " "}, 218), ({"password": 5}, 201)):
            assert (await api("PUT", path, body)).json == error(code)
        wrong = "/1.1/resetPasswordBySmsCode/0"
        assert (await api("PUT", wrong, {"password": "x"})).json == error(603)
        body = {**TO_PHONE, "password": "another"}
        reset = await api("PUT", path, body)
        assert reset.json == {"objectId": user["objectId"], "updatedAt": ANY_DATE}
        assert (await api("PUT", path, body)).json == error(603)
        assert (await api("GET", "/1.1/users/me", headers=session_of(user))).json == error(211)
        assert (await api("POST", "/1.1/login", ANN)).json == error(210)
        assert (await api("POST", "/1.1/login", {**ANN, "password": "another"})).status == 200


async def test_changing_the_number(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = await signed_up(api, ANN)
        await signed_up(api, {**BOB, "mobilePhoneNumber": "+8613911111111"})
        own = session_of(user)
        new = {"mobilePhoneNumber": OTHER}
        assert (await api("POST", "/1.1/requestChangePhoneNumber", new)).json == error(206)
        taken = {"mobilePhoneNumber": "13911111111"}
        asked = await api("POST", "/1.1/requestChangePhoneNumber", taken, headers=own)
        assert asked.json == error(214)
        asked = await api("POST", "/1.1/requestChangePhoneNumber", new, headers=own)
        assert asked.json == {}
        code = code_in(api)
        for body in ({**new, "code": "0"}, new, {**TO_PHONE, "code": code}):
            changed = await api("POST", "/1.1/changePhoneNumber", body, headers=own)
            assert changed.json == error(603)
        changed = await api("POST", "/1.1/changePhoneNumber", {**new, "code": code}, headers=own)
        assert changed.json == {}
        me = await api("GET", "/1.1/users/me", headers=own)
        assert me.json == With({"mobilePhoneNumber": OTHER, "mobilePhoneVerified": True})


async def test_a_code_for_a_new_number_is_its_askers_alone(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, sms_limits=False) as api:
        ann, bob = await signed_up(api, ANN), await signed_up(api, BOB)
        new = {"mobilePhoneNumber": OTHER}
        await api("POST", "/1.1/requestChangePhoneNumber", new, headers=session_of(ann))
        body = {**new, "code": code_in(api)}
        stolen = await api("POST", "/1.1/changePhoneNumber", body, headers=session_of(bob))
        assert stolen.json == error(603)
        api.emulator.inbox.clear()
        # the documentation's own sample sends no session
        await api("POST", "/1.1/requestChangePhoneNumber", new, headers=session_of(ann))
        body = {**new, "code": code_in(api)}
        assert (await api("POST", "/1.1/changePhoneNumber", body)).json == {}
        assert await api.read("_User", ann["objectId"]) == With(new)


async def test_a_number_taken_meanwhile(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ann = await signed_up(api, ANN)
        new = {"mobilePhoneNumber": OTHER}
        await api("POST", "/1.1/requestChangePhoneNumber", new, headers=session_of(ann))
        body = {**new, "code": code_in(api)}
        await signed_up(api, {**BOB, "mobilePhoneNumber": OTHER})
        changed = await api("POST", "/1.1/changePhoneNumber", body, headers=session_of(ann))
        assert changed.json == error(214)


async def test_a_code_that_always_works(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, sms_code="246810") as api:
        await api("POST", "/1.1/requestSmsCode", TO_PHONE)
        assert code_in(api) == "246810"
        for _ in range(2):
            checked = await api("POST", "/1.1/verifySmsCode/246810", TO_PHONE)
            assert checked.status == 200
        made = await api("POST", "/1.1/usersByMobilePhone", {**TO_PHONE, "smsCode": "246810"})
        assert made.status == 201
        login = await api("POST", "/1.1/login", {**TO_PHONE, "smsCode": "246810"})
        assert login.status == 200
        own = session_of(login.json)
        new = {"mobilePhoneNumber": OTHER, "code": "246810"}
        assert (await api("POST", "/1.1/changePhoneNumber", new)).json == error(603)
        assert (await api("POST", "/1.1/changePhoneNumber", new, headers=own)).json == {}
        wrong = await api("POST", "/1.1/verifySmsCode/246811", TO_PHONE)
        assert wrong.json == error(603)


async def test_both_spellings_of_a_number_are_one(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, {**ANN, "mobilePhoneNumber": "13800000000"})
        taken = await api("POST", "/1.1/users", {**BOB, "mobilePhoneNumber": PHONE})
        assert taken.json == error(214)
        login = await api("POST", "/1.1/login", {**TO_PHONE, "password": ANN["password"]})
        assert login.status == 200


async def test_nothing_of_it_without_keys(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for method, path in (*NEEDS_NUMBER, ("GET", "requestCaptcha"), ("POST", "verifyCaptcha")):
            answer = await api(method, f"/1.1/{path}", TO_PHONE, headers={})
            assert answer.status == 401


async def test_in_a_batch(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api("POST", "/1.1/requestSmsCode", TO_PHONE)
        code = code_in(api)
        member = {"method": "POST", "path": f"/1.1/verifySmsCode/{code}", "body": TO_PHONE}
        answer = await api("POST", "/1.1/batch", {"requests": [member, member]})
        assert answer.json == [{"success": {}}, {"error": error(603)}]
        traces = await api("GET", "/__emu/traces", headers=MASTER)
        assert code.encode() not in traces.body
