"""``lean-emu exec`` as a person and as CI run it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tested_project import SERVER, write_project
from tests.wire.test_command_line import PROGRAM, ask, environment, run_file, up
from tests.wire.test_pytest_plugin import BROKEN, left_over

pytestmark = pytest.mark.timeout(60)

LOOK = """
import json, os, sys, urllib.request
server = os.environ["LEANCLOUD_API_SERVER"]
def ask(method, path, body=None):
    key = os.environ["LEANCLOUD_APP_KEY"]
    headers = {"X-LC-Id": os.environ["LEANCLOUD_APP_ID"], "X-LC-Key": key,
               "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(server + path, data, headers, method=method)
    return json.load(urllib.request.urlopen(asked))
made = ask("POST", "/1.1/classes/Review?fetchWhenSave=true", {"comment": "x" * 200})
print(json.dumps({"cut": len(made["comment"]), "cwd": os.getcwd(), "in": sys.stdin.read()}))
print("to stderr", file=sys.stderr)
sys.exit(7)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "测试 project")


def test_the_command_finds_an_emulator_with_the_code(project: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "exec", "-C", str(project), "--", sys.executable, "-c", LOOK],
        cwd=tmp_path,
        input="from outside",
        env={**environment(), "PYTHONPATH": os.getcwd(), "http_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert json.loads(done.stdout) == {"cut": 141, "cwd": str(tmp_path), "in": "from outside"}
    assert "to stderr" in done.stderr
    assert not run_file(project).exists()
    assert [path.name for path in (project / ".lean-emu").iterdir() if path.is_dir()] == []


def test_a_running_instance_is_left_alone(project: Path) -> None:
    with up(project) as running:
        told = json.loads(run_file(project).read_text())
        done = ask("exec", "-C", str(project), "--no-code", "--", *PRINT_SERVER)
        assert done.returncode == 0
        assert done.stdout.strip() != told["api_url"]
        assert json.loads(run_file(project).read_text()) == told
        assert running.stop() == 0


PRINT_SERVER = (sys.executable, "-c", "import os; print(os.environ['LEANCLOUD_API_SERVER'])")


def test_nothing_runs_without_an_emulator(tmp_path: Path) -> None:
    broken = write_project(tmp_path / "broken", BROKEN)
    done = ask("exec", "-C", str(broken), "--", "touch", str(tmp_path / "it-ran"))
    assert (done.returncode, done.stdout) == (3, "")
    assert "no database here" in done.stderr
    assert "nothing was run" in done.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    done = ask("exec", "-C", str(empty), "--", "touch", str(tmp_path / "it-ran"))
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    done = ask("exec", "-C", str(tmp_path / "nowhere"), "--", "touch", str(tmp_path / "it-ran"))
    assert done.returncode == 2
    assert not (tmp_path / "it-ran").exists()
    assert left_over(broken) == [str(broken / ".lean-emu")]


def test_commands_that_cannot_be_run(project: Path) -> None:
    done = ask("exec", "-C", str(project), "--", "no-such-command-at-all")
    assert (done.returncode, "no-such-command-at-all" in done.stderr) == (127, True)
    done = ask("exec", "-C", str(project), "--", str(project / "server.py"))
    assert (done.returncode, "not executable" in done.stderr) == (126, True)
    assert ask("exec", "-C", str(project)).returncode == 2


WAIT = """
import signal, sys
def told(number, frame):
    print("got", signal.Signals(number).name, flush=True)
    sys.exit(9)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, told)
print("ready", flush=True)
signal.pause()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_are_passed_on_and_the_command_decides(
    project: Path, number: signal.Signals
) -> None:
    command = [*PROGRAM, "exec", "-C", str(project), "--", sys.executable, "-c", WAIT]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.read() == f"got {number.name}\n"
        assert process.wait() == 9
    assert left_over(project) == [str(project / ".lean-emu")]


def test_a_command_that_a_signal_ended_is_told_as_shells_do(project: Path) -> None:
    done = ask("exec", "-C", str(project), "--no-code", "--", "sh", "-c", "kill -9 $$")
    assert done.returncode == 128 + 9


@pytest.mark.parametrize(("flag", "waited"), [("--await-after", True), ("--no-await-after", False)])
def test_after_hooks_are_waited_for_unless_told_not_to(
    tmp_path: Path, flag: str, waited: bool
) -> None:
    project = write_project(tmp_path / "project", SLOW_AFTER)
    code = LOOK.replace("print(json", "print(os.path.exists('done'))\n#").replace(
        "exit(7)", "exit()"
    )
    done = subprocess.run(
        [*PROGRAM, "exec", flag, "--", sys.executable, "-c", code],
        cwd=project,
        env={**environment(), "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.stdout.strip() == str(waited), done.stderr


SLOW_AFTER = SERVER.replace(
    '            self.answer(200, {"result": "ok"})',
    '            import time\n            time.sleep(1)\n            open("done", "w").close()\n'
    '            self.answer(200, {"result": "ok"})',
)
