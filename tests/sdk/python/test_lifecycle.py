"""Edits, crashes, loops and load, with a real process, a real child and the official SDK."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import leancloud
import pytest
import requests
from emu_process import Emulator, copied, point_sdk_at, wait_until


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator of the test's own, whose files it may edit."""
    emulator = Emulator(copied("reviews", tmp_path))
    point_sdk_at(emulator)
    yield emulator
    if emulator.process.poll() is None:
        emulator.stop()


def edit(emulator: Emulator, old: str, new: str, name: str = "cloud.py") -> None:
    path = emulator.project / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def processes_of(project: Path) -> list[str]:
    """Command lines of living processes that name or work in the project's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            folder = os.readlink(process / "cwd")
        except OSError:
            continue
        if state != "Z" and (str(project) in words or folder == str(project)):
            found.append(words)
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")


def test_every_edit_is_served_by_the_next_call(own: Emulator) -> None:
    for number in range(25):
        edit(own, '"Hello' if number == 0 else f'"Hi {number - 1}', f'"Hi {number}')
        assert leancloud.cloud.run("hello", name="Mia") == f"Hi {number}, Mia!"


def test_an_edit_of_a_module_beside_it_counts_too(own: Emulator) -> None:
    module = own.project / "greeting.py"
    module.write_text('TEXT = "one"\n')
    edit(own, "import leancloud\n", "import leancloud\nimport greeting\n")
    edit(own, 'return "Hello, {}!".format(name)', "return greeting.TEXT")
    assert leancloud.cloud.run("hello") == "one"
    module.write_text('TEXT = "two"\n')
    assert leancloud.cloud.run("hello") == "two"


def test_a_broken_edit_says_so_and_the_next_good_one_heals(own: Emulator) -> None:
    post = leancloud.Object.create("Post", title="kept")
    post.save()
    good = (own.project / "cloud.py").read_text(encoding="utf-8")
    edit(own, "COMMENT_LENGTH = 140", "COMMENT_LENGTH = no_such_name")

    with pytest.raises(leancloud.LeanCloudError) as function:
        leancloud.cloud.run("hello")
    with pytest.raises(leancloud.LeanCloudError) as write:
        leancloud.Object.create("Review", movie="M", comment="c").save()

    last_line = "NameError: name 'no_such_name' is not defined"
    assert last_line in function.value.error
    assert write.value.code == 142
    assert last_line in write.value.error
    assert leancloud.Query("Post").get(post.id).get("title") == "kept", "reads go on"
    leancloud.Object.create("Post", title="no hook here").save()
    wait_until(lambda: "Traceback (most recent call last)" in own.output(), "traceback shown")
    assert "COMMENT_LENGTH = no_such_name" in own.output()
    page = requests.get(own.console_url, headers={"Accept": "application/json"}, timeout=5).text
    assert last_line in page

    (own.project / "cloud.py").write_text(good, encoding="utf-8")
    assert leancloud.cloud.run("hello") == "Hello, world!"
    assert leancloud.Query("Post").get(post.id).get("title") == "kept", "data survived"


def test_a_call_in_flight_finishes_on_the_old_code(tmp_path: Path) -> None:
    emulator = Emulator(copied("slow", tmp_path))
    try:
        point_sdk_at(emulator)
        told: list[Any] = []
        caller = threading.Thread(
            target=lambda: told.append(leancloud.cloud.run("nap", seconds=1.0))
        )
        caller.start()
        wait_until(
            lambda: any(
                step["kind"] == "function" and step["outcome"] == "running"
                for root in emulator.admin("GET", "traces")["results"]
                for step in [root, *root["children"]]
            ),
            "the function runs",
        )
        edit(emulator, '"slept {} s"', '"new code slept {} s"')
        assert leancloud.cloud.run("nap", seconds=0) == "new code slept 0 s"
        assert told == [], "the first call is still in the old code"
        caller.join(timeout=10)
        assert told == ["slept 1.0 s"]
    finally:
        emulator.stop()


@needs_proc
def test_no_child_outlives_a_killed_parent(own: Emulator) -> None:
    assert len(processes_of(own.project)) >= 2, "parent and child"
    own.process.send_signal(signal.SIGKILL)
    own.process.wait()
    wait_until(lambda: not processes_of(own.project), "every process is gone")


@needs_proc
def test_ctrl_c_stops_in_order_and_leaves_nothing(own: Emulator) -> None:
    assert own.stop() == 0
    assert not processes_of(own.project)
    assert not (own.project / ".lean-emu" / "run.json").exists()
    assert own.output().rstrip().endswith("stopped")


def test_a_loop_of_before_hooks_ends_with_an_error_that_shows_it(tmp_path: Path) -> None:
    emulator = Emulator(copied("loops", tmp_path))
    try:
        point_sdk_at(emulator)
        with pytest.raises(leancloud.LeanCloudError) as loop:
            leancloud.Object.create("Mirror").save()
        assert loop.value.code == 431
        assert "beforeSave Mirror → beforeSave Mirror" in loop.value.error
        with pytest.raises(leancloud.LeanCloudError):  # nothing was stored, not even the class
            leancloud.Query("Mirror").count()
    finally:
        emulator.stop()


def test_loops_of_after_hooks_end_too(tmp_path: Path) -> None:
    emulator = Emulator(copied("loops", tmp_path))
    try:
        point_sdk_at(emulator)
        leancloud.Object.create("Ping").save()
        fired = emulator.fired()
        assert fired["afterSave Ping"] + fired["afterSave Pong"] == 9, "eight, and the one cut"
        cut = [step for step in emulator.steps() if step.get("cycle")]
        assert [step["cycle"] for step in cut] == [["afterSave Ping", "afterSave Pong"]]
        emulator.forget()

        careful = leancloud.Object.create("Careful")
        careful.save()
        careful.set("touches", 1)
        careful.save()
        assert emulator.fired() == {"afterUpdate Careful": 1}
    finally:
        emulator.stop()


LOOP_BY_HAND = """
import leancloud

