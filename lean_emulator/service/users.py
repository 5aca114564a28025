"""Accounts: sign-up, log-in, whose session a token is (storage.md 6.2–6.4, 10.3)."""

import asyncio
import base64
import hashlib

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError, DuplicateValue
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.signing import same_secret
from lean_emulator.model.access import Principal
from lean_emulator.model.document import only
from lean_emulator.model.operations import Operation, Set
from lean_emulator.model.query import Compare, Query
from lean_emulator.service.account_hooks import AccountHooks
from lean_emulator.service.call import Call
from lean_emulator.service.objects import Fields, Objects
from lean_emulator.storage.contract import Storage

_ROUNDS = 512
_TAKEN = {
    "username": (202, "Username has already been taken."),
    "email": (203, "The email address has already been taken."),
    "mobilePhoneNumber": (214, "The mobile phone number has already been taken."),
}
SERVER_SET = ("sessionToken", "emailVerified", "mobilePhoneVerified", "salt")
"""Fields of a user that clients cannot set; what they send for these is ignored."""


class Users:
    """People who can sign in; their objects live in ``_User`` like any others."""

    def __init__(
        self, storage: Storage, objects: Objects, ids: Ids, *, account_hooks: AccountHooks
    ) -> None:
        self._storage = storage
        self._objects = objects
        self._ids = ids
        self._hooks = account_hooks

    async def sign_up(self, call: Call, write: dict[str, Operation]) -> Fields:
        """Make a user with name and password; answers the whole user with a session token.

        Raises 200, 201, 202, 203, 214, 217, 218 as storage.md 6.2 lists them.
        """
        _required(write, "username", (200, "Username is missing or empty."))
        password = _required(write, "password", (201, "Password is missing or empty."))
        _refuse_blank(write)
        await self._refusetaken(write)
        salt = self._ids.lower(48)
        fields: dict[str, Operation] = {
            **{name: op for name, op in write.items() if name not in SERVER_SET},
            "password": Set(await asyncio.to_thread(password_hash, salt, password)),
            "salt": Set(salt),
            "sessionToken": Set(self._ids.session_token()),
            "emailVerified": Set(False),
            "mobilePhoneVerified": Set(False),
        }
        try:
            created = await self._objects.create(call, "_User", fields)
        except DuplicateValue as e:
            raise taken(e.field) from e
        stored = await self._storage.get("_User", str(created["objectId"]))
        assert stored is not None
        return self._own_view(stored)

    async def log_in(self, call: Call, name: str, value: str, password: str) -> Fields:
        """The user whose ``name`` (username, email or mobilePhoneNumber) is ``value``.

        Raises 211 for nobody (213 for nobody's phone) and 210 for a wrong password; all take as
        long as each other. Then onLogin may refuse (code 142, HTTP 401).
        """
        user = await self._by(name, value)
        salt = str(user.get("salt", "")) if user is not None else "nobody"
        given = await asyncio.to_thread(password_hash, salt, password)
        if user is None:
            raise _nobody(name)
        if not same_secret(given, str(user.get("password", ""))):
            raise ApiError(210, "The username and password mismatch.")
        await self._hooks.on_login(call, user)
        return self._own_view(user)

    async def of_session(self, token: str) -> Fields | None:
        """The stored user a session token belongs to, ``None`` for a dead one."""
        return await self._by("sessionToken", token)

    async def named(self, who: str) -> Fields:
        """A user by objectId, username or session token. Raises 211 for nobody."""
        user = await self._storage.get("_User", who)
        for name in ("username", "sessionToken"):
            user = user or await self._by(name, who)
        if user is None:
            raise errors.USER_NOT_FOUND(f"Could not find user '{who}'.")
        return user

    def seen(self, principal: Principal, user: Fields) -> Fields:
        """A stored user as the principal may see it."""
        return self._objects.seen(principal, "_User", user)

    def _own_view(self, user: Fields) -> Fields:
        """A user as it sees itself, with the session token that it gets on signing in alone."""
        seen = self.seen(Principal("user", user), user)
        return {**seen, **only(user, ("sessionToken",))}

    async def _by(self, name: str, value: str) -> Fields | None:
        found = await self._storage.find(Query("_User", Compare(name, "eq", value), limit=1))
        return found[0] if found else None

    async def _refusetaken(self, write: dict[str, Operation]) -> None:
        """Tell before any hook runs; the commit decides again for those who race."""
        for name in _TAKEN:
            operation = write.get(name)
            value = operation.value if isinstance(operation, Set) else None
            if isinstance(value, str) and await self._by(name, value) is not None:
                raise taken(name)


def _nobody(name: str) -> ApiError:
    if name == "mobilePhoneNumber":
        return ApiError(213, "Could not find a user with this mobile phone number.")
    return errors.USER_NOT_FOUND()


def password_hash(salt: str, password: str) -> str:
    """The platform's own hash: 513 rounds of SHA-512, in base64 (storage.md 10.3)."""
    digest = hashlib.sha512(salt.encode() + password.encode()).digest()
    for _ in range(_ROUNDS):
        digest = hashlib.sha512(digest).digest()
    return base64.b64encode(digest).decode()


def _required(write: dict[str, Operation], name: str, missing: tuple[int, str]) -> str:
    operation = write.get(name)
    value: Json = operation.value if isinstance(operation, Set) else None
    if not isinstance(value, str) or not value:
        raise ApiError(*missing)
    return value


def _refuse_blank(write: dict[str, Operation]) -> None:
    for name, code in (("username", 217), ("password", 218)):
        operation = write[name]
        assert isinstance(operation, Set)
        if not str(operation.value).strip():
            raise ApiError(code, f"The {name} cannot be blank.")


def taken(field: str) -> ApiError:
    """The error for a unique field of a user whose value another one has."""
    return ApiError(*_TAKEN.get(field, (137, errors.DUPLICATE_VALUE.message)))
