"""Indexes that build themselves: for equality by hash, for sorting and ranges by order.

The second query that would scan more than ``WORTH_IT`` objects for the same field builds an index;
writes keep it; one that nobody has asked for during many writes is dropped. An index only narrows
down: whoever uses it still tests every document.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lean_emulator.base.jsontext import Json
from lean_emulator.model.query import All, Compare, Order, Where
from lean_emulator.model.values import MISSING, Missing, order_key

Objects: TypeAlias = Mapping[str, dict[str, Json]]

WORTH_IT = 2_000
"""Objects in a class below which a scan is as good."""
IDLE_WRITES = 50_000
"""Writes without a question after which an index is dropped."""


class HashIndex:
    """Ids by the value of one top-level field; a list counts with each of its members."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.unused = 0
        self._buckets: dict[Any, dict[str, int]] = {}
        """Value to ids with the numbers of their creation."""

    def add(self, document: Mapping[str, Json], object_id: str, number: int) -> None:
        for key in _keys(document.get(self.path, MISSING)):
            self._buckets.setdefault(key, {})[object_id] = number

    def remove(self, document: Mapping[str, Json], object_id: str) -> None:
        for key in _keys(document.get(self.path, MISSING)):
            bucket = self._buckets.get(key)
            if bucket is not None:
                bucket.pop(object_id, None)
                if not bucket:
                    del self._buckets[key]

    def bucket(self, value: Json) -> Mapping[str, int]:
        """Ids whose field equals or contains the value, with the numbers of their creation."""
        (key,) = _keys(value)
        return self._buckets.get(key, {})


class OrderedIndex:
    """All objects of a class in the order of one field, equal ones by creation."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.unused = 0
        self._entries: list[tuple[Any, int, str]] = []
        self._lists = 0
        """Objects with a list in the field: they match by any member, so ranges narrow nothing."""

    def fill(self, objects: Objects, numbers: Mapping[str, int]) -> None:
        self._lists = sum(isinstance(d.get(self.path), list) for d in objects.values())
        self._entries = sorted(
            (order_key(document.get(self.path, MISSING)), numbers[object_id], object_id)
            for object_id, document in objects.items()
        )

    def add(self, document: Mapping[str, Json], object_id: str, number: int) -> None:
        value = document.get(self.path, MISSING)
        self._lists += isinstance(value, list)
        insort(self._entries, (order_key(value), number, object_id))

    def remove(self, document: Mapping[str, Json], object_id: str, number: int) -> None:
        value = document.get(self.path, MISSING)
        self._lists -= isinstance(value, list)
        entry = (order_key(value), number, object_id)
        place = bisect_left(self._entries, entry)
        if place < len(self._entries) and self._entries[place] == entry:
            del self._entries[place]

    def walk(self, where: Where, *, descending: bool) -> Iterator[str]:
        """Ids in order, as far as the ranges in ``where`` reach. The index may change meanwhile."""
        chosen = self._between(_range(where, self.path))
        return _downwards(chosen) if descending else (entry[2] for entry in chosen)

    def narrowed(self, where: Where) -> Mapping[str, int] | None:
        """Ids within the ranges in ``where``, with the numbers of their creation."""
        limits = _range(where, self.path)
        if limits is None:
            return None
        return {entry[2]: entry[1] for entry in self._between(limits)}

    def _between(
        self, limits: tuple[tuple[Any, ...], tuple[Any, ...]] | None
    ) -> list[tuple[Any, int, str]]:
        if limits is None or self._lists:
            return self._entries[:]
        low, high = limits
        entries = self._entries
        return entries[bisect_left(entries, (low,)) : bisect_left(entries, (high,))]


class ClassIndexes:
    """What a class has been asked for, and the indexes that came of it."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._next = 0
        self._hash: dict[str, HashIndex] = {}
        self._ordered: dict[str, OrderedIndex] = {}
        self._asked: Counter[tuple[str, str]] = Counter()

    def change(
        self,
        object_id: str,
        before: Mapping[str, Json] | None,
        after: Mapping[str, Json] | None,
    ) -> None:
        """Keep up with one write."""
        number = self._numbers.get(object_id)
        if before is None or number is None:
            number = self._numbers[object_id] = self._next
            self._next += 1
        if self._hash or self._ordered:
            self._move(object_id, number, before, after)
        if after is None:
            del self._numbers[object_id]

    def _move(
        self,
        object_id: str,
        number: int,
        before: Mapping[str, Json] | None,
        after: Mapping[str, Json] | None,
    ) -> None:
        for hashed in list(self._hash.values()):
            if before is not None:
                hashed.remove(before, object_id)
            if after is not None:
                hashed.add(after, object_id, number)
            hashed.unused += 1
            if hashed.unused > IDLE_WRITES:
                del self._hash[hashed.path]
        for ordered in list(self._ordered.values()):
            if before is not None:
                ordered.remove(before, object_id, number)
            if after is not None:
                ordered.add(after, object_id, number)
            ordered.unused += 1
            if ordered.unused > IDLE_WRITES:
                del self._ordered[ordered.path]

    def narrowed(self, objects: Objects, where: Where) -> Mapping[str, int] | None:
        """The smallest set of ids that equalities or else ranges leave, with creation numbers.

        ``None`` when nothing narrows the class down. All matches are in it, and others may be.
        """
        if len(objects) <= WORTH_IT:
            return None
        best: Mapping[str, int] | None = None
        for path, value in _equalities(where):
            index = self._hash.get(path) or self._hash_for(objects, path)
            if index is not None:
                index.unused = 0
                bucket = index.bucket(value)
                if best is None or len(bucket) < len(best):
                    best = bucket
        if best is None:
            for path in _ranged(where):
                ordered = self._ordered.get(path) or self._ordered_for(objects, path)
                if ordered is not None:
                    ordered.unused = 0
                    return ordered.narrowed(where)
        return best

    def exact(self, where: Where) -> int | None:
        """How many match a single equality that has an index; ``None`` for other conditions."""
        match where:
            case Compare(path, "eq", value) if path in self._hash and len(_keys(value)) == 1:
                return len(self._hash[path].bucket(value))
            case _:
                return None

    def ordered(self, objects: Objects, order: Order, where: Where) -> Iterator[str] | None:
        """Ids in the wanted order, from an index; ``None`` when there is none."""
        if len(objects) <= WORTH_IT or "." in order.path:
            return None
        index = self._ordered.get(order.path) or self._ordered_for(objects, order.path)
        if index is None:
            return None
        index.unused = 0
        return index.walk(where, descending=order.descending)

    def _ordered_for(self, objects: Objects, path: str) -> OrderedIndex | None:
        if not self._worth_it("ordered", path):
            return None
        index = self._ordered[path] = OrderedIndex(path)
        index.fill(objects, self._numbers)
        return index

    def _hash_for(self, objects: Objects, path: str) -> HashIndex | None:
        if not self._worth_it("hash", path):
            return None
        index = self._hash[path] = HashIndex(path)
        for object_id, document in objects.items():
            index.add(document, object_id, self._numbers[object_id])
        return index

    def _worth_it(self, kind: str, path: str) -> bool:
        """From the second question on."""
        self._asked[kind, path] += 1
        return self._asked[kind, path] > 1


