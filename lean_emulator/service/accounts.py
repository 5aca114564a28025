"""Users as they are stored: found by what is theirs alone, changed by the server itself."""

from collections.abc import Mapping
from dataclasses import replace

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.errors import ApiError, DuplicateValue
from lean_emulator.model.access import ANONYMOUS, Principal
from lean_emulator.model.contact import check_email, check_phone, spellings
from lean_emulator.model.document import only
from lean_emulator.model.operations import Operation, Set, Unset
from lean_emulator.model.query import Compare, Query
from lean_emulator.service.call import Call
from lean_emulator.service.objects import Fields, Objects
from lean_emulator.storage.contract import Storage, Update

_TAKEN = {
    "username": (202, "Username has already been taken."),
    "email": (203, "The email address has already been taken."),
    "mobilePhoneNumber": (214, "The mobile phone number has already been taken."),
}


class Accounts:
    """The class ``_User`` below sign-up and log-in."""

    def __init__(self, storage: Storage, objects: Objects, clock: Clock) -> None:
        self._storage = storage
        self._objects = objects
        self._clock = clock

    async def get(self, user_id: str) -> Fields | None:
        return await self._storage.get("_User", user_id)

    async def by(self, name: str, value: str) -> Fields | None:
        """The user whose ``name`` is ``value``; a phone number in either spelling."""
        values = spellings(value) if name == "mobilePhoneNumber" else (value,)
        found: Fields | None = None
        for spelled in values:  # all of them: time must not tell which one there is
            rows = await self._storage.find(Query("_User", Compare(name, "eq", spelled), limit=1))
            found = found or (rows[0] if rows else None)
        return found

    def own_view(self, user: Fields) -> Fields:
        """A user as it sees itself, with the session token that it gets on signing in alone."""
        seen = self._objects.seen(Principal("user", user), "_User", user)
        return {**seen, **only(user, ("sessionToken",))}

    async def own_id(self, call: Call) -> str:
        """The id of the session's user. Raises 206 without one, also beside the master key."""
        user_id = call.principal.user_id
        if user_id is None:
            await self._objects.check(replace(call, principal=ANONYMOUS), "update", "_User", "")
        assert user_id is not None, "nobody has been refused"
        return user_id

    def now(self) -> str:
        """The instant of a write that happens now."""
        return iso_text(self._clock.now_ms())

    async def change(self, call: Call, user_id: str, write: Mapping[str, Operation]) -> Fields:
        """Change a user on the server's own behalf: no permissions, no hooks.

        Answers the user as it is then. Raises 202, 203, 214 for a value that is taken.
        """
        try:
            (done,) = await self._objects.commit(
                call, [Update("_User", user_id, write, self.now())]
            )
        except DuplicateValue as e:
            raise taken(e.field) from e
        assert done.after is not None
        return done.after

    async def refuse_taken(self, write: Mapping[str, Operation], own_id: str | None = None) -> None:
        """Tell before any hook runs; the commit decides again for those who race.

        ``own_id`` is the user that may keep what it has.
        """
        for name in _TAKEN:
            value = set_value(write, name)
            if not isinstance(value, str):
                continue
            holder = await self.by(name, value)
            if holder is not None and holder["objectId"] != own_id:
                raise taken(name)


def set_value(write: Mapping[str, Operation], name: str) -> object:
    """What a write sets a field to; ``None`` when it does not, or sets it to null."""
    operation = write.get(name)
    return operation.value if isinstance(operation, Set) else None


def check_contacts(write: Mapping[str, Operation]) -> None:
    """Raise 125 for a bad e-mail address and 127 for a bad phone number."""
    for name, check in (("email", check_email), ("mobilePhoneNumber", check_phone)):
        operation = write.get(name)
        if isinstance(operation, Set):
            check(operation.value)


def check_name(write: Mapping[str, Operation]) -> None:
    """Raise 200 for a write that leaves a user without a name, 217 for a blank one."""
    operation = write.get("username")
    if isinstance(operation, Unset) or (isinstance(operation, Set) and not operation.value):
        raise name_missing()
    name = set_value(write, "username")
    if isinstance(name, str) and not name.strip():
        raise ApiError(217, "The username cannot be blank.")


def name_missing() -> ApiError:
    return ApiError(200, "Username is missing or empty.")


def taken(field: str) -> ApiError:
    """The error for a unique field of a user whose value another one has."""
    return ApiError(*_TAKEN.get(field, (137, errors.DUPLICATE_VALUE.message)))


def nobody(name: str) -> ApiError:
    """The error of a log-in by a name, address or number that no user has."""
    if name == "mobilePhoneNumber":
        return ApiError(213, "The user with this mobile phone number was not found.")
    return errors.USER_NOT_FOUND()


def required_text(given: Mapping[str, object], name: str, code: int, message: str) -> str:
    """A member that must be a text with something in it; raises the code otherwise."""
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise ApiError(code, message)
    return value
