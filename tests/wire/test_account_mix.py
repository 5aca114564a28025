"""Accounts of other platforms together with names, addresses and passwords of our own."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import BOB, EMAIL, sent, session_of, signed_up
from tests.support.api import running_api
from tests.support.matchers import With, error

GITHUB = {"github": {"uid": "g1", "access_token": "t"}}
ANONYMOUS = {"anonymous": {"id": "655fe2aa"}}


async def test_signing_up_with_all_of_it(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        fields = {"username": "ann", "password": "pw-of-ann", "email": EMAIL}
        made = await api("POST", "/1.1/users", {**fields, "authData": GITHUB})
        assert made.status == 201
        assert made.json == With({"email": EMAIL, "emailVerified": False}, without=("password",))
        assert sent(api).to == EMAIL
        assert (await api("POST", "/1.1/login", fields)).status == 200


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"email": "none"}, 125), ({"mobilePhoneNumber": "1"}, 127), ({"username": "bob"}, 202)],
)
async def test_refusals(fields: dict[str, Any], code: int, tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, BOB)
        answer = await api("POST", "/1.1/users", {**fields, "authData": GITHUB})
        assert (answer.status, answer.json) == (400, error(code))


async def test_a_nameless_user_gets_a_name_and_a_password(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = (await api("POST", "/1.1/users", {"authData": ANONYMOUS})).json
        path, own = f"/1.1/users/{user['objectId']}", session_of(user)
        name = {"username": "ann", "password": "pw-of-ann", "email": EMAIL}
        changed = await api("PUT", path, name, headers=own)
        assert changed.status == 200
        assert sent(api).to == EMAIL
        stored = await api.emulator.storage.get("_User", user["objectId"])
        assert stored is not None
        assert len(str(stored["password"])) == 88
        assert "anonymous" not in (stored.get("authData") or {})
        login = await api("POST", "/1.1/login", name)
        assert login.status == 200
        assert login.json["sessionToken"] != user["sessionToken"]
        again = await api("POST", "/1.1/users", {"authData": ANONYMOUS})
        assert again.json["objectId"] != user["objectId"]


async def test_linking_with_a_new_password_and_address(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = await signed_up(api, BOB)
        path = f"/1.1/users/{user['objectId']}"
        body = {"authData": GITHUB, "password": "another", "email": EMAIL, "emailVerified": True}
        assert (await api("PUT", path, body, headers=session_of(user))).status == 200
        login = await api("POST", "/1.1/login", {"email": EMAIL, "password": "another"})
        assert login.json == With({"authData": GITHUB, "emailVerified": False})
        nobody = await api("PUT", path, body)
        assert nobody.json == error(206)
