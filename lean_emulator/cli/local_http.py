"""One exchange with a server on this machine, without waiting for a big client to be imported."""

import http.client
import json
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """``body`` is the JSON that came, or the bytes."""

    status: int
    headers: http.client.HTTPMessage
    body: Any


def request(
    url: str,
    method: str,
    target: str,
    *,
    headers: dict[str, str],
    body: bytes | None = None,
    seconds: float,
) -> Answer:
    """One exchange with a server on this machine, JSON in its answer.

    Raises ``OSError`` (``TimeoutError`` among them), ``http.client.HTTPException``, ``ValueError``.
    """
    answer = exchange(url, method, target, headers=headers, body=body, seconds=seconds)
    return answer._replace(body=json.loads(answer.body))


def exchange(
    url: str,
    method: str,
    target: str,
    *,
    headers: dict[str, str],
    body: bytes | None = None,
    seconds: float,
) -> Answer:
    """The same with the bytes as they came."""
    address = urlsplit(url)
    host = address.hostname or "127.0.0.1"
    with closing(http.client.HTTPConnection(host, address.port, timeout=seconds)) as connection:
        connection.request(method, target, body=body, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
