"""Who follows whom: a row in ``_Followee``, its mirror image in ``_Follower`` (storage.md 6.9)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import Principal, may
from lean_emulator.model.operations import Operation, Set, Write
from lean_emulator.model.query import Compare, Not, Query, Select, Where, both
from lean_emulator.model.schema import new_class
from lean_emulator.model.values import pointer
from lean_emulator.service.call import Call
from lean_emulator.service.objects import Fields, Objects, Page, Wish
from lean_emulator.service.permissions import refused
from lean_emulator.storage.contract import Change, Insert, Storage, Update

ALL = 1_000_000
"""The limit of a query that wants everything."""
MIRRORS: Mapping[str, str] = {"_Followee": "followee", "_Follower": "follower"}
"""The two classes, and the column of each that names the other user."""


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """What an application chooses in the platform's console."""

    back: bool = False
    """Whoever is followed follows back."""
    open_to: str = "both"
    """Who may read and change the rows: ``both`` users, ``everybody``, the ``follower`` alone."""


@dataclass(frozen=True, slots=True)
class Follow:
    """``user`` follows ``target``; both are ids."""

    user: str
    target: str

    def ends(self, class_name: str) -> tuple[str, str]:
        """Whose row it is in a class, and which user the row names beside that one."""
        mine = class_name == "_Followee"
        return (self.user, self.target) if mine else (self.target, self.user)

    @property
    def back(self) -> "Follow":
        return Follow(self.target, self.user)

    def columns(self, class_name: str, open_to: str) -> dict[str, Operation]:
        """What only the server sets in a row, its ACL as ``FollowOptions`` has it."""
        owner, other = self.ends(class_name)
        grant: Json = {"read": True, "write": True}
        whom = {"everybody": ("*",), "follower": (self.user,)}.get(
            open_to, (self.user, self.target)
        )
        return {
            "user": Set(pointer("_User", owner)),
            MIRRORS[class_name]: Set(pointer("_User", other)),
            "ACL": Set(dict.fromkeys(whom, grant)),
        }

    def where(self, class_name: str) -> Where:
        owner, other = self.ends(class_name)
        return both(owned_by(owner), Compare(MIRRORS[class_name], "eq", pointer("_User", other)))


