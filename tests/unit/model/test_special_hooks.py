"""Hooks that belong to no write: their names, marks and samples (engine.md 2.3, 3.2, 6.1)."""

import pytest

from lean_emulator.base.jsontext import Json
from lean_emulator.base.signing import hook_mark, verify_hook_mark
from lean_emulator.model.hook_samples import (
    SPECIAL_HOOKS,
    payload_of,
    sample_of,
    special_hook,
    takes_user,
)
from lean_emulator.model.im_hooks import IM_HOOKS
from lean_emulator.model.special_hooks import ON_AUTH_DATA, ON_COMPLETE, ON_LOGIN, ON_VERIFIED

AT = 1472200796787
MARKS = {
    "__on_login__User": "d4dac2e9e0cd6704b9bc18e2771ce858f9b47082",
    "__on_verified_sms": "2b4b01cdb5ac1ac48d91f77bde8020b002ceb5f9",
    "__on_verified_email": "1dbf705cd1d91f8e28b14b8c84896aea8d4551df",
    "__on_authdata__User": "c1a0c03c2d033c225207ed035bd3373b487e701f",
    "__on_complete_bigquery_job": "0e5eddb87a15ce201844f6e87327a617752a9134",
    "_messageReceived": "7d5e2d2ad26573a3fb49da1859fdac595c60417c",
}
"""Signatures with the key ``masterkey`` at ``AT``, from engine.md 3.2."""
PATHS = {
    "__on_login__User": "_User/onLogin",
    "__on_authdata__User": "_User/onAuthData",
    "__on_verified_sms": "onVerified/sms",
    "__on_verified_email": "onVerified/email",
    "__on_complete_bigquery_job": "BigQuery/onComplete",
    "_clientOnline": "_clientOnline",
}


@pytest.mark.parametrize(("name", "signature"), MARKS.items())
def test_marks_are_made_for_the_metadata_name(name: str, signature: str) -> None:
    (hook,) = [hook for hook in SPECIAL_HOOKS if hook.metadata_name == name]
    mark = hook_mark("masterkey", hook.metadata_name, AT)
    assert mark == f"{AT},{signature}"
    assert verify_hook_mark("masterkey", (hook.metadata_name,), mark, AT)


@pytest.mark.parametrize(("name", "path"), PATHS.items())
def test_paths(name: str, path: str) -> None:
    (hook,) = [hook for hook in SPECIAL_HOOKS if hook.metadata_name == name]
    assert hook.path == f"/1.1/functions/{path}"


def test_there_are_fourteen_for_messages_and_five_others() -> None:
    assert len(IM_HOOKS) == 14
    assert len(SPECIAL_HOOKS) == len({hook.metadata_name for hook in SPECIAL_HOOKS}) == 19
    notified = [name for name, hook in IM_HOOKS.items() if not hook.blocking]
    assert notified == [
        "_messageSent",
        "_conversationStarted",
        "_conversationAdded",
        "_conversationRemoved",
        "_clientOnline",
        "_clientOffline",
    ]


@pytest.mark.parametrize("hook", SPECIAL_HOOKS, ids=lambda hook: hook.title)
def test_each_has_a_sample_and_the_mark_where_old_engines_look(hook: object) -> None:
    assert hook in SPECIAL_HOOKS
    found = SPECIAL_HOOKS[SPECIAL_HOOKS.index(hook)]
    payload = payload_of(found, sample_of(found))
    signed = found.signed(payload, "mark")
    if takes_user(found):
        assert payload.keys() == {"object"}
        assert signed == {"object": {**sample_of(found), "__sign": "mark"}}
    else:
        assert signed == {**payload, "__sign": "mark"}
    assert "__sign" not in str(payload)


def test_auth_data_may_be_given_bare_or_wrapped() -> None:
    account: dict[str, Json] = {"weixin": {"openid": "1"}}
    wrapped: dict[str, Json] = {"authData": account}
    assert payload_of(ON_AUTH_DATA, account) == wrapped == payload_of(ON_AUTH_DATA, wrapped)


@pytest.mark.parametrize(
    ("names", "hook"),
    [
        (("_User", "onLogin"), ON_LOGIN),
        (("onLogin", ""), ON_LOGIN),
        (("on_login",), ON_LOGIN),
        (("_User", "onAuthData"), ON_AUTH_DATA),
        (("onVerified", "sms"), ON_VERIFIED["sms"]),
        (("sms", "onVerified"), ON_VERIFIED["sms"]),
        (("on_verified", "email"), ON_VERIFIED["email"]),
        (("BigQuery", "onComplete"), ON_COMPLETE),
        (("Insight", "onComplete"), ON_COMPLETE),
        (("onComplete",), ON_COMPLETE),
        (("on_insight", "end"), ON_COMPLETE),
        (("_messageReceived",), IM_HOOKS["_messageReceived"]),
        (("messageReceived",), IM_HOOKS["_messageReceived"]),
        (("onIMMessageReceived",), IM_HOOKS["_messageReceived"]),
        (("onIMClientSign",), IM_HOOKS["_rtmClientSign"]),
        (("onVerified",), None),
        (("Review", "onLogin"), None),
        (("Review", "beforeSave"), None),
        ((), None),
    ],
)
def test_they_are_found_by_what_people_call_them(names: tuple[str, ...], hook: object) -> None:
    assert special_hook(*names) is hook
