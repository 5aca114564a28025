"""``lean-emu logs``: what the code of the running instance printed, and what was asked."""

import json
from pathlib import Path
from typing import Any

import click

from lean_emulator import instance_file
from lean_emulator.base.trace import Outcome
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import Unreachable
from lean_emulator.cli.command import Documented, open_project
from lean_emulator.cli.output import echo_error, note, styled
from lean_emulator.cli.running_instance import CODES, instance_options
from lean_emulator.cli.served import running
from lean_emulator.cli.traffic import COLOURS, printable

WAIT_SECONDS = 20.0
KINDS = ("output", "requests")


@click.command(
    cls=Documented,
    examples=[
        "lean-emu logs",
        "lean-emu logs -f",
        "lean-emu logs --only output --lines 20",
        "lean-emu logs -f --json | jq .title",
    ],
    codes=(*CODES, exits.INTERRUPTED),
)
@click.option("--follow", "-f", is_flag=True, help="Go on with lines as they come.")
@click.option(
    "--lines",
    "-n",
    type=click.IntRange(0, 10_000),
    default=100,
    show_default=True,
    metavar="N",
    help="How many of the newest lines to begin with.",
)
@click.option("--only", type=click.Choice(KINDS), help="Only what the code printed, or requests.")
@instance_options
def logs(
    follow: bool,
    lines: int,
    only: str | None,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Show what the running instance's code printed (│), and requests as they were answered.

    The newest 2,000 lines of the code are kept, and as many requests as the console remembers.
    --json prints an object for each line. Following ends with the instance, or with Ctrl-C.
    """
    project = open_project(directory, flags)
    admin = running(project, directory).admin
    try:
        told = admin.logs()
        _print(_wanted(told["results"], only)[-lines:] if lines else [], as_json=as_json)
        while follow:
            told = admin.logs(told["cursor"], WAIT_SECONDS)
            _print(_wanted(told["results"], only), as_json=as_json)
    except Unreachable as e:
        if follow and instance_file.look(project.settings.project_dir).running is None:
            note("The instance has ended.")
            return exits.OK
        echo_error(str(e))
        return exits.ERROR
    return exits.OK


def _wanted(entries: list[dict[str, Any]], only: str | None) -> list[dict[str, Any]]:
    if only is None:
        return entries
    return [entry for entry in entries if (entry["kind"] == "output") is (only == "output")]


def _print(entries: list[dict[str, Any]], *, as_json: bool) -> None:
    for entry in entries:
        click.echo(json.dumps(entry, ensure_ascii=False) if as_json else _line(entry))


def _line(entry: dict[str, Any]) -> str:
    time = styled(str(entry["at"])[11:23], dim=True)
    if entry["kind"] == "output":
        mark = styled("│", fg="yellow" if entry["stream"] == "stderr" else "blue")
        return f"{time}  {mark} {printable(str(entry['text']))}"
    status = str(entry["status"] or ("↻" if entry["kind"] == "reload" else "-"))
    words = [
        time,
        styled(f"{status:>3}", fg=_colour(entry["outcome"])),
        printable(str(entry["title"])),
        styled(f"{entry['tookMs']:.0f} ms", dim=True),
        *(styled(printable(str(h["title"])), fg=_colour(h["outcome"])) for h in entry["hooks"]),
    ]
    return "  ".join(words)


def _colour(outcome: Outcome) -> str:
    return COLOURS[outcome]
