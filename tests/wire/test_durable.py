"""What is stored outlives the process, also one that is killed; ``--storage tinydb``."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import tinydb

from lean_emulator.cli.local_http import request
from lean_emulator.keys import Keys
from tests.support.api import MASTER, running_api
from tests.support.fake_engine import FakeEngine
from tests.support.scenario import SignedUp, prepare
from tests.wire.test_command_line import ask, run_file, up

pytestmark = pytest.mark.timeout(60)
DURABLE = ("--storage", "tinydb")


def send(project: Path, method: str, path: str, body: Any = None) -> Any:
    run = json.loads(run_file(project).read_text())
    keys = Keys(**json.loads((project / ".lean-emu" / "keys.json").read_text()))
    headers = {"X-LC-Id": keys.app_id, "X-LC-Key": f"{keys.master_key},master"}
    sent = None if body is None else json.dumps(body).encode()
    answer = request(run["api_url"], method, path, headers=headers, body=sent, seconds=10)
    assert answer.status < 300, answer.body
    return answer.body


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_objects_are_there_after_the_next_start(tmp_path: Path, number: signal.Signals) -> None:
    project = tmp_path / "a project é"
    project.mkdir()
    with up(project, *DURABLE) as running:
        made = send(project, "POST", "/1.1/classes/Post", {"title": "kept"})
        running.stop(number)
    with up(project, *DURABLE):
        found = send(project, "GET", f"/1.1/classes/Post/{made['objectId']}")
        assert found["title"] == "kept"


def test_a_second_instance_on_the_same_data_is_refused(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"))
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    with up(one, *DURABLE, *data) as running:
        refused = ask("up", str(two), "--no-code", "--port", "0", *DURABLE, *data)
        assert refused.returncode == 5
        assert f"process {running.process.pid}" in refused.stderr


def test_a_file_that_was_edited_wrongly_stops_the_start_and_stays(tmp_path: Path) -> None:
    with up(tmp_path, *DURABLE) as running:
        send(tmp_path, "POST", "/1.1/classes/Post", {"title": "kept"})
        running.stop()
    path = tmp_path / ".lean-emu" / "data" / "db.json"
    with tinydb.TinyDB(path) as db:
        assert [row["title"] for row in db.table("Post").all()] == ["kept"]
    edited = path.read_text("utf-8").replace('"title"', "title")
    path.write_text(edited, "utf-8")
    refused = ask("up", str(tmp_path), "--no-code", "--port", "0", *DURABLE)
    assert refused.returncode == 5
    assert "db.json, line " in refused.stderr
    assert path.read_text("utf-8") == edited


async def test_sessions_and_queued_tasks_are_kept_too(tmp_path: Path) -> None:
    engine = FakeEngine({"later": lambda _: {"result": "done"}})
    async with running_api(engine, project=tmp_path, storage="tinydb") as api:
        names = await prepare(api, [SignedUp("ann", {})])
        body = {"function": "later", "delay": 5_000, "uniqueId": "x"}
        await api("POST", "/1.1/engine/cloud-queue/tasks", body, headers=MASTER)
    async with running_api(engine, project=tmp_path, storage="tinydb") as api:
        told = await api("GET", "/1.1/engine/cloud-queue/tasks/x")
        assert told.json["status"] == "queued"
        wish = {"action": "advance", "seconds": 5}
        await api("POST", "/__emu/clock", wish, headers=MASTER)
        told = await api("GET", "/1.1/engine/cloud-queue/tasks/x")
        assert told.json["result"] == {"result": "done"}
        me = await api("GET", "/1.1/users/me", session_token=names.tokens["ann"])
        assert me.json["username"] == "ann"
