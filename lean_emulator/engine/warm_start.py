"""The next start of the user's Python, prepared while the last one serves."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from typing import Any, Protocol

from lean_emulator.engine.child import Process
from lean_emulator.engine.project import Project
from lean_emulator.engine.spare import Spare
from lean_emulator.engine.zygote import Zygote

_SDK_ONLY = ("leancloud",)


class Warm(Protocol):
    """A process that has imported what the code will import."""

    @property
    def fit(self) -> asyncio.Future[bool]:
        """Done when it is ready, with whether it may be used."""
        ...

    @property
    def loaded(self) -> frozenset[str]: ...

    @property
    def exited(self) -> asyncio.Future[int]: ...

    async def process(self) -> Process: ...

    def retire(self) -> None: ...

    async def close(self) -> None: ...


class WarmStart:
    """A warm process for the next start, as long as what it has loaded is what is installed.

    On Linux it forks (``Zygote``), as often as there are edits. Elsewhere, and where the SDK alone
    makes threads that no fork would have, it is an interpreter for one start (``Spare``). Whenever
    anything about it fails, there is none, and the start is a cold one.
    """

    def __init__(self, project: Project, *, forks: bool | None = None) -> None:
        """``forks`` decides between the two; ``None`` goes by the system."""
        self._project = project
        self._possible = True
        self._forks = sys.platform == "linux" if forks is None else forks
        self._ready: Warm | None = None
        self._retired: list[Warm] = []
        self._modules: list[str] = []
        self._stamp: object = None
        self._places: list[str] = []

    async def process(self, environment: Mapping[str, str]) -> Process | None:
        """A process that waits for its job, ``None`` when there is no fit one just now."""
        ready = self._ready
        if ready is None or not ready.fit.done():
            return None
        if self._stamp != self._stamp_now(environment):
            self.drop()
            return None
        if not ready.fit.result() or self._own_names() & ready.loaded:
            return None
        try:
            return await ready.process()
        except (OSError, TimeoutError):
            self.drop()
            return None
        finally:
            if isinstance(ready, Spare):
                self._ready = None

    def learn(self, environment: Mapping[str, str], warm: Mapping[str, Any]) -> None:
        """From a generation that got ready: what its code imports, and whether that is safe."""
        if not self._possible:
            return
        if not warm["safe"]:
            self._possible = False
            self.drop()
            return
        known = set(self._modules)
        new = [name for name in warm["names"] if name not in known]
        unfit = self._unfit()
        if self._ready is not None and not new and not unfit:
            return
        if unfit and self._modules == [*_SDK_ONLY]:
            self._forks = False  # even the SDK alone makes threads here
            unfit = False
        self._modules = [*_SDK_ONLY] if unfit else self._modules + new
        self._places = sorted({*self._places, *warm["places"]})
        self.prepare(environment)

    def prepare(self, environment: Mapping[str, str]) -> None:
        """Begin with a new one, of what is known to be imported."""
        self.drop()
        if not self._possible or not self._modules:
            return
        self._stamp = self._stamp_now(environment)
        kind = Zygote if self._forks else Spare
        with contextlib.suppress(OSError):
            self._ready = kind(
                self._project.interpreter, environment, self._project.directory, self._modules
            )

    def used_up(self, environment: Mapping[str, str]) -> None:
        """The code that took the last one did not load: the next edit wants one, too."""
        if self._ready is None:
            self.prepare(environment)

    def drop(self) -> None:
        """Make no more use of the one there is."""
        if self._ready is not None:
            self._ready.retire()
            self._retired = [w for w in self._retired if not w.exited.done()] + [self._ready]
            self._ready = None

    async def close(self) -> None:
        self.drop()
        await asyncio.gather(*(warm.close() for warm in self._retired))

    def _own_names(self) -> set[str]:
        """Modules of the project's own; one that is loaded from elsewhere would hide it."""
        try:
            return {path.stem for path in self._project.directory.iterdir()}
        except OSError:
            return set()

    def _unfit(self) -> bool:
        ready = self._ready
        return ready is not None and ready.fit.done() and not ready.fit.result()

    def _stamp_now(self, environment: Mapping[str, str]) -> object:
        """Changes when the environment or what is installed does."""
        files = [str(self._project.directory / "requirements.txt"), *self._places]
        return dict(environment), [_mtime(file) for file in files]


def _mtime(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
