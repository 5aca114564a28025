"""A ``lean-emu up`` in a process of its own, and what it saw."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import leancloud
import requests

ROOT = Path(__file__).parents[3]
PROJECTS = ROOT / "fixtures" / "cloud"
START_SECONDS = 30


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 10.0) -> Any:
    """Poll until the condition is truthy; gives its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


class Emulator:
    """A ``lean-emu up`` in a process of its own, on a copy of a fixture project."""

    def __init__(self, project: Path, *options: str) -> None:
        self.project = project
        self.log = project.parent / f"{project.name}.log"
        program = os.environ.get("LEAN_EMU", "lean-emu").split()
        command = [*program, "up", str(project), "--port", "0", "--python", sys.executable]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        try:
            wait_until(self._is_ready, "ready line", START_SECONDS)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        run = json.loads((project / ".lean-emu" / "run.json").read_text())
        self.api_url: str = run["api_url"]
        self.console_url: str = run["console_url"]
        self.keys = json.loads((project / ".lean-emu" / "keys.json").read_text())

    def _is_ready(self) -> bool:
        text = self.output()
        if self.process.poll() is not None:
            raise AssertionError(f"lean-emu ended early:\n{text}")
        return re.search(r"^ready in [\d.]+ ?s$", text, re.M) is not None

    def output(self) -> str:
        """Everything the program has printed up to now."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def master(self) -> dict[str, str]:
        return {
            "X-LC-Id": self.keys["app_id"],
            "X-LC-Key": f"{self.keys['master_key']},master",
            "Content-Type": "application/json",
        }

    def admin(self, method: str, path: str) -> Any:
        answer = requests.request(
            method, f"{self.api_url}/__emu/{path}", headers=self.master, timeout=10
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Another ``lean-emu`` command for the same project."""
        program = os.environ.get("LEAN_EMU", "lean-emu").split()
        return subprocess.run(
            [*program, *words, "--project", str(self.project)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def settle(self) -> None:
        self.admin("POST", "settle")

    def forget(self) -> None:
        self.settle()
        self.admin("DELETE", "traces")

    def steps(self) -> list[dict[str, Any]]:
        """Every step of every kept trace, oldest first."""
        self.settle()
        return [step for root in self.admin("GET", "traces")["results"] for step in walk(root)]

    def fired(self) -> Counter[str]:
        """How often each hook ran since ``forget``: ``{"beforeSave Review": 1}``."""
        return Counter(
            f"{step['hook']} {step['className']}"
            for step in self.steps()
            if step["kind"] == "hook" and step["outcome"] != "skipped"
        )

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=15)


def walk(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for child in step["children"]:
        yield from walk(child)


def copied(name: str, folder: Path) -> Path:
    """A copy of a fixture project that the test may edit."""
    return Path(shutil.copytree(PROJECTS / name, folder / name))


def point_sdk_at(emulator: Emulator, *, master: bool = False) -> None:
    os.environ["LEANCLOUD_API_SERVER"] = emulator.api_url
    leancloud.init(
        emulator.keys["app_id"],
        app_key=emulator.keys["app_key"],
        master_key=emulator.keys["master_key"],
    )
    leancloud.client.HOOK_KEY = None
    leancloud.User.set_current(None)  # whoever the last test left signed in
    leancloud.use_master_key(master)
