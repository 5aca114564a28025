"""Short messages with codes: texts, templates, and how often a number gets one (storage.md 6.8)."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from lean_emulator.base.clock import Clock
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.service.account_options import AccountOptions
from lean_emulator.service.call import Call
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.verification import Codes, CodeUse

MINUTES = 10.0
MAX_MINUTES = 24 * 60.0

_LIMITS = {
    False: ((60.0, 1), (86_400.0, 10)),
    True: ((30.0, 1), (3_600.0, 3), (86_400.0, 5)),
}
"""Seconds, and how many messages a number gets in them; by whether they are spoken."""
_REMEMBERED = 10_000
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Wording:
    """What the sender asked for; ``variables`` fill the template."""

    minutes: float = MINUTES
    spoken: bool = False
    name: str = ""
    action: str = ""
    template: str | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)


class ShortMessages:
    """Sends codes, into the inbox."""

    def __init__(self, inbox: Inbox, codes: Codes, clock: Clock, options: AccountOptions) -> None:
        self._inbox = inbox
        self._codes = codes
        self._clock = clock
        self._options = options
        self._sent: OrderedDict[tuple[str, bool], list[float]] = OrderedDict()

    def send(
        self,
        call: Call,
        use: CodeUse,
        phone: str,
        wording: Wording | None = None,
        user_id: str | None = None,
    ) -> None:
        """Send a code to a number with its country code.

        Raises 601 for one message too many, 604 for an unknown template, 605 for one that is not
        approved and 606 for one with a variable that has no value; nothing is sent then.
        """
        wording = wording or Wording()
        text = self._text(wording)
        self._count(phone, spoken=wording.spoken)
        code = self._codes.issue(use, phone, wording.minutes * 60, user_id)
        detail: dict[str, Json] = {"use": use, "type": "voice" if wording.spoken else "sms"}
        if wording.template is not None:
            detail["template"] = wording.template
        self._inbox.add(
            "sms",
            phone,
            _TITLES[use],
            _filled(text, {**_usual(wording), **wording.variables, "code": code.digits}),
            code=code.digits,
            detail=detail,
            trace=None if call.span is None else call.span.root.name,
        )

    def clear(self) -> None:
        """Forget what was sent to whom."""
        self._sent.clear()
        self._codes.clear()

    def _text(self, wording: Wording) -> str:
        """The text with its variables, of which each has a value."""
        name, templates = wording.template, self._options.sms_templates
        if name is None or templates is None:
            return _text_of(wording)
        template = templates.get(name)
        if template is None:
            raise ApiError(604, f"Can't find the SMS template '{name}'.", hint=_template_hint())
        if not template.approved:
            raise ApiError(605, f"The SMS template '{name}' is not approved.")
        known = {*_usual(wording), *wording.variables, "code"}
        for variable in _VARIABLE.findall(template.text):
            if variable not in known:
                raise ApiError(606, f"The SMS template '{name}' wants a value for '{variable}'.")
        return template.text

    def _count(self, phone: str, *, spoken: bool) -> None:
        if not self._options.sms_limits:
            return
        now, limits = self._clock.now_ms() / 1000, _LIMITS[spoken]
        longest = limits[-1][0]
        sent = [at for at in self._sent.get((phone, spoken), ()) if now - at < longest]
        for seconds, most in limits:
            if sum(now - at < seconds for at in sent) >= most:
                raise ApiError(
                    601,
                    "Can't send SMS code too frequently.",
                    hint=Hint(
                        f"A number gets {most} in {seconds:g} s. `sms_limits = false` lifts that.",
                        f"同一号码 {seconds:g} 秒内最多 {most} 条；`sms_limits = false` 取消。",
                    ),
                )
        self._sent[phone, spoken] = [*sent, now]
        self._sent.move_to_end((phone, spoken))
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)


_TITLES: Mapping[CodeUse, str] = {
    "general": "Verification code · 验证码",
    "verify": "Verify your phone number · 验证手机号",
    "login": "Log in · 登录验证码",
    "reset": "Reset your password · 重设密码",
    "change": "Change your phone number · 更换手机号",
}


def _text_of(wording: Wording) -> str:
    of = " of {{name}}" if wording.name else ""
    to = " to {{op}}" if wording.action else ""
    for_, doing = ("使用{{name}}服务" if wording.name else "验证手机号"), ""
    if wording.action:
        doing = "进行{{op}}操作"
    return (
        f"{{{{code}}}} is your code{of}{to}. It works for {{{{ttl}}}} minutes.\n"
        f"您正在{for_}{doing}，您的验证码是：{{{{code}}}}，请在 {{{{ttl}}}} 分钟内完成验证。"
    )


def _usual(wording: Wording) -> dict[str, Json]:
    """Variables that every template may use."""
    return {"ttl": f"{wording.minutes:g}", "name": wording.name, "op": wording.action}


def _filled(text: str, values: Mapping[str, Json]) -> str:
    return _VARIABLE.sub(lambda match: str(values.get(match[1], "")), text)


def _template_hint() -> Hint:
    return Hint(
        "Templates stand in the file that the setting `sms_templates` names.",
        "模板写在设置 `sms_templates` 指定的文件中。",
    )
