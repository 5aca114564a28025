"""``/__emu/snapshots``, ``objects``, ``reset`` and ``data``: all objects as they were, or none."""

from collections.abc import Awaitable, Callable

from lean_emulator.base import errors
from lean_emulator.service.snapshots import Snapshots
from lean_emulator.storage.keeper import FileKeeper
from lean_emulator.wire.master_only import master_only
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class SnapshotHandlers:
    """Answers with the master key alone; ``reset`` forgets all objects, messages and traces."""

    def __init__(
        self,
        snapshots: Snapshots,
        keeper: FileKeeper | None,
        reset: Callable[[], Awaitable[None]],
    ) -> None:
        """``keeper`` is ``None`` where nothing is kept in files."""
        self._snapshots = snapshots
        self._keeper = keeper
        self._reset = reset

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/objects", master_only(self.now)),
            Route("GET", "/snapshots", master_only(self.all)),
            Route("PUT", "/snapshots/:name", master_only(self.save)),
            Route("DELETE", "/snapshots/:name", master_only(self.remove)),
            Route("POST", "/snapshots/:name/load", master_only(self.load)),
            Route("GET", "/snapshots/:name/diff", master_only(self.diff)),
            Route("POST", "/reset", master_only(self.reset)),
            Route("POST", "/data/compact", master_only(self.compact)),
        ]

    async def all(self, request: Request) -> Answer:
        return Answer({"results": [*self._snapshots.all()]})

    async def now(self, request: Request) -> Answer:
        """How many objects each class has."""
        return Answer(self._snapshots.now())

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

    async def compact(self, request: Request) -> Answer:
        """Make the journals part of the data file. Raises code 1 where there is none."""
        if self._keeper is None:
            raise errors.INVALID_REQUEST("Objects are in memory alone; there are no files.")
        try:
            await self._keeper.compact()
        except OSError as e:
            raise errors.DATABASE_ERROR(
                f"{self._keeper.data_file} cannot be written: {e.strerror}."
            ) from e
        size = self._keeper.data_file.stat().st_size
        return Answer({"file": str(self._keeper.data_file), "bytes": size})
