"""The program itself, over real sockets and in processes of its own; without user code."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lean_emulator import __version__
from lean_emulator.cli.local_http import request

pytestmark = pytest.mark.timeout(30)
PROGRAM = [sys.executable, "-m", "lean_emulator"]


class Up:
    """A ``lean-emu up --no-code`` that is ready; ``text`` is what it said until then."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.text: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            self.text.append(line.rstrip("\n"))
            if line.startswith("ready in "):
                return
        raise AssertionError("\n".join(self.text))

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def environment(**more: str) -> dict[str, str]:
    usual = {k: v for k, v in os.environ.items() if not k.startswith(("LEAN_EMU_", "LC_", "LANG"))}
    return {**usual, **more}


@contextmanager
def up(project: Path, *options: str) -> Iterator[Up]:
    command = [*PROGRAM, "up", str(project), "--no-code", "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
    ) as process:
        try:
            yield Up(process)
        finally:
            process.kill()


def ask(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words],
        capture_output=True, text=True, check=False, env=environment(**environ),
    )  # fmt: skip


def run_file(project: Path) -> Path:
    return project / ".lean-emu" / "run.json"


def test_the_start_is_told_in_under_15_lines(project: Path) -> None:
    with up(project) as running:
        run = json.loads(run_file(project).read_text())
        assert len(running.text) < 15
        text = "\n".join(running.text)
        assert run["api_url"] in text
        assert run["console_url"] in text
        assert f"export LEANCLOUD_API_SERVER={run['api_url']}" in text
        assert str(project / ".lean-emu" / "keys.json") in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_when_told_and_takes_its_run_file_along(
    project: Path, number: signal.Signals
) -> None:
    with up(project) as running:
        assert run_file(project).exists()
        assert running.stop(number) == 0
        assert not run_file(project).exists()


def test_other_commands_find_it(project: Path) -> None:
    with up(project) as running:
        run = json.loads(run_file(project).read_text())
        facts = json.loads(ask("info", str(project), "--json").stdout)
        assert facts["running"] is True
        assert (facts["pid"], facts["version"]) == (running.process.pid, __version__)
        assert facts["code"] == "none"
        variables = json.loads(ask("env", str(project), "--json").stdout)
        assert variables["LEANCLOUD_API_SERVER"] == run["api_url"]
        assert variables["LEANCLOUD_APP_ID"] == run["app_id"]
        other = ask("env", str(project), LEAN_EMU_APP_ID="another")
        assert "has other keys" in other.stderr


def test_an_instance_that_was_killed_is_not_believed(project: Path) -> None:
    with up(project) as running:
        running.stop(signal.SIGKILL)
        assert run_file(project).exists()
        done = ask("info", str(project), "--json")
        assert done.returncode == 1
        assert "ended without saying so" in json.loads(done.stdout)["reason"]
    with up(project):
        assert ask("info", str(project)).returncode == 0


