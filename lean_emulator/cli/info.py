"""``lean-emu info``: the running instance of a project."""

import json
import time
from pathlib import Path
from typing import Any

import click

from lean_emulator import instance_file, keys
from lean_emulator.cli import exits
from lean_emulator.cli.banner import keys_place
from lean_emulator.cli.command import Documented, directory_argument, load_settings
from lean_emulator.cli.console_client import ConsoleClient, Unreachable
from lean_emulator.cli.output import warn
from lean_emulator.instance_file import Health, Instance, Sighting

REASONS = {
    Health.ABSENT: "nothing is running",
    Health.GONE: "nothing is running; the last instance (pid {pid}) ended without saying so",
    Health.SILENT: "process {pid} is there, but {url} does not answer as lean-emu",
}


@click.command(
    cls=Documented,
    examples=["lean-emu info", "lean-emu info fixtures/cloud/reviews --json"],
    codes=(exits.OK, exits.ERROR, exits.USAGE, exits.CANNOT_START),
)
@directory_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def info(directory: Path, as_json: bool) -> int:
    """Show the instance that serves the project in DIR: addresses, code, age.

    Leaves with 1 when there is none.
    """
    project_dir = load_settings(directory, {}).project_dir
    sighting = instance_file.look(project_dir)
    kept = keys.path_in(project_dir)
    facts = {
        **described(sighting),
        "project": str(project_dir),
        "keys": keys_place(kept) if kept.exists() else "none yet",
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        for name, value in facts.items():
            click.echo(f"{name:<10} {_shown(value)}")
    return exits.OK if sighting.running else exits.ERROR


def described(sighting: Sighting) -> dict[str, Any]:
    """The instance as names and values; ``running`` comes first."""
    instance = sighting.running
    if instance is None:
        seen = sighting.instance
        reason = REASONS[sighting.health]
        text = reason.format(pid=seen.pid, url=seen.api_url) if seen else reason
        return {"running": False, "reason": text}
    return {
        "running": True,
        "version": instance.version,
        "pid": instance.pid,
        "api": instance.api_url,
        "console": instance.console_url,
        "app_id": instance.app_id,
        "up_seconds": max(0, round(time.time() - instance.started_ms / 1000)),
        **_code(instance),
    }


def _code(instance: Instance) -> dict[str, Any]:
    try:
        hooks = ConsoleClient(instance.console_url).hooks()
    except Unreachable as e:
        warn(str(e))
        return {}
    return {
        "code": hooks.state if hooks.failure is None else f"{hooks.state}: {hooks.failure}",
        "functions": hooks.functions,
        "hooks": hooks.hooks,
    }


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else str(value)
