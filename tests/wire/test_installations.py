"""Devices register for pushes (storage.md 9.1)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CLIENT, MASTER, running_api
from tests.support.fake_engine import FakeEngine
from tests.support.matchers import ANY_DATE, ANY_ID, Looks, With, error
from tests.support.scenario import Id, Scenario, Sent, Stored, run

PATHS = ("/1.1/installations", "/1.1/classes/_Installation")
ANDROID = {"deviceType": "android", "installationId": "12345678-4312-1234-1234-1234567890ab"}
IOS = {"deviceType": "ios", "deviceToken": "abcdef0123456789" * 4, "channels": ["public", "私-1="]}
PHONE = Stored("phone", "_Installation", {**ANDROID, "channels": ["a"]})
WATCH = Stored("watch", "_Installation", {"deviceToken": "watch", "installationId": "w"})
CREATED = {"objectId": ANY_ID, "createdAt": ANY_DATE}
AGAIN = {"objectId": Id("phone"), "createdAt": ANY_DATE, "updatedAt": ANY_DATE}


def register(name: str, body: Any, status: int, answer: Any, **more: Any) -> Scenario:
    return Scenario(
        name, Sent("POST", PATHS[0], body), status, answer, setup=[PHONE, WATCH], **more
    )


def stored(*channels: str, **more: Any) -> Any:
    return With({**ANDROID, "channels": [*channels], "valid": True, **more})


SCENARIOS = [
    *(
        Scenario(
            f"{body['deviceType']} at {path}",
            Sent("POST", path, body),
            201,
            CREATED,
            headers={"Location": Looks("a path", r"/1\.1/classes/_Installation/[0-9a-f]{24}")},
        )
        for path in PATHS
        for body in (ANDROID, IOS)
    ),
    register("fetched", {**IOS, "_fetchWhenSave": True}, 201, With({"valid": True, **IOS})),
    register("nothing said", {}, 201, CREATED),
    register("the same device again", {**ANDROID, "channels": ["b"]}, 200, AGAIN,
             after={"phone": stored("b")}),
    register("it may add to its lists",
             {**ANDROID, "channels": {"__op": "AddUnique", "objects": ["b"]}}, 200, AGAIN,
             after={"phone": stored("a", "b")}),
    register("an invalid one stays invalid", {**ANDROID, "valid": False}, 200, AGAIN,
             after={"phone": stored("a", valid=False)}),
    register("a known token with a new installationId", {"deviceToken": "watch",
             "installationId": "new"}, 200, With({"objectId": Id("watch")}),
             after={"watch": With({"deviceToken": "watch", "installationId": "new"})}),
    register("the installationId decides", {**ANDROID, "deviceToken": "watch"}, 200, AGAIN,
             after={"phone": stored("a", deviceToken="watch"),
                    "watch": With({"installationId": "w"})}),
    register("bad token", {"deviceToken": "a b"}, 400, error(114, "Invalid device token.")),
    register("empty token", {"deviceToken": ""}, 400, error(114)),
    register("token that is no text", {"deviceToken": 5}, 400, error(114)),
    register("token that is null", {"deviceToken": None}, 400, error(114)),
    register("token that is too long", {"deviceToken": "a" * 4097}, 400, error(114)),
    register("bad channel", {**IOS, "channels": ["no blank"]}, 400, error(112)),
    register("channel with a dot", {**IOS, "channels": ["a.b"]}, 400, error(112)),
    register("channel that is no text", {**IOS, "channels": [1]}, 400, error(112)),
    register("the channel of everybody", {**IOS, "channels": [""]}, 201, CREATED),
    register("channels that are no list", {**IOS, "channels": "public"}, 400, error(111)),
    register("bad channel for a known device",
             {**ANDROID, "channels": {"__op": "Add", "objects": ["a b"]}}, 400, error(112),
             after={"phone": stored("a")}),
    register("no object", [1], 400, error(107)),
    *(
        Scenario(f"{name} at {path}", Sent("PUT", f"{path}/{{phone}}", body), status, answer,
                 setup=[PHONE, WATCH], after={"phone": after})
        for path in PATHS
        for name, body, status, answer, after in (
            ("subscribe", {"channels": {"__op": "Add", "objects": ["b"]}}, 200,
             {"objectId": Id("phone"), "updatedAt": ANY_DATE}, stored("a", "b")),
            ("unsubscribe", {"channels": {"__op": "Remove", "objects": ["a"]}}, 200,
             {"objectId": Id("phone"), "updatedAt": ANY_DATE}, stored()),
            ("other columns", {"userObjectId": "x"}, 200,
             {"objectId": Id("phone"), "updatedAt": ANY_DATE}, stored("a", userObjectId="x")),
            ("forget the token", {"deviceToken": {"__op": "Delete"}}, 200,
             {"objectId": Id("phone"), "updatedAt": ANY_DATE}, stored("a")),
            ("subscribe to nonsense", {"channels": ["a b"]}, 400, error(112), stored("a")),
            ("bad token", {"deviceToken": "ü"}, 400, error(114), stored("a")),
            ("the id of another device", {"installationId": "w"}, 400, error(137), stored("a")),
        )
    ),
    *(
        scenario
        for path in PATHS
        for scenario in (
            Scenario(f"read at {path}", Sent("GET", f"{path}/{{phone}}"), 200, stored("a"),
                     setup=[PHONE]),
            Scenario(f"query by a client at {path}", Sent("GET", path), 403,
                     error(403, "Forbidden to find by class permissions."), setup=[PHONE]),
            Scenario(f"query by master at {path}", Sent("GET", path, headers=MASTER), 200,
                     {"results": [stored("a")]}, setup=[PHONE]),
            Scenario(f"delete by a client at {path}", Sent("DELETE", f"{path}/{{phone}}"), 403,
                     error(403, "Forbidden to delete by class permissions."), setup=[PHONE],
                     after={"phone": stored("a")}),
            Scenario(f"delete by master at {path}",
                     Sent("DELETE", f"{path}/{{phone}}", headers=MASTER), 200, {}, setup=[PHONE],
                     after={"phone": None}),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
async def test_installations(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


async def test_no_hooks_run(tmp_path: Path) -> None:
    kinds = ("beforeSave", "afterSave", "beforeUpdate", "afterUpdate", "beforeDelete")
    engine = FakeEngine({f"_Installation.{kind}": lambda body: body["object"] for kind in kinds})
    async with running_api(engine, project=tmp_path) as api:
        made = await api("POST", PATHS[0], ANDROID, headers=CLIENT)
        path = f"{PATHS[0]}/{made.json['objectId']}"
        await api("POST", PATHS[0], {**ANDROID, "n": 1}, headers=CLIENT)
        await api("PUT", path, {"n": 2}, headers=CLIENT)
        await api("DELETE", path, headers=MASTER)
        await api.settle()
        assert engine.fired() == []


async def test_a_device_that_registers_many_times_at_once_is_one(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        sent = [api("POST", PATHS[0], {**ANDROID, "n": n}, headers=CLIENT) for n in range(10)]
        answers = await asyncio.gather(*sent)
        assert sorted(answer.status for answer in answers) == [200] * 9 + [201]
        assert len({answer.json["objectId"] for answer in answers}) == 1


async def test_registration_in_a_batch(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        member = {"method": "POST", "path": "/1.1/installations", "body": ANDROID}
        answer = await api("POST", "/1.1/batch", {"requests": [member, member]}, headers=CLIENT)
        first, second = (part["success"] for part in answer.json)
        assert first["objectId"] == second["objectId"]


async def test_compound_saves_register_once_too(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ids = set()
        for n in range(2):
            body = {"__internalId": "1", **IOS, "n": n}
            member = {"method": "POST", "path": "/1.1/installations", "body": body}
            answer = await api("POST", "/1.1/batch/save", {"requests": [member]}, headers=CLIENT)
            ids.add(answer.json["1"]["objectId"])
        (device,) = ids
        assert (await api.read("_Installation", device))["n"] == 1


async def test_compound_saves_hold_to_the_same_rules(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        body = {"__internalId": "1", "deviceToken": "a b"}
        member = {"method": "POST", "path": "/1.1/installations", "body": body}
        answer = await api("POST", "/1.1/batch/save", {"requests": [member]}, headers=CLIENT)
        assert (answer.status, answer.json) == (400, error(114))
