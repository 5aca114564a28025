"""Create, read, update, delete: each a straight line from check to answer.

Sources: storage.md 3 for the answers, engine.md 4 for the order of hooks.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import field
from typing import Literal, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.record import record
from lean_emulator.base.trace import EventLog
from lean_emulator.model.access import Action, Principal, may
from lean_emulator.model.behaviour import USUAL, Behaviour
from lean_emulator.model.document import (
    apply_write,
    check_field_names,
    chosen_id,
    only,
    refuse_automatic,
    relations_of,
    top_level_keys,
)
from lean_emulator.model.file_record import CLASS as FILE_CLASS
from lean_emulator.model.hooknames import HookKind
from lean_emulator.model.operations import Relate
from lean_emulator.model.predicate import compile_where
from lean_emulator.model.query import Keys, Query, Where
from lean_emulator.model.schema import ClassSchema, admit_write, new_class
from lean_emulator.model.values import MISSING, Missing, check_class_name
from lean_emulator.service.call import Call
from lean_emulator.service.commits import Commits
from lean_emulator.service.drafts import (
    Write,
    check_changed,
    check_new,
    check_replaced,
    completed,
    refuse_locked,
    without_numbered,
)
from lean_emulator.service.file_columns import FileColumns
from lean_emulator.service.find import Finder
from lean_emulator.service.hook_event import HookEvent
from lean_emulator.service.hooks import Hooks
from lean_emulator.service.permissions import Permissions
from lean_emulator.service.roles import Roles
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


@record
class Wish:
    """How a reader wants objects: some keys, with included objects, with their ACL."""

    keys: Keys = field(default_factory=Keys)
    include: tuple[str, ...] = ()
    acl: bool = False


@record
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
        files: FileColumns,
        behaviour: Behaviour = USUAL,
    ) -> None:
        self._storage = storage
        self._hooks = hooks
        self._ids = ids
        self._clock = clock
        self._files = files
        self._behaviour = behaviour
        self._unusual = behaviour != USUAL
        self._contacts = not behaviour.private_contacts
        self._permissions = Permissions(Roles(storage))
        self._finder = Finder(storage, self._permissions, behaviour)
        self._commits = Commits(storage, log, clock)

    async def create(
        self, call: Call, class_name: str, write: Write, *, fetch: bool = False
    ) -> Fields:
        """Store a new object; answers its id and time, or all of it with ``fetch``."""
        object_id = self._ids.object_id()
        if self._behaviour.own_object_ids and call.principal.is_master:
            object_id = chosen_id(write) or object_id
        insert = await self.before_create(call, class_name, write, object_id)
        (committed,) = await self.commit(call, [insert])
        return await self.after_create(call, committed, fetch=fetch)

    async def before_create(
        self, call: Call, class_name: str, write: Write, object_id: str
    ) -> Insert:
        """Everything up to the commit: checks, beforeSave, defaults, what is required.

        Columns that the hook adds are the project's and want no permission.
        """
        check_class_name(class_name)
        check_field_names(write, dotted=False)
        schema, principal = self._schema(class_name), call.principal
        if self._unusual:
            self._refuse_unusual(call, class_name, write)
        ruling = may(principal, "create", schema)
        if not ruling:
            await self._permissions.refuse(call, ruling)
        write = without_numbered(principal, schema, write)
        draft = apply_write({}, write)
        check_new(class_name, draft)
        if admit_write(schema, write) is not schema:
            await self._permissions.check(call, "add_fields", schema)

        replaced = await self._hooks.before(
            call, HookEvent(HookKind.BEFORE_SAVE, class_name, draft)
        )

        call.deadline.check()
        added: dict[str, Relate] = {}
        if replaced is not draft:
            replaced, added = check_replaced(class_name, replaced)
        now = iso_text(self._clock.now_ms())
        stored = completed(principal, self._schema(class_name), replaced, object_id, now)
        return Insert(class_name, stored, {**relations_of(write), **added})

    async def after_create(self, call: Call, committed: Committed, *, fetch: bool) -> Fields:
        """What follows the commit: afterSave, and the answer."""
        class_name, stored = committed.change.class_name, committed.after
        assert stored is not None
        await self._hooks.after(call, HookEvent(HookKind.AFTER_SAVE, class_name, stored))
        if fetch:
            return await self.shown(call.principal, class_name, stored)
        return only(stored, ("objectId", "createdAt"))

    async def get(self, call: Call, class_name: str, object_id: str, wish: Wish) -> Fields | None:
        """One object as the principal may see it; ``None`` when there is none.

        Raises code 101 (404) for an unknown class, 403 when the ACL forbids.
        """
        if not self._known(class_name):
            raise errors.CLASS_NOT_FOUND()
        document = await self._storage.get(class_name, object_id)
        acl = None if document is None else document.get("ACL")
        ruling = may(call.principal, "get", self._schema(class_name), object_id, acl)
        if not ruling:
            await self._permissions.refuse(call, ruling)
        if document is None:
            return None
        (answer,) = await self._answers(call, class_name, [document], wish, token=True)
        return answer

    async def find(self, call: Call, query: Query, wish: Wish, *, count: bool = False) -> Page:
        """The objects a query finds among those the principal may read."""
        if not self._known(query.class_name):
            raise errors.CLASS_NOT_FOUND()
        rows = await self._finder.find(call, query)
        results = await self._answers(call, query.class_name, rows, wish)
        return Page(results, await self._finder.count(call, query) if count else None)

    async def check(
        self,
        call: Call,
        action: Action,
        class_name: str,
        object_id: str,
        acl: Json | Missing = MISSING,
    ) -> None:
        """Raise what a write that is no plain update or delete of the object is refused with.

        That is 403 by the class or an ACL that is given, and 206 for somebody else's account.
        """
        await self._permissions.check(call, action, self._schema(class_name), object_id, acl)

    async def stored(self, class_name: str, object_id: str) -> Fields | None:
        """An object as it is stored, whoever asks; ``None`` when there is none."""
        return await self._storage.get(class_name, object_id)

    def last_write(self, class_name: str) -> str | None:
        """When an object of the class was last written or deleted here, ``None`` if it was not."""
        return self._commits.last_write(class_name)

    def relation_target(self, class_name: str, key: str) -> str | None:
        """The class whose objects a relation column holds; ``None`` when it is no relation."""
        column = self._schema(class_name).columns.get(key)
        return column.class_name if column is not None and column.type == "Relation" else None

    def seen(
        self, principal: Principal, class_name: str, document: Fields, *, acl: bool = False
    ) -> Fields:
        """A stored document as the principal may see it; its files are bare references."""
        schema = self._schema(class_name)
        return visible(principal, schema, document, acl=acl, contacts=self._contacts)

    async def shown(self, principal: Principal, class_name: str, document: Fields) -> Fields:
        """A stored document as the principal may see it, with its files."""
        seen = self.seen(principal, class_name, document)
        return await self.with_files(principal, class_name, seen)

    async def with_files(self, principal: Principal, class_name: str, seen: Fields) -> Fields:
        """What a principal sees of a document, with its files in place of references to them."""
        (answer,) = await self._with_files(principal, self._schema(class_name), [seen])
        return answer

    async def _with_files(
        self, principal: Principal, schema: ClassSchema, rows: list[Fields]
    ) -> list[Fields]:
        async def allowed(files: ClassSchema, row: Fields) -> object:
            object_id, acl = str(row["objectId"]), row.get("ACL")
            return await self._permissions.sees(principal, files, object_id, acl)

        return await self._files.shown(principal, schema.name, rows, allowed)

    async def _answers(
        self,
        call: Call,
        class_name: str,
        rows: Sequence[Fields],
        wish: Wish,
        *,
        token: bool = False,
    ) -> list[Fields]:
        """Rows as they leave: visible fields, included objects, then the selection of keys."""
        schema, principal = self._schema(class_name), call.principal
        more, acl = self._contacts, wish.acl
        seen = [visible(principal, schema, r, acl=acl, token=token, contacts=more) for r in rows]
        if schema.file_holders or class_name == FILE_CLASS:
            seen = await self._with_files(principal, schema, seen)
        if wish.include:
            seen = await self._finder.include(
                call,
                seen,
                wish.include,
                lambda name, document: self.shown(principal, name, document),
            )
        keys = wish.keys
        return [shown(fields, keys) for fields in seen] if keys.shown or keys.hidden else seen

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
        if self._behaviour.refuse_automatic:
            refuse_automatic(write)
        if guard is not None:
            guard = await self._finder.resolved(call, class_name, guard, object_id)
        current = await self._writable(call, "update", class_name, object_id, guard)
        if current is None:
            raise absent(class_name, object_id)
        schema = self._schema(class_name)
        refuse_locked(call.principal, schema, write)
        if admit_write(schema, write) is not schema:
            await self._permissions.check(call, "add_fields", schema)

        intended = apply_write(current, write)
        check_changed(class_name, current, intended, write)
        keys = top_level_keys(write)
        await self._hooks.before(
            call, HookEvent(HookKind.BEFORE_UPDATE, class_name, intended, keys)
        )
        await self._still_writable(call, "update", class_name, object_id, current)

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
            seen = await self.shown(call.principal, change.class_name, stored)
            answer |= only(seen, sorted(named))
        return answer

    async def delete(
        self, call: Call, class_name: str, object_id: str, *, guard: Where | None = None
    ) -> None:
        """Remove an object; one that is not there is no error unless ``guard`` wants it."""
        check_class_name(class_name)
        if guard is not None:
            guard = await self._finder.resolved(call, class_name, guard, object_id)
        current = await self._writable(call, "delete", class_name, object_id, guard)
        if current is None:
            if self._behaviour.absent_delete_fails:
                raise absent(class_name, object_id)
            return

        await self._hooks.before(call, HookEvent(HookKind.BEFORE_DELETE, class_name, current))
        await self._still_writable(call, "delete", class_name, object_id, current)

        call.deadline.check()
        (committed,) = await self.commit(call, [Delete(class_name, object_id, guard)])
        if committed.before is not None:
            await self._hooks.after(
                call, HookEvent(HookKind.AFTER_DELETE, class_name, committed.before)
            )

    async def _writable(
        self,
        call: Call,
        action: Literal["update", "delete"],
        class_name: str,
        object_id: str,
        guard: Where | None,
    ) -> Fields | None:
        """The object as it is; raises 403 or 206 when it is not to be written, 305 by the guard."""
        current = await self._storage.get(class_name, object_id)
        acl = None if current is None else current.get("ACL")
        ruling = may(call.principal, action, self._schema(class_name), object_id, acl)
        if not ruling:
            await self._permissions.refuse(call, ruling)
        if guard is not None and (current is None or not compile_where(guard)(current)):
            raise errors.NO_EFFECT()
        return current

    async def _still_writable(
        self,
        call: Call,
        action: Literal["update", "delete"],
        class_name: str,
        object_id: str,
        known: Fields,
    ) -> None:
        """Ask the ACL once more of an object that was changed while its hook ran."""
        if await self._storage.get(class_name, object_id) is not known:
            await self._writable(call, action, class_name, object_id, None)

    def commit(self, call: Call, changes: Sequence[Change]) -> Awaitable[list[Committed]]:
        """All changes or none, each a step of the trace."""
        return self._commits.commit(call, changes)

    def _schema(self, class_name: str) -> ClassSchema:
        return self._storage.classes().get(class_name) or new_class(class_name)

    def _refuse_unusual(self, call: Call, class_name: str, write: Write) -> None:
        """Refuse creates that the usual behaviour allows."""
        behaviour, principal = self._behaviour, call.principal
        if behaviour.refuse_automatic:
            refuse_automatic(write, {"objectId"} if behaviour.own_object_ids else ())
        is_client = not (principal.is_master or principal.from_engine)
        if is_client and not behaviour.clients_make_classes and not self._exists(class_name):
            raise errors.NOT_FOR_CLIENTS(
                f"Clients may not create classes, and there is no class '{class_name}'."
            )

    def _exists(self, class_name: str) -> bool:
        return class_name.startswith("_") or class_name in self._storage.classes()

    def _known(self, class_name: str) -> bool:
        check_class_name(class_name)
        return self._behaviour.unknown_class_is_empty or self._exists(class_name)
