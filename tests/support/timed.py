"""Timers and the queue around user code that is a ``FakeEngine``, on a clock that tests turn."""

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any

from lean_emulator.base.clock import ManualClock, TurnableClock
from lean_emulator.base.ids import Ids
from lean_emulator.base.trace import EventLog
from lean_emulator.model.task import Task, parse_task
from lean_emulator.service.agenda import Agenda
from lean_emulator.service.cloud_queue import Queue
from lean_emulator.service.engine import Credentials
from lean_emulator.service.functions import Functions
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.queue_store import StoredQueue
from lean_emulator.service.tasks import Tasks
from lean_emulator.service.timed_call import TimedCalls
from lean_emulator.storage.contract import Storage
from lean_emulator.storage.memory import MemoryStorage
from tests.support.fake_engine import FakeEngine, Handler

KEYS = Credentials("app", "app-key", "master-key", "hook-key")
DAY = 86_400_000


@dataclass
class Timed:
    """What a test needs of an emulator to let time pass; 2026-01-01 00:00 UTC when it begins."""

    engine: FakeEngine
    zone: tzinfo = UTC
    storage: Storage = field(default_factory=MemoryStorage)
    record_seconds: float = 300.0
    stored: list[list[Task]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hand = ManualClock(1_767_225_600_000)
        self.clock = TurnableClock(self.hand)
        self.log = EventLog(self.clock)
        ids = Ids(self.clock, seed=1)
        self.inbox = Inbox(self.clock, ids)
        functions = Functions(self.engine, KEYS, self.log, ids)
        calls = TimedCalls(functions, self.log, self.clock, seconds=15.0)
        self.tasks = Tasks(
            calls,
            self.inbox,
            ids,
            self.clock,
            self.zone,
            lambda: self.engine.names,
            record_seconds=self.record_seconds,
            changed=lambda: self.agenda.changed(),
            store=lambda tasks: self.stored.append(tasks),
            say=self.said.append,
        )
        self.queue = Queue(
            calls, StoredQueue(self.storage, self.clock), self.clock, lambda: self.agenda.changed()
        )
        self.agenda = Agenda(self.clock, [self.tasks, self.queue])

    def add(self, name: str, **members: Any) -> None:
        self.tasks.add(task(name, **members))

    async def advance(self, seconds: float) -> None:
        await self.agenda.advance(round(seconds * 1000))

    async def close(self) -> None:
        await self.tasks.close()
        await self.queue.close()


def task(name: str, **members: Any) -> Task:
    """A task that is on, of the function ``f`` unless it says otherwise."""
    return parse_task({"name": name, "function": "f", "enabled": True, **members}, origin="user")


def timed(zone: tzinfo = UTC, **functions: Handler) -> Timed:
    """An emulator's timers with these functions."""
    return Timed(FakeEngine(functions), zone)
