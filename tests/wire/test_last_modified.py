"""``Last-Modified``, and URLs as long as queries get (recorded traffic; storage.md 1.5)."""

from pathlib import Path

from tests.support.api import MASTER, running_api


async def test_an_object_tells_its_own_time_and_a_query_that_of_its_class(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        first = await api.create("Post", n=1)
        api.clock.advance(2)
        second = await api.create("Post", n=2)
        one = await api("GET", f"/1.1/classes/Post/{first}", headers=MASTER)
        page = await api("GET", "/1.1/classes/Post", headers=MASTER)
        assert one.headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20.000 GMT"
        assert page.headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:22.000 GMT"
        api.clock.advance(2)
        await api("DELETE", f"/1.1/classes/Post/{second}", headers=MASTER)
        empty = await api("GET", "/1.1/classes/Post", headers=MASTER, where={"n": 7})
        assert empty.json == {"results": []}
        assert empty.headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:24.000 GMT"
        absent = await api("GET", f"/1.1/classes/Post/{second}", headers=MASTER)
        assert absent.json == {}
        assert "Last-Modified" not in absent.headers


async def test_a_query_of_sixty_thousand_bytes_arrives(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api.create("Post", n=1)
        numbers = list(range(1, 8_000))
        found = await api("GET", "/1.1/classes/Post", headers=MASTER, where={"n": {"$in": numbers}})
        assert found.status == 200
        assert len(found.json["results"]) == 1
