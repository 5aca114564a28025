"""``lean-emu cron``: what a cron expression means, and when it runs."""

import json
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from lean_emulator.base.errors import ApiError
from lean_emulator.cli import exits
from lean_emulator.cli.command import Documented
from lean_emulator.cli.output import echo_error, hint_text, note
from lean_emulator.model.cron import Cron
from lean_emulator.model.cron_words import in_words

ACTIONS = ("explain",)


def _zone(ctx: click.Context, param: click.Parameter, value: str) -> tzinfo:
    try:
        return UTC if value.upper() == "UTC" else ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.BadParameter(
            f"there is no time zone {value!r}; names are like Asia/Shanghai", ctx, param
        ) from None


@click.command(
    cls=Documented,
    examples=[
        "lean-emu cron explain '0 0 8 ? * MON'",
        "lean-emu cron explain '0 */5 * * * ?' --zone Asia/Shanghai --count 3 --json",
    ],
    codes=(exits.OK, exits.USAGE),
)
@click.argument("action", type=click.Choice(ACTIONS), metavar="explain")
@click.argument("expression", nargs=-1, required=True)
@click.option(
    "--zone",
    metavar="NAME",
    default="UTC",
    callback=_zone,
    help="The time zone whose clocks count. [default: UTC, as on the platform]",
)
@click.option(
    "--from",
    "start",
    metavar="TIME",
    help="Show the runs after this ISO time, in the zone. [default: now]",
)
@click.option(
    "--count",
    metavar="NUMBER",
    default=10,
    type=click.IntRange(0, 1_000),
    help="How many runs to show. [default: 10]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cron(
    action: str,
    expression: tuple[str, ...],
    zone: tzinfo,
    start: str | None,
    count: int,
    as_json: bool,
) -> int:
    """Say in words when a cron expression runs, in English and Chinese, with its next runs.

    Fields are: second minute hour day-of-month month day-of-week [year]; Sunday is day 1. Put the
    expression in quotes, or the shell makes file names of its stars.
    """
    try:
        read = Cron.parse(" ".join(expression))
    except ApiError as e:
        echo_error(e.message)
        if e.hint is not None:
            note(hint_text(e.hint))
        return exits.USAGE
    words = in_words(read)
    runs = _runs(read, _start(start, zone), zone, count)
    if as_json:
        told = {
            "expression": read.text,
            "words": {"en": words.en, "zh": words.zh},
            "zone": str(zone),
            "next": [run.isoformat() for run in runs],
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return exits.OK
    click.echo(f"{words.en}\n{words.zh}")
    for run in runs:
        click.echo(f"  {run:%a %Y-%m-%d %H:%M:%S %Z}")
    if len(runs) < count:
        note("There is no later run." if runs else "It never runs again.")
    return exits.OK


def _start(text: str | None, zone: tzinfo) -> datetime:
    if text is None:
        return datetime.now(zone)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no ISO time such as 2026-01-31T08:00", param_hint="--from"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _runs(read: Cron, start: datetime, zone: tzinfo, count: int) -> list[datetime]:
    runs: list[datetime] = []
    at: datetime | None = start
    while len(runs) < count and (at := read.next_after(at or start, zone)) is not None:
        runs.append(at.astimezone(zone))
    return runs
