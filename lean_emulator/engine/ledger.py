"""Which call into the user's code belongs to whom, and whose the lines are that it prints."""

import asyncio
from collections import OrderedDict

from lean_emulator.base.trace import EventLog, Span
from lean_emulator.engine.output import OutputLine

_REMEMBERED = 10_000
_LONGEST_WAIT = 0.05


class Ledger:
    """Calls that are running, by the id that travels with them in both directions."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._open: dict[str, _Entry] = {}
        self._closed: OrderedDict[str, _Entry] = OrderedDict()

    def open(self, call_id: str, call: object, span: Span) -> None:
        """Enter a call before it is sent; its output goes to ``span``."""
        self._open[call_id] = _Entry(call, span)

    def close(self, call_id: str) -> None:
        """The call is over. Lines that come late still reach its span."""
        entry = self._open.pop(call_id, None)
        if entry is None:
            return
        self._closed[call_id] = entry
        if len(self._closed) > _REMEMBERED:
            self._closed.popitem(last=False)

    def find(self, call_id: str) -> object | None:
        """The call that is running under this id; ``None`` when it is unknown or over."""
        entry = self._open.get(call_id)
        return None if entry is None else entry.call

    def ended(self, call_id: str) -> object | None:
        """The call that ran under this id and is over; ``None`` when it runs or is forgotten."""
        entry = self._closed.get(call_id)
        return None if entry is None else entry.call

    def printed(self, line: OutputLine) -> Span | None:
        """Attach a line to the step it was printed in, and say which that is, if it is known."""
        if line.call_id is None:
            return None
        entry = self._open.get(line.call_id)
        known = entry or self._closed.get(line.call_id)
        if known is not None:
            self._log.printed(known.span, line.stream, line.text, line.where)
        if entry is not None:
            entry.count()
        return None if known is None else known.span

    async def all_printed(self, call_id: str, lines: int) -> None:
        """Wait until that many lines have come, at most 50 ms: answer and output use two ways."""
        entry = self._open.get(call_id)
        if entry is None or entry.lines >= lines:
            return
        entry.awaited = lines
        entry.waiter = asyncio.get_running_loop().create_future()
        await asyncio.wait({entry.waiter}, timeout=_LONGEST_WAIT)
        entry.waiter = None


class _Entry:
    __slots__ = ("awaited", "call", "lines", "span", "waiter")

    def __init__(self, call: object, span: Span) -> None:
        self.call = call
        self.span = span
        self.lines = 0
        self.awaited = 0
        self.waiter: asyncio.Future[None] | None = None

    def count(self) -> None:
        self.lines += 1
        if self.waiter is not None and self.lines >= self.awaited and not self.waiter.done():
            self.waiter.set_result(None)
