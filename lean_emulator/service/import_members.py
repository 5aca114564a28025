"""Members of relations from files, also of owners that come later (project-files.md 4)."""

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.import_source import Join
from lean_emulator.model.operations import Relate
from lean_emulator.model.query import Query
from lean_emulator.model.schema import OURS, admit_write, new_class
from lean_emulator.model.values import check_object_id
from lean_emulator.storage.contract import Delete, Insert, Storage, Update

WAITING = f"{OURS}Member"
"""The class of members whose owner is not there yet."""


class Counted(Protocol):
    """Where it is told what became of rows."""

    inserted: int
    waiting: int
    skipped: list[int]
    errors: list[tuple[int, ApiError]]


@dataclass(frozen=True, slots=True)
class Waited:
    """Members that have waited for an owner, and what makes them wait no more."""

    relations: dict[str, Relate]
    forget: list[Delete]


class Members:
    """Adds members to relations; those that are members already are skipped."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._stamp: object = None
        self._owners: dict[tuple[str, str], list[dict[str, Json]]] = {}

    async def add(self, join: Join, start: int, rows: Sequence[Json], tally: Counted) -> None:
        """Rows are numbered from ``start``. The owner's time of change stays what it was."""
        by_owner: dict[str, dict[str, int]] = {}
        for number, row in enumerate(rows, start):
            try:
                owner, member = _pair(row)
            except ApiError as e:
                tally.errors.append((number, e))
                continue
            members = by_owner.setdefault(owner, {})
            if member in members:
                tally.skipped.append(number)
            else:
                members[member] = number
        for owner, numbers in by_owner.items():
            await self._add_to(join, owner, numbers, tally)

    async def waiting_for(self, class_name: str, object_id: str) -> Waited | None:
        """What belongs to a new object; ``None`` as nearly always."""
        if WAITING not in self._storage.classes():
            return None
        stamp = self._storage.stamp(WAITING)
        if stamp is not self._stamp:
            self._stamp, self._owners = stamp, {}
            for row in await self._storage.find(Query(WAITING, limit=sys.maxsize)):
                place = (str(row["ownerClass"]), str(row["owner"]))
                self._owners.setdefault(place, []).append(row)
        rows = self._owners.get((class_name, object_id))
        if not rows:
            return None
        relations: dict[str, Relate] = {}
        for row in rows:
            key, member_class = str(row["key"]), str(row["memberClass"])
            before = relations.get(key, Relate(member_class))
            relations[key] = Relate(member_class, (*before.added, str(row["member"])))
        return Waited(relations, [Delete(WAITING, str(row["objectId"])) for row in rows])

    async def _add_to(
        self, join: Join, owner: str, numbers: Mapping[str, int], tally: Counted
    ) -> None:
        document = await self._storage.get(join.owner_class, owner)
        if document is None:
            await self._park(join, owner, numbers, tally)
            return
        known = set(await self._storage.related(join.owner_class, owner, join.key))
        tally.skipped += [number for member, number in numbers.items() if member in known]
        new = [member for member in numbers if member not in known]
        if not new:
            return
        relate = Relate(join.member_class, tuple(new))
        update = Update(join.owner_class, owner, {join.key: relate}, str(document["updatedAt"]))
        try:
            await self._storage.commit([update])
        except ApiError as e:
            if e.code == errors.DATABASE_ERROR.code:
                raise
            tally.errors += [(numbers[member], e) for member in new]
            return
        tally.inserted += len(new)

    async def _park(
        self, join: Join, owner: str, numbers: Mapping[str, int], tally: Counted
    ) -> None:
        try:
            await self._learn(join)
        except ApiError as e:
            tally.errors += [(number, e) for number in numbers.values()]
            return
        now = iso_text(self._clock.now_ms())
        for member, number in numbers.items():
            place: dict[str, Json] = {
                "ownerClass": join.owner_class,
                "owner": owner,
                "key": join.key,
                "memberClass": join.member_class,
                "member": member,
            }
            object_id = _digest([str(value) for value in place.values()])
            if await self._storage.get(WAITING, object_id) is not None:
                tally.skipped.append(number)
                continue
            times: dict[str, Json] = {"createdAt": now, "updatedAt": now}
            await self._storage.commit([Insert(WAITING, {**place, "objectId": object_id, **times})])
            tally.waiting += 1

    async def _learn(self, join: Join) -> None:
        """Give the owners' class the column. Raises code 111 where it is another one."""
        known = self._storage.classes().get(join.owner_class) or new_class(join.owner_class)
        grown = admit_write(known, {join.key: Relate(join.member_class)})
        if grown is not known:
            await self._storage.save_class(grown)


def waiting(rows: Sequence[Mapping[str, Json]], join: Join) -> Iterator[tuple[str, str]]:
    """Owner and member of those that wait for owners in a relation."""
    wanted = (join.owner_class, join.key, join.member_class)
    for row in rows:
        if (row["ownerClass"], row["key"], row["memberClass"]) == wanted:
            yield str(row["owner"]), str(row["member"])


def _pair(row: Json) -> tuple[str, str]:
    if not isinstance(row, dict):
        raise errors.INVALID_RELATION("A row must be an object with owningId and relatedId.")
    owner, member = row.get("owningId"), row.get("relatedId")
    if not (isinstance(owner, str) and isinstance(member, str)):
        raise errors.INVALID_RELATION(
            f"A row wants owningId and relatedId, got {owner!r} and {member!r}."
        )
    check_object_id(owner)
    check_object_id(member)
    return owner, member


def _digest(words: Sequence[str]) -> str:
    """An id that is the same for the same words, so that nobody waits twice."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:24]
