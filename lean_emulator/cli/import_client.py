"""An import as its client: rows go to the instance by the hundred, contents as they are."""

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from lean_emulator.base.jsontext import Json, dumps
from lean_emulator.cli.admin_client import AdminClient, Unreachable
from lean_emulator.keys import Keys

SECONDS = 600.0
"""How long one answer may take: rows with hooks take as long as their hooks."""


class Refused(Exception):
    """The instance would not take it, all of it; the text says why."""


class ImportClient:
    """Every failure is ``Refused`` or ``Unreachable``."""

    def __init__(self, api_url: str, keys: Keys) -> None:
        self._url = api_url
        self._admin = AdminClient(api_url, keys)
        self._headers = {"X-LC-Id": keys.app_id, "X-LC-Key": f"{keys.master_key},master"}

    @contextmanager
    def run(self, **options: bool) -> Iterator["ImportRun"]:
        """One import; ``replace``, ``hooks`` and ``dryRun`` as ``POST /__emu/imports`` has them."""
        run_id = str(self._ask("POST", "/__emu/imports", dumps(options))["id"])
        try:
            yield ImportRun(self, run_id)
        finally:
            self._ask("DELETE", f"/__emu/imports/{run_id}", None)

    def put_content(self, object_id: str, path: Path) -> None:
        """The bytes of a file whose record is there. Raises ``OSError`` for the local file."""
        address = urlsplit(self._url)
        host, size = address.hostname or "127.0.0.1", path.stat().st_size
        target = f"/__emu/contents/{quote(object_id, safe='')}"
        headers = {**self._headers, "Content-Length": str(size)}
        with (
            path.open("rb") as file,
            closing(http.client.HTTPConnection(host, address.port, timeout=SECONDS)) as connection,
        ):
            try:
                connection.request("PUT", target, file, headers)
                answer = connection.getresponse()
                body = answer.read()
            except http.client.HTTPException as e:
                raise Unreachable(f"{self._url} broke off: {e}") from e
        if answer.status != 200:
            raise Refused(_said(answer.status, json.loads(body or b"{}")))

    def _ask(self, method: str, target: str, body: bytes | None) -> dict[str, Any]:
        try:
            answer = self._admin.send(method, target, body, SECONDS)
        except TimeoutError as e:
            raise Unreachable(f"{self._url}{target} does not answer: {e}") from e
        if answer.status >= 300 or not isinstance(answer.body, dict):
            raise Refused(_said(answer.status, answer.body))
        return answer.body


class ImportRun:
    """Where rows go."""

    def __init__(self, client: ImportClient, run_id: str) -> None:
        self._client = client
        self._path = f"/__emu/imports/{run_id}"

    def rows(self, file: str, class_name: str, rows: Sequence[bytes]) -> Mapping[str, Any]:
        """Store rows, each JSON already; what became of them, by number."""
        head = dumps({"file": file, "className": class_name})
        body = head[:-1] + b',"rows":[' + b",".join(rows) + b"]}"
        return self._client._ask("POST", f"{self._path}/rows", body)

    def schema(self, class_name: str, content: Json) -> None:
        body = dumps({"className": class_name, "content": content})
        self._client._ask("POST", f"{self._path}/schema", body)


def _said(status: int, body: Any) -> str:
    said = body.get("error") if isinstance(body, dict) else None
    return str(said or f"HTTP {status}")
