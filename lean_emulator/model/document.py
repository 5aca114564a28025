"""Documents are never edited: a write makes a new one, sharing what did not change."""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.operations import Operation, Relate, Set, Write
from lean_emulator.model.values import MISSING, Document, Missing, check_object_id

AUTOMATIC = frozenset({"objectId", "createdAt", "updatedAt"})
"""Fields that only the server sets (storage.md 2.3)."""

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RESERVED = frozenset({"acl", "classname", "createdat", "objectid", "updatedat"})


def check_field_names(names: Iterable[str], *, dotted: bool) -> None:
    """Raise code 105 for a name no field can have; ``dotted`` paths exist on update only."""
    for path in names:
        if not _is_field(path, dotted):
            raise errors.INVALID_KEY(
                "Invalid key name. Keys are case-sensitive and 'a-zA-Z0-9_' are the only valid "
                f"characters. The column is: '{path}'."
            )


@lru_cache(maxsize=4_096)  # an application writes the same columns over and over
def _is_field(path: str, dotted: bool) -> bool:
    head, *inner = path.split(".") if dotted else [path]
    return bool(_FIELD.fullmatch(head)) and _allowed(head) and all(map(_inner_allowed, inner))


def _allowed(name: str) -> bool:
    return name == "ACL" or name in AUTOMATIC or name.lower() not in _RESERVED


def _inner_allowed(name: str) -> bool:
    return name != "" and "$" not in name


def refuse_automatic(write: Write, but: Collection[str] = ()) -> None:
    """Raise code 105 for a write of fields that only the server sets, ``but`` for some."""
    for name in write.keys() & (AUTOMATIC - frozenset(but)):
        raise errors.INVALID_KEY(f"Invalid key name. '{name}' is set by the server alone.")


def chosen_id(write: Write) -> str | None:
    """The ``objectId`` that a write asks for, if it does. Raises code 104 for what is none."""
    asked = write.get("objectId")
    if not isinstance(asked, Set):
        return None
    object_id = asked.value if isinstance(asked.value, str) else ""
    check_object_id(object_id)
    return object_id


def apply_write(document: Document, write: Write) -> dict[str, Json]:
    """The document after all operations; the given one is left alone."""
    result = dict(document)
    for path, operation in write.items():
        if path in AUTOMATIC or isinstance(operation, Relate):
            continue
        if "." in path:
            head, *rest = path.split(".")
            _store(result, head, _applied_deep(result.get(head, MISSING), rest, operation, path))
        else:
            _store(result, path, operation.apply(result.get(path, MISSING)))
    return result


def _store(target: dict[str, Json], key: str, value: Json | Missing) -> None:
    if isinstance(value, Missing):
        target.pop(key, None)
    else:
        target[key] = value


def _applied_deep(
    holder: Json | Missing, rest: list[str], operation: Operation, path: str
) -> Json | Missing:
    if isinstance(holder, Missing) or holder is None:
        inner: dict[str, Json] = {}
    elif isinstance(holder, dict):
        inner = dict(holder)
    else:
        raise errors.WRONG_TYPE(f"'{path}' leads through a value that is not an Object.")
    key, *deeper = rest
    old = inner.get(key, MISSING)
    value = _applied_deep(old, deeper, operation, path) if deeper else operation.apply(old)
    if isinstance(value, Missing) and isinstance(holder, Missing):
        return MISSING
    _store(inner, key, value)
    return inner


def relations_of(write: Write) -> dict[str, Relate]:
    """The relation operations of a write, by field; the automatic fields have none."""
    return {
        path: op for path, op in write.items() if isinstance(op, Relate) and path not in AUTOMATIC
    }


def top_level_keys(write: Write) -> list[str]:
    """Fields a write names, as ``_updatedKeys`` lists them: paths as written, in order."""
    return [path for path in write if path not in AUTOMATIC]


def only(document: Document, fields: Iterable[str]) -> dict[str, Json]:
    """The listed fields that are there."""
    return {field: document[field] for field in fields if field in document}


def without(document: Mapping[str, Json], fields: Iterable[str]) -> dict[str, Json]:
    """A copy without the listed fields."""
    left_out = frozenset(fields)
    return {field: value for field, value in document.items() if field not in left_out}
