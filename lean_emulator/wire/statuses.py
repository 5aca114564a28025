"""``/statuses`` and ``/subscribe/statuses``: publishing, and reading inboxes (storage.md 6.11)."""

from collections.abc import Mapping
from dataclasses import replace

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.operations import parse_write
from lean_emulator.model.query import Query
from lean_emulator.model.values import check_object_id, pointer
from lean_emulator.model.where_json import (
    decoded,
    integer,
    parse_order,
    parse_query,
    parse_where,
)
from lean_emulator.service.status_inbox import Box
from lean_emulator.service.statuses import DEFAULT, MAX_PAGE, Publication, Reading, Statuses
from lean_emulator.wire.follow import wish_of
from lean_emulator.wire.objects import ObjectHandlers
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

_SERVER_SET = ("messageId", "inboxType")
_EVERYBODY = 1_000_000_000


class StatusHandlers:
    """Reads requests for the status service."""

    def __init__(self, statuses: Statuses, objects: ObjectHandlers) -> None:
        self._statuses = statuses
        self._objects = objects

    def routes(self) -> list[Route]:
        inbox = "/subscribe/statuses"
        return [
            Route("POST", "/statuses", self.publish),
            Route("GET", "/statuses", self.find),
            Route("GET", "/statuses/:id", self.get),
            Route("PUT", "/statuses/:id", self.update),
            Route("DELETE", "/statuses/:id", self.delete),
            Route("POST", "/classes/_Status", self.publish),
            Route("DELETE", "/classes/_Status/:id", self.delete),
            Route("GET", inbox, self.read),
            Route("GET", f"{inbox}/count", self.count),
            Route("POST", f"{inbox}/resetUnreadCount", self.mark_read),
            Route("DELETE", f"{inbox}/inbox", self.remove),
        ]

    async def publish(self, request: Request) -> Answer:
        publication = _publication(request.document())
        created = await self._statuses.publish(request.hooked_call("_Status"), publication)
        return Answer(created, 201, {"Location": f"/1.1/classes/_Status/{created['objectId']}"})

    async def find(self, request: Request) -> Answer:
        return await self._objects.find(request, "_Status")

    async def get(self, request: Request, status_id: str) -> Answer:
        return await self._objects.get(request, "_Status", status_id)

    async def update(self, request: Request, status_id: str) -> Answer:
        return await self._objects.update(request, "_Status", status_id)

    async def delete(self, request: Request, status_ids: str) -> Answer:
        """One id, or several joined by commas; the first refusal ends the list."""
        ids = [part for part in status_ids.split(",") if part]
        for status_id in ids:
            check_object_id(status_id)
        call = request.hooked_call("_Status")
        for status_id in ids:
            await self._statuses.delete(call, status_id)
        return Answer({})

    async def read(self, request: Request) -> Answer:
        box, reading = _box(request), _reading(request)
        page = await self._statuses.page(request.call, box, reading)
        body: dict[str, Json] = {"results": [*page.results], "end": page.end}
        if request.flag("count"):
            body["count"] = await self._statuses.matching(request.call, box, reading)
        return Answer(body)

    async def count(self, request: Request) -> Answer:
        counts = await self._statuses.counts(_box(request))
        return Answer({"total": counts.total, "unread": counts.unread})

    async def mark_read(self, request: Request) -> Answer:
        await self._statuses.mark_read(_box(request))
        return Answer({})

    async def remove(self, request: Request) -> Answer:
        """Take one status out of an inbox: for its owner and the master key."""
        box = _box(request)
        await self._statuses.check_own(request.call, box)
        message_id = integer(_given(request).get("messageId"), "messageId", 0)
        if message_id < 1:
            raise errors.INVALID_REQUEST("A messageId is needed to remove a status.")
        await self._statuses.remove(box, message_id)
        return Answer({})


def _publication(body: Mapping[str, Json]) -> Publication:
    data, query = body.get("data"), body.get("query")
    if not isinstance(data, dict):
        raise errors.INVALID_JSON("Malformed json object. A json dictionary is expected.")
    if not isinstance(query, dict):
        raise errors.INVALID_REQUEST("A status wants a query, which finds those it is for.")
    source = data.get("source") or body.get("source")
    owner_keys = [key for part in str(query.get("keys") or "").split(",") if (key := part.strip())]
    return Publication(
        parse_write({name: value for name, value in data.items() if name not in _SERVER_SET}),
        _audience(query),
        owner_keys[0] if owner_keys else None,
        _inbox_type(body.get("inboxType")),
        None if source is None else _object_named(source, "source"),
    )


def _audience(query: Mapping[str, Json]) -> Query:
    """Everybody the query finds, unless it says how many."""
    class_name = query.get("className")
    if not isinstance(class_name, str):
        raise errors.INVALID_CLASS_NAME("The query of a status wants a className.")
    audience = replace(parse_query(class_name, query), keys=Query("").keys)
    return audience if "limit" in query else replace(audience, limit=_EVERYBODY)


def _reading(request: Request) -> Reading:
    params = request.params
    where = parse_where(decoded(params.get("where"), "where"))
    limit = integer(params.get("limit"), "limit", MAX_PAGE)
    order = parse_order(params.get("order"))
    return Reading(
        where,
        wish_of(request),
        integer(params.get("sinceId"), "sinceId", 0),
        integer(params.get("maxId"), "maxId", 0),
        min(limit, MAX_PAGE) if limit >= 0 else MAX_PAGE,
        bool(order) and order[0].path == "messageId" and not order[0].descending,
    )


def _box(request: Request) -> Box:
    """The inbox a request speaks of; without an owner, that of the session's user."""
    given, user_id = _given(request), request.call.principal.user_id
    named = decoded(given.get("owner"), "owner")
    if named is None and user_id is None:
        raise errors.INVALID_REQUEST("An inbox wants an owner.")
    owner = pointer("_User", str(user_id)) if named is None else _object_named(named, "owner")
    return Box(str(owner["className"]), str(owner["objectId"]), _inbox_type(given.get("inboxType")))


def _given(request: Request) -> Mapping[str, Json]:
    return {**request.params, **request.document()}


def _inbox_type(value: Json) -> str:
    if value is None or value == "":
        return DEFAULT
    if not isinstance(value, str):
        raise errors.INVALID_REQUEST(f"An inboxType is a text, got {value!r}.")
    return value


def _object_named(value: Json, what: str) -> dict[str, Json]:
    """A pointer to what a value points at or is. Raises code 106 for anything else."""
    named = value if isinstance(value, dict) else {}
    class_name, object_id = named.get("className"), named.get("objectId")
    if not isinstance(class_name, str) or not isinstance(object_id, str):
        raise errors.INVALID_POINTER(f"'{what}' wants a pointer, got {value!r}.")
    check_object_id(object_id)
    return pointer(class_name, object_id)
