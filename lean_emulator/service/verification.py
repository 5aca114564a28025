"""What proves that an address or a number is somebody's: codes by phone, links by mail."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lean_emulator.base.clock import Clock
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.ids import Ids
from lean_emulator.base.signing import same_secret

CodeUse: TypeAlias = Literal["general", "verify", "login", "reset", "change"]
LinkUse: TypeAlias = Literal["verify", "reset"]

LINK_SECONDS = 7 * 24 * 3600.0
_KEPT = 10_000
"""Codes and links that wait to be used; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Code:
    """Six digits sent to a number; ``user_id`` is who asked, where only that one may use it."""

    use: CodeUse
    phone: str
    digits: str
    expires_at: float
    user_id: str | None = None


class Codes:
    """The newest code of each number and use; each works once.

    ``fixed`` is a code that works always, for every number, and is what is sent, too.
    """

    def __init__(self, clock: Clock, ids: Ids, fixed: str | None = None) -> None:
        self._clock = clock
        self._ids = ids
        self._fixed = fixed
        self._waiting: OrderedDict[tuple[CodeUse, str], Code] = OrderedDict()

    def issue(self, use: CodeUse, phone: str, seconds: float, user_id: str | None = None) -> Code:
        """A fresh code for a number with its country code; the one before no longer works."""
        expires_at = self._clock.now_ms() / 1000 + seconds
        code = Code(use, phone, self._fixed or self._digits(), expires_at, user_id)
        self._waiting.pop((use, phone), None)
        self._waiting[use, phone] = code
        if len(self._waiting) > _KEPT:
            self._waiting.popitem(last=False)
        return code

    def redeem(self, phone: str | None, digits: str, *uses: CodeUse) -> Code:
        """Use up a code that was sent to the number for one of the uses; to any without one.

        Raises code 603 for one that is wrong, expired or used.
        """
        candidates = (
            [self._waiting[use, phone] for use in uses if (use, phone) in self._waiting]
            if phone is not None
            else [code for code in reversed(self._waiting.values()) if code.use in uses]
        )
        now = self._clock.now_ms() / 1000
        for code in candidates:
            if now < code.expires_at and same_secret(digits, code.digits):
                del self._waiting[code.use, code.phone]
                return code
        if phone is not None and self._fixed is not None and same_secret(digits, self._fixed):
            return Code(uses[0], phone, digits, now)
        raise wrong_code()

    def clear(self) -> None:
        """Forget what was sent."""
        self._waiting.clear()

    def _digits(self) -> str:
        return f"{int(self._ids.lower(10), 36) % 1_000_000:06d}"


def wrong_code() -> ApiError:
    """The error for a code that is wrong, expired, used, or for something else."""
    return ApiError(
        603,
        "Invalid SMS code.",
        hint=Hint(
            "A code works once, for what it was sent for. `lean-emu inbox` shows the newest.",
            "每个验证码只能用于发送时的用途，且只能使用一次。`lean-emu inbox` 显示最新的验证码。",
        ),
    )


def phone_not_verified() -> ApiError:
    """The error for a number that has to prove itself first."""
    return ApiError(
        215,
        "The mobile phone number has not been verified.",
        hint=Hint(
            "requestMobilePhoneVerify sends a code, verifyMobilePhone takes it.",
            "先调用 requestMobilePhoneVerify 发送验证码，再调用 verifyMobilePhone。",
        ),
    )


def email_not_verified() -> ApiError:
    """The error for an address that has to prove itself first."""
    return ApiError(
        216,
        "The email address has not been verified.",
        hint=Hint(
            "Follow the link that was mailed: `lean-emu inbox --kind mail --link`.",
            "请点击邮件中的链接：`lean-emu inbox --kind mail --link`。",
        ),
    )


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a mail. It holds while ``proof`` is what the user's account still says."""

    use: LinkUse
    user_id: str
    proof: str
    expires_at: float


class Links:
    """Links that were mailed, by the token in them; they work for a week."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._waiting: OrderedDict[str, Link] = OrderedDict()

    def issue(self, use: LinkUse, user_id: str, proof: str) -> str:
        """The token of a new link; nobody guesses it."""
        token = self._ids.lower(40)
        self._waiting[token] = Link(use, user_id, proof, self._clock.now_ms() / 1000 + LINK_SECONDS)
        if len(self._waiting) > _KEPT:
            self._waiting.popitem(last=False)
        return token

    def find(self, use: LinkUse, token: str) -> Link | None:
        """The link of the token, ``None`` for one that is unknown, expired or used."""
        link = self._waiting.get(token)
        if link is None or link.use != use or self._clock.now_ms() / 1000 >= link.expires_at:
            return None
        return link

    def spend(self, token: str) -> None:
        """The link has done its work."""
        self._waiting.pop(token, None)

    def clear(self) -> None:
        """Forget all links."""
        self._waiting.clear()
