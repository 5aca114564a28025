"""Indexes that build themselves: for equality by hash, for sorting and ranges by order.

The second query that would scan more than ``WORTH_IT`` objects for the same field builds an index;
writes keep it; one that nobody has asked for during many writes is dropped. An index only narrows
down: whoever uses it still tests every document.
"""

import asyncio
import heapq
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from lean_emulator.base.jsontext import Json
from lean_emulator.model.predicate import reach
from lean_emulator.model.query import All, Compare, Order, Where
from lean_emulator.model.values import MISSING, Missing, order_key
from lean_emulator.storage.groups import Groups

Objects: TypeAlias = Mapping[str, dict[str, Json]]

_Entry: TypeAlias = tuple[Any, int, str]
"""Sort key, number of creation, id."""
_Wish: TypeAlias = tuple[str, str]
"""Kind of index and field."""
_Move: TypeAlias = tuple[str, int, Mapping[str, Json] | None, Mapping[str, Json] | None]
"""Id, number of creation, document before and after a write."""

SLICE = 5_000
"""Objects an index takes in before it lets others run."""
WORTH_IT = 2_000
"""Objects in a class below which a scan is as good."""
IDLE_WRITES = 50_000
"""Writes without a question after which an index is dropped."""


class HashIndex:
    """Ids by the value of one field, inside of Objects too; a list counts with each member."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._inner = path.split(".") if "." in path else None
        self.unused = 0
        self._buckets: Groups[Any, int] = Groups()
        """Value to ids with the numbers of their creation."""

    def add(self, document: Mapping[str, Json], object_id: str, number: int) -> None:
        for key in self._keys_in(document):
            self._buckets.put(key, object_id, number)

    def remove(self, document: Mapping[str, Json], object_id: str) -> None:
        for key in self._keys_in(document):
            self._buckets.drop(key, object_id)

    async def fill(self, rows: Sequence[tuple[str, Mapping[str, Json], int]]) -> None:
        """Take all objects in, letting others run between slices."""
        for done, (object_id, document, number) in enumerate(rows, 1):
            self.add(document, object_id, number)
            if done % SLICE == 0:
                await asyncio.sleep(0)

    def bucket(self, value: Json) -> Mapping[str, int]:
        """Ids whose field equals or contains the value, with the numbers of their creation."""
        (key,) = _keys(value)
        return self._buckets.of(key)

    def _keys_in(self, document: Mapping[str, Json]) -> list[Any]:
        if self._inner is None:
            return _keys(document.get(self.path, MISSING))
        return [key for value in reach(dict(document), self._inner) for key in _keys(value)]

    def copy(self) -> "HashIndex":
        """The same index, to be changed apart. Costs the number of values."""
        other = HashIndex(self.path)
        other.unused = self.unused
        other._buckets = self._buckets.copy()
        return other


class OrderedIndex:
    """All objects of a class in the order of one field, equal ones by creation."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.unused = 0
        self._entries: list[_Entry] = []
        self._lists = 0
        """Objects with a list in the field: they match by any member, so ranges narrow nothing."""

    async def fill(self, rows: Sequence[tuple[str, Mapping[str, Json], int]]) -> None:
        """Take all objects in, letting others run between slices; sorting never holds them up."""
        runs: list[list[_Entry]] = []
        for start in range(0, len(rows), SLICE):
            run = []
            for object_id, document, number in rows[start : start + SLICE]:
                value = document.get(self.path, MISSING)
                self._lists += isinstance(value, list)
                run.append((order_key(value), number, object_id))
            run.sort()
            runs.append(run)
            await asyncio.sleep(0)
        merged: list[_Entry] = []
        for entry in heapq.merge(*runs):
            merged.append(entry)
            if len(merged) % SLICE == 0:
                await asyncio.sleep(0)
        self._entries = merged

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
        start, stop = self._limits(where)
        chosen = self._entries[start:stop]
        return _downwards(chosen) if descending else (entry[2] for entry in chosen)

    def narrowed(self, where: Where) -> Mapping[str, int] | None:
        """Ids within the ranges in ``where``, with the numbers of their creation.

        ``None`` when they leave more than a tenth: then looking at all is as good.
        """
        start, stop = self._limits(where)
        if (stop - start) * 10 > len(self._entries):
            return None
        return {entry[2]: entry[1] for entry in self._entries[start:stop]}

    def copy(self) -> "OrderedIndex":
        """The same index, to be changed apart. Costs the number of objects."""
        other = OrderedIndex(self.path)
        other.unused, other._lists = self.unused, self._lists
        other._entries = list(self._entries)
        return other

    def _limits(self, where: Where) -> tuple[int, int]:
        limits = None if self._lists else _range(where, self.path)
        if limits is None:
            return 0, len(self._entries)
        low, high = limits
        return bisect_left(self._entries, (low,)), bisect_left(self._entries, (high,))


