"""What the platform would make of a hook's answer (engine.md 2.8–2.11, 6.2)."""

from typing import Any

import pytest

from lean_emulator.model.hook_answers import explain, explain_class_hook
from lean_emulator.model.hook_samples import SPECIAL_HOOKS, sample_of, special_hook
from lean_emulator.model.hooknames import HookKind
from lean_emulator.model.special_hooks import SpecialHook

USUAL = "The platform goes on as usual."
ALLOWED, DENIED = "The client may log in.", "The client may not log in."


def named(name: str) -> SpecialHook:
    hook = special_hook(*name.split())
    assert hook is not None
    return hook


def said(name: str, result: Any, **params: Any) -> tuple[str, list[str]]:
    """The effect, and what is wrong, of an answer with this result."""
    hook = named(name)
    remarks = explain(hook, params or sample_of(hook), 200, {"result": result})
    effects = [remark.text.en for remark in remarks if not remark.wrong]
    assert len(effects) == 1
    return effects[0], [remark.text.en for remark in remarks if remark.wrong]


RIGHT: list[tuple[str, Any, str]] = [
    ("_messageReceived", {}, USUAL),
    ("_messageReceived", None, USUAL),
    ("_messageReceived", {"drop": False}, USUAL),
    ("_messageReceived", {"drop": True}, "Refused: the client gets error 4402."),
    (
        "_messageReceived",
        {"drop": True, "code": 123, "detail": "rude"},
        'Refused: the client gets error 4402 with {"code": 123, "detail": "rude"}.',
    ),
    (
        "_messageReceived",
        {"content": "***", "toPeers": ["A"]},
        "The returned values take the place of the given ones: content, toPeers.",
    ),
    (
        "_messageReceived",
        {"bin": True, "content": "aGVsbG8="},
        "The returned values take the place of the given ones: bin, content.",
    ),
    ("_messageUpdate", {"drop": 1}, "Refused: the client gets error 4405."),
    ("_receiversOffline", {"skip": True}, "No push is sent."),
    (
        "_receiversOffline",
        {"offlinePeers": [], "pushMessage": '{"alert":"hi"}', "force": True},
        "The returned values take the place of the given ones: offlinePeers, pushMessage, force.",
    ),
    ("_conversationStart", {"reject": True}, "Refused: the client gets error 4305."),
    ("_conversationAdd", {"reject": False}, USUAL),
    (
        "_conversationRemove",
        {"reject": True, "code": 9},
        'Refused: the client gets error 4305 with {"code": 9}.',
    ),
    (
        "_conversationUpdate",
        {"attr": {"name": "x"}},
        "The returned values take the place of the given ones: attr.",
    ),
    ("_rtmClientSign", {"result": True}, ALLOWED),
    ("_rtmClientSign", {"result": False, "error": "no"}, DENIED),
    ("_User onLogin", None, "The user is logged in."),
    ("_User onAuthData", None, "The given authData is used."),
    (
        "_User onAuthData",
        {"weixin": {"openid": "1"}},
        "The returned authData takes the place of the given one: weixin.",
    ),
    ("onVerified sms", "whatever", "The platform does not look at the answer."),
    ("BigQuery onComplete", 5, "The platform does not look at the answer."),
    *(
        (name, {"drop": True}, "A notification: the platform does not look at the answer.")
        for name in ("_messageSent", "_clientOnline", "_conversationAdded")
    ),
]


@pytest.mark.parametrize(("name", "result", "effect"), RIGHT)
def test_answers_that_are_right(name: str, result: Any, effect: str) -> None:
    assert said(name, result) == (effect, [])


