"""``lean-emu up``: one emulator in the foreground, until it is told to stop."""

import asyncio
import contextlib
import errno
import gc
import os
import shlex
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lean_emulator import __version__, instance_file
from lean_emulator.base.errors import Hint, StartError
from lean_emulator.base.trace import Span
from lean_emulator.cli import banner, exits, ports
from lean_emulator.cli.command import (
    Documented,
    Project,
    directory_argument,
    open_project,
    settings_options,
)
from lean_emulator.cli.export import export_at_end
from lean_emulator.cli.output import Terminal, complain, hint_text, styled, warn
from lean_emulator.cli.stopping import StopSignals, run
from lean_emulator.cli.traffic import Traffic
from lean_emulator.instance_file import Instance
from lean_emulator.settings import Settings

STORAGE = {"memory": "memory, forgotten when lean-emu stops"}

if TYPE_CHECKING:
    from lean_emulator.emulator import Emulator


PAUSE = 0.03
"""Seconds that lines wait for others, so that printing costs a busy server little."""


@click.command(
    cls=Documented,
    examples=[
        "lean-emu up",
        "lean-emu up fixtures/cloud/reviews --port 3100",
        "lean-emu up --python ~/py311/bin/python",
        "lean-emu up --no-code --port 0",
        "lean-emu up --attach http://localhost:3002",
        "lean-emu up --debugpy",
        "lean-emu up --staging ../next",
    ],
    codes=(exits.OK, exits.USAGE, exits.CANNOT_START, exits.INTERRUPTED),
)
@directory_argument
@click.option(
    "--import", "imports", metavar="PATH", multiple=True, type=click.Path(path_type=Path),
    help="Store what files of an export hold, before it is ready; what exists is skipped.",
)  # fmt: skip
@click.option(
    "--export-on-exit", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    help="Write all objects into files of DIR before it stops.",
)  # fmt: skip
@settings_options()
def up(
    directory: Path, imports: tuple[Path, ...], export_on_exit: Path | None, **flags: object
) -> int:
    """Start the emulator for the project in DIR (here by default) and stay until Ctrl-C.

    The API and the project's own pages are on --port, the debug console on the port after it.
    Code that does not load keeps nothing from starting: it is loaded again at the next edit.
    Ctrl-C stops in order; a second one at once (exit 130).
    """
    project = open_project(directory, flags)
    try:
        return run(serve(project, str(directory), imports, export_on_exit))
    except StartError as e:
        complain(explained(e, project.settings, directory))
        return exits.CANNOT_START


async def serve(
    project: Project,
    directory: str,
    imports: Sequence[Path] = (),
    export_to: Path | None = None,
) -> int:
    """Run one emulator until a signal; the exit code. Raises ``StartError``.

    What ``imports`` hold is stored first; all objects are written into the folder ``export_to``
    when a signal came.
    """
    from lean_emulator.emulator import Emulator

    began = time.monotonic()
    settings = project.settings
    _warn_about_host(settings.host)
    with StopSignals() as stop:
        say = Terminal(gone=stop.asked.set)
        emulator = Emulator(
            settings,
            project.keys,
            on_output=partial(print_output, say),
            origins=project.origins,
        )
        try:
            if not await stop.before(emulator.start()):
                return exits.OK
            if imports:
                from lean_emulator.cli.import_ import import_at_start

                await import_at_start(emulator, project, imports)
            collect_rarely()
            announce(emulator, project)
            for root in reversed(emulator.log.traces()):
                for line in _failure_lines(root):
                    say(line)
            for line in banner.lines(_facts(emulator, project, directory, began)):
                say(line)
            async with printed_traffic(say, emulator, verbose=settings.verbose):
                await asyncio.to_thread(_warm_up)
                await stop.asked.wait()
            if export_to is not None:
                await export_at_end(emulator, export_to)
        finally:
            instance_file.remove(settings.project_dir, os.getpid())
            await emulator.stop()
    say(styled("stopped", bold=True))
    return exits.OK


def _warm_up() -> None:
    """What the first request of its kind would otherwise wait for."""
    from lean_emulator.model import cql

    cql.warm_up()


