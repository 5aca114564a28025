"""``lean-emu status``, ``logs``, ``stop``, ``config``, ``doctor``, ``completion`` from outside."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.tested_project import write_project
from tests.wire.test_command_line import PROGRAM, Up, ask, environment, run_file, up
from tests.wire.test_pytest_plugin import BROKEN, left_over

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "实例 project")


@contextmanager
def served(project: Path) -> Iterator[Up]:
    """The project with its code."""
    command = [*PROGRAM, "up", str(project), "--port", "0", "--storage", "memory"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
    ) as process:
        try:
            yield Up(process)
        finally:
            process.kill()


# ---- status


def test_status_of_nothing(project: Path) -> None:
    done = ask("status", "-C", str(project), LEAN_EMU_LANG="zh")
    assert (done.returncode, done.stdout) == (1, "nothing is running\n")
    assert "启动：lean-emu up" in done.stderr
    told = json.loads(ask("status", "-C", str(project), "--json").stdout)
    assert told == {"running": False, "reason": "nothing is running"}


def test_status_of_an_instance(project: Path) -> None:
    where = ("-C", str(project))
    with served(project) as running:
        assert ask("save", "Review", "--set", "comment=good", *where).returncode == 0
        assert ask("clock", "set", "2031-01-01T00:00:00Z", *where).returncode == 0
        done = ask("status", "--json", *where)
        told = json.loads(done.stdout)
        assert (done.returncode, told["pid"]) == (0, running.process.pid)
        assert (told["functions"], told["hooks"], told["code"]) == (2, 2, "ready")
        assert (told["objects"], told["messages"]) == ({"Review": 1}, 0)
        assert told["clock_ahead_seconds"] > 1_000_000
        text = ask("status", *where).stdout
        assert "1: Review 1" in text
        assert "2 functions, 2 hooks (ready)" in text


def test_status_of_code_that_did_not_load(tmp_path: Path) -> None:
    project = write_project(tmp_path / "broken", BROKEN)
    with served(project):
        done = ask("status", "-C", str(project))
        assert done.returncode == 3
        assert "did not load" in done.stdout


def test_status_waits_for_an_instance(project: Path) -> None:
    command = [*PROGRAM, "status", "-C", str(project), "--wait", "30", "--json"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as waiting,
        served(project),
    ):
        out, _ = waiting.communicate(timeout=30)
        assert (waiting.returncode, json.loads(out)["code"]) == (0, "ready")


# ---- logs


def test_logs_tell_output_and_requests_in_order(project: Path) -> None:
    where = ("-C", str(project))
    with served(project):
        assert ask("invoke", "hello", *where).returncode == 0
        assert ask("save", "Review", "--set", "stars=1", *where).returncode == 1
        lines = ask("logs", *where).stdout.splitlines()
        assert lines[-3].endswith("│ hello was called")
        assert "200  POST /1.1/functions/hello" in lines[-2]
        assert "400  POST /1.1/classes/Review" in lines[-1]
        assert "beforeSave Review" in lines[-1]
        only = ask("logs", "--only", "output", *where).stdout.splitlines()
        assert [line.split("  ", 1)[1] for line in only] == ["│ hello was called"]
        (last,) = ask("logs", "-n", "1", "--json", *where).stdout.splitlines()
        told = json.loads(last)
        assert (told["status"], told["outcome"]) == (400, "rejected")
        assert told["hooks"] == [{"title": "beforeSave Review", "outcome": "rejected"}]
        assert ask("logs", "-n", "0", *where).stdout == ""


def test_logs_follow_until_the_instance_ends(project: Path) -> None:
    where = ("-C", str(project))
    with served(project) as running:
        command = [*PROGRAM, "logs", "-f", "--only", "output", *where]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(PYTHONUNBUFFERED="1"),
        ) as following:
            assert following.stdout is not None
            for _ in range(2):
                assert ask("invoke", "hello", *where).returncode == 0
                assert following.stdout.readline().endswith("│ hello was called\n")
            assert running.stop() == 0
            out, err = following.communicate(timeout=30)
            assert (following.returncode, out, err) == (0, "", "The instance has ended.\n")


def test_logs_and_stop_want_an_instance(project: Path) -> None:
    for command in ("logs", "stop"):
        done = ask(command, "-C", str(project))
        assert (done.returncode, done.stdout) == (1, "")
        assert "nothing is running" in done.stderr
        assert "lean-emu up" in done.stderr


# ---- stop


def test_stop_ends_the_instance_in_order(project: Path) -> None:
    with served(project) as running:
        done = ask("stop", "-C", str(project), "--json")
        told = json.loads(done.stdout)
        assert (done.returncode, told["stopped"]) == (0, True)
        assert told["pid"] == running.process.pid
        assert running.process.wait() == 0
    assert not run_file(project).exists()
    assert left_over(project) == [str(project / ".lean-emu")]


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs a process that can be held")
def test_an_instance_that_does_not_answer_is_not_killed(project: Path) -> None:
    with up(project) as running:
        running.process.send_signal(signal.SIGSTOP)
        done = ask("stop", "-C", str(project))
        assert done.returncode == 1
        assert f"process {running.process.pid} is there" in done.stderr
        assert running.process.poll() is None


# ---- config


def test_config_tells_origins_and_masks_keys(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.lean-emu]\ntraces = 9\n")
    told = json.loads(
        ask(
            "config", str(project), "--show-origin", "--json", "--port", "4000",
            LEAN_EMU_MASTER_KEY="a-very-secret-master-key", LEAN_EMU_FSYNC="always",
        ).stdout
    )  # fmt: skip
    assert told["port"] == {"value": 4000, "origin": "--port"}
    assert told["traces"] == {"value": 9, "origin": "[tool.lean-emu] in pyproject.toml"}
    assert told["fsync"] == {"value": "always", "origin": "LEAN_EMU_FSYNC"}
    assert told["cmd"]["origin"] == "lean-emu.toml"
    assert told["host"]["origin"] == "default"
    assert told["master_key"] == {"value": "••••-key", "origin": "LEAN_EMU_MASTER_KEY"}
    assert told["app_key"] == {"value": None, "origin": "made at the first start"}
    assert not (project / ".lean-emu").exists()
    ask("env", str(project))
    kept = json.loads((project / ".lean-emu" / "keys.json").read_text())
    text = ask("config", str(project), "--show-origin").stdout
    assert kept["app_id"] in text
    assert kept["master_key"] not in text
    assert kept["master_key"][-4:] in text


def test_config_shows_what_was_chosen(project: Path) -> None:
    chosen = ask("config", str(project), "--changed", "--only", "cmd").stdout
    assert chosen.split() == ["cmd", sys.executable, "server.py"]
    assert ask("config", str(project), "--only", "console-port").stdout == "console_port  -\n"
    done = ask("config", str(project), "--only", "prot")
    assert (done.returncode, "Did you mean port?" in done.stderr) == (2, True)
    (project / "lean-emu.toml").write_text("prot = 1\n")
    done = ask("config", str(project))
    assert (done.returncode, "There is no setting prot" in done.stderr) == (2, True)


# ---- doctor


def checks(project: Path, *options: str, **environ: str) -> tuple[int, dict[str, tuple[str, str]]]:
    done = ask("doctor", str(project), "--json", *options, **environ)
    told = json.loads(done.stdout)
    assert told["ok"] is (done.returncode == 0)
    return done.returncode, {c["check"]: (c["state"], c["text"]) for c in told["checks"]}


def test_doctor_finds_nothing_wrong_and_changes_nothing(project: Path) -> None:
    code, found = checks(project, "--port", "0")
    assert code == 0, found
    assert {state for state, _ in found.values()} == {"ok"}
    assert not (project / ".lean-emu").exists()
    assert "Nothing is wrong." in ask("doctor", str(project), "--port", "0").stdout


def test_doctor_finds_what_is_wrong(tmp_path: Path) -> None:
    python = tmp_path / "python project"
    python.mkdir()
    (python / "cloud.py").write_text("import leancloud\nengine = leancloud.Engine()\n")
    (python / ".lean-emu").mkdir()
    (python / ".lean-emu" / "keys.json").write_text("{}")
    (python / ".lean-emu" / "data").write_text("no folder")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, found = checks(
            python, "--port", port, "--console-port", "0", "--python", no_sdk(tmp_path),
            LEANCLOUD_API_SERVER="https://api.example.com",
        )  # fmt: skip
    wrong = {name for name, (state, _) in found.items() if state == "wrong"}
    assert (code, wrong) == (1, {"SDK", "API port", "keys", "data"})
    assert found["environment"][0] == "warning"
    text = ask("doctor", str(python), "--port", "0", LEAN_EMU_LANG="zh").stdout
    assert "→ 请" in text


def test_doctor_wants_no_sdk_for_other_web_apps(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "wsgi.py").write_text("def application(environ, start_response): ...\n")
    options = ("--port", "0", "--python", no_sdk(tmp_path))
    code, found = checks(app, *options)
    assert (code, found["SDK"][0]) == (0, "note")
    (app / "wsgi.py").write_text("import leancloud\napplication = leancloud.Engine()\n")
    assert checks(app, *options)[1]["SDK"][0] == "wrong"
    old = tmp_path / "old"
    old.write_text("""#!/bin/sh\necho '{"version": [3, 5, 9], "sdk": null, "error": ""}'\n""")
    old.chmod(0o755)
    assert "too old" in checks(app, "--port", "0", "--python", str(old))[1]["interpreter"][1]


