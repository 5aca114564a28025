"""Finding a hook that belongs to no write by what people call it, and a payload to try it with."""

from collections.abc import Iterator, Mapping

from lean_emulator.base.jsontext import Json
from lean_emulator.model.im_hooks import IM_HOOKS, SAMPLES
from lean_emulator.model.special_hooks import (
    ACCOUNT_HOOKS,
    ON_AUTH_DATA,
    ON_COMPLETE,
    SpecialHook,
)

SPECIAL_HOOKS = (*ACCOUNT_HOOKS, ON_COMPLETE, *IM_HOOKS.values())
"""All nineteen, in the order of the documentation."""

_USER: dict[str, Json] = {
    "objectId": "5789a33a1b8694ad267d8041",
    "username": "Tom",
    "email": "tom@example.com",
    "mobilePhoneNumber": "+8613800000000",
    "emailVerified": True,
    "mobilePhoneVerified": True,
    "createdAt": "2016-08-26T08:39:56.764Z",
    "updatedAt": "2016-08-26T08:39:56.764Z",
}
_AUTH_DATA: dict[str, Json] = {
    "weixin": {"openid": "oTY851cqL0gk3DqW3xINqy1Q4PTc", "access_token": "…", "expires_in": 7200}
}
_JOB: dict[str, Json] = {"id": "5789a33a1b8694ad267d8042", "status": "OK", "message": ""}


def sample_of(hook: SpecialHook) -> dict[str, Json]:
    """What the hook may be tried with: a user, authData, or the parameters."""
    if hook.group == "message":
        return dict(SAMPLES[hook.metadata_name])
    if hook is ON_AUTH_DATA:
        return dict(_AUTH_DATA)
    return dict(_JOB if hook is ON_COMPLETE else _USER)


def payload_of(hook: SpecialHook, given: Mapping[str, Json]) -> dict[str, Json]:
    """The body of the call: a user goes in as ``object``, authData as ``authData``."""
    if hook is ON_AUTH_DATA:
        wrapped = given.keys() == {"authData"}
        return {"authData": given["authData"] if wrapped else dict(given)}
    return {"object": dict(given)} if takes_user(hook) else dict(given)


def takes_user(hook: SpecialHook) -> bool:
    """Whether the hook is about a user that may be stored."""
    return hook.marked_object


def special_hook(*names: str) -> SpecialHook | None:
    """The hook that one or two names mean, in any order and in any SDK's spelling.

    ``("_User", "onLogin")``, ``("on_verified", "sms")``, ``("onIMMessageReceived",)``. ``None``
    for anything else, class hooks among them.
    """
    return _BY_NAMES.get(frozenset(_plain(name) for name in names if name))


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()


def _spellings(hook: SpecialHook) -> Iterator[frozenset[str]]:
    word = _plain(hook.word)
    if hook.group == "message":
        yield frozenset({word})
        yield frozenset({f"onim{word.removeprefix('rtm')}"})
        return
    if hook.word != "onVerified":
        yield frozenset({word})
    yield frozenset({word, _plain(str(hook.of))})
    if hook is ON_COMPLETE:
        yield from (frozenset({word, "insight"}), frozenset({"oninsight"}))
        yield from (frozenset({"oninsight", "end"}), frozenset({"onbigquery", "end"}))


_BY_NAMES = {spelling: hook for hook in SPECIAL_HOOKS for spelling in _spellings(hook)}