def test_a_busy_port_is_named_with_its_holder_and_what_to_try(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = ask("up", str(project), "--no-code", "--port", str(port))
    assert done.returncode == 5
    assert f"Port {port} is in use" in done.stderr
    if sys.platform == "linux":  # elsewhere it depends on lsof
        assert f"(pid {os.getpid()})" in done.stderr
    assert f"Try: lean-emu up {project} --port " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_busy_console_port_is_the_one_that_is_named(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = ask("up", str(project), "--no-code", "--port", "0", "--console-port", str(port))
    assert done.returncode == 5
    assert f"Port {port} is in use" in done.stderr


def test_listening_for_everybody_is_warned_about(project: Path) -> None:
    with up(project, "--host", "0.0.0.0") as running:
        assert "everybody who reaches this machine" in running.text[0]


def test_keys_from_the_environment_count(project: Path) -> None:
    done = ask("env", str(project), "--json", LEAN_EMU_MASTER_KEY="chosen-master-key")
    assert json.loads(done.stdout)["LEANCLOUD_APP_MASTER_KEY"] == "chosen-master-key"
    assert "chosen" not in (project / ".lean-emu" / "keys.json").read_text()


@pytest.mark.parametrize(
    ("words", "environ", "said"),
    [
        (["--port", "many"], {}, "port must be a whole number"),
        ([], {"LEAN_EMU_PROT": "1"}, "Did you mean LEAN_EMU_PORT?"),
        (["--storage", "disk"], {}, "storage must be 'memory' or 'tinydb'"),
        (["--prot", "1"], {}, "--port"),
    ],
)
def test_wrong_use_leaves_with_2(
    project: Path, words: list[str], environ: dict[str, str], said: str
) -> None:
    done = ask("up", str(project), "--no-code", *words, **environ)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (project / ".lean-emu").exists()


def test_a_folder_without_code_leaves_with_5(project: Path) -> None:
    done = ask("up", str(project), "--port", "0")
    assert done.returncode == 5
    assert "There is no cloud.py" in done.stderr
    assert "--no-code" in done.stderr


def test_a_second_signal_does_not_wait() -> None:
    hanging = """
import asyncio, time
from lean_emulator.cli import stopping
stopping.SAME_KEYPRESS = 0.0

async def main():
    with stopping.StopSignals() as stop:
        print("up", flush=True)
        await stop.asked.wait()
        print("asked", flush=True)
        time.sleep(60)

stopping.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", hanging], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130


def test_the_address_of_an_instance_on_any_port_is_unknown_before_it_runs(project: Path) -> None:
    done = ask("env", str(project), "--port", "0")
    assert done.returncode == 5
    assert "no address to print" in done.stderr
    assert done.stdout == ""


POST = {"schema": {"title": {"required": True, "type": "String"}}}


def declared_in(project: Path) -> Path:
    """A file that declares ``Post``."""
    path = project / "schema" / "Post.json"
    path.parent.mkdir()
    path.write_text(json.dumps(POST), "utf-8")
    return path


def create(project: Path, class_name: str, **fields: object) -> int:
    """Store an object with the master key; the status."""
    run = json.loads(run_file(project).read_text())
    keys = json.loads((project / ".lean-emu" / "keys.json").read_text())
    headers = {"X-LC-Id": keys["app_id"], "X-LC-Key": f"{keys['master_key']},master"}
    path, body = f"/1.1/classes/{class_name}", json.dumps(fields).encode()
    answer = request(run["api_url"], "POST", path, headers=headers, body=body, seconds=5)
    return answer.status


def test_schemas_are_read_and_dumped(project: Path) -> None:
    path = declared_in(project)
    with up(project):
        assert create(project, "Post", title="t", stars=5) == 201
        assert create(project, "Fresh") == 201
        fresh = project / "schema" / "Fresh.schema.json"
        done = ask("schema", "dump", "-C", str(project))
        assert done.returncode == 0
        assert done.stdout.splitlines() == [f"new      {fresh}", f"changed  {path}"]
        columns = json.loads(path.read_text("utf-8"))["schema"]
        assert columns["title"] == {"required": True, "type": "String"}
        assert columns["stars"] == {"type": "Number"}
        again = json.loads(ask("schema", "dump", "-C", str(project), "--json").stdout)
        assert [each["change"] for each in again["files"]] == ["same", "same"]
        other = project / "other"
        assert ask("schema", "dump", "-C", str(project), "--out", str(other)).returncode == 0
        assert (other / "Post.schema.json").read_bytes() == path.read_bytes()
    with up(project, "--schema", str(other)):
        facts = json.loads(ask("schema", "dump", "-C", str(project), "--json").stdout)
        assert facts["folder"] == str(project / "schema")
        assert [each["change"] for each in facts["files"]] == ["same", "same"]


def test_a_dump_needs_a_running_instance(project: Path) -> None:
    done = ask("schema", "dump", "-C", str(project))
    assert done.returncode == 1
    assert "nothing is running" in done.stderr
    assert f"lean-emu up {project}" in done.stderr
    assert not (project / "schema").exists()


def test_a_wrong_schema_file_leaves_with_5(project: Path) -> None:
    path = declared_in(project)
    path.write_text('{"schema": {"n": {"type": "Nubmer"}}}', "utf-8")
    done = ask("up", str(project), "--no-code", "--port", "0")
    assert done.returncode == 5
    assert f"{path}: column 'n': type must be one of" in done.stderr
    assert "Did you mean 'Number'?" in done.stderr
    assert "--schema" in done.stderr
    assert "Traceback" not in done.stderr


def written(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return ask(*words, "-C", str(project))


def test_an_object_is_saved_updated_and_deleted(project: Path) -> None:
    with up(project):
        saved = written(project, "save", "Post", "--object", "{title: 'x', n: 1}", "--set", "n=2")
        assert saved.returncode == 0, saved.stderr
        post = json.loads(saved.stdout)
        assert (post["title"], post["n"]) == ("x", 2)
        assert "POST /1.1/classes/Post  ok 201" in saved.stderr

        updated = written(project, "update", "Post", post["objectId"], "--set", "a.b=1", "--json")
        assert updated.returncode == 0, updated.stderr
        facts = json.loads(updated.stdout)
        assert (facts["status"], facts["body"]["a"]) == (200, {"b": 1})
        shown = written(project, "trace", facts["trace"])
        assert shown.returncode == 0
        assert f"PUT /1.1/classes/Post/{post['objectId']}  ok 200" in shown.stdout
        assert '    + a: {"b": 1}' in shown.stdout.replace("      ", "    ")

        gone = written(project, "delete", "Post", post["objectId"])
        assert (gone.returncode, json.loads(gone.stdout)) == (0, {})
        last = json.loads(written(project, "trace", "--last", "--json").stdout)
        assert last["title"] == f"DELETE /1.1/classes/Post/{post['objectId']}"

        missing = written(project, "update", "Posts", post["objectId"], "--set", "n=1")
        assert missing.returncode == 1
        assert missing.stdout == ""
        assert "Did you mean Post?" in missing.stderr


def test_a_write_reads_standard_input(project: Path) -> None:
    with up(project):
        done = subprocess.run(
            [*PROGRAM, "save", "Post", "--object", "-", "-C", str(project)],
            input='{title: "星"}', capture_output=True, text=True, check=False, env=environment(),
        )  # fmt: skip
        assert json.loads(done.stdout)["title"] == "星"


def test_a_write_acts_as_a_user(project: Path) -> None:
    with up(project):
        nobody = written(project, "save", "Post", "--set", "n=1", "--user", "nobody")
        assert nobody.returncode == 2
        assert "there is no user 'nobody'" in nobody.stderr
        alice = json.loads(
            written(
                project, "save", "_User", "--set", "username=alice", "--set", "password=secret"
            ).stdout
        )
        for words, identity in (([], "user"), (["--master"], "master")):
            for who in ("alice", alice["objectId"]):
                done = written(project, "save", "Post", "--set", "n=1", "--user", who, *words)
                assert f"as {identity} alice" in done.stderr


def test_hooks_and_traces_that_are_not_there(project: Path) -> None:
    with up(project):
        none = written(project, "hook", "Post", "beforeSave", "--object", "{}")
        assert none.returncode == 1
        assert "registers no beforeSave for Post.\nThe code registers no hooks." in none.stderr
        unknown = written(project, "trace", "t-ffff")
        assert unknown.returncode == 1
        assert "there is no trace 't-ffff'" in unknown.stderr
        empty = written(project, "trace", "--last")
        assert empty.returncode == 1
        assert "Nothing has happened yet" in empty.stderr


def test_hooks_without_code_to_run_leave_with_5(project: Path) -> None:
    done = written(project, "hook", "Post", "beforeSave", "--object", "{}")
    assert done.returncode == 5
    assert "There is no cloud.py" in done.stderr
