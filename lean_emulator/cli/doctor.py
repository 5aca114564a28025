"""``lean-emu doctor``: what could keep a project from running here, and what to do about it."""

import json
from pathlib import Path

import click

from lean_emulator.cli import exits
from lean_emulator.cli.checks import Check, all_checks
from lean_emulator.cli.command import Documented, directory_argument, settings_options
from lean_emulator.cli.output import hint_text, styled

COLOURS = {"ok": "green", "note": "blue", "warning": "yellow", "wrong": "red"}
MARKS = {"ok": "✓", "note": "·", "warning": "!", "wrong": "✗"}


@click.command(
    cls=Documented,
    examples=["lean-emu doctor", "lean-emu doctor fixtures/cloud/reviews --json"],
    codes=(exits.OK, exits.ERROR),
)
@directory_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@settings_options()
def doctor(directory: Path, as_json: bool, **flags: object) -> int:
    """Look at everything that `up` with the same options needs, and change nothing.

    The project and its settings, the interpreter and its SDK, Node and its packages, both ports,
    keys, data and the watching of files. Leaves with 1 when something is wrong (✗).
    """
    found = list(all_checks(directory, flags))
    wrong = [check for check in found if check.state == "wrong"]
    if as_json:
        told = {"ok": not wrong, "checks": [_told(check) for check in found]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        for check in found:
            _print(check)
        click.echo(_summary(found, len(wrong)))
    return exits.ERROR if wrong else exits.OK


def _told(check: Check) -> dict[str, str | None]:
    return {
        "check": check.name,
        "state": check.state,
        "text": check.text,
        "hint": None if check.hint is None else hint_text(check.hint),
    }


def _print(check: Check) -> None:
    mark = styled(MARKS[check.state], fg=COLOURS[check.state], bold=True)
    click.echo(f"{mark} {check.name:<12} {check.text}")
    if check.hint is not None:
        click.echo(f"{'':<15}{styled('→', fg='yellow')} {hint_text(check.hint)}")


def _summary(found: list[Check], wrong: int) -> str:
    warned = sum(check.state == "warning" for check in found)
    if wrong:
        return styled(f"{wrong} of {len(found)} are wrong.", fg="red")
    return f"Nothing is wrong{f'; {warned} warnings' if warned else ''}."
