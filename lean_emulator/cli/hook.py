"""``lean-emu hook``: call one hook alone, with nothing stored."""

import difflib
from pathlib import Path
from typing import Any

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
from lean_emulator.cli.identity import no_such_user
from lean_emulator.cli.outcome import Came
from lean_emulator.cli.output import echo_error, hint_text, warn
from lean_emulator.cli.params import read_object
from lean_emulator.cli.report import offer_hook, report
from lean_emulator.cli.served import Served, running, with_emulator
from lean_emulator.cli.trace_text import changed
from lean_emulator.model.hooknames import BY_WORD

UPDATE_HOOKS = ("beforeUpdate", "afterUpdate")
NOTHING_STORED = Hint(
    en="Nothing is stored without a running instance; --object takes an object by hand.",
    zh="没有正在运行的实例就没有存储的数据；可以用 --object 直接给出对象。",
)
NOT_KEPT = Hint(
    en="The cloud drops these edits: beforeUpdate can refuse an update, not change it.",
    zh="云端会丢弃这些修改：beforeUpdate 只能拒绝更新，不能改动它。",
)
NO_USER = 211


@click.command(
    cls=Documented,
    examples=[
        "lean-emu hook Review beforeSave --object '{comment: \"good\", stars: 5}'",
        "lean-emu hook Review beforeSave --object @review.json5 --json",
        "lean-emu hook Review beforeUpdate --id 6a2f8c1e --updated-keys comment,stars",
        "lean-emu hook Album beforeDelete --id 6a2f8c1e --user alice",
    ],
    codes=(
        exits.OK,
        exits.ERROR,
        exits.USAGE,
        exits.DID_NOT_LOAD,
        exits.TIMED_OUT,
        exits.CANNOT_START,
        exits.INTERRUPTED,
    ),
)
@click.argument("class_name", metavar="CLASS", callback=not_empty)
@click.argument("name", metavar="HOOK")
@click.option("--object", "source", metavar="JSON5|@FILE|-", help="The object: text, file, stdin.")
@click.option(
    "--id",
    "object_id",
    metavar="ID",
    callback=not_empty,
    help="A stored object; --object overlays it.",
)
@click.option(
    "--updated-keys",
    metavar="A,B",
    help="What an update hook is told has changed. [default: the members of --object]",
)
@click.option(
    "--user",
    metavar="USER",
    callback=not_empty,
    help="Act as this user (id, name or session token).",
)
@click.option("--master", is_flag=True, help="Keep master rights with --user, too.")
@click.option("--json", "as_json", is_flag=True, help="Print status, answer, time and trace id.")
@click.option(
    "-C",
    "--project",
    "directory",
    metavar="DIR",
    default=".",
    type=click.Path(path_type=Path),
    help="The project's folder. [default: here]",
)
@settings_options(
    "python", "cmd", "timeouts", "function_seconds", "start_limit_seconds", *KEY_NAMES
)
def hook(
    class_name: str,
    name: str,
    source: str | None,
    object_id: str | None,
    updated_keys: str | None,
    user: str | None,
    master: bool,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Call the hook HOOK of CLASS alone. Nothing is stored, whatever it answers.

    It runs in the instance that serves the project. Without one, an emulator starts for this call
    alone, with nothing in storage. The hook's answer goes to stdout as JSON; what the code prints,
    what it changed, times and errors go to stderr.
    """
    wish = _wish(class_name, name, source, object_id, updated_keys)
    wish.update(user=user, master=master or user is None)
    project = open_project(directory, flags)
    if object_id is not None:
        running(project, directory, NOTHING_STORED)

    def work(served: Served) -> tuple[Came | None, bool]:
        return _called(served, wish), served.own

    done = with_emulator(project, work)
    if done is None:
        return exits.INTERRUPTED
    came, own = done
    if came is None:
        return exits.ERROR
    if came.trace is None and came.error.get("code") == NO_USER and user is not None:
        raise no_such_user(user)
    code = report(f"{name} {class_name}", came, own=own, as_json=as_json)
    if name == "beforeUpdate" and changed(came.trace or {}):
        warn(hint_text(NOT_KEPT))
    return code


def _wish(
    class_name: str,
    name: str,
    source: str | None,
    object_id: str | None,
    updated_keys: str | None,
) -> dict[str, Json]:
    """What the instance is asked for; what makes no sense is wrong use."""
    if name not in BY_WORD:
        near = difflib.get_close_matches(name, BY_WORD, n=1)
        known = ", ".join(BY_WORD)
        offer = f"Did you mean {near[0]}?" if near else f"Hooks are: {known}."
        raise click.BadParameter(f"there is no hook {name!r}. {offer}", param_hint="HOOK")
    if source is None and object_id is None:
        raise click.UsageError("There is no object: give --object, or --id of a stored one.")
    if updated_keys is not None and name not in UPDATE_HOOKS:
        raise click.BadParameter(f"{name} is told of no changed keys", param_hint="--updated-keys")
    given = {} if source is None else read_object(source, "--object", "a hook takes an object")
    wish: dict[str, Json] = {"className": class_name, "hook": name, "object": given}
    if object_id is not None:
        wish["objectId"] = object_id
    if name in UPDATE_HOOKS:
        keys = [*given] if updated_keys is None else updated_keys.replace(",", " ").split()
        wish["updatedKeys"] = [*keys]
    return wish


def _called(served: Served, wish: dict[str, Any]) -> Came | None:
    """What the hook answered; ``None``, with the reason printed, when there is no such hook."""
    try:
        info = served.admin.info()
    except Unreachable as e:
        raise click.ClickException(str(e)) from e
    kind = BY_WORD[wish["hook"]]
    loaded = info["state"] in ("ready", "none")
    if loaded and kind.metadata_name(wish["className"]) not in info["names"]:
        echo_error(f"The code registers no {wish['hook']} for {wish['className']}.")
        offer_hook(wish["className"], wish["hook"], info["names"])
        return None
    return served.run_hook(wish)
