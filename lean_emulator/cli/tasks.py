"""``lean-emu tasks``: functions that the running instance calls on a schedule."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.cli import exits, table
from lean_emulator.cli.command import Documented, not_empty
from lean_emulator.cli.output import complain, note
from lean_emulator.cli.params import read_params
from lean_emulator.cli.running_instance import CODES, RunningInstance, instance_options
from lean_emulator.model.cron import Cron

ACTIONS = ("list", "show", "add", "edit", "rm", "enable", "disable", "run", "records")


@click.command(
    cls=Documented,
    examples=[
        "lean-emu tasks list",
        "lean-emu tasks add nightly --function cleanUp --cron '0 0 3 * * ?' --enable",
        "lean-emu tasks add ping --function ping --every 60 --params '{deep: true}' --retry",
        "lean-emu tasks edit nightly --cron '0 30 3 * * ?'",
        "lean-emu tasks run nightly --at 2027-01-01T03:00:00Z",
        "lean-emu tasks records nightly --json",
    ],
    codes=CODES,
)
@click.argument("action", type=click.Choice(ACTIONS), metavar="|".join(ACTIONS), default="list")
@click.argument("name", required=False, callback=not_empty)
@click.option("--function", metavar="NAME", callback=not_empty, help="The cloud function to call.")
@click.option("--cron", metavar="EXPRESSION", help="When: see `lean-emu cron explain`.")
@click.option("--every", metavar="SECONDS", type=int, help="Or how often.")
@click.option("--zone", metavar="NAME", help="Whose clocks the expression means.")
@click.option("--params", metavar="JSON", help="The function's parameters; @FILE or - for stdin.")
@click.option(
    "--retry/--cancel", default=None, help="Run again what was lost or missed, or let it go."
)
@click.option("--staging/--production", default=None, help="Where the function runs.")
@click.option("--enable/--disable", default=None, help="Switch it on with add and edit.")
@click.option("--at", metavar="TIME", help="With run: as if it were that time.")
@instance_options
def tasks(
    action: str,
    name: str | None,
    as_json: bool,
    directory: Path,
    at: str | None,
    **options: Any,
) -> int:
    """Show, make, change and run scheduled tasks.

    Tasks of the repository stand in tasks.toml as [[task]] tables; those made here are kept in
    .lean-emu. A new task is off until it is enabled, as on the platform.
    """
    wish = _wish(options)
    if not _readable(wish.get("cron")):
        return exits.USAGE
    if (action == "list") != (name is None):
        raise click.UsageError("Every action but list takes the name of a task.")
    if wish and action not in ("add", "edit"):
        raise click.UsageError(f"tasks {action} takes no {next(iter(wish))}; add and edit do.")
    if at is not None and action != "run":
        raise click.UsageError("--at goes with run alone.")
    instance = RunningInstance(directory, options)
    told = _do(instance, action, name or "", wish, at)
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        _show(action, told)
    failed = action == "run" and told["status"] != "success"
    return exits.ERROR if failed else exits.OK


def _readable(cron: str | None) -> bool:
    """Whether an expression can be read; prints why not, and what its fields may hold."""
    try:
        if cron is not None:
            Cron.parse(cron)
    except ApiError as e:
        complain(e)
        return False
    return True


def _wish(options: dict[str, Any]) -> dict[str, Any]:
    """The members of a task that options name; what is left are keys."""
    wish = {
        "function": options.pop("function"),
        "cron": options.pop("cron"),
        "every": options.pop("every"),
        "zone": options.pop("zone"),
        "enabled": options.pop("enable"),
        "staging": options.pop("staging"),
    }
    params, retry = options.pop("params"), options.pop("retry")
    if params is not None:
        wish["params"] = read_params(params)
    if retry is not None:
        wish["on_error"] = "retry" if retry else "cancel"
    return {member: value for member, value in wish.items() if value is not None}


def _do(
    instance: RunningInstance, action: str, name: str, wish: dict[str, Any], at: str | None
) -> dict[str, Any]:
    match action:
        case "list":
            return instance.ask("GET", "tasks")
        case "show":
            return instance.ask("GET", "tasks", name)
        case "records":
            return instance.ask("GET", "tasks", name, "records")
        case "add":
            return instance.ask("POST", "tasks", body={"name": name, **wish})
        case "edit":
            return instance.ask("PUT", "tasks", name, body=wish)
        case "rm":
            return instance.ask("DELETE", "tasks", name)
        case "run":
            body: dict[str, Json] = {} if at is None else {"at": at}
            return instance.ask("POST", "tasks", name, "run", body=body)
        case _:
            return instance.ask("POST", "tasks", name, action)


def _show(action: str, told: Mapping[str, Any]) -> None:
    if action == "list":
        _table([_row(task) for task in told["results"]])
        if not told["results"]:
            note("There are no scheduled tasks. Make one: lean-emu tasks add --help")
    elif action == "records":
        _table([_record(record) for record in told["results"]])
    elif action == "run":
        for member, value in _record(told).items():
            click.echo(f"{member:<9} {value}")
    elif action != "rm":
        for member, value in _row(told).items():
            click.echo(f"{member:<9} {value}")
        if not told["enabled"] and action == "add":
            note(f"It is off; switch it on: lean-emu tasks enable {told['name']}")


def _row(task: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a task on a line."""
    last = task["last"]
    state = (
        "on" if task["enabled"] else f"off ({task['offBecause']})" if task["offBecause"] else "off"
    )
    return {
        "name": task["name"],
        "function": f"{task['function']} (missing)" if task["missing"] else task["function"],
        "when": task.get("cron") or f"every {task['every']} s",
        "state": "running" if task["running"] else state,
        "next": task["next"] or "-",
        "last": "-" if last is None else f"{last['finishedAt']} {last['status']}",
        "runs": task["runs"],
        "failures": task["failures"],
        "late": f"{task['averageLateMs']} ms",
    }


def _record(record: Mapping[str, Any]) -> dict[str, Any]:
    result = record.get("error") or json.dumps(record["result"], ensure_ascii=False)
    return {
        "due": record["dueAt"],
        "late": f"{record['lateMs']} ms",
        "why": record["why"],
        "status": f"{record['status']} ({record['statusCode']})",
        "result": result,
        "retry": record.get("retryAt", "-"),
        "trace": record["trace"] or "-",
    }


def _table(rows: list[dict[str, Any]]) -> None:
    for line in table.lines(rows, widest=60):
        click.echo(line)
