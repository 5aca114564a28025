"""``lean-emu invoke``: run one cloud function and leave with what came of it."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path

import click

from lean_emulator import instance_file
from lean_emulator.base.jsontext import Json, pretty
from lean_emulator.cli import banner, exits
from lean_emulator.cli.admin_client import prints
from lean_emulator.cli.command import KEY_NAMES, Documented, open_project, settings_options
from lean_emulator.cli.dry_run import Tried, dry_run_option, rehearse, show_writes
from lean_emulator.cli.function_call import FunctionCall, show_output
from lean_emulator.cli.info import REASONS
from lean_emulator.cli.outcome import Came, exit_code, explain
from lean_emulator.cli.output import note, styled
from lean_emulator.cli.params import read_params
from lean_emulator.cli.served import Acting, Served, with_emulator
from lean_emulator.cli.stopping import run
from lean_emulator.cli.trace_text import lines
from lean_emulator.instance_file import Health


@click.command(
    cls=Documented,
    examples=[
        "lean-emu invoke hello",
        "lean-emu invoke averageStars --params '{movie: \"Alien\"}'",
        "lean-emu invoke averageStars --params @params.json5 --trace",
        "lean-emu invoke averageStars --params '{movie: \"Alien\"}' --dry-run",
        "echo '{}' | lean-emu invoke hello --params - --json",
    ],
    codes=(
        exits.OK,
        exits.ERROR,
        exits.USAGE,
        exits.DID_NOT_LOAD,
        exits.TIMED_OUT,
        exits.CANNOT_START,
        exits.INTERRUPTED,
    ),
)
@click.argument("name")
@click.option("--params", metavar="JSON5|@FILE|-", help="Parameters: JSON5, a file, or stdin.")
@click.option("--rpc", is_flag=True, help="Call it as SDKs' rpc does: objects keep their types.")
@click.option(
    "--user", metavar="USER", help="Act as this user (id, name or session token), not as master."
)
@dry_run_option
@click.option("--json", "as_json", is_flag=True, help="Print status, answer and time as JSON.")
@click.option("--trace", is_flag=True, help="Print every step to stderr: hooks, storage, times.")
@click.option(
    "-C",
    "--project",
    "directory",
    metavar="DIR",
    default=".",
    type=click.Path(path_type=Path),
    help="The project's folder. [default: here]",
)
@settings_options(
    "python", "cmd", "timeouts", "function_seconds", "start_limit_seconds", *KEY_NAMES
)
def invoke(
    name: str,
    params: str | None,
    rpc: bool,
    user: str | None,
    dry_run: bool,
    as_json: bool,
    trace: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Run the cloud function NAME, with master rights unless --user says otherwise.

    It runs in the instance that serves the project. Without one, an emulator starts for this call
    alone, with nothing in storage. The result goes to stdout as JSON; what the code prints, the
    time and errors go to stderr.
    """
    values = read_params(params)
    project = open_project(directory, flags)
    call = FunctionCall(name, values, rpc, user)
    if dry_run:
        tried = with_emulator(project, lambda served: _rehearsed(served, call))
        if tried is None:
            return exits.INTERRUPTED
        code = report(name, tried.came, as_json=as_json, trace=trace, more=tried.to_json())
        show_writes(tried)
        return code
    sighting = instance_file.look(project.settings.project_dir)
    came: Came | None
    if sighting.running is not None:
        came = call.in_running(sighting.running, project)
    else:
        if sighting.health is not Health.ABSENT and sighting.instance is not None:
            seen = sighting.instance
            note(REASONS[sighting.health].format(pid=seen.pid, url=seen.api_url))
        came = run(call.in_own(project))
    if came is None:
        return exits.INTERRUPTED
    return report(name, came, as_json=as_json, trace=trace)


def _rehearsed(served: Served, call: FunctionCall) -> Tried:
    """Made as a dry run; what the code printed is shown."""
    acting = Acting(call.user, call.user is None)
    tried = rehearse(served, "POST", call.path, {**call.params}, acting)
    for stream, text in () if served.own else prints(tried.came.trace or {}):
        show_output(stream, text)
    functions = banner.grouped(served.admin.info()["names"])[0]
    return tried._replace(came=tried.came._replace(functions=functions))


def report(
    name: str,
    came: Came,
    *,
    as_json: bool,
    trace: bool,
    more: Mapping[str, Json] | None = None,
) -> int:
    """Print what came of it; the exit code. ``more`` goes into what is printed as JSON."""
    code = exit_code(came)
    if trace and came.trace is not None:
        for line in lines(came.trace, prints=False):
            note(line)
    if as_json:
        facts = {"status": came.status, "body": came.body, "took_ms": round(came.took_ms, 1)}
        facts |= more or {}
        click.echo(json.dumps(facts, ensure_ascii=False))
    elif code == exits.OK:
        result = came.body.get("result") if isinstance(came.body, dict) else came.body
        click.echo(pretty(result))
    if code != exits.OK:
        explain(came, code)
        _offer_nearest(name, came)
    tail = f"  {came.link}" if came.link else ""
    note(styled(f"{name}  {came.status}  {came.took_ms:.0f} ms{tail}", dim=True, err=True))
    return code


def _offer_nearest(name: str, came: Came) -> None:
    if came.status != 404 or name in came.functions:
        return
    near = difflib.get_close_matches(name, came.functions, n=1, cutoff=0.5)
    if near:
        note(f"Did you mean {near[0]}?")
    elif came.functions:
        note(f"There are: {', '.join(sorted(came.functions))}.")
