"""Signing in with the account of another platform, linking and unlinking one (storage.md 6.6)."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.errors import ApiError, DuplicateValue
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import Principal
from lean_emulator.model.auth_data import (
    AuthChange,
    AuthData,
    Identity,
    Link,
    check_auth_data,
    held_identities,
    login_identities,
    with_union_ids,
)
from lean_emulator.model.document import only
from lean_emulator.model.operations import Operation, Set, Write
from lean_emulator.model.query import Compare, Query, Where
from lean_emulator.service.account_hooks import AccountHooks
from lean_emulator.service.accounts import set_value, taken
from lean_emulator.service.call import Call
from lean_emulator.service.objects import Fields, Objects
from lean_emulator.service.users import Users, UserWrite
from lean_emulator.storage.contract import Change, Committed, Storage, Update


class SignedIn(NamedTuple):
    """The user as it sees itself, session token included, and whether it was made just now."""

    user: Fields
    is_new: bool


class ThirdParty:
    """What authData does to users."""

    def __init__(
        self,
        storage: Storage,
        objects: Objects,
        users: Users,
        ids: Ids,
        clock: Clock,
        account_hooks: AccountHooks,
        *,
        signs_up: bool = True,
    ) -> None:
        """Without ``signs_up`` only users that are there can sign in."""
        self._storage = storage
        self._objects = objects
        self._users = users
        self._ids = ids
        self._clock = clock
        self._hooks = account_hooks
        self._signs_up = signs_up
        self._committing = asyncio.Lock()
        """Held from the last look for an owner to the commit, never while a hook runs."""
        self._commits = 0
        """While it stays the same, an owner who was looked for need not be looked for again."""

    async def sign_in_with(
        self, call: Call, auth_data: Json, write: Write, fail_on_not_exist: bool
    ) -> SignedIn:
        """Log in the user that owns one of the accounts, or sign up a new one with ``write``.

        Who logs in gets the accounts as they are given now; ``write`` is not looked at then.
        Raises 211 when there is no owner and none may be made, 207 where accounts of other
        platforms sign nobody up, 137 for accounts of several users,
        250 for an account without uid, 202, 203 and 214 as a sign-up does, and what onAuthData
        and onLogin raise.
        """
        given = check_auth_data(auth_data)
        accounts = with_union_ids(check_auth_data(await self._hooks.on_auth_data(call, given)))
        commits = self._commits
        owner = await self._owner(login_identities(accounts))
        if owner is None:
            if fail_on_not_exist:
                raise errors.USER_NOT_FOUND()
            if not self._signs_up:
                raise ApiError(207, "Users can only be created by signing up.")
            made = await self._made(call, accounts, write, commits)
            if made is not None:
                return SignedIn(made, is_new=True)
            owner = await self._owner(login_identities(accounts))
            if owner is None:  # made and deleted again meanwhile
                raise errors.USER_NOT_FOUND()
        return SignedIn(await self._logged_in(call, owner, accounts), is_new=False)

    async def update(
        self,
        call: Call,
        object_id: str,
        write: Write,
        *,
        guard: Where | None = None,
        fetch: bool = False,
    ) -> Fields:
        """Change a user whose authData the write touches (see ``touches_auth_data``).

        As ``Users.update`` otherwise. Raises 137 for an account that another user has, 250 for
        one without uid, and what onAuthData raises.
        """
        (named, added), linked = await self.changes(call, object_id, write)
        update = await self._objects.before_update(call, "_User", object_id, named, guard)
        changed = replace(update, write={**update.write, **added})
        try:
            (done,) = await self.commit(call, [changed], {object_id: linked})
        except DuplicateValue as e:
            raise taken(e.field) from e
        answer = await self._objects.after_update(call, replace(done, change=update), fetch=fetch)
        self._users.updated(call, done)
        return answer

    async def changes(self, call: Call, object_id: str, write: Write) -> tuple[UserWrite, AuthData]:
        """What such a change of a user comes to, and the accounts that it gives the user.

        Raises what ``update`` does; ``commit`` looks again whether somebody has the accounts.
        """
        named, added = await self._users.changes(call, object_id, write)
        change = AuthChange.of(named)
        linked = change.linked
        if linked:
            linked = check_auth_data(await self._hooks.on_auth_data(call, linked))
            await self._refuse_owned(linked, object_id)
        return UserWrite(change.write(linked), added), linked

    async def commit(
        self, call: Call, changes: Sequence[Change], linked: Mapping[str, AuthData]
    ) -> list[Committed]:
        """Commit changes that give users accounts, by the users' ids.

        Raises 137 for an account that another user has by now, or that two of them want.
        """
        wanted = [
            identity for accounts in linked.values() for identity in held_identities(accounts)
        ]
        if len(set(wanted)) < len(wanted):
            raise taken("authData")
        async with self._committing:
            for object_id, accounts in linked.items():
                await self._refuse_owned(accounts, object_id)
            done = await self._objects.commit(call, changes)
            self._commits += 1
        return done

    async def _made(
        self, call: Call, accounts: AuthData, write: Write, commits: int
    ) -> Fields | None:
        """A new user; ``None`` when somebody else made one with these accounts meanwhile.

        ``commits`` is their number when nobody had the accounts.
        """
        fields = {**await self._own_fields(call.principal, write), "authData": Set(accounts)}
        insert = await self._objects.before_create(call, "_User", fields, self._ids.object_id())
        async with self._committing:
            anew = self._commits != commits
            if anew and await self._owner(login_identities(accounts)) is not None:
                return None
            try:
                (committed,) = await self._objects.commit(call, [insert])
            except DuplicateValue as e:
                raise taken(e.field) from e
            self._commits += 1
        await self._objects.after_create(call, committed, fetch=False)
        assert committed.after is not None
        return self._users.welcome(call, committed.after)

    async def _own_fields(self, principal: Principal, write: Write) -> dict[str, Operation]:
        """What a new user is made of, beside its authData; who has no name gets one."""
        if set_value(write, "username") is None:
            write = {**write, "username": Set(self._ids.lower(25))}
        password = set_value(write, "password")
        return await self._users.new_fields(
            principal,
            write,
            password if isinstance(password, str) and password else None,
        )

    async def _logged_in(self, call: Call, user: Fields, accounts: AuthData) -> Fields:
        """The user after a log-in; its accounts are stored as they are now, without save hooks."""
        object_id = str(user["objectId"])
        await self._refuse_owned(accounts, object_id, user)
        await self._hooks.on_login(call, user)
        call.deadline.check()
        async with self._committing:
            now = await self._storage.get("_User", object_id)
            if now is None:  # the hook deleted it
                raise errors.USER_NOT_FOUND()
            await self._refuse_owned(accounts, object_id, now)
            link = {"authData": Link(accounts, frozenset())}
            update = Update("_User", object_id, link, iso_text(self._clock.now_ms()))
            (committed,) = await self._objects.commit(call, [update])
            self._commits += 1
        assert committed.after is not None
        return self._own_view(committed.after)

    async def _refuse_owned(
        self, accounts: AuthData, object_id: str, user: Fields | None = None
    ) -> None:
        """Raise code 137 for an account that another user has; ``user``'s own need no look."""
        held = None if user is None else user.get("authData")
        own = frozenset(held_identities(held)) if isinstance(held, dict) else frozenset()
        for identity in held_identities(with_union_ids(accounts)):
            if identity in own:
                continue
            owner = await self._owner([identity])
            if owner is not None and owner["objectId"] != object_id:
                raise taken("authData")

    async def _owner(self, identities: Iterable[Identity]) -> Fields | None:
        """The user whom the first identity names that names one."""
        for identity in identities:
            where = Compare(identity.path, "eq", identity.value)
            found = await self._storage.find(Query("_User", where, limit=1))
            if found:
                return found[0]
        return None

    def _own_view(self, user: Fields) -> Fields:
        seen = self._objects.seen(Principal("user", user), "_User", user)
        return {**seen, **only(user, ("sessionToken",))}
