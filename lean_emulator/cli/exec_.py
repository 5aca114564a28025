"""``lean-emu exec``: an emulator for one command, gone when that has ended."""

import asyncio
import dataclasses
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lean_emulator import settings
from lean_emulator.base.errors import StartError
from lean_emulator.cli import exits
from lean_emulator.cli.command import Documented, Project, open_project, settings_options
from lean_emulator.cli.env import variables_for
from lean_emulator.cli.function_call import show_output
from lean_emulator.cli.output import complain, echo_error, hint_text, note
from lean_emulator.cli.passed_on import PassedOn, exit_code
from lean_emulator.cli.stopping import StopSignals, run
from lean_emulator.engine.failure import WHERE_WATCHED

if TYPE_CHECKING:
    from lean_emulator.emulator import Emulator

DECIDED = ("port", "console_port", "storage", "watch", "after_hooks")
"""Settings that the command decides."""

MEANINGLESS = ("debugpy", "staging", "attach", "data", "fsync", "verbose")
CHOSEN = tuple(name for name in settings.specs() if name not in (*DECIDED, *MEANINGLESS))

NOT_EXECUTABLE = 126
NOT_FOUND = 127


@click.command(
    cls=Documented,
    examples=[
        "lean-emu exec -- npx mocha",
        "lean-emu exec -C fixtures/cloud/reviews -- pytest tests",
        "lean-emu exec --no-await-after -- ./smoke.sh",
        "lean-emu exec --no-code -- sh -c 'curl $LEANCLOUD_API_SERVER/1.1/date'",
    ],
    codes=(exits.OK, exits.USAGE, exits.DID_NOT_LOAD, exits.CANNOT_START, exits.INTERRUPTED),
    context_settings={"allow_interspersed_args": False},
)
@click.argument("command", nargs=-1, required=True, metavar="-- CMD [ARG]...")
@click.option(
    "-C",
    "--project",
    "directory",
    metavar="DIR",
    default=".",
    type=click.Path(path_type=Path),
    help="The project's folder. [default: here]",
)
@click.option(
    "--await-after/--no-await-after",
    default=True,
    help="Answer writes when their after hooks are done. [default: --await-after]",
)
@settings_options(*CHOSEN)
def exec(  # noqa: A001 - commands are found by their names
    command: tuple[str, ...], directory: Path, await_after: bool, **flags: object
) -> int:
    """Run CMD with an emulator of its own, on free ports and with nothing kept.

    CMD finds it by the variables that `lean-emu env` prints. It starts when the code has loaded,
    is sent the signals that lean-emu gets, and its exit code is the one this leaves with (128 and
    its number for a signal). Without it: 3 when the code does not load, 5 when the emulator does
    not start, 126 or 127 when CMD cannot be run.
    """
    decided: dict[str, object] = {
        "port": 0,
        "console_port": 0,
        "storage": "memory",
        "watch": False,
        "after_hooks": "await" if await_after else "async",
    }
    project = open_project(directory, {**flags, **decided})
    alone = dataclasses.replace(project.settings, debugpy=None, staging=None, attach=None)
    program = shutil.which(command[0])
    if program is None:
        return _not_there(command[0])
    try:
        return run(_serve(project._replace(settings=alone), (program, *command[1:])))
    except StartError as e:
        complain(e)
        return exits.CANNOT_START


async def _serve(project: Project, command: tuple[str, ...]) -> int:
    """Run the command beside an emulator; the exit code. Raises ``StartError``."""
    from lean_emulator.emulator import Emulator

    with StopSignals() as stop:
        emulator = Emulator(project.settings, project.keys, on_output=show_output, lasting=False)
        try:
            if not await stop.before(emulator.start()):
                return exits.INTERRUPTED
            if emulator.runtime.failure is not None:
                return _did_not_load(emulator)
            with PassedOn() as signals:
                if stop.asked.is_set():
                    return exits.INTERRUPTED
                return await _run(project, emulator.api_url, command, signals)
        finally:
            await emulator.stop()


async def _run(project: Project, api_url: str, command: tuple[str, ...], signals: PassedOn) -> int:
    environment = {**os.environ, **variables_for(project, api_url), **_around_proxies()}
    try:
        child = subprocess.Popen(command, env=environment)  # noqa: ASYNC220, S603 - asked for
    except OSError as e:
        echo_error(f"{command[0]} cannot be run: {e.strerror}.")
        return NOT_EXECUTABLE
    signals.to(child)
    await asyncio.to_thread(child.wait)
    return exit_code(child)


def _around_proxies() -> dict[str, str]:
    """A proxy of this machine must not be asked for what is on this machine."""
    listed = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    own = f"{listed},127.0.0.1,localhost".lstrip(",")
    return {"NO_PROXY": own, "no_proxy": own}


def _not_there(name: str) -> int:
    if Path(name).is_file():
        echo_error(f"{name} is not executable.")
        return NOT_EXECUTABLE
    echo_error(f"There is no command {name!r}.")
    return NOT_FOUND


def _did_not_load(emulator: "Emulator") -> int:
    """Why the command was not run."""
    failure = emulator.runtime.failure
    assert failure is not None
    for line in failure.traceback.rstrip().splitlines():
        note(line)
    echo_error(f"{failure.message}; nothing was run.")
    if failure.hint is not None and failure.hint not in WHERE_WATCHED:
        note(hint_text(failure.hint))
    return exits.DID_NOT_LOAD
