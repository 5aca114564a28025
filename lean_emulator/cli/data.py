"""``lean-emu data``: the files in which objects are kept."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from lean_emulator import instance_file
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.cli import exits
from lean_emulator.cli.command import KEY_NAMES, Documented, load_settings, settings_options
from lean_emulator.cli.output import complain, hint_text, note, warn
from lean_emulator.cli.running_instance import RunningInstance
from lean_emulator.room_settings import data_folder
from lean_emulator.storage.folder_report import FolderReport, inspect
from lean_emulator.storage.keeper import FileKeeper
from lean_emulator.storage.memory import MemoryStorage

ACTIONS = ("check", "compact", "path")


@click.command(
    cls=Documented,
    examples=["lean-emu data check", "lean-emu data compact", "cd $(lean-emu data path)"],
    codes=(exits.OK, exits.ERROR, exits.USAGE, exits.CANNOT_START),
)
@click.argument("action", type=click.Choice(ACTIONS), metavar="|".join(ACTIONS))
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
@settings_options("data", *KEY_NAMES)
def data(action: str, as_json: bool, directory: Path, **flags: object) -> int:
    """Look after the files of `--storage tinydb`, whether or not an instance runs on them.

    `check` reads everything and changes nothing; it leaves with 1 where something is damaged.
    `compact` makes journals part of the data file. `path` prints the folder.
    """
    settings = load_settings(directory, flags)
    folder = data_folder(settings)
    if action == "path":
        click.echo(json.dumps({"folder": str(folder)}) if as_json else folder)
        return exits.OK
    if action == "check":
        return _check(folder, as_json=as_json)
    if instance_file.look(settings.project_dir).running is not None:
        told = RunningInstance(directory, flags).ask("POST", "data", "compact")
    else:
        told = asyncio.run(_compact(folder))
    click.echo(json.dumps(told) if as_json else f"{told['file']}: {told['bytes']} bytes")
    return exits.OK


def _check(folder: Path, *, as_json: bool) -> int:
    report = inspect(folder)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    else:
        _print(report)
    return exits.ERROR if report.trouble else exits.OK


def _print(report: FolderReport) -> None:
    click.echo(f"{report.folder}: {report.objects} objects of {len(report.classes)} classes")
    for name, count in report.classes.items():
        click.echo(f"  {name:<24} {count}")
    click.echo(f"{report.commits} commits in {report.journals} journals are not in the data file")
    for error in report.trouble:
        complain(error)
    if not report.trouble and not report.objects:
        note(
            hint_text(
                Hint(
                    "Nothing is kept there yet: lean-emu up --storage tinydb",
                    "尚无数据：lean-emu up --storage tinydb",
                )
            )
        )


async def _compact(folder: Path) -> dict[str, Any]:
    """Open the data and close it again, which writes the data file."""
    keeper = FileKeeper(folder, report=lambda text, hint: warn(text))
    storage = MemoryStorage(keeper=keeper)
    await storage.open()
    try:
        await keeper.compact()
    except OSError as e:
        raise ApiError(304, f"{keeper.data_file} cannot be written: {e.strerror}.") from e
    finally:
        await storage.close()
    return {"file": str(keeper.data_file), "bytes": keeper.data_file.stat().st_size}
