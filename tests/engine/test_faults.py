"""Code that hangs, dies, floods or breeds: the rest goes on, and lean-emu says what happened.

Each test runs a real ``lean-emu up`` and looks at it from outside while the fault lasts.
"""

import http.server
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.up_process import Outside, Told, Up, running_up, wait_until

HEAD = "import os, sys, time\nimport leancloud\nengine = leancloud.Engine()\n"
HELLO = "\n@engine.define\ndef hello(**params):\n    return 'here'\n"
PREFIX = "Cloud Code validation failed. Error detail : "

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc"),
]


def hook(word: str, class_name: str, body: str) -> str:
    """Source of one class hook."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"\n@engine.{word}('{class_name}')\ndef {word}_{class_name}(obj):\n{lines}"


@contextmanager
def project(folder: Path, python: str, source: str, *options: str) -> Iterator[Up]:
    """``lean-emu up`` with ``cloud.py`` that begins with ``HEAD``."""
    place = folder / "project"
    place.mkdir()
    (place / "cloud.py").write_text(HEAD + HELLO + source)
    with running_up(place, "--python", python, *options) as up:
        yield up


def meanwhile(work: Callable[[], Any]) -> "_Later":
    return _Later(work)


class _Later:
    """Something that goes on in a thread; ``value`` waits for it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._outcome: list[Any] = []
        self._thread = threading.Thread(target=lambda: self._outcome.append(work()), daemon=True)
        self._thread.start()

    def value(self) -> Any:
        self._thread.join(timeout=30)
        assert self._outcome, "it gave no answer"
        return self._outcome[0]


def refused(answer: Told) -> tuple[int, int, str]:
    return answer.status, answer.json["code"], answer.json["error"]


def test_a_process_that_is_killed_in_the_middle_of_a_hook(tmp_path: Path, python: str) -> None:
    body = "open('pid', 'w').write(str(os.getpid()))\nos.rename('pid', 'pid.now')\ntime.sleep(60)"
    with project(tmp_path, python, hook("before_save", "Held", body)) as up:
        with Outside(up) as outside:
            save = meanwhile(lambda: up.save("Held"))
            pid = wait_until(lambda: _number_in(up.project / "pid.now"), "the hook runs")
            os.kill(pid, signal.SIGKILL)
            said = "The process of the cloud code ended by signal SIGKILL before it answered."
            assert refused(save.value()) == (400, 142, PREFIX + said)
            assert up.run("hello").json == {"result": "here"}, "it was started again"
        outside.was_served()
        up.said("the process ended by signal SIGKILL")
        (step,) = [step for step in up.steps() if step["kind"] == "hook"]
        assert step["outcome"] == "failed"
        assert step["error"]["message"] == said


def _number_in(path: Path) -> int | None:
    return int(path.read_text()) if path.exists() else None


def test_a_process_that_ends_itself_in_a_hook(tmp_path: Path, python: str) -> None:
    with project(tmp_path, python, hook("before_save", "Held", "os._exit(7)")) as up:
        with Outside(up) as outside:
            said = "The process of the cloud code ended with exit code 7 before it answered."
            assert refused(up.save("Held")) == (400, 142, PREFIX + said)
            assert up.run("hello").json == {"result": "here"}
        outside.was_served()
        up.said("the process ended with exit code 7")


def test_a_hook_that_hangs(tmp_path: Path, python: str) -> None:
    source = hook("before_save", "Held", "while True: time.sleep(1)")
    source += hook("after_save", "Late", "while True: time.sleep(1)")
    options = ("--before-hook-seconds", "1", "--after-hook-seconds", "1")
    with project(tmp_path, python, source, *options) as up:
        with Outside(up) as outside:
            late = up.save("Late")
            assert (late.status, late.seconds < 0.5) == (201, True)
            held = up.save("Held")
            assert refused(held) == (
                400,
                141,
                "LeanEngine request timeout. className: Held, hook: beforeSave",
            )
            assert 1.0 <= held.seconds < 2.0
            assert up.run("hello").json == {"result": "here"}, "its process goes on"
            up.settle()
        outside.was_served()
        up.said("later afterSave Late  timeout")
        outcomes = {step["title"]: step["outcome"] for step in up.steps() if step["kind"] == "hook"}
        assert outcomes == {"beforeSave Held": "timeout", "afterSave Late": "timeout"}


def test_a_hook_that_prints_ten_megabytes(tmp_path: Path, python: str) -> None:
    source = hook(
        "before_save",
        "Loud",
        "for n in range(50_000):\n    print('%099d' % n)\nprint('y' * 5_000_000)\nobj.set('n', 1)",
    )
    with project(tmp_path, python, source) as up:
        with Outside(up) as outside:
            assert up.save("Loud").status == 201
        outside.was_served()
        page = up.console()
        assert page.status == 200
        assert page.seconds < 1
        (step,) = [step for step in up.steps() if step["kind"] == "hook"]
        assert step["outcome"] == "ok"
        assert 1 <= len(step["prints"]) <= 1_001, "a trace keeps a part of it"
        up.said(f"{49_999:099d}")
        up.said("y" * 1_000)


NEVER_READY = "import time\ntime.sleep(600)\n"


