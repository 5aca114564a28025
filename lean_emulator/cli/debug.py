"""``lean-emu debug``: the console alone, for code that was started somewhere else."""

import dataclasses
from functools import partial
from pathlib import Path

import click

from lean_emulator.base.errors import StartError
from lean_emulator.cli import exits
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    Project,
    directory_argument,
    open_project,
    settings_options,
)
from lean_emulator.cli.output import Terminal, complain, styled
from lean_emulator.cli.stopping import StopSignals, run
from lean_emulator.cli.up import explained, print_output, printed_traffic
from lean_emulator.settings import Settings


@click.command(
    cls=Documented,
    examples=[
        "lean-emu debug",
        "lean-emu debug --remote http://localhost:8080 --port 4001",
        "lean-emu debug --remote http://192.168.1.5:3000 --app-id ID --hook-key KEY",
    ],
    codes=(exits.OK, exits.USAGE, exits.CANNOT_START, exits.INTERRUPTED),
)
@directory_argument
@click.option(
    "-r",
    "--remote",
    metavar="URL",
    default="http://localhost:3000",
    show_default=True,
    help="Where the code listens.",
)
@click.option(
    "-p",
    "--port",
    "console_port",
    metavar="INT",
    default="3001",
    show_default=True,
    help="Port of the console.",
)
@settings_options("host", "timeouts", *KEY_NAMES)
def debug(directory: Path, remote: str, **flags: object) -> int:
    """Serve the debug console, and call the functions and hooks of code that runs elsewhere.

    The code must know the keys of the project in DIR, or those given here. What its hooks and
    functions store goes where the code itself was told to store it.
    """
    project = open_project(directory, flags)
    project = project._replace(settings=console_only(project.settings, remote))
    try:
        return run(serve(project, remote))
    except StartError as e:
        complain(explained(e, project.settings, directory))
        return exits.CANNOT_START


def console_only(settings: Settings, remote: str) -> Settings:
    """The same, with nothing that would write a file, start code or call it unasked."""
    return dataclasses.replace(
        settings,
        attach=remote,
        port=0,
        storage="memory",
        staging=None,
        debugpy=None,
        timers=False,
        schema=None,
    )


async def serve(project: Project, remote: str) -> int:
    """Run the console until a signal; the exit code. Raises ``StartError``."""
    from lean_emulator.emulator import Emulator

    with StopSignals() as stop:
        say = Terminal(gone=stop.asked.set)
        emulator = Emulator(project.settings, project.keys, on_output=partial(print_output, say))
        try:
            if not await stop.before(emulator.start()):
                return exits.OK
            say(f"  {styled('Console  ', dim=True)}{styled(emulator.console_url, fg='cyan')}")
            say(f"  {styled('Code     ', dim=True)}{remote}")
            say(f"  {styled('App id   ', dim=True)}{project.keys.app_id}")
            async with printed_traffic(say, emulator, verbose=project.settings.verbose):
                await stop.asked.wait()
        finally:
            await emulator.stop()
    say(styled("stopped", bold=True))
    return exits.OK
