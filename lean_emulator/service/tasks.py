"""Scheduled tasks: run on time, kept from overlapping, switched off when they keep failing.

Source: engine.md 7.1 and 7.4.
"""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from lean_emulator.base import errors
from lean_emulator.base.clock import TurnableClock, iso_text
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.model.schedule import Every, next_ms
from lean_emulator.model.task import Task, zone_named
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.task_record import Record, Totals, Why
from lean_emulator.service.timed_call import Came, TimedCalls

RETRY_MS = 60_000
"""How long after a lost run it is tried again."""
MISSED_MS = 2 * 60_000
"""A run that could not begin for so long was missed: the machine slept, or time was set."""
ERRORS_ALLOWED = 30
ERROR_WINDOW_MS = 24 * 3_600_000
COUNTED_STATUSES = frozenset({400, 502})
OFF_TEXT = "timerAction short-circuited and no fallback available"
"""What the platform logs of a task that it switches off."""
MOST_RECORDS = 200
"""Records kept for a task at most."""


@dataclass(slots=True)
class _Plan:
    """A task and what is to come of it."""

    task: Task
    due_ms: int | None = None
    retry_ms: int | None = None
    waiting_ms: int | None = None
    running: "asyncio.Task[None] | None" = None
    last: Record | None = None
    records: deque[Record] = field(default_factory=lambda: deque(maxlen=MOST_RECORDS))
    failed_at: deque[int] = field(default_factory=deque)
    totals: Totals = field(default_factory=Totals)
    off_because: str | None = None


