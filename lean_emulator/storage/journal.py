"""A file that only grows: one line for each commit, whole or not at all (design: durability).

A line is the length of its content in bytes and the checksum of it, eight hex digits each, then the
content: JSON, a sequence number and what the commit came to. It is written with a single system
call before the commit is answered, so it survives the end of the process whatever ends it.
"""

import contextlib
import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from lean_emulator.base import jsontext
from lean_emulator.base.jsontext import Json

Effect: TypeAlias = list[Any]
"""A word for what happened, and to what; see ``effects``."""

_HEAD = 18
"""Bytes before the content."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit: its number, and what it came to in order."""

    number: int
    effects: list[Effect]


@dataclass(frozen=True, slots=True)
class Damage:
    """Where a journal stops making sense.

    ``whole_after`` counts lines behind it that could still be read: none for a write that was
    cut off by the end of the machine, some where the file was changed.
    """

    path: Path
    line: int
    offset: int
    size: int
    """Bytes from there to the end."""
    whole_after: int


class Journal:
    """The open journal of one storage."""

    def __init__(self, path: Path) -> None:
        """Opens for appending. Raises ``OSError``."""
        self.path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.size = os.fstat(self._handle).st_size
        self.dirty = False
        """Whether something may be in memory of the system alone."""
        self._broken = False

    def append(self, number: int, effects: Sequence[Effect]) -> None:
        """Write a line. Raises ``OSError``; then nothing of it is in the file."""
        if self._broken:
            self._mend()
        line = encode(number, effects)
        written = 0
        try:
            while written < len(line):
                written += os.write(self._handle, line[written:])
        except OSError:
            self._broken = True
            with contextlib.suppress(OSError):
                self._mend()
            raise
        self.size += len(line)
        self.dirty = True

    def sync(self) -> None:
        """Make what was written survive the end of the machine, too. Raises ``OSError``."""
        self.dirty = False
        try:
            os.fsync(self._handle)
        except OSError:
            self.dirty = True
            raise

    def close(self) -> None:
        os.close(self._handle)

    def _mend(self) -> None:
        """Take back the beginning of a line that could not be written whole."""
        os.ftruncate(self._handle, self.size)
        self._broken = False


def encode(number: int, effects: Sequence[Effect]) -> bytes:
    """The line of one commit."""
    content = jsontext.dumps([number, effects])
    return b"%b%b\n" % (_head(len(content), zlib.crc32(content)), content)


def read(path: Path) -> tuple[list[Entry], Damage | None]:
    """All entries up to the first that is not whole, and where that is. Raises ``OSError``."""
    raw = path.read_bytes()
    entries: list[Entry] = []
    offset = 0
    while offset < len(raw):
        decoded = _decode(raw, offset)
        if decoded is None:
            rest = len(raw) - offset
            after = _whole_lines(raw, offset)
            return entries, Damage(path, len(entries) + 1, offset, rest, after)
        entry, offset = decoded
        entries.append(entry)
    return entries, None


def cut(damage: Damage, kept: Path | None) -> None:
    """Cut a journal where it stops making sense, with the rest in ``kept``. Raises ``OSError``."""
    with damage.path.open("r+b") as file:
        if kept is not None:
            file.seek(damage.offset)
            kept.write_bytes(file.read())
        file.truncate(damage.offset)
        file.flush()
        os.fsync(file.fileno())


def _head(length: int, checksum: int) -> bytes:
    return b"%08x %08x " % (length, checksum)


def _decode(raw: bytes, offset: int) -> tuple[Entry, int] | None:
    """The entry that begins there and where the next does; ``None`` for what is none."""
    head = raw[offset : offset + _HEAD]
    try:
        length, checksum = int(head[:8], 16), int(head[9:17], 16)
    except ValueError:
        return None
    end = offset + _HEAD + length
    content = raw[offset + _HEAD : end]
    if head != _head(length, checksum) or raw[end : end + 1] != b"\n":
        return None
    if len(content) != length or zlib.crc32(content) != checksum:
        return None
    number, effects = _loads(content)
    return Entry(number, effects), end + 1


def _whole_lines(raw: bytes, offset: int) -> int:
    """How many entries can be read behind a place that is none."""
    found = 0
    while (newline := raw.find(b"\n", offset)) != -1:
        offset = newline + 1
        while offset < len(raw) and (decoded := _decode(raw, offset)) is not None:
            found, offset = found + 1, decoded[1]
    return found


def _loads(content: bytes) -> Any:
    try:
        value: Json = orjson.loads(content)
    except orjson.JSONDecodeError:  # what the slow writer wrote
        value = json.loads(content)
    return value
