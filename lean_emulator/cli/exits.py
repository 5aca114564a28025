"""Exit codes, the same for every command."""

import click

OK = 0
ERROR = 1
USAGE = 2
DID_NOT_LOAD = 3
TIMED_OUT = 4
CANNOT_START = 5
BUG = 70
INTERRUPTED = 130

MEANINGS = {
    OK: "done",
    ERROR: "a function, hook, write or statement failed, or nothing is running",
    USAGE: "wrong use: an argument, a setting or JSON that cannot be read",
    DID_NOT_LOAD: "the project's code did not load",
    TIMED_OUT: "the function or hook took longer than its time",
    CANNOT_START: "cannot start: a port in use, a folder or a file that cannot be used",
    INTERRUPTED: "interrupted",
}


def describe(formatter: click.HelpFormatter, codes: tuple[int, ...]) -> None:
    """The section about exit codes in a command's help."""
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(code), MEANINGS[code]) for code in codes])
