"""What a line of CQL asks for, said as the REST request that means the same (storage.md 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from lean_emulator.base.jsontext import Json
from lean_emulator.model.query import Query
from lean_emulator.model.where_json import parse_include, parse_query

Fields: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class SelectStatement:
    """A query. ``params`` are those of ``GET /classes/:class``, as native JSON."""

    class_name: str
    params: Fields
    wants_rows: bool = True
    """False when the count alone was selected."""
    wants_count: bool = False

    @property
    def query(self) -> Query:
        """The same tree as the JSON of the same meaning gives. Raises ``InvalidQuery``."""
        return parse_query(self.class_name, self.params)

    @property
    def include(self) -> tuple[str, ...]:
        return parse_include(self.params.get("include"))


@dataclass(frozen=True, slots=True)
class InsertStatement:
    """New objects. Every row is the body of a create; atomic operations stand as ``__op``."""

    class_name: str
    rows: tuple[Fields, ...]


@dataclass(frozen=True, slots=True)
class UpdateStatement:
    """A change of one object. ``guard`` is a where document, ``None`` without a condition."""

    class_name: str
    object_id: str
    fields: Fields
    guard: Json = None


@dataclass(frozen=True, slots=True)
class DeleteStatement:
    """The end of one object; ``guard`` as in an update."""

    class_name: str
    object_id: str
    guard: Json = None


Statement: TypeAlias = SelectStatement | InsertStatement | UpdateStatement | DeleteStatement
