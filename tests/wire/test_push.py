"""Pushes: recorded with their targets, shown in the inbox (storage.md 9.2)."""

import json
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.clock import iso_text
from lean_emulator.service.inbox import Message
from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.matchers import ANY_DATE, Looks, With, error
from tests.support.questions import to

ANY_PUSH = Looks("an id of a push", "[0-9a-z]{16}")
SENT = {"objectId": ANY_PUSH, "createdAt": ANY_DATE}
DATA = {"alert": "Hello", "title": "Hi"}
DAY = 86_400
NEARBY = {
    "at": {
        "$nearSphere": {"__type": "GeoPoint", "latitude": 30, "longitude": -20},
        "$maxDistanceInMiles": 10,
    }
}
NOW = "2023-11-14T22:13:20.000Z"
"""What the manual clock shows in the beginning."""


async def devices(api: Api) -> dict[str, str]:
    """Four devices by name, of which one is switched off; gives ids."""
    owner = await api.create("Owner", at={"__type": "GeoPoint", "latitude": 30, "longitude": -20})
    return {
        "ios": await api.create("_Installation", deviceType="ios", deviceToken="t1",
                                channels=["public", "news"], owner=to("Owner", owner)),
        "android": await api.create("_Installation", deviceType="android", installationId="i1",
                                    channels=["public"]),
        "mi": await api.create("_Installation", deviceType="android", installationId="i2",
                               vendor="mi", registrationId="r1", n=5),
        "off": await api.create("_Installation", deviceType="ios", deviceToken="t2", valid=False,
                                channels=["public"]),
    }  # fmt: skip


async def push(api: Api, body: Any, path: str = "push", headers: Any = MASTER) -> Any:
    answer = await api("POST", f"/1.1/{path}", body, headers=headers)
    assert answer.status == 200, answer.json
    assert answer.json == SENT
    return answer.json["objectId"]


async def turn(api: Api, seconds: float) -> int:
    """Let time pass; tells at how many instants something fell due."""
    body = {"action": "advance", "seconds": seconds}
    answer = await api("POST", "/__emu/clock", body, headers=MASTER)
    assert answer.status == 200, answer.json
    return int(answer.json["instants"])


def newest(api: Api) -> Message:
    return api.emulator.inbox.messages("push")[0]


async def reached(api: Api, body: Any, path: str = "push") -> list[str]:
    """Names of the devices a push was for."""
    known = {device: name for name, device in (await devices(api)).items()}
    await push(api, {"data": DATA, **body}, path)
    detail = newest(api).detail
    found = detail["installations"]
    assert isinstance(found, list)
    assert detail["devices"] == len(found)
    return [known[str(device)] for device in found]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["ios", "android", "mi"]),
        ({"where": {}}, ["ios", "android", "mi"]),
        ({"where": {"deviceType": "android"}}, ["android", "mi"]),
        ({"where": '{"deviceType": "android"}'}, ["android", "mi"]),
        ({"where": {"channels": "public"}}, ["ios", "android"]),
        ({"where": {"n": {"$gt": 4}}}, ["mi"]),
        ({"where": {"valid": False}}, []),
        ({"where": {"updatedAt": {"$gt": {"__type": "Date", "iso": NOW}}}}, []),
        ({"where": {"owner": {"$inQuery": {"className": "Owner", "where": NEARBY}}}}, ["ios"]),
        ({"channels": "public"}, ["ios", "android"]),
        ({"channels": ["news", "other"]}, ["ios"]),
        ({"channels": []}, []),
        ({"channels": ["public"], "where": {"deviceType": "android"}}, ["android"]),
        ({"cql": "select * from _Installation where deviceType = 'ios'"}, ["ios"]),
        ({"cql": "select * from _Installation limit 1"}, ["ios", "android", "mi"]),
        ({"cql": "select * from _Installation", "channels": ["news"]}, ["ios"]),
    ],
)  # fmt: skip
async def test_whom_a_push_is_for(tmp_path: Path, body: Any, expected: list[str]) -> None:
    async with running_api(project=tmp_path) as api:
        assert await reached(api, body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"device_type": "ios", "device_ids": ["t1", "t2", "t3"]}, ["ios"]),
        ({"device_type": "android", "device_ids": ["i1", "i2", "r1"]}, ["android", "mi"]),
        ({"device_type": "android", "device_ids": ["i1", "r1"], "vendor": "mi"}, ["mi"]),
    ],
)
async def test_pushes_to_devices_by_id(tmp_path: Path, body: Any, expected: list[str]) -> None:
    async with running_api(project=tmp_path) as api:
        assert await reached(api, body, "push/devices") == expected


