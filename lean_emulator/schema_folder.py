"""The folder with a project's schema files, one for each class: read at start, written by ``dump``.

``Post.schema.json`` and ``Post.json`` both declare ``Post``, in the folder itself or below it.
Population files (``Post.population.json``) hold objects and are passed over.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from lean_emulator.base.errors import Hint, StartError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.schema import ClassSchema
from lean_emulator.model.schema_file import read_schema, to_text

NAME = "schema"
"""The folder of a project that needs no setting."""

Change: TypeAlias = Literal["new", "changed", "same"]


class Declared(NamedTuple):
    """A class, and the file that declares it."""

    path: Path
    schema: ClassSchema


class Written(NamedTuple):
    """What writing came to for one class."""

    class_name: str
    path: Path
    change: Change


def folder_of(project_dir: Path, chosen: str | None) -> Path | None:
    """The folder to read: the chosen one, else ``schema/`` of the project if there is one."""
    if chosen is not None:
        return project_dir / chosen
    usual = project_dir / NAME
    return usual if usual.is_dir() else None


def read(folder: Path) -> list[Declared]:
    """All classes that the folder declares.

    Raises ``StartError`` for a folder that is not there, a file that cannot be read or understood,
    and a class with two files.
    """
    if not folder.is_dir():
        raise StartError(
            f"There is no schema folder {folder}.",
            hint=Hint(
                en="--schema names the folder with the schema files.",
                zh="--schema 应为存放 schema 文件的目录。",
            ),
        )
    found: dict[str, Declared] = {}
    for path in _files(folder):
        schema = read_schema(_text(path), str(path), _class_of(path))
        other = found.get(schema.name)
        if other is not None:
            raise StartError(f"The class '{schema.name}' has two files: {other.path} and {path}.")
        found[schema.name] = Declared(path, schema)
    return list(found.values())


def write(folder: Path, contents: Mapping[str, Json]) -> list[Written]:
    """Write every class into its file, the one it has or ``<Class>.schema.json``.

    Files of other classes stay. Raises ``StartError`` where that is not possible.
    """
    known = {_class_of(path): path for path in _files(folder)}
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            path = known.get(name, folder / f"{name}.schema.json")
            written.append(Written(name, path, _put(path, to_text(content).encode())))
    except OSError as e:
        raise StartError(f"{e.filename or folder} cannot be written: {e.strerror}.") from e
    return written


def _put(path: Path, content: bytes) -> Change:
    try:
        before = path.read_bytes()
    except FileNotFoundError:
        before = None
    if before == content:
        return "same"
    draft = path.with_name(f".{path.name}.tmp")
    try:
        draft.write_bytes(content)
        if before is not None:
            shutil.copymode(path, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return "new" if before is None else "changed"


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.json")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and not path.name.endswith(".population.json") and path.is_file():
            yield path


def _class_of(path: Path) -> str:
    return path.name.partition(".")[0]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as e:
        raise StartError(f"{path}: byte {e.start} is no UTF-8.") from e
    except OSError as e:
        raise StartError(f"{path} cannot be read: {e.strerror}.") from e
