"""``lean-emu queue``: functions that wait in the cloud queue of the running instance."""

import json
from pathlib import Path

import click

from lean_emulator.cli import table
from lean_emulator.cli.command import Documented, not_empty
from lean_emulator.cli.output import note
from lean_emulator.cli.running_instance import CODES, RunningInstance, instance_options

ACTIONS = ("list", "rm")


@click.command(
    cls=Documented,
    examples=["lean-emu queue list", "lean-emu queue list --json", "lean-emu queue rm order-17"],
    codes=CODES,
)
@click.argument("action", type=click.Choice(ACTIONS), metavar="list|rm", default="list")
@click.argument("unique_id", required=False, callback=not_empty)
@instance_options
def queue(
    action: str, unique_id: str | None, as_json: bool, directory: Path, **flags: object
) -> int:
    """Show what is in the cloud queue, or take a task out of it before it runs.

    Finished tasks stay as long as their result is kept. Time can be moved: `lean-emu clock`.
    """
    if (action == "rm") != (unique_id is not None):
        raise click.UsageError("queue list takes no id, queue rm takes the uniqueId of a task.")
    instance = RunningInstance(directory, flags)
    if unique_id is not None:
        instance.ask("DELETE", "queue", unique_id)
        return 0
    tasks = instance.ask("GET", "queue")["results"]
    if as_json:
        click.echo(json.dumps({"results": tasks}, indent=2, ensure_ascii=False))
        return 0
    rows = [
        {
            "uniqueId": task["uniqueId"],
            "function": task["function"],
            "status": "running" if task["running"] else task["status"],
            "due": task["dueAt"],
            "tried": task["tried"],
            "error": task.get("error", ""),
            "trace": task["trace"] or "",
        }
        for task in tasks
    ]
    for line in table.lines(rows, widest=60):
        click.echo(line)
    if not rows:
        note("The queue is empty. In Node: AV.Cloud.enqueue('name', params, { delay: 60000 })")
    return 0
