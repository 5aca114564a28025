"""``lean-emu config``: every setting of a project, and where it comes from."""

import difflib
import json
import os
from pathlib import Path
from typing import Any

import click

from lean_emulator import keys, settings
from lean_emulator.base.errors import StartError
from lean_emulator.base.masking import masked
from lean_emulator.cli import exits
from lean_emulator.cli.command import Documented, directory_argument, settings_options
from lean_emulator.cli.output import complain, styled

DEFAULT = "default"


@click.command(
    cls=Documented,
    examples=[
        "lean-emu config",
        "lean-emu config --show-origin",
        "lean-emu config fixtures/cloud/reviews --only port --json",
        "LEAN_EMU_PORT=4000 lean-emu config --show-origin --changed",
    ],
    codes=(exits.OK, exits.USAGE),
)
@directory_argument
@click.option("--show-origin", is_flag=True, help="Say where each value comes from.")
@click.option("--changed", is_flag=True, help="Only settings that are not at their default.")
@click.option("--only", metavar="NAME", help="Only this setting.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@settings_options()
def config(
    directory: Path,
    show_origin: bool,
    changed: bool,
    only: str | None,
    as_json: bool,
    **flags: object,
) -> int:
    """Show the settings of the project in DIR as `up` would take them with the same options.

    A flag goes before LEAN_EMU_<NAME> in the environment, that before lean-emu.toml, that before
    [tool.lean-emu] in pyproject.toml. Keys are masked.
    """
    try:
        loaded = settings.load(directory, flags, os.environ)
    except StartError as e:
        complain(e)
        return exits.USAGE
    names = [
        name
        for name, origin in loaded.origins.items()
        if only in (None, name, name.replace("_", "-")) and not (changed and origin == DEFAULT)
    ]
    if only is not None and not names and not changed:
        raise click.UsageError(_unknown(only))
    facts = {name: _fact(loaded, name) for name in names}
    if as_json:
        shown = facts if show_origin else {name: fact["value"] for name, fact in facts.items()}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return exits.OK
    wide = max(map(len, names), default=0)
    most = max((len(_text(fact["value"])) for fact in facts.values()), default=0)
    for name, fact in facts.items():
        text = f"{name:<{wide}}  {_text(fact['value'])}"
        if show_origin:
            text = f"{text:<{wide + min(most, 40) + 2}}  {styled(str(fact['origin']), dim=True)}"
        click.echo(text.rstrip())
    return exits.OK


def _fact(loaded: settings.Loaded, name: str) -> dict[str, Any]:
    value, origin = getattr(loaded.settings, name), loaded.origins[name]
    if settings.specs()[name].secret:
        if value is None:
            value, origin = _kept_key(loaded.settings.project_dir, name)
        if value is not None and name != "app_id":
            value = masked(str(value))
    return {"value": value, "origin": origin}


def _kept_key(project_dir: Path, name: str) -> tuple[str | None, str]:
    """The key that the project has already; nothing is made here."""
    path = keys.path_in(project_dir)
    try:
        value = json.loads(path.read_text("utf-8"))[name]
    except (OSError, ValueError, KeyError, TypeError):
        return None, "made at the first start"
    return str(value), str(path)


def _text(value: object) -> str:
    if value is None:
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name.replace("-", "_"), settings.specs(), n=1, cutoff=0.5)
    offer = f" Did you mean {near[0]}?" if near else ""
    return f"There is no setting {name}.{offer}"
