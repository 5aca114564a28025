"""What of a stored object leaves the server (storage.md 2.4, 4.5, 6.5)."""

from typing import TypeAlias

from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import Principal
from lean_emulator.model.query import Keys
from lean_emulator.model.schema import ClassSchema

Fields: TypeAlias = dict[str, Json]

_PRIVATE = ("authData", "email", "mobilePhoneNumber")
_OF_A_POINTER = frozenset({"__type", "className", "objectId", "createdAt", "updatedAt"})
_SECRETS = frozenset({"password", "salt", "sessionToken"})
_OF_OTHERS = _SECRETS | {"authData"}
_NOTHING: frozenset[str] = frozenset()


def unseen_columns(
    principal: Principal, schema: ClassSchema, object_id: str | None = None
) -> frozenset[str]:
    """Columns that the principal cannot ask for, in a condition or an order.

    What nobody reads, not even with the master key (storage.md 4.2), and what a client is not
    shown of every object; ``object_id`` tells that it asks about that one alone. Addresses and
    numbers can be asked for, since friends are looked for by them.
    """
    if schema.name != "_User":
        unseen, own = _NOTHING, False
    else:
        own = object_id is not None and principal.user_id == object_id
        unseen = _SECRETS if own or principal.is_master else _OF_OTHERS
    rules = schema.rules
    if rules is None or principal.is_master:
        return unseen
    return unseen | rules.hidden if own else unseen | rules.hidden | rules.private


def visible(
    principal: Principal,
    schema: ClassSchema,
    document: Fields,
    *,
    acl: bool = False,
    token: bool = False,
    contacts: bool = False,
) -> Fields:
    """A document as the principal may see it; the ACL only when it was asked for.

    Every relation of the class shows as a stub, and the default of each column that the document
    lacks. Users never show their password; only they and the master key see their private fields,
    and only the master key sees hidden ones. With ``token`` it sees a user's session token too.
    With ``contacts`` everybody sees users' addresses and numbers.
    """
    rules = schema.rules
    fields = dict(document) if rules is None else rules.completed(document)
    if not acl:
        fields.pop("ACL", None)
    for name, column in schema.relations:
        fields[name] = {"__type": "Relation", "className": column.class_name}
    if rules is not None and not principal.is_master:
        own = schema.name != "_User" or principal.user_id == document["objectId"]
        for name in rules.hidden if own else rules.hidden | rules.private:
            fields.pop(name, None)
    if schema.name == "_User":
        for name in ("password", "salt"):
            fields.pop(name, None)
        if not (token and principal.is_master):
            fields.pop("sessionToken", None)
        if not principal.is_master and principal.user_id != document["objectId"]:
            for name in ("authData",) if contacts else _PRIVATE:
                fields.pop(name, None)
    return fields


def shown(fields: Fields, keys: Keys) -> Fields:
    """The fields that ``keys`` selects; dotted names go into Objects, and lists of them."""
    if keys.shown is not None:
        top = {name.partition(".")[0] for name in keys.shown}
        fields = {
            name: _inner(value, name, keys.shown) for name, value in fields.items() if name in top
        }
    if keys.hidden:
        fields = _less(fields, keys.hidden)
    return fields


def _inner(value: Json, name: str, shown_keys: frozenset[str]) -> Json:
    if name in shown_keys:
        return value
    if isinstance(value, list):
        return [_inner(item, name, shown_keys) for item in value]
    if not isinstance(value, dict):
        return value
    inner = _below(name, shown_keys)
    kept = {path.partition(".")[0] for path in inner}
    if "__type" in value:
        if value["__type"] != "Pointer":
            return value
        kept |= _OF_A_POINTER
    return {key: _inner(item, key, inner) for key, item in value.items() if key in kept}


def _less(fields: Fields, hidden: frozenset[str]) -> Fields:
    return {
        name: _inside(value, _below(name, hidden))
        for name, value in fields.items()
        if name not in hidden
    }


def _inside(value: Json, hidden: frozenset[str]) -> Json:
    if hidden and isinstance(value, list):
        return [_inside(item, hidden) for item in value]
    return _less(value, hidden) if hidden and isinstance(value, dict) else value


def _below(name: str, paths: frozenset[str]) -> frozenset[str]:
    """What paths name inside of ``name``."""
    return frozenset(path.removeprefix(f"{name}.") for path in paths if path.startswith(f"{name}."))
