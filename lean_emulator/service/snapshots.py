"""Named states of all objects, to come back to (copy on write; in files where objects are)."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.errors import ApiError
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace_view import changes
from lean_emulator.model.schema import OURS
from lean_emulator.storage import data_file
from lean_emulator.storage.keeper import FileKeeper
from lean_emulator.storage.memory import MemoryStorage

FOLDER = "snapshots"
MAX_SHOWN = 100
"""Changed objects of a class that a difference tells of; of more, only how many there are."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
_FILE = re.compile(r"(?P<name>.+)@(?P<ms>\d+)-(?P<id>[0-9a-f]+)\.json")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state under a name; ``file`` is where it is kept, empty where nothing is."""

    name: str
    at_ms: int
    state: MemoryStorage
    file: str = ""

    def to_json(self) -> dict[str, Json]:
        tables = {n: t for n, t in sorted(self.state.tables.items()) if not n.startswith(OURS)}
        return {
            "name": self.name,
            "at": iso_text(self.at_ms),
            "classes": {name: len(table.documents) for name, table in tables.items()},
            "objects": sum(len(table.documents) for table in tables.values()),
        }


class Snapshots:
    """Saving and loading cost the number of classes in memory; a file is written beside.

    ``settle`` waits until no hook writes any more; ``loaded`` is told after all objects changed.
    """

    def __init__(
        self,
        storage: MemoryStorage,
        keeper: FileKeeper | None,
        ids: Ids,
        clock: Clock,
        settle: Callable[[], Awaitable[None]],
        loaded: Callable[[], Awaitable[None]],
    ) -> None:
        self._storage = storage
        self._keeper = keeper
        self._ids = ids
        self._clock = clock
        self._settle = settle
        self._loaded = loaded
        self._known: dict[str, Snapshot] = {}

    async def open(self) -> None:
        """Find those that were kept. Raises ``StartError`` for a file that cannot be read."""
        if self._keeper is None:
            return
        folder = self._keeper.folder / FOLDER
        for path in sorted(await asyncio.to_thread(lambda: [*folder.glob("*.json")])):
            named = _FILE.fullmatch(path.name)
            known = self._known.get(named["name"]) if named else None
            if named is None or (known is not None and known.at_ms >= int(named["ms"])):
                continue
            state = await asyncio.to_thread(_read, path)
            file = f"{FOLDER}/{path.name}"
            self._known[named["name"]] = Snapshot(named["name"], int(named["ms"]), state, file)

    def all(self) -> list[dict[str, Json]]:
        return [self._known[name].to_json() for name in sorted(self._known)]

    def now(self) -> dict[str, Json]:
        """Objects as they are, counted as those of a snapshot are; it has no name."""
        return Snapshot("", self._clock.now_ms(), self._storage).to_json()

    async def save(self, name: str) -> dict[str, Json]:
        """Keep all objects as they are under a name, in the place of what had it.

        Raises code 1 for a name that cannot be one, 304 where it cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise errors.INVALID_REQUEST(
                f"'{name}' is no name of a snapshot: letters, digits, '.', '_' and '-' are."
            )
        await self._settle()
        now, state = self._clock.now_ms(), self._storage.fork()
        before = self._known.get(name)
        file = ""
        if self._keeper is not None:
            file = f"{FOLDER}/{name}@{now}-{self._ids.object_id()}.json"
            try:
                await self._keeper.keep_content(file, state)
            except OSError as e:
                await state.clear()
                raise errors.DATABASE_ERROR(
                    f"The snapshot '{name}' could not be written: {e.strerror}."
                ) from e
        self._known[name] = Snapshot(name, now, state, file)
        if before is not None:
            await self._forget(before)
        return self._known[name].to_json()

    async def load(self, name: str) -> dict[str, Json]:
        """Make all objects what they were then. Raises code 101 for an unknown name."""
        snapshot = self._named(name)
        await self._settle()
        await self._storage.restore(snapshot.state, snapshot.file)
        await self._loaded()
        return snapshot.to_json()

    async def remove(self, name: str) -> None:
        """Forget a snapshot. Raises code 101 for an unknown name."""
        snapshot = self._named(name)
        del self._known[name]
        await self._forget(snapshot)

    def diff(self, name: str, other: str | None = None) -> dict[str, Json]:
        """By class, what was added, removed and changed since; up to ``other`` or to now.

        Costs a look at every object. Raises code 101 for an unknown name.
        """
        then = self._named(name).state
        now = self._storage if other is None else self._named(other).state
        classes: dict[str, Json] = {}
        for class_name in sorted({*then.tables, *now.tables}):
            if not class_name.startswith(OURS):
                told = _differences(_documents(then, class_name), _documents(now, class_name))
                if told:
                    classes[class_name] = told
        return {"from": name, "to": other, "classes": classes}

    def _named(self, name: str) -> Snapshot:
        snapshot = self._known.get(name)
        if snapshot is None:
            known = ", ".join(sorted(self._known))
            others = f"Known are: {known}." if known else "There are none yet."
            raise _unknown(f"There is no snapshot '{name}'. {others}")
        return snapshot

    async def _forget(self, snapshot: Snapshot) -> None:
        await snapshot.state.clear()
        if self._keeper is not None and snapshot.file:
            await self._keeper.forget_content(snapshot.file)


def _unknown(text: str) -> ApiError:
    return errors.OBJECT_NOT_FOUND(text)


def _read(path: Path) -> MemoryStorage:
    content, _ = data_file.load(path)
    data_file.checked(content, path)
    state = MemoryStorage()
    state.adopt(content.tables, content.schemas)
    return state


def _documents(state: MemoryStorage, class_name: str) -> Mapping[str, dict[str, Json]]:
    table = state.tables.get(class_name)
    return {} if table is None else table.documents


def _differences(
    then: Mapping[str, dict[str, Json]], now: Mapping[str, dict[str, Json]]
) -> dict[str, Json]:
    added: list[Json] = [now[i] for i in now if i not in then]
    removed: list[Json] = [then[i] for i in then if i not in now]
    changed: list[Json] = [
        {
            "objectId": object_id,
            "changes": [
                row
                for row in changes(then[object_id], now[object_id])
                if isinstance(row, dict) and row["change"] != "same"
            ],
        }
        for object_id in now
        if object_id in then
        and then[object_id] is not now[object_id]
        and then[object_id] != now[object_id]
    ]
    kinds = {"added": added, "removed": removed, "changed": changed}
    return {
        kind: {"count": len(rows), "objects": rows[:MAX_SHOWN]}
        for kind, rows in kinds.items()
        if rows
    }
