"""``lean-emu trace``: what a request of the running instance did, step by step."""

import http.client
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
from lean_emulator.cli.local_http import Answer, exchange
from lean_emulator.cli.output import chinese, echo_error, hint_text, note
from lean_emulator.cli.served import Served, running
from lean_emulator.cli.trace_text import lines

PAGE_SECONDS = 30.0

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
    examples=[
        "lean-emu trace --last",
        "lean-emu trace t-1f",
        "lean-emu trace --last --json",
        "lean-emu trace t-1f --html trace.html",
    ],
    codes=(exits.OK, exits.ERROR, exits.USAGE, exits.CANNOT_START),
)
@click.argument("name", metavar="[ID]", required=False, callback=not_empty)
@click.option("--last", is_flag=True, help="The newest request, function or hook.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole tree as JSON.")
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, writable=True, allow_dash=True),
    help="Write it as one HTML file that opens anywhere; - for stdout.",
)
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
def trace(
    name: str | None,
    last: bool,
    as_json: bool,
    page: Path | None,
    directory: Path,
    **flags: object,
) -> int:
    """Show every step of the trace ID: times, time left, what did not run and why.

    IDs are what answers carry in X-Lean-Emu-Trace. Under a step stand what the code printed there
    and what changed in the object: + added, - removed, ~ changed. Only a running instance has
    traces.
    """
    if as_json and page is not None:
        raise click.UsageError("Give --json or --html, not both.")
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
    if page is not None:
        return _write_page(served, str(tree["id"]), page)
    if as_json:
        click.echo(json.dumps(tree, indent=2, ensure_ascii=False))
    else:
        for line in lines(tree):
            click.echo(line)
    return exits.OK


def _write_page(served: Served, name: str, path: Path) -> int:
    """The console's page of the trace, into a file or to stdout."""
    try:
        answer = _page(served.console_url, name)
    except (OSError, http.client.HTTPException) as e:
        raise click.ClickException(f"the console, {served.console_url}, broke off: {e}") from e
    if answer.status != 200:
        raise click.ClickException(f"the console answered {answer.status} for trace {name}")
    if str(path) == "-":
        click.echo(answer.body, nl=False)
        return exits.OK
    try:
        path.write_bytes(answer.body)
    except OSError as e:
        raise click.ClickException(f"{path} cannot be written: {e.strerror}") from e
    note(f"{path}  {len(answer.body) / 1000:.0f} kB")
    return exits.OK


def _page(console_url: str, name: str) -> Answer:
    headers = {"Accept-Language": "zh" if chinese() else "en"}
    return exchange(
        console_url, "GET", f"/traces/{name}.html", headers=headers, seconds=PAGE_SECONDS
    )
