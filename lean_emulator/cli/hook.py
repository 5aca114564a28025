"""``lean-emu hook``: call one hook alone, with nothing stored."""

import difflib
import json
from pathlib import Path
from typing import Any

import click

from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json, pretty
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import Unreachable
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    Project,
    not_empty,
    open_project,
    settings_options,
)
from lean_emulator.cli.identity import no_such_user
from lean_emulator.cli.outcome import Came
from lean_emulator.cli.output import echo_error, hint_text, note, warn
from lean_emulator.cli.params import read_object
from lean_emulator.cli.report import called_as, offer_hook, registered_hooks, report
from lean_emulator.cli.served import Served, running, with_emulator
from lean_emulator.cli.trace_text import changed
from lean_emulator.model.hook_samples import (
    SPECIAL_HOOKS,
    sample_of,
    special_hook,
    takes_user,
)
from lean_emulator.model.hooknames import BY_WORD
from lean_emulator.model.special_hooks import SpecialHook

UPDATE_HOOKS = ("beforeUpdate", "afterUpdate")
NOTHING_STORED = Hint(
    en="Nothing is stored without a running instance; --object takes an object by hand.",
    zh="没有正在运行的实例就没有存储的数据；可以用 --object 直接给出对象。",
)
NOT_KEPT = Hint(
    en="The cloud drops these edits: beforeUpdate can refuse an update, not change it.",
    zh="云端会丢弃这些修改：beforeUpdate 只能拒绝更新，不能改动它。",
)
NO_HOOKS = Hint(en="The code registers no hooks.", zh="代码没有注册任何 hook。")
NO_USER = 211


