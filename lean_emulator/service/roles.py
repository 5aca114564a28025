"""Whose roles are whose: members of a role, and of the roles inside it (storage.md 7.4)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from lean_emulator.model.access import Principal
from lean_emulator.storage.contract import Storage

RolesById: TypeAlias = Mapping[str, str]
"""Names of roles by their ids."""

MAX_KNOWN = 10_000
"""Users whose roles are remembered; one more, and all are looked up anew."""


class Roles:
    """Finds the roles of users, and remembers them until a role is written."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: dict[str, RolesById] = {}
        self._stamp: object = None
        """What ``_Role`` was when the roles that are known were looked up."""

    async def known(self, principal: Principal) -> Principal:
        """The principal with its roles. Without a session, and for the master key, none matter."""
        if principal.kind != "user" or principal.roles is not None:
            return principal
        roles = await self.of_user(str(principal.user_id))
        return Principal(principal.kind, principal.user, roles, principal.from_engine)

    async def of_user(self, user_id: str) -> RolesById:
        """All roles that have the user as a member, and all that have one of these inside them."""
        stamp = self._storage.stamp("_Role")
        if stamp is not self._stamp:
            self._stamp, self._known = stamp, {}
        known = self._known
        roles = known.get(user_id)
        if roles is None:
            roles = MappingProxyType(await self._look_up(user_id))
            if len(known) >= MAX_KNOWN:
                known.clear()
            known[user_id] = roles
        return roles

    async def _look_up(self, user_id: str) -> dict[str, str]:
        found: dict[str, str] = {}
        seen: set[str] = set()
        ahead = await self._storage.owners("_Role", "users", user_id)
        while ahead:
            role_id = ahead.pop()
            if role_id in seen:
                continue  # roles may be inside each other in circles
            seen.add(role_id)
            role = await self._storage.get("_Role", role_id)
            if role is None:
                continue
            found[role_id] = str(role.get("name"))
            ahead += await self._storage.owners("_Role", "roles", role_id)
        return found
