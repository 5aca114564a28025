"""The data page over a real emulator: classes, table, filter, one object, as whom, with hooks."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from lean_emulator.storage.contract import Insert
from tests.support.api import KEYS, Api, running_api
from tests.support.fake_engine import FakeEngine, refuse

AS_JSON = {"Accept": "application/json"}


@dataclass
class Desk:
    """A console over an emulator with three reviews of one post, one of them for mia alone."""

    api: Api
    url: str
    http: aiohttp.ClientSession
    mia: str
    post: str
    reviews: list[str]

    async def text(self, **params: Any) -> str:
        async with self.http.get(f"{self.url}/data?{urlencode(params)}") as answer:
            return await answer.text()

    async def json(self, **params: Any) -> Any:
        url = f"{self.url}/data?{urlencode(params)}"
        async with self.http.get(url, headers=AS_JSON) as answer:
            return await answer.json()

    async def send(self, path: str, **fields: str) -> tuple[int, str, str]:
        """Status, final path and text, as a form without scripts gets them."""
        page = await self.text(**{"class": "Review"})
        found = re.search(r'name="token" value="([^"]+)"', page)
        assert found is not None
        data = {"token": found[1], **fields}
        async with self.http.post(self.url + path, data=data) as answer:
            return answer.status, answer.url.path_qs, await answer.text()


@asynccontextmanager
async def desk(project: Path, **hooks: Any) -> AsyncIterator[Desk]:
    engine = FakeEngine({name.replace("_", ".", 1): hook for name, hook in hooks.items()})
    async with running_api(engine, project=project) as api, aiohttp.ClientSession() as http:
        made = await api("POST", "/1.1/users", {"username": "mia", "password": "secret-pw"})
        mia = str(made.json["objectId"])
        post = await api.create("Post", title="A Quiet Place")
        reviews = []
        for stars, more in ((5, {}), (2, {"ACL": {mia: {"read": True}}}), (4, {"seen": True})):
            api.clock.advance(1)
            pointer = {"__type": "Pointer", "className": "Post", "objectId": post}
            reviews.append(await api.create("Review", stars=stars, post=pointer, **more))
        await api.settle()
        engine.received.clear()
        yield Desk(api, api.emulator.console_url, http, mia, post, reviews)


async def test_classes_with_counts_and_a_table_with_types(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        text = await page.text(**{"class": "Review"})
        assert "3 objects" in text
        assert "stars</a>" in text
        assert "Pointer → Post" in text
        assert f'href="/data?class=Post&amp;row={page.post}"' in text
        assert text.index(page.reviews[2]) < text.index(page.reviews[0]), "newest first"
        assert 'href="/data?class=_User"' in text


async def test_the_first_class_opens_by_itself(tmp_path: Path) -> None:
    async with desk(tmp_path) as page, page.http.get(f"{page.url}/data") as answer:
        assert answer.url.path_qs.startswith("/data?class=")


async def test_no_class_says_how_to_make_one(tmp_path: Path) -> None:
    async with (
        running_api(project=tmp_path) as api,
        aiohttp.ClientSession() as http,
        http.get(f"{api.emulator.console_url}/data") as answer,
    ):
        text = await answer.text()
        assert "lean-emu save Review" in text
        assert "/1.1/classes/Review" in text


@pytest.mark.parametrize(
    ("column", "operator", "value", "stars"),
    [
        ("stars", "is", "5", [5]),
        ("stars", "not", "5", [4, 2]),
        ("stars", "gte", "4", [4, 5]),
        ("stars", "lt", "4", [2]),
        ("stars", "in", "2, 4", [4, 2]),
        ("seen", "is", "true", [4]),
        ("seen", "absent", "", [2, 5]),
        ("createdAt", "gt", "2001-01-01", [4, 2, 5]),
    ],
)
async def test_conditions(
    column: str, operator: str, value: str, stars: list[int], tmp_path: Path
) -> None:
    async with desk(tmp_path) as page:
        query = urlencode({"class": "Review", "col": column, "op": operator, "val": value})
        async with page.http.get(f"{page.url}/data?{query}") as answer:
            assert "where=" in str(answer.url), "the address is the filter"
            assert "data-filter><b>" in await answer.text()
            where = answer.url.query["where"]
        body = await page.json(**{"class": "Review", "where": where})
        assert [row["stars"] for row in body["results"]] == stars


async def test_conditions_add_up(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        where = '{"stars":{"$gte":4}}'
        async with page.http.get(
            f"{page.url}/data",
            params={"class": "Review", "where": where, "col": "stars", "op": "lt", "val": "5"},
        ) as answer:
            assert answer.url.query["where"] == '{"stars":{"$gte":4,"$lt":5}}'
        async with page.http.get(
            f"{page.url}/data",
            params={"class": "Review", "where": where, "col": "stars", "op": "is", "val": "5"},
        ) as answer:
            assert answer.url.query["where"] == '{"$and":[{"stars":{"$gte":4}},{"stars":5}]}'
            assert "1 object" in await answer.text()


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"where": "{stars: }"}, "Filter as JSON"),
        ({"where": "[1]"}, "An object is wanted"),
        ({"where": "{stars: {$near: 1}}"}, "problem"),
        ({"col": "stars", "op": "is", "val": "many"}, "many is no number."),
        ({"col": "seen", "op": "is", "val": "maybe"}, "not maybe"),
        ({"col": "gone", "val": "1"}, "The class has no column gone."),
        ({"as": "user", "who": "noor"}, "Could not find user &#39;noor&#39;."),
    ],
)
async def test_what_cannot_be_sought(params: dict[str, str], said: str, tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        query = urlencode({"class": "Review", **params})
        async with page.http.get(f"{page.url}/data?{query}") as answer:
            assert answer.status == 422
            text = await answer.text()
            assert said in text
            assert 'aria-invalid="true"' in text


async def test_what_an_acl_hides(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        text = await page.text(**{"class": "Review", "as": "nobody"})
        assert "1 object is hidden from whoever is not logged in" in text
        assert page.reviews[1] not in text
        seen = await page.text(**{"class": "Review", "as": "user", "who": "mia"})
        assert page.reviews[1] in seen
        assert "hidden" not in re.sub(
            r'type="hidden"|aria-hidden|visually-hidden| hidden>', "", seen
        )
        why = await page.text(**{"class": "Review", "as": "nobody", "row": page.reviews[1]})
        assert "Forbidden" in why
        assert page.mia in why, "it says whom the ACL lets in"


async def test_an_object_with_what_it_points_to_and_what_points_here(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        text = await page.text(**{"class": "Post", "row": page.post})
        assert "A Quiet Place" in text
        where = re.search(
            r'href="(/data\?class=Review&amp;where=[^"]+)"[^>]*>.*?Review\.post', text
        )
        assert where is not None
        async with page.http.get(page.url + where[1].replace("&amp;", "&")) as answer:
            assert "3 objects" in await answer.text()
        review = await page.text(**{"class": "Review", "row": page.reviews[0]})
        assert f'href="/data?class=Post&amp;row={page.post}"' in review


async def test_a_relation_leads_to_its_members(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        member = {"__type": "Pointer", "className": "Review", "objectId": page.reviews[0]}
        op = {"__op": "AddRelation", "objects": [member]}
        await page.api("PUT", f"/1.1/classes/Post/{page.post}", {"best": op})
        text = await page.text(**{"class": "Post"})
        found = re.search(r'href="(/data[^"]+relatedTo[^"]+)"', text)
        assert found is not None
        async with page.http.get(page.url + found[1].replace("&amp;", "&")) as answer:
            members = await answer.text()
        assert "1 object<" in members
        assert page.reviews[0] in members
        await page.send("/data/save", state="class=Post", row=page.post, payload="{title: 'B'}")
        await page.api("PUT", f"/1.1/classes/Post/{page.post}", {"likes": 1})
        related = await page.api.emulator.storage.related("Post", page.post, "best")
        assert related == [page.reviews[0]], "a save by hand leaves relations alone"
        assert "Post.best" in await page.text(**{"class": "Review", "row": page.reviews[0]})


async def test_saving_writes_what_was_changed_and_runs_hooks(tmp_path: Path) -> None:
    async with desk(tmp_path, Review_beforeUpdate=lambda body: body["object"]) as page:
        state = urlencode({"class": "Review", "order": "stars"})
        text = await page.text(**{"class": "Review", "row": page.reviews[0]})
        assert "beforeUpdate" in text
        payload = "{stars: 3, comment: 'so so'}"
        fields = {"state": state, "row": page.reviews[0], "payload": payload}
        status, where, text = await page.send("/data/save", hooks="on", **fields)
        assert status == 200
        assert f"row={page.reviews[0]}" in where
        assert "order=stars" in where, "the table stays as it was"
        assert "Saved." in text
        stored = await page.api.read("Review", page.reviews[0])
        assert (stored["stars"], stored["comment"]) == (3, "so so")
        assert "post" not in stored, "a member that is left out is deleted"
        assert len(page.api.engine.received) == 1
        await page.send("/data/save", **{**fields, "payload": "{stars: 1}"})
        assert len(page.api.engine.received) == 1, "and none without the tick"
        assert (await page.api.read("Review", page.reviews[0]))["stars"] == 1


async def test_a_refusal_of_a_hook_stays_with_what_was_typed(tmp_path: Path) -> None:
    async with desk(tmp_path, Review_beforeUpdate=lambda body: refuse("too low", 400, 142)) as page:
        fields = {"state": "class=Review", "row": page.reviews[0], "payload": "{stars: 0}"}
        status, _, text = await page.send("/data/save", hooks="on", **fields)
        assert status == 422
        assert "too low" in text
        assert "{stars: 0}" in text
        assert re.search(r'href="/\?trace=t-\w+"', text)
        assert (await page.api.read("Review", page.reviews[0]))["stars"] == 5


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"payload": "{stars: }"}, 'data-state="error"'),
        ({"payload": "[]"}, "An object is wanted"),
        (
            {"payload": "{stars: 1}", "was": "2001-01-01T00:00:00.000Z"},
            "changed the object meanwhile",
        ),
        ({"payload": "{stars: 'five'}"}, "111"),
    ],
)
async def test_what_cannot_be_saved(fields: dict[str, str], said: str, tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        status, _, text = await page.send(
            "/data/save", state="class=Review", row=page.reviews[0], **fields
        )
        assert status == 422
        assert said in text
        assert (await page.api.read("Review", page.reviews[0]))["stars"] == 5


async def test_new_objects_and_whose_they_are(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        assert "New Review" in await page.text(**{"class": "Review", "row": "new"})
        fields = {"row": "new", "payload": "{stars: 1, seen: false}"}
        _, where, text = await page.send("/data/save", state="class=Review", **fields)
        assert "4 objects" in text
        assert re.search(r"row=[0-9a-f]{24}", where)
        status, _, text = await page.send(
            "/data/save", state="class=Review&as=user&who=mia", row=page.reviews[1], payload="{}"
        )
        assert status == 422, "mia may read it and not write it"
        _, _, text = await page.send(
            "/data/save",
            state="class=_User",
            row="new",
            payload="{username: 'noor', password: 'x'}",
        )
        assert "Saved." in text
        assert "sessionToken&#34;" not in text, "a new user is no leak"


async def test_a_trace_leads_to_the_object_it_wrote(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        await page.api("PUT", f"/1.1/classes/Review/{page.reviews[0]}", {"stars": 1})
        async with page.http.get(f"{page.url}/", headers=AS_JSON) as answer:
            trace = (await answer.json())["traces"][0]["id"]
        async with page.http.get(f"{page.url}/?trace={trace}", headers=AS_JSON) as answer:
            steps = (await answer.json())["trace"]["children"]
        step = next(s["id"] for s in steps if s["kind"] == "storage")
        async with page.http.get(f"{page.url}/?trace={trace}&step={step}&tab=identity") as answer:
            text = await answer.text()
        assert f'href="/data?class=Review&amp;row={page.reviews[0]}"' in text


async def test_deleting(tmp_path: Path) -> None:
    async with desk(tmp_path, Review_beforeDelete=lambda body: {}) as page:
        text = await page.text(**{"class": "Review", "row": page.reviews[0]})
        assert f"{page.reviews[0]} will be gone for good" in text
        _, where, text = await page.send(
            "/data/delete", state="class=Review", row=page.reviews[0], hooks="on"
        )
        assert where.startswith("/data?class=Review&done=t-")
        assert "2 objects" in text
        assert "Deleted." in text
        assert len(page.api.engine.received) == 1
        gone = await page.text(**{"class": "Review", "row": page.reviews[0]})
        assert "There is no object" in gone


async def test_the_schema_as_a_file_holds_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        text = await page.text(**{"class": "Review", "view": "schema"})
        assert "lean-emu schema dump" in text
        assert 'name="val"' not in text
        told = await page.json(**{"class": "Review", "view": "schema"})
        assert told["schema"]["schema"]["post"] == {"className": "Post", "type": "Pointer"}


async def test_as_json(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        body = await page.json()
        assert {"name": "Review", "count": 3} in body["classes"]
        body = await page.json(**{"class": "Review", "order": "stars"})
        assert [row["stars"] for row in body["results"]] == [2, 4, 5]
        assert (body["count"], body["hidden"]) == (3, 0)
        assert body["columns"]["post"] == "Pointer"
        one = await page.json(**{"class": "Review", "row": page.reviews[0]})
        assert one["object"]["stars"] == 5
        assert "error" in await page.json(**{"class": "Nothing"})
        assert "error" in await page.json(**{"class": "Review", "where": "{stars: }"})


async def test_secrets_of_users_are_never_shown(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        token = (await page.api.emulator.users.named("mia"))["sessionToken"]
        for params in ({"class": "_User"}, {"class": "_User", "row": page.mia}):
            assert str(token) not in await page.text(**params)
            assert "secret-pw" not in await page.text(**params)
            assert str(token) not in str(await page.json(**params))


async def test_what_is_masked_is_not_overwritten(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        note = {"key": KEYS.master_key}
        review = await page.api.create("Review", stars=1, note=note)
        shown = (await page.json(**{"class": "Review", "row": review}))["object"]
        assert shown["note"] != note
        payload = json.dumps({"stars": 2, "note": shown["note"]})
        await page.send("/data/save", state="class=Review", row=review, payload=payload)
        stored = await page.api.read("Review", review)
        assert (stored["stars"], stored["note"]) == (2, note)


async def test_classes_of_ours_and_markup_stay_out(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        assert "_LeanEmu" not in await page.text(**{"class": "Review"})
        assert "There is no class" in await page.text(**{"class": "_LeanEmuQueue"})
        await page.api.create("Review", comment="<b>bold</b>")
        assert "<b>bold" not in await page.text(**{"class": "Review"})


async def test_posts_want_the_token(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        for path in ("/data/save", "/data/delete"):
            data = {"state": "class=Review", "row": page.reviews[0], "payload": "{}"}
            async with page.http.post(page.url + path, data=data) as answer:
                assert answer.status == 403
        assert (await page.json(**{"class": "Review"}))["count"] == 3


@pytest.mark.timeout(60)
async def test_a_hundred_thousand_objects(tmp_path: Path) -> None:
    async with desk(tmp_path) as page:
        stamp = "2026-01-01T00:00:00.000Z"
        many = [
            Insert("Big", {"objectId": f"{n:024x}", "n": n, "createdAt": stamp, "updatedAt": stamp})
            for n in range(100_000)
        ]
        await page.api.emulator.storage.commit(many)
        text = await page.text(**{"class": "Big"})
        assert "100,000 objects" in text
        assert text.count("<tr") == 51
        last = await page.text(**{"class": "Big", "order": "n", "skip": 99_950})
        assert "99,951–100,000 of 100,000" in last
        assert 'rel="next"' not in last
        few = await page.text(**{"class": "Big", "where": '{"n": {"$gte": 99990}}'})
        assert "10 objects" in few
