"""Backups of the platform: BSON as its database wrote it.

What only BSON has becomes what REST has: times, pointers (which are references there), bytes,
positions. ``_id`` is the objectId.
"""

import base64
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO, Any, TypeAlias

from lean_emulator.base.jsontext import Json
from lean_emulator.model.import_rows import Read, Row, Unreadable
from lean_emulator.model.values import date, pointer

Decode: TypeAlias = Callable[[bytes], dict[str, Any]]
"""Reads one document, times without a zone among its values; raises ``ValueError``."""

_TIMES = frozenset({"createdAt", "updatedAt"})
_SIZE = 4
_LARGEST = 64 * 1024 * 1024


def read_bson(file: IO[bytes], decode: Decode) -> Iterator[Read]:
    """Documents, each numbered in place of a line. Measured in bytes."""
    at = number = 0
    while head := file.read(_SIZE):
        number += 1
        size = int.from_bytes(head, "little")
        rest = file.read(size - _SIZE) if _SIZE < size <= _LARGEST else b""
        if len(head) + len(rest) != size:
            yield Unreadable(number, "the document is cut off or no BSON", at + len(head))
            return
        at += size
        try:
            yield Row(number, _document(decode(head + rest)), at)
        except ValueError as e:
            yield Unreadable(number, f"document {number}: {e}", at)


def _document(raw: dict[str, Any]) -> Json:
    found: dict[str, Json] = {}
    for name, value in raw.items():
        if name == "_id":
            found["objectId"] = str(value)
        elif name in _TIMES and isinstance(value, datetime):
            found[name] = _iso(value)
        else:
            found[name] = _value(value)
    if {"owningId", "relatedId"} <= found.keys():
        return {name: str(found[name]) for name in ("owningId", "relatedId")}
    return found


def _value(value: Any) -> Json:
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, bytes):
        return {"__type": "Bytes", "base64": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return date(_iso(value))
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):  # also those of 64 bits
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _special(value)


def _special(value: Any) -> Json:
    """What BSON has classes of its own for, told apart by their names."""
    kind = type(value).__name__
    if kind == "DBRef":
        return _reference(str(value.collection), str(value.id))
    if kind == "ObjectId":
        return str(value)
    if kind == "Decimal128":
        return float(value.to_decimal())
    raise ValueError(f"a value of the type {kind} has no place in an object")


def _object(value: dict[str, Any]) -> Json:
    if "$ref" in value and "$id" in value:
        return _reference(str(value["$ref"]), str(value["$id"]))
    place = value.get("coordinates")
    if value.get("type") == "Point" and isinstance(place, list) and len(place) == 2:
        longitude, latitude = place
        return {
            "__type": "GeoPoint", "latitude": float(latitude), "longitude": float(longitude)
        }  # fmt: skip
    return {name: _value(item) for name, item in value.items()}


def _reference(class_name: str, object_id: str) -> Json:
    if class_name == "_File":
        return {"__type": "File", "id": object_id}
    return pointer(class_name, object_id)


def _iso(moment: datetime) -> str:
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z"
