"""What commands share that ask and change the running instance of a project."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import click

from lean_emulator.base.jsontext import Json, dumps
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import AdminClient, Unreachable
from lean_emulator.cli.command import KEY_NAMES, open_project, settings_options
from lean_emulator.cli.output import echo_error
from lean_emulator.cli.served import running

F = TypeVar("F", bound=Callable[..., Any])

CODES = (exits.OK, exits.ERROR, exits.USAGE, exits.CANNOT_START)
SECONDS = 600.0
"""How long an answer may take: time that passes at once can hold many runs."""


def instance_options(function: F) -> F:
    """``--json``, ``-C`` and the keys: what ``RunningInstance`` takes beside the folder."""
    function = settings_options(*KEY_NAMES)(function)
    function = click.option(
        "-C",
        "--project",
        "directory",
        metavar="DIR",
        default=".",
        type=click.Path(path_type=Path),
        help="The project's folder. [default: here]",
    )(function)
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


class RunningInstance:
    """Asks the instance that serves a project; what it refuses ends the command with 1."""

    def __init__(self, directory: Path, flags: dict[str, object]) -> None:
        self._admin: AdminClient = running(open_project(directory, flags), directory).admin

    def ask(
        self, method: str, *path: str, body: Json = None, **params: str | None
    ) -> dict[str, Any]:
        """The answer's object; ``path`` are segments after ``/__emu``."""
        target = "/__emu/" + "/".join(quote(part, safe="") for part in path)
        given = {name: value for name, value in params.items() if value is not None}
        if given:
            target += f"?{urlencode(given)}"
        try:
            sent = None if method in ("GET", "DELETE") else dumps({} if body is None else body)
            answer = self._admin.send(method, target, sent, SECONDS)
        except (Unreachable, TimeoutError) as e:
            echo_error(str(e) or "The instance does not answer.")
            raise click.exceptions.Exit(exits.ERROR) from e
        said = answer.body if isinstance(answer.body, dict) else {}
        if answer.status >= 300:
            echo_error(str(said.get("error", f"HTTP {answer.status}")))
            raise click.exceptions.Exit(exits.ERROR)
        return said
