"""Hooks of accounts and messages with the official SDK as cloud code, accounts through its client.

The fixture project prints and refuses what these tests look for.
"""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import leancloud
import pytest
from emu_process import Emulator, copied, point_sdk_at


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(copied("accounts", tmp_path_factory.mktemp("accounts")))
    yield emulator
    emulator.stop()


@pytest.fixture
def emu(accounts: Emulator) -> Emulator:
    point_sdk_at(accounts)
    accounts.forget()
    return accounts


def fresh(name: str) -> str:
    """A name that no other test uses."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


def signed_up(**fields: object) -> leancloud.User:
    user = leancloud.User()
    user.set({"username": fresh("ann"), "password": "correct", **fields})
    user.sign_up()
    return user


def log_in(user: leancloud.User) -> leancloud.User:
    found = leancloud.User()
    found.login(user.get_username(), "correct")
    return found


def printed(emu: Emulator) -> list[str]:
    return [line["text"].strip() for step in emu.steps() for line in step.get("prints") or []]


def test_a_log_in_asks_on_login(emu: Emulator) -> None:
    user = signed_up()
    emu.forget()

    assert log_in(user).id == user.id
    assert emu.fired() == {"onLogin _User": 1}
    assert f"login of {user.get_username()}" in printed(emu)


def test_on_login_refuses(emu: Emulator) -> None:
    user = signed_up(blocked=True)

    with pytest.raises(leancloud.LeanCloudError) as refused:
        log_in(user)

    assert refused.value.code == 142
    assert refused.value.error == (
        "Cloud Code validation failed. Error detail : this account is blocked"
    )


def test_becoming_somebody_is_no_log_in(emu: Emulator) -> None:
    token = signed_up().get_session_token()
    emu.forget()

    assert leancloud.User.become(token).get_session_token() == token
    assert emu.fired() == {}


def test_an_account_signs_up_once_and_then_logs_in(emu: Emulator) -> None:
    account = {"openid": fresh("w"), "access_token": "t", "expires_in": 7200}
    first = leancloud.User.login_with("weixin", account)
    assert emu.fired() == {"onAuthData _User": 1, "beforeSave _User": 1}
    emu.forget()

    again = leancloud.User.login_with("weixin", {**account, "access_token": "newer"})

    assert again.id == first.id
    assert again.get_session_token() == first.get_session_token()
    assert again.get("authData")["weixin"]["access_token"] == "newer"
    assert emu.fired() == {"onAuthData _User": 1, "onLogin _User": 1}


def test_on_auth_data_refuses_and_changes(emu: Emulator) -> None:
    with pytest.raises(leancloud.LeanCloudError) as refused:
        leancloud.User.login_with("weixin", {"openid": "stolen"})
    assert refused.value.code == 142

    uid = fresh("c")
    user = leancloud.User.login_with("code", {"uid": uid})
    assert user.get("authData")["weixin"] == {"openid": uid, "access_token": "of-code"}


def test_accounts_are_linked_and_unlinked(emu: Emulator) -> None:
    user = signed_up()
    github = {"uid": fresh("g"), "access_token": "t"}
    user.link_with("github", github)
    user.link_with("weixin", {"openid": fresh("w")})

    assert leancloud.User.login_with("github", github).id == user.id
    user.unlink_from("github")
    stranger = leancloud.User.login_with("github", github)
    assert stranger.id != user.id


def test_an_account_belongs_to_one_user(emu: Emulator) -> None:
    github = {"uid": fresh("g")}
    signed_up().link_with("github", github)

    with pytest.raises(leancloud.LeanCloudError) as refused:
        signed_up().link_with("github", github)

    assert refused.value.code == 137


def test_an_anonymous_user_becomes_somebody(emu: Emulator) -> None:
    user = leancloud.User.login_with("anonymous", {"id": str(uuid.uuid4())})
    weixin = {"openid": fresh("w")}
    user.link_with("weixin", weixin)

    known = leancloud.User.login_with("weixin", weixin)
    assert known.id == user.id
    assert "anonymous" not in known.get("authData")


def hook(emu: Emulator, *words: str) -> dict[str, Any]:
    ran = emu.command("hook", *words, "--json")
    assert ran.stdout, ran.stderr
    return {**json.loads(ran.stdout), "err": ran.stderr}


def test_hooks_are_called_from_the_command_line(emu: Emulator) -> None:
    user = signed_up()
    ran = hook(emu, "_User", "onLogin", "--user", user.get_username())
    assert ran["status"] == 200
    assert f"login of {user.get_username()}" in ran["err"]

    ran = hook(emu, "onVerified", "sms", "--user", user.id)
    assert (ran["status"], ran["body"]) == (200, {"result": None})
    assert f"phone of {user.get_username()}: False" in ran["err"]

    refused = hook(emu, "onLogin", "--object", "{username: 'x', blocked: true}")
    assert (refused["status"], refused["body"]["error"]) == (400, "this account is blocked")


def test_hooks_of_messages_answer_and_are_explained(emu: Emulator) -> None:
    dropped = hook(emu, "_messageReceived", "--params", "{content: 'rude', fromPeer: 'Tom'}")
    assert dropped["body"]["result"]["drop"] is True
    assert "the client gets error 4402" in dropped["remarks"][0]["en"]

    changed = hook(emu, "_messageReceived", "--params", "{content: 'XX', fromPeer: 'Tom'}")
    assert changed["body"] == {"result": {"content": "**"}}
    assert [remark["wrong"] for remark in changed["remarks"]] == [False]

    started = hook(emu, "_conversationStart")
    assert [remark["wrong"] for remark in started["remarks"]] == [False, True], "detail, no reject"
    assert "Tom is online" in hook(emu, "_clientOnline")["err"]
    assert "ended: True" in hook(emu, "Insight", "onComplete")["err"]


def test_they_are_listed(emu: Emulator) -> None:
    listed = emu.command("hook", "--list").stdout.splitlines()
    assert listed == [
        "_User beforeSave",
        "_User onLogin",
        "_User onAuthData",
        "onVerified sms",
        "onVerified email",
        "BigQuery onComplete",
        "_messageReceived",
        "_conversationStart",
        "_clientOnline",
    ]


def test_no_client_calls_a_hook_of_messages(emu: Emulator) -> None:
    with pytest.raises(leancloud.LeanCloudError) as refused:
        leancloud.cloud.run("_messageReceived", content="x", fromPeer="y")

    assert refused.value.code == 401
