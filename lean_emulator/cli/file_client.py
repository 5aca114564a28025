"""Files of a running instance, as a client of its API: upload, find, download, delete."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

from lean_emulator.base.jsontext import Json, dumps
from lean_emulator.cli.local_http import request

PIECE = 256 * 1024
SECONDS = 60.0

Told = Callable[[int], object]
"""Is told how many bytes went through."""


class Refused(Exception):
    """The instance said no, or did not answer; the text says why."""


class FileClient:
    """Every failure of the instance is ``Refused``; those of local files are ``OSError``."""

    def __init__(self, api_url: str, headers: Mapping[str, str]) -> None:
        self._url = api_url
        self._headers = {**headers, "Content-Type": "application/json"}

    def upload(self, path: Path, told: Told) -> dict[str, Any]:
        """Store one file; answers its record. What ends early leaves no record."""
        with path.open("rb") as file:
            size = path.stat().st_size
            name = path.name.encode("utf-8", "replace").decode()
            wish: Json = {"name": name, "metaData": {"size": size}}
            tokens = self._ask("POST", "/1.1/fileTokens", wish)
            try:
                self._put(tokens, file, size, told)
            except BaseException:
                self._call_back(tokens, result=False)
                raise
        self._call_back(tokens, result=True)
        return {key: tokens[key] for key in ("objectId", "name", "url", "key", "mime_type")} | {
            "size": size
        }

    def find(self, where: Json, limit: int) -> list[dict[str, Any]]:
        """Records, newest first."""
        query = f"limit={limit}&order=-createdAt&where={quote(dumps(where))}"
        found: list[dict[str, Any]] = self._ask("GET", f"/1.1/files?{query}")["results"]
        return found

    def delete(self, object_id: str) -> None:
        self._ask("DELETE", f"/1.1/files/{quote(object_id, safe='')}")

    def download(self, url: str, target: BinaryIO, told: Told) -> int:
        """Write a content into an open file; answers its size in bytes."""
        size = 0
        with self._exchange("GET", _own_path(url)) as answer:
            if answer.status != 200:
                raise Refused(_reason(answer.status, answer.read()))
            while piece := self._piece_of(answer):
                target.write(piece)
                told(len(piece))
                size += len(piece)
        return size

    def _piece_of(self, answer: http.client.HTTPResponse) -> bytes:
        try:
            return answer.read(PIECE)
        except (OSError, http.client.HTTPException) as e:
            raise Refused(f"{self._url} broke off: {e}") from e

    def _put(self, tokens: Mapping[str, Any], file: BinaryIO, size: int, told: Told) -> None:
        def pieces() -> Iterator[bytes]:
            while piece := file.read(PIECE):
                yield piece
                told(len(piece))

        # by this way whatever the provider is, and by our own address of the instance
        path = urlsplit(tokens["upload_url"]).path
        target = f"{path}?token={quote(tokens['token'])}"
        headers = {"Content-Length": str(size), "Content-Type": str(tokens["mime_type"])}
        with self._exchange("PUT", target, pieces(), headers) as answer:
            body = answer.read()
            if answer.status != 200:
                raise Refused(_reason(answer.status, body))

    def _call_back(self, tokens: Mapping[str, Any], *, result: bool) -> None:
        body: Json = {"token": tokens["token"], "result": result}
        self._ask("POST", "/1.1/fileCallback", body)

    @contextmanager
    def _exchange(
        self,
        method: str,
        target: str,
        body: Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        address = urlsplit(self._url)
        host = address.hostname or "127.0.0.1"
        with closing(http.client.HTTPConnection(host, address.port, timeout=SECONDS)) as connection:
            try:
                connection.request(method, target, body, dict(headers or {}))
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as e:
                raise Refused(f"{self._url} broke off: {e}") from e
            with answer:
                yield answer

    def _ask(self, method: str, target: str, body: Json = None) -> dict[str, Any]:
        data = None if body is None else dumps(body)
        try:
            answer = request(
                self._url, method, target, headers=self._headers, body=data, seconds=SECONDS
            )
        except (OSError, http.client.HTTPException, ValueError) as e:
            raise Refused(f"{self._url} does not answer: {e}") from e
        if answer.status >= 300 or not isinstance(answer.body, dict):
            raise Refused(_said(answer.status, answer.body))
        return answer.body


def _own_path(url: str) -> str:
    """The path of a file's address, which the instance may have given for another network."""
    return urlsplit(url).path


def _reason(status: int, body: bytes) -> str:
    try:
        return _said(status, json.loads(body))
    except ValueError:
        return f"HTTP {status}"


def _said(status: int, body: Any) -> str:
    if isinstance(body, dict) and "error" in body:
        return f"{body['error']} (code {body.get('code')}, HTTP {status})"
    return f"HTTP {status}"
