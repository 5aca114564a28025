"""Inboxes of statuses: what was delivered to whom, numbered from 1 in each inbox.

An inbox is a row that counts, and a row for each delivery, found by its number without a search. A
delivery costs the same whatever the inbox holds; reading costs what is read, and a look at each
number that was removed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.errors import DuplicateValue, NoEffect
from lean_emulator.base.jsontext import Json
from lean_emulator.model.operations import Increment, Set, Write
from lean_emulator.model.query import All, Compare, Query
from lean_emulator.model.schema import OURS
from lean_emulator.model.values import pointer
from lean_emulator.storage.contract import Change, Delete, Insert, Storage, Update

BOXES = f"{OURS}StatusInbox"
ITEMS = f"{OURS}StatusInboxItem"
AT_ONCE = 100
"""Inboxes that one commit delivers to; others may be served between two of them."""
_ATTEMPTS = 100
_EVERYTHING = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Box:
    """The inbox of one kind that an object, most often a user, has."""

    owner_class: str
    owner_id: str
    type: str

    @property
    def key(self) -> str:
        """Its id in storage, the same length whatever the type is called."""
        whole = f"{self.owner_class}/{self.owner_id}/{self.type}"
        return sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Counts:
    """Of an inbox.

    ``last`` is the highest number ever given, ``read`` what it was when all was last marked read.
    """

    last: int = 0
    read: int = 0
    total: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """A delivery: its number in the inbox and the id of the status."""

    number: int
    status_id: str


class StatusInboxes:
    """Delivers, reads, counts and removes.

    Numbers and counters are read, then written under a guard that fails if somebody else was
    quicker; then it is done again.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def deliver(self, boxes: Sequence[Box], status_id: str) -> None:
        """Put a status into each inbox."""
        for start in range(0, len(boxes), AT_ONCE):
            if start:
                await asyncio.sleep(0)
            some = boxes[start : start + AT_ONCE]
            await self._commit(partial(self._deliveries, some, status_id))

    async def items(
        self, box: Box, *, above: int, upto: int, oldest_first: bool = False
    ) -> AsyncIterator[Item]:
        """Deliveries with ``above`` < number <= ``upto``, newest first unless asked otherwise."""
        numbers = range(above + 1, upto + 1)
        for looked, number in enumerate(numbers if oldest_first else reversed(numbers), 1):
            row = await self._storage.get(ITEMS, _item_id(box.key, number))
            if row is not None:
                yield Item(number, str(row["status"]))
            if looked % AT_ONCE == 0:
                await asyncio.sleep(0)

    async def counts(self, box: Box) -> Counts:
        """All zero for an inbox that never got anything."""
        return await self._counts(box.key)

    async def mark_read(self, box: Box) -> None:
        """Nothing that is there now is unread any more."""

        async def changes() -> list[Change]:
            counts = await self.counts(box)
            if not counts.unread:
                return []
            write = {"read": Set(counts.last), "unread": Set(0)}
            return [self._counting(box.key, counts, write)]

        await self._commit(changes)

    async def remove(self, box_key: str, number: int) -> None:
        """Take one delivery out; one that is not there is no error."""

        async def changes() -> list[Change]:
            item_id = _item_id(box_key, number)
            if await self._storage.get(ITEMS, item_id) is None:
                return []
            counts = await self._counts(box_key)
            was_unread = number > counts.read
            write = {"total": Increment(-1), "unread": Increment(-1 if was_unread else 0)}
            return [
                Delete(ITEMS, item_id, Compare("number", "eq", number)),
                self._counting(box_key, counts, write),
            ]

        await self._commit(changes)

    async def withdraw(self, status_id: str) -> None:
        """Take a status out of every inbox that it was delivered to."""
        delivered = Query(ITEMS, Compare("status", "eq", status_id), limit=_EVERYTHING)
        for row in await self._storage.find(delivered):
            await self.remove(str(row["inbox"]), int(str(row["number"])))

    async def _counts(self, box_key: str) -> Counts:
        row = await self._storage.get(BOXES, box_key)
        if row is None:
            return Counts()
        return Counts(*(int(str(row[name])) for name in ("last", "read", "total", "unread")))

    async def _deliveries(self, boxes: Sequence[Box], status_id: str) -> list[Change]:
        changes: list[Change] = []
        for box in boxes:
            counts = await self.counts(box)
            number = counts.last + 1
            item: dict[str, Json] = {"inbox": box.key, "number": number, "status": status_id}
            changes.append(self._insert(ITEMS, _item_id(box.key, number), item))
            if counts.last:
                write = {"last": Set(number), "total": Increment(1), "unread": Increment(1)}
                changes.append(self._counting(box.key, counts, write))
            else:
                first: dict[str, Json] = {
                    "owner": pointer(box.owner_class, box.owner_id),
                    "inboxType": box.type,
                    "last": 1,
                    "read": 0,
                    "total": 1,
                    "unread": 1,
                }
                changes.append(self._insert(BOXES, box.key, first))
        return changes

    async def _commit(self, changes: Callable[[], Awaitable[list[Change]]]) -> None:
        for _ in range(_ATTEMPTS):
            try:
                await self._storage.commit(await changes())
            except (NoEffect, DuplicateValue):
                continue
            return
        raise errors.DATABASE_ERROR("The inbox changes too fast to be written to; try again.")

    def _insert(self, class_name: str, object_id: str, fields: dict[str, Json]) -> Insert:
        now = iso_text(self._clock.now_ms())
        own: dict[str, Json] = {
            "ACL": {},
            "objectId": object_id,
            "createdAt": now,
            "updatedAt": now,
        }
        return Insert(class_name, {**fields, **own})

    def _counting(self, key: str, known: Counts, write: Write) -> Update:
        """A change of an inbox that still is as it was when somebody decided it."""
        now = iso_text(self._clock.now_ms())
        return Update(BOXES, key, write, now, _as_known(known))


def _as_known(counts: Counts) -> All:
    return All((Compare("last", "eq", counts.last), Compare("read", "eq", counts.read)))


def _item_id(box_key: str, number: int) -> str:
    return f"{box_key}n{number}"