async def test_the_inbox_shows_what_was_pushed(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        known = await devices(api)
        made = await push(api, {"data": DATA, "channels": ["news"], "prod": "dev",
                                "expiration_interval": 60})  # fmt: skip
        message = newest(api)
        assert (message.to, message.title, message.text) == ("1 device", "Hi", "Hello")
        assert message.detail == {
            "notificationId": made,
            "status": "done",
            "devices": 1,
            "installations": [known["ios"]],
            "data": DATA,
            "prod": "dev",
            "channels": ["news"],
            "expirationInterval": 60,
        }
        trace = await api("GET", f"/__emu/traces/{message.trace}", headers=MASTER)
        assert trace.json["path"] == "/1.1/push"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"alert": "text"}, ("", "text")),
        ({"alert": {"title": "t", "body": "b"}}, ("t", "b")),
        ({"alert": {"body": "b"}, "title": "t"}, ("t", "b")),
        ({"aps": {"alert": {"title": "t", "body": "b"}, "badge": 9}}, ("t", "b")),
        ({"ios": {"alert": "only there", "title": "t"}}, ("t", "only there")),
        ({"silent": True, "key": {"n": 1}}, ("", "")),
        ({}, ("", "")),
    ],
)
async def test_the_words_of_a_push(tmp_path: Path, data: Any, words: tuple[str, str]) -> None:
    async with running_api(project=tmp_path) as api:
        await push(api, {"data": data})
        assert (newest(api).title, newest(api).text) == words


