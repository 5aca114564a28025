"""The inbox page: messages with their codes and links."""

import re
from pathlib import Path

import aiohttp
import pytest

from tests.support.console_demo import Demo, demo

AS_JSON = {"Accept": "application/json"}


async def text_of(running: Demo, path: str, **headers: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(running.url + path, headers=headers) as a:
        assert a.status == 200
        return await a.text()


def badges(text: str) -> int:
    return text.count('<span class="badge">')


@pytest.mark.parametrize(("language", "word"), [("en", "Follow the link"), ("zh", "打开链接")])
async def test_the_newest_is_open(language: str, word: str, tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        text = await text_of(running, "/inbox", **{"Accept-Language": language})
        assert word in text
        assert text.count('href="http://127.0.0.1:3000/1.1/verifyEmail/9f2c0e1"') == 2
        assert "mia@example.com" in text
        assert re.search(r'href="/\?trace=t-[0-9a-f]+">(POST|GET) ', text)
        # nobody has chosen it, so it is new still
        assert badges(text) == 3
        assert re.search(r"data-new>3<", text)


async def test_an_opened_message_is_not_new(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        (sms,) = running.inbox.messages("sms")
        text = await text_of(running, f"/inbox?message={sms.id}")
        assert '<output class="code num">402913</output>' in text
        assert "lean-emu inbox --to &#39;+8618600000017&#39; --code" in text
        assert badges(text) == 2
        assert running.inbox.unread == {m.id for m in running.inbox.messages() if m != sms}


@pytest.mark.parametrize(("kind", "rows"), [("mail", 1), ("sms", 1), ("push", 1), ("fax", 3)])
async def test_one_kind(kind: str, rows: int, tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        text = await text_of(running, f"/inbox?kind={kind}")
        assert text.count('<a class="row"') == rows


async def test_a_kind_without_messages(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        running.inbox.add("sms", "+1", "Code", "1", code="1")
        assert "No message of this kind." in await text_of(running, "/inbox?kind=mail")


async def test_an_empty_inbox_says_how_to_fill_it(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        assert "/1.1/requestSmsCode" in await text_of(running, "/inbox")


async def test_a_message_that_is_gone(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        assert "no longer kept" in await text_of(running, "/inbox?message=x")


async def test_many_messages(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        for n in range(202):
            running.inbox.add("sms", f"+{n}", "Code", "x")
        text = await text_of(running, "/inbox")
        assert text.count('<a class="row"') == 200
        assert "2 more are older" in text


async def test_as_json(tmp_path: Path) -> None:
    async with (
        demo(tmp_path) as running,
        aiohttp.ClientSession() as http,
        http.get(f"{running.url}/inbox?kind=sms", headers=AS_JSON) as answer,
    ):
        body = await answer.json()
        (sms,) = running.inbox.messages("sms")
        assert body["messages"] == [sms.to_json()]
        assert set(body["unread"]) == running.inbox.unread


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//evil", "<b>"])
async def test_what_is_no_link_is_never_one(link: str, tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running:
        running.inbox.add("push", "<i>all</i>", "<b>Hi</b>", f"see {link}", link=link)
        text = await text_of(running, "/inbox")
        assert f'href="{link}"' not in text
        assert "<b>Hi" not in text
        assert "<i>all" not in text


async def test_emptying(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        async with http.post(f"{running.url}/inbox/clear") as answer:
            assert answer.status == 403
        assert len(running.inbox.messages()) == 3
        page = await text_of(running, "/inbox")
        found = re.search(r'name="token" value="([^"]+)"', page)
        assert found is not None
        async with http.post(
            f"{running.url}/inbox/clear", data={"token": found[1]}, allow_redirects=False
        ) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/inbox")
        assert running.inbox.messages() == []
