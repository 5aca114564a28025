"""Members of relations, found from either end at the same small cost (storage.md 3.6)."""

from collections.abc import Iterable
from typing import TypeAlias

from lean_emulator.model.operations import Relate
from lean_emulator.storage.groups import Groups

_Links: TypeAlias = dict[str, Groups[str, None]]
"""By field."""


class Relations:
    """Which objects are members of which relation of one class; members need not exist."""

    def __init__(self) -> None:
        self._members: _Links = {}
        self._owners: _Links = {}

    def change(self, owner_id: str, key: str, relate: Relate) -> None:
        members = self._members.setdefault(key, Groups())
        owners = self._owners.setdefault(key, Groups())
        for member in relate.removed:
            members.drop(owner_id, member)
            owners.drop(member, owner_id)
        for member in relate.added:
            members.put(owner_id, member, None)
            owners.put(member, owner_id, None)

    def members(self, owner_id: str, key: str) -> list[str]:
        links = self._members.get(key)
        return [] if links is None else list(links.of(owner_id))

    def owners(self, key: str, member_id: str) -> list[str]:
        links = self._owners.get(key)
        return [] if links is None else list(links.of(member_id))

    def forget_owner(self, owner_id: str, keys: Iterable[str]) -> None:
        """The owner is gone; what it was a member of stays."""
        for key in keys:
            if (links := self._members.get(key)) is not None:
                for member in links.drop_all(owner_id):
                    self._owners[key].drop(member, owner_id)

    def copy(self) -> "Relations":
        """The same members, to be changed apart. Costs the number of owners and members."""
        other = Relations()
        other._members = {key: links.copy() for key, links in self._members.items()}
        other._owners = {key: links.copy() for key, links in self._owners.items()}
        return other
