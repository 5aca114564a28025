"""Scheduled tasks and the queue with the official SDK as cloud code; kills of the process."""

import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from emu_process import Emulator, copied, wait_until

QUEUE = "1.1/engine/cloud-queue/tasks"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copied("timers", tmp_path)


@pytest.fixture
def emu(project: Path) -> Iterator[Emulator]:
    emulator = Emulator(project, "--storage", "memory")
    yield emulator
    emulator.stop()


def ask(emu: Emulator, method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(
        method, f"{emu.api_url}/{path}", json=body, headers=emu.master, timeout=60
    )
    assert answer.status_code < 300, answer.text
    return answer.json()


def advance(emu: Emulator, seconds: float) -> None:
    ask(emu, "POST", "__emu/clock", {"action": "advance", "seconds": seconds})


def test_the_tasks_of_the_repository_run_as_the_days_go_by(emu: Emulator) -> None:
    told = {task["name"]: task for task in ask(emu, "GET", "__emu/tasks")["results"]}
    assert told["nightly"]["next"].endswith("T19:00:00.000Z")  # three o'clock in Shanghai
    old = {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"}
    order = ask(emu, "POST", "1.1/classes/Order", {"state": "open", "due": old})
    advance(emu, 2 * 86_400)
    closed = ask(emu, "GET", f"1.1/classes/Order/{order['objectId']}")
    assert closed["state"] == "closed"
    assert ask(emu, "GET", "__emu/tasks/nightly")["runs"] == 2


def test_a_task_whose_function_goes_away_says_so(emu: Emulator) -> None:
    assert ask(emu, "GET", "__emu/tasks/nightly")["missing"] is False
    cloud = emu.project / "cloud.py"
    cloud.write_text(cloud.read_text("utf-8").replace("def close_old_orders", "def gone"), "utf-8")
    wait_until(lambda: ask(emu, "GET", "__emu/tasks/nightly")["missing"], "the reload")
    ran = emu.command("tasks", "run", "nightly")
    assert ran.returncode == 1
    assert "close_old_orders" in ran.stdout


def test_a_failing_task_is_switched_off_after_thirty_errors(emu: Emulator) -> None:
    made = emu.command("tasks", "add", "bad", "--function", "fail", "--every", "60", "--enable")
    assert made.returncode == 0, made.stderr
    advance(emu, 60 * 31)
    told = ask(emu, "GET", "__emu/tasks/bad")
    assert (told["enabled"], told["failures"]) == (False, 31)
    assert "short-circuited" in told["offBecause"]
    (mail,) = ask(emu, "GET", "__emu/inbox?kind=mail")["results"]
    assert "bad" in mail["title"]


def test_every_second_within_50_ms_while_32_clients_work(emu: Emulator) -> None:
    over = threading.Event()

    def load() -> None:
        session = requests.Session()
        headers = {**emu.master, "X-LC-Key": emu.keys["app_key"]}
        while not over.is_set():
            session.get(f"{emu.api_url}/1.1/date", headers=headers, timeout=30)
            time.sleep(0.02)  # clients that think between requests: 32 of them, not one flood

    clients = [threading.Thread(target=load) for _ in range(32)]
    for client in clients:
        client.start()
    try:
        ask(emu, "POST", "__emu/tasks/every-second/enable", {})
        runs = wait_until(
            lambda: (told := ask(emu, "GET", "__emu/tasks/every-second"))["runs"] >= 10 and told,
            "ten runs", 20,
        )  # fmt: skip
    finally:
        over.set()
        for client in clients:
            client.join()
    records = ask(emu, "GET", "__emu/tasks/every-second/records")["results"]
    late = sorted(record["lateMs"] for record in records)
    print(f"late by ms: {late}; average {runs['averageLateMs']}")
    assert [record["status"] for record in records] == ["success"] * len(records)
    assert late[len(late) // 2] <= 50


@pytest.mark.parametrize("mode", ["atLeastOnce", "atMostOnce"])
def test_queued_tasks_survive_kills_as_often_as_promised(project: Path, mode: str) -> None:
    emulator = Emulator(project, "--storage", "tinydb")
    rng, names = random.Random(7), [f"job-{number}" for number in range(24)]
    for number, name in enumerate(names):
        body = {"function": "tick", "params": {"job": name}, "uniqueId": name,
                "deliveryMode": mode, "keepResult": 10**8}  # fmt: skip
        ask(emulator, "POST", QUEUE, body)
        if number % 6 == 5:
            time.sleep(rng.random() * 0.05)  # so that the kill hits another moment each time
            emulator.process.send_signal(signal.SIGKILL)
            emulator.process.wait()
            emulator = Emulator(project, "--storage", "tinydb")

    def states() -> list[str]:
        return [ask(emulator, "GET", f"{QUEUE}/{name}")["status"] for name in names]

    over = wait_until(lambda: "queued" not in (told := states()) and told, "all tasks", 30)
    ticks = ask(emulator, "GET", "1.1/classes/Tick?limit=1000")["results"]
    ran = Counter(row["params"]["job"] for row in ticks)
    if mode == "atLeastOnce":
        assert over == ["success"] * len(names)
        assert ran.keys() == set(names)
    else:
        assert set(ran.values()) <= {1}
        assert {name for name, state in zip(names, over, strict=True) if state == "success"} <= (
            ran.keys()
        )
    emulator.stop()


def test_tasks_made_by_hand_survive_a_kill(project: Path) -> None:
    emulator = Emulator(project)
    made = emulator.command("tasks", "add", "mine", "--function", "tick", "--every", "5")
    assert made.returncode == 0, made.stderr
    emulator.process.send_signal(signal.SIGKILL)
    emulator.process.wait()
    emulator = Emulator(project)
    listed = json.loads(emulator.command("tasks", "list", "--json").stdout)["results"]
    assert {task["name"] for task in listed} == {"every-second", "nightly", "mine"}
    emulator.stop()
