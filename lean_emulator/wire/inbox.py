"""``/__emu/inbox``: the messages that were not sent, for tests and the command line."""

import asyncio
import contextlib

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.service.inbox import KINDS, Inbox, Message
from lean_emulator.wire.master_only import master_only
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

MAX_WAIT = 30.0
"""Seconds that a request may wait for a message."""


class InboxHandlers:
    """Answers with the master key alone; leaves no traces."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/inbox", master_only(self.messages)),
            Route("DELETE", "/inbox", master_only(self.forget)),
        ]

    async def messages(self, request: Request) -> Answer:
        """Messages, oldest first; ``kind`` and ``to`` choose among them.

        ``after`` is the id of one: only newer ones come. ``wait`` is how many seconds to wait for
        the first of them.
        """
        seconds = _seconds(request.params.get("wait"))
        found = self._chosen(request)
        if not found and seconds:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    found = await self._next(request)
        return Answer({"results": [message.to_json() for message in found]})

    async def forget(self, request: Request) -> Answer:
        self._inbox.clear()
        return Answer({})

    async def _next(self, request: Request) -> list[Message]:
        async for _ in self._inbox.watch():
            if found := self._chosen(request):
                return found
        return []

    def _chosen(self, request: Request) -> list[Message]:
        params = request.params
        kind, to, after = params.get("kind"), params.get("to"), params.get("after")
        if kind is not None and kind not in KINDS:
            raise errors.INVALID_REQUEST(f"kind must be mail, sms or push, not {kind!r}.")
        return [
            message
            for message in self._inbox.after(None if after is None else str(after))
            if kind in (None, message.kind) and to in (None, message.to)
        ]


def _seconds(raw: Json) -> float:
    try:
        seconds = float(str(raw or 0))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_WAIT:
        raise errors.INVALID_REQUEST(f"wait must be seconds up to {MAX_WAIT:g}, got {raw!r}.")
    return seconds
