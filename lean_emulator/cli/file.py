"""``lean-emu file``: upload, list, download and remove files of the running instance."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from lean_emulator.base.errors import Hint
from lean_emulator.cli import exits
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    not_empty,
    open_project,
    settings_options,
)
from lean_emulator.cli.file_client import FileClient, Refused, Told
from lean_emulator.cli.identity import credentials
from lean_emulator.cli.output import echo_error, hint_text, note
from lean_emulator.cli.served import running
from lean_emulator.cli.table import lines, one_line

LISTED = 100
NOTHING = Hint(
    en="There are no files. Store one: lean-emu file upload PATH",
    zh="没有文件。上传一个：lean-emu file upload 路径",
)
NO_INSTANCE = Hint(en="Files are kept by a running instance.", zh="文件保存在正在运行的实例中。")
_UNFIT = re.compile(r"^\.+|[\x00-\x1f/\\:]")
"""What a name must not have that comes from a record and becomes one here."""
_COLUMNS = ("objectId", "name", "mime_type", "url", "createdAt")


@click.command(
    cls=Documented,
    examples=[
        "lean-emu file upload logo.png photos/",
        "lean-emu file upload avatar.png --user alice --json",
        "lean-emu file list",
        "lean-emu file download 6a2f8c1e -o copy.png",
        "lean-emu file rm 6a2f8c1e",
    ],
    codes=(exits.OK, exits.ERROR, exits.USAGE, exits.CANNOT_START, exits.INTERRUPTED),
)
@click.argument("action", type=click.Choice(["upload", "list", "download", "rm"]))
@click.argument("names", metavar="[PATH|ID]...", nargs=-1)
@click.option("-o", "--output", metavar="FILE|-", callback=not_empty, help="Where a download goes.")
@click.option(
    "--user",
    metavar="USER",
    callback=not_empty,
    help="Act as this user (id, name or session token).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
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
def file(
    action: str,
    names: tuple[str, ...],
    output: str | None,
    user: str | None,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Upload files and folders, list files, download one by id or key, remove some by id.

    Of folders everything is uploaded but what is hidden. With master rights unless --user is
    given; removing needs them. Progress shows on a terminal, on stderr.
    """
    _check(action, names, output)
    served = running(open_project(directory, flags), directory, NO_INSTANCE)
    headers = credentials(served.api_url, served.project.keys, user, master=user is None)
    client = FileClient(served.api_url, headers)
    try:
        if action == "list":
            return _list(client, as_json=as_json)
        if action == "download":
            return _download(client, names[0], output)
    except Refused as e:
        echo_error(str(e))
        return exits.ERROR
    if action == "rm":
        return _each(names, lambda name: _removed(client, name), as_json=as_json)
    with _progress() as begin:
        return _each(
            [*_paths(names)],
            lambda path: client.upload(path, begin(path.name, path.stat().st_size)),
            as_json=as_json,
        )


def _check(action: str, names: tuple[str, ...], output: str | None) -> None:
    if action == "list" and names:
        raise click.UsageError("`file list` takes no further words.")
    if action == "download" and len(names) != 1:
        raise click.UsageError("`file download` takes one id or key.")
    if action in ("upload", "rm") and not names:
        wanted = "paths" if action == "upload" else "ids"
        raise click.UsageError(f"`file {action}` wants {wanted}.")
    if output is not None and action != "download":
        raise click.UsageError("--output goes with `file download`.")


def _paths(names: tuple[str, ...]) -> Iterator[Path]:
    """Files, and what is in folders, at any depth, but what is hidden."""
    for path in map(Path, names):
        if not path.is_dir():
            yield path
            continue
        for inner in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in inner.relative_to(path).parts)
            if inner.is_file() and not hidden:
                yield inner


def _each(
    names: "list[Path] | tuple[str, ...]", work: Callable[[Any], dict[str, Any]], *, as_json: bool
) -> int:
    """Do it with all; what fails is told of, and does not keep the others from it."""
    results, code = [], exits.OK
    for name in names:
        try:
            done = work(name)
        except (Refused, OSError) as e:
            why = e.strerror if isinstance(e, OSError) and e.strerror else e
            echo_error(f"{one_line(str(name))}: {why}")
            code = exits.ERROR
            continue
        results.append(done)
        if not as_json:
            click.echo("  ".join(one_line(str(done[key])) for key in ("objectId", "url", "name")
                                 if key in done))  # fmt: skip
    if as_json:
        click.echo(json.dumps({"results": results}, indent=2, ensure_ascii=False))
    return code


def _list(client: FileClient, *, as_json: bool) -> int:
    found = client.find({}, LISTED)
    if as_json:
        click.echo(json.dumps({"results": found}, indent=2, ensure_ascii=False))
        return exits.OK
    rows = [{key: row.get(key) for key in _COLUMNS} | _size(row) for row in found]
    for line in lines(rows):
        click.echo(line)
    if not rows:
        note(hint_text(NOTHING))
    elif len(rows) == LISTED:
        note(hint_text(Hint(f"The newest {LISTED} are shown.", f"仅显示最新的 {LISTED} 个。")))
    return exits.OK


def _size(row: dict[str, Any]) -> dict[str, Any]:
    meta_data = row.get("metaData")
    size = meta_data.get("size") if isinstance(meta_data, dict) else None
    return {} if size is None else {"size": size}


def _download(client: FileClient, name: str, output: str | None) -> int:
    found = client.find({"$or": [{"objectId": name}, {"key": name}]}, 1)
    if not found:
        raise Refused(f"There is no file with the id or key {one_line(name)!r}.")
    (record,) = found
    if record.get("bucket") is None:
        raise Refused(f"The file is somewhere else: {one_line(str(record.get('url')))}")
    if output == "-":
        client.download(record["url"], sys.stdout.buffer, lambda _: None)
        return exits.OK
    path = Path(output or _UNFIT.sub("_", str(record.get("name") or record["key"])))
    try:
        # a file that is there is only replaced when it was named
        with path.open("wb" if output else "xb") as target:
            size = _written(client, record["url"], target, path)
    except OSError as e:
        raise Refused(f"{path} cannot be written: {e.strerror}.") from e
    click.echo(f"{one_line(str(path))}  {size} bytes")
    return exits.OK


def _written(client: FileClient, url: str, target: BinaryIO, path: Path) -> int:
    """How many bytes came; half a file is removed."""
    try:
        with _progress() as begin:
            return client.download(url, target, begin(path.name, None))
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _removed(client: FileClient, object_id: str) -> dict[str, Any]:
    client.delete(object_id)
    return {"objectId": object_id}


@contextmanager
def _progress() -> Iterator[Callable[[str, int | None], Told]]:
    """Gives a function that begins a bar, and gives what moves it; no bars without a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def begin(name: str, size: int | None) -> Told:
            bar = progress.add_task(one_line(name).replace("[", "\\["), total=size)
            return lambda count: progress.advance(bar, count)

        yield begin
