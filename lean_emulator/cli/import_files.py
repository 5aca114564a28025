"""The files that an import reads: found in folders and archives, opened by what they are."""

import contextlib
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from lean_emulator.base import jsontext
from lean_emulator.base.errors import ApiError, Hint, StartError
from lean_emulator.base.jsontext import Json
from lean_emulator.model import csv_rows
from lean_emulator.model.import_bson import Decode, read_bson
from lean_emulator.model.import_rows import Read, read_json, read_lines
from lean_emulator.model.import_source import Named, is_join, named

_ARCHIVES = (".tar.gz", ".tgz", ".tar")
_KINDS = Hint(
    "Files of an export are read: .jsonl, .json, .csv, .bson, folders of them and .tar.gz. Name "
    "the class of a file that is called otherwise: --class NAME.",
    "可导入 .jsonl、.json、.csv、.bson 文件、包含它们的目录以及 .tar.gz；"
    "若文件名不含类名，请使用 --class 类名。",
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read; ``shown`` is how people know it, ``inner`` its path where it was found."""

    path: Path
    shown: str
    named: Named


@dataclass(frozen=True, slots=True)
class Found:
    """Files in the order they are to be read, and those that are none of an export."""

    sources: list[Source]
    passed_over: list[str]


@dataclass(frozen=True, slots=True)
class Opened:
    """Rows, and what their ``at`` goes up to."""

    rows: Iterator[Read]
    total: int


def find(paths: Sequence[Path], class_name: str | None, scratch: Path) -> Found:
    """What the paths lead to; archives are unpacked into ``scratch``.

    With ``class_name``, all rows are of that class. Raises ``StartError`` for a path that is not
    there or holds nothing to read, and for an archive that cannot be unpacked.
    """
    sources: list[Source] = []
    passed_over: list[str] = []
    for path in paths:
        before = len(sources)
        if path.is_dir():
            _walk(path, str(path), sources, passed_over)
        elif not path.exists():
            raise StartError(f"There is no file or folder {path}.")
        elif path.name.endswith(_ARCHIVES):
            folder = scratch / str(len(sources))
            _unpack(path, folder)
            _walk(folder, str(path), sources, passed_over)
        else:
            sources.append(Source(path, str(path), _named(path, class_name)))
        if len(sources) == before:
            raise StartError(f"There is nothing to import in {path}.", hint=_KINDS)
    if class_name is not None:
        sources = [_renamed(source, class_name) for source in sources]
    return Found(sorted(sources, key=lambda s: s.named.rank), passed_over)


def schema_in(source: Source) -> dict[str, Json] | None:
    """The schema that a file declares; ``None`` for one that holds rows.

    Raises ``StartError`` for a schema file that is no JSON, ``OSError`` for one that cannot be
    read.
    """
    if source.named.form not in ("schema", "json"):
        return None
    raw = source.path.read_bytes()
    if source.named.form == "json" and not raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return None
    try:
        content = jsontext.loads(raw.removeprefix(b"\xef\xbb\xbf"), source.shown)
    except ApiError as e:
        if source.named.form == "json":
            return None  # it may hold several values
        raise StartError(e.message) from e
    declares = isinstance(content, dict) and isinstance(content.get("schema"), dict)
    if source.named.form == "json" and not declares:
        return None
    if not isinstance(content, dict):
        raise StartError(f"{source.shown} must hold an object with the member 'schema'.")
    return content


@contextlib.contextmanager
def opened(source: Source) -> Iterator[Opened]:
    """The rows of a file. Raises ``OSError``, and ``StartError`` where BSON cannot be read."""
    path, form = source.path, source.named.form
    size = path.stat().st_size
    if form == "json":
        raw = path.read_bytes()
        yield Opened(read_json(raw), max(len(raw), 1))
    elif form == "csv":
        read = csv_rows.read_members if is_join(source.named.class_name) else csv_rows.read_objects
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as text:
            yield Opened(read(text), max(size, 1))
    else:
        with path.open("rb") as file:
            rows = read_bson(file, bson_decoder()) if form == "bson" else read_lines(file)
            yield Opened(rows, max(size, 1))


def bson_decoder() -> Decode:
    """What reads one document. Raises ``StartError`` where nothing is installed that does."""
    try:
        import bson
        from bson.codec_options import CodecOptions, DatetimeConversion
        from bson.errors import InvalidBSON
    except ImportError as e:
        raise StartError(
            "BSON cannot be read: pymongo is not installed here.",
            hint=Hint("pip install 'lean-emu[bson]'", "请执行 pip install 'lean-emu[bson]'"),
        ) from e
    options: Any = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_CLAMP)

    def decode(raw: bytes) -> dict[str, Any]:
        try:
            document: dict[str, Any] = bson.decode(raw, options)
        except InvalidBSON as e:
            raise ValueError(str(e)) from e
        return document

    return decode


def _named(path: Path, class_name: str | None) -> Named:
    found = named(path.name)
    if found is None and class_name is not None:
        found = named(f"Class{path.suffix.lower()}")
    if found is None:
        raise StartError(f"What {path} holds cannot be told from its name.", hint=_KINDS)
    return found


def _renamed(source: Source, class_name: str) -> Source:
    return replace(source, named=replace(source.named, class_name=class_name))


def _walk(folder: Path, shown: str, sources: list[Source], passed_over: list[str]) -> None:
    """All files of a folder, at any depth, but what is hidden."""
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if not path.is_file() or any(part.startswith(".") for part in inner.parts):
            continue
        name = f"{shown}/{inner.as_posix()}"
        what = named(path.name)
        if what is None:
            passed_over.append(name)
        else:
            sources.append(Source(path, name, what))


def _unpack(archive: Path, folder: Path) -> None:
    """Plain files alone, wherever in the archive they are; their names lead nowhere else."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                parts = PurePosixPath(member.name).parts
                inside = all(part not in ("..", "/") for part in parts)
                if not (member.isfile() and inside and parts):
                    continue
                target = folder.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                content = tar.extractfile(member)
                assert content is not None
                with target.open("wb") as file:
                    shutil.copyfileobj(content, file)
    except (tarfile.TarError, EOFError, OSError) as e:
        raise StartError(f"{archive} cannot be unpacked: {e}") from e
