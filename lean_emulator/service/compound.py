"""Saving a graph of objects in one request, all of them or none (storage.md 3.8)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from lean_emulator.base.ids import Ids
from lean_emulator.model.operations import Operation, Set, merged
from lean_emulator.model.query import Where
from lean_emulator.model.values import pointer
from lean_emulator.service.call import Call
from lean_emulator.service.objects import Fields, Objects
from lean_emulator.storage.contract import Change, Committed, Insert, Update

Write: TypeAlias = Mapping[str, Operation]
Commit: TypeAlias = Callable[[Call, Sequence[Change]], Awaitable[list[Committed]]]


@dataclass(frozen=True, slots=True)
class Child:
    """A field that points at another object of the same request, or at a stored one."""

    field: str
    class_name: str
    internal_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One object to save; ``object_id`` is ``None`` for one that is new."""

    call: Call
    class_name: str
    internal_id: str
    object_id: str | None
    write: Write
    children: tuple[Child, ...] = ()
    guard: Where | None = None
    fetch: bool = False
    added: Write = field(default_factory=dict)
    """What the server itself changes with an update; no hook is told of it."""
    follow: Callable[[Call, Committed], Fields] | None = None
    """What else follows the commit; the fields it gives join the answer."""


class Compound:
    """Saves entries that know each other by internal ids."""

    def __init__(self, objects: Objects, ids: Ids) -> None:
        self._objects = objects
        self._ids = ids

    async def save(
        self, call: Call, entries: Sequence[Entry], commit: Commit | None = None
    ) -> dict[str, Fields]:
        """Save all in one commit; answers by internal id, merged where an id comes twice.

        New objects get their ids first, so entries may come in any order and point in circles.
        Before hooks run in order; the first refusal refuses everything. ``commit`` stands in for
        that of objects where something has to hold until it is done.
        """
        born = {
            entry.internal_id: self._ids.object_id() for entry in entries if entry.object_id is None
        }
        whole = _one_entry_each([_with_children(entry, born) for entry in entries], born)
        changes: list[Insert | Update] = []
        for entry in whole:
            if entry.object_id is None:
                object_id = born[entry.internal_id]
                changes.append(
                    await self._objects.before_create(
                        entry.call, entry.class_name, entry.write, object_id
                    )
                )
            else:
                update = await self._objects.before_update(
                    entry.call, entry.class_name, entry.object_id, entry.write, entry.guard
                )
                changes.append(update)
        answers: dict[str, Fields] = {}
        done = await (commit or self._objects.commit)(
            call, [_with_added(*pair) for pair in zip(whole, changes, strict=True)]
        )
        for entry, change, committed in zip(whole, changes, done, strict=True):
            told = replace(committed, change=change)
            follow = (
                self._objects.after_create
                if isinstance(change, Insert)
                else self._objects.after_update
            )
            answer = await follow(entry.call, told, fetch=entry.fetch)
            if entry.follow is not None:
                answer = {**answer, **entry.follow(entry.call, committed)}
            answers[entry.internal_id] = {**answers.get(entry.internal_id, {}), **answer}
        return answers


def _with_added(entry: Entry, change: Insert | Update) -> Insert | Update:
    if not entry.added or isinstance(change, Insert):
        return change
    return replace(change, write={**change.write, **entry.added})


def _with_children(entry: Entry, born: Mapping[str, str]) -> Entry:
    """The entry with its children as pointers."""
    pointers: dict[str, Operation] = {
        child.field: Set(pointer(child.class_name, born.get(child.internal_id, child.internal_id)))
        for child in entry.children
    }
    return replace(entry, write={**entry.write, **pointers}) if pointers else entry


def _one_entry_each(entries: Sequence[Entry], born: Mapping[str, str]) -> list[Entry]:
    """Later entries of a new object become part of its creation; others stay as they are."""
    result: list[Entry] = []
    places: dict[str, int] = {}
    for entry in entries:
        place = places.get(entry.internal_id)
        if entry.internal_id not in born or place is None:
            places[entry.internal_id] = len(result)
            new = entry.internal_id in born
            result.append(replace(entry, object_id=None) if new else entry)
        else:
            first = result[place]
            fetch = first.fetch or entry.fetch
            result[place] = replace(first, write=_joined(first.write, entry.write), fetch=fetch)
    return result


def _joined(first: Write, second: Write) -> Write:
    joined = dict(first)
    for name, operation in second.items():
        earlier = joined.get(name)
        joined[name] = operation if earlier is None else merged(name, earlier, operation)
    return joined
