"""A client of the REST API for tests: blocking, one connection for each request."""

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

SECONDS = 75.0
"""How long an answer may take; the emulator itself gives up after 60 seconds."""


class Refused(Exception):
    """The answer was an error: HTTP ``status``, LeanCloud's ``code`` and ``text``."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(f"{text} [code {code}, HTTP {status}]")
        self.status = status
        self.code = code
        self.text = text


class Client:
    """Acts on behalf of whoever its headers name. Every method raises ``Refused``."""

    def __init__(self, api_url: str, headers: Mapping[str, str]) -> None:
        self._address = urlsplit(api_url)
        self._headers = {**headers, "Content-Type": "application/json"}

    def request(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """The JSON that a path answers, ``/1.1/date`` for example.

        Parameters that are no text are sent as JSON; those that are ``None`` are left out.
        """
        given = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in params.items()
            if value is not None
        }
        target = f"{path}?{urlencode(given)}" if given else path
        sent = None if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(
            self._address.hostname or "", self._address.port, timeout=SECONDS
        )
        with closing(connection):
            connection.request(method, target, sent, self._headers)
            answer = connection.getresponse()
            status, received = answer.status, answer.read()
        return _accepted(status, received)

    def run(self, name: str, /, **params: Any) -> Any:
        """What a cloud function answers."""
        answer = self.request("POST", f"/1.1/functions/{quote(name, safe='')}", params)
        return answer.get("result")

    def save(self, class_name: str, /, **fields: Any) -> dict[str, Any]:
        """Store an object; answers all of it, as it is stored."""
        answer: dict[str, Any] = self.request("POST", _path(class_name), fields, fetchWhenSave=True)
        return answer

    def update(self, class_name: str, object_id: str, /, **fields: Any) -> dict[str, Any]:
        """Change an object; answers what is stored now of the keys that changed."""
        answer: dict[str, Any] = self.request(
            "PUT", _path(class_name, object_id), fields, fetchWhenSave=True
        )
        return answer

    def delete(self, class_name: str, object_id: str) -> None:
        self.request("DELETE", _path(class_name, object_id))

    def get(self, class_name: str, object_id: str, **options: Any) -> dict[str, Any]:
        """An object; ``options`` are parameters of the request, such as ``include``."""
        answer: dict[str, Any] = self.request("GET", _path(class_name, object_id), **options)
        return answer

    def find(
        self, class_name: str, where: Mapping[str, Any] | None = None, **options: Any
    ) -> list[dict[str, Any]]:
        """Objects; ``options`` are parameters of the request: ``order``, ``limit``, ``include``.

        A class that nobody has written to has none.
        """
        try:
            answer = self.request("GET", _path(class_name), where=where, **options)
        except Refused as e:
            if (e.status, e.code) == (404, 101):
                return []
            raise
        found: list[dict[str, Any]] = answer["results"]
        return found


def _path(class_name: str, object_id: str | None = None) -> str:
    path = f"/1.1/classes/{quote(class_name, safe='')}"
    return path if object_id is None else f"{path}/{quote(object_id, safe='')}"


def _accepted(status: int, received: bytes) -> Any:
    try:
        answer = json.loads(received)
    except ValueError:
        answer = None
    if status < 300 and answer is not None:
        return answer
    said = answer if isinstance(answer, dict) else {}
    text = str(said.get("error") or received[:500].decode(errors="replace"))
    raise Refused(status, int(said.get("code", 1)), text)
