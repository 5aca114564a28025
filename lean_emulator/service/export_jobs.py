"""Exports of all data as an archive to download (storage.md 9.5, 10.1, 10.2)."""

import asyncio
import io
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.ids import Ids
from lean_emulator.model.export_line import (
    file_name,
    header_line,
    join_name,
    member_line,
    object_line,
)
from lean_emulator.model.query import EVERYTHING, Compare, Query, Where, both
from lean_emulator.model.schema import OURS, ClassSchema
from lean_emulator.model.schema_file import to_json, to_text
from lean_emulator.service.call import Call
from lean_emulator.service.inbox import Inbox
from lean_emulator.storage.contract import Storage

KEPT = 20
"""Archives that can be downloaded at the same time; older ones are dropped."""

_BREATH = 1_000
"""Objects whose relations are read before others may run."""

_File: TypeAlias = tuple[str, Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Selection:
    """What an export is to hold; ``classes`` is ``None`` for all of them."""

    classes: tuple[str, ...] | None = None
    since: str | None = None
    """ISO text; objects that were last written before it are left out."""
    until: str | None = None
    """ISO text; so are those written at it or later."""
    only_schema: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """An export that is done; ``secret`` is the part of its address that nobody can guess."""

    id: str
    secret: str
    archive: IO[bytes]
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """A part of the archive, from memory that the system keeps of a file just written."""
        self.archive.seek(offset)
        return self.archive.read(size)


class ExportJobs:
    """Makes archives, one after the other, and keeps the newest.

    An archive costs a pass over the selected objects; it is written in a thread to a temporary file
    that has no name and goes with the process.
    """

    def __init__(
        self,
        storage: Storage,
        inbox: Inbox,
        ids: Ids,
        clock: Clock,
        address: Callable[[Job], str],
    ) -> None:
        """``address`` is where an archive can be downloaded."""
        self._storage = storage
        self._inbox = inbox
        self._ids = ids
        self._clock = clock
        self._address = address
        self._jobs: dict[str, Job] = {}

    async def run(self, call: Call, selection: Selection, email: str | None = None) -> Job:
        """Export, and mail the link to ``email``.

        Raises code 1 without the master key and 101 for a class that is not there.
        """
        if not call.principal.is_master:
            raise errors.MASTER_ONLY()
        files: list[_File] = []
        for schema in self._selected(selection.classes):
            files += await self._files_of(schema, selection)
        archive: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the job
        at = self._clock.now_ms() / 1000
        size = await asyncio.to_thread(_write_archive, archive, files, at)
        job = Job(self._ids.object_id(), self._ids.lower(48), archive, size)
        self._jobs[job.id] = job
        self._drop_old()
        if email:
            self._inbox.add(
                "mail", email, "Your export is ready", "The exported data can be downloaded.",
                link=self._address(job),
            )  # fmt: skip
        return job

    def job(self, call: Call, job_id: str) -> Job:
        """An export by its id. Raises code 1 without the master key, 101 for an unknown one."""
        if not call.principal.is_master:
            raise errors.MASTER_ONLY()
        job = self._jobs.get(job_id)
        if job is None:
            raise errors.OBJECT_NOT_FOUND(f"There is no export '{job_id}'.")
        return job

    def by_secret(self, secret: str) -> Job | None:
        """The export that an address leads to."""
        return next((job for job in self._jobs.values() if job.secret == secret), None)

    def address(self, job: Job) -> str:
        return self._address(job)

    def close(self) -> None:
        """Drop all archives."""
        for job in self._jobs.values():
            job.archive.close()
        self._jobs.clear()

    def _drop_old(self) -> None:
        while len(self._jobs) > KEPT:
            self._jobs.pop(next(iter(self._jobs))).archive.close()

    def _selected(self, names: Sequence[str] | None) -> list[ClassSchema]:
        classes = self._storage.classes()
        for name in names or ():
            if name not in classes:
                raise errors.CLASS_NOT_FOUND(f"There is no class '{name}' to export.")
        every = (name for name in sorted(classes) if not name.startswith(OURS))
        return [classes[name] for name in (every if names is None else names)]

    async def _files_of(self, schema: ClassSchema, selection: Selection) -> list[_File]:
        """The files of a class; what they hold is written down later, and never changes."""
        name = schema.name
        if selection.only_schema:
            return [(f"{name}.schema.json", (to_text(to_json(schema)).encode(),))]
        rows = await self._storage.find(Query(name, where=_within(selection), limit=sys.maxsize))
        lines = (line for part in ((header_line(name),), map(object_line, rows)) for line in part)
        files: list[_File] = [(file_name(name), lines)]
        for key, column in schema.relations:
            join = join_name(name, key, str(column.class_name))
            members = [header_line(join)]
            for number, row in enumerate(rows, 1):
                owner = str(row["objectId"])
                members += [
                    member_line(owner, member)
                    for member in await self._storage.related(name, owner, key)
                ]
                if number % _BREATH == 0:
                    await asyncio.sleep(0)
            files.append((file_name(join), members))
        return files


def _within(selection: Selection) -> Where:
    where: Where = EVERYTHING
    if selection.since is not None:
        where = both(where, Compare("updatedAt", "gte", selection.since))
    if selection.until is not None:
        where = both(where, Compare("updatedAt", "lt", selection.until))
    return where


def _write_archive(archive: IO[bytes], files: Sequence[_File], at: float) -> int:
    """Write a ``tar.gz``; answers its size in bytes."""
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, lines in files:
            with tempfile.SpooledTemporaryFile(max_size=io.DEFAULT_BUFFER_SIZE * 16) as content:
                content.writelines(lines)
                info = tarfile.TarInfo(name)
                info.size, info.mtime = content.tell(), int(at)
                content.seek(0)
                tar.addfile(info, content)
    archive.flush()
    return archive.seek(0, io.SEEK_END)
