"""What a role must be, whoever makes it (storage.md 7.4)."""

import re

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.values import Document

_NAME = re.compile(r"[A-Za-z0-9_ -]+")


def check_new_role(role: Document) -> None:
    """Raise code 1 for a role without an ACL, 139 for a name that roles cannot have."""
    if role.get("ACL") is None:
        raise errors.INVALID_REQUEST("Role ACL is required.")
    name = role.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise errors.INVALID_ROLE_NAME(
            f"Invalid role name {_shown(name)}: letters, digits, '_', '-' and blanks make one."
        )


def check_changed_role(before: Document, after: Document) -> None:
    """As ``check_new_role``; a role keeps its name for life (code 139)."""
    if after.get("name") != before.get("name"):
        raise errors.INVALID_ROLE_NAME(
            f"The name of the role {_shown(before.get('name'))} cannot be changed."
        )
    if after.get("ACL") is None:
        raise errors.INVALID_REQUEST("Role ACL is required.")


def _shown(name: Json) -> str:
    return f"'{name}'" if isinstance(name, str) else repr(name)
