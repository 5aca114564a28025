"""The inbox over REST and on the command line."""

import asyncio
import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.matchers import ANY_DATE, ANY_ID, Looks, With, error
from tests.wire.test_command_line import PROGRAM, environment, up

ANN = {"username": "ann", "password": "pw-of-ann", "email": "ann@example.com"}
PHONE = "+8613800000000"
LINK = Looks("a link", r"http://127\.0\.0\.1:\d+/1\.1/verifyEmail/[0-9a-z]{40}")


async def both_sent(api: Api) -> None:
    """A mail, then a short message."""
    assert (await api("POST", "/1.1/users", ANN)).status == 201
    asked = await api("POST", "/1.1/requestSmsCode", {"mobilePhoneNumber": PHONE})
    assert (asked.status, asked.json) == (200, {})


async def test_messages_oldest_first(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await both_sent(api)
        answer = await api("GET", "/__emu/inbox", headers=MASTER)
        mail, sms = answer.json["results"]
        assert mail == {
            "id": ANY_ID,
            "kind": "mail",
            "to": "ann@example.com",
            "title": "Please confirm your address · 验证邮箱",
            "text": Looks("a letter", r"Hello ann,.*/1\.1/verifyEmail/.*您好.*"),
            "at": ANY_DATE,
            "code": None,
            "link": LINK,
            "detail": {"use": "verify", "userId": ANY_ID},
            "trace": Looks("a trace", "t-[0-9a-f]+"),
        }
        assert sms == With({"kind": "sms", "to": PHONE, "code": Looks("a code", r"\d{6}")})
        assert sms["code"] in sms["text"]
        trace = await api("GET", f"/__emu/traces/{sms['trace']}", headers=MASTER)
        assert trace.json["title"] == "POST /1.1/requestSmsCode"


@pytest.mark.parametrize(
    ("params", "kinds"),
    [
        ({}, ["mail", "sms"]),
        ({"kind": "sms"}, ["sms"]),
        ({"kind": "push"}, []),
        ({"to": "ann@example.com"}, ["mail"]),
        ({"to": PHONE, "kind": "mail"}, []),
        ({"after": "unknown"}, ["mail", "sms"]),
    ],
    ids=str,
)
async def test_some_of_them(params: dict[str, Any], kinds: list[str], tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await both_sent(api)
        answer = await api("GET", "/__emu/inbox", headers=MASTER, **params)
        assert [message["kind"] for message in answer.json["results"]] == kinds


async def test_waiting_for_the_next(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await both_sent(api)
        known = (await api("GET", "/__emu/inbox", headers=MASTER)).json["results"]
        waiting = asyncio.create_task(
            api(
                "GET", "/__emu/inbox", headers=MASTER, after=known[-1]["id"], wait="20", kind="mail"
            )
        )
        await api("POST", "/1.1/requestSmsCode", {"mobilePhoneNumber": "+8613811111111"})
        await api("POST", "/1.1/requestEmailVerify", {"email": "ann@example.com"})
        async with asyncio.timeout(10):
            answer = await waiting
        assert [message["kind"] for message in answer.json["results"]] == ["mail"]


async def test_waiting_in_vain(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("GET", "/__emu/inbox", headers=MASTER, wait="0.01")
        assert answer.json == {"results": []}


@pytest.mark.parametrize(
    "params", [{"wait": "long"}, {"wait": "-1"}, {"wait": "31"}, {"kind": "x"}]
)
async def test_wrong_questions(params: dict[str, Any], tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("GET", "/__emu/inbox", headers=MASTER, **params)
        assert (answer.status, answer.json) == (400, error(1))


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "headers", [{}, CLIENT, {**MASTER, "Origin": "http://evil.example"}], ids=["no", "app", "page"]
)
async def test_only_master_reads_it(method: str, headers: dict[str, Any], tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await both_sent(api)
        assert (await api(method, "/__emu/inbox", headers=headers)).status in (400, 401)
        assert len(api.emulator.inbox.messages()) == 2


async def test_forgetting(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await both_sent(api)
        assert (await api("DELETE", "/__emu/inbox", headers=MASTER)).json == {}
        assert (await api("GET", "/__emu/inbox", headers=MASTER)).json == {"results": []}
        await both_sent_again(api)
        await api.emulator.reset()
        assert api.emulator.inbox.messages() == []
        # codes, limits and links went with it
        await both_sent(api)


async def both_sent_again(api: Api) -> None:
    await api("POST", "/1.1/requestEmailVerify", {"email": "ann@example.com"})
    assert len(api.emulator.inbox.messages()) == 1


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    project = tmp_path_factory.mktemp("project")
    (project / "lean-emu.toml").write_text("sms_limits = false\n")
    with up(project):
        yield project


def command(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words, "-C", str(project)],
        capture_output=True, text=True, check=False, env=environment(), timeout=30,
    )  # fmt: skip


def send(project: Path, phone: str) -> None:
    """Have a code sent, by a plain client."""
    run = json.loads((project / ".lean-emu" / "run.json").read_text())
    keys = json.loads((project / ".lean-emu" / "keys.json").read_text())
    request = urllib.request.Request(
        f"{run['api_url']}/1.1/requestSmsCode",
        data=json.dumps({"mobilePhoneNumber": phone}).encode(),
        headers={
            "X-LC-Id": keys["app_id"],
            "X-LC-Key": keys["app_key"],
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


@pytest.mark.timeout(60)
def test_the_command(running: Path) -> None:
    command(running, "inbox", "--clear")
    empty = command(running, "inbox")
    assert (empty.returncode, empty.stdout) == (0, "")
    assert "The inbox is empty" in empty.stderr
    assert command(running, "inbox", "--code").returncode == 1

    send(running, "+8613800000001")
    send(running, "+8613800000002")
    shown = command(running, "inbox", "--to", "+8613800000001")
    assert shown.returncode == 0
    head, *text = shown.stdout.splitlines()
    assert head.split()[1:3] == ["sms", "+8613800000001"]
    code = command(running, "inbox", "--to", "+8613800000001", "--code").stdout.strip()
    assert len(code) == 6
    assert code in head
    assert code in text[0]
    (message,) = json.loads(command(running, "inbox", "--json", "--to", "+8613800000002").stdout)[
        "results"
    ]
    assert message["kind"] == "sms"

    assert command(running, "inbox", "--link").returncode == 1
    assert command(running, "inbox", "--clear", "--code").returncode == 2
    assert command(running, "inbox", "--clear").returncode == 0
    assert command(running, "inbox").stdout == ""


@pytest.mark.timeout(60)
def test_following(running: Path) -> None:
    command(running, "inbox", "--clear")
    send(running, "+8613800000003")
    with subprocess.Popen(
        [*PROGRAM, "inbox", "--follow", "--json", "-C", str(running)],
        stdout=subprocess.PIPE, text=True, env=environment(),
    ) as following:  # fmt: skip
        try:
            assert following.stdout is not None
            assert json.loads(following.stdout.readline())["to"] == "+8613800000003"
            send(running, "+8613800000004")
            assert json.loads(following.stdout.readline())["to"] == "+8613800000004"
        finally:
            following.send_signal(signal.SIGINT)
        assert following.wait(timeout=10) == 130


def test_without_an_instance(tmp_path: Path) -> None:
    done = command(tmp_path, "inbox")
    assert done.returncode == 1
    assert "lean-emu up" in done.stderr
