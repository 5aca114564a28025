"""The cloud queue kept in the storage, beside the application's objects."""

import sys
from collections.abc import Sequence
from dataclasses import asdict

from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.jsontext import Json
from lean_emulator.model.operations import Set
from lean_emulator.model.query import Query
from lean_emulator.model.queued import QueuedTask
from lean_emulator.model.schema import OURS
from lean_emulator.storage.contract import Change, Delete, Insert, Storage, Update

CLASS_NAME = f"{OURS}Queue"


class StoredQueue:
    """Keeps each task as a document whose id is the task's."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def save(self, task: QueuedTask) -> None:
        now = iso_text(self._clock.now_ms())
        fields: dict[str, Json] = {"task": asdict(task)}
        change: Change
        if await self._storage.get(CLASS_NAME, task.unique_id) is None:
            document = {**fields, "objectId": task.unique_id, "createdAt": now, "updatedAt": now}
            change = Insert(CLASS_NAME, document)
        else:
            change = Update(CLASS_NAME, task.unique_id, {"task": Set(fields["task"])}, now)
        await self._storage.commit([change])

    async def forget(self, unique_ids: Sequence[str]) -> None:
        await self._storage.commit([Delete(CLASS_NAME, unique_id) for unique_id in unique_ids])

    async def load(self) -> list[QueuedTask]:
        rows = await self._storage.find(Query(CLASS_NAME, limit=sys.maxsize))
        tasks = (row.get("task") for row in rows)
        return [QueuedTask(**task) for task in tasks if isinstance(task, dict)]  # type: ignore[arg-type]  # written by ``save``
