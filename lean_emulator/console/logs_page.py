"""``/logs``: what the code printed, each line with the request that it was printed in."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from lean_emulator.base.clock import iso_text
from lean_emulator.base.jsontext import Json
from lean_emulator.console.log_view import LEVELS, STREAMS, LogFilter, level_of, log_page
from lean_emulator.console.rendering import Renderer, json_answer, wants_json
from lean_emulator.console.trace_list import link
from lean_emulator.service.logbook import Line, Logbook

_PARTS = {"lines": "_log_lines.html"}


class LogsPage:
    """Oldest first, as in a terminal; a script adds what is new at the end."""

    def __init__(self, renderer: Renderer, book: Logbook) -> None:
        self._render = renderer
        self._book = book

    async def show(self, request: web.Request) -> web.Response:
        """Parameters: q level stream trace before after follow."""
        params = request.query
        wanted = LogFilter.read(params)
        page = log_page(
            self._book,
            wanted,
            before=_number(params.get("before")),
            after=_number(params.get("after")),
        )
        lines = [self._line(line) for line in page.lines]
        if wants_json(request):
            return json_answer(
                {
                    "lines": [*lines],
                    "matching": page.matching,
                    "kept": page.kept,
                    "older": page.older,
                    "newest": page.newest,
                }
            )
        data: dict[str, Any] = {
            "page": page,
            "lines": lines,
            "filter": wanted,
            "choices": {"level": LEVELS, "stream": STREAMS},
            "url": _urls(request),
            "before": params.get("before"),
            "follow": params.get("follow") != "0" and "before" not in params,
            "capacity": self._book.capacity,
            "link": link,
        }
        return self._render.page(request, "logs.html", data, parts=_PARTS)

    def _line(self, line: Line) -> dict[str, Json]:
        """As JSON; the trace only while it is kept."""
        kept = line.trace is not None and self._render.log.trace(line.trace) is not None
        mask = self._render.mask
        return {
            "number": line.number,
            "at": iso_text(line.at_ms),
            "atMs": line.at_ms,
            "stream": line.stream,
            "level": level_of(line),
            "text": mask.text(line.text),
            "where": None if line.where is None else mask.text(line.where),
            "trace": line.trace if kept else None,
            "step": line.step if kept else None,
        }


def _urls(request: web.Request) -> Callable[..., str]:
    """Links to this page with some parameters changed; ``None`` takes one out."""
    current = {name: value for name, value in request.query.items() if name != "after"}

    def url(**changes: str | None) -> str:
        return link("/logs", **{**current, **changes})

    return url


def _number(text: str | None) -> int | None:
    """``None`` for what is no number: an address that somebody mistyped shows everything."""
    try:
        return int(text or "")
    except ValueError:
        return None
