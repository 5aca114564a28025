"""Files that are seen whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from lean_emulator import state_folder


def test_create_leaves_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert state_folder.create(path, b"one") is True
    assert state_folder.create(path, b"two") is False
    assert path.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["file"]


def test_create_on_a_file_system_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: object, target: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "file"
    assert state_folder.create(path, b"one") is True
    assert state_folder.create(path, b"two") is False
    assert path.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["file"]


def test_replace_overwrites_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a longer text than before")
    state_folder.replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_a_failed_write_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        state_folder.replace(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_ensure_twice_keeps_an_edited_ignore_file(tmp_path: Path) -> None:
    folder = state_folder.ensure(tmp_path)
    (folder / ".gitignore").write_text("keys.json\n")
    assert state_folder.ensure(tmp_path) == folder
    assert (folder / ".gitignore").read_text() == "keys.json\n"
