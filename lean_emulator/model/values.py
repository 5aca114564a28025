"""LeanCloud's values in their wire form: recognise, normalise, compare, order (storage.md 2.1).

Documents keep the wire form (``{"__type": "Date", …}``). Normalising happens once, at the door;
after it equal values are equal JSON, apart from ``True == 1``, which ``same`` knows.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias, TypeGuard

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json

Document: TypeAlias = Mapping[str, Json]


class Missing:
    """The value of a field that is not there; falsy, and equal to nothing else."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()

BUILT_IN_CLASSES = frozenset(
    {
        "_Blocklist", "_Conversation", "_ConversationMemberInfo", "_File", "_Followee", "_Follower",
        "_FriendshipRequest", "_Installation", "_Notification", "_Role", "_Status",
        "_SysConversation", "_SysMessage", "_User",
    }
)  # fmt: skip
"""The platform's own classes, the only ones whose names begin with ``_`` (storage.md 2.2)."""

_CLASS_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_OBJECT_ID = re.compile(r"[A-Za-z0-9]+")
_CANONICAL_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.A)


@lru_cache(maxsize=4_096)
def check_class_name(name: str) -> None:
    """Raise code 103 for a name no class can have."""
    if _CLASS_NAME.fullmatch(name) or name in BUILT_IN_CLASSES:
        return
    if name.startswith("_"):
        raise errors.INVALID_CLASS_NAME(
            f"Invalid class name '{name}': only the platform's own classes begin with '_', "
            f"and they are {', '.join(sorted(BUILT_IN_CLASSES))}."
        )
    raise errors.INVALID_CLASS_NAME(
        f"Invalid class name '{name}': it begins with a letter and holds letters, digits and '_'."
    )


def check_object_id(object_id: str) -> None:
    """Raise code 104 unless it is letters and digits."""
    if not _OBJECT_ID.fullmatch(object_id):
        raise errors.INVALID_OBJECT_ID(f"The objectId '{object_id}' is not valid.")


def pointer(class_name: str, object_id: str) -> dict[str, Json]:
    return {"__type": "Pointer", "className": class_name, "objectId": object_id}


def date(iso: str) -> dict[str, Json]:
    return {"__type": "Date", "iso": iso}


def type_of(value: Json) -> str | None:
    """The ``__type`` of an encoded value, ``None`` for plain JSON."""
    if isinstance(value, dict):
        kind = value.get("__type")
        return kind if isinstance(kind, str) else None
    return None


def normalise(value: Json) -> Json:
    """The canonical wire form, ready to be stored or compared.

    Dates become UTC with milliseconds, pointers and full objects keep class and id only, files keep
    their id, coordinates become doubles. A value whose ``__type`` is unknown or incomplete stays as
    it came. Raises 106 (pointer), 107 (date), 121 (nested key), 302 (coordinates).
    """
    if isinstance(value, list):
        return [normalise(item) for item in value]
    if not isinstance(value, dict):
        return value
    rule = _NORMALISERS.get(str(value.get("__type"))) if "__type" in value else None
    if rule is not None:
        return rule(value)
    for key in value:
        if "." in key or "$" in key:
            raise errors.INVALID_NESTED_KEY(
                f"Invalid nested key '{key}': keys inside an Object cannot contain '$' or '.'."
            )
    return {key: normalise(item) for key, item in value.items()}


def canonical_iso(text: str) -> str:
    """Any ISO 8601 instant as ``YYYY-MM-DDTHH:MM:SS.mmmZ``; raises ``ValueError``.

    A text without a zone counts as UTC.
    """
    if _CANONICAL_DATE.fullmatch(text):
        datetime.fromisoformat(text)
        return text
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        try:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        except OverflowError as e:
            raise ValueError(f"'{text}' is outside of the years 1 to 9999 in UTC") from e
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def same(left: Json, right: Json) -> bool:
    """Deep equality in which ``true`` is not ``1``; numbers compare by value."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(same(item, right[key]) for key, item in left.items())
        )
    if isinstance(left, list):
        return (
            isinstance(right, list)
            and len(left) == len(right)
            and all(map(same, left, right))
        )  # fmt: skip
    return left == right


def holds(members: Sequence[Json], value: Json) -> bool:
    """Whether a list contains a value, by ``same``."""
    return any(same(member, value) for member in members)


def order_key(value: Json | Missing) -> tuple[Any, ...]:
    """A key that sorts mixed values as the platform's database does (storage.md 4.1).

    Missing and null first, then numbers, texts, objects, lists, bytes, booleans, dates.
    """
    if value is None or isinstance(value, Missing):
        return (0,)
    if isinstance(value, bool):
        return (6, value)
    if isinstance(value, int | float):
        return (1, value)
    if isinstance(value, str):
        return (2, value)
    if isinstance(value, list):
        return (4, tuple(order_key(item) for item in value))
    kind = type_of(value)
    if kind == "Date":
        return (7, str(value.get("iso")))
    if kind == "Bytes":
        return (5, str(value.get("base64")))
    return (3, tuple((key, order_key(item)) for key, item in value.items()))


def _pointer(value: dict[str, Json]) -> Json:
    class_name, object_id = value.get("className"), value.get("objectId")
    if not (isinstance(class_name, str) and isinstance(object_id, str) and object_id):
        raise errors.INVALID_POINTER(
            f"Malformed pointer: className is {class_name!r} and objectId is {object_id!r}."
        )
    return pointer(class_name, object_id)


def _object(value: dict[str, Json]) -> Json:
    if isinstance(value.get("className"), str) and isinstance(value.get("objectId"), str):
        return _pointer(value)
    return value


def _date(value: dict[str, Json]) -> Json:
    iso = value.get("iso")
    if not isinstance(iso, str):
        return value
    try:
        return date(canonical_iso(iso))
    except ValueError:
        raise errors.INVALID_JSON(f"Malformed Date: '{iso}' is not an ISO 8601 instant.") from None


def _geo_point(value: dict[str, Json]) -> Json:
    latitude, longitude = value.get("latitude"), value.get("longitude")
    if not (_is_number(latitude) and _is_number(longitude)):
        return value
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise errors.GEO_OUT_OF_RANGE(
            f"GeoPoint latitude {latitude} or longitude {longitude} is out of range."
        )
    return {"__type": "GeoPoint", "latitude": float(latitude), "longitude": float(longitude)}


def _is_number(value: Json) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _file(value: dict[str, Json]) -> Json:
    for key in ("id", "objectId", "name"):
        if isinstance(value.get(key), str) and value[key]:
            return {"__type": "File", "id": value[key]}
    return value


def _as_it_is(value: dict[str, Json]) -> Json:
    return value


_NORMALISERS = {
    "Pointer": _pointer,
    "Object": _object,
    "Date": _date,
    "GeoPoint": _geo_point,
    "File": _file,
    "_File": _file,
    "Bytes": _as_it_is,
    "Relation": _as_it_is,
}
