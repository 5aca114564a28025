"""``lean-emu clock``: the time that the running instance lives in."""

import json
from pathlib import Path
from typing import Any

import click

from lean_emulator.cli.command import Documented
from lean_emulator.cli.running_instance import CODES, RunningInstance, instance_options
from lean_emulator.model.time_text import UNITS, read_seconds

ACTIONS = ("now", "freeze", "advance", "set", "resume")


@click.command(
    cls=Documented,
    examples=[
        "lean-emu clock now",
        "lean-emu clock freeze",
        "lean-emu clock advance 1d12h",
        "lean-emu clock set 2027-01-12T00:00:00Z",
        "lean-emu clock resume",
    ],
    codes=CODES,
)
@click.argument("action", type=click.Choice(ACTIONS), metavar="now|freeze|advance|set|resume")
@click.argument("value", required=False)
@instance_options
def clock(action: str, value: str | None, as_json: bool, directory: Path, **flags: object) -> int:
    """Show or turn the running instance's clock.

    `advance 1d` lets time pass at once: scheduled tasks and queued functions that fall due run in
    order, each at its own time. `set TIME` jumps over them. `freeze` stops the clock, `resume`
    makes it the real time again. Budgets of requests keep to real time.
    """
    wish: dict[str, Any] = {"action": action}
    if action == "advance":
        wish["seconds"] = seconds_of(_given(value, "1d12h or 90s"))
    elif action == "set":
        wish["to"] = _given(value, "2027-01-12T00:00:00Z")
    elif value is not None:
        raise click.UsageError(f"clock {action} takes no value, got {value!r}.")
    instance = RunningInstance(directory, flags)
    told = (
        instance.ask("GET", "clock")
        if action == "now"
        else instance.ask("POST", "clock", body=wish)
    )
    click.echo(json.dumps(told) if as_json else _in_words(told))
    return 0


def seconds_of(text: str) -> float:
    """A span of time: ``1d12h``, ``90s`` or plain seconds. Raises a usage error."""
    seconds = read_seconds(text)
    if seconds is None:
        raise click.BadParameter(
            f"{text!r} is no span of time; 1d12h, 30m and 90s are (units: {', '.join(UNITS)})."
        )
    return seconds


def _given(value: str | None, example: str) -> str:
    if not value:
        raise click.UsageError(f"A value is missing, for example {example}.")
    return value


def _in_words(told: dict[str, Any]) -> str:
    state = "frozen" if told["frozen"] else "running"
    ahead = float(told["aheadSeconds"])
    if abs(ahead) >= 1:
        state += f", {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the real time"
    lines = [f"{told['now']}  ({state})"]
    if told.get("instants") is not None:
        lines.append(f"work fell due {told['instants']} times on the way")
    lines.append(f"next: {told['next']}" if told["next"] else "nothing is planned")
    return "\n".join(lines)
