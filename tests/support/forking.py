"""A storage whose every write finds its tables shared with a fork."""

from collections.abc import Sequence

from lean_emulator.model.schema import ClassSchema
from lean_emulator.storage.contract import Change, Committed
from lean_emulator.storage.memory import MemoryStorage


class Forking(MemoryStorage):
    """Forks itself before each write and keeps the fork: what is shared must not show."""

    def __init__(self) -> None:
        super().__init__()
        self.forks: list[MemoryStorage] = []

    async def commit(self, changes: Sequence[Change]) -> list[Committed]:
        self.forks.append(self.fork())
        return await super().commit(changes)

    async def save_class(self, schema: ClassSchema) -> None:
        self.forks.append(self.fork())
        await super().save_class(schema)

    async def drop_class(self, class_name: str) -> None:
        self.forks.append(self.fork())
        await super().drop_class(class_name)
