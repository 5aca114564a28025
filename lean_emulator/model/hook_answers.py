"""What the platform would make of a hook's answer, said in a sentence (engine.md 2.8–2.11, 6.2)."""

import base64
import binascii
import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.model.hooknames import HookKind
from lean_emulator.model.im_hooks import CLIENT_SIGN, IGNORED, RULES, AnswerRule, Kind
from lean_emulator.model.special_hooks import ON_AUTH_DATA, ON_LOGIN, SpecialHook


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know of an answer; ``wrong`` where the code surely means something else."""

    text: Hint
    wrong: bool = False


_NOT_LOOKED_AT = Remark(Hint("The platform does not look at the answer.", "平台不会使用返回值。"))


def explain(
    hook: SpecialHook, payload: Mapping[str, Json], status: int, body: Json
) -> list[Remark]:
    """Remarks on an answer to ``payload``, the effect first. ``body`` is its JSON."""
    if status >= 300:
        return [_failed(hook)]
    if hook.group == "message":
        return [*_of_message_hook(hook, payload, body)]
    if hook is ON_LOGIN:
        return [_effect("The user is logged in.", "用户登录成功。")]
    if hook is ON_AUTH_DATA:
        return [*_of_auth_data(body)]
    return [_NOT_LOOKED_AT]


def explain_class_hook(kind: HookKind, status: int, body: Json) -> list[Remark]:
    """Remarks on the answer of a hook of a class, called alone (engine.md 2.7, 4.2–4.6)."""
    if not kind.is_before:
        failed = _wrong(
            "The failure is only logged; what is stored stays stored.",
            "失败仅记录到日志，已存储的内容不会撤销。",
        )
        return [_NOT_LOOKED_AT if status < 300 else failed]
    if status >= 300:
        return [
            _effect(
                "The write is refused: the client gets HTTP 400, code 142, and this text after "
                "“Cloud Code validation failed. Error detail : ”. The code of the hook is lost.",
                "写入被拒绝：客户端收到 HTTP 400、错误码 142，此文本位于 “Cloud Code validation "
                "failed. Error detail : ” 之后；hook 自己的错误码会丢失。",
            )
        ]
    if kind is HookKind.BEFORE_UPDATE:
        return [
            _effect(
                "The update goes on as the client sent it. Called alone, no afterUpdate follows.",
                "更新按客户端发送的内容进行。单独调用时不会触发 afterUpdate。",
            )
        ]
    if kind is HookKind.BEFORE_DELETE:
        return [_effect("The object is deleted.", "对象将被删除。")]
    if isinstance(body, dict) and body.keys() - {"result"}:
        return [_effect("This is what gets stored.", "这就是将被存储的对象。")]
    return [
        _effect(
            "The answer holds no object, so what the client sent gets stored.",
            "响应中没有对象，存储的是客户端发送的内容。",
        )
    ]


def _failed(hook: SpecialHook) -> Remark:
    if hook is ON_LOGIN:
        return _effect(
            "The log-in is refused: the client gets HTTP 401, code 142.",
            "登录被拒绝：客户端收到 HTTP 401，错误码 142。",
        )
    if hook is ON_AUTH_DATA:
        return _effect(
            "The log-in or link is refused: the client gets HTTP 400, code 142.",
            "登录或绑定被拒绝：客户端收到 HTTP 400，错误码 142。",
        )
    if not hook.blocking:
        return _wrong(
            "The failure is only logged; nothing that has happened is undone.",
            "失败仅记录到日志，已发生的操作不会撤销。",
        )
    return _wrong(
        "The platform goes on as if there were no hook: an error is no refusal here. "
        f"Return {{{_refusal_of(hook)}}} to refuse.",
        f"平台按没有 hook 处理：此处抛出错误不等于拒绝。要拒绝请返回 {{{_refusal_of(hook)}}}。",
    )


def _refusal_of(hook: SpecialHook) -> str:
    rule = RULES[hook.metadata_name]
    return '"result": false' if rule is CLIENT_SIGN else f'"{rule.verdict}": true'


def _of_auth_data(body: Json) -> Iterator[Remark]:
    result = body.get("result") if isinstance(body, dict) else body
    if isinstance(result, dict) and result:
        names = ", ".join(result)
        yield _effect(
            f"The returned authData takes the place of the given one: {names}.",
            f"返回的 authData 将替换传入的值：{names}。",
        )
        for platform, entry in result.items():
            if not isinstance(entry, dict):
                yield _wrong(
                    f"authData of '{platform}' must be an object, it is {_named(entry)}.",
                    f"“{platform}”的 authData 必须是对象，实际为 {_named(entry)}。",
                )
        return
    yield _effect("The given authData is used.", "使用传入的 authData。")
    if result not in (None, {}, "ok"):
        yield _wrong(
            f"Return the authData as an object; {_named(result)} does not count.",
            f"应以对象形式返回 authData；{_named(result)} 不起作用。",
        )


def _of_message_hook(
    hook: SpecialHook, payload: Mapping[str, Json], body: Json
) -> Iterator[Remark]:
    rule = RULES[hook.metadata_name]
    result = body.get("result") if isinstance(body, dict) else body
    if rule is IGNORED:
        yield _effect(
            "A notification: the platform does not look at the answer.",
            "这是通知类 hook：平台不会使用返回值。",
        )
        return
    if rule is CLIENT_SIGN:
        yield from _of_client_sign(result)
        return
    if result is None or result == {}:
        yield _by_default()
        return
    if not isinstance(result, dict):
        yield _by_default()
        yield _wrong(
            f"Return an object; {_named(result)} does not count.",
            f"应返回对象；{_named(result)} 不起作用。",
        )
        return
    yield from _of_members(hook, rule, payload, result)


def _by_default() -> Remark:
    return _effect("The platform goes on as usual.", "平台按默认方式处理。")


def _of_client_sign(result: Json) -> Iterator[Remark]:
    allowed = isinstance(result, dict) and result.get("result") is True
    if allowed:
        yield _effect("The client may log in.", "允许客户端登录。")
    else:
        yield _effect("The client may not log in.", "拒绝客户端登录。")
    if not isinstance(result, dict) or not isinstance(result.get("result"), bool):
        yield _wrong(
            'Return {"result": true} to allow, {"result": false, "error": "…"} to refuse.',
            '允许请返回 {"result": true}，拒绝请返回 {"result": false, "error": "…"}。',
        )
        return
    yield from _unknown_members(CLIENT_SIGN, result)
    if "error" in result and not isinstance(result["error"], str):
        yield _mistyped("error", "text", result["error"])


def _of_members(
    hook: SpecialHook, rule: AnswerRule, payload: Mapping[str, Json], result: dict[str, Json]
) -> Iterator[Remark]:
    verdict = str(rule.verdict)
    refused = bool(result.get(verdict))
    kinds = {**rule.told, **rule.replacing}
    mistyped = [n for n, kind in kinds.items() if n in result and not _IS[kind](result[n])]
    if refused:
        yield _effect(*_refused(hook, rule, result))
    else:
        used = [n for n in rule.replacing if n in result and n not in mistyped]
        used = [name for name in used if _was_asked(hook, payload, name)]
        yield _replaced(used) if used else _by_default()
    if result.get(verdict) and isinstance(result[verdict], str):
        yield _wrong(
            f"'{verdict}' is a text, and any text counts as true, '{result[verdict]}' too.",
            f"“{verdict}”是字符串；任何非空字符串都视为真，包括“{result[verdict]}”。",
        )
    yield from _unknown_members(rule, result)
    for name in mistyped:
        yield _mistyped(name, kinds[name], result[name])
    yield from _without_effect(hook, rule, payload, result, refused=refused)
    if result.get("bin") is True and not _is_base64(result.get("content", "")):
        yield _wrong(
            "With bin the content must be base64 text.",
            "bin 为 true 时 content 必须是 base64 文本。",
        )


def _refused(hook: SpecialHook, rule: AnswerRule, result: Mapping[str, Json]) -> tuple[str, str]:
    if rule.error is None:
        return "No push is sent.", "不发送推送。"
    told = {name: result[name] for name in rule.told if name in result}
    extra = f" with {json.dumps(told, ensure_ascii=False)}" if told else ""
    extra_zh = f"，附带 {json.dumps(told, ensure_ascii=False)}" if told else ""
    return (
        f"Refused: the client gets error {rule.error}{extra}.",
        f"已拒绝：客户端收到错误 {rule.error}{extra_zh}。",
    )


def _replaced(names: list[str]) -> Remark:
    listed = ", ".join(names)
    return _effect(
        f"The returned values take the place of the given ones: {listed}.",
        f"返回值将替换原值：{listed}。",
    )


def _without_effect(
    hook: SpecialHook,
    rule: AnswerRule,
    payload: Mapping[str, Json],
    result: Mapping[str, Json],
    *,
    refused: bool,
) -> Iterator[Remark]:
    """Members that are right in themselves and change nothing here."""
    for name in result:
        if name in rule.told and not refused:
            yield _wrong(
                f"'{name}' counts only together with '{rule.verdict}'.",
                f"“{name}”仅在“{rule.verdict}”为真时有效。",
            )
        elif name in rule.replacing and refused:
            yield _wrong(
                f"'{name}' has no effect beside '{rule.verdict}'.",
                f"“{rule.verdict}”为真时“{name}”不起作用。",
            )
        elif name in rule.replacing and not _was_asked(hook, payload, name):
            yield _wrong(
                f"'{name}' was not to be changed, so it has no effect.",
                f"本次请求未修改“{name}”，返回它不起作用。",
            )


def _was_asked(hook: SpecialHook, payload: Mapping[str, Json], name: str) -> bool:
    """Of ``attr`` and ``mute`` only the one that the client changes counts."""
    return hook.metadata_name != "_conversationUpdate" or name in payload


def _unknown_members(rule: AnswerRule, result: Mapping[str, Json]) -> Iterator[Remark]:
    for name in result:
        if name in rule.members:
            continue
        near = difflib.get_close_matches(name, rule.members, n=1)
        listed = ", ".join(rule.members)
        yield _wrong(
            f"'{name}' means nothing here. "
            + (f"Did you mean '{near[0]}'?" if near else f"Known: {listed}."),
            f"“{name}”没有意义。" + (f"是否想用“{near[0]}”？" if near else f"可用：{listed}。"),
        )


_WANTED: Mapping[Kind, Hint] = {
    "whole": Hint("a whole number", "整数"),
    "text": Hint("a text", "字符串"),
    "flag": Hint("true or false", "true 或 false"),
    "texts": Hint("a list of texts", "字符串数组"),
    "object": Hint("an object", "对象"),
    "push": Hint("a text that holds JSON", "内容为 JSON 的字符串"),
    "truth": Hint("anything", "任意值"),
}


def _mistyped(name: str, kind: Kind, value: Json) -> Remark:
    wanted = _WANTED[kind]
    return _wrong(
        f"'{name}' must be {wanted.en}, it is {_named(value)}.",
        f"“{name}”必须是{wanted.zh}，实际为 {_named(value)}。",
    )


def _is_whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_push(value: Json) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return isinstance(json.loads(value), dict)
    except ValueError:
        return False


def _is_base64(value: Json) -> bool:
    if not isinstance(value, str):
        return False
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


_IS: Mapping[Kind, Callable[[Json], bool]] = {
    "whole": _is_whole,
    "text": lambda value: isinstance(value, str),
    "flag": lambda value: isinstance(value, bool),
    "texts": _is_texts,
    "object": lambda value: isinstance(value, dict),
    "push": _is_push,
    "truth": lambda value: True,
}


def _named(value: Json) -> str:
    """A value as it stands in JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _effect(en: str, zh: str) -> Remark:
    return Remark(Hint(en, zh))


def _wrong(en: str, zh: str) -> Remark:
    return Remark(Hint(en, zh), wrong=True)
