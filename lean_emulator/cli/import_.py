"""``lean-emu import``: files of an export into the running instance, or into its data."""

import asyncio
import dataclasses
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lean_emulator import instance_file
from lean_emulator.base.errors import Hint
from lean_emulator.cli import exits, table
from lean_emulator.cli.admin_client import Unreachable
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    Project,
    not_empty,
    open_project,
    settings_options,
)
from lean_emulator.cli.import_client import ImportClient
from lean_emulator.cli.import_feed import ROWS, Result, Wish, feed
from lean_emulator.cli.import_files import Found, Source, find
from lean_emulator.cli.import_progress import Moved, progress
from lean_emulator.cli.output import echo_error, hint_text, note, styled, warn
from lean_emulator.cli.served import Served, with_emulator

if TYPE_CHECKING:
    from lean_emulator.emulator import Emulator

SHOWN = 20
"""Refused rows of a file that are told of on a terminal; of more, only how many."""
LISTED = 1_000
"""The same in JSON."""

_NO_HOOKS = Hint(
    "No hook ran, as on the platform; --hooks runs them.",
    "与平台一致，导入未触发任何 hook；如需触发请使用 --hooks。",
)
_WITH_HOOKS = Hint(
    "Hooks have run: what was stored before the refused row stays.",
    "hook 已经运行：出错行之前的数据会保留。",
)
_BROKEN = Hint(
    "`lean-emu up` tells why; --python names an interpreter that has the SDK.",
    "`lean-emu up` 会说明原因；可用 --python 指定已安装 SDK 的解释器。",
)
_NOWHERE = Hint(
    "Start the project first (lean-emu up), or keep objects in files: --storage tinydb.",
    "请先启动项目（lean-emu up），或将对象保存到文件：--storage tinydb。",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Chosen:
    """The command's own options."""

    class_name: str | None
    hooks: bool
    replace: bool
    strict: bool
    dry_run: bool
    contents: Path | None


@click.command(
    "import",
    cls=Documented,
    examples=[
        "lean-emu import export.tar.gz",
        "lean-emu import data/ --dry-run",
        "lean-emu import posts.csv --class Post --strict",
        "lean-emu import backup/ --replace --contents files/",
    ],
    codes=(
        exits.OK,
        exits.ERROR,
        exits.USAGE,
        exits.DID_NOT_LOAD,
        exits.CANNOT_START,
        exits.INTERRUPTED,
    ),
)
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--class", "class_name", metavar="NAME", callback=not_empty,
    help="The class of all rows, in place of what files are called.",
)  # fmt: skip
@click.option("--hooks", is_flag=True, help="Run the project's hooks for each object.")
@click.option("--replace", is_flag=True, help="Overwrite objects that exist, in place of skipping.")
@click.option(
    "--strict", is_flag=True, help="Stop at a file with a wrong row, and store none of it."
)
@click.option(
    "--dry-run", is_flag=True, help="Say what would be stored and refused; store nothing."
)
@click.option(
    "--contents", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where contents of files are, called by key or objectId.",
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
@settings_options("storage", "data", "python", *KEY_NAMES)
def import_(
    paths: tuple[Path, ...],
    class_name: str | None,
    hooks: bool,
    replace: bool,
    strict: bool,
    dry_run: bool,
    contents: Path | None,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Import objects, relations and schemas from files, folders and archives of an export.

    They go into the running instance, or into the project's data when none runs. Ids, times and
    passwords are kept; objects that exist are skipped. No hook runs without --hooks.
    """
    if hooks and dry_run:
        raise click.UsageError("A dry run fires no hooks: leave one of the two out.")
    project = open_project(directory, flags)
    chosen = Chosen(class_name, hooks, replace, strict, dry_run, contents)
    with tempfile.TemporaryDirectory(prefix="lean-emu-import-") as scratch:
        found = find(paths, class_name, Path(scratch))
        if not _has_a_place(project):
            return exits.ERROR
        settings = dataclasses.replace(
            project.settings, code=project.settings.code and hooks, timers=False
        )
        began = time.monotonic()
        results = with_emulator(
            project._replace(settings=settings), lambda served: _import(served, found, chosen)
        )
    if results is None:
        return exits.INTERRUPTED
    _report(results, found, chosen, time.monotonic() - began, as_json=as_json)
    return exits.ERROR if any(result.errors for result in results) else exits.OK


async def import_at_start(emulator: "Emulator", project: Project, paths: Sequence[Path]) -> None:
    """Store what is not there yet; refused rows are told of. Raises ``StartError`` for paths."""
    served = Served(emulator.api_url, emulator.console_url, project, own=True)
    chosen = Chosen(None, hooks=False, replace=False, strict=False, dry_run=False, contents=None)
    with tempfile.TemporaryDirectory(prefix="lean-emu-import-") as scratch:
        found = await asyncio.to_thread(find, paths, None, Path(scratch))
        results = await asyncio.to_thread(_import, served, found, chosen)
    for result in results:
        _complain(result)
    stored, skipped = sum(r.inserted for r in results), sum(r.skipped for r in results)
    refused = sum(len(r.errors) for r in results)
    note(f"imported {stored:,} rows, {skipped:,} were there already, {refused:,} refused")


def _has_a_place(project: Project) -> bool:
    """Whether what is imported is still there when the command has ended."""
    if project.settings.storage != "memory":
        return True
    if instance_file.look(project.settings.project_dir).running is not None:
        return True
    echo_error("No instance runs, and objects are kept in memory: they would be gone at once.")
    note(hint_text(_NOWHERE))
    return False


def _import(served: Served, found: Found, chosen: Chosen) -> list[Result]:
    client = ImportClient(served.api_url, served.project.keys)
    if chosen.hooks:
        _need_code(served)
    one_at_a_time = chosen.hooks and chosen.strict
    wish = Wish(
        one_class=chosen.class_name is not None,
        at_a_time=1 if one_at_a_time else 20 if chosen.hooks else ROWS,
        stop_at_error=one_at_a_time,
        contents=None if chosen.dry_run else chosen.contents,
    )
    options = {"replace": chosen.replace, "hooks": chosen.hooks, "dryRun": chosen.dry_run}
    results: list[Result] = []
    try:
        with progress() as begin, client.run(**options) as run:
            for source in found.sources:
                refused = None
                if chosen.strict and not (chosen.hooks or chosen.dry_run):
                    refused = _tried(client, source, wish, chosen, begin)
                result = refused or feed(client, run, source, wish, begin(source.shown))
                results.append(result)
                if chosen.strict and result.errors:
                    break
    except Unreachable as e:
        raise click.ClickException(str(e)) from e
    return results


def _need_code(served: Served) -> None:
    """Without code that loads every object would be refused: exit 3 with its traceback."""
    info = served.admin.info()
    if info["state"] != "broken":
        return
    if info.get("traceback"):
        note(str(info["traceback"]).rstrip())
    echo_error("The project's code did not load, so that no hook can run. Nothing was imported.")
    note(hint_text(_BROKEN))
    raise click.exceptions.Exit(exits.DID_NOT_LOAD)


def _tried(
    client: ImportClient,
    source: Source,
    wish: Wish,
    chosen: Chosen,
    begin: Callable[[str], Moved],
) -> Result | None:
    """A file that would have refused rows, none of which is stored then."""
    trial = dataclasses.replace(wish, contents=None)
    with client.run(replace=chosen.replace, dryRun=True) as run:
        result = feed(client, run, source, trial, begin(f"{source.shown} (check)"))
    if not result.errors:
        return None
    result.inserted = result.replaced = result.waiting = 0
    return result


def _report(
    results: list[Result], found: Found, chosen: Chosen, seconds: float, *, as_json: bool
) -> None:
    for result in results:
        _complain(result)
    for name in found.passed_over:
        warn(f"{table.one_line(name)} was passed over: its name is none of an export.")
    if chosen.strict and len(results) < len(found.sources):
        note(f"Stopped; {len(found.sources) - len(results)} more files were not read.")
    if chosen.strict and chosen.hooks and results and results[-1].errors:
        note(hint_text(_WITH_HOOKS))
    if as_json:
        _print_json(results, chosen, seconds)
        return
    for line in table.lines([_row(result) for result in results], widest=60):
        click.echo(line)
    rows = sum(result.rows for result in results)
    word = "checked, nothing stored" if chosen.dry_run else "done"
    rate = f", {int(rows / seconds):,} rows/s" if rows > 1_000 else ""
    note(styled(f"{word}: {rows:,} rows in {seconds:.1f} s{rate}", dim=True, err=True))
    if not chosen.hooks and rows:
        note(hint_text(_NO_HOOKS))


def _print_json(results: list[Result], chosen: Chosen, seconds: float) -> None:
    told = {
        "dryRun": chosen.dry_run,
        "hooks": chosen.hooks,
        "seconds": round(seconds, 3),
        "files": [result.to_json(LISTED) for result in results],
    }
    click.echo(json.dumps(told, indent=2, ensure_ascii=False))


def _complain(result: Result) -> None:
    name = table.one_line(result.file)
    for line, text in result.errors[:SHOWN]:
        place = f"{name}, line {line}" if line else name
        echo_error(f"{place}: {table.one_line(text)}")
    more = len(result.errors) - SHOWN
    if more > 0:
        echo_error(f"{name}: {more} more rows were refused; --json lists them.")


def _row(result: Result) -> dict[str, Any]:
    row: dict[str, Any] = {"file": result.file, "class": result.class_name}
    if result.schema:
        return row | {"stored": "-" if result.errors else "schema"}
    row |= {"rows": result.rows, "stored": result.inserted, "replaced": result.replaced}
    row |= {"skipped": result.skipped, "refused": len(result.errors)}
    if result.waiting:
        row["waiting"] = result.waiting
    if result.contents:
        row["contents"] = result.contents
    return row
