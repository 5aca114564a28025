"""Statuses: published to many inboxes, read from one (storage.md 6.11).

Publishing costs the number of recipients, reading costs the page; a page with a condition costs
what has to be looked at until it is full.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog
from lean_emulator.model.operations import Operation, Set, Write
from lean_emulator.model.query import EVERYTHING, InList, Query, Where, both
from lean_emulator.model.values import pointer
from lean_emulator.service.audience import audience_call
from lean_emulator.service.call import Call
from lean_emulator.service.objects import Fields, Objects, Wish
from lean_emulator.service.status_inbox import Box, Counts, Item, StatusInboxes

PRIVATE = "private"
DEFAULT = "default"
MAX_PAGE = 100
_INBOX = "status inbox"
"""What a refusal calls it; no class can be called so."""
_SOCIAL = frozenset({"_User", "_Follower", "_Followee"})


@dataclass(frozen=True, slots=True)
class Publication:
    """A status, and whom it is for.

    ``audience`` finds them; with ``owner_key`` the inbox is that of the object in this column of a
    row, without it that of the row itself. ``source`` points at the sender, if there is one.
    """

    write: Write
    audience: Query
    owner_key: str | None
    inbox_type: str
    source: dict[str, Json] | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A page of an inbox: ``since`` < messageId <= ``upto``, where 0 means no bound."""

    where: Where = EVERYTHING
    wish: Wish = field(default_factory=Wish)
    since: int = 0
    upto: int = 0
    limit: int = MAX_PAGE
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class InboxPage:
    """What a reading found; ``end`` when nothing follows it."""

    results: list[Fields]
    end: bool


class Statuses:
    """Publishes, reads and deletes."""

    def __init__(self, objects: Objects, boxes: StatusInboxes, log: EventLog) -> None:
        self._objects = objects
        self._boxes = boxes
        self._log = log

    async def publish(self, call: Call, publication: Publication) -> Fields:
        """Store a status and deliver it; answers its id and time.

        One of the default type goes into the sender's own inbox too. A private one can be read by
        the sender and those it is for, any other by everybody; only the sender may delete it.
        """
        recipients = await self._recipients(call, publication)
        source = publication.source
        write: dict[str, Operation] = {
            "ACL": Set(_acl(publication, recipients)),
            **publication.write,
            "inboxType": Set(publication.inbox_type),
        }
        if source is not None:
            write["source"] = Set(source)
        created = await self._objects.create(call, "_Status", write)
        await self._deliver(call, str(created["objectId"]), publication.inbox_type, recipients)
        return created

    async def delete(self, call: Call, status_id: str) -> None:
        """Delete a status here and in all inboxes. Raises 403 for who may not write it."""
        await self._objects.delete(call, "_Status", status_id)
        await self._boxes.withdraw(status_id)

    async def page(self, call: Call, box: Box, reading: Reading) -> InboxPage:
        """Statuses in an inbox as the principal may see them, with messageId and inboxType."""
        if reading.limit == 0:
            return InboxPage([], end=False)
        results: list[Fields] = []
        async for status in self._read(call, box, reading):
            if len(results) == reading.limit:
                return InboxPage(results, end=False)
            results.append(status)
        return InboxPage(results, end=bool(results))

    async def matching(self, call: Call, box: Box, reading: Reading) -> int:
        """How many a reading without a limit would find; costs all of them."""
        whole = replace(reading, limit=MAX_PAGE)
        return len([None async for _ in self._read(call, box, whole)])

    async def counts(self, box: Box) -> Counts:
        return await self._boxes.counts(box)

    async def mark_read(self, box: Box) -> None:
        await self._boxes.mark_read(box)

    async def check_own(self, call: Call, box: Box) -> None:
        """Raise 403 for who may not take statuses out of an inbox: all but its owner and master."""
        of_user = box.owner_class == "_User"
        acl: Json = {box.owner_id: {"read": True, "write": True}} if of_user else {}
        name = f"{box.type} of {box.owner_class} {box.owner_id}"
        await self._objects.check(call, "delete", _INBOX, name, acl)

    async def remove(self, box: Box, message_id: int) -> None:
        """Take a status out of one inbox; it stays in others. An absent one is no error."""
        await self._boxes.remove(box.key, message_id)

    async def _deliver(
        self, call: Call, status_id: str, inbox_type: str, owners: Sequence[tuple[str, str]]
    ) -> None:
        """One step of the trace, however many inboxes there are."""
        title = f"deliver to {len(owners)} {'inbox' if len(owners) == 1 else 'inboxes'}"
        span = self._log.begin("storage", title, call.span)
        try:
            await self._boxes.deliver([Box(*owner, inbox_type) for owner in owners], status_id)
        finally:
            self._log.end(span)

    async def _recipients(self, call: Call, publication: Publication) -> list[tuple[str, str]]:
        """Class and id of every inbox owner, each once."""
        audience, key = publication.audience, publication.owner_key
        if audience.class_name in _SOCIAL:
            call = audience_call(call, audience.where)
        page = await self._objects.find(call, audience, Wish())
        found = (
            row.get(key) if key is not None else pointer(audience.class_name, str(row["objectId"]))
            for row in page.results
        )
        owners = [_target(value) for value in found]
        if publication.source is not None and publication.inbox_type == DEFAULT:
            owners.append(_target(publication.source))
        return list(dict.fromkeys(owner for owner in owners if owner is not None))

    async def _read(self, call: Call, box: Box, reading: Reading) -> AsyncIterator[Fields]:
        last = (await self._boxes.counts(box)).last
        upto = min(last, reading.upto) if reading.upto > 0 else last
        items = self._boxes.items(
            box, above=max(0, reading.since), upto=upto, oldest_first=reading.oldest_first
        )
        some: list[Item] = []
        async for item in items:
            some.append(item)
            if len(some) > min(reading.limit, MAX_PAGE):
                for status in await self._statuses(call, box, reading, some):
                    yield status
                some = []
                call.deadline.check()
        for status in await self._statuses(call, box, reading, some):
            yield status

    async def _statuses(
        self, call: Call, box: Box, reading: Reading, items: Sequence[Item]
    ) -> list[Fields]:
        """The readable ones among some deliveries that match, in the order of the deliveries."""
        ids = tuple(dict.fromkeys(item.status_id for item in items))
        if not ids:
            return []
        where = both(InList("objectId", ids), reading.where)
        page = await self._objects.find(call, Query("_Status", where, limit=len(ids)), reading.wish)
        found = {str(row["objectId"]): row for row in page.results}
        return [
            {**found[item.status_id], "messageId": item.number, "inboxType": box.type}
            for item in items
            if item.status_id in found
        ]


def _acl(publication: Publication, recipients: Sequence[tuple[str, str]]) -> dict[str, Json]:
    acl: dict[str, Json] = {"*": {"read": True}}
    if publication.inbox_type == PRIVATE:
        users = (owner_id for class_name, owner_id in recipients if class_name == "_User")
        acl = {user: {"read": True} for user in users}
    sender = _target(publication.source)
    if sender is not None and sender[0] == "_User":
        acl[sender[1]] = {"read": True, "write": True}
    return acl


def _target(value: Json) -> tuple[str, str] | None:
    """Class and id in a pointer; ``None`` for anything else."""
    if not isinstance(value, dict):
        return None
    class_name, object_id = value.get("className"), value.get("objectId")
    if isinstance(class_name, str) and isinstance(object_id, str) and class_name and object_id:
        return class_name, object_id
    return None
