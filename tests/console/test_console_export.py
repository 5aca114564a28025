"""A trace as one file: whole, self-contained, in both languages, without secrets."""

import re
from html.parser import HTMLParser
from pathlib import Path

import aiohttp
import pytest

from lean_emulator.base.trace import Span
from lean_emulator.console.timeline import WINDOW, find
from tests.support.console_demo import Demo, demo
from tests.support.console_samples import MASTER_KEY


class Links(HTMLParser):
    """Every id, every place that is linked to, and everything a browser would fetch or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.places: set[str] = set()
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            elif name in ("href", "xlink:href") and str(value).startswith("#"):
                self.places.add(str(value)[1:])
            elif name in ("href", "src", "style", "srcset") or name.startswith("on"):
                self.fetched.append(f"{tag} {name}={value}")
        if tag in ("script", "link", "iframe", "form", "object"):
            self.fetched.append(tag)


async def page_of(running: Demo, name: str, **headers: str) -> aiohttp.ClientResponse:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{running.url}/traces/{name}.html", headers=headers) as answer,
    ):
        await answer.read()
        return answer


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_every_trace_is_a_file_that_needs_nothing_else(tmp_path: Path, language: str) -> None:
    async with demo(tmp_path) as running:
        roots = running.log.traces()
        assert len(roots) > 5
        for root in roots:
            answer = await page_of(running, root.name, **{"Accept-Language": language})
            text = await answer.text()
            links = Links(text)
            assert answer.status == 200
            assert links.fetched == []
            assert links.places <= {*links.ids}
            assert len(links.ids) == len({*links.ids})
            assert f'<html lang="{language}"' in text
            assert MASTER_KEY not in text
            assert not re.search(r"url\((?!#)|@import", text)


async def test_every_step_is_in_it_with_all_that_is_known(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        root = max(running.log.traces(), key=lambda root: len(root.children))
        links = Links(await (await page_of(running, root.name)).text())

        def names(span: Span) -> set[str]:
            return {span.name}.union(*map(names, span.children))

        assert names(root) <= {*links.ids}
        assert all(find(root, place) for place in links.places if place.startswith("s-"))


async def test_a_browser_may_run_nothing_in_it(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        name = running.log.traces()[0].name
        answer = await page_of(running, name)
        policy = answer.headers["Content-Security-Policy"]
        assert policy == "default-src 'none'; style-src 'unsafe-inline'"
        assert 'http-equiv="Content-Security-Policy"' in await answer.text()
        assert answer.headers["Content-Disposition"] == f'inline; filename="{name}.html"'


@pytest.mark.parametrize("name", ["t-ffff", "nonsense", "..%2f..%2fetc"])
async def test_a_trace_that_is_not_kept_is_404(tmp_path: Path, name: str) -> None:
    async with demo(tmp_path) as running:
        assert (await page_of(running, name)).status == 404


async def test_of_a_very_long_trace_it_has_the_beginning(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        root = running.log.begin("request", "POST /1.1/batch", method="POST", path="/1.1/batch")
        for number in range(WINDOW + 50):
            running.log.end(running.log.begin("storage", f"insert {number}", root, op="insert"))
        running.log.end(root)
        text = await (await page_of(running, root.name)).text()
        assert len([place for place in Links(text).ids if place.startswith("s-")]) == WINDOW - 1
        assert "51 more steps" in text
