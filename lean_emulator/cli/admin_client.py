"""Asking a running emulator about itself: ``/__emu`` on the API's port, with the master key."""

import http.client
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from lean_emulator.base.jsontext import Json, dumps
from lean_emulator.cli.local_http import Answer, request
from lean_emulator.keys import Keys

SECONDS = 5.0
SETTLE_SECONDS = 1.0
"""How long a trace may take to become complete before it is shown as it is."""


class Unreachable(Exception):
    """It does not answer, or not as an emulator with these keys does."""


class AdminClient:
    """Every failure is ``Unreachable``, unless a method says otherwise."""

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

    def trace(self, name: str, seconds: float = SETTLE_SECONDS) -> dict[str, Any]:
        """A trace with all steps, once they have ended or that many seconds have passed."""
        until = time.monotonic() + seconds
        while True:
            tree = self._get(f"/__emu/traces/{quote(name, safe='')}")
            if tree.get("quietMs") is not None or time.monotonic() > until:
                return tree
            time.sleep(0.05)  # between two looks, the deadline is above

    def find_trace(self, name: str) -> dict[str, Any] | None:
        """The trace as it is now, ``last`` for the newest; ``None`` when it is not kept."""
        answer = self._ask("GET", f"/__emu/traces/{quote(name, safe='')}")
        if answer.status == 404:
            return None
        return self._object(answer, name)

    def run_hook(self, wish: Json, seconds: float) -> Answer:
        """Have one hook called alone; 200 says it was, whatever its own answer's status is.

        Raises ``TimeoutError`` when no answer came within the seconds.
        """
        return self._ask("POST", "/__emu/run-hook", dumps(wish), seconds)

    def try_out(self, what: str, wish: Json, seconds: float) -> Answer:
        """``rehearse`` or ``replay`` something; 200 says it was, whatever came of it.

        Raises ``TimeoutError`` when no answer came within the seconds.
        """
        return self._ask("POST", f"/__emu/{what}", dumps(wish), seconds)

    def reload_after(self, name: str | None, seconds: float) -> dict[str, Any] | None:
        """The newest reload, once there is one after that; ``None`` when none comes in time."""
        target = f"/__emu/reloads?seconds={seconds:g}" + (f"&after={name}" if name else "")
        found: dict[str, Any] | None = self._get(target, seconds + SECONDS)["reload"]
        return found

    def session_of(self, who: str) -> str | None:
        """The session token of a user named by id, username or token; ``None`` for nobody."""
        found = self._get(f"/__emu/sessions/{quote(who, safe='')}")
        return None if found.get("sessionToken") is None else str(found["sessionToken"])

    def inbox(self, wanted: Mapping[str, str], wait: float = 0.0) -> list[dict[str, Any]]:
        """Messages, oldest first; ``wanted`` as ``GET /__emu/inbox`` takes it.

        ``wait`` is how many seconds to wait for the first one.
        """
        query = urlencode({**wanted, "wait": f"{wait:g}"})
        target = f"/__emu/inbox?{query}"
        try:
            answer = self._ask("GET", target, seconds=SECONDS + wait)
        except TimeoutError as e:
            raise Unreachable(f"{self._url}{target} does not answer: {e}") from e
        messages: list[dict[str, Any]] = self._object(answer, target)["results"]
        return messages

    def logs(self, after: str = "", wait: float = 0.0) -> dict[str, Any]:
        """``results``, oldest first, and the ``cursor`` to go on from.

        ``wait`` is how many seconds to wait for the first one.
        """
        query = urlencode({"after": after, "wait": f"{wait:g}", "limit": "10000"})
        return self._get(f"/__emu/logs?{query}", SECONDS + wait)

    def clear_inbox(self) -> None:
        """Forget all messages."""
        try:
            self._object(self._ask("DELETE", "/__emu/inbox"), "/__emu/inbox")
        except TimeoutError as e:
            raise Unreachable(f"{self._url}/__emu/inbox does not answer: {e}") from e

    def send(self, method: str, target: str, body: bytes | None, seconds: float) -> Answer:
        """Anything else; whatever the status is, it is an answer. Raises ``TimeoutError``."""
        return self._ask(method, target, body, seconds)

    def _get(self, target: str, seconds: float = SECONDS) -> dict[str, Any]:
        try:
            answer = self._ask("GET", target, seconds=seconds)
        except TimeoutError as e:
            raise Unreachable(f"{self._url}{target} does not answer: {e}") from e
        return self._object(answer, target)

    def _ask(
        self, method: str, target: str, body: bytes | None = None, seconds: float = SECONDS
    ) -> Answer:
        headers = {**self._headers, "Content-Type": "application/json"} if body else self._headers
        try:
            return request(self._url, method, target, headers=headers, body=body, seconds=seconds)
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as e:
            raise Unreachable(f"{self._url}{target} does not answer: {e}") from e

    def _object(self, answer: Answer, target: str) -> dict[str, Any]:
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise Unreachable(f"{self._url}{target} answered {answer.status}: {answer.body}")
        return answer.body


def prints(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Lines that the code wrote in a trace, as stream and text, step by step."""
    for line in tree.get("prints") or []:
        yield str(line.get("stream")), str(line.get("text"))
    for child in tree.get("children") or []:
        yield from prints(child)
