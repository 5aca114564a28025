"""What a file of an export holds, by its name and its header (storage.md 10, project-files.md 4).

``Post.0.jsonl``, ``Post.population.json``, ``Post.json``, ``Post.csv`` and ``Post.bson`` hold
objects of ``Post``, ``Post.schema.json`` its columns; such names hold the members of a relation
where they begin with ``_Join:``.
"""

import json
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lean_emulator.base import errors
from lean_emulator.model.schema import ClassSchema
from lean_emulator.model.values import check_class_name

Form: TypeAlias = Literal["json", "lines", "csv", "bson", "schema"]

_FORMS: dict[str, Form] = {"json": "json", "jsonl": "lines", "csv": "csv", "bson": "bson"}
_NAME = re.compile(r"(?P<name>.+?)(?:\.population|\.\d+)?\.(?P<ending>json|jsonl|csv|bson)")
_SCHEMA = re.compile(r"(?P<name>[^.]+)\.schema\.json")
_HEADER = re.compile(r"#\s*filetype:JSON-streaming\s+(?P<about>\{.*\})\s*")
_JOIN = "_Join:"


@dataclass(frozen=True, slots=True)
class Named:
    """What a name says: how the file is written, and whose it is."""

    form: Form
    class_name: str

    @property
    def rank(self) -> int:
        """The order in which files are read best: schemas, objects, members of relations."""
        return 0 if self.form == "schema" else 2 if is_join(self.class_name) else 1


@dataclass(frozen=True, slots=True)
class Join:
    """A relation: the column of a class, and the class its members are of."""

    owner_class: str
    key: str
    member_class: str


def named(file_name: str) -> Named | None:
    """What a file of that name holds; ``None`` for one that is none of an export."""
    schema = _SCHEMA.fullmatch(file_name)
    if schema is not None:
        return Named("schema", schema["name"])
    found = _NAME.fullmatch(file_name)
    if found is None or file_name.startswith(".") or "." in found["name"]:
        return None
    return Named(_FORMS[found["ending"]], found["name"])


def header_class(line: bytes) -> str | None:
    """The class that a header line names; ``None`` for any other comment."""
    found = _HEADER.fullmatch(line.decode("utf-8", "replace").strip())
    if found is None:
        return None
    try:
        about = json.loads(found["about"])
    except ValueError:
        return None
    name = about.get("class")
    return name if isinstance(name, str) and name else None


def is_join(class_name: str) -> bool:
    """Whether the name is that of a relation's members."""
    return class_name.startswith(_JOIN)


def join_of(class_name: str, classes: dict[str, ClassSchema]) -> Join:
    """The relation that ``_Join:Owner:column:Member`` means, or ``_Join:column:Owner``.

    The short form leaves the members' class to the column. Raises code 128 for what means none.
    """
    parts = class_name.removeprefix(_JOIN).split(":")
    if len(parts) == 3 and all(parts):
        owner, key, member = parts
    elif len(parts) == 2 and all(parts):
        owner, key, member = _short(parts, classes)
    else:
        raise _no_relation(class_name)
    check_class_name(owner)
    check_class_name(member)
    return Join(owner, key, member)


def _short(parts: list[str], classes: dict[str, ClassSchema]) -> tuple[str, str, str]:
    for key, owner in (parts, parts[::-1]):
        schema = classes.get(owner)
        column = None if schema is None else schema.columns.get(key)
        if column is not None and column.type == "Relation":
            return owner, key, str(column.class_name)
    raise errors.INVALID_RELATION(
        f"'{_JOIN}{':'.join(parts)}' names no relation column that is there. Import the class's "
        f"schema first, or name the file {_JOIN}Owner:column:Member."
    )


def _no_relation(class_name: str) -> errors.ApiError:
    return errors.INVALID_RELATION(
        f"'{class_name}' is no relation; such files are named {_JOIN}Owner:column:Member."
    )
