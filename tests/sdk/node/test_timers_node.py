"""The cloud queue and timers with the official SDK from npm as cloud code (engine.md 7.5)."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from emu_process import Emulator
from node_packages import INSTALL_SECONDS, copied_with_packages, needs_node

pytestmark = [pytest.mark.timeout(INSTALL_SECONDS + 60), needs_node]


@pytest.fixture(scope="module")
def emu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("timers-node")
    emulator = Emulator(copied_with_packages("timers-node", folder))
    yield emulator
    emulator.stop()


def run(emu: Emulator, function: str, /, **params: Any) -> Any:
    headers = {"X-LC-Id": emu.keys["app_id"], "X-LC-Key": emu.keys["app_key"]}
    answer = requests.post(
        f"{emu.api_url}/1.1/functions/{function}", json=params, headers=headers, timeout=30
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def advance(emu: Emulator, seconds: float) -> None:
    wish = {"action": "advance", "seconds": seconds}
    answer = requests.post(f"{emu.api_url}/__emu/clock", json=wish, headers=emu.master, timeout=60)
    assert answer.status_code == 200, answer.text


def test_what_is_queued_runs_and_tells_its_result(emu: Emulator) -> None:
    put = run(emu, "enqueue", name="double", params={"n": 21}, options={"delay": 60_000})
    unique_id = put["uniqueId"]
    assert run(emu, "taskInfo", uniqueId=unique_id)["status"] == "queued"
    advance(emu, 60)
    told = run(emu, "taskInfo", uniqueId=unique_id)
    assert (told["status"], told["statusCode"]) == ("success", 200)
    assert told["result"] == {"result": 42}
    assert told["finishedAt"].endswith("Z")


def test_an_internal_function_is_closed_to_clients(emu: Emulator) -> None:
    headers = {"X-LC-Id": emu.keys["app_id"], "X-LC-Key": emu.keys["app_key"]}
    refused = requests.post(
        f"{emu.api_url}/1.1/functions/double", json={"n": 1}, headers=headers, timeout=30
    )
    assert refused.status_code >= 400


def test_attempts_go_on_until_one_succeeds(emu: Emulator) -> None:
    options = {"attempts": 5, "backoff": 1_000, "delay": 1_000}
    unique_id = run(emu, "enqueue", name="flaky", params={}, options=options)["uniqueId"]
    advance(emu, 1)
    waiting = run(emu, "taskInfo", uniqueId=unique_id)
    assert waiting["status"] == "queued"
    assert "attempt 1 failed" in waiting["error"]
    advance(emu, 2)
    told = run(emu, "taskInfo", uniqueId=unique_id)
    assert (told["status"], told["result"]) == ("success", {"result": 3})


def test_an_id_is_taken_while_its_task_is_known(emu: Emulator) -> None:
    options = {"uniqueId": "once", "delay": 60_000}
    run(emu, "enqueue", name="double", params={"n": 1}, options=options)
    headers = {"X-LC-Id": emu.keys["app_id"], "X-LC-Key": emu.keys["app_key"]}
    body = {"name": "double", "params": {"n": 1}, "options": options}
    refused = requests.post(
        f"{emu.api_url}/1.1/functions/enqueue", json=body, headers=headers, timeout=30
    )
    assert refused.status_code >= 400
    assert "once" in refused.json()["error"]


def test_a_timer_calls_with_the_masters_rights_and_no_user(emu: Emulator) -> None:
    made = emu.command("tasks", "add", "hourly", "--function", "tick",
                       "--cron", "0 0 * * * ?", "--params", "{a: 1}", "--enable")  # fmt: skip
    assert made.returncode == 0, made.stderr
    advance(emu, 7_200)
    found = requests.get(f"{emu.api_url}/1.1/classes/Tick", headers=emu.master, timeout=30).json()
    ticks = [(row["params"], row["user"]) for row in found["results"]]
    assert ticks == [({"a": 1}, None)] * 2
    assert emu.command("tasks", "rm", "hourly").returncode == 0
