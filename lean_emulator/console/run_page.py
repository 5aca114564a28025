"""``/run``: the form, its result, and the history. A drawer where scripts run, a page without."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from lean_emulator.base.jsontext import Json, pretty
from lean_emulator.base.trace import Outcome, Span
from lean_emulator.base.trace_view import walk
from lean_emulator.console.bench import Bench, Refusal, Run, RunForm
from lean_emulator.console.fields import fields_of
from lean_emulator.console.inspector import inspect
from lean_emulator.console.phrases import Phrases
from lean_emulator.console.registry import registered
from lean_emulator.console.rendering import Renderer, json_answer, phrases_of, wants_json
from lean_emulator.console.timeline import most_telling
from lean_emulator.model.hook_samples import sample_of, special_hook, takes_user

_PARTS = {"drawer": "_run.html", "result": "_result.html"}
_MOST_PRINTS = 200


class Event(NamedTuple):
    """A hook that belongs to no write, as the form offers it; ``sample`` is a payload to begin."""

    value: str
    title: str
    sample: str


class RunPage:
    """GET shows the form, filled from the query or from a run of the history; POST runs it."""

    def __init__(self, renderer: Renderer, bench: Bench) -> None:
        self._render = renderer
        self._bench = bench

    async def show(self, request: web.Request) -> web.Response:
        run = self._bench.get(request.query.get("history"))
        form = run.form if run else RunForm.read(request.query)
        if wants_json(request):
            return json_answer(
                {
                    "functions": [*self._functions()],
                    "hooks": [*(f"{c}/{h}" for c, hooks in self._hooks().items() for h in hooks)],
                    "events": [e.value for group in self._events().values() for e in group],
                    "history": [self._json(run) for run in self._bench.runs],
                }
            )
        return self._page(request, self._begun(form) if run is None else form, run)

    async def run(self, request: web.Request) -> web.Response:
        """From a form: 303 to the result. For scripts: the result, or 422 with the reason."""
        form = RunForm.read(await fields_of(request))
        done = await self._bench.run(form, time.time_ns() // 1_000_000)
        scripted = "X-Lean-Emu-Part" in request.headers
        if isinstance(done, Refusal):
            if scripted or wants_json(request):
                return json_answer({"problem": problem_json(done, phrases_of(request))}, 422)
            return self._page(request, form, None, done)
        if wants_json(request):
            return json_answer(self._json(done))
        if scripted:
            return self._page(request, form, done)
        return web.Response(status=303, headers={"Location": f"/run?history={done.number}"})

    def _page(
        self, request: web.Request, form: RunForm, run: Run | None, refusal: Refusal | None = None
    ) -> web.Response:
        say = phrases_of(request)
        data = {
            "form": form,
            "run": run,
            "problem": problem_json(refusal, say) if refusal else None,
            "functions": self._functions(),
            "hooks_by_class": self._hooks(),
            "events_by_group": self._events(),
            "history": self._bench.runs,
            "state": self._render.runtime.state,
            "show": self._result(run) if run else None,
            "run_outcome": self._outcome,
        }
        return self._render.page(
            request, "run.html", data, parts=_PARTS, status=422 if refusal else 200
        )

    def _functions(self) -> list[str]:
        names = registered(self._render.runtime.names)
        return [item.label for item in names if item.group == "function"]

    def _hooks(self) -> dict[str, list[str]]:
        by_class: dict[str, list[str]] = {}
        for item in registered(self._render.runtime.names):
            if item.group == "hook" and item.of:
                by_class.setdefault(item.of, []).append(item.label)
        return by_class

    def _events(self) -> dict[str, list[Event]]:
        """Hooks that belong to no write, by their group."""
        by_group: dict[str, list[Event]] = {}
        for item in registered(self._render.runtime.names):
            hook = special_hook(item.of or "", item.label)
            if item.group in ("account", "message", "insight") and hook is not None:
                sample = "" if takes_user(hook) else pretty(sample_of(hook))
                by_group.setdefault(item.group, []).append(
                    Event(f"{item.of or ''}/{item.label}", hook.title, sample)
                )
        return by_group

    def _begun(self, form: RunForm) -> RunForm:
        """A fresh form: with the sample of the chosen event, if nothing is written yet."""
        if form.tab != "event" or form.payload:
            return form
        events = [event for group in self._events().values() for event in group]
        chosen = [event for event in events if event.value == form.hook] or events[:1]
        return replace(form, payload=chosen[0].sample) if chosen else form

    def _outcome(self, run: Run) -> dict[str, Any]:
        """Kind, outcome and status, as a summary has them."""
        root = self._render.log.trace(run.result.trace)
        outcome: Outcome = "ok" if run.result.status < 400 else "failed"
        if root is not None and run.result.status >= 400:
            outcome = _worst(root) or outcome
        return {"kind": "request", "outcome": outcome, "status": run.result.status}

    def _result(self, run: Run) -> dict[str, Any]:
        root = self._render.log.trace(run.result.trace)
        shown: dict[str, Any] = {
            "body": self._render.mask.json(run.result.body),
            "trace": None,
            "prints": [],
            "changes": None,
            "error": None,
            "remarks": run.result.remarks,
        }
        if root is None:
            return shown
        project = Path(self._render.instance.project_dir)
        telling = inspect(most_telling(root), self._render.mask, None, project)
        shown.update(
            trace=root.name,
            prints=_prints(root, self._render),
            error=telling if "error" in telling.tabs and run.result.status >= 400 else None,
            changes=telling if telling.changes else None,
        )
        return shown

    def _json(self, run: Run) -> dict[str, Json]:
        return {
            "run": run.number,
            "what": run.form.title,
            "status": run.result.status,
            "body": self._render.mask.json(run.result.body),
            "tookMs": run.result.took_ms,
            "trace": run.result.trace,
            "remarks": [
                {"en": r.text.en, "zh": r.text.zh, "wrong": r.wrong} for r in run.result.remarks
            ],
        }


def problem_json(refusal: Refusal, say: Phrases) -> dict[str, Json]:
    """The reason in words, and where in the text it is."""
    problem = refusal.problem
    message = say(
        problem.phrase, line=problem.line, column=problem.column, found=problem.found
    ).unescape()
    return {
        "field": refusal.field,
        "message": message,
        "hint": say.of(refusal.hint) if refusal.hint else None,
        "line": problem.line,
        "column": problem.column,
        "length": max(1, len(problem.found)),
    }


def _worst(root: Span) -> Outcome | None:
    """How the call as a whole ended, in the words of the step that decided it."""
    found = most_telling(root)
    return found.outcome if found.outcome not in ("ok", "skipped", "running") else root.outcome


def _prints(root: Span, render: Renderer) -> list[dict[str, Any]]:
    """Lines of all steps, in order, timed from the start of the trace."""
    lines = [(line, span) for span in walk(root) for line in span.prints or ()]
    lines.sort(key=lambda pair: pair[0].at)
    return [
        {
            "offsetMs": (line.at - root.began) * 1000,
            "stream": line.stream,
            "text": render.mask.text(line.text),
            "where": line.where,
        }
        for line, _ in lines[:_MOST_PRINTS]
    ]
