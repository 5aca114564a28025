"""Indexes as a class declares them (storage.md 2.4, 10.2).

Only unique ones do anything: what queries need is indexed by itself.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TypeAlias

from lean_emulator.base.jsontext import Json
from lean_emulator.model.values import MISSING, Document, Missing, order_key

Entry: TypeAlias = tuple[Hashable, ...]
"""One value for each column of an index."""

_ID = "$id"


@dataclass(frozen=True, slots=True)
class Index:
    """An index over one or several columns; ``author.$id`` is the id that a pointer holds."""

    name: str
    keys: tuple[tuple[str, Json], ...]
    """Path, and direction or kind: ``1``, ``-1``, ``"2dsphere"``."""
    unique: bool = False
    sparse: bool = False
    """Leave out objects that have none of the columns; without it they count as holding null."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Members of the declaration that mean nothing here; kept and written back."""

    @property
    def columns(self) -> str:
        """The columns, for people: ``nid`` or ``revision, author``."""
        return ", ".join(path.removesuffix(f".{_ID}") for path, _ in self.keys)

    def entries(self, document: Document) -> frozenset[Entry]:
        """What the index holds for a document; a list gives an entry for each member."""
        found = [_values(document, path.split(".")) for path, _ in self.keys]
        if self.sparse and all(values == [MISSING] for values in found):
            return frozenset()
        return frozenset(product(*([order_key(v) for v in values] for values in found)))


def _values(holder: Json | Missing | Document, path: list[str]) -> list[Json | Missing]:
    if isinstance(holder, list):
        return [value for member in holder for value in _values(member, path)] or [[]]
    if not path:
        return [holder]  # type: ignore[list-item]  # only the outermost is a Document, with a path
    if not isinstance(holder, Mapping):
        return [MISSING]
    if path == [_ID]:
        return [holder.get("objectId", holder.get("id", MISSING))]
    return _values(holder.get(path[0], MISSING), path[1:])
