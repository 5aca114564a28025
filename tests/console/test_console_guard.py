"""Who is refused: foreign names, foreign pages, and changes without the token of this run."""

import re
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.support.console_demo import demo

RUN = {"tab": "function", "name": "averageStars", "payload": "{}"}


async def token_of(url: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        found = re.search(r'name="lean-emu-token" content="([^"]+)"', await answer.text())
        assert found is not None
        return found[1]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3001",
        "127.0.0.1.evil.example",
        "localhost.evil",
        "10.0.0.1",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/events", "/static/console.css", "/run"])
async def test_other_host_names_are_refused(tmp_path: Path, host: str, path: str) -> None:
    async with (
        demo(tmp_path) as running,
        aiohttp.ClientSession() as http,
        http.get(running.url + path, headers={"Host": host}) as answer,
    ):
        assert answer.status == 403
        assert "its own names" in await answer.text()


@pytest.mark.parametrize(
    "host", ["localhost:9999", "127.0.0.1", "[::1]:3001", "[::1]", "LOCALHOST"]
)
async def test_its_own_names_work_with_any_port(tmp_path: Path, host: str) -> None:
    async with (
        demo(tmp_path) as running,
        aiohttp.ClientSession() as http,
        http.get(running.url, headers={"Host": host}) as answer,
    ):
        assert answer.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_posts_of_other_pages_are_refused_even_with_the_token(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        form = {**RUN, "token": await token_of(running.url)}
        async with http.post(f"{running.url}/run", data=form, headers=headers) as answer:
            assert answer.status == 403
        assert running.workbench.sent == []


@pytest.mark.parametrize("token", [None, "", "guess", "é"])
async def test_a_change_needs_the_token(tmp_path: Path, token: str | None) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        form = RUN if token is None else {**RUN, "token": token}
        async with http.post(f"{running.url}/run", data=form) as answer:
            assert answer.status == 403
            assert "token" in await answer.text()
        async with http.post(f"{running.url}/run", json=form) as answer:
            assert answer.status == 403, "a JSON body may not carry the token"
        assert running.workbench.sent == []


async def test_the_token_differs_from_run_to_run(tmp_path: Path) -> None:
    async with demo(tmp_path) as one, demo(tmp_path) as two:
        assert await token_of(one.url) != await token_of(two.url)


@pytest.mark.parametrize(
    "path", ["/", "/run", "/hooks", "/nowhere", "/static/console.css", "/static/none.js"]
)
async def test_every_answer_carries_the_policy(tmp_path: Path, path: str) -> None:
    async with (
        demo(tmp_path) as running,
        aiohttp.ClientSession() as http,
        http.get(running.url + path) as answer,
    ):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        kept = "no-cache" if path.startswith("/static") else "no-store"
        assert answer.headers["Cache-Control"] == kept


async def test_files_outside_static_are_out_of_reach(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        for path in ("/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/static/"):
            async with http.get(URL(running.url + path, encoded=True)) as answer:
                assert answer.status in (403, 404), path
