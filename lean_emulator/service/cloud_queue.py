"""The cloud queue: functions called later, one at a time, again where they fail (engine.md 7.5)."""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.queued import MAX_TIMEOUT_MS, QueuedTask
from lean_emulator.service.timed_call import Came, TimedCalls
from lean_emulator.storage.rehearsable import current_rehearsal

LOST_TEXT = (
    "lean-emu stopped while the task ran; it is not run again, as it asked for at most once."
)


class QueueStore(Protocol):
    """Where tasks of the queue are kept, so that they outlive the process.

    ``save`` returns once the task is as safe as the storage promises of any write.
    """

    async def save(self, task: QueuedTask) -> None: ...

    async def forget(self, unique_ids: Sequence[str]) -> None: ...

    async def load(self) -> list[QueuedTask]: ...


class Queue:
    """Tasks by their unique id. Finding the next one costs the logarithm of their number."""

    def __init__(
        self,
        calls: TimedCalls,
        store: QueueStore,
        clock: Clock,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """``changed`` wakes whoever waits for work that is due."""
        self._calls = calls
        self._store = store
        self._clock = clock
        self._changed = changed
        self._tasks: dict[str, QueuedTask] = {}
        self._waiting: list[tuple[int, int, str]] = []
        """A heap by due time; an entry whose task is not waiting for that time is void."""
        self._ready: list[tuple[float, int, str]] = []
        """A heap by priority of what is due already."""
        self._expiring: list[tuple[int, str]] = []
        self._numbers = itertools.count()
        self._running: asyncio.Task[None] | None = None
        self._forgotten: list[str] = []
        """Expired tasks that the store still has."""

    async def open(self) -> None:
        """Take over what was kept: a task that was running is run again, or is lost."""
        for task in await self._store.load():
            if task.state == "running" and not task.at_least_once:
                now = self._clock.now_ms()
                task = replace(task, state="failed", error=LOST_TEXT, finished_ms=now)
                await self._store.save(task)
            elif task.state == "running":
                task = replace(task, state="queued")
            self._tasks[task.unique_id] = task
            self._expect(task)
        self._changed()

    async def close(self) -> None:
        """End what runs; it stays as it was kept."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    def clear(self) -> None:
        """Forget all tasks; one that runs goes on, and nobody will know."""
        self._tasks.clear()
        self._waiting.clear()
        self._ready.clear()
        self._expiring.clear()

    async def put(self, task: QueuedTask) -> None:
        """Queue a task; a dry run queues none. Raises code 409 for an id that is still known."""
        self._forget_expired()
        if task.unique_id in self._tasks:
            raise ApiError(409, f"The uniqueId '{task.unique_id}' is already in use.", 409)
        if current_rehearsal() is not None:
            return
        self._tasks[task.unique_id] = task
        try:
            await self._store.save(task)
        except BaseException:
            self._tasks.pop(task.unique_id, None)
            raise
        self._expect(task)
        self._changed()

    def told(self, unique_id: str) -> dict[str, Json]:
        """A task as the platform tells of it. Raises code 404 for an unknown one."""
        self._forget_expired()
        task = self._tasks.get(unique_id)
        if task is None:
            raise errors.ROUTE_NOT_FOUND(f"There is no task '{unique_id}' in the queue.")
        told: dict[str, Json] = {
            "uniqueId": task.unique_id,
            "status": "queued" if task.state == "running" else task.state,
        }
        if task.status_code is not None:
            told |= {"statusCode": task.status_code, "result": task.result}
        if task.finished_ms is not None:
            told["finishedAt"] = iso_text(task.finished_ms)
        if task.error is not None:
            told["error"] = task.error
            if not task.finished:
                told["retryAt"] = iso_text(task.due_ms)
        return told

    def all(self) -> list[dict[str, Json]]:
        """Every known task, by when it is due, with what the console shows beside."""
        self._forget_expired()
        return [
            {
                **self.told(task.unique_id),
                "function": task.function,
                "params": task.params,
                "running": task.state == "running",
                "dueAt": iso_text(task.due_ms),
                "priority": task.priority,
                "tried": task.tried,
                "attempts": task.attempts,
                "trace": task.trace,
            }
            for task in sorted(self._tasks.values(), key=lambda task: (task.due_ms, task.priority))
        ]

    async def drop(self, unique_id: str) -> None:
        """Forget a task that does not run. Raises code 404 and, for one that runs, 409."""
        self.told(unique_id)
        if self._tasks[unique_id].state == "running":
            raise ApiError(409, f"The task '{unique_id}' is running.", 409)
        del self._tasks[unique_id]
        await self._store.forget([unique_id])

    def due_ms(self) -> int | None:
        if self._running is not None:
            return None
        self._drop_void()
        if self._ready:
            return self._clock.now_ms()
        return self._waiting[0][0] if self._waiting else None

    def start_due(self, now_ms: int) -> list["asyncio.Task[None]"]:
        """Start the most urgent task that is due; the others follow it one by one."""
        if self._running is not None or self._next(now_ms) is None:
            return []
        self._running = asyncio.create_task(self._work(), name="queue")
        return [self._running]

    async def _work(self) -> None:
        try:
            while (task := self._next(self._clock.now_ms())) is not None:
                heapq.heappop(self._ready)
                await self._run(task)
        finally:
            self._running = None
            self._changed()

    def _next(self, now_ms: int) -> QueuedTask | None:
        """The most urgent task that is due; it stays on top of its heap."""
        while self._waiting and self._waiting[0][0] <= now_ms:
            due, number, unique_id = heapq.heappop(self._waiting)
            if self._is_queued(unique_id, due):
                priority = self._tasks[unique_id].priority
                heapq.heappush(self._ready, (priority, number, unique_id))
        self._drop_void()
        return self._tasks[self._ready[0][2]] if self._ready else None

    def _is_queued(self, unique_id: str, due_ms: float | None = None) -> bool:
        task = self._tasks.get(unique_id)
        return task is not None and task.state == "queued" and due_ms in (None, task.due_ms)

    def _drop_void(self) -> None:
        """Take from the tops of the heaps what was dropped or tried meanwhile."""
        while self._waiting and not self._is_queued(self._waiting[0][2], self._waiting[0][0]):
            heapq.heappop(self._waiting)
        while self._ready and not self._is_queued(self._ready[0][2]):
            heapq.heappop(self._ready)

    def _forget_expired(self) -> None:
        """Forget finished tasks whose results were kept long enough."""
        now, gone = self._clock.now_ms(), []
        while self._expiring and self._expiring[0][0] <= now:
            _, unique_id = heapq.heappop(self._expiring)
            task = self._tasks.get(unique_id)
            if task is not None and task.finished_ms is not None:
                del self._tasks[unique_id]
                gone.append(unique_id)
        if gone:
            self._forgotten += gone

    async def _run(self, task: QueuedTask) -> None:
        task = replace(task, state="running", tried=task.tried + 1, error=None)
        await self._keep(task)
        came = await self._calls.run(
            task.function,
            task.params,
            title=f"queue {task.function}",
            prod=task.prod,
            seconds=min(task.timeout_ms, MAX_TIMEOUT_MS) / 1000,
            cause="queue",
            unique_id=task.unique_id,
            attempt=task.tried,
            due=iso_text(task.due_ms),
        )
        await self._keep(self._after(task, came))

    def _after(self, task: QueuedTask, came: Came) -> QueuedTask:
        """The task once it was tried: done, or to be tried again."""
        now = self._clock.now_ms()
        tried = replace(
            task, status_code=came.status, result=came.body, error=came.error, trace=came.trace
        )
        if came.succeeded:
            return replace(tried, state="success", finished_ms=now)
        again = task.tried < task.attempts and (not came.lost or task.at_least_once)
        if again or (came.lost and task.wants_retry_when_lost):
            return replace(tried, state="queued", due_ms=now + task.backoff_ms)
        return replace(tried, state="failed", finished_ms=now)

    async def _keep(self, task: QueuedTask) -> None:
        if task.unique_id not in self._tasks:
            return  # it was forgotten while it ran
        self._tasks[task.unique_id] = task
        await self._store.save(task)
        if self._forgotten:
            forgotten, self._forgotten = self._forgotten, []
            await self._store.forget(forgotten)
        self._expect(task)

    def _expect(self, task: QueuedTask) -> None:
        if task.finished_ms is not None:
            heapq.heappush(self._expiring, (task.finished_ms + task.keep_ms, task.unique_id))
        elif task.state == "queued":
            heapq.heappush(self._waiting, (task.due_ms, next(self._numbers), task.unique_id))
