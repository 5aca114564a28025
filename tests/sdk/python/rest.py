"""A client that knows nothing but HTTP and the app key."""

from typing import Any

import requests
from emu_process import Emulator


class Rest:
    """Requests to an emulator without any SDK, so that every project is asked the same."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.headers = {
            "X-LC-Id": emulator.keys["app_id"],
            "X-LC-Key": emulator.keys["app_key"],
        }

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        url = f"{self.emulator.api_url}/1.1/{path}"
        sent = {**self.headers, **(headers or {})}
        return requests.request(method, url, json=body, headers=sent, timeout=30)

    def save(self, class_name: str, **fields: Any) -> str:
        answer = self.ask("POST", f"classes/{class_name}", fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["objectId"])

    def stored(self, class_name: str, object_id: str) -> Any:
        return self.ask("GET", f"classes/{class_name}/{object_id}").json()

    def refusal(self, method: str, path: str, body: Any = None) -> tuple[int, int, str]:
        answer = self.ask(method, path, body)
        return answer.status_code, answer.json()["code"], answer.json()["error"]

    def run(self, function: str, **params: Any) -> Any:
        answer = self.ask("POST", f"functions/{function}", params)
        assert answer.status_code == 200, answer.text
        return answer.json().get("result")

    def printed(self) -> list[str]:
        """Lines that hooks and functions printed since traces were forgotten."""
        steps = self.emulator.steps()
        return [line["text"].strip() for step in steps for line in step.get("prints") or []]


def pointer(class_name: str, object_id: str) -> dict[str, str]:
    return {"__type": "Pointer", "className": class_name, "objectId": object_id}
