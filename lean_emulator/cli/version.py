"""``lean-emu version``."""

import platform

import click

from lean_emulator import __version__
from lean_emulator.cli import exits
from lean_emulator.cli.command import Documented


@click.command(cls=Documented, examples=["lean-emu version"], codes=(exits.OK,))
def version() -> None:
    """Print the version of lean-emu, and of the Python it runs in."""
    click.echo(
        f"lean-emu {__version__} "
        f"({platform.python_implementation()} {platform.python_version()}, {platform.system()})"
    )
