"""Calling one function: in the instance that serves the project, or in one of our own."""

import dataclasses
import http.client
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json, dumps
from lean_emulator.base.trace_view import tree
from lean_emulator.cli import banner
from lean_emulator.cli.admin_client import AdminClient, Unreachable, prints
from lean_emulator.cli.command import Project
from lean_emulator.cli.identity import credentials
from lean_emulator.cli.local_http import request
from lean_emulator.cli.outcome import Came
from lean_emulator.cli.output import hint_text, note, styled, warn
from lean_emulator.cli.stopping import StopSignals
from lean_emulator.instance_file import Instance

if TYPE_CHECKING:
    from lean_emulator.emulator import Emulator

TRACE_HEADER = "X-Lean-Emu-Trace"
SPARE_SECONDS = 5.0
"""What we wait beyond the function's own time, so that the server's error arrives first."""


@dataclasses.dataclass(frozen=True, slots=True)
class FunctionCall:
    """One call, to be made in a running instance or in one of our own."""

    name: str
    params: dict[str, Json]
    rpc: bool
    user: str | None

    @property
    def path(self) -> str:
        """Where the API has it, after the version."""
        return f"{'call' if self.rpc else 'functions'}/{quote(self.name, safe='')}"

    def in_running(self, instance: Instance, project: Project) -> Came:
        """As any client's request to the API."""
        settings = project.settings
        seconds = settings.function_seconds + SPARE_SECONDS if settings.timeouts else 86_400.0
        began = time.monotonic()
        try:
            answer = request(
                instance.api_url,
                "POST",
                f"/1.1/{self.path}",
                headers={
                    **credentials(
                        instance.api_url, project.keys, self.user, master=self.user is None
                    ),
                    "Content-Type": "application/json",
                },
                body=dumps(self.params),
                seconds=seconds,
            )
        except TimeoutError:
            body: Json = {"code": 124, "error": f"no answer within {seconds:g} s"}
            return Came(503, body, seconds * 1000, None, [], None)
        except (OSError, http.client.HTTPException, ValueError) as e:
            raise click.ClickException(f"{instance.api_url} broke off: {e}") from e
        took_ms = (time.monotonic() - began) * 1000
        came = Came(answer.status, answer.body, took_ms, None, [], None)
        return _with_trace(came, instance, project, answer.headers.get(TRACE_HEADER))

    async def in_own(self, project: Project) -> Came | None:
        """In an emulator that lives for this call; ``None`` when a signal ended it."""
        from lean_emulator.emulator import Emulator

        settings = dataclasses.replace(project.settings, port=0, console_port=0, watch=False)
        came: list[Came] = []

        async def work() -> None:
            async with Emulator(settings, project.keys, on_output=show_output) as emulator:
                came.append(await self._in(emulator))

        with StopSignals() as stop:
            await stop.before(work())
        return came[0] if came else None

    async def _in(self, emulator: "Emulator") -> Came:
        try:
            result = await emulator.workbench.run_function(
                self.name, self.params, rpc=self.rpc, user=self.user, master=self.user is None
            )
        except ApiError as e:  # there is no such user
            return Came(e.status, {**e.to_wire()}, 0.0, None, [], None)
        span = emulator.log.trace(result.trace)
        failure = emulator.runtime.failure
        hint = None if failure is None else failure.hint
        return Came(
            result.status,
            result.body,
            result.took_ms,
            None if span is None else tree(span, emulator.mask),
            banner.grouped(emulator.runtime.names)[0],
            None if failure is None else failure.traceback,
            None if hint is None else hint_text(hint),
        )


def _with_trace(came: Came, instance: Instance, project: Project, trace: str | None) -> Came:
    """The answer with its steps, and with what the code printed shown."""
    admin = AdminClient(instance.api_url, project.keys)
    try:
        info = admin.info()
        steps = admin.trace(trace) if trace else None
    except Unreachable as e:
        warn(str(e))
        return came
    for stream, text in prints(steps or {}):
        show_output(stream, text)
    return came._replace(
        trace=steps,
        functions=banner.grouped(info["names"])[0],
        broken="" if info["state"] == "broken" else None,
        hint=f"The whole traceback: {instance.console_url}/hooks",
        link=f"{instance.console_url}/?trace={trace}" if trace else None,
    )


def show_output(stream: str, text: str) -> None:
    """What the user's code printed, marked as such, to stderr."""
    mark = styled("│", fg="yellow" if stream == "stderr" else "blue", err=True)
    for line in text.splitlines() or [""]:
        note(f"{mark} {line}")
