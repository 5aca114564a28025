"""Who may do what: the only permission decision in the program (storage.md 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.query import EVERYTHING, ReadableBy, Where
from lean_emulator.model.values import Missing

Action: TypeAlias = Literal["read", "write"]

PUBLIC_ACL: dict[str, Json] = {"*": {"read": True, "write": True}}
"""What a class gives to objects that are made without an ACL."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking."""

    kind: Literal["anonymous", "user", "master"]
    user: Mapping[str, Json] | None = None
    """The stored ``_User`` document of the session, also beside the master key."""
    roles: frozenset[str] = frozenset()
    from_engine: bool = False
    """The request carried the right hook key: it comes from the user's own code."""

    @property
    def is_master(self) -> bool:
        return self.kind == "master"

    @property
    def user_id(self) -> str | None:
        return None if self.user is None else str(self.user["objectId"])

    def grantees(self) -> tuple[str, ...]:
        """The ACL keys that speak of this principal."""
        own = (self.user_id,) if self.user_id is not None else ()
        return ("*", *own, *(f"role:{role}" for role in sorted(self.roles)))


ANONYMOUS = Principal("anonymous")
MASTER = Principal("master")


def may(principal: Principal, action: Action, acl: Json | Missing) -> bool:
    """Whether an object's ACL lets the principal read or write it; no ACL lets everybody."""
    return principal.kind == "master" or granted(acl, action, principal.grantees())


def granted(acl: Json | Missing, action: Action, grantees: Sequence[str]) -> bool:
    """Whether an ACL names one of ``grantees`` for ``action``."""
    if acl is PUBLIC_ACL or acl is None or isinstance(acl, Missing):
        return True
    if not isinstance(acl, dict):
        return False
    for grantee in grantees:
        grant = acl.get(grantee)
        if isinstance(grant, dict) and grant.get(action) is True:
            return True
    return False


def read_filter(principal: Principal) -> Where:
    """The part of a query that hides what ``may`` would refuse to show."""
    return EVERYTHING if principal.kind == "master" else ReadableBy(principal.grantees())


def check_acl(acl: Json) -> None:
    """Raise code 123 for anything that is not a map of read and write grants."""
    if not isinstance(acl, dict):
        raise errors.INVALID_ACL(f"Malformed ACL: an object is wanted, got {acl!r}.")
    for who, grant in acl.items():
        if not isinstance(grant, dict) or not all(
            key in ("read", "write") and isinstance(value, bool) for key, value in grant.items()
        ):
            raise errors.INVALID_ACL(
                f"Malformed ACL: '{who}' wants read and write as true or false, got {grant!r}."
            )
