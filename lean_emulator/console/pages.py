"""The home page: traces, as data for a template and the same as JSON; and the plain pages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import Span
from lean_emulator.base.trace_view import tree
from lean_emulator.console.inspector import inspect
from lean_emulator.console.registry import registered
from lean_emulator.console.rendering import Renderer, json_answer, wants_json
from lean_emulator.console.timeline import find, most_telling, timeline
from lean_emulator.console.trace_list import Filter, TraceList, link

_PARTS = {"list": "_list.html", "detail": "_detail.html", "inspector": "_inspector.html"}


class Pages:
    """GET handlers."""

    def __init__(self, renderer: Renderer, traces: TraceList) -> None:
        self._render = renderer
        self._list = traces
        self._project = Path(renderer.instance.project_dir)

    async def traces(self, request: web.Request) -> web.Response:
        """``/``: the list and one trace. Parameters: q outcome class kind user before trace step
        tab at follow.
        """
        params = request.query
        wanted = Filter.read(params)
        page = self._list.page(wanted, params.get("before"))
        root = self._root(params.get("trace"), page.rows)
        if wants_json(request):
            body: dict[str, Json] = {
                "traces": [*page.rows],
                "matching": page.matching,
                "kept": page.kept,
                "older": page.older,
            }
            if "trace" in params:
                body["trace"] = None if root is None else tree(root, self._render.mask)
            return json_answer(body, 404 if "trace" in params and root is None else 200)
        data: dict[str, Any] = {
            "page": page,
            "filter": wanted,
            "choices": self._list.choices(),
            "url": _urls(request),
            "sought": params.get("trace"),
            "follow": params.get("follow") != "0",
            "empty": page.kept == 0,
            "before": params.get("before"),
            "trace": None,
            "capacity": self._render.log.capacity,
            "example": self._example(),
        }
        if root is not None:
            data.update(self._detail(request, root))
        return self._render.page(request, "traces.html", data, parts=_PARTS)

    def _root(self, name: str | None, rows: list[dict[str, Json]]) -> Span | None:
        if name is None and rows:
            name = str(rows[0]["id"])
        return None if name is None else self._render.log.trace(name)

    def _detail(self, request: web.Request, root: Span) -> dict[str, Any]:
        render, params = self._render, request.query
        step = find(root, params.get("step")) or most_telling(root)
        drawn = timeline(root, render.mask, render.log.elapsed(root), params.get("at") or step.name)
        return {
            "trace": self._list.summary(root),
            "timeline": drawn,
            "step": step.name,
            "inspector": inspect(step, render.mask, params.get("tab"), self._project),
        }

    async def keys(self, request: web.Request) -> web.Response:
        """``/keys``: the keyboard, for whoever has no scripts."""
        return self._render.page(request, "keys.html", {})

    async def missing(self, request: web.Request) -> web.Response:
        if wants_json(request):
            return json_answer({"error": f"There is no page {request.path[:200]}."}, 404)
        return self._render.page(request, "missing.html", {}, status=404)

    def _example(self) -> dict[str, str]:
        """Names for the commands of the empty page: real ones where the code has any."""
        items = registered(self._render.runtime.names)
        hooks = [item for item in items if item.group == "hook"]
        hook = next((item for item in hooks if item.label == "beforeSave"), None)
        function = next((item for item in items if item.group == "function"), None)
        return {
            "class": hook.of if hook and hook.of else "Review",
            "function": function.label if function else "",
        }


def _urls(request: web.Request) -> Callable[..., str]:
    """Links to this page with some parameters changed; ``None`` takes one out."""
    current = dict(request.query)

    def url(**changes: str | None) -> str:
        # Jinja cannot pass "class" as a keyword
        renamed = {name.rstrip("_"): value for name, value in changes.items()}
        return link("/", **{**current, **renamed})

    return url
