"""``lean-emu save``, ``update`` and ``delete``: real writes, with all their hooks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import Unreachable
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    not_empty,
    open_project,
    settings_options,
)
from lean_emulator.cli.dry_run import Tried, dry_run_option, rehearse, show_writes
from lean_emulator.cli.output import hint_text, warn
from lean_emulator.cli.params import read_object, read_settings
from lean_emulator.cli.report import offer_class, registered, report
from lean_emulator.cli.served import Acting, Served, object_path, running, with_emulator

F = TypeVar("F", bound=Callable[..., Any])

FORGOTTEN = Hint(
    en="Nothing is running: the object was stored in an emulator of its own and is gone again.",
    zh="没有正在运行的实例：该对象只存储在临时的模拟器中，现已消失。",
)
NOTHING_STORED = Hint(
    en="Nothing is stored without a running instance.",
    zh="没有正在运行的实例就没有存储的数据。",
)
WRITE_CODES = (
    exits.OK,
    exits.ERROR,
    exits.USAGE,
    exits.DID_NOT_LOAD,
    exits.TIMED_OUT,
    exits.CANNOT_START,
)
SHOW_STORED = "?fetchWhenSave=true"

_object_option = click.option(
    "--object", "source", metavar="JSON5|@FILE|-", help="Its fields: text, file or stdin."
)
_set_option = click.option(
    "--set",
    "members",
    metavar="NAME=VALUE",
    multiple=True,
    help="One field: JSON5, or text as it stands; may be repeated.",
)


def _common(function: F) -> F:
    for option in reversed(
        (
            click.option(
                "--user",
                metavar="USER",
                callback=not_empty,
                help="Act as this user (id, name or session token).",
            ),
            click.option("--master", is_flag=True, help="Keep master rights with --user, too."),
            dry_run_option,
            click.option(
                "--json", "as_json", is_flag=True, help="Print status, answer, time and trace id."
            ),
            click.option(
                "-C",
                "--project",
                "directory",
                metavar="DIR",
                default=".",
                type=click.Path(path_type=Path),
                help="The project's folder. [default: here]",
            ),
        )
    ):
        function = option(function)
    return function


@click.command(
    cls=Documented,
    examples=[
        'lean-emu save Review --object \'{movie: "Alien", stars: 5, comment: "good"}\'',
        "lean-emu save Review --set movie=Alien --set stars=5 --set comment=good",
        "lean-emu save Review --object @review.json5 --user alice --json",
        "lean-emu save Review --set stars=5 --dry-run",
    ],
    codes=(*WRITE_CODES, exits.INTERRUPTED),
)
@click.argument("class_name", metavar="CLASS", callback=not_empty)
@_object_option
@_set_option
@_common
@settings_options("python", "cmd", "timeouts", "start_limit_seconds", *KEY_NAMES)
def save(
    class_name: str,
    source: str | None,
    members: tuple[str, ...],
    user: str | None,
    master: bool,
    dry_run: bool,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Store a new object of CLASS, with its hooks, with master rights unless --user is given.

    It is stored in the instance that serves the project. Without one, an emulator starts for this
    write alone and forgets it. The stored object goes to stdout as JSON; every step, to stderr.
    """
    fields = _fields(source, members)
    project = open_project(directory, flags)
    acting = Acting(user, master or user is None)

    path = object_path(class_name) + SHOW_STORED
    write = _Write("POST", path, fields, acting, dry_run)
    written = with_emulator(project, write.done_in)
    if written is None:
        return exits.INTERRUPTED
    code = _report("save", class_name, written, as_json=as_json)
    if written.own and code == exits.OK and not dry_run:
        warn(hint_text(FORGOTTEN))
    return code


@click.command(
    cls=Documented,
    examples=[
        "lean-emu update Review 6a2f8c1e --set stars=4",
        "lean-emu update Post 6a2f8c1e --object '{likes: {__op: \"Increment\", amount: 1}}'",
    ],
    codes=WRITE_CODES,
)
@click.argument("class_name", metavar="CLASS", callback=not_empty)
@click.argument("object_id", metavar="ID", callback=not_empty)
@_object_option
@_set_option
@_common
@settings_options("timeouts", *KEY_NAMES)
def update(
    class_name: str,
    object_id: str,
    source: str | None,
    members: tuple[str, ...],
    user: str | None,
    master: bool,
    dry_run: bool,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Change the object ID of CLASS in the running instance, with its hooks.

    With master rights unless --user is given. What is stored afterwards goes to stdout as JSON;
    every step, to stderr.
    """
    fields = _fields(source, members)
    served = running(open_project(directory, flags), directory, NOTHING_STORED)
    path = object_path(class_name, object_id) + SHOW_STORED
    write = _Write("PUT", path, fields, Acting(user, master or user is None), dry_run)
    return _report("update", class_name, write.done_in(served), as_json=as_json)


@click.command(
    cls=Documented,
    examples=[
        "lean-emu delete Review 6a2f8c1e",
        "lean-emu delete Album 6a2f8c1e --user alice",
        "lean-emu delete Album 6a2f8c1e --dry-run",
    ],
    codes=WRITE_CODES,
)
@click.argument("class_name", metavar="CLASS", callback=not_empty)
@click.argument("object_id", metavar="ID", callback=not_empty)
@_common
@settings_options("timeouts", *KEY_NAMES)
def delete(
    class_name: str,
    object_id: str,
    user: str | None,
    master: bool,
    dry_run: bool,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Delete the object ID of CLASS from the running instance, with its hooks.

    With master rights unless --user is given. Several ids are separated by commas; the first that
    is refused ends the list.
    """
    served = running(open_project(directory, flags), directory, NOTHING_STORED)
    path = object_path(class_name, object_id)
    write = _Write("DELETE", path, None, Acting(user, master or user is None), dry_run)
    return _report("delete", class_name, write.done_in(served), as_json=as_json)


def _fields(source: str | None, members: tuple[str, ...]) -> dict[str, Json]:
    """What is written; ``--set`` goes over ``--object``."""
    if source is None and not members:
        raise click.UsageError("There is nothing to write: give --object or --set.")
    given = {} if source is None else read_object(source, "--object", "a write takes an object")
    return {**given, **read_settings(members)}


class _Written(NamedTuple):
    """``classes`` are those that were stored or had hooks before."""

    tried: Tried
    dry: bool
    classes: list[str]
    own: bool


class _Write(NamedTuple):
    """One request that writes; ``dry`` shows its effects and drops them."""

    method: str
    path: str
    fields: Json
    acting: Acting
    dry: bool

    def done_in(self, served: Served) -> _Written:
        try:
            names, stored = served.admin.info()["names"], served.admin.schemas()
        except Unreachable as e:
            raise click.ClickException(str(e)) from e
        hooked = [class_name for class_name, _ in registered(names)]
        if self.dry:
            tried = rehearse(served, self.method, self.path, self.fields, self.acting)
        else:
            came = served.write(self.method, self.path, self.fields, self.acting)
            tried = Tried(came, [], [])
        return _Written(tried, self.dry, [*stored, *hooked], served.own)


def _report(verb: str, class_name: str, written: _Written, *, as_json: bool) -> int:
    """Print what came of it. A mistyped class fires no hook and is not refused: it is told of."""
    code = report(
        f"{verb} {class_name}",
        written.tried.came,
        own=written.own,
        as_json=as_json,
        more=written.tried.to_json() if written.dry else None,
    )
    if written.dry:
        show_writes(written.tried)
    offer_class(class_name, written.classes)
    return code
