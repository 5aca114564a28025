"""Writing what was decided: one step of the trace for each change, and who has to know of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.service.call import Call
from lean_emulator.storage.contract import Change, Committed, Delete, Insert, Storage, Update

Told: TypeAlias = Callable[[Sequence[Change]], None]

_WORDS: Mapping[type[Change], str] = {Insert: "insert", Update: "update", Delete: "delete"}


class Commits:
    """Commits changes to objects; ``told`` hears of all that may have happened."""

    def __init__(self, storage: Storage, log: EventLog, clock: Clock, told: Told) -> None:
        self._storage = storage
        self._log = log
        self._clock = clock
        self._told = told
        self._last_write: dict[str, int] = {}

    def last_write(self, class_name: str) -> str | None:
        """When an object of the class was last written or deleted here, ``None`` if it was not."""
        at_ms = self._last_write.get(class_name)
        return None if at_ms is None else iso_text(at_ms)

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
        finally:
            self._told(changes)
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