engine = leancloud.Engine()


@engine.before_save("Deep")
def deeper(deep):
    level = deep.get("level")
    if level < 30:
        leancloud.Object.extend("Deep")(level=level + 1).save()
"""


def test_a_hook_that_saves_its_class_thirty_deep_is_cut(own: Emulator) -> None:
    (own.project / "cloud.py").write_text(LOOP_BY_HAND)
    with pytest.raises(leancloud.LeanCloudError) as loop:
        leancloud.Object.create("Deep", level=0).save()
    assert loop.value.code == 431
    assert "beforeSave Deep" in loop.value.error


HOOKS_THAT_SAVE = """
import leancloud

engine = leancloud.Engine()
Line, Total = leancloud.Object.extend("Line"), leancloud.Object.extend("Total")


@engine.before_save("Order")
def write_a_line(order):
    line = Line(order=order.get("number"))
    line.save()
    order.set("line", line.id)


@engine.after_save("Order")
def count(order):
    total = Total.create_without_data(order.get("total"))
    total.increment("orders")
    total.save()
"""


def test_fifty_saves_at_once_whose_hooks_save(own: Emulator) -> None:
    (own.project / "cloud.py").write_text(HOOKS_THAT_SAVE)
    total = leancloud.Object.create("Total", orders=0)
    total.save()
    failures: list[Exception] = []

    def order(number: int) -> None:
        try:
            leancloud.Object.create("Order", number=number, total=total.id).save()
        except Exception as e:
            failures.append(e)

    threads = [threading.Thread(target=order, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=50)

    assert failures == []
    assert own.fired() == {"beforeSave Order": 50, "afterSave Order": 50}
    assert leancloud.Query("Total").get(total.id).get("orders") == 50, "no increment is lost"
    assert leancloud.Query("Line").count() == 50
    numbers = {found.get("number") for found in leancloud.Query("Order").limit(100).find()}
    assert numbers == set(range(50))


def test_no_key_and_no_session_is_in_any_trace(own: Emulator) -> None:
    user = leancloud.User()
    user.set_username("mia")
    user.set_password("a secret password")
    user.sign_up()
    leancloud.cloud.run("hello")
    leancloud.Object.create("Post", title="t").save()
    shown = json.dumps(own.admin("GET", "traces"), ensure_ascii=False)
    for secret in (
        own.keys["app_key"],
        own.keys["master_key"],
        own.keys["hook_key"],
        user.get_session_token(),
        "a secret password",
    ):
        assert secret not in shown
        assert secret not in own.output()
    leancloud.User.get_current().logout()


def test_a_busy_port_names_the_next_command(own: Emulator) -> None:
    port = re.search(r":(\d+)$", own.api_url)
    assert port is not None
    with pytest.raises(AssertionError) as ended:
        Emulator(copied("slow", own.project.parent), "--port", port[1])
    assert f"Port {port[1]} is in use" in str(ended.value)
    assert "--port" in str(ended.value)


def test_a_hook_has_what_is_left_of_its_functions_time(tmp_path: Path) -> None:
    emulator = Emulator(copied("slow", tmp_path), "--function-seconds", "2")
    try:
        point_sdk_at(emulator)
        with pytest.raises(leancloud.LeanCloudError):
            leancloud.cloud.run("napThenSave", seconds=0.8, hookSeconds=5)
        hook = wait_until(
            lambda: next(
                (
                    step
                    for step in emulator.steps()
                    if step["kind"] == "hook" and step["outcome"] == "timeout"
                ),
                None,
            ),
            "the hook ran out of time",
        )
        assert hook["limitMs"] == 10_000, "its own limit"
        assert 0 < hook["leftMs"] <= 1_200, "what the function had left"
        assert hook["error"]["code"] == 141
        assert hook["error"]["message"].startswith("LeanEngine request timeout. className: Nap")
        assert leancloud.cloud.run("nap", seconds=0) == "slept 0 s", "the child goes on"
    finally:
        emulator.stop()


def test_a_python_without_the_sdk_is_told_what_to_install(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    emulator = Emulator(copied("reviews", tmp_path), "--python", str(bare / "bin" / "python"))
    try:
        text = emulator.output()
        assert str(bare / "bin" / "python") in text
        assert "-m pip install leancloud" in text
        answer = requests.post(
            f"{emulator.api_url}/1.1/functions/hello", headers=emulator.master, timeout=10
        )
        assert (answer.status_code, answer.json()["code"]) == (500, 141)
        assert "leancloud" in answer.json()["error"]
    finally:
        emulator.stop()


WHO = """
import leancloud

engine = leancloud.Engine()


@engine.define
def who():
    user = engine.current.user
    return user and user.get_username()
"""


def test_invoke_acts_as_a_user_by_any_of_his_names(own: Emulator) -> None:
    (own.project / "cloud.py").write_text(WHO)
    user = leancloud.User()
    user.set_username("Mia Wallace")
    user.set_password("five dollar shake")
    user.sign_up()
    token = user.get_session_token()
    for named, expected in (
        ("Mia Wallace", "Mia Wallace"),
        (user.id, "Mia Wallace"),
        (token, "Mia Wallace"),
    ):
        done = own.command("invoke", "who", "--user", named)
        assert (done.returncode, json.loads(done.stdout)) == (0, expected), done.stderr
    assert json.loads(own.command("invoke", "who").stdout) is None
    nobody = own.command("invoke", "who", "--user", "Vincent")
    assert nobody.returncode == 2
    assert "there is no user 'Vincent'" in nobody.stderr
    assert leancloud.cloud.run("who") == "Mia Wallace", "the SDK sends its own session"
    leancloud.User.get_current().logout()
    assert leancloud.cloud.run("who") is None