WRONG: list[tuple[str, Any, str, str]] = [
    ("_messageReceived", "ok", USUAL, 'Return an object; "ok" does not count.'),
    ("_messageReceived", [1], USUAL, "Return an object; [1] does not count."),
    ("_messageReceived", True, USUAL, "Return an object; true does not count."),
    (
        "_messageReceived",
        {"droop": True},
        USUAL,
        "'droop' means nothing here. Did you mean 'drop'?",
    ),
    (
        "_messageReceived",
        {"reject": True},
        USUAL,
        "'reject' means nothing here. Known: drop, code, detail, bin, content, toPeers.",
    ),
    ("_messageReceived", {"code": 1}, USUAL, "'code' counts only together with 'drop'."),
    (
        "_messageReceived",
        {"drop": True, "code": "1"},
        'Refused: the client gets error 4402 with {"code": "1"}.',
        "'code' must be a whole number, it is \"1\".",
    ),
    (
        "_messageReceived",
        {"drop": True, "content": "x"},
        "Refused: the client gets error 4402.",
        "'content' has no effect beside 'drop'.",
    ),
    (
        "_messageReceived",
        {"drop": "false"},
        "Refused: the client gets error 4402.",
        "'drop' is a text, and any text counts as true, 'false' too.",
    ),
    (
        "_messageReceived",
        {"content": {"_lctext": "x"}},
        USUAL,
        '\'content\' must be a text, it is {"_lctext": "x"}.',
    ),
    (
        "_messageReceived",
        {"toPeers": "A"},
        USUAL,
        "'toPeers' must be a list of texts, it is \"A\".",
    ),
    ("_messageReceived", {"toPeers": [1]}, USUAL, "'toPeers' must be a list of texts, it is [1]."),
    (
        "_messageReceived",
        {"bin": True, "content": "not base64!"},
        "The returned values take the place of the given ones: bin, content.",
        "With bin the content must be base64 text.",
    ),
    (
        "_receiversOffline",
        {"pushMessage": {"alert": "hi"}},
        USUAL,
        '\'pushMessage\' must be a text that holds JSON, it is {"alert": "hi"}.',
    ),
    (
        "_receiversOffline",
        {"pushMessage": "hi"},
        USUAL,
        "'pushMessage' must be a text that holds JSON, it is \"hi\".",
    ),
    (
        "_conversationUpdate",
        {"mute": True},
        USUAL,
        "'mute' was not to be changed, so it has no effect.",
    ),
    (
        "_rtmClientSign",
        True,
        DENIED,
        'Return {"result": true} to allow, {"result": false, "error": "…"} to refuse.',
    ),
    (
        "_rtmClientSign",
        {"result": False, "error": 5},
        DENIED,
        "'error' must be a text, it is 5.",
    ),
    (
        "_User onAuthData",
        "yes",
        "The given authData is used.",
        'Return the authData as an object; "yes" does not count.',
    ),
    (
        "_User onAuthData",
        {"weixin": 5},
        "The returned authData takes the place of the given one: weixin.",
        "authData of 'weixin' must be an object, it is 5.",
    ),
]


@pytest.mark.parametrize(("name", "result", "effect", "wrong"), WRONG)
def test_answers_that_mean_something_else(name: str, result: Any, effect: str, wrong: str) -> None:
    assert said(name, result) == (effect, [wrong])


def test_of_attr_and_mute_only_the_one_that_was_asked_for_counts() -> None:
    effect, wrong = said("_conversationUpdate", {"mute": True, "attr": {}}, mute=False)
    assert effect == "The returned values take the place of the given ones: mute."
    assert wrong == ["'attr' was not to be changed, so it has no effect."]


FAILED = [
    ("_User onLogin", False, "The log-in is refused: the client gets HTTP 401, code 142."),
    ("_User onAuthData", False, "The log-in or link is refused"),
    ("onVerified email", True, "The failure is only logged"),
    ("_messageSent", True, "The failure is only logged"),
    ("_messageReceived", True, 'an error is no refusal here. Return {"drop": true} to refuse.'),
    ("_conversationStart", True, 'Return {"reject": true} to refuse.'),
    ("_rtmClientSign", True, 'Return {"result": false} to refuse.'),
]


@pytest.mark.parametrize(("name", "wrong", "text"), FAILED)
@pytest.mark.parametrize("status", [400, 500, 503])
def test_a_failure_is_a_refusal_to_some_only(
    name: str, wrong: bool, text: str, status: int
) -> None:
    (remark,) = explain(named(name), {}, status, {"code": 1, "error": "no"})
    assert text in remark.text.en
    assert remark.wrong is wrong


CLASS_HOOKS: list[tuple[HookKind, int, Any, str]] = [
    (HookKind.BEFORE_SAVE, 200, {"n": 1}, "This is what gets stored."),
    (HookKind.BEFORE_SAVE, 200, {"result": "ok"}, "what the client sent gets stored."),
    (HookKind.BEFORE_SAVE, 200, {}, "what the client sent gets stored."),
    (HookKind.BEFORE_SAVE, 200, None, "what the client sent gets stored."),
    (HookKind.BEFORE_SAVE, 400, {"error": "no"}, "HTTP 400, code 142"),
    (HookKind.BEFORE_UPDATE, 200, {"n": 1}, "no afterUpdate follows"),
    (HookKind.BEFORE_DELETE, 200, {}, "The object is deleted."),
    (HookKind.BEFORE_DELETE, 500, {}, "The write is refused"),
    (HookKind.AFTER_SAVE, 200, {"result": "ok"}, "does not look at the answer"),
    (HookKind.AFTER_DELETE, 500, {}, "The failure is only logged"),
]


@pytest.mark.parametrize(("kind", "status", "body", "text"), CLASS_HOOKS)
def test_hooks_of_classes(kind: HookKind, status: int, body: Any, text: str) -> None:
    (remark,) = explain_class_hook(kind, status, body)
    assert text in remark.text.en
    assert remark.wrong is (not kind.is_before and status >= 300)


@pytest.mark.parametrize("hook", SPECIAL_HOOKS, ids=lambda hook: hook.title)
@pytest.mark.parametrize("body", [None, 5, "done", [], {}, {"result": {"x": [None]}}])
def test_whatever_comes_has_one_effect_in_both_languages(hook: SpecialHook, body: Any) -> None:
    remarks = explain(hook, sample_of(hook), 200, body)
    assert sum(not remark.wrong for remark in remarks) == 1
    assert all(remark.text.en and remark.text.zh for remark in remarks)
