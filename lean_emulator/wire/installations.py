"""``/installations``: devices register themselves (storage.md 9.1)."""

from lean_emulator.service.installations import Installations
from lean_emulator.wire.objects import ObjectHandlers, wants_fields
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class InstallationHandlers:
    """Reads requests for the installation service."""

    def __init__(self, installations: Installations, objects: ObjectHandlers) -> None:
        self._installations = installations
        self._objects = objects

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/installations", self.register),
            Route("POST", "/classes/_Installation", self.register),
            Route("GET", "/installations", self.find),
            Route("GET", "/installations/:id", self.get),
            Route("PUT", "/installations/:id", self.update),
            Route("DELETE", "/installations/:id", self.delete),
        ]

    async def register(self, request: Request) -> Answer:
        """201 for a new device, 200 for one that is known."""
        fields, is_new = await self._installations.register(
            request.hooked_call("_Installation"), request.write(), fetch=wants_fields(request)
        )
        if not is_new:
            return Answer(fields)
        location = f"/1.1/classes/_Installation/{fields['objectId']}"
        return Answer(fields, 201, {"Location": location})

    async def find(self, request: Request) -> Answer:
        return await self._objects.find(request, "_Installation")

    async def get(self, request: Request, object_id: str) -> Answer:
        return await self._objects.get(request, "_Installation", object_id)

    async def update(self, request: Request, object_id: str) -> Answer:
        return await self._objects.update(request, "_Installation", object_id)

    async def delete(self, request: Request, object_ids: str) -> Answer:
        return await self._objects.delete(request, "_Installation", object_ids)
