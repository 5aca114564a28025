"""``lean-emu info``: the running instance of a project."""

import json
import time
from pathlib import Path
from typing import Any

import click

from lean_emulator import instance_file, keys
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import AdminClient, Unreachable
from lean_emulator.cli.banner import grouped, keys_place
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    Project,
    directory_argument,
    load_settings,
    open_project,
    settings_options,
)
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
@settings_options(*KEY_NAMES)
def info(directory: Path, as_json: bool, **flags: object) -> int:
    """Show the instance that serves the project in DIR: addresses, code, age.

    Leaves with 1 when there is none.
    """
    project_dir = load_settings(directory, flags).project_dir
    sighting = instance_file.look(project_dir)
    kept = keys.path_in(project_dir)
    facts = {
        **described(sighting),
        "project": str(project_dir),
        "keys": keys_place(kept) if kept.exists() else "none kept",
    }
    if sighting.running is not None:
        facts.update(_code(sighting.running, open_project(directory, flags)))
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
    }


def _code(instance: Instance, project: Project) -> dict[str, Any]:
    try:
        told = AdminClient(instance.api_url, project.keys).info()
    except Unreachable as e:
        warn(str(e))
        return {}
    functions, hooks = grouped(told["names"])
    staging = told.get("staging")
    return {
        "data": told["storage"],
        "code": told["state"],
        "functions": functions,
        "hooks": [f"{name} {word}" for name, words in hooks.items() for word in words],
        **({} if staging is None else {"staging": staging["state"]}),
    }


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
