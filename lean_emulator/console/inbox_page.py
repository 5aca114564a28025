"""``/inbox``: what would have left the machine, with its codes and links ready to use."""

from typing import Any, NamedTuple

from aiohttp import web

from lean_emulator.base.jsontext import Json
from lean_emulator.console.rendering import Renderer, json_answer, wants_json
from lean_emulator.service.inbox import KINDS, Inbox, Message, MessageKind

MOST = 200
"""Messages in the list; older ones are on the command line."""


class Piece(NamedTuple):
    """A part of a text; ``href`` is where it leads, ``None`` for plain words."""

    text: str
    href: str | None


class InboxPage:
    """GET shows the messages and one of them; POST empties the inbox."""

    def __init__(self, renderer: Renderer, inbox: Inbox) -> None:
        self._render = renderer
        self._inbox = inbox

    async def show(self, request: web.Request) -> web.Response:
        """Parameters: kind, message. A message that is opened is no longer new."""
        kind = _kind(request.query.get("kind"))
        wanted = request.query.get("message")
        if wants_json(request):
            messages: list[Json] = [m.to_json() for m in self._inbox.messages(kind)]
            return json_answer({"messages": messages, "unread": [*sorted(self._inbox.unread)]})
        if wanted is not None:
            self._inbox.mark_read(wanted)
        rows = self._inbox.messages(kind)
        opened = self._opened(wanted, rows)
        data: dict[str, Any] = {
            "rows": rows[:MOST],
            "older": max(0, len(rows) - MOST),
            "kind": kind,
            "kinds": KINDS,
            "new": self._inbox.unread,
            "empty": not self._inbox.messages(),
            "sought": wanted,
            "message": opened,
        }
        if opened is not None:
            data["pieces"] = pieces(opened)
            data["link"] = safe_link(opened.link)
            data["trace"] = self._trace(opened)
            data["detail"] = self._render.mask.json(opened.detail)
            data["command_line"] = _command(opened)
        return self._render.page(request, "inbox.html", data)

    async def clear(self, request: web.Request) -> web.Response:
        self._inbox.clear()
        return web.Response(status=303, headers={"Location": "/inbox"})

    def _opened(self, wanted: str | None, rows: list[Message]) -> Message | None:
        """The message that is asked for, the newest when none is."""
        if wanted is not None:
            return self._inbox.message(wanted)
        return rows[0] if rows else None

    def _trace(self, message: Message) -> dict[str, str] | None:
        """The request that sent it, while its trace is kept."""
        span = None if message.trace is None else self._render.log.trace(message.trace)
        if span is None:
            return None
        return {"id": span.name, "title": self._render.mask.text(span.title)}


def pieces(message: Message) -> list[Piece]:
    """The text, its link wherever it stands made one."""
    link = safe_link(message.link)
    if link is None:
        return [Piece(message.text, None)]
    parts: list[Piece] = []
    for place, words in enumerate(message.text.split(link)):
        if place:
            parts.append(Piece(link, link))
        parts.append(Piece(words, None))
    return parts


def safe_link(link: str | None) -> str | None:
    """A link that a browser may follow: pushes bring what clients wrote."""
    return link if link is not None and link.startswith(("http://", "https://")) else None


def _command(message: Message) -> str:
    """What shows the same on the command line."""
    quoted = "'" + message.to.replace("'", "'\\''") + "'"
    what = " --code" if message.code else " --link" if message.link else ""
    return f"lean-emu inbox --to {quoted}{what}"


def _kind(raw: str | None) -> MessageKind | None:
    return next((kind for kind in KINDS if kind == raw), None)
