"""How far an import is: a bar on a terminal, a line now and then elsewhere; all on stderr."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from lean_emulator.cli.output import note
from lean_emulator.cli.table import one_line

Moved = Callable[[int, int, int], object]
BETWEEN = 5.0
"""Seconds between two lines."""


@contextmanager
def progress() -> Iterator[Callable[[str], Moved]]:
    """Gives a function that begins a file, and gives what is told how far that one is."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows, {task.fields[rate]} rows/s"),
        TimeRemainingColumn(),
    )
    if not console.is_terminal:
        yield _Lines
        return
    with Progress(*columns, console=console) as bars:

        def begin(name: str) -> Moved:
            shown = one_line(name).replace("[", "\\[")
            bar = bars.add_task(shown, total=None, rows="0", rate="-")
            began = time.monotonic()

            def moved(at: int, total: int, rows: int) -> None:
                rate = f"{_rate(rows, began):,}"
                bars.update(bar, completed=at, total=total, rows=f"{rows:,}", rate=rate)

            return moved

        yield begin


class _Lines:
    """Tells of a file that takes long."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._began = self._told = time.monotonic()

    def __call__(self, at: int, total: int, rows: int) -> None:
        now = time.monotonic()
        if now - self._told >= BETWEEN:
            self._told = now
            rate = _rate(rows, self._began)
            note(f"{one_line(self._name)}: {100 * at // total} %, {rows} rows, {rate} rows/s")


def _rate(rows: int, began: float) -> int:
    return int(rows / max(time.monotonic() - began, 0.001))
