"""``lean-emu snapshot`` and ``lean-emu reset``: all objects as they were, or none."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from lean_emulator.cli import exits, table
from lean_emulator.cli.command import Documented, not_empty
from lean_emulator.cli.output import note
from lean_emulator.cli.running_instance import CODES, RunningInstance, instance_options

ACTIONS = ("save", "list", "load", "diff", "rm")


@click.command(
    cls=Documented,
    examples=[
        "lean-emu snapshot save before",
        "lean-emu snapshot list",
        "lean-emu snapshot diff before",
        "lean-emu snapshot load before",
        "lean-emu snapshot rm before",
    ],
    codes=CODES,
)
@click.argument("action", type=click.Choice(ACTIONS), metavar="|".join(ACTIONS))
@click.argument("name", required=False, callback=not_empty)
@click.option("--to", metavar="NAME", help="With diff: up to this snapshot. [default: now]")
@instance_options
def snapshot(
    action: str,
    name: str | None,
    to: str | None,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Save all objects of the running instance under a name, and come back to them.

    Saving and loading take no time whatever there is. With `--storage tinydb` snapshots outlive
    the instance. Contents of files, traces and the inbox are not part of them.
    """
    if (action == "list") != (name is None):
        raise click.UsageError("Every action but list takes the name of a snapshot.")
    if to is not None and action != "diff":
        raise click.UsageError("--to goes with diff alone.")
    told = _do(RunningInstance(directory, flags), action, name or "", to)
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    elif action == "list":
        _list(told["results"])
    elif action == "diff":
        _diff(told["classes"])
    elif action != "rm":
        click.echo(f"{told['name']}: {told['objects']} objects of {len(told['classes'])} classes")
    return exits.OK


def _do(instance: RunningInstance, action: str, name: str, to: str | None) -> dict[str, Any]:
    match action:
        case "list":
            return instance.ask("GET", "snapshots")
        case "save":
            return instance.ask("PUT", "snapshots", name)
        case "load":
            return instance.ask("POST", "snapshots", name, "load")
        case "rm":
            return instance.ask("DELETE", "snapshots", name)
        case _:
            return instance.ask("GET", "snapshots", name, "diff", to=to)


def _list(snapshots: list[dict[str, Any]]) -> None:
    rows = [
        {
            "name": each["name"],
            "saved": each["at"],
            "objects": each["objects"],
            "classes": ", ".join(f"{name} {count}" for name, count in each["classes"].items()),
        }
        for each in snapshots
    ]
    for line in table.lines(rows, widest=80):
        click.echo(line)
    if not rows:
        note("There are no snapshots. Make one: lean-emu snapshot save NAME")


def _diff(classes: dict[str, Any]) -> None:
    for class_name, kinds in classes.items():
        for kind, sign in (("added", "+"), ("removed", "-"), ("changed", "~")):
            found = kinds.get(kind, {"count": 0, "objects": []})
            for row in found["objects"]:
                fields = ", ".join(
                    f"{change['key']}: {table.cell(change.get('before'))} → "
                    f"{table.cell(change.get('after'))}"
                    for change in row.get("changes", ())
                )
                click.echo(f"{sign} {class_name} {row['objectId']}  {fields}".rstrip())
            more = found["count"] - len(found["objects"])
            if more:
                click.echo(f"{sign} {class_name}: {more} more")
    if not classes:
        note("Nothing is different.")


@click.command(
    cls=Documented,
    examples=["lean-emu reset", "lean-emu reset --yes"],
    codes=(*CODES, exits.INTERRUPTED),
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance_options
def reset(yes: bool, as_json: bool, directory: Path, **flags: object) -> int:
    """Forget all objects, files, messages and traces of the running instance.

    Code stays loaded, classes of schema files stay declared, snapshots stay.
    """
    instance = RunningInstance(directory, flags)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Nobody can be asked here: say --yes.")
        click.confirm("Forget all objects?", abort=True)
    instance.ask("POST", "reset")
    click.echo(json.dumps({"reset": True}) if as_json else "Everything is forgotten.")
    return exits.OK
