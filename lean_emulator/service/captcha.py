"""Captchas: a picture to read, and the token that reading it right earns (storage.md 6.8)."""

from collections import OrderedDict
from dataclasses import dataclass

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.ids import Ids
from lean_emulator.base.signing import same_secret
from lean_emulator.service.captcha_image import drawn

TOKEN_SECONDS = 10 * 60.0
"""How long a solved captcha lets a message be asked for."""
_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels and digits of a picture, and how many seconds it may be answered."""

    width: int = 85
    height: int = 30
    digits: int = 4
    seconds: int = 60

    def within_limits(self) -> "Size":
        """The nearest size that the platform draws."""
        return Size(
            min(max(self.width, 60), 200),
            min(max(self.height, 30), 100),
            min(max(self.digits, 3), 6),
            min(max(self.seconds, 10), 180),
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    digits: str
    size: Size
    expires_at: float


class Captchas:
    """Pictures that wait for an answer; each takes one."""

    def __init__(self, clock: Clock, ids: Ids, *, wanted: bool) -> None:
        self._clock = clock
        self._ids = ids
        self._wanted = wanted
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        self._earned: OrderedDict[str, float] = OrderedDict()

    def ask(self, size: Size) -> str:
        """The token of a new picture. Raises code 119 while the application wants no captchas."""
        self._refuse_off()
        size = size.within_limits()
        token = self._ids.lower(16)
        digits = f"{int(self._ids.lower(10), 36) % 10**size.digits:0{size.digits}d}"
        self._asked[token] = _Asked(digits, size, self._clock.now_ms() / 1000 + size.seconds)
        if len(self._asked) > _KEPT:
            self._asked.popitem(last=False)
        return token

    def picture(self, token: str) -> bytes | None:
        """The picture as PNG, ``None`` for a token that is unknown, answered or too old."""
        asked = self._asked.get(token)
        if asked is None or self._clock.now_ms() / 1000 >= asked.expires_at:
            return None
        return drawn(asked.digits, asked.size.width, asked.size.height, token)

    def answer(self, token: str, digits: str) -> str:
        """The validate token for a right answer. Raises code 1 for a wrong one, or one too late."""
        self._refuse_off()
        asked = self._asked.pop(token, None)
        now = self._clock.now_ms() / 1000
        if asked is None or now >= asked.expires_at or not same_secret(digits, asked.digits):
            raise errors.INVALID_REQUEST("Invalid captcha code.")
        earned = self._ids.lower(32)
        self._earned[earned] = now + TOKEN_SECONDS
        if len(self._earned) > _KEPT:
            self._earned.popitem(last=False)
        return earned

    def spend(self, validate_token: str | None) -> None:
        """Use up a validate token where one is wanted.

        Raises code 608 without one, and for one that is unknown, used or too old.
        """
        if not self._wanted:
            return
        expires_at = self._earned.pop(validate_token or "", None)
        if expires_at is None or self._clock.now_ms() / 1000 >= expires_at:
            raise ApiError(
                608,
                "A valid validate_token is required.",
                hint=Hint(
                    "The setting `captcha` is on: requestCaptcha, then verifyCaptcha gives it.",
                    "已启用设置 `captcha`：先调用 requestCaptcha，再由 verifyCaptcha 取得。",
                ),
            )

    def _refuse_off(self) -> None:
        if not self._wanted:
            raise errors.NOT_FOR_CLIENTS(
                "Captcha is not enabled for this application.",
                hint=Hint(
                    "`captcha = true` in the settings turns it on.",
                    "在设置中写 `captcha = true` 即可启用。",
                ),
            )
