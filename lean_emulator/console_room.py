"""The debug console over a whole emulator: handed what it shows, in plain values."""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lean_emulator import __version__
from lean_emulator.base.masking import masked
from lean_emulator.console.contract import Instance, Timers
from lean_emulator.console.server import Console
from lean_emulator.console.setup import Effective, KeyShown, Setup
from lean_emulator.model.task import zone_named
from lean_emulator.service.data_desk import DataDesk
from lean_emulator.settings import default_of, specs

if TYPE_CHECKING:
    from lean_emulator.emulator import Emulator


def console_of(emulator: "Emulator") -> Console:
    """A console that shows this emulator, not started yet."""
    settings, timers = emulator.settings, emulator.timers
    project = settings.project_dir.resolve()
    return Console(
        log=emulator.log,
        inbox=emulator.inbox,
        logbook=emulator.logbook,
        mask=emulator.mask,
        runtime=emulator.runtime,
        workbench=emulator.workbench,
        timers=Timers(
            timers.tasks,
            timers.queue,
            timers.agenda,
            emulator.clock,
            zone_named(settings.time_zone),
        ),
        desk=DataDesk(
            emulator.objects,
            emulator.users,
            emulator.storage,
            emulator.workbench,
            emulator.clock,
        ),
        setup=setup_of(emulator),
        instance=Instance(
            name=project.name,
            version=__version__,
            project_dir=str(project),
            api_url=emulator.api_url,
            app_id=emulator.keys.app_id,
            started_ms=emulator.started_ms,
            storage=emulator.storage_text,
        ),
        hosts=frozenset({"127.0.0.1", "localhost", "[::1]", settings.host}),
    )


def setup_of(emulator: "Emulator") -> Setup:
    """Settings with their origins, and what the settings page can do."""
    keys = dataclasses.asdict(emulator.keys)
    origins = emulator.origins
    shown = [
        KeyShown(name, keys[name], origins.get(name), secret=False)
        if name == "app_id"
        else KeyShown(name, masked(keys[name]), origins.get(name))
        for name in keys
    ]
    return Setup(
        tuple(_effective(emulator)), tuple(shown), keys.get, emulator.snapshots, emulator.reset
    )


def _effective(emulator: "Emulator") -> Iterator[Effective]:
    for name, spec in specs().items():
        if spec.secret:
            continue
        value, default = getattr(emulator.settings, name), default_of(name)
        # a program that makes its own settings tells no origins
        unknown = "default" if value == default else None
        origin = emulator.origins.get(name, unknown)
        yield Effective(name, value, origin, default, spec.doc, spec.unit)
