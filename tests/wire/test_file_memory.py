"""A large file goes through a real ``lean-emu up`` without filling its memory."""

import http.client
import json
import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.wire.test_command_line import up

SIZE = 100 * 1024 * 1024
ALLOWED = 20 * 1024 * 1024
PIECE = bytes(range(256)) * 1024

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc"),
]


def peak(process_id: int) -> int:
    """The most bytes a process has had in memory since ``forget_peak``."""
    text = Path(f"/proc/{process_id}/status").read_text()
    found = re.search(r"VmHWM:\s*(\d+) kB", text)
    assert found is not None
    return int(found[1]) * 1024


def forget_peak(process_id: int) -> None:
    Path(f"/proc/{process_id}/clear_refs").write_text("5")


def pieces() -> Iterator[bytes]:
    for _ in range(SIZE // len(PIECE)):
        yield PIECE


@contextmanager
def exchange(
    url: str, method: str, body: Any = None, headers: dict[str, str] | None = None
) -> Iterator[http.client.HTTPResponse]:
    """One request on a connection of its own; the answer's body is not read yet."""
    address = urlsplit(url)
    target = address.path + (f"?{address.query}" if address.query else "")
    with closing(
        http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    ) as connection:
        connection.request(method, target, body, headers or {})
        with connection.getresponse() as answer:
            yield answer


def announced(api_url: str, credentials: dict[str, str]) -> Any:
    body = json.dumps({"name": "large.bin", "metaData": {"size": SIZE}})
    with exchange(f"{api_url}/1.1/fileTokens", "POST", body, credentials) as answer:
        assert answer.status == 201
        return json.loads(answer.read())


def sent(tokens: Any, body: Any, size: int) -> bool:
    headers = {"Content-Length": str(size)}
    with exchange(tokens["upload_url"], "PUT", body, headers) as answer:
        return answer.status == 200


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def test_a_large_file_is_streamed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with up(project, "--storage", "memory") as running:
        state = project / ".lean-emu"
        api_url = json.loads((state / "run.json").read_text())["api_url"]
        keys = json.loads((state / "keys.json").read_text())
        credentials = {
            "X-LC-Id": keys["app_id"],
            "X-LC-Key": keys["app_key"],
            "Content-Type": "application/json",
        }
        tokens = announced(api_url, credentials)
        small = announced(api_url, credentials)
        assert sent(small, b"warm up", 7)
        process_id = running.process.pid
        forget_peak(process_id)
        before = peak(process_id)

        assert sent(tokens, pieces(), SIZE)
        received = 0
        with exchange(tokens["url"], "GET") as got:
            while piece := got.read(len(PIECE)):
                assert piece == PIECE
                received += len(piece)

        assert received == SIZE
        assert peak(process_id) - before < ALLOWED

        assert len([*tmp_path.glob("lean-emu-files-*/*")]) == 1
        running.stop()
        assert [*tmp_path.glob("lean-emu-files-*")] == [], "it takes its contents along"
