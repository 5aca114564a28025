"""A storage in which work can be tried out: dry runs write into a fork, everybody else does not.

Which of the two it is follows the work and not the caller: a context variable holds the rehearsal,
and tasks inherit it. What comes back over a socket from the user's code is none of our tasks;
whoever reads such a request enters the rehearsal again (``wire.entry``).
"""

from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.errors import Hint
from lean_emulator.model.query import Query
from lean_emulator.model.schema import ClassSchema
from lean_emulator.storage.contract import Change, Committed, Storage

_Promise: TypeAlias = Coroutine[Any, Any, Any]


class Forkable(Storage, Protocol):
    """A storage that can be forked, see ``MemoryStorage.fork``."""

    def fork(self) -> Storage: ...


class Rehearsal:
    """One dry run: what it writes is seen by itself alone, and gone when it is over."""

    def __init__(self, fork: Storage) -> None:
        self._fork: Storage | None = fork
        self.commits: list[Committed] = []
        """Everything it has written, in order."""

    @property
    def storage(self) -> Storage:
        """Raises ``ApiError`` when it is over: a late write must not become a real one."""
        if self._fork is None:
            raise errors.INVALID_REQUEST(
                "This request belongs to a dry run that is over; nothing was stored.",
                hint=Hint(
                    en="The code went on by itself after its hooks had ended, or for too long.",
                    zh="代码在 hook 结束之后仍自行运行，或运行时间过长。",
                ),
            )
        return self._fork

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What is done inside, and by tasks that are started inside, belongs to it."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    async def drop(self) -> None:
        """End it, and forget what it has written. Ending it again does nothing."""
        fork, self._fork = self._fork, None
        if fork is not None:
            await fork.clear()


_current: ContextVar[Rehearsal | None] = ContextVar("rehearsal", default=None)


def current_rehearsal() -> Rehearsal | None:
    """The dry run this work belongs to; ``None`` for real work."""
    return _current.get()


class RehearsableStorage:
    """Stands before the real storage; costs a tenth of a microsecond while nobody rehearses."""

    def __init__(self, real: Forkable) -> None:
        self._real = real

    def begin(self) -> Rehearsal:
        """A rehearsal that starts with what is stored now."""
        return Rehearsal(self._real.fork())

    async def open(self) -> None:
        await self._real.open()

    async def close(self) -> None:
        await self._real.close()

    # What follows hands over the coroutine of the storage that is meant: one more of our own would
    # cost more than the rest.

    def get(self, class_name: str, object_id: str) -> _Promise:
        rehearsal = _current.get()  # as in _meant, which would be one call more
        storage = self._real if rehearsal is None else rehearsal.storage
        return storage.get(class_name, object_id)

    def find(self, query: Query) -> _Promise:
        return self._meant().find(query)

    def count(self, query: Query) -> _Promise:
        return self._meant().count(query)

    def related(self, owner_class: str, owner_id: str, key: str) -> _Promise:
        return self._meant().related(owner_class, owner_id, key)

    def owners(self, owner_class: str, key: str, member_id: str) -> _Promise:
        return self._meant().owners(owner_class, key, member_id)

    def commit(self, changes: Sequence[Change]) -> _Promise:
        rehearsal = _current.get()
        if rehearsal is None:
            return self._real.commit(changes)
        return _noted(rehearsal, changes)

    def stamp(self, class_name: str) -> object:
        return self._meant().stamp(class_name)

    def classes(self) -> Mapping[str, ClassSchema]:
        rehearsal = _current.get()  # as above: every request asks several times
        return (self._real if rehearsal is None else rehearsal.storage).classes()

    def save_class(self, schema: ClassSchema) -> _Promise:
        return self._meant().save_class(schema)

    def drop_class(self, class_name: str) -> _Promise:
        return self._meant().drop_class(class_name)

    def clear(self) -> _Promise:
        return self._meant().clear()

    def _meant(self) -> Storage:
        rehearsal = _current.get()
        return self._real if rehearsal is None else rehearsal.storage


async def _noted(rehearsal: Rehearsal, changes: Sequence[Change]) -> list[Committed]:
    committed = await rehearsal.storage.commit(changes)
    rehearsal.commits += committed
    return committed