class Follows:
    """Following, and the lists that come of it.

    To follow and to stop costs the smaller of two numbers: those whom the one follows, those who
    follow the other. A list costs what a query of its class does.
    """

    def __init__(
        self, storage: Storage, objects: Objects, ids: Ids, options: FollowOptions
    ) -> None:
        self._storage = storage
        self._objects = objects
        self._ids = ids
        self._options = options
        self._one_by_one = asyncio.Lock()

    async def follow(self, call: Call, follow: Follow, attributes: Write) -> None:
        """Follow; who does so already only gets the attributes changed.

        Raises 211 for a target that does not exist.
        """
        await self.require_user(follow.target)
        await self._follow(call, follow, attributes)
        if self._options.back:
            await self._follow(by_server(call), follow.back, attributes)

    async def _follow(self, call: Call, follow: Follow, attributes: Write) -> None:
        rows = await self.rows(follow)
        inserts = [
            await self._objects.before_create(
                call,
                class_name,
                {**attributes, **follow.columns(class_name, self._options.open_to)},
                self._ids.object_id(),
            )
            for class_name in MIRRORS
            if class_name not in rows
        ]
        updates = await self._updates(call, rows, attributes)
        async with self._one_by_one:
            there = await self.rows(follow) if inserts else {}
            changes: list[Change] = [i for i in inserts if i.class_name not in there]
            changes += updates
            done = await self._objects.commit(call, changes)
        for committed in done:
            if isinstance(committed.change, Insert):
                await self._objects.after_create(call, committed, fetch=False)
            else:
                await self._objects.after_update(call, committed, fetch=False)

    async def change(self, call: Call, follow: Follow, attributes: Write) -> Fields:
        """Change the attributes in both rows; answers id and time. Raises 221 for nothing."""
        rows = await self.rows(follow)
        if not rows:
            raise not_followed()
        done = await self._objects.commit(call, await self._updates(call, rows, attributes))
        answers = [await self._objects.after_update(call, one, fetch=False) for one in done]
        row = next(iter(rows.values()))
        return answers[0] if answers else {name: row[name] for name in ("objectId", "updatedAt")}

    async def unfollow(self, call: Call, follow: Follow) -> None:
        """Remove both rows. Raises 221 where there is none."""
        rows = await self.rows(follow)
        if not rows:
            raise not_followed()
        for class_name, row in rows.items():
            await self._objects.delete(call, class_name, str(row["objectId"]))

    async def related(
        self, call: Call, class_name: str, user: str, query: Query, wish: Wish, *, count: bool
    ) -> Page:
        """The followers or followees of a user, by class, as far as the principal may see them."""
        where = both(owned_by(user), query.where)
        asked = replace(query, class_name=class_name, where=where)
        return await self._objects.find(call, asked, wish, count=count)

    async def mutual(self, call: Call, user: str, query: Query, wish: Wish, *, count: bool) -> Page:
        """Those whom the user follows and who follow back, as rows of ``_Followee``."""
        followers = Query("_Follower", owned_by(user), limit=ALL)
        where = both(Select("followee", followers, "follower"), query.where)
        return await self.related(
            call, "_Followee", user, replace(query, where=where), wish, count=count
        )

    async def friends(
        self, call: Call, user: str, query: Query, wish: Wish, *, count: bool
    ) -> Page:
        """Friends by request, without those the user has blocked (storage.md 6.10)."""
        blocked = Select("followee", Query("_Blocklist", owned_by(user), limit=ALL), "blockedUser")
        where = both(Compare("friendStatus", "eq", True), both(Not(blocked), query.where))
        return await self.related(
            call, "_Followee", user, replace(query, where=where), wish, count=count
        )

    async def rows(self, follow: Follow) -> dict[str, Fields]:
        """What is stored of a follow, by class; clients can delete one row without the other."""
        found = {}
        for class_name in MIRRORS:
            asked = Query(class_name, follow.where(class_name), limit=1)
            for row in await self._storage.find(asked):
                found[class_name] = row
        return found

    async def require_user(self, user: str) -> None:
        """Raise 211 for nobody."""
        if await self._storage.get("_User", user) is None:
            raise errors.USER_NOT_FOUND()

    async def _updates(
        self, call: Call, rows: Mapping[str, Fields], attributes: Write
    ) -> Sequence[Update]:
        if not attributes:
            return []
        return [
            await self._objects.before_update(
                call, class_name, str(row["objectId"]), attributes, None
            )
            for class_name, row in rows.items()
        ]


def by_server(call: Call) -> Call:
    """The call with the right to write rows that its principal must not write by itself."""
    return replace(call, principal=replace(call.principal, kind="master"))


def owned_by(user: str) -> Where:
    """Rows whose column ``user`` names the user."""
    return Compare("user", "eq", pointer("_User", user))


def not_followed() -> ApiError:
    return ApiError(221, "Friendship not found.")


def named_user(principal: Principal, name: str) -> str:
    """The user a path speaks of, where ``self`` is that of the session.

    Raises 211 for ``self`` without a session.
    """
    if name != "self":
        return name
    if principal.user_id is None:
        raise errors.USER_NOT_FOUND()
    return principal.user_id


def acting_user(call: Call, name: str) -> str:
    """The user a path speaks of, who must be that of the session; the master key acts for all.

    Raises 206 for anybody else's.
    """
    user = named_user(call.principal, name)
    ruling = may(call.principal, "update", new_class("_User"), user)
    if not ruling:
        raise refused(call, ruling)
    return user
