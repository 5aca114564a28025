"""What the rooms of the emulator are told of its settings."""

import math
from datetime import tzinfo
from pathlib import Path

from lean_emulator import state_folder
from lean_emulator.base.errors import ApiError, StartError
from lean_emulator.model.task import zone_named
from lean_emulator.service.account_hooks import AccountLimits
from lean_emulator.service.hook_trial import TrialLimits
from lean_emulator.service.hooks import HookLimits
from lean_emulator.settings import Settings
from lean_emulator.storage.blobs import Blobs, FolderBlobs, MemoryBlobs


def rehearsal_seconds(settings: Settings) -> float:
    """How long a dry run waits for after hooks: those of its own writes, and what these cause."""
    return 2 * settings.after_hook_seconds if settings.timeouts else math.inf


def zone(settings: Settings) -> tzinfo:
    """Whose clocks cron expressions mean. Raises ``StartError`` for a zone that is not there."""
    try:
        return zone_named(settings.time_zone)
    except ApiError as e:
        raise StartError(f"time_zone: {e.message}", hint=e.hint) from e


def hook_limits(settings: Settings) -> HookLimits:
    """The budgets of class hooks; endless ones where nothing is timed."""
    if not settings.timeouts:
        return HookLimits(math.inf, math.inf, settings.hook_depth)
    return HookLimits(
        settings.before_hook_seconds, settings.after_hook_seconds, settings.hook_depth
    )


def account_limits(settings: Settings) -> AccountLimits:
    """The budgets of hooks of accounts."""
    if not settings.timeouts:
        return AccountLimits(math.inf, math.inf)
    return AccountLimits(settings.login_hook_seconds, settings.after_hook_seconds)


def blobs(settings: Settings) -> Blobs:
    """Contents are kept where objects are."""
    if settings.storage == "memory":
        return MemoryBlobs()
    return FolderBlobs(data_folder(settings) / "files")


def data_folder(settings: Settings) -> Path:
    """Where objects are kept, unless they are in memory alone."""
    own = state_folder.path_in(settings.project_dir) / "data"
    return own if settings.data is None else Path(settings.data)


def trial_limits(settings: Settings) -> TrialLimits:
    """The budgets of hooks that are called by hand."""
    if not settings.timeouts:
        return TrialLimits(math.inf, math.inf, math.inf)
    return TrialLimits(
        settings.before_hook_seconds, settings.after_hook_seconds, settings.login_hook_seconds
    )
