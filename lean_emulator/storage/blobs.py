"""Contents of files: bytes under names of ours, in memory or in a folder (storage.md 8).

A content is written as a ``Draft`` first and kept whole or not at all: whatever ends an upload
early leaves nothing behind. Names are made by lean-emu and never come from what a client wrote.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

CHUNK = 256 * 1024
"""Bytes that are read, written and held in memory at a time."""
IN_MEMORY = 16 * 1024 * 1024
"""Bytes that ``MemoryBlobs`` holds in memory altogether; what comes on top goes to a folder."""

_NAME = re.compile(r"[0-9a-z]{1,64}")
_PART = ".part"
_TEMPORARY = "lean-emu-files-"
"""How folders of ``MemoryBlobs`` begin; the process that made it follows."""


class Draft:
    """A content that is being written; beyond ``CHUNK`` it lies in a file in ``folder``."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self.size = 0
        self._folder = folder
        self._digest = hashlib.md5(usedforsecurity=False)
        self._rest = bytearray()
        self._path: Path | None = None
        self._writing: asyncio.Future[None] | None = None

    @property
    def md5(self) -> str:
        """Of what was written so far, as 32 hex digits."""
        return self._digest.hexdigest()

    @property
    def in_memory(self) -> bool:
        return self._path is None

    @property
    def held(self) -> bytes:
        """All of it, as long as it is in memory."""
        return bytes(self._rest)

    async def write(self, chunk: bytes) -> None:
        """Raises ``OSError`` where there is no room for it."""
        self._digest.update(chunk)
        self._rest += chunk
        self.size += len(chunk)
        if len(self._rest) >= CHUNK:
            await self._spill()

    async def append(self, other: "Draft") -> None:
        """Write what another draft has, which stays as it is."""
        if other._path is not None:
            async for chunk in _FileContent(other._path, other.size - len(other._rest)).read():
                await self.write(chunk)
        await self.write(bytes(other._rest))

    async def to_file(self) -> Path:
        """Where all of it lies, safe from a crash of the machine."""
        await self._spill(sync=True)
        assert self._path is not None
        return self._path

    async def discard(self) -> None:
        """Forget it; nothing is left. Does nothing to what was kept."""
        self._rest.clear()
        if self._writing is not None:  # a thread goes on when who waits for it is cancelled
            await asyncio.wait({self._writing})
        if self._path is not None:
            await asyncio.to_thread(self._path.unlink, missing_ok=True)

    async def _spill(self, *, sync: bool = False) -> None:
        is_new = self._path is None
        path = self._path or self._folder() / f"{secrets.token_hex(16)}{_PART}"
        # so that a discard finds it, whatever happens while it is written
        self._path, held = path, bytes(self._rest)
        self._rest.clear()
        self._writing = asyncio.ensure_future(
            asyncio.to_thread(_append, path, held, is_new=is_new, sync=sync)
        )
        await asyncio.shield(self._writing)


