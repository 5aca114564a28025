"""Members of relations, found from either end at the same small cost (storage.md 3.6)."""

from collections.abc import Iterable
from typing import TypeAlias

from lean_emulator.model.operations import Relate

_Column: TypeAlias = tuple[str, str]
"""Owning class and field."""
_Links: TypeAlias = dict[_Column, dict[str, dict[str, None]]]


class Relations:
    """Which objects are members of which relation; members need not exist."""

    def __init__(self) -> None:
        self._members: _Links = {}
        self._owners: _Links = {}

    def change(self, owner_class: str, owner_id: str, key: str, relate: Relate) -> None:
        column = (owner_class, key)
        members = self._members.setdefault(column, {}).setdefault(owner_id, {})
        owners = self._owners.setdefault(column, {})
        for member in relate.removed:
            members.pop(member, None)
            owners.get(member, {}).pop(owner_id, None)
        for member in relate.added:
            members[member] = None
            owners.setdefault(member, {})[owner_id] = None

    def members(self, owner_class: str, owner_id: str, key: str) -> list[str]:
        return list(self._members.get((owner_class, key), {}).get(owner_id, ()))

    def owners(self, owner_class: str, key: str, member_id: str) -> list[str]:
        return list(self._owners.get((owner_class, key), {}).get(member_id, ()))

    def forget_owner(self, owner_class: str, owner_id: str, keys: Iterable[str]) -> None:
        """The owner is gone; what it was a member of stays."""
        for key in keys:
            column = (owner_class, key)
            for member in self._members.get(column, {}).pop(owner_id, ()):
                self._owners[column][member].pop(owner_id, None)

    def forget_class(self, owner_class: str) -> None:
        for links in (self._members, self._owners):
            for column in [column for column in links if column[0] == owner_class]:
                del links[column]

    def clear(self) -> None:
        self._members.clear()
        self._owners.clear()
