"""Node code that dies or hangs, with the official SDK: the rest goes on, and nothing is left.

The same for Python, and more, is in ``tests/engine/test_faults.py``.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from both_engines import PREFIX
from emu_process import Emulator, wait_until
from node_packages import INSTALL_SECONDS, copied_with_packages, needs_node
from rest import Rest

pytestmark = [
    pytest.mark.timeout(INSTALL_SECONDS + 60),
    needs_node,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc"),
]

FAULTS = """
const fs = require('fs');
AV.Cloud.beforeSave('Held', async () => {
  fs.writeFileSync('pid.new', String(process.pid));
  fs.renameSync('pid.new', 'pid');
  await new Promise(() => {});
});
AV.Cloud.beforeSave('Exits', () => process.exit(7));
AV.Cloud.beforeSave('Spins', () => { for (;;) {} });
"""


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rest]:
    """An emulator that gives a before hook two seconds, and leaves no process when it stops."""
    project = copied_with_packages("reviews-node", tmp_path)
    path = project / "cloud.js"
    path.write_text(path.read_text(encoding="utf-8") + FAULTS, encoding="utf-8")
    emulator = Emulator(project, "--before-hook-seconds", "2")
    yield Rest(emulator)
    assert emulator.stop() == 0
    assert processes_in(project) == []


def processes_in(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            at = os.readlink(process / "cwd")
        except OSError:
            continue
        if state != "Z" and at == str(folder):
            found.append(process.name)
    return found


def looks_fine(rest: Rest) -> None:
    """The console answers in time, and a class without hooks is served."""
    began = time.monotonic()
    page = requests.get(rest.emulator.console_url, timeout=10)
    assert page.status_code == 200
    assert time.monotonic() - began < 1
    rest.save("Post", title="meanwhile")


def test_node_that_is_killed_in_the_middle_of_a_hook(rest: Rest) -> None:
    told: list[tuple[int, int, str]] = []
    saving = threading.Thread(target=lambda: told.append(rest.refusal("POST", "classes/Held", {})))
    saving.start()
    pid = rest.emulator.project / "pid"
    wait_until(pid.exists, "the hook runs")
    looks_fine(rest)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    saving.join(timeout=10)
    (status, code, text) = told[0]
    assert (status, code) == (400, 142)
    assert text.startswith(f"{PREFIX}The process of the cloud code ended ")
    assert rest.run("hello") == "Hello, world!", "it was started again"
    wait_until(lambda: "loaded  the process ended" in rest.emulator.output(), "that is told")


def test_node_that_exits_in_a_hook(rest: Rest) -> None:
    status, code, text = rest.refusal("POST", "classes/Exits", {})
    assert (status, code) == (400, 142)
    assert (
        text == f"{PREFIX}The process of the cloud code ended with exit code 7 before it answered."
    )
    looks_fine(rest)
    assert rest.run("hello") == "Hello, world!"


@pytest.mark.parametrize("class_name", ["Held", "Spins"])
def test_a_hook_that_never_answers(rest: Rest, class_name: str) -> None:
    """Spinning, it holds every other function too, for Node has one thread; an edit frees them."""
    told: list[tuple[int, int, str]] = []
    path = f"classes/{class_name}"
    saving = threading.Thread(target=lambda: told.append(rest.refusal("POST", path, {})))
    saving.start()
    wait_until(lambda: any(step["outcome"] == "running" and step["kind"] == "hook"
                           for root in rest.emulator.admin("GET", "traces")["results"]
                           for step in root["children"]), "the hook runs")  # fmt: skip
    looks_fine(rest)
    saving.join(timeout=10)
    assert told == [
        (400, 141, f"LeanEngine request timeout. className: {class_name}, hook: beforeSave")
    ]
    code = rest.emulator.project / "cloud.js"
    code.write_text(code.read_text(encoding="utf-8").replace("Hello", "Hi"), encoding="utf-8")
    assert rest.run("hello") == "Hi, world!"
