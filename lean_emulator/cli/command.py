"""How a command documents itself, and the options that come from the settings."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import click

from lean_emulator import keys, settings
from lean_emulator.base.errors import StartError
from lean_emulator.cli import exits
from lean_emulator.cli.output import complain, warn
from lean_emulator.keys import Keys
from lean_emulator.settings import Loaded, Settings

F = TypeVar("F", bound=Callable[..., Any])

KEY_NAMES = keys.NAMES
SHORT = {"port": "-p", "console_port": "-c"}


class Documented(click.Command):
    """A command whose help ends with examples and the exit codes it can leave with."""

    def __init__(
        self, *args: Any, examples: Iterable[str], codes: tuple[int, ...], **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.examples = tuple(examples)
        self.codes = codes

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        title = "Example" if len(self.examples) == 1 else "Examples"
        with formatter.section(title):
            for example in self.examples:
                formatter.write(f"{' ' * formatter.current_indent}{example}\n")
        exits.describe(formatter, self.codes)


def not_empty(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuses an empty text, which is what a shell makes of a variable that is not set."""
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty", ctx, param)
    return value


def settings_options(*names: str) -> Callable[[F], F]:
    """One option for each named setting, with its documentation; all of them without a name."""

    def decorate(function: F) -> F:
        for name in reversed(names or tuple(settings.specs())):
            function = _option(name)(function)
        return function

    return decorate


def _option(name: str) -> Callable[[F], F]:
    spec = settings.specs()[name]
    flag = f"--{name.replace('_', '-')}"
    short = [SHORT[name]] if name in SHORT else []
    text = spec.doc.replace("`", "")
    default = settings.default_of(name)
    if spec.kind is bool:
        usual = flag if default else f"--no{flag[1:]}"
        declared = f"{flag}/--no{flag[1:]}"
        return click.option(declared, name, default=None, help=f"{text} [default: {usual}]")
    if default is not None:
        text += f" [default: {default}]"
    metavar = "|".join(spec.choices) or spec.unit.upper() or spec.kind.__name__.upper()
    alone: dict[str, Any] = {"is_flag": False, "flag_value": spec.alone} if spec.alone else {}
    # a text here, so that one place checks values and says where a wrong one came from
    return click.option(*short, flag, name, metavar=metavar, default=None, help=text, **alone)


directory_argument = click.argument(
    "directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path)
)


class Project(NamedTuple):
    """A project as a command sees it."""

    settings: Settings
    keys: Keys
    keys_path: Path | None
    origins: Mapping[str, str] = MappingProxyType({})
    """Where the value of each setting and key comes from, in words."""


def load_settings(directory: Path, flags: dict[str, object]) -> Settings:
    """Settings of the project; what is wrong with them ends the command as wrong use."""
    return _loaded(directory, flags).settings


def _loaded(directory: Path, flags: dict[str, object]) -> Loaded:
    try:
        return settings.load(directory, flags, os.environ)
    except StartError as e:
        complain(e)
        raise click.exceptions.Exit(exits.USAGE) from e


def open_project(directory: Path, flags: dict[str, object]) -> Project:
    """Settings and keys, which are made where there are none; with warnings printed."""
    chosen, origins = _loaded(directory, flags)
    found = keys.load(chosen.project_dir, {name: getattr(chosen, name) for name in KEY_NAMES})
    for warning in found.warnings:
        warn(warning)
    if found.path is not None:
        kept = [name for name in KEY_NAMES if getattr(chosen, name) is None]
        origins = {**origins, **dict.fromkeys(kept, str(found.path))}
    return Project(chosen, found.keys, found.path, origins)
