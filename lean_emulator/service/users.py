"""Accounts: sign-up, log-in, and what users change about themselves (storage.md 6.2–6.5)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError, DuplicateValue
from lean_emulator.model.access import Principal
from lean_emulator.model.contact import international
from lean_emulator.model.document import only
from lean_emulator.model.operations import Operation, Set, Unset, Write
from lean_emulator.model.query import Where
from lean_emulator.service.account_hooks import AccountHooks
from lean_emulator.service.account_options import AccountOptions
from lean_emulator.service.accounts import (
    Accounts,
    check_contacts,
    check_name,
    name_missing,
    nobody,
    set_value,
    taken,
)
from lean_emulator.service.call import Call
from lean_emulator.service.mail_flows import MailFlows
from lean_emulator.service.objects import Fields, Objects
from lean_emulator.service.passwords import Lockout, Passwords, check_new_password
from lean_emulator.service.phone_flows import PhoneFlows
from lean_emulator.service.sessions import Sessions
from lean_emulator.service.verification import Codes, email_not_verified, phone_not_verified
from lean_emulator.storage.contract import Committed

_FLAGS = {"email": "emailVerified", "mobilePhoneNumber": "mobilePhoneVerified"}
SERVER_SET = ("sessionToken", *_FLAGS.values(), "salt")
"""Fields of a user that clients cannot set; what they send for these is ignored."""
_NOBODY = ""
"""Under this id are the failures of log-ins as somebody who is not there; it is never locked."""


class UserWrite(NamedTuple):
    """A client's change of a user: what hooks are told of, and what the server adds by itself."""

    named: dict[str, Operation]
    added: dict[str, Operation]


