"""A project as tests use it: its settings, and keys that belong to nobody."""

from collections.abc import Mapping
from pathlib import Path

from lean_emulator import settings
from lean_emulator.keys import NAMES, Keys
from lean_emulator.settings import Settings

FIXED = Keys(
    "lean-emu-tests-application-gzGzoHsz",
    "lean-emu-tests-app-key",
    "lean-emu-tests-master-key",
    "lean-emu-tests-hook-key",
)
"""Keys that are the same in every run."""


def opened(
    project: Path, chosen: Mapping[str, object], environ: Mapping[str, str], *, fixed: bool
) -> tuple[Settings, Keys]:
    """Settings of the project with those that were chosen in their place, and keys for one run.

    Writes nothing. Keys that the settings name are taken. Raises ``StartError``.
    """
    loaded = settings.load(project, dict(chosen), environ).settings
    made = FIXED if fixed else Keys.fresh()
    named = {name: getattr(loaded, name) or getattr(made, name) for name in NAMES}
    return loaded, Keys(**named)