async def test_ids_of_many_devices_are_not_all_listed(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        members = [{"method": "POST", "path": "/1.1/installations", "body": {
            "deviceToken": f"t{n}"}} for n in range(150)]  # fmt: skip
        await api("POST", "/1.1/batch", {"requests": members}, headers=CLIENT)
        made = await push(api, {"data": DATA})
        detail = newest(api).detail
        found = detail["installations"]
        assert isinstance(found, list)
        assert (detail["devices"], len(found), newest(api).to) == (150, 100, "150 devices")
        record = await api("GET", f"/1.1/tables/Notifications/{made}", headers=CLIENT)
        assert record.json["devices"] == 150


async def test_devices_that_did_not_register_for_long_get_nothing(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await devices(api)
        api.clock.advance(89 * DAY)
        await push(api, {"data": DATA})
        assert newest(api).detail["devices"] == 3
        await api("POST", "/1.1/installations", {"deviceToken": "t1"}, headers=CLIENT)
        api.clock.advance(2 * DAY)
        await push(api, {"data": DATA})
        assert newest(api).detail["devices"] == 1


async def test_the_record_of_a_push(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await devices(api)
        where = {"deviceType": "ios", "n": {"$exists": False}}
        made = await push(api, {"data": DATA, "where": where, "flow_control": 0})
        record = {
            "objectId": made,
            "notificationId": made,
            "createdAt": NOW,
            "updatedAt": NOW,
            "msg": DATA,
            "where": where,
            "prod": "prod",
            "status": "done",
            "devices": 1,
            "successes": 1,
            "from-service": "push",
            "flowControl": 1000,
        }
        for path, headers in (
            (f"tables/Notifications/{made}", CLIENT),
            (f"notifications/{made}", MASTER),
        ):
            answer = await api("GET", f"/1.1/{path}", headers=headers)
            assert (answer.status, answer.json) == (200, record)
        api.clock.advance(1)
        later = await push(api, {"data": DATA})
        listed = await api("GET", "/1.1/notifications", headers=MASTER)
        assert [row["objectId"] for row in listed.json["results"]] == [later, made]
        one = await api("GET", "/1.1/notifications", headers=MASTER, limit="1", order="createdAt",
                        where={"devices": 1})  # fmt: skip
        assert one.json["results"] == [record]
        assert (await api("DELETE", f"/1.1/notifications/{made}", headers=MASTER)).json == {}
        for method in ("GET", "DELETE"):
            gone = await api(method, f"/1.1/notifications/{made}", headers=MASTER)
            assert (gone.status, gone.json) == (400, error(101))


async def test_records_are_kept_for_a_week(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        old = await push(api, {"data": DATA})
        waits = await push(api, {"data": DATA, "push_time": "2023-12-24T12:00:00Z"})
        api.clock.advance(8 * DAY)
        new = await push(api, {"data": DATA})
        listed = await api("GET", "/1.1/notifications", headers=MASTER)
        assert [row["objectId"] for row in listed.json["results"]] == [new, waits]
        assert old not in (new, waits)


async def test_environments(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for headers, body, expected in (
            (MASTER, {}, "prod"),
            ({**MASTER, "X-LC-Prod": "0"}, {}, "dev"),
            ({**MASTER, "X-LC-Prod": "1"}, {}, "prod"),
            ({**MASTER, "X-LC-Prod": "0"}, {"prod": "prod"}, "prod"),
        ):
            await push(api, {"data": DATA, **body}, headers=headers)
            assert newest(api).detail["prod"] == expected


async def test_a_push_for_later_waits_and_can_be_cancelled(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await devices(api)
        body = {"data": DATA, "where": {"deviceType": "ios"}, "push_time": "2023-11-15T00:00:00Z"}
        first, second = [await push(api, body) for _ in range(2)]
        assert api.emulator.inbox.messages("push") == []
        listed = await api("GET", "/1.1/scheduledPushMessages", headers=MASTER)
        assert [row["id"] for row in listed.json["results"]] == [1, 2]
        assert listed.json["results"][0] == {
            "id": 1,
            "expire_time": 1_700_006_400_000,
            "createdAt": NOW,
            "push_msg": {
                "app-id": CLIENT["X-LC-Id"],
                "api-version": "1.1",
                "id": first,
                "notificationId": first,
                "msg": DATA,
                "prod": "prod",
                "where": {"query": {"deviceType": "ios"}},
                "through?": None,
            },
        }
        assert (await api("DELETE", "/1.1/scheduledPushMessages/1", headers=MASTER)).json == {}
        gone = await api("GET", f"/1.1/tables/Notifications/{first}", headers=CLIENT)
        assert (gone.status, gone.json) == (400, error(101))
        for number in ("1", "99"):
            unknown = await api("DELETE", f"/1.1/scheduledPushMessages/{number}", headers=MASTER)
            assert (unknown.status, unknown.json) == (400, error(101))
        waiting = await api("GET", f"/1.1/tables/Notifications/{second}", headers=CLIENT)
        assert waiting.json == With(
            {"status": "scheduled", "devices": 1, "successes": 0}, without=("sender", "ACL")
        )
        assert waiting.json["push-time"] == "2023-11-15T00:00:00.000Z"
        await api.create("_Installation", deviceType="ios", deviceToken="t9")
        assert await turn(api, 2 * 3600) == 1
        assert newest(api).detail == With(
            {"status": "done", "devices": 2, "pushTime": "2023-11-15T00:00:00.000Z"}
        )
        assert len(api.emulator.inbox.messages("push")) == 1
        trace = await api("GET", f"/__emu/traces/{newest(api).trace}", headers=MASTER)
        assert trace.json == With({"title": f"push {second}", "outcome": "ok"})
        done = await api("GET", f"/1.1/tables/Notifications/{second}", headers=CLIENT)
        assert done.json == With({"status": "done", "devices": 2, "successes": 2})
        listed = await api("GET", "/1.1/scheduledPushMessages", headers=MASTER)
        assert listed.json == {"results": []}


async def test_a_later_push_outlives_the_process(tmp_path: Path) -> None:
    later = {
        "push": {"data": DATA, "channels": "public", "where": {"deviceType": "ios"}},
        "push/devices": {"data": {"alert": "!"}, "device_type": "android", "device_ids": ["i1"]},
    }
    async with running_api(project=tmp_path, storage="tinydb") as api:
        await devices(api)
        for path, body in later.items():
            await push(api, {**body, "push_time": "2023-11-15T00:00:00Z"}, path)
    async with running_api(project=tmp_path, storage="tinydb") as api:
        await turn(api, 2 * 3600)
        sent = api.emulator.inbox.messages("push")
        assert sorted((message.to, message.text) for message in sent) == [
            ("1 device", "!"),
            ("1 device", "Hello"),
        ]


async def test_a_later_push_has_the_rights_of_its_sender(tmp_path: Path) -> None:
    """A sub-query finds what the sender may read, and nothing once the sender is gone."""
    (tmp_path / "schema").mkdir()
    opened = json.dumps({"schema": {}, "permissions": {"find": {"*": True}}})
    (tmp_path / "schema" / "_Installation.schema.json").write_text(opened, "utf-8")
    async with running_api(project=tmp_path) as api:
        user = (await api("POST", "/1.1/users", {"username": "ann", "password": "x"})).json
        acl = {user["objectId"]: {"read": True}}
        owner = await api.create("Owner", n=1, ACL=acl)
        await api.create(
            "_Installation", deviceType="ios", deviceToken="t", owner=to("Owner", owner)
        )
        where = {"owner": {"$inQuery": {"className": "Owner", "where": {"n": 1}}}}
        as_ann = {**CLIENT, "X-LC-Session": user["sessionToken"]}
        for seconds, headers in (
            (3600, as_ann),
            (7200, CLIENT),
            (10_800, MASTER),
            (14_400, as_ann),
        ):
            body = {
                "data": DATA,
                "where": where,
                "push_time": iso_text(api.clock.now_ms() + seconds * 1000),
            }
            await push(api, body, headers=headers)
        found = []
        for _ in range(4):
            await turn(api, 3600)
            found.append(newest(api).detail["devices"])
            if len(found) == 3:
                await api("DELETE", f"/1.1/users/{user['objectId']}", headers=MASTER)
        assert found == [1, 0, 1, 0]


async def test_a_dry_run_schedules_nothing(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        body = {"data": DATA, "push_time": "2023-11-15T00:00:00Z"}
        wish = {"method": "POST", "path": "/1.1/push", "body": body}
        answer = await api("POST", "/__emu/rehearse", wish, headers=MASTER)
        assert answer.json["status"] == 200
        assert [write["change"] for write in answer.json["writes"]] == ["created"]
        assert await turn(api, 7200) == 0
        assert api.emulator.inbox.messages() == []


@pytest.mark.parametrize(
    "time", ["2023-11-14T22:14:19Z", "2020-01-01T00:00:00Z", {"__type": "Date", "iso": NOW}]
)
async def test_a_time_that_is_near_or_past_is_now(tmp_path: Path, time: Any) -> None:
    async with running_api(project=tmp_path) as api:
        await push(api, {"data": DATA, "push_time": time})
        assert newest(api).detail["status"] == "done"


async def test_one_req_id_is_one_push_for_five_minutes(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        body = {"data": DATA, "req_id": "abc1"}
        first = await push(api, body)
        assert await push(api, body) == first
        assert len(api.emulator.inbox.messages("push")) == 1
        await push(api, {"data": DATA, "req_id": "abc2"})
        api.clock.advance(301)
        second = await push(api, body)
        assert second != first
        assert len(api.emulator.inbox.messages("push")) == 3
        await api("DELETE", f"/1.1/notifications/{second}", headers=MASTER)
        assert await push(api, body) != second, "what is gone can be pushed again"
        await api.emulator.reset()
        await push(api, body)
        assert len(api.emulator.inbox.messages("push")) == 1


async def test_pushes_of_one_notification_id_are_counted_together(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await devices(api)
        for kind in ("ios", "android"):
            body = {"data": DATA, "where": {"deviceType": kind}, "notification_id": "Campaign1"}
            answer = await api("POST", "/1.1/push", body, headers=MASTER)
            assert answer.json == {"objectId": "Campaign1", "createdAt": NOW}
        record = await api("GET", "/1.1/tables/Notifications/Campaign1", headers=CLIENT)
        assert record.json == With({"devices": 3, "successes": 3})
        assert [m.detail["devices"] for m in api.emulator.inbox.messages("push")] == [2, 1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([1], 107),
        ({}, 107),
        ({"data": "text"}, 107),
        ({"data": DATA, "where": "{"}, 107),
        ({"data": DATA, "where": []}, 107),
        ({"data": DATA, "where": {"a": {"$no": 1}}}, 1),
        ({"data": DATA, "where": {}, "cql": "select * from _Installation"}, 1),
        ({"data": DATA, "cql": "select from"}, 300),
        ({"data": DATA, "cql": "select * from _User"}, 1),
        ({"data": DATA, "cql": "delete from _Installation where objectId = 'a'"}, 1),
        ({"data": DATA, "cql": 5}, 1),
        ({"data": DATA, "channels": ["a b"]}, 112),
        ({"data": DATA, "channels": 5}, 112),
        ({"data": DATA, "prod": "test"}, 1),
        ({"data": DATA, "push_time": "tomorrow"}, 1),
        ({"data": DATA, "push_time": 5}, 1),
        ({"data": DATA, "expiration_time": "never"}, 1),
        ({"data": DATA, "expiration_time": NOW, "expiration_interval": 5}, 1),
        ({"data": DATA, "expiration_interval": "5"}, 1),
        ({"data": DATA, "expiration_interval": -5}, 1),
        ({"data": DATA, "flow_control": True}, 1),
        ({"data": DATA, "notification_id": "a" * 17}, 1),
        ({"data": DATA, "notification_id": "a-b"}, 1),
        ({"data": DATA, "req_id": 5}, 1),
        ({"data": {"alert": "x" * 4096}}, 1),
    ],
)
async def test_what_cannot_be_pushed(tmp_path: Path, body: Any, code: int) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("POST", "/1.1/push", body, headers=MASTER)
        assert (answer.status, answer.json) == (400, error(code))
        assert api.emulator.inbox.messages("push") == []
        listed = await api("GET", "/1.1/notifications", headers=MASTER)
        assert listed.json == {"results": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"device_type": "web", "device_ids": ["a"]},
        {"device_type": "ios"},
        {"device_type": "ios", "device_ids": []},
        {"device_type": "ios", "device_ids": [""]},
        {"device_type": "ios", "device_ids": [5]},
        {"device_type": "ios", "device_ids": ["a"] * 501},
    ],
)
async def test_devices_that_are_none(tmp_path: Path, body: Any) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("POST", "/1.1/push/devices", {"data": DATA, **body}, headers=MASTER)
        assert (answer.status, answer.json) == (400, error(1))


async def test_the_size_of_a_push_in_a_batch_is_its_own(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        body = {"data": {"alert": "x" * 3000}}
        members = [{"method": "POST", "path": "/1.1/push", "body": body} for _ in range(2)]
        members.append({"method": "POST", "path": "/1.1/push",
                        "body": {"data": {"alert": "x" * 4096}}})  # fmt: skip
        answer = await api("POST", "/1.1/batch", {"requests": members}, headers=MASTER)
        assert answer.json[:2] == [{"success": SENT}] * 2
        assert answer.json[2] == {"error": error(1)}


async def test_clients_push_unless_the_project_forbids_it(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await devices(api)
        await push(api, {"data": DATA, "where": {"deviceType": "ios"}}, headers=CLIENT)
        assert newest(api).detail["devices"] == 1
        asked = {"owner": {"$inQuery": {"className": "Owner", "where": {}}}}
        answer = await api("POST", "/1.1/push", {"data": DATA, "where": asked}, headers=CLIENT)
        assert (answer.status, answer.json) == (403, error(403))
    async with running_api(project=tmp_path, client_push=False) as api:
        for path in ("push", "push/devices"):
            body = {"data": DATA, "device_type": "ios", "device_ids": ["a"]}
            answer = await api("POST", f"/1.1/{path}", body, headers=CLIENT)
            assert (answer.status, answer.json) == (403, error(119))
            await push(api, body, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "notifications"),
        ("GET", "notifications/x"),
        ("DELETE", "notifications/x"),
        ("GET", "scheduledPushMessages"),
        ("DELETE", "scheduledPushMessages/1"),
    ],
)
async def test_what_only_master_sees(tmp_path: Path, method: str, path: str) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api(method, f"/1.1/{path}", headers=CLIENT)
        assert (answer.status, answer.json) == (400, error(1))


async def test_records_are_no_class_for_clients(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = await push(api, {"data": DATA})
        for method, path, body in (
            ("GET", "_Notification", None),
            ("GET", f"_Notification/{made}", None),
            ("POST", "_Notification", {"status": "scheduled"}),
            ("PUT", f"_Notification/{made}", {"devices": 5}),
            ("DELETE", f"_Notification/{made}", None),
        ):
            answer = await api(method, f"/1.1/classes/{path}", body, headers=CLIENT)
            assert (answer.status, answer.json) == (403, error(403))
        found = await api("GET", "/1.1/classes/_Notification", headers=MASTER)
        assert [row["objectId"] for row in found.json["results"]] == [made]
