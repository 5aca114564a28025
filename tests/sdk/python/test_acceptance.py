"""What the platform promises of hooks, each with the official SDK in Python and in Node.

The numbers are those of the acceptance list in ``docs/acceptance.md``.
"""

import http.client
import json
import os
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from both_engines import PREFIX, error
from emu_process import Emulator, copied, wait_until
from node_packages import INSTALL_SECONDS, copied_with_packages, needs_node
from rest import Rest

pytestmark = pytest.mark.timeout(INSTALL_SECONDS + 60)

AFTERS = ["afterDelete", "afterSave", "afterUpdate"]


class Engine(NamedTuple):
    """A running acceptance project."""

    name: str
    rest: Rest

    @property
    def is_python(self) -> bool:
        return self.name == "python"


PROJECTS: dict[str, Callable[[Path], Path]] = {
    "python": lambda folder: copied("acceptance", folder),
    "node": lambda folder: copied_with_packages("acceptance-node", folder),
}


@pytest.fixture(scope="module", params=["python", pytest.param("node", marks=needs_node)])
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    project = PROJECTS[request.param](tmp_path_factory.mktemp(request.param))
    emulator = Emulator(project, "--function-seconds", "1")
    yield Engine(request.param, Rest(emulator))
    emulator.stop()


@pytest.fixture
def engine(started: Engine) -> Engine:
    started.rest.emulator.forget()
    return started


def hooks(engine: Engine) -> list[dict[str, Any]]:
    return [step for step in engine.rest.emulator.steps() if step["kind"] == "hook"]


def test_1_before_save_sets_and_unsets(engine: Engine) -> None:
    made = engine.rest.save("Changed", n=1, dropped="by the hook")
    stored = engine.rest.stored("Changed", made)
    assert stored.keys() == {"n", "added", "objectId", "createdAt", "updatedAt"}
    assert (stored["n"], stored["added"], stored["objectId"]) == (1, "by the hook", made)


def test_2_a_refusal_has_the_platforms_prefix(engine: Engine) -> None:
    assert engine.rest.refusal("POST", "classes/Refused", {}) == (400, 142, PREFIX + "no")
    assert engine.rest.ask("GET", "classes/Refused").json()["code"] == 101, "nothing was stored"


def test_3_an_exception_is_told_as_the_sdk_tells_it(engine: Engine) -> None:
    said = "Cloud Code script had an error." if engine.is_python else "on purpose"
    assert engine.rest.refusal("POST", "classes/Failing", {}) == (400, 142, PREFIX + said)
    (hook,) = hooks(engine)
    assert hook["outcome"] == "failed"
    assert "on purpose" in engine.rest.emulator.output()


def test_4_before_update_changes_nothing_and_sees_the_clients_keys(engine: Engine) -> None:
    made = engine.rest.save("Edited", stars=1, movie="Alien", tags=["a"])
    engine.rest.emulator.forget()
    change = {"stars": 2, "tags": {"__op": "Add", "objects": ["b"]}}
    assert engine.rest.ask("PUT", f"classes/Edited/{made}", change).status_code == 200
    stored = engine.rest.stored("Edited", made)
    assert (stored["stars"], stored["movie"], stored["tags"]) == (2, "Alien", ["a", "b"])
    (hook,) = hooks(engine)
    assert hook["updatedKeys"] == ["stars", "tags"]
    assert engine.rest.printed() == ["keys: stars,tags"]


def test_5_the_object_of_an_after_hook_saved_again(engine: Engine) -> None:
    made = engine.rest.save("Same", n=1)
    assert engine.rest.emulator.fired() == {"afterSave Same": 1, "beforeUpdate Same": 1}
    (put,) = [step for step in engine.rest.emulator.steps() if step.get("method") == "PUT"]
    assert sorted(set(put["body"]["__ignore_hooks"])) == AFTERS
    stored = engine.rest.stored("Same", made)
    assert stored["seen"] is True
    assert "__ignore_hooks" not in stored