@click.command(
    cls=Documented,
    examples=[
        "lean-emu hook Review beforeSave --object '{comment: \"good\", stars: 5}'",
        "lean-emu hook Review beforeUpdate --id 6a2f8c1e --updated-keys comment,stars",
        "lean-emu hook _User onLogin --user tom",
        "lean-emu hook onVerified sms --user tom --json",
        'lean-emu hook _messageReceived --params \'{fromPeer: "Tom", content: "hi"}\'',
        "lean-emu hook _messageReceived --sample",
        "lean-emu hook --list",
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
@click.argument("names", metavar="CLASS HOOK", nargs=-1)
@click.option("--object", "source", metavar="JSON5|@FILE|-", help="The object: text, file, stdin.")
@click.option(
    "--params",
    metavar="JSON5|@FILE|-",
    help="What a hook of messages, Insight or authData is called with. [default: its sample]",
)
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
@click.option("--sample", is_flag=True, help="Print a payload to start from; nothing runs.")
@click.option("--list", "listing", is_flag=True, help="List the hooks that the code registers.")
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
    names: tuple[str, ...],
    source: str | None,
    params: str | None,
    object_id: str | None,
    updated_keys: str | None,
    user: str | None,
    master: bool,
    sample: bool,
    listing: bool,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Call the hook HOOK of CLASS alone. Nothing is stored, whatever it answers.

    Hooks that belong to no class go by their own names: onLogin, onAuthData, onVerified sms,
    onVerified email, onComplete, _messageReceived and the other hooks of messages.

    It runs in the instance that serves the project. Without one, an emulator starts for this call
    alone, with nothing in storage. The hook's answer goes to stdout as JSON; what the code prints,
    what it changed, what the platform makes of it, times and errors go to stderr.
    """
    if listing:
        if names:
            raise click.UsageError("--list takes no names.")
        return _list(open_project(directory, flags), as_json)
    special = special_hook(*names)
    if sample:
        return _sample(special)
    if special is not None:
        wish = _special_wish(special, source or params, object_id, updated_keys)
        if takes_user(special) and user is None and "params" not in wish:
            raise click.UsageError(f"{special.title} is about a user: give --user, or --object.")
    else:
        wish = _wish(*_class_and_hook(names, params), source, object_id, updated_keys)
    # of the hooks of accounts, the user is whom it is about
    wish.update(user=user, master=master or user is None)
    project = open_project(directory, flags)
    if object_id is not None:
        running(project, directory, NOTHING_STORED)
    return _run(project, wish, special, as_json)


def _run(
    project: Project, wish: dict[str, Json], special: SpecialHook | None, as_json: bool
) -> int:
    """Have it called and print what came of it."""

    def work(served: Served) -> tuple[Came | None, bool]:
        return _called(served, wish, special), served.own

    done = with_emulator(project, work)
    if done is None:
        return exits.INTERRUPTED
    came, own = done
    if came is None:
        return exits.ERROR
    user = wish["user"]
    if came.trace is None and came.error.get("code") == NO_USER and user is not None:
        raise no_such_user(str(user))
    title = f"{wish['hook']} {wish['className']}".strip()
    code = report(title, came, own=own, as_json=as_json)
    if wish["hook"] == "beforeUpdate" and changed(came.trace or {}):
        warn(hint_text(NOT_KEPT))
    return code


def _class_and_hook(names: tuple[str, ...], params: str | None) -> tuple[str, str]:
    """Class and hook of a class hook; what else was typed is wrong use."""
    if not names:
        raise click.UsageError("Name a hook; --list shows those that the code has.")
    for name in names:
        if not name.strip():
            raise click.BadParameter("it is empty", param_hint="CLASS HOOK")
    if len(names) == 2:
        if params is not None:
            raise click.UsageError("A hook of a class takes an object: --object, not --params.")
        return names[0], names[1]
    wanted = " ".join(names)
    known = [called_as(hook) for hook in SPECIAL_HOOKS]
    near = difflib.get_close_matches(wanted, known, n=3)
    offer = f"Did you mean {', '.join(near)}?" if near else "Name a class and its hook."
    raise click.UsageError(f"There is no hook '{wanted}'. {offer}")


def _sample(special: SpecialHook | None) -> int:
    """Print what a hook may be tried with."""
    if special is None:
        raise click.UsageError(
            "--sample is for the hooks that belong to no class; those of a class take any object."
        )
    click.echo(pretty(sample_of(special)))
    return exits.OK


def _special_wish(
    special: SpecialHook, source: str | None, object_id: str | None, updated_keys: str | None
) -> dict[str, Json]:
    """What the instance is asked for; a source that is not given is left to it."""
    if object_id is not None:
        raise click.BadParameter(
            f"{special.title} is about no stored object; --user names a user", param_hint="--id"
        )
    if updated_keys is not None:
        raise click.BadParameter(
            f"{special.title} is told of no changed keys", param_hint="--updated-keys"
        )
    wish: dict[str, Json] = {"className": special.of or "", "hook": special.word}
    if source is not None:
        option = "--object" if takes_user(special) else "--params"
        wish["params"] = read_object(source, option, f"{special.title} takes an object")
    return wish


def _list(project: Project, as_json: bool) -> int:
    """Print the registered hooks, one a line, as one types them."""

    def work(served: Served) -> list[str]:
        try:
            return registered_hooks(served.admin.info()["names"])
        except Unreachable as e:
            raise click.ClickException(str(e)) from e

    hooks = with_emulator(project, work)
    if hooks is None:
        return exits.INTERRUPTED
    if as_json:
        click.echo(json.dumps(hooks, ensure_ascii=False))
        return exits.OK
    for each in hooks:
        click.echo(each)
    if not hooks:
        note(hint_text(NO_HOOKS))
    return exits.OK


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
        offer = f"Did you mean {near[0]}?" if near else f"Hooks of a class are: {known}."
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


def _called(served: Served, wish: dict[str, Any], special: SpecialHook | None) -> Came | None:
    """What the hook answered; ``None``, with the reason printed, when there is no such hook."""
    try:
        info = served.admin.info()
    except Unreachable as e:
        raise click.ClickException(str(e)) from e
    if special is not None:
        name, wanted = special.metadata_name, called_as(special)
        missing = special.title
    else:
        name = BY_WORD[wish["hook"]].metadata_name(wish["className"])
        wanted = f"{wish['className']} {wish['hook']}"
        missing = f"{wish['hook']} for {wish['className']}"
    loaded = info["state"] in ("ready", "none")
    if loaded and name not in info["names"]:
        echo_error(f"The code registers no {missing}.")
        offer_hook(wanted, info["names"])
        return None
    return served.run_hook(wish)
