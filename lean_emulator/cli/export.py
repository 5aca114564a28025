"""``lean-emu export``: all objects of the running instance, or of its data, into files."""

import asyncio
import dataclasses
import http.client
import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import click

from lean_emulator import export_folder
from lean_emulator.base.errors import Hint, StartError
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import Unreachable
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    not_empty,
    open_project,
    settings_options,
)
from lean_emulator.cli.output import complain, echo_error, note, styled, warn
from lean_emulator.cli.served import Served, running, with_emulator
from lean_emulator.export_folder import Format, Written

if TYPE_CHECKING:
    from lean_emulator.emulator import Emulator

SECONDS = 60.0
"""How long one piece may take."""
_NOWHERE = Hint(
    "Objects are kept in memory, so that only a running instance has some.",
    "对象保存在内存中，只有正在运行的实例才有数据。",
)


class Refused(Exception):
    """The instance would not export; the text says why."""


@click.command(
    cls=Documented,
    examples=[
        "lean-emu export backup/",
        "lean-emu export fixtures/data --format json --class Post,Comment",
        "lean-emu export /tmp/tables --format csv --json",
    ],
    codes=(exits.OK, exits.ERROR, exits.USAGE, exits.CANNOT_START, exits.INTERRUPTED),
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--format", "form", type=click.Choice(export_folder.FORMATS), default="jsonl",
    help="JSON Lines, {\"results\": […]} or CSV. [default: jsonl]",
)  # fmt: skip
@click.option(
    "--class", "classes", metavar="A,B", callback=not_empty, help="These classes alone.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "-C",
    "--project",
    "directory",
    metavar="DIR",
    default=".",
    type=click.Path(path_type=Path),
    help="The project's folder. [default: here]",
)
@settings_options("storage", "data", *KEY_NAMES)
def export(
    folder: Path,
    form: Format,
    classes: str | None,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Write every class into files of DIR: objects, members of relations, schema.

    The files are those of the platform's export; `lean-emu import DIR` reads them. Files that no
    export wrote are moved aside and never lost.
    """
    project = open_project(directory, flags)
    names = [name for part in (classes or "").split(",") if (name := part.strip())]

    def work(served: Served) -> list[Written]:
        return export_folder.write(folder, _lines(served, names), form, whole=not names)

    try:
        if project.settings.storage == "memory":
            written: list[Written] | None = work(running(project, directory, _NOWHERE))
        else:
            settings = dataclasses.replace(project.settings, code=False, timers=False)
            written = with_emulator(project._replace(settings=settings), work)
    except (Refused, Unreachable) as e:
        echo_error(str(e))
        return exits.ERROR
    if written is None:
        return exits.INTERRUPTED
    report(folder, written, as_json=as_json)
    return exits.OK


async def export_at_end(emulator: "Emulator", folder: Path) -> None:
    """Write what an instance has that is about to stop. What fails is told of, and lost."""
    await emulator.settle()
    with tempfile.TemporaryFile() as lines:
        async for piece in emulator.transfer.exporting.pieces():
            lines.write(piece)
        lines.seek(0)
        try:
            written = await asyncio.to_thread(
                export_folder.write, folder, lines, "jsonl", whole=True
            )
        except StartError as e:
            complain(e)
            return
    rows = sum(each.rows for each in written)
    note(f"exported {rows:,} rows to {folder}")
    for each in written:
        if each.aside is not None:
            warn(f"{each.path} was not written by an export; it is kept as {each.aside}.")


def report(folder: Path, written: list[Written], *, as_json: bool) -> None:
    """Print what became of each file."""
    for each in written:
        if each.aside is not None:
            warn(f"{each.path} was not written by an export; it is kept as {each.aside}.")
    if as_json:
        files = [
            {
                "file": str(each.path),
                "change": each.change,
                "rows": each.rows,
                "aside": None if each.aside is None else str(each.aside),
            }
            for each in written
        ]
        click.echo(json.dumps({"folder": str(folder), "files": files}, ensure_ascii=False))
        return
    for each in written:
        click.echo(f"{each.change:<8} {each.path}")
    rows = sum(each.rows for each in written)
    text = f"{rows:,} rows, {export_folder.changed(written)} of {len(written)} files changed"
    note(styled(text, dim=True, err=True))


def _lines(served: Served, classes: list[str]) -> Iterator[bytes]:
    """What the instance tells. Raises ``Refused``, and ``Unreachable`` where it breaks off."""
    address, keys = urlsplit(served.api_url), served.project.keys
    headers = {"X-LC-Id": keys.app_id, "X-LC-Key": f"{keys.master_key},master"}
    target = f"/__emu/export?classes={quote(','.join(classes))}"
    host = address.hostname or "127.0.0.1"
    with closing(http.client.HTTPConnection(host, address.port, timeout=SECONDS)) as connection:
        try:
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise Refused(_said(answer.read(), answer.status))
            yield from answer
        except (http.client.HTTPException, ConnectionError, TimeoutError) as e:
            raise Unreachable(f"{served.api_url} broke off: {e}") from e


def _said(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {status}"
