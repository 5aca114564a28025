"""Who may do what: the only permission decision in the program (storage.md 7)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.base.record import record
from lean_emulator.model.class_permissions import ClassAction, Grant
from lean_emulator.model.query import EVERYTHING, ReadableBy, Where
from lean_emulator.model.schema import ClassSchema
from lean_emulator.model.values import MISSING, Missing

Action: TypeAlias = ClassAction | Literal["include"]
"""``include`` is reading along: an included object, or the owner of a relation one asks for."""
Right: TypeAlias = Literal["read", "write"]
Rule: TypeAlias = Literal["class permissions", "session guard", "ACL"]

PUBLIC_ACL: dict[str, Json] = {"*": {"read": True, "write": True}}
"""What a class gives to objects that are made without an ACL."""

OWNER = "_owner"
"""In a class's default ACL: the user who creates the object."""

_PUBLIC = frozenset({"*"})
_RIGHTS: Mapping[Action, Right] = {
    "get": "read", "include": "read", "update": "write", "delete": "write",
}  # fmt: skip
"""What an action wants of the object's ACL; ``find`` leaves out what it does not let one read."""
_AN_ID = re.compile(r"[0-9a-f]{24}")


@record
class Principal:
    """Who is asking."""

    kind: Literal["anonymous", "user", "master"]
    user: Mapping[str, Json] | None = None
    """The stored ``_User`` document of the session, also beside the master key."""
    roles: Mapping[str, str] | None = None
    """Names of the user's roles by id, inherited ones too; ``None`` while nobody has looked."""
    from_engine: bool = False
    """The request carried the right hook key: it comes from the user's own code."""

    @property
    def is_master(self) -> bool:
        return self.kind == "master"

    @property
    def user_id(self) -> str | None:
        return None if self.user is None else str(self.user["objectId"])

    def grantees(self) -> frozenset[str]:
        """The ACL keys that speak of this principal."""
        if self.user is None:
            return _PUBLIC
        names = () if self.roles is None else self.roles.values()
        return frozenset(("*", str(self.user["objectId"]), *(f"role:{name}" for name in names)))


ANONYMOUS = Principal("anonymous")
MASTER = Principal("master")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no, with the rule that said it; counts as false."""

    principal: Principal
    action: Action
    schema: ClassSchema
    object_id: str | None
    acl: Json | Missing
    rule: Rule
    open_to: tuple[str, ...]
    """Whom the rule lets in: ``*``, ids and names of users, ``role:`` and a name."""

    def __bool__(self) -> Literal[False]:
        return False

    @property
    def may_depend_on_roles(self) -> bool:
        """Whether it was said without knowing the user's roles, and one of them might be let in."""
        unknown = self.principal.user is not None and self.principal.roles is None
        return unknown and any(name.startswith("role:") for name in self.open_to)

    def reconsidered(self, principal: Principal) -> "Literal[True] | Refusal":
        """The same question again, for the same principal with its roles."""
        return may(principal, self.action, self.schema, self.object_id, self.acl)

    def words(self) -> Hint:
        """Which rule it was, whom it lets in, and who asked."""
        who, asker = _listed(self.open_to), _named(self.principal)
        class_name = self.schema.name
        thing = f"{class_name} {self.object_id}" if self.object_id else class_name
        match self.rule:
            case "class permissions":
                return Hint(
                    f"class permission {self.action} of {class_name}: "
                    f"for {who.en}; this is {asker.en}",
                    f"{class_name} 的 {self.action} 权限：仅限{who.zh}；此请求为{asker.zh}",
                )
            case "session guard":
                return Hint(
                    f"session guard of _User: {self.action} of {thing} is for its own session; "
                    f"this is {asker.en}",
                    f"_User 的会话保护：{self.action} {thing} 仅限其本人会话；此请求为{asker.zh}",
                )
            case "ACL":
                right = _RIGHTS[self.action]
                return Hint(
                    f"ACL of {thing}: {right} is for {who.en}; this is {asker.en}",
                    f"{thing} 的 ACL：{right} 仅限{who.zh}；此请求为{asker.zh}",
                )

    def error(self) -> ApiError:
        """What the client is told: 403, or 206 for somebody else's account."""
        en, zh = self.words()
        match self.rule:
            case "class permissions":
                return errors.FORBIDDEN(
                    f"Forbidden to {self.action} by class permissions.",
                    hint=Hint(
                        f"Refused by {en}. Schema files set it (permissions.{self.action}).",
                        f"被拒绝：{zh}。可在 schema 文件的 permissions.{self.action} 中修改。",
                    ),
                )
            case "session guard":
                return ApiError(
                    206,
                    "The user cannot be altered by a client without the session.",
                    hint=Hint(f"Refused by {en}.", f"被拒绝：{zh}。"),
                )
            case "ACL":
                doing = "writing" if _RIGHTS[self.action] == "write" else "reading"
                return errors.FORBIDDEN(
                    f"Forbidden {doing} by object's ACL., the object id is {self.object_id}.",
                    hint=Hint(f"Refused by {en}.", f"被拒绝：{zh}。"),
                )


