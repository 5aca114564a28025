"""The log of what the code printed."""

from lean_emulator.base.clock import ManualClock
from lean_emulator.service.logbook import LONGEST, Logbook


def test_the_newest_lines_are_kept_and_numbered_for_good() -> None:
    book = Logbook(ManualClock(), capacity=2)
    for n in range(1, 4):
        book.add("stdout", f"line {n}")
    assert [(line.number, line.text) for line in book.lines()] == [(2, "line 2"), (3, "line 3")]
    assert book.written == 3


def test_a_line_knows_where_it_was_printed_and_is_cut() -> None:
    book = Logbook(ManualClock())
    book.add("stderr", "x" * (LONGEST + 1), "t-1", "s-2", "cloud.py:3")
    (line,) = book.lines()
    assert (line.trace, line.step, line.where) == ("t-1", "s-2", "cloud.py:3")
    assert len(line.text) == LONGEST
