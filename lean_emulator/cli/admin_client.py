"""Asking a running emulator about itself: ``/__emu`` on the API's port, with the master key."""

import http.client
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from lean_emulator.cli.local_http import request
from lean_emulator.keys import Keys

SECONDS = 5.0
SETTLE_SECONDS = 1.0
"""How long a trace may take to become complete before it is shown as it is."""


class Unreachable(Exception):
    """It does not answer, or not as an emulator with these keys does."""


class AdminClient:
    """Every failure is ``Unreachable``."""

    def __init__(self, api_url: str, keys: Keys) -> None:
        self._url = api_url
        self._headers = {"X-LC-Id": keys.app_id, "X-LC-Key": f"{keys.master_key},master"}

    def info(self) -> dict[str, Any]:
        """The instance: state of the code, registered names, addresses."""
        return self._get("/__emu/info")

    def schemas(self) -> dict[str, Any]:
        """Every class as its schema file holds it, by name."""
        classes: dict[str, Any] = self._get("/__emu/schemas")["results"]
        return classes

    def trace(self, name: str) -> dict[str, Any]:
        """A trace with all steps, once they have ended or ``SETTLE_SECONDS`` have passed."""
        until = time.monotonic() + SETTLE_SECONDS
        while True:
            tree = self._get(f"/__emu/traces/{quote(name, safe='')}")
            if tree.get("quietMs") is not None or time.monotonic() > until:
                return tree
            time.sleep(0.05)  # between two looks, the deadline is above

    def session_of(self, who: str) -> str | None:
        """The session token of a user named by id, username or token; ``None`` for nobody."""
        found = self._get(f"/__emu/sessions/{quote(who, safe='')}")
        return None if found.get("sessionToken") is None else str(found["sessionToken"])

    def _get(self, target: str) -> dict[str, Any]:
        try:
            answer = request(self._url, "GET", target, headers=self._headers, seconds=SECONDS)
        except (OSError, http.client.HTTPException, ValueError) as e:
            raise Unreachable(f"{self._url}{target} does not answer: {e}") from e
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise Unreachable(f"{self._url}{target} answered {answer.status}: {answer.body}")
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