def may(
    principal: Principal,
    action: Action,
    schema: ClassSchema,
    object_id: str | None = None,
    acl: Json | Missing = MISSING,
) -> Literal[True] | Refusal:
    """Whether the principal may do that: to the class, or to one object of it with that ACL.

    The first rule that says no is named, in the order of storage.md 7.1. An object without an ACL
    is everybody's. Where roles are unknown they let nobody in; knowing them can only turn a no into
    a yes.
    """
    if principal.kind == "master":
        return True
    if schema.closed:
        grant = schema.closed.get(action)
        if grant is not None and not _lets_in(grant, principal):
            rule: Rule = "class permissions"
            return Refusal(principal, action, schema, object_id, acl, rule, _open_to(grant))
    right = _RIGHTS.get(action)
    if right == "write" and schema.name == "_User":
        if principal.user_id == object_id:
            return True
        return Refusal(principal, action, schema, object_id, acl, "session guard", ())
    if right is None or acl is PUBLIC_ACL or granted(acl, right, principal.grantees()):
        return True
    return Refusal(principal, action, schema, object_id, acl, "ACL", _named_in(acl, right))


def granted(acl: Json | Missing, right: Right, grantees: frozenset[str]) -> bool:
    """Whether an ACL gives one of ``grantees`` that right; no ACL gives it to everybody."""
    if acl is PUBLIC_ACL or acl is None or isinstance(acl, Missing):
        return True
    if not isinstance(acl, dict):
        return False
    for who, grant in acl.items():
        if who in grantees and isinstance(grant, dict) and grant.get(right) is True:
            return True
    return False


def read_filter(principal: Principal) -> Where:
    """The part of a query that hides what ``may`` would refuse to show; roles must be known."""
    return EVERYTHING if principal.kind == "master" else ReadableBy(principal.grantees())


def shared(acl: Json) -> Json:
    """The ACL; where it says what ``PUBLIC_ACL`` does, that very one, which is quickest to check.

    Most objects have it, so they need not hold one each.
    """
    return PUBLIC_ACL if acl == PUBLIC_ACL else acl


def acl_of_new(default: Json | Missing, principal: Principal) -> Json:
    """The ACL of an object that brings none, by the default of its class.

    The owner is the user of the session; without one that entry lets nobody in (storage.md 7.2).
    """
    if isinstance(default, Missing):
        return PUBLIC_ACL
    if not isinstance(default, dict) or OWNER not in default:
        return default
    acl = {who: grant for who, grant in default.items() if who != OWNER}
    if principal.user_id is not None:
        acl[principal.user_id] = _joined(acl.get(principal.user_id), default[OWNER])
    return acl


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


def _lets_in(grant: Grant, principal: Principal) -> bool:
    """Whether a class permission speaks of the principal.

    What looks like an id is one: nobody gets in by taking another's id for a name.
    """
    user = principal.user
    if user is None:
        return False
    if grant.signed_in or str(user["objectId"]) in grant.users:
        return True
    if _by_name(user.get("username"), grant.users):
        return True
    roles = principal.roles or {}
    return any(
        role_id in grant.roles or _by_name(name, grant.roles) for role_id, name in roles.items()
    )


def _by_name(name: Json, names: frozenset[str]) -> bool:
    return isinstance(name, str) and name in names and not _AN_ID.fullmatch(name)


def _joined(first: Json, second: Json) -> Json:
    """Two grants to one user; grants only add up."""
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return second
    return {right: True for grant in (first, second) for right, given in grant.items() if given}


def _open_to(grant: Grant) -> tuple[str, ...]:
    signed_in = ("anyone with a session",) if grant.signed_in else ()
    roles = (f"role:{role}" for role in sorted(grant.roles))
    return (*signed_in, *sorted(grant.users), *roles)


def _named_in(acl: Json | Missing, right: Right) -> tuple[str, ...]:
    entries = acl.items() if isinstance(acl, dict) else ()
    return tuple(who for who, grant in entries if isinstance(grant, dict) and grant.get(right))


def _listed(names: Iterable[str], most: int = 5) -> Hint:
    """The first few names; of nobody, that it is the master key's."""
    found = list(names)
    if not found:
        return Hint("nobody but the master key", " master key")
    more = len(found) - most
    shown = ", ".join(found[:most])
    if more <= 0:
        return Hint(shown, f" {shown}")
    return Hint(f"{shown} and {more} more", f" {shown} 等 {len(found)} 个")


def _named(principal: Principal) -> Hint:
    if principal.user is None:
        return Hint("nobody, without a session", "未登录用户")
    name = principal.user.get("username") or principal.user_id
    user = f"{name} ({principal.user_id})"
    if principal.roles is None:
        return Hint(user, f"用户 {user}")
    if not principal.roles:
        return Hint(f"{user}, in no role", f"用户 {user}，无角色")
    roles = _listed(sorted(principal.roles.values()))
    return Hint(f"{user}, in the roles {roles.en}", f"用户 {user}，角色{roles.zh}")
