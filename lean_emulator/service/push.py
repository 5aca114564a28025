"""Pushes: whom they would reach is worked out, and nothing leaves the machine (storage.md 9.2)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from lean_emulator.base import errors, jsontext
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.errors import NoEffect
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import ANONYMOUS, MASTER, Principal
from lean_emulator.model.operations import Increment, Operation, Set
from lean_emulator.model.push import PushOrder, audience_of
from lean_emulator.model.query import Compare, Keys, Not, Order, Query, both
from lean_emulator.service.audience import audience_call
from lean_emulator.service.call import Call
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.objects import Fields, Objects, Wish
from lean_emulator.storage.contract import Delete, Insert, Storage, Update
from lean_emulator.storage.rehearsable import current_rehearsal

LOG = "_Notification"
ACTIVE_DAYS = 90
"""A device that has not registered for longer gets nothing."""
KEPT_DAYS = 7
"""Records of pushes are forgotten then."""
SAME_SECONDS = 300.0
"""How long a ``req_id`` stands for one and the same push."""
SOON_MS = 60_000
"""A push for a time that is less far away goes at once."""
NAMED_DEVICES = 100
"""Devices of a push whose ids the inbox lists."""
_DAY_MS = 86_400_000
_MASTER = "master"
"""Who asked for a scheduled push, in its record; users stand there by their ids."""
_SHOWN_AS = {"fromService": "from-service", "pushTime": "push-time"}
"""Names of a record's members that no column can have."""


