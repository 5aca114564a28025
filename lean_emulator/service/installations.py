"""Devices that get pushes: rows of ``_Installation``, one for each device (storage.md 9.1)."""

from lean_emulator.base.errors import DuplicateValue
from lean_emulator.model.operations import Set, Write
from lean_emulator.model.query import Compare, Query
from lean_emulator.service.call import Call
from lean_emulator.service.objects import Fields, Objects
from lean_emulator.storage.contract import Storage

IDENTITY = ("installationId", "deviceToken")
"""Columns that a device is known by; the first that finds a row decides."""


class Installations:
    """Registers devices."""

    def __init__(self, storage: Storage, objects: Objects) -> None:
        self._storage = storage
        self._objects = objects

    async def register(
        self, call: Call, write: Write, *, fetch: bool = False
    ) -> tuple[Fields, bool]:
        """A new device, or the row of one that registers again; whether it is new comes second.

        Raises 112 for a bad channel, 114 for a bad device token.
        """
        known = await self.known(write)
        if known is None:
            try:
                new = {"valid": Set(True), **write}
                return await self._objects.create(call, "_Installation", new, fetch=fetch), True
            except DuplicateValue:
                known = await self.known(write)  # another request of the device was quicker
                if known is None:
                    raise
        object_id = str(known["objectId"])
        updated = await self._objects.update(call, "_Installation", object_id, write, fetch=fetch)
        return {"createdAt": known["createdAt"], **updated}, False

    async def known(self, write: Write) -> Fields | None:
        """The row of the device that a write speaks of; ``None`` for a new one."""
        for column in IDENTITY:
            operation = write.get(column)
            if isinstance(operation, Set) and isinstance(operation.value, str) and operation.value:
                where = Compare(column, "eq", operation.value)
                for row in await self._storage.find(Query("_Installation", where, limit=1)):
                    return row
        return None