def test_6_a_new_object_saved_in_an_after_hook_loops_until_it_is_cut(engine: Engine) -> None:
    made = engine.rest.save("Fresh")
    fired = engine.rest.emulator.fired()
    assert (fired["afterSave Fresh"], fired["afterUpdate Fresh"]) == (1, 8), "seven, and the cut"
    assert engine.rest.stored("Fresh", made)["rounds"] == 8
    (cut,) = [step for step in hooks(engine) if step["outcome"] == "loop"]
    assert cut["cycle"] == ["afterUpdate Fresh"]
    wait_until(lambda: "afterUpdate Fresh → afterUpdate Fresh" in engine.rest.emulator.output(),
               "the terminal tells it")  # fmt: skip


def test_7_a_batch_waits_for_before_hooks_one_by_one_and_for_no_after_hook(engine: Engine) -> None:
    creates = [{"method": "POST", "path": "/1.1/classes/Slow", "body": {"n": n}} for n in range(5)]
    began = time.monotonic()
    answer = engine.rest.ask("POST", "batch", {"requests": creates})
    took = time.monotonic() - began
    assert [*map(list, answer.json())] == [["success"]] * 5
    assert 5 * 0.03 < took < 5 * 0.5
    steps = hooks(engine)
    assert engine.rest.emulator.fired() == {"beforeSave Slow": 5, "afterSave Slow": 5}
    times = sorted((s["offsetMs"], s["tookMs"]) for s in steps if s["hook"] == "beforeSave")
    ends = [began + lasted for began, lasted in times]
    nexts = [began for began, _ in times[1:]]
    assert all(end <= began + 1 for end, began in zip(ends, nexts, strict=False)), times


def test_8_a_batch_of_deletes_with_a_refusal(engine: Engine) -> None:
    free, kept, last = (engine.rest.save("Kept", kept=kept) for kept in (False, True, False))
    deletes = [{"method": "DELETE", "path": f"/1.1/classes/Kept/{i}"} for i in (free, kept, last)]
    answer = engine.rest.ask("POST", "batch", {"requests": deletes})
    refusal = {"error": error(142, PREFIX + "it is kept")}
    assert (answer.status_code, answer.json()) == (200, [{"success": {}}, refusal, {"success": {}}])
    left = engine.rest.ask("GET", "classes/Kept").json()["results"]
    assert [found["objectId"] for found in left] == [kept]


def test_9_on_login_refuses_log_ins_and_no_sign_up(engine: Engine) -> None:
    credentials = {"username": uuid.uuid4().hex, "password": "correct"}
    made = engine.rest.ask("POST", "users", {**credentials, "blocked": True})
    assert made.status_code == 201
    assert made.json()["sessionToken"]
    assert engine.rest.refusal("POST", "login", credentials) == (401, 142, PREFIX + "Forbidden")
    assert engine.rest.emulator.fired()["onLogin _User"] == 1


def test_10_a_sign_up_runs_the_hooks_of_a_save_and_keeps_the_password(engine: Engine) -> None:
    credentials = {"username": uuid.uuid4().hex, "password": "correct"}
    for path in ("users", "classes/_User"):
        credentials["username"] += "+"
        engine.rest.emulator.forget()
        assert engine.rest.ask("POST", path, credentials).status_code == 201
        assert engine.rest.emulator.fired() == {"beforeSave _User": 1, "afterSave _User": 1}
        said = f"signed up: {credentials['username']}"
        assert engine.rest.printed() == [
            "knows a password: False" if engine.is_python else "knows a password: false", said
        ]  # fmt: skip
        logged_in = engine.rest.ask("POST", "login", credentials).json()
        assert (logged_in["username"], logged_in["level"]) == (credentials["username"], 1)


def test_11_a_function_that_takes_too_long(engine: Engine) -> None:
    """Its time is 15 s by default; here it has one."""
    assert engine.rest.refusal("POST", "functions/nap", {"seconds": 2}) == (
        503,
        124,
        "The request timed out on the server.",
    )
    assert engine.rest.run("nap", seconds=0) == "awake", "its process goes on"
    assert not [s for s in engine.rest.emulator.steps() if s["kind"] == "reload"], "the same one"


