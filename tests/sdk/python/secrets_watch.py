"""Everything secret that went over the wire, and everything lean-emu shows of it."""

import json
from collections.abc import Iterator
from typing import Any

import requests
from emu_process import Emulator

SECRET = frozenset(
    {
        "password",
        "old_password",
        "new_password",
        "sessionToken",
        "session_token",
        "access_token",
        "_SessionToken",
        "_ApplicationKey",
        "_MasterKey",
    }
)
"""Members whose values nobody may read later; those of nine letters could be words by chance."""


class SecretsWatch:
    """Notes, while it is on, what the requests of this process say that is secret."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._send = requests.Session.send

    def __enter__(self) -> "SecretsWatch":
        watch, send = self, self._send

        def noting(session: Any, request: Any, **more: Any) -> Any:
            answer = send(session, request, **more)
            watch.found |= {request.headers[n] for n in ("X-LC-Session",) if n in request.headers}
            for body in (request.body, answer.content):
                watch.found |= set(_secrets_of(body))
            return answer

        requests.Session.send = noting
        return self

    def __exit__(self, *_: object) -> None:
        requests.Session.send = self._send


def _secrets_of(body: Any) -> Iterator[str]:
    try:
        yield from _values(json.loads(body or "null"))
    except (TypeError, ValueError):
        return


def _values(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, name)
    elif name in SECRET and isinstance(value, str) and len(value) > 9 and "•" not in value:
        yield value


def shown_by(emulator: Emulator) -> Iterator[tuple[str, str]]:
    """Where and what: the terminal, all traces as JSON, every page but the inbox."""
    yield "terminal", emulator.output()
    traces = emulator.admin("GET", "traces")["results"]
    yield "traces", json.dumps(traces)
    console = requests.Session()
    for trace in traces:
        for path in (f"?trace={trace['id']}", f"traces/{trace['id']}.html"):
            yield path, console.get(f"{emulator.console_url}/{path}", timeout=10).text
        for step in trace["children"]:
            path = f"?trace={trace['id']}&step={step['id']}"
            yield path, console.get(f"{emulator.console_url}/{path}", timeout=10).text
    for path in ("", "logs", "hooks", "run", "data?class=_User", "tasks"):
        yield path, console.get(f"{emulator.console_url}/{path}", timeout=10).text
