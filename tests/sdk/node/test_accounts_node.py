"""Hooks of accounts and messages with the official SDK from npm as cloud code.

The same scenarios as in ``tests/sdk/python/test_account_hooks.py``, driven by plain REST and by the
command line.
"""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from emu_process import Emulator
from node_packages import INSTALL_SECONDS, copied_with_packages, needs_node

pytestmark = [pytest.mark.timeout(INSTALL_SECONDS + 60), needs_node]


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("accounts-node")
    emulator = Emulator(copied_with_packages("accounts-node", folder))
    yield emulator
    emulator.stop()


@pytest.fixture
def emu(accounts: Emulator) -> Emulator:
    accounts.forget()
    return accounts


def ask(emu: Emulator, path: str, body: Any) -> requests.Response:
    headers = {"X-LC-Id": emu.keys["app_id"], "X-LC-Key": emu.keys["app_key"]}
    return requests.post(f"{emu.api_url}/1.1/{path}", json=body, headers=headers, timeout=30)


def hook(emu: Emulator, *words: str) -> dict[str, Any]:
    ran = emu.command("hook", *words, "--json")
    assert ran.stdout, ran.stderr
    return {**json.loads(ran.stdout), "err": ran.stderr}


def test_on_login_runs_and_refuses(emu: Emulator) -> None:
    name = uuid.uuid4().hex
    credentials = {"username": name, "password": "correct"}
    assert ask(emu, "users", credentials).status_code == 201
    assert ask(emu, "login", credentials).status_code == 200
    assert emu.fired() == {"beforeSave _User": 1, "onLogin _User": 1}

    blocked = {"username": f"{name}-b", "password": "correct"}
    assert ask(emu, "users", {**blocked, "blocked": True}).status_code == 201
    refused = ask(emu, "login", blocked)
    assert refused.status_code == 401
    assert refused.json() == {
        "code": 142,
        "error": "Cloud Code validation failed. Error detail : this account is blocked",
    }


def test_on_auth_data_changes_and_refuses(emu: Emulator) -> None:
    uid = uuid.uuid4().hex
    made = ask(emu, "users", {"authData": {"code": {"uid": uid}}})
    assert made.status_code == 201
    assert made.json()["authData"] == {"weixin": {"openid": uid, "access_token": "of-code"}}
    assert emu.fired() == {"onAuthData _User": 1, "beforeSave _User": 1}

    assert ask(emu, "users", {"authData": {"code": {"uid": uid}}}).status_code == 200
    refused = ask(emu, "users", {"authData": {"weixin": {"openid": "stolen"}}})
    assert (refused.status_code, refused.json()["code"]) == (400, 142)


def test_hooks_are_called_from_the_command_line(emu: Emulator) -> None:
    name = uuid.uuid4().hex
    ask(emu, "users", {"username": name, "password": "correct"})
    assert f"phone of {name}: false" in hook(emu, "onVerified", "sms", "--user", name)["err"]
    assert hook(emu, "Insight", "onComplete")["body"] == "done"

    dropped = hook(emu, "onIMMessageReceived", "--params", "{content: 'rude', fromPeer: 'Tom'}")
    assert dropped["body"]["result"]["detail"] == "no rude words, Tom"
    assert "the client gets error 4402" in dropped["remarks"][0]["en"]
    assert hook(emu, "_clientOnline")["body"] == {}
