"""Passwords: the platform's own hash, and who may go on trying (storage.md 6.3, 10.3)."""

import asyncio
import base64
import hashlib
from collections import OrderedDict

from lean_emulator.base.clock import Clock
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.signing import same_secret
from lean_emulator.model.operations import Operation, Set

_ROUNDS = 512
_SALT_LENGTH = 48
_NOBODY = "0" * _SALT_LENGTH

MAX_FAILURES = 6
LOCKED_SECONDS = 15 * 60.0
_REMEMBERED = 10_000


def password_hash(salt: str, password: str) -> str:
    """The platform's own hash: 513 rounds of SHA-512, in base64 (storage.md 10.3)."""
    text = salt + password
    digest = hashlib.sha512(text.encode("utf-8", "surrogatepass")).digest()
    for _ in range(_ROUNDS):
        digest = hashlib.sha512(digest).digest()
    return base64.b64encode(digest).decode()


class Passwords:
    """Hashes in a thread, so that no other request waits for it."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    async def write(self, password: str) -> dict[str, Operation]:
        """The operations that give a user this password, with a salt of its own."""
        salt = self._ids.lower(_SALT_LENGTH)
        digest = await asyncio.to_thread(password_hash, salt, password)
        return {"password": Set(digest), "salt": Set(salt)}

    async def fits(self, user: dict[str, Json] | None, password: str) -> bool:
        """Whether the password is the user's; it takes as long for ``None``, which has none."""
        stored = user or {}
        salt = str(stored.get("salt") or _NOBODY)
        given = await asyncio.to_thread(password_hash, salt, password)
        return same_secret(given, str(stored.get("password") or ""))


class Lockout:
    """Users that failed to log in too often have to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def check(self, user_id: str) -> None:
        """Raise code 219 for a user that is locked, whatever it brings this time."""
        if len(self._recent(user_id)) > MAX_FAILURES:
            raise ApiError(
                219,
                "登录失败次数超过限制，请稍候再试，或者通过忘记密码重设密码。",
                hint=Hint(
                    "Too many failed log-ins for this user. It ends 15 minutes after the last one, "
                    "and at once with a password reset.",
                    "该用户登录失败次数过多；最后一次失败 15 分钟后自动解除，重设密码则立即解除。",
                ),
            )

    def failed(self, user_id: str) -> None:
        """Count a wrong password or code; one too many locks the user."""
        recent = [*self._recent(user_id), self._clock.now_ms() / 1000]
        self._failures[user_id] = recent[-MAX_FAILURES - 1 :]
        self._failures.move_to_end(user_id)
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def forget(self, user_id: str) -> None:
        """The user has a new password, or is gone: nothing is held against it."""
        self._failures.pop(user_id, None)

    def clear(self) -> None:
        """Forget all failures."""
        self._failures.clear()

    def _recent(self, user_id: str) -> list[float]:
        """Failures that still count: a lock holds from the last of them, all else from each."""
        failures = self._failures.get(user_id)
        if not failures:
            return []
        now = self._clock.now_ms() / 1000
        if len(failures) > MAX_FAILURES and now - failures[-1] < LOCKED_SECONDS:
            return failures
        return [at for at in failures if now - at < LOCKED_SECONDS]


def check_new_password(value: object) -> str:
    """A password that somebody may have. Raises 201 without one and 218 for a blank one."""
    if not isinstance(value, str) or not value:
        raise ApiError(201, "Password is missing or empty.")
    if not value.strip():
        raise ApiError(218, "The password cannot be blank.")
    return value