class Content(Protocol):
    """A content that is complete and does not change."""

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    def read(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from ``start`` up to ``stop``, in chunks."""
        ...


class Blobs(Protocol):
    """Contents by name.

    Promises: a name has a whole content or none, also over a crash; a later content replaces an
    earlier one; who reads a content while it is replaced or deleted reads the old one to its end.
    A name that is not lower-case letters and digits is a ``ValueError``.
    """

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def draft(self) -> Draft:
        """An empty content to be written; it has to be kept or discarded."""
        ...

    async def keep(self, draft: Draft, name: str) -> None:
        """Make a draft the content of a name."""
        ...

    async def content(self, name: str) -> Content | None: ...

    async def delete(self, name: str) -> None:
        """An absent name is no error."""
        ...

    async def clear(self) -> None:
        """Remove all contents; drafts stay."""
        ...


class FolderBlobs:
    """One file for each content; drafts lie beside them, and go when the folder is opened."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def open(self) -> None:
        """Raises ``OSError`` where the folder cannot be made."""
        await asyncio.to_thread(self._prepare)

    async def close(self) -> None:
        """Contents stay for the next time."""

    def draft(self) -> Draft:
        return Draft(lambda: self._folder)

    async def keep(self, draft: Draft, name: str) -> None:
        target = self._path(name)
        path = await draft.to_file()
        await asyncio.to_thread(_move, path, target)

    async def content(self, name: str) -> Content | None:
        path = self._path(name)
        try:
            return _FileContent(path, (await asyncio.to_thread(path.stat)).st_size)
        except FileNotFoundError:
            return None

    async def delete(self, name: str) -> None:
        await asyncio.to_thread(self._path(name).unlink, missing_ok=True)

    async def clear(self) -> None:
        await asyncio.to_thread(self._remove, drafts=False)

    def _path(self, name: str) -> Path:
        return self._folder / _checked(name)

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._remove(drafts=True)

    def _remove(self, *, drafts: bool) -> None:
        for path in self._folder.iterdir():
            if (path.suffix == _PART) is drafts:
                path.unlink(missing_ok=True)


class MemoryBlobs:
    """Keeps nothing beyond the process: small contents in memory, others in a temporary folder."""

    def __init__(self) -> None:
        self._small: dict[str, bytes] = {}
        self._held = 0
        self._large: FolderBlobs | None = None
        self._temporary: Path | None = None

    async def open(self) -> None:
        """Nothing to prepare; the folder is made for the first content that needs it."""

    async def close(self) -> None:
        self._forget_small()
        folder, self._temporary, self._large = self._temporary, None, None
        if folder is not None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def draft(self) -> Draft:
        return Draft(self._folder)

    async def keep(self, draft: Draft, name: str) -> None:
        _checked(name)
        if draft.in_memory and self._held + draft.size <= IN_MEMORY:
            await self.delete(name)
            self._small[name] = draft.held
            self._held += draft.size
            return
        self._folder()
        assert self._large is not None
        await self._large.keep(draft, name)
        self._drop(name)

    async def content(self, name: str) -> Content | None:
        held = self._small.get(_checked(name))
        if held is not None:
            return _MemoryContent(held)
        return None if self._large is None else await self._large.content(name)

    async def delete(self, name: str) -> None:
        self._drop(_checked(name))
        if self._large is not None:
            await self._large.delete(name)

    async def clear(self) -> None:
        self._forget_small()
        if self._large is not None:
            await self._large.clear()

    def _folder(self) -> Path:
        """For contents and drafts that are large, made when there is the first."""
        if self._temporary is None:
            _remove_orphans(Path(tempfile.gettempdir()))
            self._temporary = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{os.getpid()}-"))
            self._large = FolderBlobs(self._temporary)
        return self._temporary

    def _drop(self, name: str) -> None:
        self._held -= len(self._small.pop(name, b""))

    def _forget_small(self) -> None:
        self._small.clear()
        self._held = 0


@dataclass(frozen=True, slots=True)
class _MemoryContent:
    held: bytes

    @property
    def size(self) -> int:
        return len(self.held)

    async def read(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        yield self.held[start:stop]


@dataclass(frozen=True, slots=True)
class _FileContent:
    path: Path
    size: int

    async def read(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        left = (self.size if stop is None else min(stop, self.size)) - start
        file = await asyncio.to_thread(_opened, self.path, start)
        with contextlib.closing(file):
            while left > 0:
                chunk = await asyncio.to_thread(file.read, min(CHUNK, left))
                if not chunk:
                    return
                left -= len(chunk)
                yield chunk


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a content")
    return name


def _append(path: Path, data: bytes, *, is_new: bool, sync: bool) -> None:
    how = os.O_CREAT | os.O_EXCL if is_new else os.O_APPEND
    handle = os.open(path, os.O_WRONLY | how, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        if sync:
            file.flush()
            os.fsync(file.fileno())


def _move(path: Path, target: Path) -> None:
    path.replace(target)
    with contextlib.suppress(OSError):  # a folder cannot be synced everywhere
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove_orphans(folder: Path) -> None:
    """Remove temporary folders of ours whose process was killed before it could."""
    if os.name != "posix":  # elsewhere there is no harmless way to ask for a process
        return
    for path in folder.glob(f"{_TEMPORARY}*"):
        maker = path.name.removeprefix(_TEMPORARY).partition("-")[0]
        if not maker.isdecimal() or path.is_symlink() or _runs(int(maker)):
            continue
        with contextlib.suppress(FileNotFoundError):  # somebody else removes it, too
            if path.stat().st_uid == os.getuid():
                shutil.rmtree(path, ignore_errors=True)


def _runs(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _opened(path: Path, start: int) -> BinaryIO:
    file = path.open("rb")
    file.seek(start)
    return file
