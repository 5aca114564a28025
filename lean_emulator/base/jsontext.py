"""Strict JSON in, compact JSON out, the same with every library behind it."""

import json
import math
from typing import TypeAlias

import orjson

from lean_emulator.base import errors

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

MAX_DEPTH = 100


def loads(raw: bytes | str, what: str = "body") -> Json:
    """Parse UTF-8 JSON.

    Raises code 107 for malformed text (``what`` names it), and for nesting over ``MAX_DEPTH``.
    NaN, infinities and lone surrogates are malformed; of duplicate keys the last wins.
    """
    try:
        value: Json = orjson.loads(raw)
    except orjson.JSONDecodeError as e:
        raise errors.INVALID_JSON(
            f"Malformed JSON in {what}: {e.msg}, line {e.lineno} column {e.colno}."
        ) from e
    if _brackets(raw) > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise errors.INVALID_JSON(f"The JSON in {what} is nested deeper than {MAX_DEPTH} levels.")
    return value


def dumps(value: object) -> bytes:
    """Compact UTF-8; numbers beyond 64 bits and lone surrogates fall back to the slow writer.

    JSON has no NaN and no infinity: both writers say ``null``.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(_finite(value), separators=(",", ":"), default=_refuse).encode()


def pretty(value: object) -> str:
    """For people: two spaces, key order kept, nothing escaped that need not be."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=_refuse)


def _finite(value: object) -> object:
    """A copy in which numbers that JSON cannot say are ``None``."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is not JSON")


def _brackets(raw: bytes | str) -> int:
    if isinstance(raw, str):
        return raw.count("[") + raw.count("{")
    return raw.count(b"[") + raw.count(b"{")


def _depth(value: Json) -> int:
    deepest = 0
    pending: list[tuple[Json, int]] = [(value, 1)]
    while pending:
        item, level = pending.pop()
        if isinstance(item, dict):
            pending.extend((child, level + 1) for child in item.values())
        elif isinstance(item, list):
            pending.extend((child, level + 1) for child in item)
        else:
            continue
        deepest = max(deepest, level)
    return deepest
