"""Codes by short message, and what they prove (storage.md 6.8)."""

from collections.abc import Mapping

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.document import only
from lean_emulator.service.captcha import Captchas
from lean_emulator.service.phone_flows import CHANGE_MINUTES, PhoneFlows
from lean_emulator.service.short_messages import MAX_MINUTES, MINUTES, Wording
from lean_emulator.service.verification import wrong_code
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route
from lean_emulator.wire.users import phone_in

_NO_VARIABLES = frozenset(
    {"mobilePhoneNumber", "smsType", "ttl", "name", "op", "template", "sign", "validate_token"}
)
"""Members of requestSmsCode that fill no template."""
_CHANGED = ("objectId", "updatedAt")


class PhoneHandlers:
    """Reads requests about phone numbers."""

    def __init__(self, phones: PhoneFlows, captchas: Captchas) -> None:
        self._phones = phones
        self._captchas = captchas

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/requestSmsCode", self.request_code),
            Route("POST", "/verifySmsCode/:code", self.check_code),
            Route("POST", "/requestMobilePhoneVerify", self.request_verify),
            Route("POST", "/verifyMobilePhone/:code", self.verify),
            Route("POST", "/requestLoginSmsCode", self.request_login),
            Route("POST", "/requestPasswordResetBySmsCode", self.request_reset),
            Route("PUT", "/resetPasswordBySmsCode/:code", self.reset),
            Route("POST", "/requestChangePhoneNumber", self.request_change),
            Route("POST", "/changePhoneNumber", self.change),
        ]

    async def request_code(self, request: Request) -> Answer:
        given = request.document()
        phone = phone_in(given)
        wording = _wording(given)
        self._solved(request)
        await self._phones.request_code(request.call, phone, wording)
        return Answer({})

    async def check_code(self, request: Request, digits: str) -> Answer:
        await self._phones.check_code(phone_in({**request.params, **request.document()}), digits)
        return Answer({})

    async def request_verify(self, request: Request) -> Answer:
        phone = phone_in(request.document())
        self._solved(request)
        await self._phones.request_verify(request.call, phone)
        return Answer({})

    async def verify(self, request: Request, digits: str) -> Answer:
        verified = await self._phones.verify(request.call, _phone_if_any(request), digits)
        return Answer(only(verified, _CHANGED))

    async def request_login(self, request: Request) -> Answer:
        phone = phone_in(request.document())
        self._solved(request)
        await self._phones.request_login(request.call, phone)
        return Answer({})

    async def request_reset(self, request: Request) -> Answer:
        given = request.document()
        phone, minutes = phone_in(given), _minutes(given, MINUTES)
        self._solved(request)
        await self._phones.request_reset(request.call, phone, minutes)
        return Answer({})

    async def reset(self, request: Request, digits: str) -> Answer:
        password = request.document().get("password")
        changed = await self._phones.reset(request.call, _phone_if_any(request), digits, password)
        return Answer(only(changed, _CHANGED))

    async def request_change(self, request: Request) -> Answer:
        given = request.document()
        phone, minutes = phone_in(given), _minutes(given, CHANGE_MINUTES)
        self._solved(request)
        await self._phones.request_change(request.call, phone, minutes)
        return Answer({})

    async def change(self, request: Request) -> Answer:
        given = request.document()
        phone, digits = phone_in(given), given.get("code")
        if not isinstance(digits, str):
            raise wrong_code()
        await self._phones.change(request.call, request.call.principal.user_id, phone, digits)
        return Answer({})

    def _solved(self, request: Request) -> None:
        """Use up the captcha's token where the application wants one; the master key needs none."""
        if not request.call.principal.is_master:
            token = request.document().get("validate_token")
            self._captchas.spend(token if isinstance(token, str) else None)


def _wording(given: Mapping[str, Json]) -> Wording:
    kind = given.get("smsType", "sms")
    if kind not in ("sms", "voice"):
        raise errors.INVALID_REQUEST(f"smsType must be sms or voice, got {kind!r}.")
    template = given.get("template")
    return Wording(
        _minutes(given, MINUTES),
        kind == "voice",
        str(given.get("name") or ""),
        str(given.get("op") or ""),
        str(template) if template else None,
        {name: value for name, value in given.items() if name not in _NO_VARIABLES},
    )


def _minutes(given: Mapping[str, Json], usual: float) -> float:
    """``ttl``, in minutes; SDKs send it as a number or as text."""
    raw = given.get("ttl")
    if raw is None:
        return usual
    try:
        minutes = float(raw) if isinstance(raw, str | int | float) else 0.0
    except ValueError:
        minutes = 0.0
    if isinstance(raw, bool) or not 0 < minutes <= MAX_MINUTES:
        raise errors.INVALID_REQUEST(f"ttl must be minutes up to {MAX_MINUTES:g}, got {raw!r}.")
    return minutes


def _phone_if_any(request: Request) -> str | None:
    given = {**request.params, **request.document()}
    return phone_in(given) if given.get("mobilePhoneNumber") else None
