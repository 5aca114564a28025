"""``/roles``: the class ``_Role`` by its short name (storage.md 7.4)."""

from lean_emulator.wire.objects import ObjectHandlers
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

_CLASS = "_Role"


class RoleHandlers:
    """Hands requests about roles to those about any object."""

    def __init__(self, objects: ObjectHandlers) -> None:
        self._objects = objects

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/roles", self.create),
            Route("GET", "/roles", self.find),
            Route("GET", "/roles/:id", self.get),
            Route("PUT", "/roles/:id", self.update),
            Route("DELETE", "/roles/:id", self.delete),
        ]

    async def create(self, request: Request) -> Answer:
        return await self._objects.create(request, _CLASS)

    async def find(self, request: Request) -> Answer:
        return await self._objects.find(request, _CLASS)

    async def get(self, request: Request, object_id: str) -> Answer:
        return await self._objects.get(request, _CLASS, object_id)

    async def update(self, request: Request, object_id: str) -> Answer:
        return await self._objects.update(request, _CLASS, object_id)

    async def delete(self, request: Request, object_ids: str) -> Answer:
        return await self._objects.delete(request, _CLASS, object_ids)
