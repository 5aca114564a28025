"""One trace as a file of its own: it opens without a server, and can be sent to somebody."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from markupsafe import Markup

from lean_emulator.assets import assets_dir
from lean_emulator.base.trace import Span
from lean_emulator.console.inspector import Inspector, inspect
from lean_emulator.console.rendering import Renderer
from lean_emulator.console.timeline import WINDOW, find, timeline
from lean_emulator.console.trace_list import TraceList

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What such a page may do: look nice. Nothing in it can run or be fetched."""
_SPRITE = "/static/icons.svg#"
_PREFIX = "icon-"


class TraceExport:
    """``/traces/<id>.html``."""

    def __init__(self, renderer: Renderer, traces: TraceList) -> None:
        self._render = renderer
        self._list = traces
        self._project = Path(renderer.instance.project_dir)

    async def answer(self, request: web.Request) -> web.Response:
        """The trace as one page with everything in it, secrets masked; 404 when it is not kept.

        Of a trace that is too long to be read at once (``WINDOW``) it has the beginning.
        """
        name = request.match_info["name"]
        root = self._render.log.trace(name)
        if root is None:
            return self._render.page(request, "missing.html", {}, status=404)
        page = self._render.page(request, "export.html", self._data(root))
        assert isinstance(page.body, bytes)
        page.body = page.body.replace(_SPRITE.encode(), f"#{_PREFIX}".encode())
        page.headers["Content-Security-Policy"] = POLICY
        page.headers["Content-Disposition"] = f'inline; filename="{root.name}.html"'
        return page

    def _data(self, root: Span) -> dict[str, Any]:
        render = self._render
        drawn = timeline(root, render.mask, render.log.elapsed(root), size=WINDOW)
        shown = (find(root, str(row.node["id"])) for row in drawn.rows)
        return {
            "trace": self._list.summary(root),
            "timeline": drawn,
            "step": None,
            "inspector": None,
            "url": _place,
            "policy": POLICY,
            "style": _style(),
            "sprite": _sprite(),
            "panels": [[*self._panels(span)] for span in shown if span is not None],
        }

    def _panels(self, span: Span) -> Iterator[Inspector]:
        """The step once for each tab it has, the most telling first."""
        first = inspect(span, self._render.mask, None, self._project)
        yield first
        for tab in first.tabs:
            if tab != first.tab and not (tab == "prints" and not first.node.get("prints")):
                yield replace(first, tab=tab, warnings=[])


def _place(**changes: str | None) -> str:
    """Links lead to the step they speak of, further down in the same file."""
    return f"#{changes.get('step') or 'top'}"


@cache
def _style() -> Markup:
    """The console's stylesheet and what a file adds to it."""
    folder = assets_dir("static")
    text = "\n".join((folder / name).read_text("utf-8") for name in ("console.css", "export.css"))
    return Markup(f"<style>{text.replace('</', '')}</style>")  # noqa: S704 - our own files


@cache
def _sprite() -> Markup:
    """The icons, to stand in the page; their ids cannot be those of steps."""
    text = (assets_dir("static") / "icons.svg").read_text("utf-8")
    named = re.sub(r'(<symbol id=")', rf"\1{_PREFIX}", text)
    return Markup(named.replace("<svg ", '<svg class="visually-hidden" aria-hidden="true" ', 1))  # noqa: S704 - our own file
