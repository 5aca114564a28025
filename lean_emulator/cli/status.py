"""``lean-emu status``: how the running instance of a project is."""

import json
import shlex
import time
from pathlib import Path
from typing import Any

import click

from lean_emulator import instance_file
from lean_emulator.base.errors import Hint
from lean_emulator.cli import exits
from lean_emulator.cli.banner import grouped
from lean_emulator.cli.command import Documented, load_settings
from lean_emulator.cli.info import described
from lean_emulator.cli.output import hint_text, note, styled
from lean_emulator.cli.running_instance import RunningInstance, instance_options

LOOK_SECONDS = 0.05


@click.command(
    cls=Documented,
    examples=["lean-emu status", "lean-emu status --wait 30 && npm test", "lean-emu status --json"],
    codes=(exits.OK, exits.ERROR, exits.USAGE, exits.DID_NOT_LOAD, exits.CANNOT_START),
)
@click.option(
    "--wait",
    type=click.FloatRange(0, 3_600),
    default=0.0,
    metavar="SECONDS",
    help="Wait that long for an instance whose code has loaded.",
)
@instance_options
def status(wait: float, as_json: bool, directory: Path, **flags: object) -> int:
    """Say how the running instance is: code, objects, tasks, messages, clock.

    Leaves with 0 when its code has loaded, 3 when it has not, 1 when nothing is running.
    """
    project_dir = load_settings(directory, flags).project_dir
    until = time.monotonic() + wait
    while True:
        facts = described(instance_file.look(project_dir))
        code = exits.ERROR
        if facts["running"]:
            facts.update(_told(RunningInstance(directory, flags)))
            code = exits.DID_NOT_LOAD if facts["code"] == "broken" else exits.OK
        if time.monotonic() >= until or (code == exits.OK and facts["code"] != "starting"):
            break
        time.sleep(LOOK_SECONDS)
    _print(facts, directory, as_json=as_json)
    return code


def _told(instance: RunningInstance) -> dict[str, Any]:
    info = instance.ask("GET", "info")
    clock = instance.ask("GET", "clock")
    functions, hooks = grouped(info["names"])
    traceback = (info["traceback"] or "").rstrip().splitlines()
    return {
        "data": info["storage"],
        "objects": instance.ask("GET", "objects")["classes"],
        "code": info["state"],
        "error": traceback[-1] if traceback else None,
        "functions": len(functions),
        "hooks": sum(map(len, hooks.values())),
        "after_hooks_running": info["runningAfterHooks"],
        "tasks": len(instance.ask("GET", "tasks")["results"]),
        "next_due": clock["next"],
        "messages": len(instance.ask("GET", "inbox")["results"]),
        "now": clock["now"],
        "clock_ahead_seconds": round(float(clock["aheadSeconds"])),
        "clock_frozen": clock["frozen"],
    }


def _print(facts: dict[str, Any], directory: Path, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    if not facts["running"]:
        click.echo(facts["reason"])
        start = f"lean-emu up {shlex.quote(str(directory))}"
        note(hint_text(Hint(f"Start it: {start}", f"启动：{start}")))
        return
    for name, text in _lines(facts):
        click.echo(f"{styled(f'{name:<9}', dim=True)}{text}")


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    objects: dict[str, int] = facts["objects"]
    code = f"{facts['functions']} functions, {facts['hooks']} hooks ({facts['code']})"
    if facts["error"]:
        code = styled(f"did not load: {facts['error']}", fg="red")
    held = ", ".join(f"{name} {count}" for name, count in objects.items())
    clock = facts["now"] + (", stands still" if facts["clock_frozen"] else "")
    if facts["clock_ahead_seconds"]:
        clock += f", {facts['clock_ahead_seconds']:+} s"
    return [
        (
            "Running",
            f"pid {facts['pid']}, version {facts['version']}, {_span(facts['up_seconds'])}",
        ),
        ("API", facts["api"]),
        ("Console", facts["console"]),
        ("Code", code),
        ("Data", facts["data"]),
        ("Objects", f"{sum(objects.values())}" + (f": {held}" if held else "")),
        (
            "Tasks",
            f"{facts['tasks']}" + (f", next {facts['next_due']}" if facts["next_due"] else ""),
        ),
        ("Inbox", f"{facts['messages']} messages"),
        ("Clock", clock),
    ]


def _span(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"up {hours} h {minutes} min" if hours else f"up {minutes} min {rest} s"
