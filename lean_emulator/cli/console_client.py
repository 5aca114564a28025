"""Reading a running instance's console, whose pages are JSON for whoever asks."""

import http.client
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from lean_emulator.cli.local_http import request

SECONDS = 5.0
SETTLE_SECONDS = 1.0
"""How long a trace may take to become complete before it is shown as it is."""


class Unreachable(Exception):
    """The console does not answer, or not with JSON."""


class Registered(NamedTuple):
    """The state of the code. ``failure`` is the last line of the traceback of broken code."""

    state: str
    failure: str | None
    functions: list[str]
    hooks: list[str]


class ConsoleClient:
    """Asks one console; every failure is ``Unreachable``."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def hooks(self) -> Registered:
        """What the running code registers."""
        page = self._get("/hooks")
        rows = [row for row in page.get("hooks", []) if isinstance(row, dict)]
        return Registered(
            state=str(page.get("state")),
            failure=page.get("failure"),
            functions=sorted(str(r["label"]) for r in rows if r["group"] == "function"),
            hooks=[
                " ".join(filter(None, (r.get("className"), r["label"])))
                for r in rows
                if r["group"] != "function"
            ],
        )

    def trace(self, name: str) -> dict[str, Any] | None:
        """A trace with all steps, once they have ended or ``SETTLE_SECONDS`` have passed."""
        until = time.monotonic() + SETTLE_SECONDS
        while True:
            tree = self._get(f"/?trace={quote(name)}").get("trace")
            if not isinstance(tree, dict):
                return None
            if tree.get("quietMs") is not None or time.monotonic() > until:
                return tree
            time.sleep(0.05)  # between two looks, the deadline is above

    def link(self, trace: str) -> str:
        """Where a person sees that trace."""
        return f"{self._url}/?trace={quote(trace)}"

    def _get(self, target: str) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        try:
            answer = request(self._url, "GET", target, headers=headers, seconds=SECONDS)
        except (OSError, http.client.HTTPException, ValueError) as e:
            raise Unreachable(f"The console at {self._url} does not answer: {e}") from e
        if not isinstance(answer.body, dict):
            raise Unreachable(f"The console at {self._url} answered something unexpected.")
        return answer.body


def prints(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Lines that the code wrote in a trace, as stream and text, step by step."""
    for line in tree.get("prints") or []:
        yield str(line.get("stream")), str(line.get("text"))
    for child in tree.get("children") or []:
        yield from prints(child)


def step_lines(tree: dict[str, Any], depth: int = 0) -> Iterator[str]:
    """A trace as indented lines: what, outcome, milliseconds, reason."""
    took = tree.get("tookMs")
    error = tree.get("error")
    why = error.get("message") if isinstance(error, dict) else tree.get("why")
    words = [
        f"{'  ' * depth}{tree.get('title')}",
        str(tree.get("outcome")),
        "" if took is None else f"{took:.1f} ms",
        "" if why is None else str(why),
    ]
    yield "  ".join(word for word in words if word)
    for child in tree.get("children") or []:
        yield from step_lines(child, depth + 1)