def test_12_a_bad_session_token_is_answered_in_json(engine: Engine) -> None:
    answer = engine.rest.ask("POST", "functions/whoami", {}, {"X-LC-Session": "0" * 25})
    assert answer.headers["Content-Type"].startswith("application/json")
    if engine.is_python:  # its SDK lets the exception through, and the server answers HTML
        assert answer.status_code == 500
        assert answer.json() == error(141, "Cloud Code script had an error.")
    else:
        assert (answer.status_code, answer.json()["code"]) == (401, 211)
    assert engine.rest.ask("POST", "functions/whoami", {}).json().get("result") is None


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
def test_13_an_error_of_a_function_is_the_same_at_both_ports(engine: Engine) -> None:
    through = engine.rest.ask("POST", "functions/code123", {})
    assert (through.status_code, through.json()) == (400, error(123, "in my own words"))
    assert at_its_own_port(engine, "/1.1/functions/code123") == (400, through.json())


def at_its_own_port(engine: Engine, path: str) -> tuple[int, Any]:
    """The answer of the code's process itself."""
    connection = http.client.HTTPConnection("127.0.0.1", timeout=10)
    where = socket_of(engine.rest.emulator) if engine.is_python else port_of(engine.rest.emulator)
    if isinstance(where, int):
        connection = http.client.HTTPConnection("127.0.0.1", where, timeout=10)
    else:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(where))
    try:
        headers = {**engine.rest.headers, "Content-Type": "application/json"}
        connection.request("POST", path, b"{}", headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def processes_in(folder: Path) -> list[Path]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(process / "cwd")) == folder:
                found.append(process)
        except OSError:
            continue
    return found


def socket_of(emulator: Emulator) -> Path:
    pids = {process.name for process in processes_in(emulator.project)}
    sockets = Path(tempfile.gettempdir()).glob("lean-emu-*/*-*")
    return next(path for path in sockets if path.name.rpartition("-")[2] in pids)


def port_of(emulator: Emulator) -> int:
    for process in processes_in(emulator.project):
        for pair in (process / "environ").read_bytes().split(b"\0"):
            if pair.startswith(b"LEANCLOUD_APP_PORT=") and process.name != "self":
                return int(pair.partition(b"=")[2])
    raise AssertionError("no process of the code has a port")


def test_14_a_hook_cannot_be_called_without_the_hook_key(engine: Engine) -> None:
    body = {"object": {"n": 1}, "user": None}
    path = "functions/Changed/beforeSave"
    assert engine.rest.ask("POST", path, body).status_code == 401
    key = {"X-LC-Hook-Key": engine.rest.emulator.keys["hook_key"]}
    passed = engine.rest.ask("POST", path, body, key)
    assert (passed.status_code, passed.json()["added"]) == (200, "by the hook")


def test_16_a_clients_wish_to_leave_hooks_out_is_neither_granted_nor_stored(engine: Engine) -> None:
    body = {"n": 1, "__ignore_hooks": ["beforeSave"], "__before": "1,x", "__after": "1,x"}
    made = engine.rest.ask("POST", "classes/Changed", body).json()["objectId"]
    stored = engine.rest.stored("Changed", made)
    assert stored.keys() == {"n", "added", "objectId", "createdAt", "updatedAt"}
    assert engine.rest.emulator.fired() == {"beforeSave Changed": 1}


def test_17_code_that_does_not_run_stops_hooked_writes_alone(engine: Engine) -> None:
    path = engine.rest.emulator.project / ("cloud.py" if engine.is_python else "cloud.js")
    good = path.read_text(encoding="utf-8")
    path.write_text("raise SystemExit(3)\n" if engine.is_python else "process.exit(3);\n")
    try:
        status, code, text = engine.rest.refusal("POST", "classes/Changed", {})
        assert (status, code, text.startswith(PREFIX)) == (400, 142, True)
        assert "did not load" in text
        engine.rest.save("Unhooked", n=1)
    finally:
        path.write_text(good, encoding="utf-8")
    wait_until(lambda: engine.rest.ask("POST", "classes/Changed", {}).status_code == 201, "healed")


