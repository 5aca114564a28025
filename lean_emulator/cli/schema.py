"""``lean-emu schema``: what classes look like, from the running instance into files."""

import json
from pathlib import Path

import click

from lean_emulator import instance_file, schema_folder
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import AdminClient, Unreachable
from lean_emulator.cli.command import KEY_NAMES, Documented, open_project, settings_options
from lean_emulator.cli.info import REASONS
from lean_emulator.cli.output import echo_error, note, styled
from lean_emulator.schema_folder import Written

ACTIONS = ("dump",)


@click.command(
    cls=Documented,
    examples=[
        "lean-emu schema dump",
        "lean-emu schema dump --out /tmp/schema",
        "lean-emu schema dump -C fixtures/cloud/reviews --json",
    ],
    codes=(exits.OK, exits.ERROR, exits.USAGE, exits.CANNOT_START),
)
@click.argument("action", type=click.Choice(ACTIONS), metavar="dump")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write. [default: the folder that was read at start, else schema/]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "-C",
    "--project",
    "directory",
    metavar="DIR",
    default=".",
    type=click.Path(path_type=Path),
    help="The project's folder. [default: here]",
)
@settings_options("schema", *KEY_NAMES)
def schema(action: str, out: Path | None, as_json: bool, directory: Path, **flags: object) -> int:
    """Write every class of the running instance into a file, for the repository.

    A class goes into the file it has, or into <Class>.schema.json; files of other classes stay.
    `lean-emu up` reads the files at its next start.
    """
    project = open_project(directory, flags)
    project_dir, chosen = project.settings.project_dir, project.settings.schema
    sighting = instance_file.look(project_dir)
    if sighting.running is None:
        seen = sighting.instance
        reason = REASONS[sighting.health]
        echo_error(reason.format(pid=seen.pid, url=seen.api_url) if seen else reason)
        note(f"Start it first: lean-emu up {directory}")
        return exits.ERROR
    try:
        classes = AdminClient(sighting.running.api_url, project.keys).schemas()
    except Unreachable as e:
        echo_error(str(e))
        return exits.ERROR
    folder = out or project_dir / (chosen or schema_folder.NAME)
    report(folder, schema_folder.write(folder, classes), as_json=as_json)
    return exits.OK


def report(folder: Path, written: list[Written], *, as_json: bool) -> None:
    """Print what became of each file."""
    if as_json:
        files = [
            {"class": each.class_name, "file": str(each.path), "change": each.change}
            for each in written
        ]
        click.echo(json.dumps({"folder": str(folder), "files": files}, ensure_ascii=False))
        return
    for each in written:
        click.echo(f"{each.change:<8} {each.path}")
    changed = sum(each.change != "same" for each in written)
    classes = f"{len(written)} class{'' if len(written) == 1 else 'es'}"
    note(styled(f"{classes}, {changed} written", dim=True, err=True))