class _Last:
    """Sorts after everything."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


_LAST = _Last()


def _downwards(entries: list[tuple[Any, int, str]]) -> Iterator[str]:
    """From the highest key down, equal ones still by creation."""
    stop = len(entries)
    while stop:
        key = entries[stop - 1][0]
        start = bisect_left(entries, (key,), 0, stop)
        for entry in entries[start:stop]:
            yield entry[2]
        stop = start


def _keys(value: Json | Missing) -> list[Any]:
    """What a value is filed under; nothing for null and for what is not worth it."""
    if isinstance(value, list):
        return [key for item in value if not isinstance(item, list) for key in _keys(item)]
    if isinstance(value, bool):
        return [(bool, value)]
    if isinstance(value, str | int | float):
        return [value]
    if isinstance(value, dict) and value.get("__type") == "Pointer":
        return [(value.get("className"), value.get("objectId"))]
    return []


def _parts(where: Where) -> tuple[Where, ...]:
    return where.parts if isinstance(where, All) else (where,)


def _equalities(where: Where) -> Iterator[tuple[str, Json]]:
    for part in _parts(where):
        match part:
            case Compare(path, "eq", value) if "." not in path and not isinstance(value, list):
                if _keys(value):
                    yield path, value
            case _:
                continue


def _ranged(where: Where) -> Iterator[str]:
    """Fields that comparisons bound."""
    for part in _parts(where):
        if isinstance(part, Compare) and part.op != "eq" and "." not in part.path:
            yield part.path


def _range(where: Where, path: str) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """Least key and first key beyond, as the comparisons of one field leave them."""
    low: tuple[Any, ...] | None = None
    high: tuple[Any, ...] | None = None
    for part in _parts(where):
        if not isinstance(part, Compare) or part.path != path or part.value is None:
            continue
        key = order_key(part.value)
        kind: tuple[Any, ...] = (key[0],)
        beyond: tuple[Any, ...] = (key[0] + 1,)
        if part.op in ("gt", "gte", "eq"):
            low = max(low or key, key)
            high = min(high or beyond, beyond)
        if part.op in ("lt", "lte", "eq"):
            low = max(low or kind, kind)
            high = min(high or (*key, _LAST), (*key, _LAST))
    return None if low is None or high is None else (low, high)
