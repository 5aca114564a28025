"""A ``lean-emu up`` in a process of its own, asked from outside, and whatever it leaves behind."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
STOP_SECONDS = 15.0


def wait_until(holds: Callable[[], Any], what: str, seconds: float = 10.0) -> Any:
    """Poll until it is truthy and give its value; fail naming ``what`` when it is not in time."""
    end = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


@dataclass(frozen=True)
class Told:
    """An answer: status, JSON (text where it is none), and the seconds it took."""

    status: int
    json: Any
    seconds: float


class Up:
    """The program with a project, once it is ready. Use ``running_up``."""

    def __init__(self, project: Path, *options: str) -> None:
        self.project = project
        self._log = project.parent / f"{project.name}.log"
        command = [sys.executable, "-m", "lean_emulator", "up", str(project), "--port", "0"]
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, *options],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_until(self._is_ready, "the ready line", START_SECONDS)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        instance = json.loads((project / ".lean-emu" / "run.json").read_text())
        self.keys = json.loads((project / ".lean-emu" / "keys.json").read_text())
        self.api_url = str(instance["api_url"])
        self.console_url = str(instance["console_url"])

    def _is_ready(self) -> bool:
        text = self.output()
        assert self.process.poll() is None, f"lean-emu ended early:\n{text}"
        return re.search(r"^ready in [\d.]+ ?s$", text, re.M) is not None

    def output(self) -> str:
        """Everything it has printed up to now."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def said(self, text: str, seconds: float = 5.0) -> None:
        """Wait until it has printed that."""
        wait_until(lambda: text in self.output(), f"{text!r} is printed", seconds)

    @property
    def headers(self) -> dict[str, str]:
        """What a client with the app key sends."""
        return {"X-LC-Id": self.keys["app_id"], "X-LC-Key": self.keys["app_key"]}

    def ask(self, method: str, path: str, body: Any = None, *, master: bool = False) -> Told:
        """One request over a connection of its own, so that nothing is ever sent twice."""
        key = f"{self.keys['master_key']},master" if master else self.keys["app_key"]
        headers = {**self.headers, "X-LC-Key": key, "Content-Type": "application/json"}
        return asked(self.api_url, method, path, headers, body)

    def save(self, class_name: str, **fields: Any) -> Told:
        return self.ask("POST", f"/1.1/classes/{class_name}", fields)

    def run(self, function: str, **params: Any) -> Told:
        return self.ask("POST", f"/1.1/functions/{function}", params)

    def settle(self) -> None:
        assert self.ask("POST", "/__emu/settle", master=True).status == 200

    def steps(self) -> list[dict[str, Any]]:
        """Every step of every kept trace."""
        traces = self.ask("GET", "/__emu/traces", master=True).json["results"]
        return [step for root in traces for step in _walk(root)]

    def console(self) -> Told:
        """The list of traces, the console's first page."""
        return asked(self.console_url, "GET", "/", {"Accept": "application/json"}, None)

    def stop(self) -> int:
        """Ctrl-C; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=STOP_SECONDS)


@contextmanager
def running_up(project: Path, *options: str) -> Iterator[Up]:
    """A running program; when the block has ended well, it stops at once and leaves no process."""
    up = Up(project, *options)
    try:
        yield up
        began = time.monotonic()
        assert up.stop() == 0, up.output()[-2_000:]
        assert time.monotonic() - began < STOP_SECONDS / 2, "it took its time to stop"
        assert processes_in(project) == []
    except BaseException:
        if up.process.poll() is None:
            up.process.send_signal(signal.SIGINT)
            try:
                up.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                up.process.kill()
                up.process.wait()
        raise


def asked(base: str, method: str, path: str, headers: dict[str, str], body: Any) -> Told:
    began = time.perf_counter()
    connection = http.client.HTTPConnection(str(urlsplit(base).netloc), timeout=30)
    try:
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        read = answer.read()
        return Told(answer.status, _parsed(read), time.perf_counter() - began)
    finally:
        connection.close()


def _parsed(read: bytes) -> Any:
    try:
        return json.loads(read)
    except ValueError:
        return read.decode()


def processes_in(folder: Path) -> list[str]:
    """Command lines of living processes that work in a folder; none where there is no /proc."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            at = os.readlink(process / "cwd")
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if state != "Z" and at == str(folder):
            found.append(f"{process.name} {words}")
    return found


class Outside:
    """Somebody who looks at the console and uses a class without hooks while something goes on."""

    def __init__(self, up: Up) -> None:
        self.console: list[float] = []
        self.api: list[float] = []
        self.wrong: list[str] = []
        self._up = up
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Outside":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=30)
        assert not self._thread.is_alive(), "it still waits for an answer"

    def was_served(self, within: float = 1.0) -> None:
        """Fail unless both answered well each time, the console in time."""
        assert self.wrong == [], self.wrong
        assert self.console, "there was no time to look"
        assert max(self.console) < within, self.console

    def _look(self) -> None:
        while True:
            try:
                page, plain = self._up.console(), self._up.save("Plain", n=1)
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(repr(error))
                return
            self.console.append(page.seconds)
            self.api.append(plain.seconds)
            if (page.status, plain.status) != (200, 201):
                self.wrong.append(f"{page.status} {plain}")
            if self._over.wait(0.05):
                return


def _walk(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for child in step["children"]:
        yield from _walk(child)
