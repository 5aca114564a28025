"""``/tasks``: scheduled tasks, the queue, their runs, and the clock that they go by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.console.bench import Refusal
from lean_emulator.console.contract import Timers
from lean_emulator.console.fields import fields_of
from lean_emulator.console.moments import field_text, moment, ms_of
from lean_emulator.console.payload import Problem
from lean_emulator.console.registry import registered
from lean_emulator.console.rendering import (
    Renderer,
    json_answer,
    local_path,
    phrases_of,
    wants_json,
)
from lean_emulator.console.run_page import problem_json
from lean_emulator.console.task_form import (
    NEXT_RUNS,
    Preview,
    TaskForm,
    next_runs,
    preview,
    task_of,
)
from lean_emulator.console.task_view import Words, past_runs, queue_row, run_row, task_row
from lean_emulator.console.trace_list import link
from lean_emulator.console.virtual_clock import clock_json, turn
from lean_emulator.model.cron import Cron
from lean_emulator.model.task import zone_named
from lean_emulator.model.time_text import read_instant

MOST = 200
"""Tasks in the list, and in the queue; all are on the command line."""
HISTORY = 12
"""Runs below the list."""

_PARTS = {"cron": "_cron.html"}


@dataclass(frozen=True, slots=True)
class Done:
    """What came of something done by hand: the ``trace`` of a run, where to go on."""

    where: str
    told: Json = None
    status: int = 200


class TasksPage:
    """GET shows the list, one task, or the form; POST changes them, or the clock."""

    def __init__(self, renderer: Renderer, timers: Timers) -> None:
        self._render = renderer
        self._timers = timers

    async def show(self, request: web.Request) -> web.Response:
        """Parameters: task, edit, new, from (a task to take as a model), ran (a trace)."""
        params = request.query
        name = params.get("task")
        if wants_json(request):
            return self._json(name)
        if name is None and "new" in params:
            return self._form(request, self._begun(params))
        known = self._told(name)
        if name is None:
            return self._list(request)
        if known is None:
            return self._gone(request, name)
        if "edit" in params and known["origin"] != "file":
            return self._form(request, TaskForm.of(known))
        return self._one(request, known)

    async def cron(self, request: web.Request) -> web.Response:
        """``/tasks/cron``: what an expression means, as it is typed. Parameters: cron zone."""
        shown = self._preview(request.query.get("cron", ""), request.query.get("zone", ""))
        if wants_json(request):
            body = {} if shown is None else shown.to_json()
            return json_answer(body, 422 if shown and shown.refusal else 200)
        data = self._preview_data(request, shown)
        return self._render.page(request, "_cron.html", data)

    async def save(self, request: web.Request) -> web.Response:
        """A new task, or another in the place of one. ``preview`` only shows what it would be."""
        fields = await fields_of(request)
        form = TaskForm.read(fields)
        if "preview" in fields:
            return self._form(request, form)
        done = await self._save(form)
        if isinstance(done, Refusal):
            return self._refused(request, done) or self._form(request, form, done)
        return self._answer(request, done)

    async def act(self, request: web.Request) -> web.Response:
        """``action`` run (``at`` a time), enable, disable or delete on ``task``."""
        fields = await fields_of(request)
        name = fields.get("task", "")
        try:
            done = await self._act(name, fields)
        except ApiError as e:
            if wants_json(request):
                return json_answer({"error": e.message}, 404)
            return self._gone(request, name)
        if isinstance(done, Refusal):
            known = self._told(name)
            assert known is not None
            return self._refused(request, done) or self._one(request, known, done)
        return self._answer(request, done)

    async def drop(self, request: web.Request) -> web.Response:
        """Take a task out of the queue."""
        unique_id = (await fields_of(request)).get("id", "")
        try:
            await self._timers.queue.drop(unique_id)
        except ApiError as e:
            refusal = Refusal("queue", Problem("problem.other", found=e.message), e.hint)
            return self._refused(request, refusal, e.status) or self._list(request, refusal)
        return self._answer(request, Done("/tasks"))

    async def turn(self, request: web.Request) -> web.Response:
        """``/clock``: freeze, resume, advance or set; back to the page it came from."""
        fields = await fields_of(request)
        refusal = await turn(self._timers, fields)
        if refusal is not None:
            return self._refused(request, refusal) or self._list(request, refusal, fields)
        return self._answer(
            request, Done(local_path(fields.get("back", "/tasks")), clock_json(self._timers))
        )

    # ---- what is done

    async def _save(self, form: TaskForm) -> Done | Refusal:
        tasks, task = self._timers.tasks, await task_of(form)
        if isinstance(task, Refusal):
            return task
        try:
            if form.was:
                tasks.edit(form.was, task)
            else:
                tasks.add(task)
        except ApiError as e:
            return Refusal("name", Problem("problem.other", found=e.message), e.hint)
        told = self._told(task.name)
        return Done(link("/tasks", task=task.name), told, 200 if form.was else 201)

    async def _act(self, name: str, fields: Mapping[str, str]) -> Done | Refusal:
        """Raises code 101 for an unknown task."""
        tasks, listed = self._timers.tasks, fields.get("back") == "list"
        here = None if listed else name
        match fields.get("action"):
            case "enable" | "disable" as wish:
                tasks.switch(name, on=wish == "enable")
                return Done(link("/tasks", task=here), self._told(name))
            case "delete":
                tasks.remove(name)
                return Done("/tasks")
            case "run":
                record = await self._run(name, fields.get("at", ""))
                if isinstance(record, Refusal):
                    return record
                return Done(link("/tasks", task=here, ran=str(record["trace"])), record)
            case other:
                tasks.told(name)
                return Refusal("action", Problem("problem.other", found=f"action {other!r}?"))

    async def _run(self, name: str, at: str) -> dict[str, Json] | Refusal:
        """Run now, or with the time standing still at another."""
        timers = self._timers
        if not at:
            return (await timers.tasks.run_now(name)).to_json()
        told = timers.tasks.told(name)
        zone = timers.zone if told["zone"] is None else zone_named(told["zone"])
        instant = read_instant(at, zone)
        if instant is None:
            return Refusal("at", Problem("problem.instant", found=at))
        async with timers.agenda.as_if_at(instant):
            return (await timers.tasks.run_now(name)).to_json()

    def _answer(self, request: web.Request, done: Done) -> web.Response:
        if wants_json(request):
            return json_answer(self._render.mask.json(done.told), done.status)
        return web.Response(status=303, headers={"Location": done.where})

    def _refused(
        self, request: web.Request, refusal: Refusal, status: int = 422
    ) -> web.Response | None:
        """The reason as JSON, for whoever wants that."""
        if not wants_json(request):
            return None
        return json_answer({"problem": problem_json(refusal, phrases_of(request))}, status)

    # ---- what is shown

    def _told(self, name: str | None) -> dict[str, Any] | None:
        try:
            return None if name is None else self._timers.tasks.told(name)
        except ApiError:
            return None

    def _json(self, name: str | None) -> web.Response:
        timers, mask = self._timers, self._render.mask
        if name is None:
            body: dict[str, Json] = {
                "zone": str(timers.zone),
                "clock": clock_json(timers),
                "tasks": mask.json([*timers.tasks.all()]),
                "queue": mask.json([*timers.queue.all()]),
            }
            return json_answer(body)
        told = self._told(name)
        if told is None:
            return json_answer({"error": f"There is no scheduled task '{name[:200]}'."}, 404)
        records = mask.json([*timers.tasks.records(name)])
        return json_answer({"task": mask.json(told), "records": records})

    def _list(
        self,
        request: web.Request,
        refusal: Refusal | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> web.Response:
        words, timers, mask = self._words(request), self._timers, self._render.mask
        tasks, queue = timers.tasks.all(), timers.queue.all()
        states = [str(item["status"]) for item in queue]
        running = sum(bool(item["running"]) for item in queue)
        return self._page(
            request,
            "tasks.html",
            refusal,
            {
                "tasks": [task_row(told, words, mask) for told in tasks[:MOST]],
                "task_count": len(tasks),
                "queue": [queue_row(told, words, mask) for told in queue[:MOST]],
                "queue_count": len(queue),
                "waiting": states.count("queued") - running,
                "running": running,
                "history": past_runs(self._render.log.traces(), words, mask, HISTORY),
                "clock_form": {
                    "span": (typed or {}).get("span", ""),
                    "to": (typed or {}).get("to") or field_text(words.now_ms, timers.zone),
                },
                "example": next(iter(self._functions()), "cleanUp"),
            },
        )

    def _one(
        self, request: web.Request, told: Mapping[str, Any], refusal: Refusal | None = None
    ) -> web.Response:
        words, mask = self._words(request), self._render.mask
        row = task_row(told, words, mask)
        name = row.name
        records = self._timers.tasks.records(name)
        return self._page(
            request,
            "task.html",
            refusal,
            {
                "task": row,
                "upcoming": self._upcoming(told, words),
                "records": [run_row(record, words, mask) for record in records],
                "at": field_text(words.now_ms, zone_named(row.zone)),
                "command_line": f"lean-emu tasks show {_quoted(name)}",
            },
        )

    def _form(
        self, request: web.Request, form: TaskForm, refusal: Refusal | None = None
    ) -> web.Response:
        data = {
            "form": form,
            "functions": self._functions(),
            **self._preview_data(request, self._preview(form.cron, form.zone)),
        }
        return self._page(request, "task_form.html", refusal, data)

    def _gone(self, request: web.Request, name: str) -> web.Response:
        return self._page(request, "task_gone.html", None, {"name": name}, status=404)

    def _page(
        self,
        request: web.Request,
        template: str,
        refusal: Refusal | None,
        data: Mapping[str, Any],
        status: int = 200,
    ) -> web.Response:
        say = phrases_of(request)
        common = {
            "zone": str(self._timers.zone),
            "ran": self._ran(request),
            "problem": problem_json(refusal, say) if refusal else None,
            "link": link,
            # a post that was refused has no page to come back to
            "back": request.path_qs if request.method == "GET" else "/tasks",
        }
        status = 422 if refusal else status
        return self._render.page(request, template, {**common, **data}, parts=_PARTS, status=status)

    def _ran(self, request: web.Request) -> Any:
        """The run by hand that the reader comes from, while its trace is kept."""
        root = self._render.log.trace(request.query.get("ran", ""))
        if root is None or root.kind != "task":
            return None
        return past_runs([root], self._words(request), self._render.mask, 1)[0]

    def _words(self, request: web.Request) -> Words:
        timers = self._timers
        return Words(phrases_of(request), timers.zone, timers.clock.now_ms())

    def _functions(self) -> list[str]:
        names = registered(self._render.runtime.names)
        return [item.label for item in names if item.group == "function"]

    def _begun(self, params: Mapping[str, str]) -> TaskForm:
        """A fresh form, from the query or with another task as its model."""
        model = self._told(params.get("from"))
        return TaskForm.read(params) if model is None else TaskForm.of(model, new=True)

    def _preview(self, cron: str, zone: str) -> Preview | None:
        """``None`` for an expression that nobody has begun to type."""
        timers = self._timers
        if not cron.strip():
            return None
        return preview(cron, zone.strip(), timers.clock.now_ms(), timers.zone)

    def _preview_data(self, request: web.Request, shown: Preview | None) -> dict[str, Any]:
        say, words = phrases_of(request), self._words(request)
        if shown is None:
            return {"preview": None}
        return {
            "preview": {
                "words": say.of(shown.words),
                "zone": str(shown.zone),
                "runs": [moment(say, ms, shown.zone, words.now_ms) for ms in shown.runs],
                "problem": problem_json(shown.refusal, say) if shown.refusal else None,
            }
        }

    def _upcoming(self, told: Mapping[str, Any], words: Words) -> list[Any]:
        """The next runs, of a cron expression also while the task is off."""
        zone = words.zone if told["zone"] is None else zone_named(told["zone"])
        if "cron" in told:
            runs = next_runs(Cron.parse(told["cron"]), words.now_ms, zone)
        else:
            first = ms_of(told["next"])
            steps = range(0 if first is None else NEXT_RUNS)
            runs = tuple((first or 0) + step * told["every"] * 1000 for step in steps)
        return [moment(words.say, ms, zone, words.now_ms) for ms in runs]


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "'\\''") + "'"