class Pushes:
    """Takes pushes in, and keeps a record of each.

    A push costs the number of devices that it finds.
    """

    def __init__(
        self,
        storage: Storage,
        objects: Objects,
        inbox: Inbox,
        ids: Ids,
        clock: Clock,
        *,
        by_clients: bool = True,
    ) -> None:
        self._storage = storage
        self._objects = objects
        self._inbox = inbox
        self._ids = ids
        self._clock = clock
        self._by_clients = by_clients
        self._lately: dict[str, tuple[float, Fields]] = {}
        self._scheduled: Callable[[int, str], None] = lambda at_ms, name: None

    def on_scheduled(self, tell: Callable[[int, str], None]) -> None:
        """Call ``tell`` with time and id of every push that is to be delivered later."""
        self._scheduled = tell

    async def send(self, call: Call, order: PushOrder) -> Fields:
        """Record a push and show it in the inbox; answers id and time of the record.

        Raises 119 for clients where they may not push. One for a later time is only recorded, as
        scheduled, with the devices that are found now; ``deliver`` sends it.
        """
        if not self._by_clients and not call.principal.is_master:
            raise errors.NOT_FOR_CLIENTS("Clients may not push: the setting client_push is off.")
        again = self._same(order)
        if again is not None and await self._storage.get(LOG, str(again["objectId"])) is not None:
            return again
        count, devices = await self._devices(call, order)
        await self._forget_old()
        record = await self._record(call.principal, order, count)
        if record["status"] == "scheduled":
            self._expect(record)
        else:
            self._show(call, order, count, devices, record)
        answer = {name: record[name] for name in ("objectId", "createdAt")}
        if order.req_id is not None:
            self._lately[order.req_id] = (self._clock.now_ms() / 1000 + SAME_SECONDS, answer)
        return answer

    async def waiting(self) -> list[tuple[int, str]]:
        """Times and ids of all pushes that are to be delivered later."""
        return [(_ms(str(row["pushTime"])), str(row["objectId"])) for row in await self._waiting()]

    async def is_scheduled(self, name: str) -> bool:
        """Whether a push waits for its time: it does neither once it was sent nor cancelled."""
        row = await self._storage.get(LOG, name)
        return row is not None and row["status"] == "scheduled"

    async def deliver(self, call: Call, name: str) -> None:
        """Send a scheduled push to the devices that match now, with the rights of who asked for it.

        One that was cancelled or sent meanwhile is left alone.
        """
        row = await self._storage.get(LOG, name)
        if row is None or row["status"] != "scheduled":
            return
        order = _order_of(row)
        sender = await self._sender(row.get("sender"))
        count, devices = await self._devices(replace(call, principal=sender), order)
        done: dict[str, Operation] = {
            "status": Set("done"),
            "devices": Set(count),
            "successes": Set(count),
        }
        now, waits = iso_text(self._clock.now_ms()), Compare("status", "eq", "scheduled")
        try:
            (sent,) = await self._storage.commit([Update(LOG, name, done, now, waits)])
        except NoEffect:
            return
        assert sent.after is not None
        self._show(call, order, count, devices, sent.after)

    async def record(self, name: str) -> Fields:
        """The record of a push. Raises 101 for none."""
        row = await self._storage.get(LOG, name)
        if row is None:
            raise errors.OBJECT_NOT_FOUND(f"There is no push '{name}', or it is no longer kept.")
        return self._shown(row)

    async def records(self, query: Query) -> list[Fields]:
        """Records of pushes, newest first unless the query says otherwise."""
        order = query.order or (Order("createdAt", descending=True),)
        found = await self._storage.find(Query(LOG, query.where, order, query.skip, query.limit))
        return [self._shown(row) for row in found]

    async def forget(self, name: str) -> None:
        """Delete a record, which cancels a push whose time has not come. Raises 101 for none."""
        await self.record(name)
        await self._storage.commit([Delete(LOG, name)])

    async def scheduled(self) -> list[Fields]:
        """Pushes whose time has not come."""
        return [self._shown(row) for row in await self._waiting()]

    async def cancel(self, number: int) -> None:
        """Cancel a push whose time has not come, by its number. Raises 101 for none."""
        for row in await self.scheduled():
            if row["scheduledId"] == number:
                await self.forget(str(row["objectId"]))
                return
        raise errors.OBJECT_NOT_FOUND(f"There is no scheduled push {number}.")

    async def _waiting(self) -> list[Fields]:
        where = Compare("status", "eq", "scheduled")
        return await self._storage.find(Query(LOG, where, limit=1_000_000))

    def _expect(self, record: Fields) -> None:
        """Tell of a push for later, unless it belongs to a dry run, which sends nothing."""
        if current_rehearsal() is None:
            self._scheduled(_ms(str(record["pushTime"])), str(record["objectId"]))

    async def _sender(self, kept: Json) -> Principal:
        """Who asked for a scheduled push; nobody if that user is gone."""
        if kept == _MASTER:
            return MASTER
        user = await self._storage.get("_User", str(kept)) if kept else None
        return ANONYMOUS if user is None else Principal("user", user)

    def _same(self, order: PushOrder) -> Fields | None:
        """The answer that a request with the same ``req_id`` got; its record may be gone since."""
        now = self._clock.now_ms() / 1000
        self._lately = {name: known for name, known in self._lately.items() if known[0] > now}
        known = None if order.req_id is None else self._lately.get(order.req_id)
        return None if known is None else known[1]

    async def _devices(self, call: Call, order: PushOrder) -> tuple[int, list[Fields]]:
        """How many devices the push is for, and the first of them."""
        since = iso_text(self._clock.now_ms() - ACTIVE_DAYS * _DAY_MS)
        alive = both(Not(Compare("valid", "eq", False)), Compare("updatedAt", "gte", since))
        where = both(order.where, alive)
        query = Query("_Installation", where, limit=NAMED_DEVICES)
        wish = Wish(Keys(frozenset({"objectId", "deviceType"})))
        page = await self._objects.find(audience_call(call, where), query, wish, count=True)
        return page.count or 0, page.results

    async def _record(self, sender: Principal, order: PushOrder, count: int) -> Fields:
        now = self._clock.now_ms()
        name = order.notification_id or self._ids.lower(16)
        if await self._storage.get(LOG, name) is not None:
            more: dict[str, Operation] = {
                "devices": Increment(count),
                "successes": Increment(count),
                "msg": Set(jsontext.dumps(order.data).decode()),
            }
            (done,) = await self._storage.commit([Update(LOG, name, more, iso_text(now))])
            assert done.after is not None
            return done.after
        waits = order.push_time is not None and _ms(order.push_time) - now >= SOON_MS
        fields: dict[str, Json] = {
            "ACL": {},
            "objectId": name,
            "createdAt": iso_text(now),
            "updatedAt": iso_text(now),
            "notificationId": name,
            "msg": jsontext.dumps(order.data).decode(),
            "aim": jsontext.dumps(order.aim).decode(),
            "prod": order.prod,
            "status": "scheduled" if waits else "done",
            "devices": count,
            "successes": 0 if waits else count,
            "fromService": "push",
        }
        optional: Mapping[str, Json] = {
            "pushTime": order.push_time,
            "expirationTime": order.expiration_time,
            "expirationInterval": order.expiration_interval,
            "flowControl": order.flow_control,
            "reqId": order.req_id,
            "scheduledId": await self._next_number() if waits else None,
            "sender": (_MASTER if sender.is_master else sender.user_id) if waits else None,
        }
        fields |= {column: value for column, value in optional.items() if value is not None}
        (done,) = await self._storage.commit([Insert(LOG, fields)])
        assert done.after is not None
        return done.after

    async def _next_number(self) -> int:
        numbers = [int(str(row["scheduledId"])) for row in await self._waiting()]
        return max(numbers, default=0) + 1

    async def _forget_old(self) -> None:
        """Delete records that are too old, unless the push is still to come; some at a time."""
        now = self._clock.now_ms()
        old = Compare("createdAt", "lt", iso_text(now - KEPT_DAYS * _DAY_MS))
        rows = await self._storage.find(Query(LOG, old, limit=100))
        gone = [row for row in rows if row["status"] != "scheduled"]
        if gone:
            await self._storage.commit([Delete(LOG, str(row["objectId"])) for row in gone])

    def _shown(self, row: Fields) -> Fields:
        """A record as the platform gives it."""
        own = ("ACL", "sender")
        shown = {_SHOWN_AS.get(name, name): value for name, value in row.items() if name not in own}
        shown["msg"] = jsontext.loads(str(row["msg"]))
        aim = jsontext.loads(str(shown.pop("aim")))
        assert isinstance(aim, dict)
        return {**aim, **shown}

    def _show(
        self, call: Call, order: PushOrder, count: int, devices: list[Fields], record: Fields
    ) -> None:
        title, text = _words(order.data)
        detail: dict[str, Json] = {
            "notificationId": record["objectId"],
            "status": record["status"],
            "devices": count,
            "installations": [row["objectId"] for row in devices],
            "data": order.data,
            "prod": order.prod,
            **order.aim,
        }
        for name, value in (
            ("pushTime", order.push_time),
            ("expirationTime", order.expiration_time),
            ("expirationInterval", order.expiration_interval),
        ):
            if value is not None:
                detail[name] = value
        self._inbox.add(
            "push",
            f"{count} {'device' if count == 1 else 'devices'}",
            title,
            text,
            detail=detail,
            trace=None if call.span is None else call.span.root.name,
        )


def _order_of(row: Fields) -> PushOrder:
    """A push as it was asked for, from its record."""
    data, aim = jsontext.loads(str(row["msg"])), jsontext.loads(str(row["aim"]))
    assert isinstance(data, dict)
    assert isinstance(aim, dict)
    expires, interval = row.get("expirationTime"), row.get("expirationInterval")
    return PushOrder(
        data,
        audience_of(aim, now=str(row["createdAt"])),
        aim,
        str(row["prod"]),
        str(row["pushTime"]),
        None if expires is None else str(expires),
        interval if isinstance(interval, int | float) else None,
    )


def _words(data: Mapping[str, Json]) -> tuple[str, str]:
    """Title and text that a device would show, wherever the data has them; empty for silent ones.

    They stand beside each other, in an alert of their own, in ``aps``, or for one platform alone.
    """
    alert = data.get("alert")
    if isinstance(alert, dict):
        return str(alert.get("title") or data.get("title") or ""), str(alert.get("body") or "")
    if alert is not None:
        return str(data.get("title") or ""), str(alert)
    inner = [data.get("aps"), *data.values()]
    return next((_words(part) for part in inner if isinstance(part, dict)), ("", ""))


def _ms(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp() * 1000)
