"""What an object must be before it is stored: the rules of its class (storage.md 2.4, 7)."""

from collections.abc import Mapping
from typing import TypeAlias

from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import PUBLIC_ACL, Principal, acl_of_new, check_acl, shared
from lean_emulator.model.document import check_field_names
from lean_emulator.model.installation import check_installation
from lean_emulator.model.operations import Operation, Relate, parse_operation
from lean_emulator.model.role import check_changed_role, check_new_role
from lean_emulator.model.schema import ClassSchema

Fields: TypeAlias = dict[str, Json]
Write: TypeAlias = Mapping[str, Operation]


def check_new(class_name: str, draft: Fields) -> None:
    """Raise 123 for a malformed ACL, and what the platform's own classes ask of new objects."""
    if draft.get("ACL") is not None:
        check_acl(draft["ACL"])
    if class_name == "_Role":
        check_new_role(draft)
    elif class_name == "_Installation":
        check_installation(draft, draft)


def check_changed(class_name: str, before: Fields, after: Fields, write: Write) -> None:
    """As ``check_new``, for what a write makes of an object."""
    if "ACL" in after and any(path.partition(".")[0] == "ACL" for path in write):
        check_acl(after["ACL"])
    if class_name == "_Role":
        check_changed_role(before, after)
    elif class_name == "_Installation":
        check_installation(after, write)


def check_replaced(class_name: str, replaced: Fields) -> tuple[Fields, dict[str, Relate]]:
    """A hook's document, and the relation operations it brought with it.

    Raises what a client's write with these fields raises.
    """
    check_field_names(replaced, dotted=False)
    check_new(class_name, replaced)
    if not any(isinstance(value, dict) and "__op" in value for value in replaced.values()):
        return replaced, {}
    operations = {
        name: parse_operation(name, value)
        for name, value in replaced.items()
        if isinstance(value, dict) and "__op" in value
    }
    related = {name: op for name, op in operations.items() if isinstance(op, Relate)}
    return {name: value for name, value in replaced.items() if name not in related}, related


def without_numbered(principal: Principal, schema: ClassSchema, write: Write) -> Write:
    """A create's write without what a client says of columns that the server numbers."""
    rules = schema.rules
    if rules is None or not rules.numbered or _sets_all_columns(principal):
        return write
    return {name: op for name, op in write.items() if name not in rules.numbered}


def refuse_locked(principal: Principal, schema: ClassSchema, write: Write) -> None:
    """Raise code 117 where a client changes what is not its to change."""
    if schema.rules is not None and not _sets_all_columns(principal):
        schema.rules.check_update(write)


def completed(
    principal: Principal, schema: ClassSchema, draft: Fields, object_id: str, now: str
) -> Fields:
    """A new document as it will be stored, defaults filled in, nothing required missing.

    It comes after the hook, which may be what fills a column (project-files.md 3).
    """
    rules = schema.rules
    if rules is not None:
        draft = rules.completed(draft)
        if not principal.is_master:
            rules.check_required(draft)
    acl = draft.get("ACL")
    if acl is None:
        acl = PUBLIC_ACL if rules is None else acl_of_new(rules.default_acl, principal)
    else:
        acl = shared(acl)
    return {**draft, "ACL": acl, "objectId": object_id, "createdAt": now, "updatedAt": now}


def _sets_all_columns(principal: Principal) -> bool:
    """Whether columns that are closed to clients are open to the principal."""
    return principal.is_master or principal.from_engine
