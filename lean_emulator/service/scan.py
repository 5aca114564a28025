"""Walking through a whole class page by page (storage.md 3.9)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.model.query import AnyOf, Compare, CompareOp, Not, Order, Query, Where, both
from lean_emulator.service.call import Call
from lean_emulator.service.objects import Fields, Objects, Wish
from lean_emulator.service.visibility import shown

LIFETIME = 600.0
"""Seconds a cursor lives after it was last used."""

MAX_CURSORS = 1_000


@dataclass(frozen=True, slots=True)
class _Cursor:
    class_name: str
    key: str
    last: tuple[Json, str] | None
    """Scan key and id of the last object given out."""
    until: float


class Scans:
    """Open cursors; each remembers where its walk stands."""

    def __init__(self, objects: Objects, ids: Ids, clock: Clock) -> None:
        self._objects = objects
        self._ids = ids
        self._clock = clock
        self._cursors: dict[str, _Cursor] = {}

    async def page(
        self, call: Call, query: Query, key: str, cursor: str | None, wish: Wish
    ) -> tuple[list[Fields], str | None]:
        """The next objects, and the cursor for those after them; ``None`` when nothing is left.

        A walk goes by ``key`` (``-key`` downwards) and by id among equals, so nothing is left out
        and nothing comes twice. Raises code 1 without the master key, for a dead cursor, and for a
        key that is a path or a list.
        """
        if not call.principal.is_master:
            raise errors.MASTER_ONLY()
        name, state = self._state(query.class_name, key, cursor)
        down = state.key.startswith("-")
        path = state.key.lstrip("+-")
        where = query.where if state.last is None else both(query.where, _beyond(path, state, down))
        order = (Order(path, down), Order("objectId", down))
        whole = Wish(acl=wish.acl)
        found = await self._objects.find(
            call, replace(query, where=where, order=order, skip=0), whole
        )
        rows = found.results
        if not rows:
            self._cursors.pop(name, None)
            return [], None
        last_id = str(rows[-1]["objectId"])
        # The walk goes by what is stored; answers also show stubs and defaults.
        value = (await self._objects.stored(query.class_name, last_id) or rows[-1]).get(path)
        if "." in path or isinstance(value, list):
            raise errors.INVALID_REQUEST(
                f"A scan_key is a column of single values, which '{path}' is not."
            )
        until = self._clock.now_ms() / 1000 + LIFETIME
        self._cursors[name] = replace(state, last=(value, last_id), until=until)
        return [shown(row, wish.keys) for row in rows], name

    def _state(self, class_name: str, key: str, cursor: str | None) -> tuple[str, _Cursor]:
        now = self._clock.now_ms() / 1000
        for name in [name for name, state in self._cursors.items() if state.until < now]:
            del self._cursors[name]
        if cursor is not None:
            state = self._cursors.get(cursor)
            if state is None or state.class_name != class_name:
                raise errors.INVALID_REQUEST(f"The cursor '{cursor}' does not exist or is too old.")
            return cursor, state
        if len(self._cursors) >= MAX_CURSORS:
            self._cursors.pop(next(iter(self._cursors)))
        return self._ids.lower(16), _Cursor(class_name, key, None, now + LIFETIME)


def _beyond(path: str, state: _Cursor, down: bool) -> Where:
    """What comes after the last object, in a class where many may have equal keys."""
    assert state.last is not None
    value, object_id = state.last
    word: CompareOp = "lt" if down else "gt"
    if path == "objectId":
        return Compare(path, word, object_id)
    further: Where = Compare(path, word, value)
    nothing = Compare(path, "eq", None)  # null and missing sort before everything else
    if value is None and not down:
        further = Not(nothing)
    elif value is not None and down:
        further = AnyOf((further, nothing))
    among_equals = both(Compare(path, "eq", value), Compare("objectId", word, object_id))
    return AnyOf((further, among_equals))


def scan_key(params: Mapping[str, Json]) -> str:
    """The field to walk by; ``objectId`` unless the client names another."""
    return str(params.get("scan_key") or "objectId")