class Tasks:
    """All scheduled tasks. Finding what is due costs the logarithm of their number."""

    def __init__(
        self,
        calls: TimedCalls,
        inbox: Inbox,
        ids: Ids,
        clock: TurnableClock,
        zone: tzinfo,
        functions: Callable[[], frozenset[str]],
        *,
        record_seconds: float = 300.0,
        changed: Callable[[], None] = lambda: None,
        store: Callable[[list[Task]], None] = lambda tasks: None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """``functions`` are the names the loaded code has; ``changed`` wakes whoever waits.

        ``say`` is told in words what nobody asked for. ``store`` keeps all tasks after each change
        of them. ``record_seconds`` is how long a record stays after its run.
        """
        self._calls = calls
        self._inbox = inbox
        self._ids = ids
        self._clock = clock
        self._zone = zone
        self._functions = functions
        self._record_ms = record_seconds * 1000
        self._changed = changed
        self._store = store
        self._say = say
        self._plans: dict[str, _Plan] = {}
        self._agenda: list[tuple[int, int, str, Why]] = []
        """A heap of what may be due; an entry that its plan does not know any more is void."""
        self._numbers = itertools.count()
        self._seen_ms = clock.now_ms()

    # ---- what there is

    def load(self, tasks: Sequence[Task]) -> None:
        """Take over tasks as they are, without storing them again."""
        for task in tasks:
            self._plans[task.name] = self._planned(_Plan(task))
        self._changed()

    def current(self) -> list[Task]:
        """All tasks as they are."""
        return [plan.task for plan in self._plans.values()]

    def put_back(self, tasks: Sequence[Task]) -> None:
        """Have these tasks and no others, without their past; nothing is stored."""
        self._plans.clear()
        self._agenda.clear()
        self.load(tasks)

    def all(self) -> list[dict[str, Json]]:
        """Every task by name, with its next and last run."""
        return [self.told(name) for name in sorted(self._plans)]

    def told(self, name: str) -> dict[str, Json]:
        """A task with its next and last run. Raises code 101 for an unknown one."""
        plan = self._plan(name)
        totals, last = plan.totals, plan.last
        due = min((t for t in (plan.due_ms, plan.retry_ms) if t is not None), default=None)
        return {
            **plan.task.to_json(),
            "next": None if due is None else iso_text(due),
            "running": plan.running is not None,
            "last": None if last is None else last.to_json(),
            "missing": plan.task.function not in self._functions(),
            "offBecause": plan.off_because,
            "runs": totals.runs,
            "failures": totals.failures,
            "averageLateMs": round(totals.late_ms / totals.runs) if totals.runs else 0,
            "mostLateMs": totals.latest_ms,
            "waited": totals.waited,
        }

    def records(self, name: str) -> list[dict[str, Json]]:
        """Runs of a task that are over, newest first. Raises code 101."""
        plan = self._plan(name)
        self._drop_old(plan)
        return [record.to_json() for record in reversed(plan.records)]

    # ---- changing it

    def add(self, task: Task) -> None:
        """Make a task. Raises code 137 for a name that is taken."""
        if task.name in self._plans:
            raise errors.DUPLICATE_VALUE(f"There is a task '{task.name}' already.")
        self._plans[task.name] = self._planned(_Plan(task))
        self._kept()

    def edit(self, name: str, task: Task) -> None:
        """Put a task in the place of another; records stay.

        Raises code 101, 137, and 1 for a task of the repository's file.
        """
        plan = self._plan(name)
        _refuse_declared(plan.task)
        if task.name != name and task.name in self._plans:
            raise errors.DUPLICATE_VALUE(f"There is a task '{task.name}' already.")
        plan.task = task
        self._plans[task.name] = self._plans.pop(name)
        self._planned(plan)
        self._kept()

    def remove(self, name: str) -> None:
        """Forget a task; a run that is going on ends.

        Raises code 101, and 1 for a task of the repository's file.
        """
        _refuse_declared(self._plan(name).task)
        del self._plans[name]
        self._kept()

    def switch(self, name: str, *, on: bool) -> None:
        """Let a task run, or not any more. Raises code 101."""
        plan = self._plan(name)
        plan.task = replace(plan.task, enabled=on)
        plan.off_because = None
        plan.failed_at.clear()
        self._planned(plan)
        self._kept()

    async def run_now(self, name: str) -> Record:
        """Run a task whether or not it is on; its plan stays. Raises code 101."""
        plan = self._plan(name)
        return await self._run_once(plan, self._clock.now_ms(), "by hand")

    # ---- time

    def due_ms(self) -> int | None:
        self._notice_time()
        while self._agenda and not self._valid(self._agenda[0]):
            heapq.heappop(self._agenda)
        return self._agenda[0][0] if self._agenda else None

    def start_due(self, now_ms: int) -> list["asyncio.Task[None]"]:
        """Start the runs that are due, earliest first; one whose task still runs waits for it."""
        started = []
        while (due := self.due_ms()) is not None and due <= now_ms:
            at, _, name, why = heapq.heappop(self._agenda)
            task = self._start(self._plans[name], at, why, now_ms)
            if task is not None:
                started.append(task)
        return started

    async def close(self) -> None:
        """End what runs."""
        running = [plan.running for plan in self._plans.values() if plan.running is not None]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    def _start(self, plan: _Plan, at: int, why: Why, now_ms: int) -> "asyncio.Task[None] | None":
        if why == "retry":
            plan.retry_ms = None
        else:
            self._plan_after(plan, at, now_ms)
            if now_ms - at > MISSED_MS:
                if plan.task.on_error == "cancel":
                    self._note_missed(plan, at, now_ms)
                    return None
                why = "missed"
        if plan.running is not None:
            plan.totals.waited += 1
            plan.waiting_ms = at
            return None
        plan.running = asyncio.create_task(self._run(plan, at, why), name=f"task {plan.task.name}")
        return plan.running

    async def _run(self, plan: _Plan, at: int, why: Why) -> None:
        """A run, and after it the one that fell due meanwhile."""
        try:
            await self._run_once(plan, at, why)
            while plan.waiting_ms is not None and plan.task.enabled:
                at, plan.waiting_ms = plan.waiting_ms, None
                await self._run_once(plan, at, "due")
        finally:
            plan.running, plan.waiting_ms = None, None
            self._changed()

    async def _run_once(self, plan: _Plan, at: int, why: Why) -> Record:
        task, began = plan.task, self._clock.now_ms()
        unique_id = self._ids.lower(32)
        came = await self._calls.run(
            task.function,
            dict(task.params),
            title=f"task {task.name}",
            prod=not task.staging,
            task=task.name,
            cause="timer",
            why=why,
            due=iso_text(at),
            late_ms=max(0, began - at),
        )
        return self._over(plan, at, began, why, unique_id, came)

    def _over(
        self, plan: _Plan, at: int, began: int, why: Why, unique_id: str, came: Came
    ) -> Record:
        now, totals = self._clock.now_ms(), plan.totals
        totals.runs += 1
        if why == "due":
            totals.late_ms += max(0, began - at)
            totals.latest_ms = max(totals.latest_ms, began - at)
        retry = None
        if not came.succeeded:
            totals.failures += 1
            if came.lost and plan.task.on_error == "retry" and why in ("due", "missed"):
                retry = now + RETRY_MS
            self._count_error(plan, came.status, now)
        if not plan.task.enabled:
            retry = None
        if retry is not None:
            plan.retry_ms = retry
            self._expect(plan)
        record = Record(
            unique_id, at, began, now, why, came.status, came.body, came.error, retry, came.trace
        )
        plan.records.append(record)
        plan.last = record
        return record

    def _note_missed(self, plan: _Plan, at: int, now_ms: int) -> None:
        plan.totals.runs += 1
        plan.totals.failures += 1
        text = "The run was missed: the time it was due had passed before it could begin."
        plan.last = Record(self._ids.lower(32), at, now_ms, now_ms, "missed", 0, None, text)
        plan.records.append(plan.last)

    def _count_error(self, plan: _Plan, status: int, now: int) -> None:
        """Switch a task off that fails too often (engine.md 7.4)."""
        if status not in COUNTED_STATUSES or not plan.task.enabled:
            return
        plan.failed_at.append(now)
        while plan.failed_at and now - plan.failed_at[0] >= ERROR_WINDOW_MS:
            plan.failed_at.popleft()
        if len(plan.failed_at) <= ERRORS_ALLOWED:
            return
        task = plan.task
        plan.task = replace(task, enabled=False)
        plan.due_ms = plan.retry_ms = plan.waiting_ms = None
        plan.off_because = OFF_TEXT
        title = f"The scheduled task '{task.name}' was switched off"
        text = (
            f"{OFF_TEXT}. The function '{task.function}' answered with 400 or 502 more than "
            f"{ERRORS_ALLOWED} times within 24 hours."
        )
        self._inbox.add("mail", "owner", title, text)
        self._say(f"{title}: {text}")
        self._kept()

    # ---- plans

    def _plan(self, name: str) -> _Plan:
        plan = self._plans.get(name)
        if plan is None:
            raise errors.OBJECT_NOT_FOUND(f"There is no scheduled task '{name}'.")
        return plan

    def _valid(self, entry: tuple[int, int, str, Why]) -> bool:
        at, _, name, why = entry
        plan = self._plans.get(name)
        return plan is not None and at == (plan.retry_ms if why == "retry" else plan.due_ms)

    def _expect(self, plan: _Plan) -> None:
        """Put what is to come of a task on the agenda."""
        runs: tuple[tuple[int | None, Why], ...] = ((plan.due_ms, "due"), (plan.retry_ms, "retry"))
        for at, why in runs:
            if at is not None:
                heapq.heappush(self._agenda, (at, next(self._numbers), plan.task.name, why))

    def _notice_time(self) -> None:
        """Plan anew after the clock was set back."""
        now = self._clock.now_ms()
        if now < self._seen_ms:
            for plan in self._plans.values():
                self._planned(plan)
        self._seen_ms = now

    def _planned(self, plan: _Plan) -> _Plan:
        now = self._clock.now_ms()
        plan.due_ms = plan.retry_ms = None
        if plan.task.enabled:
            plan.due_ms = next_ms(plan.task.when, now, self._zone_of(plan.task))
        self._expect(plan)
        return plan

    def _plan_after(self, plan: _Plan, at: int, now_ms: int) -> None:
        """The next run after one that was due at ``at`` and begins now."""
        when = plan.task.when
        if isinstance(when, Every):
            step = when.seconds * 1000
            plan.due_ms = at + step * ((now_ms - at) // step + 1)
        else:
            plan.due_ms = next_ms(when, max(at, now_ms), self._zone_of(plan.task))
        self._expect(plan)

    def _zone_of(self, task: Task) -> tzinfo:
        return self._zone if task.zone is None else zone_named(task.zone)

    def _drop_old(self, plan: _Plan) -> None:
        since = self._clock.now_ms() - self._record_ms
        while plan.records and plan.records[0].finished_ms < since:
            plan.records.popleft()

    def _kept(self) -> None:
        self._store([plan.task for plan in self._plans.values()])
        self._changed()


def _refuse_declared(task: Task) -> None:
    """A change would be gone at the next start, when the file is read again."""
    if task.origin == "file":
        raise errors.INVALID_REQUEST(
            f"The task '{task.name}' stands in the repository's file: change it there and start "
            "lean-emu again. It can be switched on and off here."
        )
