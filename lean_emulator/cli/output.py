"""What goes to the terminal: results to stdout; everything about them to stderr.

Colours appear on terminals alone, and not where ``NO_COLOR`` is set.
"""

import os
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TextIO

import click

from lean_emulator.base.errors import Hint, LeanEmuError


def chinese(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether hints are in Chinese: the first set of ``LEAN_EMU_LANG``, ``LC_ALL``, ``LANG``."""
    for name in ("LEAN_EMU_LANG", "LC_ALL", "LANG"):
        if environ.get(name):
            return environ[name].lower().startswith("zh")
    return False


def hint_text(hint: Hint) -> str:
    return hint.zh if chinese() else hint.en


def complain(error: LeanEmuError) -> None:
    """An error of ours: what failed, and under it what to do next."""
    echo_error(error.message)
    if error.hint is not None:
        note(hint_text(error.hint))


def echo_error(text: str) -> None:
    click.echo(styled("error: ", fg="red", bold=True, err=True) + text, err=True)


def warn(text: str) -> None:
    click.echo(styled("warning: ", fg="yellow", bold=True, err=True) + text, err=True)


def note(text: str) -> None:
    click.echo(text, err=True)


class Terminal:
    """Prints lines to stdout; when nobody reads them any more, it says so once and goes quiet."""

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone
        self._open = True

    def __call__(self, line: str) -> None:
        if not self._open:
            return
        try:
            click.echo(line)
        except BrokenPipeError:
            self._open = False
            discard_stdout()
            self._gone()


def discard_stdout() -> None:
    """Keep the interpreter from complaining at its end about a reader that has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@lru_cache(maxsize=8)  # a busy server prints many words, and asking is a system call
def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def styled(
    text: str,
    *,
    fg: str | None = None,
    bold: bool = False,
    dim: bool = False,
    err: bool = False,
) -> str:
    """The text with colours, as far as the stream is a terminal that wants them."""
    stream = sys.stderr if err else sys.stdout
    if not _is_terminal(stream) or os.environ.get("NO_COLOR"):
        return text
    return click.style(text, fg=fg, bold=bold or None, dim=dim or None)
