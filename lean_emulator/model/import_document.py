"""A row of a file as the object that is stored for it (storage.md 10.4).

Ids and times are kept. Required columns are not asked for, and defaults show on reading.
"""

import re
from typing import NamedTuple

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import PUBLIC_ACL, check_acl, shared
from lean_emulator.model.document import AUTOMATIC, check_field_names
from lean_emulator.model.operations import Relate
from lean_emulator.model.values import canonical_iso, check_object_id, normalise

_OF_AN_OBJECT = frozenset({"__type", "className"})
"""Members that whole objects have in some answers, and that are no columns."""
_OLD_NAME = re.compile(r"_[A-Za-z][A-Za-z0-9_]*")
"""A column as the platform's own rows have some, though nobody can make one."""
_HASH = re.compile(r"[A-Za-z0-9+/]{86}==")


class Imported(NamedTuple):
    """An object, and the relation columns that its row shows, without members."""

    document: dict[str, Json]
    relations: dict[str, Relate]


def id_in(row: Json) -> str | None:
    """The objectId that a row brings; ``None`` for one that needs a new one.

    Raises code 104 for one that cannot be, 107 for a row that is no object.
    """
    if not isinstance(row, dict):
        raise errors.INVALID_JSON("A row must be an object.")
    given = row.get("objectId")
    if given is None or given == "":
        return None
    object_id = given if isinstance(given, str) else str(given)
    check_object_id(object_id)
    return object_id


def imported(row: dict[str, Json], object_id: str, now: str) -> Imported:
    """The object of a row; ``now`` is the time of one that brings none.

    Raises what a client's write of these values raises, except for what is required.
    """
    whole = row.get("__type") == "Object"
    created = _instant(row, "createdAt", now)
    document: dict[str, Json] = {"ACL": _acl(row.get("ACL"))}
    relations: dict[str, Relate] = {}
    for name, value in row.items():
        if name in AUTOMATIC or name == "ACL" or (whole and name in _OF_AN_OBJECT):
            continue
        if not _OLD_NAME.fullmatch(name):
            check_field_names((name,), dotted=False)
        if value.__class__ in (str, int, float, bool):
            document[name] = value
        elif isinstance(value, dict) and value.get("__type") == "Relation":
            relations[name] = Relate(str(value.get("className")))
        else:
            document[name] = normalise(value)
    document["objectId"] = object_id
    document["createdAt"] = created
    document["updatedAt"] = _instant(row, "updatedAt", created)
    return Imported(document, relations)


def plain_password(document: dict[str, Json]) -> str | None:
    """The password of a user whose row has it as a text; ``None`` where it is a hash, or none."""
    password = document.get("password")
    if not isinstance(password, str) or document.get("salt") or _HASH.fullmatch(password):
        return None
    return password


def _acl(given: Json) -> Json:
    if given is None:
        return PUBLIC_ACL
    check_acl(given)
    return shared(given)


def _instant(row: dict[str, Json], name: str, otherwise: str) -> str:
    given = row.get(name)
    if isinstance(given, dict) and given.get("__type") == "Date":
        given = given.get("iso")
    if given is None or given == "":
        return otherwise
    try:
        return canonical_iso(str(given))
    except ValueError:
        raise errors.INVALID_JSON(f"{name} is no ISO 8601 instant: '{given}'.") from None
