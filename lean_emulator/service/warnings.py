"""What passes here and fails or vanishes in the cloud, worked out from a step when somebody looks.

Each rule looks at one step and says what it means there and what to do, or nothing. Sources: the
section of engine.md that a rule names.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import Deferred, Span
from lean_emulator.model.document import AUTOMATIC
from lean_emulator.model.hooknames import BY_WORD, MARKS
from lean_emulator.service.engine import SaidByCode, read_json

OLD_BEFORE_SECONDS = 3.0
"""What the older documentation gives before hooks; the newer one gives 10 (engine.md 4.7)."""

CLOUD_SECONDS = {"before": 10.0, "after": 3.0, "function": 15.0}
"""Budgets of the platform, whatever the settings are here (engine.md 4.7)."""

_ACCOUNT_GROUPS = {
    "onLogin": "before",
    "onAuthData": "before",
    "onVerified": "after",
    "onComplete": "after",
}
_NOT_SERIALIZABLE = "is not JSON serializable"
_SHOWN_KEYS = 8


@dataclass(frozen=True, slots=True)
class Warned:
    """``kind`` is a word to tell warnings apart by."""

    kind: str
    said: Hint

    def to_json(self) -> dict[str, Json]:
        return {"kind": self.kind, "en": self.said.en, "zh": self.said.zh}


Rule: TypeAlias = Callable[[Span], Warned | None]


class Warnings(Deferred):
    """The ``warnings`` member of a step."""

    __slots__ = ()

    def told(self, span: Span) -> Json:
        told: list[Json] = [warned.to_json() for warned in warnings_of(span)]
        return told or None


WARNINGS = Warnings()


def warnings_of(span: Span) -> Iterator[Warned]:
    """What to warn of in one step; nothing while it runs."""
    if span.ended is None:
        return
    for rule in RULES.get(span.kind, ()):
        warned = rule(span)
        if warned is not None:
            yield warned


def edited_keys(sent: Mapping[str, Json], answered: Json) -> list[str]:
    """Fields that a hook changed in the object it was given, going by its answer.

    Engines answer with the whole object; one that answers with anything else changed nothing.
    """
    if not isinstance(answered, Mapping) or answered.get("objectId") != sent.get("objectId"):
        return []
    plain = MARKS | AUTOMATIC | {"__type", "className", "ACL"}
    keys = [key for key in {**sent, **answered} if key not in plain]
    return [key for key in keys if _plain(sent.get(key)) != _plain(answered.get(key))]


def _plain(value: Json) -> object:
    """A value by what it names: SDKs write pointers, files and relations in their own words."""
    if isinstance(value, Mapping):
        kind = value.get("__type")
        if kind in ("Pointer", "Object"):
            return (value.get("className"), value.get("objectId"))
        if kind == "File":
            return ("_File", value.get("id") or value.get("objectId") or value.get("url"))
        if kind == "Relation":
            return kind
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _edits_vanish(span: Span) -> Warned | None:
    """The cloud ignores what a beforeUpdate answers, and so do we (engine.md 4.3)."""
    if span.detail.get("hook") != "beforeUpdate" or span.outcome != "ok":
        return None
    answer, sent = span.detail.get("answer"), span.detail.get("before")
    if not isinstance(answer, SaidByCode) or not isinstance(sent, Mapping):
        return None
    keys = edited_keys(_as_sent(sent, span), read_or_none(answer))
    if not keys:
        return None
    listed = ", ".join(keys[:_SHOWN_KEYS]) + (", …" if len(keys) > _SHOWN_KEYS else "")
    return Warned(
        "edits_vanish",
        Hint(
            f"beforeUpdate changed {listed} of its object, and that is not stored: it can only "
            "refuse. Change it where the object is saved, or save it again in afterUpdate.",
            f"beforeUpdate 修改了对象的 {listed}，但不会被保存：它只能拒绝更新。"
            "请在保存对象处修改，或在 afterUpdate 中再次保存。",
        ),
    )


def _as_sent(document: Mapping[str, Json], span: Span) -> Mapping[str, Json]:
    """The object without what the engine is never shown."""
    if span.detail.get("class_name") != "_User":
        return document
    return {key: value for key, value in document.items() if key not in ("password", "salt")}


def _group(span: Span) -> str | None:
    """``before``, ``after`` or ``function``; ``None`` for hooks of messages, whose time nobody
    knows (engine.md U16).
    """
    if span.kind == "function":
        return "function"
    hook = str(span.detail.get("hook"))
    kind = BY_WORD.get(hook)
    if kind is not None:
        return "before" if kind.is_before else "after"
    return _ACCOUNT_GROUPS.get(hook)


def _client_never_sees(span: Span) -> Warned | None:
    """A failing after hook is only logged (engine.md 4.6)."""
    hook = str(span.detail.get("hook"))
    if _group(span) != "after" or span.outcome not in ("rejected", "failed", "timeout"):
        return None
    return Warned(
        "after_failed",
        Hint(
            f"{hook} failed after the client had its answer: nothing is undone, and nobody is told "
            "but the log. What must refuse something belongs in a before hook.",
            f"{hook} 在客户端收到响应之后失败：已完成的操作不会撤销，只有日志会记录。"
            "需要拒绝操作的逻辑应放在 before hook 中。",
        ),
    )


def _slow(span: Span) -> Warned | None:
    """What a longer limit here lets pass, and where documentations differ (engine.md 4.7)."""
    group = _group(span)
    if span.outcome != "ok" or span.ended is None or group is None:
        return None
    name = str(span.detail.get("hook") or span.detail.get("function") or span.title)
    took, cloud = span.ended - span.began, CLOUD_SECONDS[group]
    if took > cloud:
        return Warned(
            "over_time",
            Hint(
                f"{name} took {took:.1f} s: the settings here allow it, the cloud ends it "
                f"after {cloud:g} s.",
                f"{name} 用时 {took:.1f} 秒：本地设置允许，但云端会在 {cloud:g} 秒后中止。",
            ),
        )
    if group == "before" and took > OLD_BEFORE_SECONDS:
        return Warned(
            "slow_before",
            Hint(
                f"{name} took {took:.1f} s. The client waits for it, and the limit is 3 s by the "
                "older documentation, 10 s by the newer: what can wait belongs in an after hook.",
                f"{name} 用时 {took:.1f} 秒。客户端需等待它完成，而旧版文档的时限为 3 秒，"
                "新版为 10 秒：可以延后的工作应放在 after hook 中。",
            ),
        )
    return None


def _no_object(span: Span) -> Warned | None:
    """The whole answer of a beforeSave replaces the object in the cloud (engine.md 4.2)."""
    answer = span.detail.get("answer")
    if span.outcome != "ok" or not isinstance(answer, SaidByCode):
        return None
    value = read_json(answer.answer)
    hook = str(span.detail.get("hook"))
    if isinstance(value, errors.ApiError):
        if not answer.answer.body or not hook.startswith("before"):
            return None  # some engines have nothing to say
        return Warned(
            "not_json",
            Hint(
                f"{hook} answered with what is no JSON, and is taken as agreed here. The cloud "
                "may refuse it: the hook's handler must return normally or raise.",
                f"{hook} 的响应不是 JSON，本地按同意处理，云端可能会拒绝："
                "hook 应正常返回或抛出异常。",
            ),
        )
    if hook != "beforeSave" or value == span.detail.get("before"):
        return None
    if isinstance(value, dict) and value.keys() - {"result"}:
        return None
    return Warned(
        "no_object",
        Hint(
            "beforeSave answered without the object, which is stored as it came here. The cloud "
            "stores the whole answer in its place.",
            "beforeSave 的响应中没有对象，本地按原对象保存；云端会用整个响应替换该对象。",
        ),
    )


def _result_no_json(span: Span) -> Warned | None:
    """Results that no client can read (engine.md 2.5, 4.6)."""
    if "not_json" in span.detail:
        return Warned(
            "not_json",
            Hint(
                "The function answered with what is no JSON (NaN and Infinity are none either). "
                "Clients get error 141 here; in the cloud their SDK fails to read the answer.",
                "云函数的响应不是 JSON（NaN 与 Infinity 也不是）。本地返回错误 141，"
                "云端的客户端 SDK 将无法解析该响应。",
            ),
        )
    if span.outcome == "failed" and any(
        _NOT_SERIALIZABLE in line.text for line in span.prints or ()
    ):
        return Warned(
            "not_serializable",
            Hint(
                "The function returned a value that is no JSON, such as an object of the SDK or a "
                "date: return plain values, or have it called as RPC (rpc, /1.1/call/).",
                "云函数返回了无法转为 JSON 的值（例如 SDK 对象或日期）："
                "请返回普通值，或以 RPC 方式调用（rpc，/1.1/call/）。",
            ),
        )
    return None


def _keyless(span: Span) -> Warned | None:
    """The hook key on every request is how the cloud knows its own engine (engine.md 3.3)."""
    inside = span.detail.get("keyless")
    if inside is None:
        return None
    return Warned(
        "keyless",
        Hint(
            f"This came from the code of {inside} without the hook key: to the cloud it is a "
            "stranger's request. It shares no time with its hook, __ignore_hooks means nothing in "
            "it, and a loop it causes is not seen. Use the SDK, or send X-LC-Hook-Key.",
            f"此请求来自 {inside} 的代码，但没有 hook key：对云端而言它是外部请求，"
            "不共享 hook 的时限，__ignore_hooks 无效，由它造成的循环也无法发现。"
            "请使用 SDK，或发送 X-LC-Hook-Key。",
        ),
    )


RULES: Mapping[str, tuple[Rule, ...]] = {
    "hook": (_edits_vanish, _client_never_sees, _slow, _no_object),
    "function": (_slow, _result_no_json),
    "request": (_keyless,),
}


def read_or_none(answer: SaidByCode) -> Json:
    """The JSON of an answer, ``None`` for one that is none."""
    value = read_json(answer.answer)
    return None if isinstance(value, errors.ApiError) else value
