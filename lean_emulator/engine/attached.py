"""Code that somebody else starts, such as an IDE: waiting for it, and noticing that it restarts."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import Hint, StartError
from lean_emulator.engine.client import Address, EngineClient
from lean_emulator.engine.generation import Generation
from lean_emulator.engine.output import OutputLine
from lean_emulator.engine.project import Project
from lean_emulator.engine.source_files import SourceFiles

LOOK_EVERY = 0.5
"""Seconds between two looks whether the app still listens. Servers write no line for those."""

_LOOKS_PER_READING = 10
"""Its functions are read again this much more rarely: it may restart between two looks."""

_PATIENCE = 2.0
"""Seconds an app has for telling its functions. One that stands at a breakpoint is not gone."""


def attached_project(directory: Path, url: str) -> Project:
    """A project whose code runs at ``url`` already, or will. Raises ``StartError``."""
    address_of(url)
    name = f"the app at {url}"
    return Project(
        directory, "attached", None, (), Path(sys.executable), name, watched=False, url=url
    )


def address_of(url: str) -> Address:
    """Where a URL such as ``http://localhost:3002`` leads; the scheme may be left out."""
    whole = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(whole)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise StartError(
            f"{url!r} is not the address of an app.",
            hint=Hint(
                "Give scheme, host and port: http://localhost:3002",
                "请给出协议、主机与端口：http://localhost:3002",
            ),
        )
    tls = parts.scheme == "https"
    return Address(port=port or (443 if tls else 80), host=parts.hostname, tls=tls)


class AttachLauncher:
    """Waits until an app answers, and takes it for a generation."""

    def __init__(self, project: Project, client: EngineClient, clock: Clock) -> None:
        self._project = project
        self._address = address_of(project.url)
        self._client = client
        self._clock = clock

    async def launch(
        self, number: int, environment: Mapping[str, str], on_line: Callable[[OutputLine], None]
    ) -> Generation:
        """Waits as long as it takes; ``on_line`` is told once what it waits for."""
        told: set[str] = set()
        app = App(self._client, self._address, environment, self._clock)
        generation = Generation(number, app, self._address, SourceFiles({}), {})
        while True:
            what = await self._obstacle(app, generation)
            if what is None:
                app.watch(generation)
                return generation
            if what not in told:
                told.add(what)
                on_line(OutputLine("stderr", what))
            await asyncio.sleep(LOOK_EVERY)

    async def close(self) -> None:
        """Nothing is kept between launches."""

    async def _obstacle(self, app: "App", generation: Generation) -> str | None:
        """Why it cannot be called just now, in words for its developer."""
        try:
            names = await app.names(generation)
        except errors.EngineGone:
            return f"lean-emu waits for an app at {self._project.url}: nothing listens there yet"
        except errors.TimedOut:
            return f"lean-emu waits for the app at {self._project.url}: it listens, but is silent"
        if names is None:
            return (
                f"{self._project.name} refuses the keys of this emulator: start it with the "
                "variables that `lean-emu env --code` prints, or give its own keys here"
            )
        return None


class App:
    """A running app, as a generation has a child: but nobody here can end it."""

    pid = 0

    def __init__(
        self,
        client: EngineClient,
        address: Address,
        environment: Mapping[str, str],
        clock: Clock,
    ) -> None:
        self._client = client
        self._address = address
        self._environment = environment
        self._clock = clock
        self._watching: asyncio.Task[None] | None = None
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.stopped = False

    def ending(self) -> str:
        return "or was restarted"

    async def names(self, generation: Generation) -> frozenset[str] | None:
        """What it registers; errors and ``None`` as ``functions_metadata`` has them."""
        return await self._client.functions_metadata(
            generation,
            self._environment.get("LEANCLOUD_APP_ID", ""),
            self._environment.get("LEANCLOUD_APP_MASTER_KEY", ""),
            Deadline.after(self._clock, _PATIENCE),
        )

    def watch(self, generation: Generation) -> None:
        """From now on ``exited`` is done when it is gone or has other functions than these."""
        self._watching = asyncio.get_running_loop().create_task(self._watch(generation))

    async def stop(self) -> None:
        """Let go of it; it runs on."""
        self.stopped = True
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        if not self.exited.done():
            self.exited.set_result(0)

    def kill(self) -> None:
        self.stopped = True

    async def _watch(self, generation: Generation) -> None:
        looks = 0
        while True:
            await asyncio.sleep(LOOK_EVERY)
            looks += 1
            there = await self._listens()
            if there and looks % _LOOKS_PER_READING:
                continue
            if not there or not await self._same(generation):
                if not self.exited.done():
                    self.exited.set_result(0)
                return

    async def _listens(self) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE):
                _, writer = await asyncio.open_connection(self._address.host, self._address.port)
        except TimeoutError:
            return True
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def _same(self, generation: Generation) -> bool:
        try:
            return await self.names(generation) == generation.names
        except errors.TimedOut:
            return True
        except errors.EngineGone:
            return False
