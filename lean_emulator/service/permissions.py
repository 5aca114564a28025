"""Asking ``may`` on behalf of a call: roles are looked up when they matter, refusals are noted."""

from typing import Literal

from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import Action, Principal, Refusal, may
from lean_emulator.model.schema import ClassSchema
from lean_emulator.model.values import MISSING, Missing
from lean_emulator.service.call import Call
from lean_emulator.service.roles import Roles


class Permissions:
    """Decides for services, which ask before every read and write."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles

    async def check(
        self,
        call: Call,
        action: Action,
        schema: ClassSchema,
        object_id: str | None = None,
        acl: Json | Missing = MISSING,
    ) -> None:
        """Raise 403 (206 for somebody else's account) where the call may not do that.

        The rule that refused is then in the trace, as ``refused_by``.
        """
        ruling = may(call.principal, action, schema, object_id, acl)
        if not ruling and ruling.may_depend_on_roles:
            known = await self._roles.known(call.principal)
            ruling = may(known, action, schema, object_id, acl)
        if not ruling:
            if call.span is not None:
                call.span.detail["refused_by"] = ruling.words().en
            raise ruling.error()

    async def allows(
        self, principal: Principal, action: Action, schema: ClassSchema, object_id: str, acl: Json
    ) -> Literal[True] | Refusal:
        """As ``check``, for what is left out in silence."""
        ruling = may(principal, action, schema, object_id, acl)
        if ruling or not ruling.may_depend_on_roles:
            return ruling
        return may(await self._roles.known(principal), action, schema, object_id, acl)

    async def reader(self, call: Call) -> Principal:
        """Who reads, with roles, for the part of a query that hides objects."""
        return await self._roles.known(call.principal)