class ClassIndexes:
    """What a class has been asked for, and the indexes that came of it."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._next = 0
        self._hash: dict[str, HashIndex] = {}
        self._ordered: dict[str, OrderedIndex] = {}
        self._asked: Counter[_Wish] = Counter()
        self._missed: dict[_Wish, list[_Move]] = {}
        """Writes that came while an index was being built."""

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
        move = (object_id, number, before, after)
        for hashed in list(self._hash.values()):
            _move_hashed(hashed, move)
            hashed.unused += 1
            if hashed.unused > IDLE_WRITES:
                del self._hash[hashed.path]
        for ordered in list(self._ordered.values()):
            _move_ordered(ordered, move)
            ordered.unused += 1
            if ordered.unused > IDLE_WRITES:
                del self._ordered[ordered.path]
        for missed in self._missed.values():
            missed.append(move)
        if after is None:
            del self._numbers[object_id]

    async def prepare(self, objects: Objects, where: Where, order: Sequence[Order]) -> None:
        """Build what this query asks for the second time; others run meanwhile."""
        if len(objects) <= WORTH_IT:
            return
        for wish in _wishes(where, order):
            kind, path = wish
            built = self._hash if kind == "hash" else self._ordered
            if path in built or wish in self._missed:
                continue
            self._asked[wish] += 1
            if self._asked[wish] > 1:
                await self._build(wish, objects)

    def narrowed(self, objects: Objects, where: Where) -> Mapping[str, int] | None:
        """The smallest set of ids that equalities or else ranges leave, with creation numbers.

        ``None`` when nothing narrows the class down. All matches are in it, and others may be.
        """
        if len(objects) <= WORTH_IT:
            return None
        best: Mapping[str, int] | None = None
        for path, value in _equalities(where):
            index = self._hash.get(path)
            if index is not None:
                index.unused = 0
                bucket = index.bucket(value)
                if best is None or len(bucket) < len(best):
                    best = bucket
        if best is not None:
            return best
        for path in _ranged(where):
            ordered = self._ordered.get(path)
            if ordered is not None:
                ordered.unused = 0
                found = ordered.narrowed(where)
                if found is not None:
                    return found
        return None

    def exact(self, where: Where) -> int | None:
        """How many match a single equality that has an index; ``None`` for other conditions."""
        match where:
            case Compare(path, "eq", value) if path in self._hash and _is_one_key(value):
                return len(self._hash[path].bucket(value))
            case _:
                return None

    def ordered(self, order: Order, where: Where) -> Iterator[str] | None:
        """Ids in the wanted order, from an index; ``None`` when there is none."""
        index = self._ordered.get(order.path)
        if index is None:
            return None
        index.unused = 0
        return index.walk(where, descending=order.descending)

    def copy(self) -> "ClassIndexes":
        """The same indexes, to be changed apart; one that is being built is not among them.

        Costs the number of objects, once and for each index.
        """
        other = ClassIndexes()
        other._numbers, other._next = dict(self._numbers), self._next
        other._hash = {path: index.copy() for path, index in self._hash.items()}
        other._ordered = {path: index.copy() for path, index in self._ordered.items()}
        other._asked = Counter(self._asked)
        return other

    async def _build(self, wish: _Wish, objects: Objects) -> None:
        kind, path = wish
        rows = [(i, document, self._numbers[i]) for i, document in objects.items()]
        missed = self._missed[wish] = []
        try:
            if kind == "hash":
                hashed = HashIndex(path)
                await hashed.fill(rows)
                for move in missed:
                    _move_hashed(hashed, move)
                self._hash[path] = hashed
            else:
                ordered = OrderedIndex(path)
                await ordered.fill(rows)
                for move in missed:
                    _move_ordered(ordered, move)
                self._ordered[path] = ordered
        finally:
            del self._missed[wish]


def _move_hashed(index: HashIndex, move: _Move) -> None:
    object_id, number, before, after = move
    if before is not None:
        index.remove(before, object_id)
    if after is not None:
        index.add(after, object_id, number)


def _move_ordered(index: OrderedIndex, move: _Move) -> None:
    object_id, number, before, after = move
    if before is not None:
        index.remove(before, object_id, number)
    if after is not None:
        index.add(after, object_id, number)


def _wishes(where: Where, order: Sequence[Order]) -> Iterator[_Wish]:
    """The indexes that would help a query."""
    yield from (("hash", path) for path, _ in _equalities(where))
    yield from (("ordered", path) for path in _ranged(where))
    if len(order) == 1 and "." not in order[0].path:
        yield ("ordered", order[0].path)


class _Last:
    """Sorts after everything."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


_LAST = _Last()


def _downwards(entries: list[_Entry]) -> Iterator[str]:
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


def _is_one_key(value: Json) -> bool:
    """Whether equal values, and no others, are filed under it; lists match by what is in them."""
    return not isinstance(value, list) and len(_keys(value)) == 1


def _parts(where: Where) -> tuple[Where, ...]:
    return where.parts if isinstance(where, All) else (where,)


def _equalities(where: Where) -> Iterator[tuple[str, Json]]:
    for part in _parts(where):
        match part:
            case Compare(path, "eq", value) if not isinstance(value, list):
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
