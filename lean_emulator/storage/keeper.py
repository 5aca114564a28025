"""What makes a storage in memory durable: a data file, journals behind it, and a lock.

Opening reads the data file and then every commit of the journals that is not in it. Compacting
starts a new journal, writes the data file anew from a fork in a thread, and then removes the old
journals; wherever that is broken off, file and journals together hold every commit.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError, Hint, StartError
from lean_emulator.model.schema import ClassSchema
from lean_emulator.model.schema_file import to_json
from lean_emulator.storage import data_file, journal
from lean_emulator.storage.contract import Committed
from lean_emulator.storage.effects import Content, effects_of
from lean_emulator.storage.folder_lock import FolderLock
from lean_emulator.storage.journal import Damage, Effect, Entry, Journal
from lean_emulator.storage.table import Table

DATA_FILE = "db.json"
SYNC_SECONDS = 1.0
"""How often what was written is made to survive the end of the machine."""
COMPACT_BYTES = 8 * 1024 * 1024
"""A journal of this size, and of half the data file's, is made part of the data file."""

_DISK = Hint(
    "The disk, or something that wrote into the file, is the likely cause.",
    "可能是磁盘故障，或有其他程序写入了该文件。",
)

Fsync: TypeAlias = Literal["timer", "always"]


class Kept(Protocol):
    """The storage that is kept, as far as the keeper needs it."""

    @property
    def tables(self) -> Mapping[str, Table]: ...

    def classes(self) -> Mapping[str, ClassSchema]: ...

    def adopt(self, tables: Mapping[str, Table], schemas: Mapping[str, ClassSchema]) -> None: ...

    def fork(self) -> "Kept": ...

    async def clear(self) -> None: ...


