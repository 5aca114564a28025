"""Where the protocol leaves room, a setting chooses (storage.md 1–5, 12)."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CLIENT, ENGINE, KEYS, MASTER, Api, running_api
from tests.support.matchers import error, text_with

NATIVE = {"X-LC-Id": KEYS.app_id, "X-LC-Sign": "0" * 32 + ",1453014943466,ax-sig-1"}
POST = "/1.1/classes/Post"


async def stored(api: Api) -> str:
    return await api.create("Post", title="x")


async def both(tmp_path: Path, asked: Any, **setting: Any) -> tuple[Any, Any]:
    """What ``asked`` gives as it is by default, and with the setting."""
    answers = []
    for name, chosen in (("usual", {}), ("other", setting)):
        project = tmp_path / name
        project.mkdir()
        async with running_api(project=project, **chosen) as api:
            answers.append(await asked(api, await stored(api)))
    return answers[0], answers[1]


async def test_a_limit_over_a_thousand(tmp_path: Path) -> None:
    async def asked(api: Api, _: str) -> int:
        for n in range(150):
            await api.create("Many", n=n)
        found = await api("GET", "/1.1/classes/Many", limit="5000")
        return len(found.json["results"])

    assert await both(tmp_path, asked, large_limit="default") == (150, 100)


async def test_ids_that_the_master_key_brings(tmp_path: Path) -> None:
    async def asked(api: Api, _: str) -> list[Any]:
        mine, told = {"objectId": "mine1", "title": "x"}, []
        for headers in (MASTER, CLIENT):
            made = await api("POST", POST, mine, headers=headers)
            told.append((made.status, made.json.get("objectId") == "mine1"))
        again = await api("POST", POST, mine, headers=MASTER)
        bad = await api("POST", POST, {"objectId": "../x"}, headers=MASTER)
        return [*told, again.status, bad.status]

    usual, other = await both(tmp_path, asked, own_object_ids=True)
    assert usual == [(201, False), (201, False), 201, 201]
    assert other == [(201, True), (201, False), 400, 400]


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_writes_of_automatic_fields(tmp_path: Path, method: str) -> None:
    async def asked(api: Api, object_id: str) -> Any:
        path = POST if method == "POST" else f"{POST}/{object_id}"
        written = await api(method, path, {"createdAt": "2000-01-01T00:00:00.000Z"})
        return written.status, written.json.get("code")

    usual, other = await both(tmp_path, asked, automatic_fields="refuse")
    assert usual == (201 if method == "POST" else 200, None)
    assert other == (400, 105)


async def test_deleting_what_is_not_there(tmp_path: Path) -> None:
    async def asked(api: Api, _: str) -> Any:
        gone = await api("DELETE", f"{POST}/absent1")
        return gone.status, gone.json

    usual, other = await both(tmp_path, asked, absent_delete="error")
    assert usual == (200, {})
    assert other == (400, error(1, text_with("absent1")))


async def test_included_objects_that_are_gone(tmp_path: Path) -> None:
    to = {"__type": "Pointer", "className": "Post", "objectId": "gone1"}

    async def asked(api: Api, _: str) -> Any:
        object_id = await api.create("Note", to=to, all=[to])
        found = await api("GET", f"/1.1/classes/Note/{object_id}", include="to,all")
        return found.json["to"], found.json["all"]

    assert await both(tmp_path, asked, missing_include="null") == ((to, [to]), (None, [None]))


@pytest.mark.parametrize(
    ("params", "refused"),
    [
        ({"where": {"nothing": 1}}, True),
        ({"where": {"$or": [{"title": "x"}, {"nothing": {"$exists": True}}]}}, True),
        ({"order": "-nothing"}, True),
        ({"where": {"title": "x", "createdAt": {"$exists": True}}, "order": "updatedAt"}, False),
    ],
)
async def test_columns_that_the_class_does_not_have(
    tmp_path: Path, params: dict[str, Any], refused: bool
) -> None:
    async def asked(api: Api, _: str) -> Any:
        found = await api("GET", POST, **params)
        return found.status, found.json.get("code")

    usual, other = await both(tmp_path, asked, unknown_keys="error")
    assert usual == (200, None)
    assert other == ((400, 700) if refused else (200, None))


async def test_access_lists_in_answers(tmp_path: Path) -> None:
    async def asked(api: Api, object_id: str) -> Any:
        one = await api("GET", f"{POST}/{object_id}", returnACL="true")
        scan = await api("GET", "/1.1/scan/classes/Post", headers=MASTER, returnACL="true")
        return "ACL" in one.json, "ACL" in scan.json["results"][0]

    assert await both(tmp_path, asked, return_acl=False) == ((True, True), (False, False))


async def test_classes_that_clients_make(tmp_path: Path) -> None:
    async def asked(api: Api, _: str) -> Any:
        told = []
        for headers in (CLIENT, ENGINE, CLIENT):
            made = await api("POST", "/1.1/classes/Fresh", {"a": 1}, headers=headers)
            told.append((made.status, made.json.get("code")))
        old = await api("POST", POST, {"title": "y"})
        return [*told, old.status]

    usual, other = await both(tmp_path, asked, client_classes=False)
    assert usual == [(201, None), (201, None), (201, None), 201]
    assert other == [(403, 119), (201, None), (201, None), 201]


@pytest.mark.parametrize(
    ("headers", "believed"),
    [
        (NATIVE, True),
        ({**NATIVE, "X-LC-Id": "another"}, False),
        ({**NATIVE, "X-LC-Key": "wrong"}, False),
        ({**NATIVE, "X-LC-Sign": "0" * 32 + ",1453014943466"}, False),
        ({**NATIVE, "X-LC-Sign": "0" * 32 + ",1453014943466,master"}, False),
    ],
)
async def test_signatures_that_nobody_can_check(
    tmp_path: Path, headers: dict[str, str], believed: bool
) -> None:
    async def asked(api: Api, object_id: str) -> Any:
        read = await api("GET", f"{POST}/{object_id}", headers=headers)
        scan = await api("GET", "/1.1/scan/classes/Post", headers=headers)
        return read.status, scan.status

    usual, other = await both(tmp_path, asked, native_signatures=True)
    assert usual == (401, 401)
    assert other == ((200, 400) if believed else (401, 401))
