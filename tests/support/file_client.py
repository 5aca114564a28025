"""Uploading and reading files as clients do, without an SDK."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from tests.support.api import CLIENT, Api

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@dataclass(frozen=True)
class Reply:
    """Status, headers and raw body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def exchange(method: str, url: str, data: Any = None, **headers: str) -> Reply:
    """One request to a complete address, sent as it is; ``_`` in header names stands for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, URL(url, encoded=True), data=data, headers=named) as response,
    ):
        return Reply(response.status, response.headers.copy(), await response.read())


async def announce(api: Api, headers: dict[str, Any] | None = None, **body: Any) -> Any:
    """The answer of ``fileTokens``."""
    wanted = {"name": "a.png", **body}
    answer = await api("POST", "/1.1/fileTokens", wanted, headers=headers or CLIENT)
    assert answer.status == 201, answer.json
    return answer.json


async def call_back(api: Api, token: str, result: bool = True) -> None:
    answer = await api("POST", "/1.1/fileCallback", {"token": token, "result": result})
    assert (answer.status, answer.json) == (200, {})


async def upload(api: Api, data: bytes = PNG, **body: Any) -> Any:
    """A whole upload by way of S3; the answer of ``fileTokens``."""
    tokens = await announce(api, **body)
    sent = await exchange("PUT", tokens["upload_url"], data, Content_Type="image/png")
    assert (sent.status, sent.body) == (200, b"")
    assert sent.headers["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    await call_back(api, tokens["token"])
    return tokens
