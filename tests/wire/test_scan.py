"""Walking through a class with ``/scan`` (storage.md 3.9)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from lean_emulator.model.column_options import Options
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


async def test_any_column_of_single_values_leads_through_a_class(tmp_path: Path) -> None:
    def to(number: int) -> dict[str, Any]:
        return {"__type": "Pointer", "className": "Other", "objectId": f"o{number}"}

    def day(number: int) -> dict[str, Any]:
        return {"__type": "Date", "iso": f"2021-01-0{number}T00:00:00.000Z"}

    async with running_api(project=tmp_path) as api:
        for n in range(7):
            group = n % 3 + 1
            fields = {"text": f"t{group}", "at": day(group), "by": to(group), "on": n > 2}
            kept = {name: None if n == 5 else value for name, value in fields.items()}
            await api.create("Row", n=n, **({} if n == 6 else kept))
        for key in ("n", "text", "at", "by", "on", "createdAt", "updatedAt", "nothing"):
            for sign in ("", "-", "+"):
                for limit in ("1", "2", "3", "7"):
                    pages = await walk(api, limit=limit, scan_key=f"{sign}{key}")
                    found = [n for page in pages for n in page]
                    assert sorted(found) == list(range(7)), (sign, key, limit)
                    whole = await api("GET", "/1.1/classes/Row", order=f"{sign}{key}")
                    values = [row.get(key) for row in whole.json["results"]]
                    rows = {row["n"]: row.get(key) for row in whole.json["results"]}
                    assert [rows[n] for n in found] == values


async def test_columns_that_show_more_than_is_stored_lead_through_a_class(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        pointer = {"__type": "Pointer", "className": "Row", "objectId": "r1"}
        for n in range(6):
            given = {"d": n} if n in (1, 4) else {}
            await api.create("Row", n=n, **given)
        await api.create("Row", n=6, l={"__op": "AddRelation", "objects": [pointer]})
        schema = api.emulator.storage.classes()["Row"]
        await api.emulator.storage.save_class(replace(schema, options={"d": Options(default=3)}))
        for key in ("l", "-l", "d", "-d"):
            pages = await walk(api, limit="2", scan_key=key)
            assert sorted(n for page in pages for n in page) == list(range(7)), key


async def test_what_a_page_shows(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        pointer = {"__type": "Pointer", "className": "Row", "objectId": "r1"}
        related = {"__op": "AddRelation", "objects": [pointer]}
        first = await api.create("Row", n=1, a=1, l=related, by=pointer, ACL={})
        asked: list[tuple[dict[str, Any], set[str]]] = [
            ({}, {"n", "a", "l", "by"}),
            ({"keys": "n"}, {"n"}),
            ({"keys": "a", "scan_key": "n"}, {"a"}),
            ({"keys": "-l,-by"}, {"n", "a"}),
            ({"returnACL": "true", "keys": "n,ACL"}, {"n", "ACL"}),
            ({"include": "by"}, {"n", "a", "l", "by"}),
            ({"where": {"n": 2}}, set()),
        ]
        for params, columns in asked:
            answer = await api("GET", "/1.1/scan/classes/Row", headers=MASTER, **params)
            assert answer.headers.get("Last-Modified") is None
            for row in answer.json["results"]:
                assert set(row) == {*columns, "objectId", "createdAt", "updatedAt"}
                assert (row["objectId"], row.get("by", pointer)) == (first, pointer)
            assert bool(answer.json["results"]) is bool(columns)


async def test_writes_between_pages_neither_repeat_nor_lose_what_was_there(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ids = [await api.create("Row", n=n) for n in range(6)]
        path = "/1.1/scan/classes/Row"
        first = (await api("GET", path, headers=MASTER, limit="2")).json
        await api("DELETE", f"/1.1/classes/Row/{ids[1]},{ids[3]}", headers=MASTER)
        await api("PUT", f"/1.1/classes/Row/{ids[0]}", {"n": 9}, headers=MASTER)
        late = await api.create("Row", n=6)
        seen, cursor = [row["objectId"] for row in first["results"]], first["cursor"]
        while cursor is not None:
            page = (await api("GET", path, headers=MASTER, limit="2", cursor=cursor)).json
            seen += [row["objectId"] for row in page["results"]]
            cursor = page["cursor"]
        assert seen == [ids[0], ids[1], ids[2], ids[4], ids[5], late]


async def test_a_walk_goes_by_single_values(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for n in range(3):
            await api.create("Row", n=n, tags=["a", "b"], o={"n": n})
        for key in ("tags", "-tags", "o.n", "tags.x"):
            params: dict[str, Any] = {"limit": "1", "scan_key": key}
            refused = await api("GET", "/1.1/scan/classes/Row", headers=MASTER, **params)
            assert (key, refused.status) == (key, 400)
            assert refused.json["code"] == 1
            assert key.lstrip("-") in refused.json["error"]


async def test_a_cursor_is_good_for_its_class_and_order_only(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for n in range(3):
            await api.create("Row", n=n)
            await api.create("Other", n=n)
        path = "/1.1/scan/classes"
        first = await api("GET", f"{path}/Row", headers=MASTER, limit="1", scan_key="-n")
        cursor = first.json["cursor"]
        other = await api("GET", f"{path}/Other", headers=MASTER, cursor=cursor)
        assert (other.status, other.json["code"]) == (400, 1)
        following = await api("GET", f"{path}/Row", headers=MASTER, limit="1", cursor=cursor)
        assert [row["n"] for row in following.json["results"]] == [1]
