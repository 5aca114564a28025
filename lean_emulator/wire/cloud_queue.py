"""``/engine/cloud-queue``: functions that are called later (engine.md 7.5)."""

import uuid

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.model.queued import read_queued
from lean_emulator.service.cloud_queue import Queue
from lean_emulator.wire.master_only import master_only
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class CloudQueueHandlers:
    """Reads requests for the queue, and questions about it on ``/__emu``."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/engine/cloud-queue/tasks", self.put),
            Route("GET", "/engine/cloud-queue/tasks/:id", self.told),
        ]

    def admin_routes(self) -> list[Route]:
        return [
            Route("GET", "/queue", master_only(self.all)),
            Route("DELETE", "/queue/:id", master_only(self.drop)),
        ]

    async def put(self, request: Request) -> Answer:
        if not request.call.principal.is_master:
            raise errors.MASTER_ONLY()
        task = read_queued(request.document(), str(uuid.uuid4()), self._clock.now_ms())
        await self._queue.put(task)
        return Answer({"uniqueId": task.unique_id})

    async def told(self, request: Request, unique_id: str) -> Answer:
        return Answer(self._queue.told(unique_id))

    async def all(self, request: Request) -> Answer:
        return Answer({"results": [*self._queue.all()]})

    async def drop(self, request: Request, unique_id: str) -> Answer:
        await self._queue.drop(unique_id)
        return Answer({})
