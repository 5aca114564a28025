"""Writing what was decided: one step of the trace for each change."""

from collections.abc import Mapping, Sequence

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.service.call import Call
from lean_emulator.storage.contract import Change, Committed, Delete, Insert, Storage, Update

_WORDS: Mapping[type[Change], str] = {Insert: "insert", Update: "update", Delete: "delete"}


class Commits:
    """Commits changes to objects, and remembers when each class was last written."""

    def __init__(self, storage: Storage, log: EventLog, clock: Clock) -> None:
        self._storage = storage
        self._log = log
        self._clock = clock
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
        for span, committed in zip(spans, done, strict=True):
            if call.rehearsal is None:
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
