"""Objects, members of relations and schemas that come from files (storage.md 10.4).

No hook runs unless it is asked for. Rows go in by slices that are small enough for requests to be
answered in between; one that is refused is told of by its number and keeps no other out.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError, StartError
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.model.access import MASTER
from lean_emulator.model.document import AUTOMATIC, only
from lean_emulator.model.hooknames import HookKind
from lean_emulator.model.import_document import Imported, id_in, imported, plain_password
from lean_emulator.model.import_source import is_join, join_of
from lean_emulator.model.operations import Operation, Relate, Set, Unset
from lean_emulator.model.schema_file import schema_of
from lean_emulator.model.values import check_class_name
from lean_emulator.service import fate_texts, fates
from lean_emulator.service.call import Call, Wish
from lean_emulator.service.hook_event import HookEvent
from lean_emulator.service.import_members import Members
from lean_emulator.service.objects import Objects
from lean_emulator.service.passwords import Passwords
from lean_emulator.service.schemas import Schemas
from lean_emulator.storage.contract import Change, Delete, Insert, Storage, Update

SLICE = 50
"""Rows that are stored before others may run."""
_TOKEN_LENGTH = 25
_WISH = Wish(source="import")
_DISK_FULL = errors.DATABASE_ERROR.code


@dataclass(frozen=True, slots=True)
class Options:
    """``replace`` overwrites objects that exist; ``hooks`` has the code's hooks run."""

    replace: bool = False
    hooks: bool = False


@dataclass(slots=True)
class Tally:
    """What became of rows; ``skipped`` and the errors name them by number, from 0."""

    inserted: int = 0
    replaced: int = 0
    skipped: list[int] = field(default_factory=list)
    waiting: int = 0
    """Members of relations whose owner is not there yet; they join it when it comes."""
    errors: list[tuple[int, ApiError]] = field(default_factory=list)

    def to_json(self) -> dict[str, Json]:
        return {
            "inserted": self.inserted,
            "replaced": self.replaced,
            "skipped": [*self.skipped],
            "waiting": self.waiting,
            "errors": [
                {"row": number, "code": e.code, "error": e.message} for number, e in self.errors
            ],
        }


@dataclass(frozen=True, slots=True)
class _Work:
    """What a row comes to: changes that are committed together."""

    number: int
    changes: list[Change]
    replaces: bool