def no_sdk(folder: Path) -> str:
    """An interpreter without the SDK, whatever the one of the tests has."""
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_doctor_names_settings_that_cannot_be_read(project: Path) -> None:
    (project / "lean-emu.toml").write_text("port = 'x'\n")
    code, found = checks(project)
    assert (code, found["settings"][0]) == (1, "wrong")
    assert checks(project / "nowhere")[1]["settings"][0] == "wrong"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_doctor_looks_at_node(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"scripts": {"start": "node server.js"}}')
    (tmp_path / "server.js").write_text("")
    code, found = checks(tmp_path, "--port", "0")
    assert code == 1
    assert (found["node"][0], found["packages"][0]) == ("ok", "wrong")
    (tmp_path / "node_modules").mkdir()
    assert checks(tmp_path, "--port", "0")[0] == 0


def test_doctor_knows_the_port_of_the_projects_own_instance(project: Path) -> None:
    with up(project):
        port = str(json.loads(run_file(project).read_text())["api_port"])
        code, found = checks(project, "--port", port, "--console-port", "0")
    assert found["instance"][0] == "note"
    if sys.platform == "linux":
        assert (code, found["API port"]) == (0, ("ok", f"{port} is the running instance's"))


# ---- completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    done = ask("completion", shell)
    assert done.returncode == 0
    assert "_LEAN_EMU_COMPLETE" in done.stdout
    assert f"lean-emu completion {shell}" in done.stderr
    assert ask("completion", SHELL=f"/usr/bin/{shell}").stdout == done.stdout


def test_completion_of_an_unknown_shell() -> None:
    assert ask("completion", "tcsh").returncode == 2
    assert ask("completion", SHELL="/bin/tcsh").returncode == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("lean-emu st", ["status", "stop"]),
        ("lean-emu snapshot s", ["save"]),
        ("lean-emu logs --fo", ["--follow"]),
    ],
)
def test_what_completes(words: str, expected: list[str]) -> None:
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = ask(_LEAN_EMU_COMPLETE="bash_complete", **asked)
    assert [line.partition(",")[2] for line in done.stdout.split()] == expected


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    program = tmp_path / "lean-emu"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lean_emulator "$@"\n')
    program.chmod(0o755)
    script = (
        'eval "$(lean-emu completion bash)"; COMP_WORDS=(lean-emu compl); COMP_CWORD=1; '
        '_lean_emu_completion lean-emu; echo "${COMPREPLY[@]}"'
    )
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        env=environment(PATH=path, PYTHONPATH=os.getcwd()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["completion"], done.stderr
