"""Dry runs: real work with the user's real code, whose writes are shown and then dropped."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.base.trace_view import changes, walk
from lean_emulator.model.document import relations_of
from lean_emulator.model.operations import Relate
from lean_emulator.storage.contract import Committed, Delete, Insert
from lean_emulator.storage.rehearsable import RehearsableStorage, Rehearsal

T = TypeVar("T")

DRY_RUN = "dry run"
"""The note of a trace whose writes were dropped."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What became of one object in the end; ``relations`` are changes of members, by column."""

    class_name: str
    object_id: str
    before: dict[str, Json] | None
    after: dict[str, Json] | None
    relations: list[tuple[str, Relate]] = field(default_factory=list)

    @property
    def change(self) -> Literal["created", "updated", "deleted"]:
        if self.before is None:
            return "created"
        return "deleted" if self.after is None else "updated"

    def to_json(self, mask: Mask) -> dict[str, Json]:
        """With the difference key by key, secrets masked."""
        before, after = mask.json(self.before), mask.json(self.after)
        return {
            "className": self.class_name,
            "objectId": self.object_id,
            "change": self.change,
            "before": before,
            "after": after,
            "changes": changes(before, after),
            "relations": [
                {"key": key, "added": [*relate.added], "removed": [*relate.removed]}
                for key, relate in self.relations
            ],
        }


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a dry run would have written; ``unfinished`` are steps that it did not wait for."""

    effects: list[Effect]
    unfinished: list[str]

    def to_json(self, mask: Mask) -> dict[str, Json]:
        return {
            "writes": [effect.to_json(mask) for effect in self.effects],
            "unfinished": [mask.text(title) for title in self.unfinished],
        }


class Rehearsals:
    """Begins dry runs, waits for their after hooks (``seconds`` at most), and drops them.

    Objects and classes are dropped, and the inbox keeps no message. Contents of files, codes and
    locks of accounts, and what the code does elsewhere are as real as ever.
    """

    def __init__(self, storage: RehearsableStorage, log: EventLog, *, seconds: float) -> None:
        self._storage = storage
        self._log = log
        self.seconds = seconds

    async def run(
        self, work: Callable[[], Awaitable[T]], trace_of: Callable[[T], str]
    ) -> tuple[T, Rehearsed]:
        """Do the work and tell what it would have written; ``trace_of`` names its trace."""
        rehearsal = self._storage.begin()
        try:
            with rehearsal.entered():
                done = await work()
            return done, await self._seen_through(trace_of(done), rehearsal)
        finally:
            await rehearsal.drop()

    async def _seen_through(self, trace: str, rehearsal: Rehearsal) -> Rehearsed:
        root, running = self._log.trace(trace), list[str]()
        if root is not None:
            root.detail["note"] = DRY_RUN
            running = await until_quiet(self._log, root, self.seconds)
        return Rehearsed(effects(rehearsal.commits), running)


async def until_quiet(log: EventLog, root: Span, seconds: float) -> list[str]:
    """Wait until no step of a trace runs, after hooks among them, at most so long.

    Answers the titles of those that still do.
    """
    changed = log.watch()
    try:
        async with asyncio.timeout(None if seconds == math.inf else seconds):
            while await _is_busy(root):
                await anext(changed)
    except TimeoutError:
        return [span.title for span in _running(root)]
    finally:
        await changed.aclose()  # type: ignore[attr-defined]  # watch() is a generator
    return []


async def _is_busy(root: Span) -> bool:
    """Whether a step runs, or one that has been started is about to."""
    for _ in range(2):
        await asyncio.sleep(0)
    return any(True for _ in _running(root))


def _running(root: Span) -> Iterator[Span]:
    return (span for span in walk(root) if span.ended is None)


def effects(commits: Iterable[Committed]) -> list[Effect]:
    """What commits came to, object by object in the order of their first change.

    An object that was created and deleted again is not among them.
    """
    found: dict[tuple[str, str], Effect] = {}
    for done in commits:
        change = done.change
        if done.before is None and done.after is None:
            continue
        key = (change.class_name, change.object_id)
        earlier = found.get(key)
        found[key] = Effect(
            *key,
            before=done.before if earlier is None else earlier.before,
            after=done.after,
            relations=[*([] if earlier is None else earlier.relations), *_relations(done)],
        )
    return [e for e in found.values() if e.before is not None or e.after is not None]


def _relations(done: Committed) -> list[tuple[str, Relate]]:
    change = done.change
    if isinstance(change, Delete):
        return []
    related: Mapping[str, Relate] = (
        change.relations if isinstance(change, Insert) else relations_of(change.write)
    )
    return [*related.items()]
