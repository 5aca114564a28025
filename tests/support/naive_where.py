"""What a where document means, said as plainly as possible: the measure for the compiled one.

Walks the JSON as a client sends it, value by value (storage.md 4.2, 4.3). It shares no code with
``lean_emulator``; operands must be canonical already (dates in UTC with milliseconds).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

ABSENT = object()
"""What stands at a path where nothing is."""


def matches(where: Any, document: Mapping[str, Any]) -> bool:
    if isinstance(where, list):
        return all(matches(part, document) for part in where)
    return all(_member(key, value, document) for key, value in where.items())


def _member(key: str, value: Any, document: Mapping[str, Any]) -> bool:
    if key == "$and":
        return all(matches(part, document) for part in value)
    if key == "$or":
        return any(matches(part, document) for part in value)
    if key == "$nor":
        return not any(matches(part, document) for part in value)
    return _field(key, value, document)


def _field(path: str, condition: Any, document: Mapping[str, Any]) -> bool:
    if isinstance(condition, dict) and any(key[:1] == "$" or key == "__eq" for key in condition):
        return all(
            _operator(path, name, argument, condition, document)
            for name, argument in condition.items()
        )
    return _any_at(path, document, lambda value: equals(value, condition))


def _operator(
    path: str, name: str, argument: Any, condition: Mapping[str, Any], document: Mapping[str, Any]
) -> bool:
    if name == "$not":
        return not _field(path, argument, document)
    if name in _OPPOSITES:
        return not _operator(path, _OPPOSITES[name], argument, condition, document)
    if name == "$exists":
        return _any_at(path, document, lambda value: value is not ABSENT) is bool(argument)
    if name == "$regex":
        flags = re.I if "i" in str(condition.get("$options", "")) else 0
        pattern = re.compile(argument, flags)
        return _any_at(path, document, lambda value: _text_in(value, pattern))
    if name == "$options":
        return True
    test = _TESTS.get(name, lambda value, wanted: _compares(value, name, wanted))
    return _any_at(path, document, lambda value: test(value, argument))


def _any_at(path: str, document: Mapping[str, Any], test: Callable[[Any], bool]) -> bool:
    return any(test(value) for value in _values_at(document, path.split(".")))


def _values_at(holder: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield holder
    elif isinstance(holder, dict):
        yield from _values_at(holder.get(path[0], ABSENT), path[1:])
    elif isinstance(holder, list) and any(isinstance(item, dict) for item in holder):
        for item in holder:
            if isinstance(item, dict):
                yield from _values_at(item, path)
    else:
        yield ABSENT


def equals(value: Any, wanted: Any) -> bool:
    """Equal, or a list with an equal member; null is equal to nothing being there."""
    if value is ABSENT:
        return wanted is None
    return identical(value, wanted) or (
        isinstance(value, list) and any(identical(member, wanted) for member in value)
    )


def identical(left: Any, right: Any) -> bool:
    """Deep equality in which true is not 1 and 1 is 1.0."""
    if isinstance(left, dict) and isinstance(right, dict):
        return set(left) == set(right) and all(identical(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            identical(a, b) for a, b in zip(left, right, strict=True)
        )
    return _family(left) == _family(right) and bool(left == right)


def _family(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _one_of(value: Any, wanted: list[Any]) -> bool:
    return any(equals(value, item) for item in wanted)


def _has_size(value: Any, wanted: int) -> bool:
    return isinstance(value, list) and len(value) == wanted


def _has_all(value: Any, wanted: list[Any]) -> bool:
    if value is ABSENT:
        return False
    members = value if isinstance(value, list) else [value]
    return bool(wanted) and all(
        any(identical(member, item) for member in members) for item in wanted
    )


def _text_in(value: Any, pattern: "re.Pattern[str]") -> bool:
    texts = value if isinstance(value, list) else [value]
    return any(isinstance(text, str) and pattern.search(text) is not None for text in texts)


def _compares(value: Any, name: str, wanted: Any) -> bool:
    if wanted is None:
        return name in ("$lte", "$gte") and equals(value, None)
    return any(
        _in_order(item, name, wanted) for item in (value if isinstance(value, list) else [value])
    )


def _in_order(item: Any, name: str, wanted: Any) -> bool:
    left, right = _comparable(item), _comparable(wanted)
    if left is None or right is None or left[0] != right[0]:
        return False
    a, b = left[1], right[1]
    return bool({"$lt": a < b, "$lte": a <= b, "$gt": a > b, "$gte": a >= b}[name])


def _comparable(value: Any) -> tuple[str, Any] | None:
    """The family of a value and what it is measured by; ``None`` for what has no order here."""
    if isinstance(value, dict):
        kind = value.get("__type")
        member = {"Date": "iso", "Bytes": "base64"}.get(str(kind))
        return None if member is None else (str(kind), value[member])
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int | float):
        return "number", value
    return ("text", value) if isinstance(value, str) else None


_OPPOSITES = {"$ne": "$eq", "$nin": "$in"}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": equals,
    "__eq": equals,
    "$in": _one_of,
    "$size": _has_size,
    "$all": _has_all,
}
_RANKS = ["null", "number", "text", "object", "list", "bytes", "boolean", "date"]


def rank(value: Any) -> int:
    """Where the family of a value stands among mixed values (storage.md 4.1)."""
    if value is None or value is ABSENT:
        return _RANKS.index("null")
    if isinstance(value, list):
        return _RANKS.index("list")
    measured = _comparable(value)
    if measured is None:
        return _RANKS.index("object")
    return _RANKS.index({"Date": "date", "Bytes": "bytes"}.get(measured[0], measured[0]))


def compare(left: Any, right: Any) -> int:
    """Negative, zero or positive as ``left`` sorts before, beside or after ``right``."""
    if rank(left) != rank(right):
        return rank(left) - rank(right)
    if left is None or left is ABSENT:
        return 0
    if isinstance(left, list):
        return _compare_lists(left, right)
    a, b = _comparable(left), _comparable(right)
    if a is None or b is None:
        return _compare_lists(
            [part for item in left.items() for part in item],
            [part for item in right.items() for part in item],
        )
    return int(a[1] > b[1]) - int(a[1] < b[1])


def _compare_lists(left: list[Any], right: list[Any]) -> int:
    for a, b in zip(left, right, strict=False):
        if order := compare(a, b):
            return order
    return len(left) - len(right)
