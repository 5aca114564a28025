"""Sets by key, of which a copy costs their number and not their size."""

from collections.abc import Hashable, Mapping
from typing import Generic, Self, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Groups(Generic[K, V]):
    """Under each key, members with a value each, in the order they joined.

    A copy and its original share every group until one of them changes it.
    """

    def __init__(self) -> None:
        self._groups: dict[K, dict[str, V]] = {}
        self._own: set[K] | None = None
        """Keys whose group nobody shares; ``None`` when that is all of them."""

    def put(self, key: K, member: str, value: V) -> None:
        self._writable(key)[member] = value

    def drop(self, key: K, member: str) -> None:
        """Take a member out; one that is not in is no error. An empty group is forgotten."""
        if member in self._groups.get(key, ()):
            group = self._writable(key)
            del group[member]
            if not group:
                self.drop_all(key)

    def drop_all(self, key: K) -> Mapping[str, V]:
        """Take the whole group out, and give it."""
        if self._own is not None:
            self._own.discard(key)
        return self._groups.pop(key, None) or {}

    def of(self, key: K) -> Mapping[str, V]:
        """The group as it is now; it may change later."""
        return self._groups.get(key) or {}

    def copy(self) -> Self:
        """The same groups, for somebody who will change them. Costs the number of keys."""
        other = type(self)()
        other._groups = dict(self._groups)
        other._own, self._own = set(), set()
        return other

    def _writable(self, key: K) -> dict[str, V]:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = {}
        elif self._own is None or key in self._own:
            return group
        else:
            group = self._groups[key] = dict(group)
        if self._own is not None:
            self._own.add(key)
        return group
