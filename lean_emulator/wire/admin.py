"""``/__emu``: what tests and the command line ask of the emulator itself, with the master key."""

from collections.abc import Callable

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.service.hooks import Hooks
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class AdminHandlers:
    """Answers about the emulator; ``describe`` gives the running instance as JSON, without keys."""

    def __init__(self, hooks: Hooks, describe: Callable[[], dict[str, Json]]) -> None:
        self._hooks = hooks
        self._describe = describe

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/settle", self.settle),
            Route("GET", "/info", self.info),
        ]

    async def settle(self, request: Request) -> Answer:
        """Answer when no after hook runs any more."""
        _require_master(request)
        await self._hooks.settle()
        return Answer({})

    async def info(self, request: Request) -> Answer:
        _require_master(request)
        return Answer(self._describe())


def _require_master(request: Request) -> None:
    if not request.call.principal.is_master or "Origin" in request.headers:
        raise errors.MASTER_ONLY()