class Importing:
    """Stores what files hold; ``names`` are the functions and hooks that the code has now."""

    def __init__(
        self,
        storage: Storage,
        objects: Objects,
        ids: Ids,
        clock: Clock,
        log: EventLog,
        names: Callable[[], frozenset[str]],
    ) -> None:
        self._storage = storage
        self._objects = objects
        self._schemas = Schemas(storage)
        self._passwords = Passwords(ids)
        self._members = Members(storage, clock)
        self._ids = ids
        self._clock = clock
        self._log = log
        self._names = names

    async def schema(self, class_name: str, content: Json) -> None:
        """Make a class what its schema file says. Raises ``ApiError``, with nothing changed."""
        try:
            wanted = schema_of(content, class_name, f"{class_name}.schema.json")
        except StartError as e:
            raise errors.INVALID_REQUEST(e.message) from e
        await self._schemas.declare(wanted)

    async def rows(self, class_name: str, rows: Sequence[Json], options: Options) -> Tally:
        """Store objects, or members of the relation that ``class_name`` is that of.

        Raises ``ApiError`` for a class that cannot be, and where nothing can be written.
        """
        tally = Tally()
        if is_join(class_name):
            join = join_of(class_name, dict(self._storage.classes()))
            for start in range(0, len(rows), SLICE):
                await asyncio.sleep(0)
                await self._members.add(join, start, rows[start : start + SLICE], tally)
            return tally
        check_class_name(class_name)
        if options.hooks:
            await self._hooked(class_name, rows, options, tally)
            return tally
        for start in range(0, len(rows), SLICE):
            await asyncio.sleep(0)
            await self._slice(class_name, start, rows[start : start + SLICE], options, tally)
        return tally

    def begin_trace(self, title: str, class_name: str, first: Json) -> Span:
        """The step that a file's rows belong to; it says that no hook ran, and why."""
        span = self._log.begin("storage", title, class_name=class_name, op="import")
        if isinstance(first, dict) and not is_join(class_name):
            event, names = HookEvent(HookKind.BEFORE_SAVE, class_name, first), self._names()
            fates.note(span, event, names, _WISH, None)
            for kind in (HookKind.BEFORE_SAVE, HookKind.AFTER_SAVE):
                self._skip(span, replace(event, kind=kind), names)
        return span

    def _skip(self, span: Span, event: HookEvent, names: frozenset[str]) -> None:
        if event.name not in names:
            return
        said = fate_texts.ignored(event.kind, _WISH, span, None)
        self._log.skip(
            "hook",
            event.title,
            span,
            hook=event.kind.word,
            class_name=event.class_name,
            object_id=event.document.get("objectId"),
            why={"reason": "ignored", "en": said.en, "zh": said.zh},
        )

    def end_trace(self, span: Span, note: str, *, failed: bool) -> None:
        span.detail["note"] = note
        self._log.end(span, "failed" if failed else "ok")

    async def _slice(
        self, class_name: str, start: int, rows: Sequence[Json], options: Options, tally: Tally
    ) -> None:
        works: list[_Work] = []
        taken: set[str] = set()
        for number, row in enumerate(rows, start):
            try:
                object_id = id_in(row)
                if object_id in taken:  # what comes later in a file sees what came before
                    await self._commit(works, tally)
                    works, taken = [], set()
                work = await self._work(class_name, number, row, object_id, options)
            except ApiError as e:
                tally.errors.append((number, e))
                continue
            if work is None:
                tally.skipped.append(number)
                continue
            works.append(work)
            taken.add(work.changes[-1].object_id)
        await self._commit(works, tally)

    async def _work(
        self, class_name: str, number: int, row: Json, object_id: str | None, options: Options
    ) -> _Work | None:
        """What a row asks for; ``None`` where its object exists and is to stay."""
        before = None if object_id is None else await self._storage.get(class_name, object_id)
        if before is not None and not options.replace:
            return None
        assert isinstance(row, dict)
        new_id = object_id or self._ids.object_id()
        found = imported(row, new_id, iso_text(self._clock.now_ms()))
        if class_name == "_User":
            await self._complete_user(found.document, before)
        if before is None:
            return _Work(number, await self._insert(class_name, found), replaces=False)
        return _Work(number, await self._replace(class_name, before, found), replaces=True)

    async def _insert(self, class_name: str, found: Imported) -> list[Change]:
        """A new object, with the members that have waited for it."""
        waited = await self._members.waiting_for(class_name, str(found.document["objectId"]))
        if waited is None:
            return [Insert(class_name, found.document, found.relations)]
        relations = {**found.relations, **waited.relations}
        return [*waited.forget, Insert(class_name, found.document, relations)]

    async def _replace(
        self, class_name: str, before: dict[str, Json], found: Imported
    ) -> list[Change]:
        """The object as the row has it; members of its relations stay."""
        after, object_id = found.document, str(before["objectId"])
        if before["createdAt"] != after["createdAt"]:
            # an update cannot change that, so it is a new object with the old one's members
            kept = dict(found.relations)
            for key, column in self._storage.classes()[class_name].relations:
                members = await self._storage.related(class_name, object_id, key)
                kept[key] = Relate(column.class_name, tuple(members))
            return [Delete(class_name, object_id), Insert(class_name, after, kept)]
        write: dict[str, Operation] = {**found.relations}
        write |= {n: Set(v) for n, v in after.items() if n not in AUTOMATIC}
        write |= {n: Unset() for n in before.keys() - after.keys()}
        return [Update(class_name, object_id, write, str(after["updatedAt"]))]

    async def _complete_user(
        self, document: dict[str, Json], before: dict[str, Json] | None
    ) -> None:
        """What log-ins need: a hash for a password that is a plain text, and a session token.

        A row without a password, as answers have them, leaves the user the one there is.
        """
        if before is not None and "password" not in document:
            document |= only(before, ("password", "salt"))
        password = plain_password(document)
        if password is not None:
            operations = await self._passwords.write(password)
            document |= {n: op.value for n, op in operations.items() if isinstance(op, Set)}
        if not document.get("sessionToken"):
            kept = None if before is None else before.get("sessionToken")
            document["sessionToken"] = kept or self._ids.lower(_TOKEN_LENGTH)

    async def _commit(self, works: Sequence[_Work], tally: Tally) -> None:
        """All at once; where one of them is refused, each alone."""
        if not works:
            return
        try:
            await self._storage.commit([change for work in works for change in work.changes])
        except ApiError as e:
            if e.code == _DISK_FULL:
                raise
            if len(works) > 1:
                for work in works:
                    await self._commit([work], tally)
            else:
                tally.errors.append((works[0].number, e))
            return
        for work in works:
            if work.replaces:
                tally.replaced += 1
            else:
                tally.inserted += 1

    async def _hooked(
        self, class_name: str, rows: Sequence[Json], options: Options, tally: Tally
    ) -> None:
        for number, row in enumerate(rows):
            span = self._log.begin("storage", f"import {class_name}", class_name=class_name)
            try:
                await self._hooked_row(class_name, number, row, options, tally, span)
            except ApiError as e:
                tally.errors.append((number, e))
                span.detail["error"] = {"code": e.code, "message": e.message}
                self._log.end(span, "rejected", e.status)
                if e.code == _DISK_FULL:
                    raise
            else:
                self._log.end(span)

    async def _hooked_row(
        self,
        class_name: str,
        number: int,
        row: Json,
        options: Options,
        tally: Tally,
        span: Span,
    ) -> None:
        """As the master key would write it, but for its id and its times."""
        work = await self._work(class_name, number, row, id_in(row), options)
        if work is None:
            tally.skipped.append(number)
            return
        call = Call(MASTER, Deadline.never(self._clock), span)
        change = work.changes[-1]
        if work.replaces:
            await self._update(call, change)
            tally.replaced += 1
            return
        assert isinstance(change, Insert)
        write: dict[str, Operation] = {
            n: Set(v) for n, v in change.document.items() if n not in AUTOMATIC
        }
        insert = await self._objects.before_create(call, class_name, write, change.object_id)
        times = {n: change.document[n] for n in ("createdAt", "updatedAt")}
        insert = replace(
            insert,
            document={**insert.document, **times},
            relations={**change.relations, **insert.relations},
        )
        *_, committed = await self._objects.commit(call, [*work.changes[:-1], insert])
        await self._objects.after_create(call, committed, fetch=False)
        tally.inserted += 1

    async def _update(self, call: Call, change: Change) -> None:
        if isinstance(change, Insert):  # its createdAt differs, and stays as it is stored
            fields = change.document.items()
            write: dict[str, Operation] = {n: Set(v) for n, v in fields if n not in AUTOMATIC}
        else:
            assert isinstance(change, Update)
            write = {n: op for n, op in change.write.items() if not isinstance(op, Relate)}
        await self._objects.update(call, change.class_name, change.object_id, write)
