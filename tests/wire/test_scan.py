"""Walking through a class with ``/scan`` (storage.md 3.9)."""

from pathlib import Path
from typing import Any

from tests.support.api import CLIENT, MASTER, Api, running_api


async def walk(api: Api, **params: Any) -> list[list[Any]]:
    """All pages of a scan, as their ``n``; the last page is the empty one."""
    pages, cursor = [], None
    while True:
        given = {**params, **({} if cursor is None else {"cursor": cursor})}
        answer = await api("GET", "/1.1/scan/classes/Row", headers=MASTER, **given)
        assert answer.status == 200, answer.json
        pages.append([row.get("n") for row in answer.json["results"]])
        following = answer.json["cursor"]
        assert cursor is None or following in (cursor, None), "the cursor stays the same"
        cursor = following
        if cursor is None:
            return pages
        assert len(cursor) == 16


async def test_a_walk_sees_everything_once_and_ends_with_null(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for n in range(5):
            await api.create("Row", n=n)
        assert await walk(api, limit="2") == [[0, 1], [2, 3], [4], []]
        assert await walk(api, limit="5") == [[0, 1, 2, 3, 4], []]
        assert await walk(api, limit="2", scan_key="-objectId") == [[4, 3], [2, 1], [0], []]
        assert await walk(api, where={"n": {"$gt": 2}}, limit="1") == [[3], [4], []]


async def test_equal_and_missing_keys_lose_nothing(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for n in range(6):
            await api.create("Row", n=n, **({"group": n % 2} if n != 3 else {}))
        pages = await walk(api, limit="2", scan_key="group", keys="n")
        assert sorted(n for page in pages for n in page) == list(range(6))
        down = await walk(api, limit="2", scan_key="-group")
        assert sorted(n for page in down for n in page) == list(range(6))


async def test_what_a_scan_refuses(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api.create("Row", n=1)
        refused = await api("GET", "/1.1/scan/classes/Row", headers=CLIENT)
        assert (refused.status, refused.json["error"]) == (
            400,
            "The request must be signed by master key.",
        )
        unknown = await api("GET", "/1.1/scan/classes/Row", headers=MASTER, cursor="0" * 16)
        assert (unknown.status, unknown.json["code"]) == (400, 1)
        nothing = await api("GET", "/1.1/scan/classes/Nothing", headers=MASTER)
        assert (nothing.status, nothing.json["code"]) == (404, 101)


async def test_a_cursor_dies_of_age(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for n in range(3):
            await api.create("Row", n=n)
        first = await api("GET", "/1.1/scan/classes/Row", headers=MASTER, limit="1")
        api.clock.advance(601)
        late = await api(
            "GET", "/1.1/scan/classes/Row", headers=MASTER, cursor=first.json["cursor"]
        )
        assert (late.status, late.json["code"]) == (400, 1)
