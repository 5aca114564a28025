"""Create, read, update, delete: each a straight line from check to answer.

Sources: storage.md 3 for the answers, engine.md 4 for the order of hooks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.model.access import PUBLIC_ACL, Principal, check_acl, may
from lean_emulator.model.document import (
    apply_write,
    check_field_names,
    only,
    relations_of,
    top_level_keys,
)
from lean_emulator.model.hooknames import HookKind
from lean_emulator.model.operations import Operation, Relate, parse_operation
from lean_emulator.model.predicate import compile_where
from lean_emulator.model.query import Keys, Query, Where
from lean_emulator.model.schema import ClassSchema, admit_write, new_class
from lean_emulator.model.values import Missing, check_class_name
from lean_emulator.service.call import Call
from lean_emulator.service.find import Finder
from lean_emulator.service.hook_event import HookEvent
from lean_emulator.service.hooks import Hooks
from lean_emulator.service.visibility import shown, visible
from lean_emulator.storage.contract import (
    Change,
    Committed,
    Delete,
    Insert,
    Storage,
    Update,
    absent,
)

Fields: TypeAlias = dict[str, Json]
Write: TypeAlias = Mapping[str, Operation]


_WORDS: Mapping[type[Change], str] = {Insert: "insert", Update: "update", Delete: "delete"}


@dataclass(frozen=True, slots=True)
class Wish:
    """How a reader wants objects: some keys, with included objects, with their ACL."""

    keys: Keys = field(default_factory=Keys)
    include: tuple[str, ...] = ()
    acl: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What a query found; ``count`` is ``None`` unless it was asked for."""

    results: list[Fields]
    count: int | None = None


