"""Small answers that need no service: the time, a sign of life."""

from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.model.values import date
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

OPEN_PATHS = frozenset({("date",), ("ping",)})
"""Paths that want no credentials (storage.md 1.2, 9.4)."""


class SystemHandlers:
    """Answers about the server itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def routes(self) -> list[Route]:
        return [Route("GET", "/date", self.date), Route("GET", "/ping", self.ping)]

    async def date(self, request: Request) -> Answer:
        return Answer(date(iso_text(self._clock.now_ms())))

    async def ping(self, request: Request) -> Answer:
        return Answer({})
