"""Finding the running instance, and not believing a file that a killed one left behind."""

import dataclasses
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lean_emulator import instance_file
from lean_emulator.instance_file import Health, Instance


def instance(pid: int = os.getpid(), **more: object) -> Instance:
    usual: dict[str, object] = {
        "pid": pid, "api_url": "http://127.0.0.1:9", "console_url": "http://127.0.0.1:10",
        "api_port": 9, "console_port": 10, "app_id": "app", "started_ms": 1, "version": "1",
        "project_dir": "/p",
    }  # fmt: skip
    return Instance(**{**usual, **more})  # type: ignore[arg-type]  # the keys are the fields


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance_file, "_answers", lambda url: True)


def test_nothing_there(tmp_path: Path) -> None:
    sighting = instance_file.look(tmp_path)
    assert sighting.running is None
    assert sighting == (Health.ABSENT, None)


@pytest.mark.usefixtures("answering")
def test_a_running_one(tmp_path: Path) -> None:
    instance_file.write(tmp_path, instance())
    sighting = instance_file.look(tmp_path)
    assert sighting.health is Health.RUNNING
    assert sighting.running == instance()
    path = instance_file.path_in(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.usefixtures("answering")
def test_a_process_that_ended_is_gone(tmp_path: Path) -> None:
    instance_file.write(tmp_path, instance(ended_process()))
    sighting = instance_file.look(tmp_path)
    assert sighting.health is Health.GONE
    assert sighting.running is None


def test_a_process_that_does_not_answer_is_silent(tmp_path: Path) -> None:
    """Its id was given to another program, or it hangs: nothing listens on port 9."""
    instance_file.write(tmp_path, instance())
    assert instance_file.look(tmp_path).health is Health.SILENT


@pytest.mark.parametrize("url", ["", "http://", "http://127.0.0.1:notaport", "http://[::1"])
def test_addresses_that_make_no_sense_are_silent(tmp_path: Path, url: str) -> None:
    instance_file.write(tmp_path, instance(api_url=url))
    assert instance_file.look(tmp_path).health is Health.SILENT


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"pid": 1}', json.dumps({**dataclasses.asdict(instance()),
    "pid": "1"}), json.dumps({**dataclasses.asdict(instance()), "pid": -1})],
)  # fmt: skip
def test_a_file_that_makes_no_sense_is_no_instance(tmp_path: Path, text: str) -> None:
    instance_file.write(tmp_path, instance())
    instance_file.path_in(tmp_path).write_text(text)
    assert instance_file.look(tmp_path) == (Health.ABSENT, None)


def test_removing_takes_only_ones_own(tmp_path: Path) -> None:
    instance_file.write(tmp_path, instance(pid=1))
    instance_file.remove(tmp_path, 2)
    assert instance_file.path_in(tmp_path).exists()
    instance_file.remove(tmp_path, 1)
    assert not instance_file.path_in(tmp_path).exists()
    instance_file.remove(tmp_path, 1)