def collect_rarely() -> None:
    """With many objects in memory each full collection of garbage holds every request up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1_000)
    sys.setswitchinterval(0.001)  # nor shall threads that write files keep requests waiting long


def announce(emulator: "Emulator", project: Project) -> None:
    """Write the run file, so that other commands find this instance."""
    project_dir = project.settings.project_dir
    instance = Instance(
        pid=os.getpid(),
        api_url=emulator.api_url,
        console_url=emulator.console_url,
        api_port=emulator.api_port,
        console_port=emulator.console_port,
        app_id=project.keys.app_id,
        started_ms=time.time_ns() // 1_000_000,
        version=__version__,
        project_dir=str(project_dir),
    )
    other = instance_file.look(project_dir).running
    if other is not None:
        warn(
            f"Another lean-emu (pid {other.pid}) serves this project at {other.api_url}; `info`, "
            "`env` and `invoke` now find this one."
        )
    try:
        instance_file.write(project_dir, instance)
    except OSError as e:
        warn(f"Other commands will not find this instance: {e}.")


def _warn_about_host(host: str) -> None:
    if banner.is_loopback(host):
        return
    text = (
        f"Listening on {host}: everybody who reaches this machine can use the API and the console."
    )
    warn(styled(text, fg="red", bold=True, err=True))


def _facts(emulator: "Emulator", project: Project, directory: str, began: float) -> banner.Start:
    runtime = emulator.runtime
    return banner.Start(
        directory=directory,
        api_url=emulator.api_url,
        console_url=emulator.console_url,
        state=runtime.state,
        names=runtime.names,
        load_seconds=runtime.load_seconds,
        failed=None if runtime.failure is None else runtime.failure.last_line,
        storage=STORAGE.get(emulator.storage_text)
        or banner.shown_path(Path(emulator.storage_text)),
        keys_place=banner.keys_place(project.keys_path),
        seconds=time.monotonic() - began,
        attach=project.settings.attach,
        staging=_staging(emulator),
        debugger=project.settings.debugpy,
    )


def _staging(emulator: "Emulator") -> str | None:
    production, staging = emulator.runtime.of(True), emulator.runtime.of(False)
    if staging is production:
        return None
    if staging.failure is not None:
        return styled(f"did not load: {staging.failure.last_line}", fg="red")
    functions, hooks = banner.grouped(staging.names)
    return f"{len(functions)} functions, {sum(map(len, hooks.values()))} hooks; X-LC-Prod: 0"


def _failure_lines(root: Span) -> Iterator[str]:
    """Why code did not load, with its whole traceback, and what to do about it."""
    if root.kind != "reload" or root.outcome != "failed" or "error" not in root.detail:
        return
    error = root.detail["error"]
    lines = error["traceback"].rstrip().splitlines()
    if error["file"] is None:  # these are the last lines of output: they do not say what happened
        lines.append(error["message"])
    for line in lines:
        yield f"{styled('✗', fg='red')} {line}"
    yield f"{styled('→', fg='yellow')} {hint_text(Hint(**error['hint']))}"


def print_output(say: Terminal, stream: str, text: str) -> None:
    """A line that the project's code wrote."""
    mark = styled("│", fg="yellow" if stream == "stderr" else "blue")
    for line in text.splitlines() or [""]:
        say(f"{mark} {line}")


@contextlib.asynccontextmanager
async def printed_traffic(
    say: Terminal, emulator: "Emulator", *, verbose: bool
) -> AsyncIterator[None]:
    """Print requests and reloads while the block runs."""
    task = asyncio.create_task(_print_traffic(say, emulator, Traffic(verbose=verbose)))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _print_traffic(say: Terminal, emulator: "Emulator", traffic: Traffic) -> None:
    """From now on; how the code loaded at first has been told already."""
    async for roots in emulator.log.watch(PAUSE):
        lines: list[str] = []
        for root in roots:
            told = [*traffic.lines(root)]
            lines += [*told, *_failure_lines(root)] if told else ()
        if lines:
            say("\n".join(lines))  # at once: each time is a system call


def explained(error: StartError, settings: Settings, directory: Path) -> StartError:
    """The error, and for a port in use: who holds it, and the command to try next."""
    cause = error.__cause__
    if not (isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE):
        return error
    console = settings.console_port if settings.console_port is not None else settings.port + 1
    for port in (settings.port, console):
        if port and not ports.is_free(settings.host, port):
            holder = ports.holder(port)
            by = f" by {holder}" if holder else ""
            free = ports.free_pair(settings.host, settings.port)
            command = f"lean-emu up {shlex.quote(str(directory))} --port {free}"
            return StartError(
                f"Port {port} is in use{by}.",
                hint=Hint(f"Try: {command}", f"请尝试：{command}"),
            )
    return error