class Users:
    """People who can sign in; their objects live in ``_User`` like any others."""

    def __init__(
        self,
        accounts: Accounts,
        objects: Objects,
        passwords: Passwords,
        lockout: Lockout,
        sessions: Sessions,
        codes: Codes,
        mails: MailFlows,
        phones: PhoneFlows,
        hooks: AccountHooks,
        options: AccountOptions,
    ) -> None:
        self._accounts = accounts
        self._objects = objects
        self._passwords = passwords
        self._lockout = lockout
        self._sessions = sessions
        self._codes = codes
        self._mails = mails
        self._phones = phones
        self._hooks = hooks
        self._options = options

    async def sign_up(self, call: Call, write: Write) -> Fields:
        """Make a user with name and password; answers the whole user with a session token.

        Raises 125, 127, 200, 201, 202, 203, 214, 217, 218 as storage.md 6.2 lists them.
        """
        return await self._made(call, await self.new_user(call.principal, write))

    async def new_user(self, principal: Principal, write: Write) -> dict[str, Operation]:
        """The fields of a new user with name and password. Raises as ``sign_up`` does."""
        name = set_value(write, "username")
        if not isinstance(name, str) or not name:
            raise name_missing()
        password = set_value(write, "password")
        if not isinstance(password, str) or not password:
            raise ApiError(201, "Password is missing or empty.")
        check_name(write)
        return await self.new_fields(principal, write, check_new_password(password))

    async def new_fields(
        self, principal: Principal, write: Write, password: str | None
    ) -> dict[str, Operation]:
        """The fields of any new user; without a password it cannot log in by one.

        Raises 125, 127, 200, 202, 203, 214, 217.
        """
        given = {
            name: operation
            for name, operation in write.items()
            if name != "password" and (name not in SERVER_SET or _may_vouch(principal, name))
        }
        check_name(given)
        check_contacts(given)
        await self._accounts.refuse_taken(given)
        return {
            **dict.fromkeys(_FLAGS.values(), Set(False)),
            **given,
            **(await self._passwords.write(password) if password is not None else {}),
            **self._sessions.fresh(),
        }

    def welcome(self, call: Call, user: Fields) -> Fields:
        """What follows a sign-up: mails and messages; answers the user as it sees itself."""
        if user.get("emailVerified") is not True:
            self._mails.address_given(call, user)
        if user.get("mobilePhoneVerified") is not True:
            self._phones.number_given(call, user)
        return self._accounts.own_view(user)

    async def log_in(self, call: Call, name: str, value: str, password: str) -> Fields:
        """The user whose ``name`` (username, email or mobilePhoneNumber) is ``value``.

        Raises 211 for nobody (213 for nobody's phone) and 210 for a wrong password; all take as
        long as each other. 219 when it was wrong too often, 215 and 216 for what is not verified
        where the application wants that. Then onLogin may refuse (code 142, HTTP 401).
        """
        user = await self._accounts.by(name, value)
        # nobody is looked up and counted like somebody, so that time tells nothing
        user_id = _NOBODY if user is None else str(user["objectId"])
        self._lockout.check(user_id)
        fits = await self._passwords.fits(user, password)
        self._lockout.check(user_id)  # others may have failed meanwhile
        if user is None or not fits:
            self._lockout.failed(user_id)
            if user is None:
                self._lockout.forget(_NOBODY)
                raise nobody(name)
            raise ApiError(210, "The username and password mismatch.")
        return await self._admitted(call, user, by_phone=name == "mobilePhoneNumber")

    async def log_in_by_code(self, call: Call, phone: str, digits: str) -> Fields:
        """The user with that number, by a code that was sent to it.

        Raises 213 for nobody's number, 603 for a wrong code, and what ``log_in`` raises otherwise.
        """
        user = await self._accounts.by("mobilePhoneNumber", phone)
        if user is None:
            raise nobody("mobilePhoneNumber")
        self._redeem(phone, digits, str(user["objectId"]))
        return await self._admitted(call, user, by_phone=True)

    async def sign_in_by_phone(
        self, call: Call, phone: str, digits: str, write: Write
    ) -> tuple[Fields, bool]:
        """The user with that number, made of ``write`` when there is none; whether it is new.

        The code proves the number. Raises 127, 603 and what sign-up and log-in raise.
        """
        user = await self._accounts.by("mobilePhoneNumber", international(phone))
        self._redeem(phone, digits, None if user is None else str(user["objectId"]))
        if user is None:
            return await self._made(call, await self._new_by_phone(call, phone, write)), True
        if user.get("mobilePhoneVerified") is not True:
            user = await self._accounts.change(
                call, str(user["objectId"]), {"mobilePhoneVerified": Set(True)}
            )
        return await self._admitted(call, user, by_phone=True), False

    async def of_session(self, token: str) -> Fields | None:
        """The stored user a session token belongs to, ``None`` for a dead one."""
        return await self._sessions.of_token(token)

    async def named(self, who: str) -> Fields:
        """A user by objectId, username or session token. Raises 211 for nobody."""
        user = await self._accounts.get(who)
        for name in ("username", "sessionToken"):
            user = user or await self._accounts.by(name, who)
        if user is None:
            raise errors.USER_NOT_FOUND(f"Could not find user '{who}'.")
        return user

    def seen(self, principal: Principal, user: Fields) -> Fields:
        """A stored user as the principal may see it."""
        return self._objects.seen(principal, "_User", user)

    async def with_files(self, user: Fields) -> Fields:
        """What a user sees of itself, with its files in place of references to them."""
        return await self._objects.with_files(Principal("user", user), "_User", user)

    async def refresh_session_token(self, call: Call, user_id: str) -> Fields:
        """A new token for the user, who sees itself. Raises 206 for anybody else's, 211."""
        await self._own(call, user_id)
        return self._accounts.own_view(await self._sessions.refresh(call, user_id))

    async def update_password(self, call: Call, user_id: str, old: str, new: object) -> Fields:
        """Change the password by the old one; answers the id, the time and the session token.

        Raises 206 for anybody else's, 210 for a wrong old one, 201 and 218 for a new one that is
        missing or blank.
        """
        user = await self._own(call, user_id)
        password = check_new_password(new)
        if not await self._passwords.fits(user, old):
            raise ApiError(210, "The username and password mismatch.")
        write = await self._new_password(password)
        changed = await self._accounts.change(call, user_id, write)
        return only(changed, ("objectId", "updatedAt", "sessionToken"))

    async def changes(self, call: Call, user_id: str, write: Write) -> UserWrite:
        """What a client's update of a user comes to.

        Raises 206 for anybody else's user, 125 and 127 for bad addresses and numbers, 202, 203 and
        214 for what another user has, 200 and 217 for a name, 201 and 218 for a password that is
        none.
        """
        user = await self._own(call, user_id)
        named = {
            name: operation
            for name, operation in write.items()
            if name.partition(".")[0] not in SERVER_SET or _may_vouch(call.principal, name)
        }
        check_name(named)
        check_contacts(named)
        await self._accounts.refuse_taken(named, own_id=user_id)
        added: dict[str, Operation] = {
            flag: Set(False)
            for name, flag in _FLAGS.items()
            if flag not in named and _replaces(named, name, user)
        }
        if "password" in named:
            secrets = await self._new_password(check_new_password(set_value(named, "password")))
            named["password"] = secrets.pop("password")
            added |= secrets
        return UserWrite(named, added)

    async def update(
        self,
        call: Call,
        user_id: str,
        write: Write,
        *,
        guard: Where | None = None,
        fetch: bool = False,
    ) -> Fields:
        """Change a user as a client asks; answers what an update of any object does.

        Raises what ``changes`` raises.
        """
        named, added = await self.changes(call, user_id, write)
        update = await self._objects.before_update(call, "_User", user_id, named, guard)
        try:
            (done,) = await self._objects.commit(
                call, [replace(update, write={**update.write, **added})]
            )
        except DuplicateValue as e:
            raise taken(e.field) from e
        answer = await self._objects.after_update(call, replace(done, change=update), fetch=fetch)
        self.updated(call, done)
        return answer

    def updated(self, call: Call, done: Committed) -> None:
        """What follows an update: a new address or number is asked to prove itself."""
        before, after = done.before or {}, done.after or {}
        if after.get("email") != before.get("email") and after.get("emailVerified") is not True:
            self._mails.address_given(call, after)
        number = after.get("mobilePhoneNumber")
        if number != before.get("mobilePhoneNumber") and not after.get("mobilePhoneVerified"):
            self._phones.number_given(call, after)

    async def delete(self, call: Call, user_id: str, *, guard: Where | None = None) -> None:
        """Remove a user, its session with it. Raises 206 for anybody else's."""
        await self._objects.delete(call, "_User", user_id, guard=guard)
        self._lockout.forget(user_id)

    async def _own(self, call: Call, user_id: str) -> Fields:
        """The user, when the call may change it. Raises 206, and 211 for master's nobody."""
        await self._objects.check(call, "update", "_User", user_id)
        user = await self._accounts.get(user_id)
        if user is None:
            raise errors.USER_NOT_FOUND()
        return user

    async def _made(self, call: Call, fields: dict[str, Operation]) -> Fields:
        try:
            created = await self._objects.create(call, "_User", fields)
        except DuplicateValue as e:
            raise taken(e.field) from e
        stored = await self._accounts.get(str(created["objectId"]))
        if stored is None:  # an after hook deleted it at once
            raise errors.USER_NOT_FOUND()
        return self.welcome(call, stored)

    async def _new_by_phone(self, call: Call, phone: str, write: Write) -> dict[str, Operation]:
        """The fields of a user that signs up by its number, named after it unless it says."""
        chosen = set_value(write, "password")
        password = check_new_password(chosen) if chosen is not None else None
        fields = {name: operation for name, operation in write.items() if name != "smsCode"}
        if not set_value(fields, "username"):
            fields["username"] = Set(phone)
        made = await self.new_fields(
            call.principal, {**fields, "mobilePhoneNumber": Set(phone)}, password
        )
        return {**made, "mobilePhoneVerified": Set(True)}

    async def _admitted(self, call: Call, user: Fields, *, by_phone: bool) -> Fields:
        """The user as it sees itself, once its credentials are accepted and nothing else forbids.

        Numbers that are not verified keep from logging in by number alone, addresses always.
        """
        options = self._options
        if options.login_needs_phone and by_phone and user.get("mobilePhoneVerified") is not True:
            raise phone_not_verified()
        has_address = isinstance(user.get("email"), str)
        if options.login_needs_email and has_address and user.get("emailVerified") is not True:
            raise email_not_verified()
        await self._hooks.on_login(call, user)
        user_id = str(user["objectId"])
        now = await self._accounts.get(user_id)
        if now is None:  # the hook, or somebody meanwhile, deleted it
            raise errors.USER_NOT_FOUND()
        self._lockout.forget(user_id)
        return self._accounts.own_view(now)

    def _redeem(self, phone: str, digits: str, user_id: str | None) -> None:
        """Use up a code for logging in; a wrong one counts against the user."""
        if user_id is not None:
            self._lockout.check(user_id)
        try:
            self._codes.redeem(international(phone), digits, "login", "general")
        except ApiError:
            if user_id is not None:
                self._lockout.failed(user_id)
            raise

    async def _new_password(self, password: str) -> dict[str, Operation]:
        """Operations for a changed password, with a new token where that ends sessions."""
        ends = self._options.password_ends_sessions
        return {
            **await self._passwords.write(password),
            **(self._sessions.fresh() if ends else {}),
        }


def without_secrets(write: Write) -> dict[str, Operation]:
    """A write without what only sign-up and the server itself may give a new user."""
    closed = {*SERVER_SET, "password"}
    return {name: op for name, op in write.items() if name.partition(".")[0] not in closed}


def _may_vouch(principal: Principal, name: str) -> bool:
    """Whether the principal may say itself that an address or number is verified."""
    return principal.is_master and name in _FLAGS.values()


def _replaces(write: Mapping[str, Operation], name: str, user: Fields) -> bool:
    """Whether a write gives the user another address or number, or takes it away."""
    operation = write.get(name)
    if isinstance(operation, Set):
        return operation.value != user.get(name)
    return isinstance(operation, Unset) and name in user
