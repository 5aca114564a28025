"""A folder with an export: one file for each class, one for each relation, one for each schema.

Each file is put in the place of the one before whole or not at all. ``.export.json`` remembers what
an export wrote: a file that is not among it, or was edited since, is moved aside and never lost;
one that is among it and means nothing any more goes.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from lean_emulator.base import jsontext
from lean_emulator.base.errors import StartError
from lean_emulator.base.jsontext import Json
from lean_emulator.model import csv_rows
from lean_emulator.model.export_line import file_name, header_line
from lean_emulator.model.import_source import is_join
from lean_emulator.model.schema import ClassSchema, new_class
from lean_emulator.model.schema_file import schema_of, to_text
from lean_emulator.service.exporting import END

Format: TypeAlias = Literal["jsonl", "json", "csv"]
FORMATS: tuple[Format, ...] = ("jsonl", "json", "csv")
REMEMBERED = ".export.json"

Change: TypeAlias = Literal["new", "changed", "same", "removed"]


class Written(NamedTuple):
    """What became of one file; ``aside`` is where another file went that was in its place."""

    path: Path
    change: Change
    rows: int = 0
    aside: Path | None = None


@dataclass(frozen=True, slots=True)
class _Section:
    """The lines of one file, to be read once."""

    kind: str
    class_name: str
    lines: Iterator[bytes]


def write(folder: Path, lines: Iterable[bytes], form: Format, *, whole: bool) -> list[Written]:
    """Write what ``Exporting`` tells; ``whole`` says that it is all there is.

    Raises ``StartError`` where a file cannot be written or the lines break off; files that were
    complete by then are there.
    """
    try:
        return _Folder(folder, form).write(lines, whole=whole)
    except OSError as e:
        raise StartError(f"{e.filename or folder} cannot be written: {e.strerror}.") from e


class _Folder:
    def __init__(self, folder: Path, form: Format) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._form = form
        self._known = _remembered(folder)
        self._schemas: dict[str, ClassSchema] = {}

    def write(self, lines: Iterable[bytes], *, whole: bool) -> list[Written]:
        written: list[Written] = []
        try:
            for section in _sections(lines):
                written.append(self._file(section))
        finally:
            self._remember()
        if whole:
            written += self._without({each.path.name for each in written})
            self._remember()
        return written

    def _file(self, section: _Section) -> Written:
        name, rows = section.class_name, 0

        def counted() -> Iterator[bytes]:
            nonlocal rows
            for line in section.lines:
                rows += 1
                yield line

        if section.kind == "Schema":
            parts, file = self._schema(name, section.lines), f"{name}.schema.json"
        elif self._form == "json":
            parts, file = _results(counted()), f"{name}.population.json"
        elif self._form == "csv":
            parts, file = self._cells(name, counted()), f"{name}.csv"
        else:
            parts, file = _with_header(name, counted()), file_name(name)
        return self._put(file, parts)._replace(rows=rows)

    def _schema(self, name: str, lines: Iterator[bytes]) -> Iterator[bytes]:
        content = jsontext.loads(b"".join(lines), "the export")
        self._schemas[name] = schema_of(content, name, "the export")
        yield to_text(content).encode()

    def _cells(self, name: str, lines: Iterator[bytes]) -> Iterator[bytes]:
        rows = (_object(line) for line in lines)
        if is_join(name):
            return (f"{row['owningId']},{row['relatedId']}\n".encode() for row in rows)
        schema = self._schemas.get(name) or new_class(name)
        return (part.encode() for part in csv_rows.write_rows(schema, rows))

    def _put(self, name: str, parts: Iterator[bytes]) -> Written:
        path, draft = self._folder / name, self._folder / f".{name}.tmp"
        digest = hashlib.sha256()
        opener = _private if name.startswith("_User.") else None
        try:
            with open(draft, "wb", opener=opener) as file:
                for part in parts:
                    digest.update(part)
                    file.write(part)
            aside, before = None, _digest_of(path)
            if before is not None and before not in (self._known.get(name), digest.hexdigest()):
                aside = _aside(path)
            draft.replace(path)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        self._known[name] = digest.hexdigest()
        if before is None or aside is not None:
            return Written(path, "new", aside=aside)
        return Written(path, "same" if before == digest.hexdigest() else "changed")

    def _without(self, names: set[str]) -> list[Written]:
        """Remove what an earlier export wrote, and what is as it left it."""
        removed = []
        for name in sorted(self._known.keys() - names):
            path = self._folder / name
            if _digest_of(path) == self._known.pop(name):
                path.unlink()
                removed.append(Written(path, "removed"))
        return removed

    def _remember(self) -> None:
        text = json.dumps({"files": dict(sorted(self._known.items()))}, indent=2) + "\n"
        draft = self._folder / f"{REMEMBERED}.tmp"
        draft.write_text(text, "utf-8")
        draft.replace(self._folder / REMEMBERED)


def _sections(lines: Iterable[bytes]) -> Iterator[_Section]:
    """One for each header line; all lines of one must be read before the next is asked for."""
    source = _Peekable(lines)
    while (header := source.next()) != END:
        if header is None:
            raise StartError("The export broke off; the last files of it are missing.")
        about = jsontext.loads(header.partition(b" ")[2], "the export")
        assert isinstance(about, dict)
        yield _Section(str(about["type"]), str(about["class"]), source.until_header())


class _Peekable:
    """Lines, of which the next can be left for later."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self._kept: bytes | None = None

    def next(self) -> bytes | None:
        if self._kept is not None:
            line, self._kept = self._kept, None
            return line
        return next(self._lines, None)

    def until_header(self) -> Iterator[bytes]:
        """Lines that are no headers. Raises ``StartError`` where they break off."""
        while (line := self.next()) is not None:
            if line.startswith(b"#"):
                self._kept = line
                return
            yield line
        raise StartError("The export broke off; the last files of it are missing.")


def _with_header(name: str, lines: Iterator[bytes]) -> Iterator[bytes]:
    yield header_line(name)
    yield from lines


def _results(lines: Iterator[bytes]) -> Iterator[bytes]:
    between = b"\n"
    yield b'{"results":['
    for line in lines:
        yield between + line.rstrip(b"\n")
        between = b",\n"
    yield b"\n]}\n"


def _object(line: bytes) -> dict[str, Json]:
    value = jsontext.loads(line, "the export")
    assert isinstance(value, dict)
    return value


def _remembered(folder: Path) -> dict[str, str]:
    try:
        raw = json.loads((folder / REMEMBERED).read_text("utf-8"))
        return {str(name): str(digest) for name, digest in raw["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # then every file is somebody else's


def _digest_of(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _private(path: str, flags: int) -> int:
    """For what has hashes of passwords and session tokens in it."""
    return os.open(path, flags, 0o600)


def _aside(path: Path) -> Path:
    """Move a file to a name that nobody has."""
    number = 1
    while (target := path.with_name(f"{path.name}.before-{number}")).exists():
        number += 1
    path.rename(target)
    return target


def changed(written: Sequence[Written]) -> int:
    """How many files are others than before."""
    return sum(each.change != "same" for each in written)
