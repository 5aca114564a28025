"""Exports as an archive to download (storage.md 9.5, 10.1, 10.2)."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lean_emulator.service.export_jobs import KEPT
from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.matchers import error
from tests.support.scenario import SignedUp, prepare


async def job(api: Api, body: Any = None) -> Any:
    started = await api("POST", "/1.1/exportData", body, headers=MASTER)
    assert started.status == 200, started.json
    assert started.json.keys() == {"status", "id", "app_id"}
    assert (started.json["status"], started.json["app_id"]) == ("running", CLIENT["X-LC-Id"])
    done = await api("GET", f"/1.1/exportData/{started.json['id']}", headers=MASTER)
    assert done.json == {
        **started.json,
        "status": "done",
        "download_url": done.json["download_url"],
    }
    return done.json


async def download(url: str) -> dict[str, bytes]:
    """The files of an archive, fetched with no credentials as from a mail."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/gzip"
        content = await answer.read()
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        return {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in tar}


async def exported(api: Api, body: Any = None) -> dict[str, bytes]:
    return await download((await job(api, body))["download_url"])


def rows(content: bytes) -> list[Any]:
    """What stands after the header line."""
    header, *lines = content.decode().splitlines()
    assert header.startswith("#filetype:JSON-streaming ")
    assert json.loads(header.split(" ", 1)[1])["type"] == "Class"
    return [json.loads(line) for line in lines]


async def test_all_objects_with_all_of_their_fields(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        date = {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"}
        post = await api.create("Post", title="été", at=date, ACL={"*": {"read": True}})
        await prepare(api, [SignedUp("ann", {})])
        files = await exported(api)
        assert files.keys() == {"Post.0.jsonl", "_User.0.jsonl"}
        now = "2023-11-14T22:13:20.000Z"
        assert rows(files["Post.0.jsonl"]) == [
            {"objectId": post, "title": "été", "at": date, "ACL": {"*": {"read": True}},
             "createdAt": now, "updatedAt": now},
        ]  # fmt: skip
        (ann,) = rows(files["_User.0.jsonl"])
        assert {"ACL", "password", "salt", "sessionToken", "emailVerified"} <= ann.keys()


async def test_members_of_relations_stand_in_files_of_their_own(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        one, two = await api.create("Comment", n=1), await api.create("Comment", n=2)
        members = [{"__type": "Pointer", "className": "Comment", "objectId": i} for i in (one, two)]
        post = await api.create("Post", likes={"__op": "AddRelation", "objects": members})
        files = await exported(api, {"classes": "Post"})
        assert files.keys() == {"Post.0.jsonl", "_Join:Post:likes:Comment.0.jsonl"}
        assert rows(files["_Join:Post:likes:Comment.0.jsonl"]) == [
            {"owningId": post, "relatedId": one},
            {"owningId": post, "relatedId": two},
        ]


async def test_schemas_alone(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api.create("Post", title="x")
        files = await exported(api, {"only-schema": "true"})
        assert files.keys() == {"Post.schema.json"}
        assert json.loads(files["Post.schema.json"])["schema"]["title"] == {"type": "String"}


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({"from_date": "2023-11-15"}, ["new"]),
        ({"to_date": "2023-11-14"}, ["old"]),
        ({"to_date": "2023-11-15"}, ["old", "new"]),
        ({"from_date": "2023-11-14T22:13:20.000Z", "to_date": "2023-11-14T22:13:20.001Z"}, ["old"]),
        ({"from_date": {"__type": "Date", "iso": "2024-01-01T00:00:00.000Z"}}, []),
    ],
)
async def test_dates_are_of_the_last_write(tmp_path: Path, chosen: Any, found: list[str]) -> None:
    async with running_api(project=tmp_path) as api:
        await api.create("Post", title="old")
        api.clock.advance(86_400)
        await api.create("Post", title="new")
        files = await exported(api, chosen)
        assert [row["title"] for row in rows(files["Post.0.jsonl"])] == found


async def test_the_link_is_mailed(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api.create("Post", title="x")
        done = await job(api, {"email": "ann@example.com"})
        (mail,) = api.emulator.inbox.messages("mail")
        assert (mail.to, mail.link) == ("ann@example.com", done["download_url"])


async def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await api.create("Post", title="x")
        first = await job(api)
        for _ in range(KEPT):
            last = await job(api)
        gone = await api("GET", f"/1.1/exportData/{first['id']}", headers=MASTER)
        assert (gone.status, gone.json["code"]) == (400, 101)
        async with aiohttp.ClientSession() as session, session.get(first["download_url"]) as answer:
            assert answer.status == 404
        assert await download(last["download_url"])


@pytest.mark.parametrize(
    ("body", "headers", "answer", "status"),
    [
        ({}, CLIENT, error(1, "The request must be signed by master key."), 400),
        ({"classes": "Nothing"}, MASTER, error(101, "There is no class 'Nothing' to export."), 404),
        ({"from_date": "soon"}, MASTER,
         error(1, "from_date wants a day (2026-01-31) or an ISO time, got 'soon'."), 400),
    ],
)  # fmt: skip
async def test_refused(tmp_path: Path, body: Any, headers: Any, answer: Any, status: int) -> None:
    async with running_api(project=tmp_path) as api:
        refused = await api("POST", "/1.1/exportData", body, headers=headers)
        assert (refused.status, refused.json) == (status, answer)


async def test_states_are_for_the_master_key(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        done = await job(api)
        refused = await api("GET", f"/1.1/exportData/{done['id']}")
        assert refused.json == error(1, "The request must be signed by master key.")
