"""Anything in place of a name, a number or a password: answered, and no failure of ours."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import ANN, session_of, signed_up
from tests.support.api import MASTER, running_api

VALUES: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, "", " ", "x", "\u0000", "\ud800", "'", "{{code}}", "a" * 5_000,
    "+8613800000000", "ann@example.com", [], ["x"], {}, {"__op": "Delete"},
    {"__op": "Increment", "amount": 1}, {"__type": "Date", "iso": "no"}, {"$ne": 1},
]  # fmt: skip
MEMBERS = (
    "username", "password", "email", "mobilePhoneNumber", "smsCode", "old_password",
    "new_password", "code", "ttl", "template", "smsType", "validate_token", "captcha_token",
    "captcha_code", "emailVerified", "sessionToken", "salt",
)  # fmt: skip
ROUTES = [
    ("POST", "users"),
    ("POST", "login"),
    ("POST", "usersByMobilePhone"),
    ("PUT", "users/{ann}"),
    ("PUT", "users/{ann}/updatePassword"),
    ("PUT", "users/{ann}/refreshSessionToken"),
    ("POST", "requestEmailVerify"),
    ("POST", "requestPasswordReset"),
    ("POST", "requestSmsCode"),
    ("POST", "verifySmsCode/x"),
    ("POST", "requestMobilePhoneVerify"),
    ("POST", "verifyMobilePhone/x"),
    ("POST", "requestLoginSmsCode"),
    ("POST", "requestPasswordResetBySmsCode"),
    ("PUT", "resetPasswordBySmsCode/x"),
    ("POST", "requestChangePhoneNumber"),
    ("POST", "changePhoneNumber"),
    ("POST", "verifyCaptcha"),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("captcha", [False, True], ids=["", "captcha"])
@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[path for _, path in ROUTES])
async def test_members_that_are_anything(
    method: str, path: str, captcha: bool, tmp_path: Path
) -> None:
    usual = {**ANN, "smsCode": "1", "code": "1", "old_password": "x", "new_password": "y"}
    async with running_api(project=tmp_path, sms_code="123456", captcha=captcha) as api:
        user = await signed_up(api, ANN)
        path = f"/1.1/{path.replace('{ann}', user['objectId'])}"
        for headers in (session_of(user), MASTER):
            for member in MEMBERS:
                for value in VALUES:
                    answer = await api(method, path, {**usual, member: value}, headers=headers)
                    assert answer.status < 500 or answer.status == 501, (member, value, answer.body)
            for body in (b"[]", b"5", b'"x"', b"null", b"{", b""):
                answer = await api(method, path, raw=body, headers=headers)
                assert answer.status < 500, (body, answer.body)
