"""Calls by their id, and lines by their call."""

import asyncio
import time

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.engine.ledger import Ledger
from lean_emulator.engine.output import OutputLine


def ledger() -> tuple[Ledger, EventLog]:
    log = EventLog(ManualClock())
    return Ledger(log), log


def line(text: str, call_id: str | None) -> OutputLine:
    return OutputLine("stdout", text, call_id, "cloud.py:1")


def texts(span: Span) -> list[str]:
    return [printed.text for printed in span.prints or []]


def test_only_a_running_call_is_found() -> None:
    book, log = ledger()
    call = object()
    book.open("a", call, log.begin("function", "f"))
    assert book.find("a") is call
    assert book.find("b") is None
    book.close("a")
    book.close("never opened")
    assert book.find("a") is None


def test_lines_go_to_the_span_of_their_call_even_late() -> None:
    book, log = ledger()
    span = log.begin("function", "f")
    book.open("a", object(), span)
    assert book.printed(line("in time", "a")) is span
    book.close("a")
    assert book.printed(line("late", "a")) is span
    assert book.printed(line("of nobody", None)) is None
    assert book.printed(line("of somebody unknown", "z")) is None
    assert texts(span) == ["in time", "late"]


def test_the_spans_of_old_calls_are_let_go() -> None:
    book, log = ledger()
    spans = [log.begin("function", "f") for _ in range(10_001)]
    for number, span in enumerate(spans):
        book.open(str(number), object(), span)
        book.close(str(number))
    book.printed(line("too late", "0"))
    book.printed(line("late", "1"))
    assert texts(spans[0]) == []
    assert texts(spans[1]) == ["late"]


def test_an_answer_waits_for_its_lines_but_not_long() -> None:
    book, log = ledger()

    async def main() -> None:
        book.open("a", object(), log.begin("function", "f"))
        waiting = asyncio.create_task(book.all_printed("a", 2))
        book.printed(line("1", "a"))
        await asyncio.sleep(0)
        assert not waiting.done()
        book.printed(line("2", "a"))
        await waiting
        await book.all_printed("a", 2)
        await book.all_printed("unknown", 9)
        began = time.monotonic()
        await book.all_printed("a", 3)
        assert 0.04 < time.monotonic() - began < 2

    asyncio.run(main())