class FileKeeper:
    """Keeps one storage in a folder.

    Promises: a commit that was answered is in the files, also when the process is killed; with
    ``fsync="always"`` also when the machine stops. A commit that cannot be written is refused and
    changes nothing; reading goes on. Files that cannot be understood are never overwritten.
    """

    def __init__(
        self,
        folder: Path,
        *,
        fsync: Fsync = "timer",
        report: Callable[[str, Hint | None], None] = lambda text, hint: None,
        compact_bytes: int = COMPACT_BYTES,
    ) -> None:
        """``report`` is told in words of what had to be mended."""
        self.folder = folder
        self._always = fsync == "always"
        self._report = report
        self._compact_bytes = compact_bytes
        self._storage: Kept | None = None
        self._lock: FolderLock | None = None
        self._journal: Journal | None = None
        self._number = 0
        self._file_bytes = 0
        self._syncing: asyncio.Task[None] | None = None
        self._compacting: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._wanted = asyncio.Event()
        self._syncing_now = asyncio.Lock()
        """Held while a journal is synced, or closed for another."""

    @property
    def data_file(self) -> Path:
        return self.folder / DATA_FILE

    @property
    def journal_bytes(self) -> int:
        """How much is not in the data file yet."""
        return 0 if self._journal is None else self._journal.size

    async def open(self, storage: Kept) -> None:
        """Fill the storage with what is kept. Raises ``StartError``."""
        self._storage = storage
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = FolderLock(self.folder)
            content, number = await asyncio.to_thread(self._read)
            storage.adopt(content.tables, content.schemas)
            self._number = number
            self._journal = Journal(self._journal_path(number + 1))
        except OSError as e:
            self._unlock()
            raise StartError(
                f"The data in {self.folder} cannot be used: {e.strerror}.",
                hint=Hint(
                    "Make it writable, or use other data: --data DIR or --storage memory.",
                    "请确保对该目录有写权限，或使用 --data 目录 / --storage memory。",
                ),
            ) from e
        except StartError:
            self._unlock()
            raise
        with contextlib.suppress(OSError):
            self._file_bytes = self.data_file.stat().st_size
        self._syncing = asyncio.create_task(self._sync_by_and_by(), name="journal")

    async def close(self) -> None:
        """Put everything into the data file, and leave the folder to others."""
        if self._journal is None:
            return
        if self._compacting is not None:
            await asyncio.wait([self._compacting])
        if self._syncing is not None:
            self._syncing.cancel()
            await asyncio.wait([self._syncing])
        self._journal.sync()
        try:
            if any(path.stat().st_size for path in self._journals()):
                await self.compact()
        except (OSError, ApiError) as e:
            self._report(f"The data file could not be written anew: {e}", None)
        self._journal.close()
        self._journal = None
        for path in self._journals():
            with contextlib.suppress(OSError):
                if path.stat().st_size == 0:
                    path.unlink()
        self._unlock()

    # ---- what is to be kept; each is called before the storage shows it

    def commit(
        self,
        committed: Sequence[Committed],
        schemas: Sequence[ClassSchema],
        counters: Mapping[tuple[str, str], int],
    ) -> Awaitable[None] | None:
        """Keep a commit; what it returns is to be awaited before the commit is answered.

        Raises code 304 where it cannot be written; then it must not happen.
        """
        return self._keep(effects_of(committed, schemas, counters))

    def save_class(self, schema: ClassSchema) -> Awaitable[None] | None:
        return self._keep([["s", schema.name, to_json(schema)]])

    def drop_class(self, class_name: str) -> Awaitable[None] | None:
        return self._keep([["d", class_name]])

    def clear(self) -> Awaitable[None] | None:
        return self._keep([["x"]])

    def restore(self, kept_as: str) -> Awaitable[None] | None:
        """``kept_as`` names a file in the folder that ``keep_content`` wrote."""
        return self._keep([["l", kept_as]])

    async def keep_content(self, name: str, fork: Kept) -> None:
        """Write what a fork holds into a file of its own. Raises ``OSError``."""
        path = self.folder / name
        await asyncio.to_thread(lambda: path.parent.mkdir(exist_ok=True, mode=0o700))
        await asyncio.to_thread(data_file.write, path, fork.tables, fork.classes(), 0)

    async def forget_content(self, name: str) -> None:
        """Remove such a file, once no journal speaks of it. Does what it can."""
        try:
            if self.journal_bytes:
                await self.compact()
            await asyncio.to_thread((self.folder / name).unlink, missing_ok=True)
        except OSError as e:
            self._report(f"{self.folder / name} could not be removed: {e.strerror}.", None)

    async def compact(self) -> None:
        """Write the data file anew and forget the journals. Raises ``OSError``."""
        if self._storage is None or self._journal is None:
            return
        async with self._syncing_now:
            number, fork, old = self._number, self._storage.fork(), self._journals()
            following = self._journal_path(number + 1)
            if self._journal.path != following:
                full, self._journal = self._journal, Journal(following)
                await asyncio.to_thread(full.sync)
                full.close()
        try:
            self._file_bytes = await asyncio.to_thread(
                data_file.write, self.data_file, fork.tables, fork.classes(), number
            )
        finally:
            await fork.clear()
        for path in old:
            if path != following:
                path.unlink(missing_ok=True)

    def _keep(self, effects: Sequence[Effect]) -> Awaitable[None] | None:
        if not effects:
            return None
        if self._journal is None:
            raise errors.DATABASE_ERROR("The storage is closed.")
        try:
            self._journal.append(self._number + 1, effects)
        except OSError as e:
            raise _not_written(self._journal.path, e) from e
        self._number += 1
        self._compact_if_large()
        self._wanted.set()
        if not self._always:
            return None
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        return waiting

    def _compact_if_large(self) -> None:
        size = self.journal_bytes
        if size < self._compact_bytes or size * 2 < self._file_bytes:
            return
        if self._compacting is None or self._compacting.done():
            self._compacting = asyncio.create_task(self._compact_aside(), name="compact")

    async def _compact_aside(self) -> None:
        try:
            await self.compact()
        except OSError as e:
            self._report(
                f"The data file {self.data_file} could not be written anew: {e.strerror}. Nothing "
                "is lost, the journal grows on.", None,
            )  # fmt: skip

    async def _sync_by_and_by(self) -> None:
        """Sync for all who wait at once, or once a second."""
        while True:
            await self._wanted.wait()
            if not self._always:
                await asyncio.sleep(SYNC_SECONDS)
            self._wanted.clear()
            waiting, self._waiting = self._waiting, []
            refusal = await self._sync()
            for one in (each for each in waiting if not each.done()):
                if refusal is None:
                    one.set_result(None)
                else:
                    one.set_exception(refusal)

    async def _sync(self) -> ApiError | None:
        """Sync the journal; every other one has been synced before it was left."""
        async with self._syncing_now:
            current = self._journal
            assert current is not None
            try:
                await asyncio.to_thread(current.sync)
            except OSError as e:
                return _not_written(current.path, e)
        return None

    # ---- files

    def _read(self) -> tuple[Content, int]:
        content, number = data_file.load(self.data_file)
        journals = self._journals()
        for place, path in enumerate(journals):
            entries, damage = journal.read(path)
            for entry in entries:
                if entry.number > number + 1:
                    self._set_aside(journals[place:], number)
                    break
                if entry.number == number + 1:
                    self._take(content, entry, path)
                    number = entry.number
            if damage is not None:
                self._mend(damage)
                self._set_aside([p for p in journals[place + 1 :] if p.stat().st_size], number)
                break
        data_file.checked(content, self.data_file)
        return content, number

    def _take(self, content: Content, entry: Entry, path: Path) -> None:
        try:
            for effect in entry.effects:
                if effect[0] == "l":
                    self._take_file(content, self.folder / str(effect[1]))
                else:
                    content.take(effect, str(path))
        except (ValueError, KeyError, TypeError) as e:
            raise StartError(f"{path}: commit {entry.number} is not understood: {e}.") from e

    def _take_file(self, content: Content, path: Path) -> None:
        if not path.exists():
            raise StartError(f"{path} is missing: it was loaded, and not stored anew since.")
        loaded, _ = data_file.load(path)
        content.tables, content.schemas = loaded.tables, loaded.schemas

    def _set_aside(self, paths: Sequence[Path], number: int) -> None:
        """Keep journals that follow on commits which are not there, where nobody reads them."""
        for path in paths:
            kept = path.with_name(f"{path.name}.damaged")
            path.replace(kept)
            self._report(
                f"{path} goes on after commit {number}, but not from there: it was NOT loaded. "
                f"It is kept as {kept}.",
                _DISK,
            )

    def _mend(self, damage: Damage) -> None:
        """Cut what cannot be read off, and keep it aside where it may have been more than a try."""
        kept = None
        if damage.whole_after:
            kept = damage.path.with_name(f"{damage.path.name}.damaged")
        journal.cut(damage, kept)
        if kept is None:
            self._report(
                f"{damage.path}: the last write was not complete ({damage.size} bytes); it had "
                "never been answered, and was cut off.", None,
            )  # fmt: skip
            return
        self._report(
            f"{damage.path} is damaged at byte {damage.offset} (commit {damage.line} in it): "
            f"{damage.whole_after} later commits were NOT loaded. They are kept in {kept}.",
            _DISK,
        )

    def _journals(self) -> list[Path]:
        """Oldest first."""
        return sorted(self.folder.glob("journal-*.log"))

    def _journal_path(self, number: int) -> Path:
        """The journal that begins with that commit."""
        return self.folder / f"journal-{number:016d}.log"

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _not_written(path: Path, e: OSError) -> ApiError:
    return errors.DATABASE_ERROR(
        f"Nothing was stored: {path} cannot be written, {e.strerror}.",
        hint=Hint(
            "Make room on the disk and try again; reading still works.",
            "请清理磁盘空间后重试；读取不受影响。",
        ),
    )
