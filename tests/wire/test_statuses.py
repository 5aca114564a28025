"""Statuses: publishing, inboxes, counts, deletion (storage.md 6.11)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.service.status_inbox import BOXES, ITEMS
from tests.support.api import MASTER
from tests.support.fake_engine import FakeEngine, refuse
from tests.support.matchers import ANY_DATE, ANY_ID, With, error
from tests.support.people import NOBODY, ROOT, People, people

TIMES = {"createdAt": ANY_DATE, "updatedAt": ANY_DATE}
INBOX = "/subscribe/statuses"


def to_followers(who: People, sender: str) -> dict[str, Any]:
    return {"className": "_Follower", "keys": "follower", "where": {"user": who.pointer(sender)}}


def to_user(who: People, name: str) -> dict[str, Any]:
    return {"className": "_User", "where": {"objectId": who.id(name)}}


async def publish(who: People, sender: str, message: str, query: Any, **more: Any) -> str:
    """As the JavaScript SDK does; gives the id."""
    body = {"data": {"message": message, "source": who.pointer(sender)}, "query": query, **more}
    return str((await who.ok(sender, "POST", "/statuses", body))["objectId"])


async def inbox(who: People, owner: str, kind: str = "default", **params: Any) -> list[str]:
    """Messages in an inbox, as its owner reads them."""
    given = {"owner": who.pointer(owner), "inboxType": kind, **params}
    answer = await who.ok(owner, "GET", INBOX, **given)
    return [status["message"] for status in answer["results"]]


async def counts(who: People, owner: str, kind: str = "default") -> tuple[int, int]:
    given = {"owner": who.pointer(owner), "inboxType": kind}
    answer = await who.ok(owner, "GET", f"{INBOX}/count", **given)
    assert set(answer) == {"total", "unread"}
    return answer["total"], answer["unread"]


async def followed_by(who: People, target: str, *users: str) -> None:
    for user in users:
        await who.ok(user, "POST", f"/users/self/friendship/{{{target}}}", {})


async def test_followers_and_the_sender_get_it(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "cid", "eve") as who:
        await followed_by(who, "ann", "bob", "cid")
        body: dict[str, Any] = {
            "data": {"message": "hello", "image": "a.png", "source": who.pointer("ann")},
            "query": to_followers(who, "ann"),
            "inboxType": "default",
        }
        answer = await who("ann", "POST", "/statuses", body)
        assert (answer.status, answer.json) == (201, {"objectId": ANY_ID, "createdAt": ANY_DATE})
        made = answer.json["objectId"]
        assert answer.headers["Location"] == f"/1.1/classes/_Status/{made}"
        for reader in ("ann", "bob", "cid"):
            found = await who.ok(reader, "GET", INBOX, owner=who.pointer(reader))
            assert found == {
                "results": [
                    {
                        "objectId": made,
                        **TIMES,
                        **body["data"],
                        "messageId": 1,
                        "inboxType": "default",
                    }
                ],
                "end": True,
            }
        assert await inbox(who, "eve") == []


async def test_the_python_sdk_names_the_source_outside_of_the_data(tmp_path: Path) -> None:
    async with people(tmp_path, "ann") as who:
        body = {
            "inboxType": "default",
            "data": {"message": "hello"},
            "query": to_followers(who, "ann"),
            "source": who.pointer("ann"),
        }
        made = (await who.ok("ann", "POST", "/statuses", body))["objectId"]
        stored = await who.ok(NOBODY, "GET", f"/statuses/{made}")
        assert stored == With({"source": who.pointer("ann"), "inboxType": "default"})
        assert await inbox(who, "ann") == ["hello"]


async def test_a_private_status_is_for_two(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "eve") as who:
        made = await publish(who, "ann", "secret", to_user(who, "bob"), inboxType="private")
        assert await inbox(who, "bob", "private") == ["secret"]
        assert (await inbox(who, "bob"), await inbox(who, "ann", "private")) == ([], [])
        for reader in ("ann", "bob"):
            assert (await who.ok(reader, "GET", f"/statuses/{made}"))["message"] == "secret"
        for reader in ("eve", NOBODY):
            answer = await who(reader, "GET", f"/statuses/{made}")
            assert (answer.status, answer.json) == (403, error(403))
            assert (await who.ok(reader, "GET", "/statuses"))["results"] == []
            spied = await who.ok(reader, "GET", INBOX, owner=who.pointer("bob"),
                                 inboxType="private")  # fmt: skip
            assert spied["results"] == []
            # counting is open to everybody, as recorded
            counted = await who.ok(reader, "GET", f"{INBOX}/count", owner=who.pointer("bob"),
                                   inboxType="private")  # fmt: skip
            assert counted == {"total": 1, "unread": 1}


@pytest.mark.parametrize("nobody", ["_User", "_Follower"])
async def test_a_status_for_nobody_is_stored(tmp_path: Path, nobody: str) -> None:
    async with people(tmp_path, "ann") as who:
        query = {"className": nobody, "where": {"objectId": "5f0000000000000000000001"}}
        made = await publish(who, "ann", "alone", query, inboxType="other")
        assert (await who.ok(ROOT, "GET", f"/statuses/{made}"))["message"] == "alone"
        assert await counts(who, "ann", "other") == (0, 0)


async def test_custom_inboxes_are_apart_and_take_any_name(tmp_path: Path) -> None:
    async with people(tmp_path, "ann") as who:
        for kind in ("book", "a:b/c d%", "书"):
            await publish(who, "ann", f"in {kind}", to_user(who, "ann"), inboxType=kind)
        for kind in ("book", "a:b/c d%", "书"):
            assert await inbox(who, "ann", kind) == [f"in {kind}"]
            assert await counts(who, "ann", kind) == (1, 1)
        assert await inbox(who, "ann") == []


async def test_everybody_that_a_query_finds_gets_it_once(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "cid") as who:
        for user, gender in (("bob", "female"), ("cid", "male")):
            await who.ok(user, "PUT", f"/users/{{{user}}}", {"gender": gender})
        women = {"className": "_User", "where": {"gender": "female"}}
        await publish(who, "ann", "women", women)
        await publish(who, "ann", "all", {"className": "_User", "where": {}})
        await publish(who, "ann", "first two", {"className": "_User", "limit": 2,
                                                "order": "username"})  # fmt: skip
        assert await inbox(who, "ann") == ["first two", "all", "women"]
        assert await inbox(who, "bob") == ["first two", "all", "women"]
        assert await inbox(who, "cid") == ["all"]


async def test_any_object_can_own_an_inbox(tmp_path: Path) -> None:
    async with people(tmp_path, "ann") as who:
        room = await who.api.create("Room", name="lobby")
        await publish(who, "ann", "hi", {"className": "Room", "where": {"name": "lobby"}},
                      inboxType="news")  # fmt: skip
        owner = {"__type": "Pointer", "className": "Room", "objectId": room}
        found = await who.ok(NOBODY, "GET", INBOX, owner=owner, inboxType="news")
        assert [status["message"] for status in found["results"]] == ["hi"]


async def test_pages(tmp_path: Path) -> None:
    async with people(tmp_path, "ann") as who:
        for n in range(1, 8):
            await publish(who, "ann", f"m{n}", to_user(who, "ann"), inboxType="x")

        async def page(**params: Any) -> tuple[list[int], bool]:
            found = await who.ok("ann", "GET", INBOX, inboxType="x", **params)
            return [status["messageId"] for status in found["results"]], found["end"]

        assert await page() == ([7, 6, 5, 4, 3, 2, 1], True)
        assert await page(limit="3") == ([7, 6, 5], False)
        assert await page(limit="3", maxId="4") == ([4, 3, 2], False)
        assert await page(limit="3", maxId="1") == ([1], True)
        assert await page(limit="7") == ([7, 6, 5, 4, 3, 2, 1], True)
        assert await page(sinceId="5") == ([7, 6], True)
        assert await page(sinceId="2", maxId="4") == ([4, 3], True)
        assert await page(sinceId="7") == ([], False), "as recorded"
        assert await page(sinceId="0", maxId="0", limit="1") == ([7], False)
        assert await page(maxId="99", sinceId="-3", limit="-1") == ([7, 6, 5, 4, 3, 2, 1], True)
        assert await page(limit="0") == ([], False)
        assert await page(order="messageId", limit="2") == ([1, 2], False)
        assert await page(order="messageId", sinceId="5") == ([6, 7], True)
        assert await page(order="-messageId", limit="2") == ([7, 6], False)


async def test_a_page_holds_a_hundred_at_most(tmp_path: Path) -> None:
    async with people(tmp_path, "ann") as who:
        members = [
            {"method": "POST", "path": "/1.1/statuses", "body": {
                "data": {"n": n}, "query": to_user(who, "ann"), "inboxType": "x"}}
            for n in range(105)
        ]  # fmt: skip
        await who.ok("ann", "POST", "/batch", {"requests": members})
        found = await who.ok("ann", "GET", INBOX, inboxType="x", limit="1000", count="1")
        assert [status["n"] for status in found["results"]] == [*range(104, 4, -1)]
        assert (found["end"], found["count"]) == (False, 105)


async def test_conditions_fill_the_page_with_what_matches(tmp_path: Path) -> None:
    async with people(tmp_path, "ann") as who:
        for n in range(10):
            await publish(who, "ann", f"m{n}", to_user(who, "ann"), inboxType="x")
        where = {"message": {"$in": ["m0", "m4", "m8"]}}
        assert await inbox(who, "ann", "x", where=where) == ["m8", "m4", "m0"]
        found = await who.ok("ann", "GET", INBOX, inboxType="x", where=where, limit="2", count="1")
        assert [status["message"] for status in found["results"]] == ["m8", "m4"]
        assert (found["end"], found["count"]) == (False, 3)
        rest = await who.ok("ann", "GET", INBOX, inboxType="x", where=where, maxId="4")
        assert ([status["message"] for status in rest["results"]], rest["end"]) == (["m0"], True)


async def test_include_and_keys(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        await publish(who, "ann", "hello", to_user(who, "bob"), inboxType="private")
        found = await who.ok("bob", "GET", INBOX, inboxType="private", include="source",
                             keys="source.username")  # fmt: skip
        (status,) = found["results"]
        assert status["source"] == With({**who.pointer("ann"), "username": "ann"})
        assert "message" not in status
        assert (status["messageId"], status["inboxType"]) == (1, "private")


async def test_unread_is_counted_until_it_is_reset(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        for n in range(3):
            await publish(who, "ann", f"m{n}", to_user(who, "bob"), inboxType="private")
        assert await counts(who, "bob", "private") == (3, 3)
        assert len(await inbox(who, "bob", "private")) == 3
        assert await counts(who, "bob", "private") == (3, 3), "reading a page marks nothing"
        given = {"owner": who.pointer("bob"), "inboxType": "private"}
        assert await who.ok("bob", "POST", f"{INBOX}/resetUnreadCount", given) == {}
        assert await counts(who, "bob", "private") == (3, 0)
        await publish(who, "ann", "m3", to_user(who, "bob"), inboxType="private")
        assert await counts(who, "bob", "private") == (4, 1)
        reset = await who.ok("bob", "POST", f"{INBOX}/resetUnreadCount", **given)
        assert reset == {}, "the URL may say it, as the documentation does"
        assert await counts(who, "bob", "private") == (4, 0)
        empty = {"owner": who.pointer("ann")}
        assert await who.ok("ann", "POST", f"{INBOX}/resetUnreadCount", empty) == {}
        assert await counts(who, "ann") == (0, 0)


async def test_a_status_is_removed_from_one_inbox(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        await followed_by(who, "ann", "bob")
        for n in range(3):
            await publish(who, "ann", f"m{n}", to_followers(who, "ann"))
        given = {"owner": who.pointer("bob"), "inboxType": "default"}
        for _ in range(2):
            answer = await who.ok("bob", "DELETE", f"{INBOX}/inbox", **given, messageId="2")
            assert answer == {}
            assert await inbox(who, "bob") == ["m2", "m0"]
            assert await counts(who, "bob") == (2, 2)
        assert await inbox(who, "bob", limit="2", maxId="2") == ["m0"]
        assert await inbox(who, "ann") == ["m2", "m1", "m0"]
        await who.ok("bob", "POST", f"{INBOX}/resetUnreadCount", given)
        await who.ok("bob", "DELETE", f"{INBOX}/inbox", {**given, "messageId": 1})
        assert await counts(who, "bob") == (1, 0)
        await publish(who, "ann", "m3", to_followers(who, "ann"))
        newest = await who.ok("bob", "GET", INBOX, limit="1")
        assert newest["results"][0]["messageId"] == 4, "a number is never given twice"


async def test_a_deleted_status_leaves_all_inboxes(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "cid") as who:
        await followed_by(who, "ann", "bob", "cid")
        made = [await publish(who, "ann", f"m{n}", to_followers(who, "ann")) for n in range(3)]
        for user in ("bob", "cid"):
            await who.ok(user, "POST", f"{INBOX}/resetUnreadCount", {"owner": who.pointer(user)})
        last = await publish(who, "ann", "m3", to_followers(who, "ann"))
        assert await who.ok("ann", "DELETE", f"/statuses/{made[1]}") == {}
        for user in ("ann", "bob", "cid"):
            assert await inbox(who, user) == ["m3", "m2", "m0"]
        assert (await counts(who, "bob"), await counts(who, "ann")) == ((3, 1), (3, 3))
        await who.ok("ann", "DELETE", f"/classes/_Status/{last},{made[0]}")
        assert (await counts(who, "bob"), await inbox(who, "cid")) == ((1, 0), ["m2"])
        assert await who.ok("ann", "DELETE", f"/statuses/{made[0]}") == {}, "it is gone already"


@pytest.mark.parametrize("user", ["bob", NOBODY])
async def test_only_the_sender_deletes_a_status(tmp_path: Path, user: str) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        made = await publish(who, "ann", "mine", to_user(who, "bob"))
        for path in (f"/statuses/{made}", f"/classes/_Status/{made}"):
            answer = await who(user, "DELETE", path)
            assert (answer.status, answer.json) == (403, error(403))
        answer = await who(user, "PUT", f"/statuses/{made}", {"message": "changed"})
        assert answer.status == 403
        assert await inbox(who, "bob") == ["mine"]
        await who.ok(ROOT, "DELETE", f"/statuses/{made}")
        assert await inbox(who, "bob") == []


@pytest.mark.parametrize("user", ["ann", NOBODY])
async def test_only_the_owner_empties_an_inbox(tmp_path: Path, user: str) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        await publish(who, "ann", "hello", to_user(who, "bob"))
        given = {"owner": who.pointer("bob"), "messageId": 1}
        answer = await who(user, "DELETE", f"{INBOX}/inbox", **given)
        assert (answer.status, answer.json) == (403, error(403))
        assert await inbox(who, "bob") == ["hello"]
        await who.ok(ROOT, "DELETE", f"{INBOX}/inbox", **given)
        assert await inbox(who, "bob") == []


async def test_what_somebody_published(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        for sender in ("ann", "bob", "ann"):
            await publish(who, sender, f"by {sender}", to_user(who, sender))
        where = {"source": who.pointer("ann"), "inboxType": "default"}
        for path in ("/statuses", "/classes/_Status"):
            found = await who.ok(NOBODY, "GET", path, where=where, order="-objectId", count="1")
            assert found["count"] == 2
            assert {status["message"] for status in found["results"]} == {"by ann"}
            assert all("messageId" not in status for status in found["results"])


QUERY = {"className": "_User", "where": {}}
POINTER = {"__type": "Pointer", "className": "_User", "objectId": "5f0000000000000000000001"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ([], 400, 107),
        ("text", 400, 107),
        ({"query": QUERY}, 400, 107),
        ({"data": [], "query": QUERY}, 400, 107),
        ({"data": {}}, 400, 1),
        ({"data": {}, "query": "x"}, 400, 1),
        ({"data": {}, "query": {"where": {}}}, 400, 103),
        ({"data": {}, "query": {"className": "no name"}}, 400, 103),
        ({"data": {}, "query": {"className": "Absent"}}, 404, 101),
        ({"data": {}, "query": {"className": "_User", "where": {"a": {"$no": 1}}}}, 400, 1),
        ({"data": {}, "query": {"className": "_Installation"}}, 403, 403),
        ({"data": {"a b": 1}, "query": QUERY}, 400, 105),
        ({"data": {"source": "ann"}, "query": QUERY}, 400, 106),
        ({"data": {"source": {**POINTER, "objectId": "../x"}}, "query": QUERY}, 400, 104),
        ({"data": {}, "query": QUERY, "inboxType": 5}, 400, 1),
        ({"data": {"ACL": []}, "query": QUERY}, 400, 123),
    ],
)
async def test_what_cannot_be_published(tmp_path: Path, body: Any, status: int, code: int) -> None:
    async with people(tmp_path, "ann") as who:
        answer = await who("ann", "POST", "/statuses", body)
        assert (answer.status, answer.json) == (status, error(code))
        assert (await who.ok(ROOT, "GET", "/statuses"))["results"] == []
        assert await counts(who, "ann") == (0, 0)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, 1),
        ({"owner": "{"}, 107),
        ({"owner": "[]"}, 106),
        ({"owner": {"__type": "Pointer", "className": "_User"}}, 106),
        ({"owner": {**POINTER, "objectId": "a/b"}}, 104),
        ({"owner": POINTER, "limit": "many"}, 1),
        ({"owner": POINTER, "sinceId": "x"}, 1),
        ({"owner": POINTER, "maxId": "x"}, 1),
        ({"owner": POINTER, "where": "{"}, 107),
    ],
)
async def test_what_cannot_be_read(tmp_path: Path, params: Any, code: int) -> None:
    async with people(tmp_path) as who:
        answer = await who(NOBODY, "GET", INBOX, **params)
        assert (answer.status, answer.json) == (400, error(code))


@pytest.mark.parametrize("message", [None, "0", "-1", "x"])
async def test_removal_wants_a_number(tmp_path: Path, message: str | None) -> None:
    async with people(tmp_path, "ann") as who:
        given = {} if message is None else {"messageId": message}
        answer = await who("ann", "DELETE", f"{INBOX}/inbox", **given)
        assert (answer.status, answer.json) == (400, error(1))


async def test_inboxes_are_no_classes_of_the_application(tmp_path: Path) -> None:
    async with people(tmp_path, "ann") as who:
        await publish(who, "ann", "hello", to_user(who, "ann"))
        for name in (BOXES, ITEMS):
            for user in ("ann", ROOT):
                for method, body in (("GET", None), ("POST", {})):
                    answer = await who(user, method, f"/classes/{name}", body)
                    assert (answer.status, answer.json) == (400, error(103))
        assert {BOXES, ITEMS}.isdisjoint(await who.ok(ROOT, "GET", "/schemas"))


async def test_those_who_publish_at_once_get_different_numbers(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        sent = [publish(who, "ann", f"m{n}", to_user(who, "bob"), inboxType="x") for n in range(20)]
        await asyncio.gather(*sent)
        found = await who.ok("bob", "GET", INBOX, inboxType="x")
        assert [status["messageId"] for status in found["results"]] == [*range(20, 0, -1)]
        assert {status["message"] for status in found["results"]} == {f"m{n}" for n in range(20)}
        assert await counts(who, "bob", "x") == (20, 20)


async def test_the_trace_shows_delivery_as_one_step(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        await publish(who, "ann", "hello", {"className": "_User", "where": {}})
        trace = await who.api("GET", "/__emu/traces/last", headers=MASTER)
        steps = [step["title"] for step in trace.json["children"]]
        assert steps == ["insert _Status", "deliver to 2 inboxes"]


async def test_a_hook_may_refuse_a_status(tmp_path: Path) -> None:
    engine = FakeEngine({"_Status.beforeSave": lambda _: refuse("no gossip")})
    async with people(tmp_path, "ann", engine=engine) as who:
        body = {"data": {"message": "psst"}, "query": to_user(who, "ann")}
        answer = await who("ann", "POST", "/statuses", body)
        assert (answer.status, answer.json["code"]) == (400, 142)
        assert await counts(who, "ann") == (0, 0)


async def test_sub_queries_have_the_rights_of_the_sender(tmp_path: Path) -> None:
    async with people(tmp_path, "ann") as who:
        await who.api.create("Secret", user=who.pointer("ann"), ACL={})
        asked = {"$select": {"query": {"className": "Secret"}, "key": "user.objectId"}}
        query = {"className": "_User", "where": {"objectId": asked}}
        await publish(who, "ann", "is it there?", query, inboxType="x")
        assert await counts(who, "ann", "x") == (0, 0)


async def test_users_who_left_leave_their_statuses_and_get_no_error(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        await followed_by(who, "ann", "bob")
        await who.ok("ann", "POST", "/users/self/friendship/{bob}", {})
        await publish(who, "bob", "farewell", to_followers(who, "bob"))
        await who.ok("bob", "DELETE", "/users/{bob}")
        await publish(who, "ann", "still here", to_followers(who, "ann"))
        found = await who.ok("ann", "GET", INBOX, include="source")
        assert [status["message"] for status in found["results"]] == ["still here", "farewell"]
        assert found["results"][1]["source"] == who.pointer("bob")


async def test_inbox_queries_in_a_batch(tmp_path: Path) -> None:
    async with people(tmp_path, "ann") as who:
        await publish(who, "ann", "hello", to_user(who, "ann"))
        params = {"owner": who.pointer("ann"), "inboxType": "default", "sinceId": 0, "maxId": 0,
                  "where": {"message": "hello"}}  # fmt: skip
        members = [
            {"method": "GET", "path": "/1.1/subscribe/statuses", "params": params},
            {"method": "GET", "path": "/1.1/subscribe/statuses", "params": {"inboxType": "none"}},
        ]
        answers = await who.ok("ann", "POST", "/batch", {"requests": members})
        assert answers[0]["success"]["results"][0]["message"] == "hello"
        assert answers[1] == {"success": {"results": [], "end": False}}
