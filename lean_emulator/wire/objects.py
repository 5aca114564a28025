"""``/classes``: create, read, query, update, delete (storage.md 3, 4)."""

from dataclasses import replace

from lean_emulator.base.clock import http_date
from lean_emulator.base.jsontext import Json
from lean_emulator.model.behaviour import USUAL, Behaviour
from lean_emulator.model.query import Where
from lean_emulator.model.values import check_object_id
from lean_emulator.model.where_json import (
    decoded,
    parse_include,
    parse_keys,
    parse_query,
    parse_where,
)
from lean_emulator.service.objects import Objects, Wish
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

_EVERYTHING = Wish()


class ObjectHandlers:
    """Reads requests for the object service."""

    def __init__(self, objects: Objects, behaviour: Behaviour = USUAL) -> None:
        self._objects = objects
        self._large_limit = behaviour.large_limit
        self._returns_acl = behaviour.returns_acl

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/classes/:class", self.create),
            Route("GET", "/classes/:class", self.find),
            Route("GET", "/classes/:class/:id", self.get),
            Route("PUT", "/classes/:class/:id", self.update),
            Route("DELETE", "/classes/:class/:id", self.delete),
        ]

    async def create(self, request: Request, class_name: str) -> Answer:
        created = await self._objects.create(
            request.hooked_call(class_name),
            class_name,
            request.write(),
            fetch=wants_fields(request),
        )
        location = f"/1.1/classes/{class_name}/{created['objectId']}"
        return Answer(created, 201, {"Location": location})

    async def find(self, request: Request, class_name: str) -> Answer:
        query = parse_query(class_name, request.params, self._large_limit)
        target = self._redirected(request, class_name)
        if target is not None:
            query = replace(query, class_name=target)
        page = await self._objects.find(
            request.call, query, self._wish(request), count=request.flag("count")
        )
        body: dict[str, Json] = {"results": [*page.results]}
        if target is not None:
            body["className"] = target
        if page.count is not None:
            body["count"] = page.count
        return Answer(body, headers=_last_modified(self._objects.last_write(query.class_name)))

    def _redirected(self, request: Request, class_name: str) -> str | None:
        """The class a relation query is really about, when the client does not know it."""
        key = request.params.get("redirectClassNameForKey")
        return self._objects.relation_target(class_name, str(key)) if key else None

    async def get(self, request: Request, class_name: str, object_id: str) -> Answer:
        check_object_id(object_id)
        found = await self._objects.get(request.call, class_name, object_id, self._wish(request))
        if found is None:
            return Answer(None if request.in_batch else {})
        return Answer(found, headers=_last_modified(found.get("updatedAt")))

    def _wish(self, request: Request) -> Wish:
        params = request.params
        if not params:
            return _EVERYTHING
        return Wish(
            parse_keys(params.get("keys")),
            parse_include(params.get("include")),
            self._returns_acl and request.flag("returnACL"),
        )

    async def update(self, request: Request, class_name: str, object_id: str) -> Answer:
        check_object_id(object_id)
        updated = await self._objects.update(
            request.hooked_call(class_name),
            class_name,
            object_id,
            request.write(),
            guard=guard_of(request),
            fetch=wants_fields(request),
        )
        return Answer(updated)

    async def delete(self, request: Request, class_name: str, object_ids: str) -> Answer:
        """One id, or several joined by commas; the first refusal ends the list."""
        ids = [part for part in object_ids.split(",") if part]
        for object_id in ids:
            check_object_id(object_id)
        call, guard = request.hooked_call(class_name), guard_of(request)
        for object_id in ids:
            await self._objects.delete(call, class_name, object_id, guard=guard)
        return Answer({})


def _last_modified(iso: Json) -> dict[str, str]:
    return {"Last-Modified": http_date(iso)} if isinstance(iso, str) else {}


def wants_fields(request: Request) -> bool:
    """Whether the answer is to show what was stored."""
    if request.flag("fetchWhenSave", "new"):
        return True
    body = request.body
    return isinstance(body, dict) and body.get("_fetchWhenSave") is True


def guard_of(request: Request) -> Where | None:
    """The condition of a conditional write: from the URL, or ``_where`` in old bodies."""
    raw = decoded(request.params.get("where"), "where")
    if raw is None and isinstance(request.body, dict):
        raw = decoded(request.body.get("_where"), "_where")
    return None if raw is None or raw == {} else parse_where(raw)
