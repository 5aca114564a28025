"""``/hooks``: what the code registered, how it has done, and what its reloads changed."""

from pathlib import Path
from typing import Any

from aiohttp import web

from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import Span
from lean_emulator.console.registry import GROUPS, Record, Records, Registered, parse, registered
from lean_emulator.console.rendering import Renderer, json_answer, wants_json
from lean_emulator.console.stream import runtime_state
from lean_emulator.console.trace_list import link
from lean_emulator.console.traceback_view import read_traceback

RELOADS = 10
"""Newest reloads that are shown."""


class HooksPage:
    """A table of all that is registered; code that did not load takes the page over."""

    def __init__(self, renderer: Renderer) -> None:
        self._render = renderer
        self._records = Records(renderer.log)
        self._project = Path(renderer.instance.project_dir)

    async def show(self, request: web.Request) -> web.Response:
        runtime, known = self._render.runtime, self._records.all()
        items = registered(runtime.names)
        reloads = self._reloads()
        if wants_json(request):
            rows: list[Json] = [self._json(item, known.get(item.key, Record())) for item in items]
            told: list[Json] = [_without_source(reload) for reload in reloads]
            return json_answer({**runtime_state(runtime), "hooks": rows, "reloads": told})
        failure = runtime.failure if runtime.state == "broken" else None
        data: dict[str, Any] = {
            "groups": [(g, [item for item in items if item.group == g]) for g in GROUPS],
            "records": known,
            "no_record": Record(),
            "failure": failure,
            "traceback": failure and self._traceback(failure.traceback),
            "reloads": reloads,
            "changed": next((r for r in reloads if r["added"] or r["removed"]), None),
            "traces_of": traces_of,
            "link": link,
        }
        template = "broken.html" if failure else "hooks.html"
        return self._render.page(request, template, data)

    def _traceback(self, text: str) -> Any:
        return read_traceback(text, self._project, self._render.mask)

    def _reloads(self) -> list[dict[str, Any]]:
        """Newest first. The first start registers everything and so counts as no change."""
        loads = [root for root in self._render.log.traces() if root.kind == "reload"]
        return [
            self._reload(root, first=root.detail.get("reason") == "first start")
            for root in loads[:RELOADS]
        ]

    def _reload(self, root: Span, *, first: bool) -> dict[str, Any]:
        mask, detail = self._render.mask, root.detail
        error = detail.get("error") or {}
        text = str(error.get("traceback") or "")
        took = None if root.ended is None else round((root.ended - root.began) * 1000, 1)
        return {
            "trace": root.name,
            "startedMs": root.at_ms,
            "tookMs": took,
            "outcome": root.outcome,
            "reason": mask.text(str(detail.get("reason") or "")),
            "added": [] if first else self._names(detail.get("added")),
            "removed": [] if first else self._names(detail.get("removed")),
            "registered": len(detail.get("added") or ()) if first else None,
            "error": mask.text(str(error.get("message") or "")) or None,
            "traceback": mask.text(text) or None,
            "frames": self._traceback(text) if text else None,
        }

    def _names(self, names: object) -> list[Json]:
        listed = names if isinstance(names, list) else []
        return [
            {"name": self._render.mask.text(_spoken(n)), "where": self._where(n)} for n in listed
        ]

    def _where(self, name: str) -> str | None:
        return self._render.runtime.where.get(name)

    def _json(self, item: Registered, record: Record) -> dict[str, Json]:
        last = record.last
        return {
            "name": item.name,
            "group": item.group,
            "label": item.label,
            "className": item.of,
            "where": self._where(item.name),
            "runs": record.runs,
            "rejected": record.rejected,
            "failed": record.failed,
            "errorRate": record.error_rate,
            "medianMs": record.median_ms,
            "slowestMs": record.slowest_ms,
            "last": None if last is None else {"trace": last.root.name, "step": last.name},
        }


def traces_of(item: Registered) -> str:
    """Where the traces are in which it ran."""
    if item.group == "function":
        return link("/", q=f'function:"{item.label}"')
    return link("/", q=f"hook:{item.of or ''}/{item.label}")


def _spoken(name: str) -> str:
    """A metadata name as people say it: ``beforeSave Review``."""
    item = parse(name)
    return f"{item.label} {item.of}" if item.of else item.label


def _without_source(reload: dict[str, Any]) -> dict[str, Json]:
    return {name: value for name, value in reload.items() if name != "frames"}
