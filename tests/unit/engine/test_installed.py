"""Installations are noticed when they are over."""

import os
import time
from pathlib import Path

from lean_emulator.engine.installed import Installed


def test_an_installation_counts_when_it_is_over(tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    installed = Installed([str(tmp_path), str(lock)])
    assert not installed.changed()
    lock.write_text("{}")
    assert not installed.changed()  # more may follow
    long_ago = time.time() - 5
    for path in (lock, tmp_path):
        os.utime(path, (long_ago, long_ago))
    assert installed.changed()


def test_what_was_removed_counts_at_once(tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    lock.write_text("{}")
    installed = Installed([str(lock)])
    lock.unlink()
    assert installed.changed()
    assert not Installed([str(lock)]).changed()