LEGACY = """
import http.server, json, os

class Engine(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, value, **headers):
        body = json.dumps(value).encode() if value is not None else b""
        self.send_response(200)
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_OPTIONS(self):
        allowed = "X-LC-Id, X-LC-Key" + (", X-LC-Hook-Key" if MODERN else "")
        self.answer(None, Access_Control_Allow_Headers=allowed)

    def do_GET(self):
        names = ["__before_save_for_Marked", "__before_save_for_Ok", "__before_save_for_Empty"]
        self.answer({"result": names} if self.path.endswith("/metadatas") else {})

    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print("got " + json.dumps([self.headers["X-LC-Hook-Key"], sent["object"]]), flush=True)
        name = self.path.split("/")[3]
        self.answer({"Marked": sent["object"], "Ok": {"result": "ok"}, "Empty": None}[name])

address = ("127.0.0.1", int(os.environ["LEANCLOUD_APP_PORT"]))
http.server.ThreadingHTTPServer(address, Engine).serve_forever()
"""


@pytest.fixture(scope="module", params=[False, True], ids=["legacy", "modern"])
def stub(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[bool, Rest]]:
    """Another runtime altogether, whose preflight allows the hook key header or does not."""
    project = tmp_path_factory.mktemp("stub") / "stub"
    project.mkdir()
    (project / "serve.py").write_text(f"MODERN = {request.param}\n{LEGACY}")
    emulator = Emulator(project, "--cmd", "python3 serve.py")
    yield request.param, Rest(emulator)
    emulator.stop()


def test_15_old_engines_get_a_signed_mark_and_new_ones_none(stub: tuple[bool, Rest]) -> None:
    modern, rest = stub
    made = rest.save("Marked", n=1)
    text = wait_until(lambda: next((line for line in rest.emulator.output().splitlines()
                                    if "got " in line and '"n"' in line), None),
                      "what it was sent is printed")  # fmt: skip
    key, sent = json.loads(text.partition("got ")[2])
    assert key, "the header comes to both"
    assert ("__before" in sent) is not modern
    if not modern:
        stamp, _, signature = sent["__before"].partition(",")
        assert (stamp.isdigit(), len(signature)) == (True, 40)
        allowed = rest.ask("POST", "classes/Marked", {"n": 2, "__before": sent["__before"]})
        assert allowed.status_code == 201, "and is known again on the way in"
        assert rest.emulator.fired() == {"beforeSave Marked": 1}
    assert rest.stored("Marked", made).keys() == {"n", "objectId", "createdAt", "updatedAt"}


@pytest.mark.parametrize("class_name", ["Ok", "Empty"])
def test_20_an_answer_that_is_no_object_stores_the_original(
    stub: tuple[bool, Rest], class_name: str
) -> None:
    _, rest = stub
    rest.emulator.forget()
    made = rest.save(class_name, n=1, text="kept")
    assert rest.emulator.fired() == {f"beforeSave {class_name}": 1}
    stored = rest.stored(class_name, made)
    assert stored.keys() == {"n", "text", "objectId", "createdAt", "updatedAt"}


def signed_up(engine: Engine) -> dict[str, Any]:
    credentials = {"username": uuid.uuid4().hex, "password": "correct"}
    made = engine.rest.ask("POST", "users", credentials)
    assert made.status_code == 201
    return {**credentials, **made.json()}


def test_whoever_runs_a_function_is_seen_in_it(engine: Engine) -> None:
    """The SDK asks for the user with the session, while the call waits."""
    user = signed_up(engine)
    session = {"X-LC-Session": user["sessionToken"]}
    engine.rest.emulator.forget()
    answer = engine.rest.ask("POST", "functions/whoami", {}, session)
    assert answer.json() == {"result": user["username"]}
    asked = [step["path"] for step in engine.rest.emulator.steps() if step.get("method") == "GET"]
    assert [path.partition("?")[0] for path in asked] == ["/1.1/users/me"]


