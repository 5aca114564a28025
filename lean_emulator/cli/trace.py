"""``lean-emu trace``: what a request of the running instance did, step by step."""

import json
from pathlib import Path

import click

from lean_emulator.base.errors import Hint
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import Unreachable
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    not_empty,
    open_project,
    settings_options,
)
from lean_emulator.cli.output import echo_error, hint_text, note
from lean_emulator.cli.served import running
from lean_emulator.cli.trace_text import lines

NONE_YET = Hint(
    en="Nothing has happened yet; reloads of the code do not count.",
    zh="还没有任何请求；代码重新加载不计算在内。",
)
NOT_KEPT = Hint(
    en="Old traces are dropped. lean-emu trace --last shows the newest.",
    zh="旧的 trace 会被丢弃。lean-emu trace --last 显示最新的一条。",
)


@click.command(
    cls=Documented,
    examples=["lean-emu trace --last", "lean-emu trace t-1f", "lean-emu trace --last --json"],
    codes=(exits.OK, exits.ERROR, exits.USAGE, exits.CANNOT_START),
)
@click.argument("name", metavar="[ID]", required=False, callback=not_empty)
@click.option("--last", is_flag=True, help="The newest request, function or hook.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole tree as JSON.")
@click.option(
    "-C",
    "--project",
    "directory",
    metavar="DIR",
    default=".",
    type=click.Path(path_type=Path),
    help="The project's folder. [default: here]",
)
@settings_options(*KEY_NAMES)
def trace(name: str | None, last: bool, as_json: bool, directory: Path, **flags: object) -> int:
    """Show every step of the trace ID: times, time left, what did not run and why.

    IDs are what answers carry in X-Lean-Emu-Trace. Under a step stand what the code printed there
    and what changed in the object: + added, - removed, ~ changed. Only a running instance has
    traces.
    """
    if (name is None) != last:
        raise click.UsageError("Give the ID of a trace, or --last.")
    served = running(open_project(directory, flags), directory)
    try:
        tree = served.admin.find_trace(name or "last")
    except Unreachable as e:
        echo_error(str(e))
        return exits.ERROR
    if tree is None:
        echo_error("there is no trace" + (f" {name!r}" if name else ""))
        note(hint_text(NOT_KEPT if name else NONE_YET))
        return exits.ERROR
    if as_json:
        click.echo(json.dumps(tree, indent=2, ensure_ascii=False))
    else:
        for line in lines(tree):
            click.echo(line)
    return exits.OK
