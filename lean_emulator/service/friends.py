"""Friendship by request and consent, and the list of those one has blocked (storage.md 6.10)."""

import asyncio
from collections.abc import Awaitable, Callable

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.model.document import only
from lean_emulator.model.operations import Operation, Set, Write
from lean_emulator.model.query import Compare, Query, both
from lean_emulator.model.values import pointer
from lean_emulator.service.call import Call
from lean_emulator.service.follow import Follow, Follows, acting_user, by_server, owned_by
from lean_emulator.service.objects import Fields, Objects, Page, Wish
from lean_emulator.storage.contract import Storage

_FRIENDS: Operation = Set(True)
_NOT_YET: Operation = Set(False)


class _OneRow:
    """Makes rows of which there is one each, however many ask for it at once.

    Clients cannot make them, so that nobody is made a friend without consent.
    """

    def __init__(self, objects: Objects, ids: Ids) -> None:
        self._objects = objects
        self._ids = ids
        self._one_by_one = asyncio.Lock()

    async def create(
        self,
        call: Call,
        class_name: str,
        write: Write,
        known: Callable[[], Awaitable[Fields | None]],
    ) -> Fields:
        """Id and time of the row that is ``known``, or of a new one."""
        call = by_server(call)
        row = await known()
        if row is None:
            object_id = self._ids.object_id()
            insert = await self._objects.before_create(call, class_name, write, object_id)
            committed = None
            async with self._one_by_one:  # no hook runs in here
                row = await known()
                if row is None:
                    (committed,) = await self._objects.commit(call, [insert])
            if committed is not None:
                return await self._objects.after_create(call, committed, fetch=False)
        assert row is not None
        return only(row, ("objectId", "createdAt"))


class FriendRequests:
    """Requests in ``_FriendshipRequest``: pending, then accepted or declined."""

    def __init__(self, storage: Storage, objects: Objects, ids: Ids, follows: Follows) -> None:
        self._storage = storage
        self._objects = objects
        self._follows = follows
        self._rows = _OneRow(objects, ids)

    async def ask(self, call: Call, user: str, friend: str, attributes: Write) -> Fields:
        """Ask for friendship; answers id and time of the request, of the old one if it is pending.

        With attributes, the asker follows the friend from now on, ``friendStatus`` being false.
        Raises 211 for nobody, 1 for friends already and where the friend has declined before.
        """
        await self._follows.require_user(user)
        await self._follows.require_user(friend)
        if user == friend:
            raise errors.INVALID_REQUEST("A user cannot be a friend of itself.")
        known = await self._follows.rows(Follow(user, friend))
        if any(row.get("friendStatus") is True for row in known.values()):
            raise errors.INVALID_REQUEST("Friendship already exists.")
        earlier = await self._between(user, friend)
        if earlier is not None and earlier.get("status") == "declined":
            raise errors.INVALID_REQUEST("Friendship request had previously been declined.")
        if attributes:
            await self._follows.follow(
                call, Follow(user, friend), {**attributes, "friendStatus": _NOT_YET}
            )
        grant: Json = {"read": True, "write": True}
        row: dict[str, Operation] = {
            "user": Set(pointer("_User", user)),
            "friend": Set(pointer("_User", friend)),
            "status": Set("pending"),
            "ACL": Set({user: grant, friend: grant}),
        }
        return await self._rows.create(
            call, "_FriendshipRequest", row, lambda: self._pending(user, friend)
        )

    async def accept(self, call: Call, request_id: str, attributes: Write) -> Fields:
        """Become friends: both follow each other, with ``friendStatus`` true.

        Only the friend who was asked may; one who declined may change their mind. Raises 101 for
        no such request, 206 for anybody else, 211 when the asker has left.
        """
        user, friend = await self._asked(call, request_id)
        await self._follows.require_user(user)  # before anything is written
        server = by_server(call)  # the row of the asker may be the asker's alone
        await self._follows.follow(server, Follow(user, friend), {"friendStatus": _FRIENDS})
        await self._follows.follow(
            server, Follow(friend, user), {**attributes, "friendStatus": _FRIENDS}
        )
        return await self._settle(call, request_id, "accepted")

    async def decline(self, call: Call, request_id: str) -> Fields:
        """Refuse, so that the asker cannot ask again. Raises what ``accept`` does."""
        await self._asked(call, request_id)
        return await self._settle(call, request_id, "declined")

    async def _settle(self, call: Call, request_id: str, status: str) -> Fields:
        return await self._objects.update(
            by_server(call), "_FriendshipRequest", request_id, {"status": Set(status)}
        )

    async def _pending(self, user: str, friend: str) -> Fields | None:
        row = await self._between(user, friend)
        return row if row is not None and row.get("status") == "pending" else None

    async def _between(self, user: str, friend: str) -> Fields | None:
        """The newest request of one user to another."""
        where = both(owned_by(user), Compare("friend", "eq", pointer("_User", friend)))
        found = await self._storage.find(Query("_FriendshipRequest", where))
        return found[-1] if found else None

    async def _asked(self, call: Call, request_id: str) -> tuple[str, str]:
        """Who asked whom, when the call may answer for the latter."""
        row = await self._storage.get("_FriendshipRequest", request_id)
        if row is None:
            raise errors.OBJECT_NOT_FOUND(f"There is no friendship request '{request_id}'.")
        user, friend = (user_id(row.get(name)) for name in ("user", "friend"))
        if user is None or friend is None:
            raise errors.INVALID_REQUEST(f"The request '{request_id}' does not name two users.")
        return user, acting_user(call, friend)


class Blocklist:
    """Whom a user does not want among its friends; rows of ``_Blocklist``, for the user alone."""

    def __init__(self, storage: Storage, objects: Objects, ids: Ids, follows: Follows) -> None:
        self._storage = storage
        self._objects = objects
        self._follows = follows
        self._rows = _OneRow(objects, ids)

    async def block(self, call: Call, user: str, blocked: str) -> None:
        """Put a user on the list; one who is on it stays. Raises 211 for nobody."""
        await self._follows.require_user(blocked)
        row: dict[str, Operation] = {
            "user": Set(pointer("_User", user)),
            "blockedUser": Set(pointer("_User", blocked)),
            "ACL": Set({user: {"read": True, "write": True}}),
        }
        await self._rows.create(call, "_Blocklist", row, lambda: self._row(user, blocked))

    async def unblock(self, call: Call, user: str, blocked: str) -> None:
        """Take a user off the list; one who is not on it is no error."""
        row = await self._row(user, blocked)
        if row is not None:
            await self._objects.delete(call, "_Blocklist", str(row["objectId"]))

    async def page(self, call: Call, user: str, query: Query, wish: Wish, *, count: bool) -> Page:
        """The list."""
        return await self._follows.related(call, "_Blocklist", user, query, wish, count=count)

    async def _row(self, user: str, blocked: str) -> Fields | None:
        where = both(owned_by(user), Compare("blockedUser", "eq", pointer("_User", blocked)))
        found = await self._storage.find(Query("_Blocklist", where, limit=1))
        return found[0] if found else None


def user_id(value: Json) -> str | None:
    """The id in a pointer to a user; ``None`` for anything else."""
    if not isinstance(value, dict) or value.get("className") != "_User":
        return None
    object_id = value.get("objectId")
    return object_id if isinstance(object_id, str) and object_id else None


def required_user(value: Json, name: str) -> str:
    """The id in a pointer to a user. Raises code 106 for anything else."""
    found = user_id(value)
    if found is None:
        raise ApiError(106, f"'{name}' wants a pointer to a _User, got {value!r}.")
    return found