def test_an_edit_that_never_gets_ready(tmp_path: Path, python: str) -> None:
    source = hook("before_save", "Held", "obj.set('n', 1)")
    with project(tmp_path, python, source, "--start-limit-seconds", "1.5") as up:
        path = up.project / "cloud.py"
        good = path.read_text()
        last = "it did not finish loading within 1.5 s"
        with Outside(up) as outside:
            path.write_text(NEVER_READY)
            up.said(f"cloud.py did not load: {last}")
            assert refused(up.run("hello")) == (500, 141, f"cloud.py did not load: {last}")
            assert refused(up.save("Held")) == (400, 142, f"{PREFIX}cloud.py did not load: {last}")
            path.write_text(good)
            assert up.run("hello").json == {"result": "here"}
        outside.was_served()
        up.said("look for a loop, a server being started or a slow call at the top of the file")


def test_code_that_never_gets_ready_at_all(tmp_path: Path, python: str) -> None:
    place = tmp_path / "project"
    place.mkdir()
    (place / "cloud.py").write_text(NEVER_READY)
    with running_up(place, "--python", python, "--start-limit-seconds", "1") as up:
        last = "it did not finish loading within 1 s"
        assert up.console().seconds < 1
        assert refused(up.run("hello")) == (500, 141, f"cloud.py did not load: {last}")
        write = (400, 142, f"{PREFIX}the cloud code did not load: {last}")
        assert refused(up.save("Plain")) == write, "it may have a hook there"
        up.said(last)


def test_code_that_ends_the_process_while_it_loads(tmp_path: Path, python: str) -> None:
    with project(tmp_path, python, "") as up:
        path = up.project / "cloud.py"
        good = path.read_text()
        with Outside(up) as outside:
            path.write_text("import os\nprint('good bye', flush=True)\nos._exit(4)\n")
            last = "the process ended with exit code 4: good bye"
            assert refused(up.run("hello")) == (500, 141, f"cloud.py did not load: {last}")
            path.write_text(good)
            assert up.run("hello").json == {"result": "here"}
        outside.was_served()
        up.said(f"cloud.py did not load: {last}")


@pytest.mark.parametrize("how", ["os.close(1); os.close(2)", "sys.stdout.close(); os.close(1)"])
def test_code_that_closes_its_output(tmp_path: Path, python: str, how: str) -> None:
    source = f"\n{how}\n"
    source += hook("before_save", "Held", "obj.set('n', 1)")
    source += hook("after_save", "Held", "print('who hears this?')")
    with project(tmp_path, python, source) as up:
        with Outside(up) as outside:
            for _ in range(3):
                saved = up.save("Held")
                assert (saved.status, saved.seconds < 1) == (201, True)
                up.settle()
            assert up.run("hello").json == {"result": "here"}
        outside.was_served()


THIEF = """
import os, socket, sys, time
port = int(os.environ['LEANCLOUD_APP_PORT'])
open('port.new', 'w').write(str(port))
os.rename('port.new', 'port')
while os.path.exists('port'):
    time.sleep(0.01)
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '4')
        self.end_headers()
        self.wfile.write(b'mine')
class Server(http.server.HTTPServer):
    allow_reuse_address = False
Server(('127.0.0.1', port), Handler).serve_forever()
"""


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers everything, and is not what was started."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Takes the port and is silent."""
    with socket.create_server(("127.0.0.1", port)):
        yield


@contextmanager
def answering(port: int) -> Iterator[None]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Stranger) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield
        server.shutdown()
        serving.join()


@pytest.mark.parametrize("take", [listening, answering])
def test_a_port_that_somebody_else_takes_first(
    tmp_path: Path, take: Callable[[int], AbstractContextManager[None]]
) -> None:
    """The code finds it taken and ends; started again, it is given another one."""
    place = tmp_path / "project"
    place.mkdir()
    (place / "serve.py").write_text(THIEF)

    def steal() -> bool:
        port = wait_until(lambda: _number_in(place / "port"), "the code names its port", 20)
        with take(port):
            (place / "port").unlink()
            wait_until(lambda: _number_in(place / "port"), "it is started again", 20)
            (place / "port").unlink()
        return True

    stealing = meanwhile(steal)
    with running_up(place, "--cmd", f"{sys.executable} serve.py") as up:
        assert up.console().seconds < 1
        up.said("Address already in use")
        up.said("the process ended with exit code 1")
        if take is listening:  # nothing has ever answered, so that only an edit helps
            up.said("did not load: the process ended with exit code 1: OSError: ")
            (place / "serve.py").write_text(THIEF + "# edited\n")
        assert stealing.value()
        wait_until(lambda: up.ask("GET", "/").json == "mine", "the code has a port")


BOMB = """
def three_more(obj):
    for _ in range(3):
        try:
            leancloud.Object.extend(obj._class_name)().save()
        except leancloud.LeanCloudError:
            pass


@engine.before_save('Before')
def before(obj):
    three_more(obj)


@engine.after_save('After')
def after(obj):
    three_more(obj)
"""


@pytest.mark.parametrize("class_name", ["Before", "After"])
def test_hooks_that_breed(tmp_path: Path, python: str, class_name: str) -> None:
    """Each makes three more: hundreds of hook calls from one save, until the guard cuts."""
    with project(tmp_path, python, BOMB, "--hook-depth", "5") as up:
        with Outside(up) as outside:
            assert up.save(class_name).status == 201
            up.settle()
        outside.was_served()
        step = f"{class_name.lower()}Save {class_name}"
        up.said(f"LeanEngine hooks rate limit exceeded. 6 calls deep: {step} → {step}")
        assert up.output().count("rate limit exceeded") == 1, "said once"
        up.said("on the object before saving it in the hook")
        assert up.run("hello").json == {"result": "here"}