class Objects:
    """Objects of any class, with permissions and hooks."""

    def __init__(
        self,
        storage: Storage,
        hooks: Hooks,
        log: EventLog,
        ids: Ids,
        clock: Clock,
        *,
        unknown_class_is_empty: bool = False,
    ) -> None:
        self._storage = storage
        self._hooks = hooks
        self._log = log
        self._ids = ids
        self._clock = clock
        self._unknown_class_is_empty = unknown_class_is_empty
        self._finder = Finder(storage)
        self._last_write: dict[str, int] = {}

    async def create(
        self, call: Call, class_name: str, write: Write, *, fetch: bool = False
    ) -> Fields:
        """Store a new object; answers its id and time, or all of it with ``fetch``."""
        insert = await self.before_create(call, class_name, write, self._ids.object_id())
        (committed,) = await self.commit(call, [insert])
        return await self.after_create(call, committed, fetch=fetch)

    async def before_create(
        self, call: Call, class_name: str, write: Write, object_id: str
    ) -> Insert:
        """Everything up to the commit: checks, beforeSave, defaults, what is required."""
        check_class_name(class_name)
        check_field_names(write, dotted=False)
        write = self._without_numbered(call, class_name, write)
        draft = apply_write({}, write)
        _check_acl_of(draft)
        admit_write(self._schema(class_name), write)

        replaced = await self._hooks.before(
            call, HookEvent(HookKind.BEFORE_SAVE, class_name, draft)
        )

        call.deadline.check()
        if replaced is not draft:
            check_field_names(replaced, dotted=False)
            _check_acl_of(replaced)
        document, added = _without_relations(replaced)
        stored = self._completed(call, class_name, document, object_id)
        return Insert(class_name, stored, {**relations_of(write), **added})

    async def after_create(self, call: Call, committed: Committed, *, fetch: bool) -> Fields:
        """What follows the commit: afterSave, and the answer."""
        class_name, stored = committed.change.class_name, committed.after
        assert stored is not None
        await self._hooks.after(call, HookEvent(HookKind.AFTER_SAVE, class_name, stored))
        if fetch:
            return self.seen(call.principal, class_name, stored)
        return only(stored, ("objectId", "createdAt"))

    async def get(self, call: Call, class_name: str, object_id: str, wish: Wish) -> Fields | None:
        """One object as the principal may see it; ``None`` when there is none.

        Raises code 101 (404) for an unknown class, 403 when the ACL forbids.
        """
        if not self._known(class_name):
            raise errors.CLASS_NOT_FOUND()
        document = await self._storage.get(class_name, object_id)
        if document is None:
            return None
        if not may(call.principal, "read", document.get("ACL")):
            raise errors.FORBIDDEN(
                f"Forbidden reading by object's ACL., the object id is {object_id}."
            )
        (answer,) = await self._answers(call.principal, class_name, [document], wish, token=True)
        return answer

    async def find(self, call: Call, query: Query, wish: Wish, *, count: bool = False) -> Page:
        """The objects a query finds among those the principal may read."""
        if not self._known(query.class_name):
            raise errors.CLASS_NOT_FOUND()
        rows = await self._finder.find(call.principal, query)
        results = await self._answers(call.principal, query.class_name, rows, wish)
        return Page(results, await self._finder.count(call.principal, query) if count else None)

    async def stored(self, class_name: str, object_id: str) -> Fields | None:
        """An object as it is stored, whoever asks; ``None`` when there is none."""
        return await self._storage.get(class_name, object_id)

    def last_write(self, class_name: str) -> str | None:
        """When an object of the class was last written or deleted here, ``None`` if it was not."""
        at_ms = self._last_write.get(class_name)
        return None if at_ms is None else iso_text(at_ms)

    def relation_target(self, class_name: str, key: str) -> str | None:
        """The class whose objects a relation column holds; ``None`` when it is no relation."""
        column = self._schema(class_name).columns.get(key)
        return column.class_name if column is not None and column.type == "Relation" else None

    def seen(
        self, principal: Principal, class_name: str, document: Fields, *, acl: bool = False
    ) -> Fields:
        """A stored document as the principal may see it."""
        return visible(principal, self._schema(class_name), document, acl=acl)

    async def _answers(
        self,
        principal: Principal,
        class_name: str,
        rows: Sequence[Fields],
        wish: Wish,
        *,
        token: bool = False,
    ) -> list[Fields]:
        """Rows as they leave: visible fields, included objects, then the selection of keys."""
        schema = self._schema(class_name)
        seen = [visible(principal, schema, row, acl=wish.acl, token=token) for row in rows]
        if wish.include:
            seen = await self._finder.include(
                principal,
                seen,
                wish.include,
                lambda name, document: self.seen(principal, name, document),
            )
        keys = wish.keys
        return seen if keys == Keys() else [shown(fields, keys) for fields in seen]

    async def update(
        self,
        call: Call,
        class_name: str,
        object_id: str,
        write: Write,
        *,
        guard: Where | None = None,
        fetch: bool = False,
    ) -> Fields:
        """Change an object; answers id and time, and the named fields with ``fetch``."""
        update = await self.before_update(call, class_name, object_id, write, guard)
        (committed,) = await self.commit(call, [update])
        return await self.after_update(call, committed, fetch=fetch)

    async def before_update(
        self, call: Call, class_name: str, object_id: str, write: Write, guard: Where | None
    ) -> Update:
        """Everything up to the commit: checks and beforeUpdate, which can only refuse."""
        check_class_name(class_name)
        check_field_names(write, dotted=True)
        if guard is not None:
            guard = await self._finder.resolved(call.principal, class_name, guard)
        current = await self._writable(call, class_name, object_id, guard)
        if current is None:
            raise absent(class_name, object_id)
        self._refuse_locked(call, class_name, write)
        admit_write(self._schema(class_name), write)

        intended = apply_write(current, write)
        if "ACL" in intended and any(path.partition(".")[0] == "ACL" for path in write):
            check_acl(intended["ACL"])
        keys = top_level_keys(write)
        await self._hooks.before(
            call, HookEvent(HookKind.BEFORE_UPDATE, class_name, intended, keys)
        )

        call.deadline.check()
        return Update(class_name, object_id, write, iso_text(self._clock.now_ms()), guard)

    async def after_update(self, call: Call, committed: Committed, *, fetch: bool) -> Fields:
        """What follows the commit: afterUpdate, and the answer."""
        change, stored = committed.change, committed.after
        assert isinstance(change, Update)
        assert stored is not None
        keys = top_level_keys(change.write)
        await self._hooks.after(
            call, HookEvent(HookKind.AFTER_UPDATE, change.class_name, stored, keys)
        )
        answer = only(stored, ("objectId", "updatedAt"))
        if fetch:
            named = {path.partition(".")[0] for path in keys}
            named.update(name for name, _ in self._schema(change.class_name).relations)
            answer |= only(self.seen(call.principal, change.class_name, stored), sorted(named))
        return answer

    async def delete(
        self, call: Call, class_name: str, object_id: str, *, guard: Where | None = None
    ) -> None:
        """Remove an object; one that is not there is no error unless ``guard`` wants it."""
        check_class_name(class_name)
        if guard is not None:
            guard = await self._finder.resolved(call.principal, class_name, guard)
        current = await self._writable(call, class_name, object_id, guard)
        if current is None:
            return

        await self._hooks.before(call, HookEvent(HookKind.BEFORE_DELETE, class_name, current))

        call.deadline.check()
        (committed,) = await self.commit(call, [Delete(class_name, object_id, guard)])
        if committed.before is not None:
            await self._hooks.after(
                call, HookEvent(HookKind.AFTER_DELETE, class_name, committed.before)
            )

    async def _writable(
        self, call: Call, class_name: str, object_id: str, guard: Where | None
    ) -> Fields | None:
        """The object as it is; raises 403 when its ACL forbids, 305 when the guard fails."""
        current = await self._storage.get(class_name, object_id)
        if current is not None and not may(call.principal, "write", current.get("ACL")):
            raise errors.FORBIDDEN(
                f"Forbidden writing by object's ACL., the object id is {object_id}."
            )
        if guard is not None and (current is None or not compile_where(guard)(current)):
            raise errors.NO_EFFECT()
        return current

    async def commit(self, call: Call, changes: Sequence[Change]) -> list[Committed]:
        """All changes or none, each a step of the trace."""
        spans = [self._begin(call, change) for change in changes]
        try:
            done = await self._storage.commit(changes)
        except errors.ApiError as e:
            for span in spans:
                span.detail["error"] = {"code": e.code, "message": e.message}
                self._log.end(span, "failed", e.status)
            raise
        for span, committed in zip(spans, done, strict=True):
            self._last_write[committed.change.class_name] = self._clock.now_ms()
            if committed.before is not None:
                span.detail["before"] = committed.before
            if committed.after is not None:
                span.detail["after"] = committed.after
            self._log.end(span)
        return done

    def _begin(self, call: Call, change: Change) -> Span:
        word = _WORDS[type(change)]
        return self._log.begin(
            "storage",
            f"{word} {change.class_name}",
            call.span,
            op=word,
            class_name=change.class_name,
            object_id=change.object_id,
        )

    def _without_numbered(self, call: Call, class_name: str, write: Write) -> Write:
        """A create's write without what a client says of columns that the server numbers."""
        rules = self._schema(class_name).rules
        if rules is None or not rules.numbered or _sets_all_columns(call.principal):
            return write
        return {name: op for name, op in write.items() if name not in rules.numbered}

    def _refuse_locked(self, call: Call, class_name: str, write: Write) -> None:
        """Raise code 117 where a client changes what is not its to change."""
        rules = self._schema(class_name).rules
        if rules is not None and not _sets_all_columns(call.principal):
            rules.check_update(write)

    def _completed(self, call: Call, class_name: str, draft: Fields, object_id: str) -> Fields:
        """A new document as it will be stored, defaults filled in, nothing required missing.

        It comes after the hook, which may be what fills a column (project-files.md 3).
        """
        rules = self._schema(class_name).rules
        default_acl: Json = PUBLIC_ACL
        if rules is not None:
            draft = rules.completed(draft)
            if not call.principal.is_master:
                rules.check_required(draft)
            if not isinstance(rules.default_acl, Missing):
                default_acl = rules.default_acl
        now = iso_text(self._clock.now_ms())
        return {
            **draft,
            "ACL": default_acl if draft.get("ACL") is None else draft["ACL"],
            "objectId": object_id,
            "createdAt": now,
            "updatedAt": now,
        }

    def _schema(self, class_name: str) -> ClassSchema:
        return self._storage.classes().get(class_name) or new_class(class_name)

    def _known(self, class_name: str) -> bool:
        check_class_name(class_name)
        return (
            self._unknown_class_is_empty
            or class_name.startswith("_")
            or class_name in self._storage.classes()
        )


def _without_relations(document: Fields) -> tuple[Fields, dict[str, Relate]]:
    """A hook's document, and the relation operations it brought with it."""
    if not any(isinstance(value, dict) and "__op" in value for value in document.values()):
        return document, {}
    operations = {
        name: parse_operation(name, value)
        for name, value in document.items()
        if isinstance(value, dict) and "__op" in value
    }
    related = {name: op for name, op in operations.items() if isinstance(op, Relate)}
    return {name: value for name, value in document.items() if name not in related}, related


def _sets_all_columns(principal: Principal) -> bool:
    """Whether columns that are closed to clients are open to the principal."""
    return principal.is_master or principal.from_engine


def _check_acl_of(draft: Fields) -> None:
    if draft.get("ACL") is not None:
        check_acl(draft["ACL"])
