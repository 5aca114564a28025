"""Builds what runs by the clock: scheduled tasks, the cloud queue, later pushes; their agenda."""

from collections.abc import Callable
from datetime import tzinfo

from lean_emulator.base.clock import TurnableClock
from lean_emulator.base.ids import Ids
from lean_emulator.base.trace import EventLog
from lean_emulator.model.task import Task
from lean_emulator.service.agenda import Agenda
from lean_emulator.service.cloud_queue import Queue
from lean_emulator.service.functions import Functions
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.later_pushes import LaterPushes
from lean_emulator.service.push import Pushes
from lean_emulator.service.queue_store import StoredQueue
from lean_emulator.service.tasks import Tasks
from lean_emulator.service.timed_call import TimedCalls
from lean_emulator.storage.contract import Storage


class TimerRooms:
    """Tasks, queue and later pushes, running from ``open`` to ``close``."""

    def __init__(
        self,
        functions: Functions,
        storage: Storage,
        inbox: Inbox,
        ids: Ids,
        clock: TurnableClock,
        log: EventLog,
        pushes: Pushes,
        *,
        zone: tzinfo,
        seconds: float,
        record_seconds: float,
        store: Callable[[list[Task]], None] = lambda tasks: None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """``seconds`` is what a function may take; ``store`` keeps tasks that were changed."""
        calls = TimedCalls(functions, log, clock, seconds=seconds)
        self.tasks = Tasks(
            calls,
            inbox,
            ids,
            clock,
            zone,
            lambda: frozenset(functions.names()),
            record_seconds=record_seconds,
            changed=self._changed,
            store=store,
            say=say,
        )
        self.queue = Queue(calls, StoredQueue(storage, clock), clock, self._changed)
        self.later_pushes = LaterPushes(pushes, log, clock, self._changed)
        self.agenda = Agenda(clock, [self.tasks, self.queue, self.later_pushes])

    def _changed(self) -> None:
        self.agenda.changed()

    async def open(self, *, running: bool = True) -> None:
        """Take over what waits, and start what falls due, unless not ``running``.

        Then only what is asked for runs, and what falls due in time that is moved by hand.
        """
        await self.load()
        if running:
            self.agenda.start()

    async def load(self) -> None:
        """Take over what the storage has in place of what was known."""
        self.clear()
        await self.queue.open()
        await self.later_pushes.open()

    def clear(self) -> None:
        """Forget what waits, but for the tasks of the project."""
        self.queue.clear()
        self.later_pushes.clear()

    async def close(self) -> None:
        """Run nothing any more; what runs is ended."""
        await self.agenda.stop()
        await self.tasks.close()
        await self.queue.close()
        await self.later_pushes.close()
