"""``lean-emu cql``: statements of CQL against the running instance."""

import sys
from pathlib import Path

import click

from lean_emulator import instance_file, state_folder
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import AdminClient, Unreachable
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    Project,
    open_project,
    settings_options,
)
from lean_emulator.cli.cql_shell import Classes, Shell
from lean_emulator.cli.info import REASONS
from lean_emulator.cli.output import echo_error, note
from lean_emulator.cli.statements import CqlClient, report, split
from lean_emulator.instance_file import Instance

HISTORY = "cql_history"


@click.command(
    cls=Documented,
    examples=[
        "lean-emu cql",
        "lean-emu cql --eval 'select * from Review where stars > 3 limit 10'",
        "lean-emu cql --eval 'select count(*) from Review' --json",
        "lean-emu cql < statements.cql",
    ],
    codes=(exits.OK, exits.ERROR, exits.USAGE, exits.CANNOT_START, exits.INTERRUPTED),
)
@click.option(
    "-e", "--eval", "texts", metavar="CQL", multiple=True, help="Run this; may be repeated."
)
@click.option(
    "-f",
    "--format",
    "layout",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How answers are printed.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
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
def cql(
    texts: tuple[str, ...], layout: str, as_json: bool, directory: Path, **flags: object
) -> int:
    """Ask and change the running instance in CQL, with the master key. Hooks fire as usual.

    A prompt on a terminal; otherwise statements come from --eval or standard input, separated by
    semicolons, and the first that fails ends the command with 1.
    """
    project = open_project(directory, flags)
    sighting = instance_file.look(project.settings.project_dir)
    if sighting.running is None:
        seen = sighting.instance
        reason = REASONS[sighting.health]
        echo_error(reason.format(pid=seen.pid, url=seen.api_url) if seen else reason)
        note(f"Start it first: lean-emu up {directory}")
        return exits.ERROR
    client = CqlClient(sighting.running.api_url, project.keys)
    as_json = as_json or layout == "json"
    if not texts and sys.stdin.isatty():
        return _prompt(client, sighting.running, project, as_json=as_json)
    return _all(client, texts or (_standard_input(),), as_json=as_json)


def _prompt(client: CqlClient, instance: Instance, project: Project, *, as_json: bool) -> int:
    admin = AdminClient(instance.api_url, project.keys)

    def known() -> Classes:
        try:
            return {name: [*one.get("schema", {})] for name, one in admin.schemas().items()}
        except Unreachable:
            return {}  # Tab finds nothing then; the next statement says why

    note(f"{instance.api_url}, as master. help shows examples, exit leaves.")
    shell = Shell(lambda line: report(client.ask(line), as_json=as_json), known)
    shell.serve(state_folder.path_in(project.settings.project_dir) / HISTORY)
    return exits.OK


def _all(client: CqlClient, texts: tuple[str, ...], *, as_json: bool) -> int:
    statements = [statement for text in texts for statement in split(text)]
    if not statements:
        raise click.UsageError("There is no statement: give --eval, or write to standard input.")
    for statement in statements:
        came = client.ask(statement)
        report(came, as_json=as_json)
        if not came.ok:
            return exits.ERROR
    return exits.OK


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise click.UsageError(f"Standard input is not UTF-8 (byte {e.start}).") from e
