"""``/schemas``: the columns of classes, for the master key alone (storage.md 9.3)."""

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.service.schemas import Schemas
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class SchemaHandlers:
    """Reads requests about classes."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/schemas", self.all),
            Route("GET", "/schemas/:class", self.one),
            Route("POST", "/schemas/:class", self.learn),
        ]

    async def all(self, request: Request) -> Answer:
        _for_master(request)
        types: dict[str, Json] = {**self._schemas.types()}
        return Answer(types)

    async def one(self, request: Request, class_name: str) -> Answer:
        _for_master(request)
        return Answer(self._schemas.types_of(class_name))

    async def learn(self, request: Request, class_name: str) -> Answer:
        """Add the columns of an example object, as dedicated clusters let one do."""
        _for_master(request)
        await self._schemas.learn(class_name, request.document())
        return Answer({"result": True})


def _for_master(request: Request) -> None:
    if not request.call.principal.is_master:
        raise errors.MASTER_ONLY()
