"""``lean-emu stop``: ends the running instance of a project."""

import json
import os
import signal
import time
from pathlib import Path

import click

from lean_emulator import instance_file
from lean_emulator.base.errors import Hint
from lean_emulator.cli import exits
from lean_emulator.cli.command import Documented, load_settings
from lean_emulator.cli.output import echo_error, hint_text, note
from lean_emulator.cli.running_instance import RunningInstance, instance_options

LOOK_SECONDS = 0.05


@click.command(
    cls=Documented,
    examples=["lean-emu stop", "lean-emu stop -C fixtures/cloud/reviews --json"],
    codes=(exits.OK, exits.ERROR, exits.USAGE, exits.TIMED_OUT, exits.CANNOT_START),
)
@click.option(
    "--wait",
    type=click.FloatRange(0, 600),
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="How long it may take to end.",
)
@instance_options
def stop(wait: float, as_json: bool, directory: Path, **flags: object) -> int:
    """Stop the instance that serves the project, as Ctrl-C does, and wait until it has ended.

    What is kept is written before. Leaves with 1 when nothing is running, 4 when it does not end
    in time.
    """
    instance = RunningInstance(directory, flags)
    pid = int(instance.ask("GET", "info")["pid"])
    began = time.monotonic()
    try:
        os.kill(pid, signal.SIGTERM)
    except PermissionError:
        echo_error(f"Process {pid} belongs to somebody else.")
        return exits.ERROR
    project_dir = load_settings(directory, flags).project_dir
    while not _ended(project_dir, pid):
        if time.monotonic() - began > wait:
            echo_error(f"Process {pid} has not ended within {wait:g} seconds.")
            note(hint_text(Hint(f"Make it end: kill -9 {pid}", f"强制结束：kill -9 {pid}")))
            return exits.TIMED_OUT
        time.sleep(LOOK_SECONDS)
    seconds = round(time.monotonic() - began, 2)
    if as_json:
        click.echo(json.dumps({"stopped": True, "pid": pid, "seconds": seconds}))
    else:
        click.echo(f"stopped (pid {pid}, {seconds:.2f} s)")
    return exits.OK


def _ended(project_dir: Path, pid: int) -> bool:
    if os.name == "nt":  # nobody can ask for a process there
        return instance_file.look(project_dir).running is None
    return not instance_file.exists(pid)
