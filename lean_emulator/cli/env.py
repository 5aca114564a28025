"""``lean-emu env``: what a client or SDK needs in its environment."""

import json
from pathlib import Path

import click

from lean_emulator import instance_file
from lean_emulator.base.errors import Hint, StartError
from lean_emulator.cli import exits
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    Project,
    directory_argument,
    open_project,
    settings_options,
)
from lean_emulator.cli.output import warn
from lean_emulator.cli.shells import SHELLS, commands
from lean_emulator.engine.attached import address_of
from lean_emulator.engine.environment import AppKeys, platform_variables
from lean_emulator.keys import client_variables

DEFAULT_APP = "http://localhost:3002"
"""Where an app listens that was told no other address; 3000 and 3001 are taken by us."""

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared with, not bound to
"""Where a client on this machine finds a server that listens everywhere."""


@click.command(
    cls=Documented,
    examples=[
        'eval "$(lean-emu env)"',
        "lean-emu env fixtures/cloud/reviews --json",
        "lean-emu env --shell fish | source",
        "lean-emu env --code --attach http://localhost:3002",
    ],
    codes=(exits.OK, exits.USAGE, exits.CANNOT_START),
)
@directory_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--shell",
    type=click.Choice(list(SHELLS)),
    default="posix",
    show_default=True,
    help="Whose syntax to print.",
)
@click.option(
    "--code",
    "for_code",
    is_flag=True,
    help="Print what the project's own code needs, for starting it somewhere else: in an IDE, say.",
)
@settings_options("host", "port", "attach", *KEY_NAMES)
def env(directory: Path, as_json: bool, shell: str, for_code: bool, **flags: object) -> None:
    """Print the variables that point SDKs and clients at the project in DIR.

    They name the running instance; without one they name the address that `up` would take.
    With --code, the code is told to listen on the port of --attach.
    """
    project = open_project(directory, flags)
    if project.keys_path is None and any(getattr(project.settings, n) is None for n in KEY_NAMES):
        raise StartError(
            "There are no kept keys to print.",
            hint=Hint(
                "Make the project folder writable, or set all four keys.",
                "请使项目目录可写，或设置全部四个密钥。",
            ),
        )
    url = api_url(project)
    variables = variables_for_code(project, url) if for_code else variables_for(project, url)
    if as_json:
        click.echo(json.dumps(variables, indent=2))
    else:
        for line in commands(shell, variables):
            click.echo(line)


def variables_for(project: Project, url: str) -> dict[str, str]:
    """What a client of the project needs."""
    return client_variables(project.keys, url)


def variables_for_code(project: Project, url: str) -> dict[str, str]:
    """What the platform sets for code (engine.md 1.1), with the port that ``attach`` names."""
    keys = project.keys
    address = address_of(project.settings.attach or DEFAULT_APP)
    variables = platform_variables(
        AppKeys(keys.app_id, keys.app_key, keys.master_key, keys.hook_key),
        api_server=url,
        port=address.port or 0,
    )
    return {**variables, "PORT": variables["LEANCLOUD_APP_PORT"]}


def api_url(project: Project) -> str:
    """The running instance's address, else the one that the settings give."""
    settings = project.settings
    running = instance_file.look(settings.project_dir).running
    if running is not None:
        if running.app_id != project.keys.app_id:
            warn(
                f"The running instance (pid {running.pid}) has other keys (app id "
                f"{running.app_id}): give the same key options here as there."
            )
        return running.api_url
    if settings.port == 0:
        raise StartError(
            "The port is any free one and nothing is running, so there is no address to print.",
            hint=Hint("Start it first: lean-emu up", "请先启动：lean-emu up"),
        )
    host = ANY_ADDRESS.get(settings.host, settings.host)
    return f"http://{host}:{settings.port}"
