"""``/__emu/snapshots`` and ``/__emu/reset``: all objects as they were, or none."""

from collections.abc import Awaitable, Callable

from lean_emulator.service.snapshots import Snapshots
from lean_emulator.wire.master_only import master_only
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class SnapshotHandlers:
    """Answers with the master key alone; ``reset`` forgets all objects, messages and traces."""

    def __init__(self, snapshots: Snapshots, reset: Callable[[], Awaitable[None]]) -> None:
        self._snapshots = snapshots
        self._reset = reset

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/snapshots", master_only(self.all)),
            Route("PUT", "/snapshots/:name", master_only(self.save)),
            Route("DELETE", "/snapshots/:name", master_only(self.remove)),
            Route("POST", "/snapshots/:name/load", master_only(self.load)),
            Route("GET", "/snapshots/:name/diff", master_only(self.diff)),
            Route("POST", "/reset", master_only(self.reset)),
        ]

    async def all(self, request: Request) -> Answer:
        return Answer({"results": [*self._snapshots.all()]})

    async def save(self, request: Request, name: str) -> Answer:
        return Answer(await self._snapshots.save(name))

    async def load(self, request: Request, name: str) -> Answer:
        return Answer(await self._snapshots.load(name))

    async def remove(self, request: Request, name: str) -> Answer:
        await self._snapshots.remove(name)
        return Answer({})

    async def diff(self, request: Request, name: str) -> Answer:
        """What changed since, up to now or to the snapshot ``to``."""
        other = request.params.get("to")
        return Answer(self._snapshots.diff(name, str(other) if other else None))

    async def reset(self, request: Request) -> Answer:
        await self._reset()
        return Answer({})
