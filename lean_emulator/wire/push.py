"""``/push`` and what was pushed (storage.md 9.2)."""

from datetime import datetime

from lean_emulator.base import errors, jsontext
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.jsontext import Json
from lean_emulator.model.push import MAX_BODY, parse_device_push, parse_push
from lean_emulator.model.where_json import integer, parse_query
from lean_emulator.service.objects import Fields
from lean_emulator.service.push import LOG, Pushes
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class PushHandlers:
    """Reads requests for the push service."""

    def __init__(self, pushes: Pushes, clock: Clock, app_id: str) -> None:
        self._pushes = pushes
        self._clock = clock
        self._app_id = app_id

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/push", self.push),
            Route("POST", "/push/devices", self.push_to_devices),
            Route("GET", "/tables/Notifications/:id", self.record),
            Route("GET", "/notifications", self.records),
            Route("GET", "/notifications/:id", self.record_for_master),
            Route("DELETE", "/notifications/:id", self.forget),
            Route("GET", "/scheduledPushMessages", self.scheduled),
            Route("DELETE", "/scheduledPushMessages/:id", self.cancel),
        ]

    async def push(self, request: Request) -> Answer:
        body, now = _body(request), iso_text(self._clock.now_ms())
        order = parse_push(body, prod=request.call.prod, now=now)
        return Answer(await self._pushes.send(request.call, order))

    async def push_to_devices(self, request: Request) -> Answer:
        order = parse_device_push(_body(request), prod=request.call.prod)
        return Answer(await self._pushes.send(request.call, order))

    async def record(self, request: Request, name: str) -> Answer:
        return Answer(await self._pushes.record(name))

    async def records(self, request: Request) -> Answer:
        _for_master(request)
        found = await self._pushes.records(parse_query(LOG, request.params))
        return Answer({"results": [*found]})

    async def record_for_master(self, request: Request, name: str) -> Answer:
        _for_master(request)
        return await self.record(request, name)

    async def forget(self, request: Request, name: str) -> Answer:
        _for_master(request)
        await self._pushes.forget(name)
        return Answer({})

    async def scheduled(self, request: Request) -> Answer:
        _for_master(request)
        return Answer({"results": [self._message(row) for row in await self._pushes.scheduled()]})

    async def cancel(self, request: Request, number: str) -> Answer:
        _for_master(request)
        await self._pushes.cancel(integer(number, "id", 0))
        return Answer({})

    def _message(self, row: Fields) -> Json:
        """A push that waits, as the platform lists it."""
        time = datetime.fromisoformat(str(row["push-time"]))
        return {
            "id": row["scheduledId"],
            "expire_time": int(time.timestamp() * 1000),
            "createdAt": row["createdAt"],
            "push_msg": {
                "app-id": self._app_id,
                "api-version": "1.1",
                "id": row["objectId"],
                "notificationId": row["notificationId"],
                "msg": row["msg"],
                "prod": row["prod"],
                "where": {"query": row.get("where") or {}},
                "through?": None,
            },
        }


def _for_master(request: Request) -> None:
    if not request.call.principal.is_master:
        raise errors.MASTER_ONLY()


def _body(request: Request) -> dict[str, Json]:
    """The body, if it is not too large."""
    body = request.document()
    size = len(jsontext.dumps(body)) if request.in_batch else request.size
    if size >= MAX_BODY:
        raise errors.INVALID_REQUEST(
            f"The body of a push must be smaller than {MAX_BODY} bytes, this one has {size}."
        )
    return body
