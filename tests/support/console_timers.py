"""Tasks and a queue behind a console in tests, over code that answers as the sample does."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from lean_emulator.base.clock import ManualClock, TurnableClock
from lean_emulator.base.ids import Ids
from lean_emulator.base.trace import EventLog
from lean_emulator.console.contract import Timers
from lean_emulator.model.queued import read_queued
from lean_emulator.model.task import parse_task
from lean_emulator.service.agenda import Agenda
from lean_emulator.service.cloud_queue import Queue
from lean_emulator.service.engine import Credentials
from lean_emulator.service.functions import Functions
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.queue_store import StoredQueue
from lean_emulator.service.tasks import Tasks
from lean_emulator.service.timed_call import TimedCalls
from lean_emulator.storage.memory import MemoryStorage
from tests.support.fake_engine import FakeEngine, refuse

KEYS = Credentials("app", "app-key", "master-key", "hook-key")


def sample_timers(hand: ManualClock, clock: TurnableClock, log: EventLog, inbox: Inbox) -> Timers:
    """Nothing planned yet; ``averageStars`` and ``greet`` answer after 3 ms, ``monthlyReport``
    refuses.
    """

    def answer(result: object) -> Any:
        def run(body: dict[str, Any]) -> Any:
            hand.advance(0.003)
            return {"result": result}

        return run

    engine = FakeEngine(
        {
            "averageStars": answer(4.333),
            "greet": answer("Hello, world!"),
            "monthlyReport": lambda body: refuse("mail address missing"),
        }
    )
    ids = Ids(clock, seed=1)
    calls = TimedCalls(Functions(engine, KEYS, log, ids), log, clock, seconds=15.0)
    tasks = Tasks(calls, inbox, ids, clock, UTC, lambda: engine.names)
    queue = Queue(calls, StoredQueue(MemoryStorage(), clock), clock)
    return Timers(tasks, queue, Agenda(clock, [tasks, queue]), clock, UTC)


def plan(timers: Timers) -> None:
    """Four tasks: by cron and by interval, of the file, off, and without a function."""
    for members in (
        {"name": "Monday greeting", "function": "greet", "cron": "0 0 8 ? * MON"},
        {
            "name": "Report",
            "function": "monthlyReport",
            "cron": "0 0 3 L * ?",
            "zone": "Asia/Shanghai",
        },
        {"name": "Stars", "function": "averageStars", "every": 3600, "params": {"movie": "Alien"}},
        {
            "name": "Clean drafts",
            "function": "cleanDrafts",
            "cron": "0 30 2 ? * 6#3",
            "enabled": False,
        },
    ):
        add_task(timers, members)


def add_task(timers: Timers, members: Mapping[str, Any]) -> None:
    """A task that is on unless it says otherwise; ``Report`` is one of the file."""
    raw = {"enabled": True, **members}
    of_file = members["name"] == "Report"
    timers.tasks.add(parse_task(raw, origin="file" if of_file else "user"))


async def enqueue(timers: Timers, **options: Any) -> None:
    now = timers.clock.now_ms()
    await timers.queue.put(read_queued({"function": "greet", **options}, f"q-{now:032x}", now))