def test_a_session_is_read_from_header_and_url(engine: Engine) -> None:
    user = signed_up(engine)
    by_header = engine.rest.ask("GET", "users/me", headers={"X-LC-Session": user["sessionToken"]})
    by_url = engine.rest.ask("GET", f"users/me?session_token={user['sessionToken']}")
    for answer in (by_header, by_url):
        assert (answer.status_code, answer.json()["objectId"]) == (200, user["objectId"])
    assert engine.rest.refusal("GET", "users/me?session_token=wrong") == (
        400,
        211,
        "Could not find user.",
    )


def test_the_master_key_with_a_session_and_the_hook_key(engine: Engine) -> None:
    """As engines send all they have with every request: the master key wins, the user is known."""
    user = signed_up(engine)
    keys = engine.rest.emulator.keys
    closed = engine.rest.save("Closed", ACL={})
    everything = {
        "X-LC-Key": f"{keys['master_key']},master",
        "X-LC-Session": user["sessionToken"],
        "X-LC-Hook-Key": keys["hook_key"],
    }
    assert engine.rest.ask("GET", f"classes/Closed/{closed}").status_code != 200
    answer = engine.rest.ask("GET", f"classes/Closed/{closed}", headers=everything)
    assert answer.json()["objectId"] == closed
    hook_key = {"X-LC-Hook-Key": keys["hook_key"]}
    assert engine.rest.ask("GET", f"classes/Closed/{closed}", headers=hook_key).status_code != 200
    shown = engine.rest.ask("GET", f"classes/_User/{user['objectId']}", headers=everything)
    assert shown.json()["sessionToken"] == user["sessionToken"]
    others = engine.rest.ask("GET", f"classes/_User/{user['objectId']}")
    assert "sessionToken" not in others.json()


def test_deletes_with_a_body_and_of_several(engine: Engine) -> None:
    keys = {"X-LC-Hook-Key": engine.rest.emulator.keys["hook_key"]}
    kept = [engine.rest.save("Kept", kept=True) for _ in range(3)]
    quiet = {"__ignore_hooks": ["beforeDelete"]}
    one = engine.rest.ask("DELETE", f"classes/Kept/{kept[0]}", quiet, keys)
    assert (one.status_code, engine.rest.emulator.fired()) == (200, {})
    several = engine.rest.ask("DELETE", f"classes/Kept/{kept[1]},{kept[2]}", quiet, keys)
    assert (several.status_code, engine.rest.emulator.fired()) == (200, {})
    assert [engine.rest.stored("Kept", one) for one in kept] == [{}] * 3


@pytest.mark.parametrize("params", ["fetchWhenSave=true", "new=true"])
def test_a_write_answers_the_whole_object_when_asked(engine: Engine, params: str) -> None:
    made = engine.rest.ask("POST", f"classes/Changed?{params}", {"n": 1}).json()
    assert (made["n"], made["added"]) == (1, "by the hook")
    path = f"classes/Changed/{made['objectId']}?{params}"
    changed = engine.rest.ask("PUT", path, {"n": {"__op": "Increment", "amount": 4}}).json()
    assert changed["n"] == 5
    create = {"method": "POST", "path": "/1.1/classes/Changed", "body": {"n": 1}}
    member = {**create, "params": {params.partition("=")[0]: True}}
    (told,) = engine.rest.ask("POST", "batch", {"requests": [member]}).json()
    assert told["success"]["added"] == "by the hook"


@pytest.mark.parametrize("prod", ["0", "1"])
def test_both_environments_reach_the_only_code(engine: Engine, prod: str) -> None:
    headers = {"X-LC-Prod": prod}
    assert engine.rest.ask("POST", "functions/nap", {"seconds": 0}, headers).status_code == 200
    assert engine.rest.ask("POST", "classes/Refused", {}, headers).json()["code"] == 142
