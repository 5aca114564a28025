"""``lean-emu inbox``: mails, short messages and pushes that the running instance kept."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from lean_emulator.base.errors import Hint
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import AdminClient, Unreachable
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    not_empty,
    open_project,
    settings_options,
)
from lean_emulator.cli.output import echo_error, hint_text, note, styled
from lean_emulator.cli.served import running
from lean_emulator.cli.table import one_line

KINDS = ("mail", "sms", "push")
WAIT_SECONDS = 20.0
"""How long one question waits for a message, when following."""

NOTHING = Hint(
    en="The inbox is empty. Mails, short messages and pushes land here; nothing is ever sent.",
    zh="收件箱为空。邮件、短信和推送都会保存在这里，不会真正发出。",
)
NO_SUCH = Hint(en="No message has one.", zh="没有符合条件的消息。")


@click.command(
    cls=Documented,
    examples=[
        "lean-emu inbox",
        "lean-emu inbox --follow",
        "lean-emu inbox --to +8613800000000 --code",
        "curl $(lean-emu inbox --to ann@example.com --link)",
        "lean-emu inbox --kind push --json",
    ],
    codes=(exits.OK, exits.ERROR, exits.USAGE, exits.CANNOT_START, exits.INTERRUPTED),
)
@click.option("--kind", type=click.Choice(KINDS), help="Only messages of this kind.")
@click.option("--to", metavar="ADDRESS", callback=not_empty, help="Only messages to ADDRESS.")
@click.option("--code", is_flag=True, help="Print nothing but the newest code.")
@click.option("--link", is_flag=True, help="Print nothing but the newest link.")
@click.option("--follow", "-f", is_flag=True, help="Go on with messages as they come.")
@click.option("--clear", is_flag=True, help="Forget all messages.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; a line each with --follow.")
@click.option(
    "-C",
    "--project",
    "directory",
    metavar="DIR",
    default=".",
    type=click.Path(path_type=Path),
    help="The project's folder. [default: here]",
)
@settings_options(*KEY_NAMES)
def inbox(
    kind: str | None,
    to: str | None,
    code: bool,
    link: bool,
    follow: bool,
    clear: bool,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Show what would have left the machine: mails, short messages and pushes, oldest first.

    Only a running instance has an inbox.
    """
    if code + link + follow + clear > 1:
        raise click.UsageError("--code, --link, --follow and --clear go one at a time.")
    admin = running(open_project(directory, flags), directory).admin
    wanted = {name: text for name, text in (("kind", kind), ("to", to)) if text is not None}
    try:
        if clear:
            admin.clear_inbox()
            return exits.OK
        if code or link:
            return _newest(admin.inbox(wanted), "code" if code else "link")
        if follow:
            _follow(admin, wanted, as_json=as_json)
        return _list(admin.inbox(wanted), as_json=as_json)
    except Unreachable as e:
        echo_error(str(e))
        return exits.ERROR


def _list(messages: list[dict[str, Any]], *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"results": messages}, indent=2, ensure_ascii=False))
    else:
        for message in messages:
            _print(message)
        if not messages:
            note(hint_text(NOTHING))
    return exits.OK


def _newest(messages: list[dict[str, Any]], member: str) -> int:
    """The newest code or link alone, for scripts; leaves with 1 when there is none."""
    for message in reversed(messages):
        if message[member] is not None:
            click.echo(message[member])
            return exits.OK
    note(hint_text(NO_SUCH))
    return exits.ERROR


def _follow(admin: AdminClient, wanted: Mapping[str, str], *, as_json: bool) -> None:
    """Print messages as they come, until the instance ends or the reader interrupts."""
    last: dict[str, str] = {}
    while True:
        for message in admin.inbox({**wanted, **last}, WAIT_SECONDS):
            if as_json:
                click.echo(json.dumps(message, ensure_ascii=False))
            else:
                _print(message)
            last = {"after": message["id"]}


def _print(message: Mapping[str, Any]) -> None:
    """A head with what to use from the message, and its text below."""
    head = [
        styled(f"{datetime.fromisoformat(message['at']).astimezone():%H:%M:%S}", dim=True),
        f"{message['kind']:<4}",
        styled(one_line(message["to"]), bold=True),
        one_line(message["title"]),
    ]
    if message["code"] is not None:
        head.append(styled(one_line(message["code"]), fg="green"))
    click.echo("  ".join(head))
    for line in str(message["text"]).splitlines():
        click.echo(f"  {styled('│', dim=True)} {one_line(line)}".rstrip())
