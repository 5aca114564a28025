"""An emulator to work with: the running instance of a project, or one that lives for a command."""

import asyncio
import dataclasses
import http.client
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import click

from lean_emulator import instance_file
from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json, dumps
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import AdminClient, Unreachable
from lean_emulator.cli.command import Project
from lean_emulator.cli.function_call import SPARE_SECONDS, TRACE_HEADER, show_output
from lean_emulator.cli.identity import credentials
from lean_emulator.cli.info import REASONS
from lean_emulator.cli.local_http import request
from lean_emulator.cli.outcome import Came
from lean_emulator.cli.output import echo_error, hint_text, note, warn
from lean_emulator.cli.stopping import StopSignals, run
from lean_emulator.instance_file import Health, Instance, Sighting
from lean_emulator.settings import Settings

T = TypeVar("T")

REQUEST_SECONDS = 60.0
NO_TIMEOUT_SECONDS = 86_400.0


class Acting(NamedTuple):
    """On whose behalf; ``master`` says whether with the master key's rights."""

    user: str | None
    master: bool


class Served(NamedTuple):
    """An emulator that answers. ``own`` tells one that ends with the command."""

    api_url: str
    console_url: str
    project: Project
    own: bool

    @property
    def admin(self) -> AdminClient:
        return AdminClient(self.api_url, self.project.keys)

    def run_hook(self, wish: dict[str, Json]) -> Came:
        """Have one hook called alone. A wish that cannot be fulfilled is a result, too."""
        seconds = _allowed(self.project.settings, self.project.settings.function_seconds)
        began = time.monotonic()
        try:
            answer = self.admin.run_hook(wish, seconds)
        except TimeoutError:
            return _late(seconds)
        except Unreachable as e:
            raise click.ClickException(str(e)) from e
        took_ms = (time.monotonic() - began) * 1000
        if answer.status != 200:
            return self._told(Came(answer.status, answer.body, took_ms, None, [], None), None)
        ran = answer.body
        came = Came(ran["status"], ran["body"], ran["tookMs"], None, [], None)
        return self._told(came._replace(remarks=tuple(ran.get("remarks", ()))), ran["trace"])

    def write(self, method: str, path: str, body: Json, acting: Acting) -> Came:
        """A request to the API, as any client's, with its hooks."""
        keys, seconds = self.project.keys, _allowed(self.project.settings, REQUEST_SECONDS)
        headers = credentials(self.api_url, keys, acting.user, master=acting.master)
        began = time.monotonic()
        try:
            answer = request(
                self.api_url,
                method,
                f"/1.1/{path}",
                headers={**headers, "Content-Type": "application/json"},
                body=None if body is None else dumps(body),
                seconds=seconds,
            )
        except TimeoutError:
            return _late(seconds)
        except (OSError, http.client.HTTPException, ValueError) as e:
            raise click.ClickException(f"{self.api_url} broke off: {e}") from e
        took_ms = (time.monotonic() - began) * 1000
        came = Came(answer.status, answer.body, took_ms, None, [], None)
        return self._told(came, answer.headers.get(TRACE_HEADER))

    def try_out(self, what: str, wish: dict[str, Json]) -> tuple[Came, dict[str, Any]]:
        """Have something rehearsed or replayed; what came of it, and all that was told of it.

        A wish that cannot be fulfilled is a result, of which nothing is told.
        """
        settings = self.project.settings
        seconds = _allowed(settings, REQUEST_SECONDS + 2 * settings.after_hook_seconds)
        try:
            answer = self.admin.try_out(what, wish, seconds)
        except TimeoutError:
            return _late(seconds), {}
        except Unreachable as e:
            raise click.ClickException(str(e)) from e
        if answer.status != 200:
            return self._told(Came(answer.status, answer.body, 0.0, None, [], None), None), {}
        told: dict[str, Any] = answer.body
        came = Came(told["status"], told["body"], told["tookMs"], None, [], None)
        return self._told(came, told["trace"]), told

    def _told(self, came: Came, trace: str | None) -> Came:
        """With its steps, after hooks among them, and with the state of the code."""
        settings = self.project.settings
        wait = _allowed(settings, settings.after_hook_seconds)
        try:
            info = self.admin.info()
            steps = None if trace is None else self.admin.trace(trace, wait)
        except Unreachable as e:
            warn(str(e))
            return came
        return came._replace(
            trace=steps,
            broken=info.get("traceback") or "" if info["state"] == "broken" else None,
            link=f"{self.console_url}/?trace={trace}" if trace and not self.own else None,
        )


def with_emulator(project: Project, work: Callable[[Served], T]) -> T | None:
    """Do the work in the instance that serves the project, or in one of our own.

    ``None`` when a signal ended it.
    """
    sighting = instance_file.look(project.settings.project_dir)
    if sighting.running is not None:
        return work(_served(sighting.running, project))
    if sighting.health is not Health.ABSENT:
        note(_reason(sighting))
    return run(_in_own(project, work))


def running(project: Project, directory: Path, why: Hint | None = None) -> Served:
    """The instance that serves the project; without one, the command ends with 1 and ``why``."""
    sighting = instance_file.look(project.settings.project_dir)
    if sighting.running is None:
        echo_error(_reason(sighting))
        if why is not None:
            note(hint_text(why))
        start = f"lean-emu up {directory}"
        note(hint_text(Hint(en=f"Start it first: {start}", zh=f"请先启动：{start}")))
        raise click.exceptions.Exit(exits.ERROR)
    return _served(sighting.running, project)


def object_path(class_name: str, object_id: str | None = None) -> str:
    """Where an object, or its class, is in the API."""
    path = f"classes/{quote(class_name, safe='')}"
    return path if object_id is None else f"{path}/{quote(object_id, safe=',')}"


async def _in_own(project: Project, work: Callable[[Served], T]) -> T | None:
    from lean_emulator.emulator import Emulator

    settings = dataclasses.replace(project.settings, port=0, console_port=0, watch=False)
    done: list[T] = []

    async def serve() -> None:
        async with Emulator(settings, project.keys, on_output=show_output) as emulator:
            served = Served(emulator.api_url, emulator.console_url, project, own=True)
            done.append(await asyncio.to_thread(work, served))

    with StopSignals() as stop:
        await stop.before(serve())
    return done[0] if done else None


def _served(instance: Instance, project: Project) -> Served:
    return Served(instance.api_url, instance.console_url, project, own=False)


def _reason(sighting: Sighting) -> str:
    seen, reason = sighting.instance, REASONS[sighting.health]
    return reason.format(pid=seen.pid, url=seen.api_url) if seen else reason


def _allowed(settings: Settings, seconds: float) -> float:
    """What we wait: a little more than the server does, so that its error arrives first."""
    return seconds + SPARE_SECONDS if settings.timeouts else NO_TIMEOUT_SECONDS


def _late(seconds: float) -> Came:
    body: Json = {"code": 124, "error": f"no answer within {seconds:g} s"}
    return Came(503, body, seconds * 1000, None, [], None)
