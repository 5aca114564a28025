"""The settings page: values with their origin, keys on demand, snapshots and reset."""

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lean_emulator.storage.contract import Insert
from tests.support.api import KEYS
from tests.support.console_demo import Demo, demo

AS_JSON = {"Accept": "application/json"}
STAMP = "2026-11-20T00:00:00.000Z"
SECRETS = (KEYS.app_key, KEYS.master_key, KEYS.hook_key)


async def text_of(running: Demo, path: str, **headers: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(running.url + path, headers=headers) as a:
        assert a.status == 200
        return await a.text()


async def told(running: Demo, path: str = "/settings") -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(await text_of(running, path, **AS_JSON))
    return answer


async def post(running: Demo, **fields: str) -> tuple[int, str, str]:
    """Status, where the answer stands in the end, and its text."""
    found = re.search(
        r'name="lean-emu-token" content="([^"]+)"', await text_of(running, "/settings")
    )
    assert found is not None
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{running.url}/settings", data={"token": found[1], **fields}) as answer,
    ):
        return answer.status, answer.url.path_qs, await answer.text()


async def store(running: Demo, object_id: str, **fields: Any) -> None:
    """An object of the class Review in the data that the demo shows."""
    document = {"objectId": object_id, "createdAt": STAMP, "updatedAt": STAMP, **fields}
    await running.emulator.storage.commit([Insert("Review", document)])


@pytest.mark.parametrize(("language", "word"), [("en", "default:"), ("zh", "默认值：")])
async def test_values_stand_with_their_origin(language: str, word: str, tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        values = {each["name"]: each for each in (await told(running))["settings"]}
        assert (values["port"]["value"], values["port"]["origin"]) == (4000, "--port")
        assert values["host"]["origin"] == "default"
        assert not {"app_key", "master_key", "hook_key"} & values.keys()
        page = await text_of(running, "/settings", **{"Accept-Language": language})
        assert "lean-emu config --show-origin" in page
        assert f"{word} <code>3000</code>" in page


async def test_settings_can_be_found(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        changed = await told(running, "/settings?changed=1")
        assert {each["name"] for each in changed["settings"]} == {"port", "storage"}
        found = await told(running, "/settings?q=console+port")
        assert [each["name"] for each in found["settings"]] == ["console_port"]
        assert "No setting matches." in await text_of(running, "/settings?q=zzz")


async def test_no_key_is_in_any_answer_that_did_not_ask_for_it(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        for path in ("/settings", "/settings?q=key", "/settings?name=master_key&action=reveal"):
            for headers in ({}, AS_JSON):
                text = await text_of(running, path, **headers)
                assert not [key for key in SECRETS if key in text], path


@pytest.mark.parametrize("name", ["app_key", "master_key", "hook_key"])
async def test_a_key_is_revealed_alone(name: str, tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        status, _, text = await post(running, action="reveal", name=name)
        assert status == 200
        assert [key for key in SECRETS if key in text] == [getattr(KEYS, name)]
        assert getattr(KEYS, name) not in await text_of(running, "/settings")


async def test_nothing_is_revealed_or_done_without_the_token(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        for fields in ({"action": "reveal", "name": "master_key"}, {"action": "reset"}):
            async with http.post(f"{running.url}/settings", data=fields) as answer:
                assert answer.status == 403
                assert KEYS.master_key not in await answer.text()


async def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        status, _, text = await post(running, action="reveal", name="__class__")
        assert status == 422
        assert "There is no key" in text


async def test_objects_come_back_from_a_snapshot(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await store(running, "a1", stars=5)
        status, where, text = await post(running, action="save", name="one")
        assert (status, where) == (200, "/settings?done=saved&name=one")
        assert "Saved as one." in text
        await store(running, "a2", stars=1, password="never shown")
        body = await told(running, "/settings?diff=one")
        assert body["now"] == {"objects": 2, "classes": {"Review": 2}}
        assert body["diff"]["classes"]["Review"]["added"]["count"] == 1
        page = await text_of(running, "/settings?diff=one")
        assert "What changed since one" in page
        assert "never shown" not in page
        _, _, text = await post(running, action="load", name="one", keep="1")
        assert "All objects are as they were in one." in text
        body = await told(running)
        assert body["now"]["objects"] == 1
        assert {each["name"]: each["objects"] for each in body["snapshots"]} == {
            "one": 1,
            "before-one": 2,
        }
        await post(running, action="remove", name="one")
        assert [each["name"] for each in (await told(running))["snapshots"]] == ["before-one"]


async def test_a_changed_secret_is_no_difference_to_read(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await store(running, "a1", sessionToken="old-secret-token", stars=1)
        await running.emulator.snapshots.save("one")
        await running.emulator.storage.clear()
        await store(running, "a1", sessionToken="new-secret-token", stars=2)
        for headers in ({}, AS_JSON):
            text = await text_of(running, "/settings?diff=one", **headers)
            assert "secret-token" not in text
            assert "stars" in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"action": "save", "name": "a b"}, "is no name of a snapshot"),
        ({"action": "load", "name": "gone", "keep": "1"}, "There is no snapshot"),
        ({"action": "remove", "name": "gone"}, "There is no snapshot"),
        ({"action": "explode"}, "There is no action"),
    ],
)
async def test_what_cannot_be_done_is_said(
    fields: dict[str, str], said: str, tmp_path: Path
) -> None:
    async with demo(tmp_path) as running:
        status, _, text = await post(running, **fields)
        assert status == 422
        assert said in text
        assert (await told(running))["snapshots"] == []


async def test_two_snapshots_are_compared(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await running.emulator.snapshots.save("one")
        await store(running, "a1")
        await running.emulator.snapshots.save("two")
        await running.emulator.storage.clear()
        page = await text_of(running, "/settings?diff=one")
        assert "Nothing: all objects are the same." in page
        assert 'href="/settings?diff=one&amp;to=two#diff">two</a>' in page
        page = await text_of(running, "/settings?diff=one&to=two")
        assert "What changed from one to two" in page
        assert "Review" in page


async def test_a_difference_to_nothing(tmp_path: Path) -> None:
    async with (
        demo(tmp_path) as running,
        aiohttp.ClientSession() as http,
        http.get(f"{running.url}/settings?diff=gone", headers=AS_JSON) as answer,
    ):
        assert answer.status == 400
        assert "There is no snapshot" in (await answer.json())["error"]


async def test_reset_says_what_goes_and_does_it(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await store(running, "a1")
        assert "1 object, 3 messages, " in await text_of(running, "/settings")
        _, where, text = await post(running, action="reset")
        assert where == "/settings?done=reset"
        assert "Everything was forgotten." in text
        assert (await told(running))["now"]["objects"] == 0


async def test_without_snapshots_it_shows_how_to_make_one(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        assert "lean-emu snapshot save before-import" in await text_of(running, "/settings")


async def test_scripts_act_by_json(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, aiohttp.ClientSession() as http:
        page = await text_of(running, "/settings")
        found = re.search(r'name="lean-emu-token" content="([^"]+)"', page)
        assert found is not None
        headers = {**AS_JSON, "X-Lean-Emu-Token": found[1]}

        async def ask(**body: str) -> Any:
            async with http.post(f"{running.url}/settings", json=body, headers=headers) as answer:
                return answer.status, await answer.json()

        assert (await ask(action="save", name="one"))[1]["done"] == "saved"
        assert await ask(action="reveal", name="app_key") == (
            200,
            {"name": "app_key", "value": KEYS.app_key},
        )
        assert (await ask(action="load", name="gone"))[0] == 400
