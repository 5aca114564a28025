"""The servers that are measured, each a process of its own."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """One that runs; ``headers`` let a client in."""

    port: int
    pid: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def cpu_seconds(self) -> float:
        """What all its threads have used so far. Raises ``OSError`` where there is no ``/proc``."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def created(self, class_name: str, body: bytes, count: int) -> list[str]:
        """Ids of new objects."""
        return asyncio.run(self._created(class_name, body, count))

    async def _created(self, class_name: str, body: bytes, count: int) -> list[str]:
        found = []
        async with aiohttp.ClientSession(headers=self.headers) as session:
            for _ in range(count):
                url = f"http://127.0.0.1:{self.port}/1.1/classes/{class_name}"
                async with session.post(url, data=body) as answer:
                    found.append((await answer.json(content_type=None))["objectId"])
        return found


@contextmanager
def bare(kind: str) -> Iterator[Server]:
    """``bare_server.py``, an ``app`` or the ``floor``."""
    program = str(Path(__file__).with_name("bare_server.py"))
    with subprocess.Popen([sys.executable, program, kind], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield Server(int(process.stdout.readline()), process.pid)
        finally:
            process.kill()


@contextmanager
def emulator(project: Path, *options: str) -> Iterator[Server]:
    """``lean-emu up`` with further options, its output in the project's ``up.log``."""
    command = [sys.executable, "-m", "lean_emulator", "up", str(project), "--port", "0", *options]
    log = project / "up.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output) as process,
    ):
        try:
            end = time.monotonic() + 30
            while "\nready in " not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.01)
            instance = json.loads((project / ".lean-emu/run.json").read_text())
            keys = json.loads((project / ".lean-emu/keys.json").read_text())
            headers = {"X-LC-Id": keys["app_id"], "X-LC-Key": keys["app_key"]}
            yield Server(int(instance["api_port"]), process.pid, headers)
        finally:
            process.terminate()
