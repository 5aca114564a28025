"""Class permissions: which actions a class is open for, and to whom (storage.md 7.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from lean_emulator.base.jsontext import Json

ClassAction: TypeAlias = Literal["add_fields", "create", "delete", "find", "get", "update"]
ACTIONS: tuple[ClassAction, ...] = ("add_fields", "create", "delete", "find", "get", "update")


@dataclass(frozen=True, slots=True)
class Grant:
    """Whom an action is open to; nothing in it, nobody but the master key."""

    signed_in: bool = False
    """Whoever has a session."""
    users: frozenset[str] = frozenset()
    """Ids or usernames, as consoles take both."""
    roles: frozenset[str] = frozenset()
    """Ids or names, as consoles take both."""


Closed: TypeAlias = Mapping[str, Grant]
"""The actions of a class that are not open to everybody."""

NOBODY = Grant()
ALL_OPEN: Closed = MappingProxyType({})
_BUILT_IN: Mapping[str, Closed] = {
    "_Blocklist": {"create": NOBODY, "update": NOBODY},
    "_File": {"delete": NOBODY, "update": NOBODY},
    "_FriendshipRequest": {"create": NOBODY, "update": NOBODY},
    "_Installation": {"delete": NOBODY, "find": NOBODY},
    "_Notification": dict.fromkeys(ACTIONS, NOBODY),
}
"""What clients may not do unless a schema file lets them."""


def closed_actions(class_name: str, permissions: Mapping[str, Json] | None) -> Closed:
    """What the permissions of a schema file keep some people from.

    An action they do not speak of is open, or as the platform has it for its own classes.
    """
    usual = _BUILT_IN.get(class_name, ALL_OPEN)
    if permissions is None:
        return usual
    closed: dict[str, Grant] = {}
    for action in ACTIONS:
        declared = permissions.get(action)
        if not isinstance(declared, dict):
            if action in usual:
                closed[action] = usual[action]
        elif declared.get("*") is not True:
            closed[action] = Grant(
                declared.get("onlySignInUsers") is True,
                _names(declared.get("users")),
                _names(declared.get("roles")),
            )
    return closed or ALL_OPEN


def _names(declared: Json) -> frozenset[str]:
    """One name, or a list of them; an empty one names nobody."""
    names = declared if isinstance(declared, list) else [declared]
    return frozenset(name for name in names if isinstance(name, str) and name)
