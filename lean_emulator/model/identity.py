"""Values as members of sets, for lists too long to compare everything with everything."""

from collections.abc import Hashable

from lean_emulator.base.jsontext import Json


def identity(value: Json) -> Hashable:
    """A key that two values share exactly when they are the ``same``."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, dict):
        return (dict, frozenset((key, identity(item)) for key, item in value.items()))
    if isinstance(value, list):
        return (list, *map(identity, value))
    return value
