"""Refusals on behalf of a call: roles are looked up when they matter, the rule is noted."""

from typing import Literal

from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import Action, Principal, Refusal, may
from lean_emulator.model.schema import ClassSchema
from lean_emulator.model.values import MISSING, Missing
from lean_emulator.service.call import Call
from lean_emulator.service.roles import Roles


class Permissions:
    """What becomes of a question to which ``may``, who need not know the roles, has said no.

    Where every tenth of a microsecond counts ``may`` is asked in place; ``check`` is both steps.
    """

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
        """Raise what ``refuse`` does where the class, the session or a given ACL forbids."""
        ruling = may(call.principal, action, schema, object_id, acl)
        if not ruling:
            await self.refuse(call, ruling)

    async def refuse(self, call: Call, refusal: Refusal) -> None:
        """Raise 403 (206 for somebody else's account), unless a role of the user is let in.

        The rule that refused is then in the trace, as ``refused_by``.
        """
        ruling = await self._reconsidered(refusal)
        if not ruling:
            raise refused(call, ruling)

    async def sees(
        self, principal: Principal, schema: ClassSchema, object_id: str, acl: Json
    ) -> bool:
        """Whether an object may be read along with another; what may not is left out in silence."""
        ruling = may(principal, "include", schema, object_id, acl)
        return True if ruling else bool(await self._reconsidered(ruling))

    async def _reconsidered(self, refusal: Refusal) -> Literal[True] | Refusal:
        """The ruling with roles known, where they matter."""
        if not refusal.may_depend_on_roles:
            return refusal
        return refusal.reconsidered(await self._roles.known(refusal.principal))

    async def with_roles(self, principal: Principal) -> Principal:
        """Who reads, with roles, for the part of a query that hides objects."""
        return await self._roles.known(principal)


def refused(call: Call, ruling: Refusal) -> ApiError:
    """What the client is told; which rule it was is then in the trace, as ``refused_by``."""
    if call.span is not None:
        call.span.detail["refused_by"] = ruling.words().en
    return ruling.error()
