"""Friendship by request, and the blocklist (storage.md 6.10)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.matchers import ANY_DATE, ANY_ID, With, error
from tests.support.people import NOBODY, ROOT, People, people

REQUESTS = "/users/friendshipRequests"
NO_SUCH_USER = error(211, "Could not find user.")
GUARD = error(206, "The user cannot be altered by a client without the session.")


async def ask(who: People, user: str, friend: str, attributes: Any = None) -> str:
    body = {"user": who.pointer(user), "friend": who.pointer(friend), "friendship": attributes}
    return str((await who.ok(user, "POST", REQUESTS, body))["objectId"])


async def friends_of(who: People, user: str) -> list[str]:
    found = await who.ok(user, "GET", "/users/self/friends")
    return [who.named(row["followee"]) for row in found["results"]]


async def status_of(who: People, request: str) -> str:
    return str((await who.ok(ROOT, "GET", f"/classes/_FriendshipRequest/{request}"))["status"])


@pytest.mark.parametrize("path", [REQUESTS, "/friendshipRequests", "/classes/_FriendshipRequest"])
async def test_a_request_is_pending_and_seen_by_both(tmp_path: Path, path: str) -> None:
    async with people(tmp_path, "ann", "bob", "eve") as who:
        body = {"user": who.pointer("ann"), "friend": who.pointer("bob")}
        answer = await who("ann", "POST", path, body)
        assert (answer.status, answer.json) == (201, {"objectId": ANY_ID, "createdAt": ANY_DATE})
        made = answer.json["objectId"]
        assert answer.headers["Location"] == f"/1.1/classes/_FriendshipRequest/{made}"
        where = {"friend": who.pointer("bob"), "status": "pending"}
        for reader in ("ann", "bob"):
            found = await who.ok(reader, "GET", path, where=where)
            assert found["results"] == [With({"objectId": made, **body, "status": "pending"})]
        assert (await who.ok("eve", "GET", path, where=where))["results"] == []
        assert (await who.ok("bob", "GET", f"{path}/{made}"))["status"] == "pending"
        assert (await who.ok("ann", "GET", "/users/self/followees"))["results"] == []


async def test_attributes_make_a_row_at_once_that_is_no_friend_yet(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        await ask(who, "ann", "bob", {"group": "sport", "friendStatus": True})
        found = await who.ok("ann", "GET", "/users/self/followees")
        assert found["results"] == [
            With({"followee": who.pointer("bob"), "group": "sport", "friendStatus": False})
        ]
        assert await friends_of(who, "ann") == []


async def test_acceptance_makes_friends_of_both(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        made = await ask(who, "ann", "bob", {"group": "sport"})
        path, body = f"{REQUESTS}/{made}/accept", {"friendship": {"group": "music"}}
        answer = await who("bob", "PUT", path, body)
        updated = {"objectId": made, "updatedAt": ANY_DATE}
        assert (answer.status, answer.json) == (200, updated)
        assert await status_of(who, made) == "accepted"
        assert (await friends_of(who, "ann"), await friends_of(who, "bob")) == (["bob"], ["ann"])
        for user, group in (("ann", "sport"), ("bob", "music")):
            found = await who.ok(user, "GET", "/users/self/followees", where={"friendStatus": True})
            assert [row["group"] for row in found["results"]] == [group]


async def test_acceptance_reaches_rows_of_the_asker_alone(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", follow_rows="follower") as who:
        made = await ask(who, "ann", "bob", {"group": "sport"})
        await who.ok("bob", "PUT", f"{REQUESTS}/{made}/accept")
        assert (await friends_of(who, "ann"), await friends_of(who, "bob")) == (["bob"], ["ann"])


async def test_a_declined_request_can_only_be_accepted_later(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        made = await ask(who, "ann", "bob")
        # the body is nothing, as the JavaScript SDK sends it
        answer = await who("bob", "PUT", f"{REQUESTS}/{made}/decline")
        assert answer.json == {"objectId": made, "updatedAt": ANY_DATE}
        assert await status_of(who, made) == "declined"
        body = {"user": who.pointer("ann"), "friend": who.pointer("bob")}
        again = await who("ann", "POST", REQUESTS, body)
        refusal = error(1, "Friendship request had previously been declined.")
        assert (again.status, again.json) == (400, refusal)
        await who.ok("bob", "PUT", f"{REQUESTS}/{made}/accept", {})
        assert await friends_of(who, "ann") == ["bob"]


async def test_asking_again(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        made = await ask(who, "ann", "bob")
        assert await ask(who, "ann", "bob") == made, "a pending request stays the one"
        await who.ok("bob", "PUT", f"{REQUESTS}/{made}/accept")
        body = {"user": who.pointer("ann"), "friend": who.pointer("bob")}
        again = await who("ann", "POST", REQUESTS, body)
        assert (again.status, again.json) == (400, error(1, "Friendship already exists."))
        back = {"user": who.pointer("bob"), "friend": who.pointer("ann")}
        answer = await who("bob", "POST", REQUESTS, back)
        assert (answer.status, answer.json) == (400, error(1, "Friendship already exists."))
        await who.ok("ann", "DELETE", "/users/self/friendship/{bob}")
        assert await friends_of(who, "bob") == ["ann"], "only one side has ended it"
        assert await ask(who, "ann", "bob") != made


@pytest.mark.parametrize(
    ("user", "method", "path", "expected"),
    [
        ("ann", "PUT", "/accept", GUARD),
        ("eve", "PUT", "/accept", GUARD),
        (NOBODY, "PUT", "/accept", GUARD),
        ("ann", "PUT", "/decline", GUARD),
        ("bob", "PUT", "", error(403)),
        ("ann", "PUT", "", error(403)),
        ("eve", "DELETE", "", error(403)),
    ],
)
async def test_who_may_not_answer(
    tmp_path: Path, user: str, method: str, path: str, expected: Any
) -> None:
    async with people(tmp_path, "ann", "bob", "eve") as who:
        made = await ask(who, "ann", "bob")
        body = {"status": "accepted"} if method == "PUT" else None
        for start in (REQUESTS, "/classes/_FriendshipRequest"):
            if path and start != REQUESTS:
                continue
            answer = await who(user, method, f"{start}/{made}{path}", body)
            assert answer.status in (400, 403)
            assert answer.json == expected
        assert await status_of(who, made) == "pending"
        assert await friends_of(who, "ann") == []


async def test_requests_that_mean_nothing(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        ann, bob = who.pointer("ann"), who.pointer("bob")
        gone = {**bob, "objectId": "5f0000000000000000000001"}
        for body, expected in (
            ({"user": ann, "friend": gone}, NO_SUCH_USER),
            ({"user": ann, "friend": ann}, error(1)),
            ({"user": bob, "friend": ann}, GUARD),
            ({"user": ann}, error(106)),
            ({"friend": bob}, error(106)),
            ({"user": ann, "friend": {**bob, "className": "Dog"}}, error(106)),
            ({"user": ann, "friend": {"__type": "Pointer", "className": "_User"}}, error(106)),
            ({"user": ann, "friend": bob, "friendship": "x"}, error(107)),
        ):
            answer = await who("ann", "POST", REQUESTS, body)
            assert (answer.status, answer.json) == (400, expected), body
        for word in ("accept", "decline"):
            answer = await who("ann", "PUT", f"{REQUESTS}/5f0000000000000000000001/{word}", {})
            assert (answer.status, answer.json) == (400, error(101))
        assert (await who.ok(ROOT, "GET", "/classes/_FriendshipRequest"))["results"] == []


async def test_those_who_ask_or_block_many_times_at_once_do_it_once(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        made = await asyncio.gather(*(ask(who, "ann", "bob") for _ in range(10)))
        assert len(set(made)) == 1
        path = "/users/self/friendBlocklist/{bob}"
        await asyncio.gather(*(who.ok("ann", "POST", path) for _ in range(10)))
        for class_name in ("_FriendshipRequest", "_Blocklist"):
            found = await who.ok(ROOT, "GET", f"/classes/{class_name}", count=1, limit="0")
            assert found["count"] == 1


async def test_a_request_of_somebody_who_left_is_only_declined(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        made = await ask(who, "ann", "bob", {"group": "sport"})
        await who.ok("ann", "DELETE", "/users/{ann}")
        answer = await who("bob", "PUT", f"{REQUESTS}/{made}/accept")
        assert (answer.status, answer.json) == (400, NO_SUCH_USER)
        assert await status_of(who, made) == "pending"
        assert await friends_of(who, "bob") == []
        await who.ok("bob", "PUT", f"{REQUESTS}/{made}/decline")
        # the session of somebody who left is none
        body = {"user": who.pointer("ann"), "friend": who.pointer("bob")}
        again = await who("ann", "POST", REQUESTS, body)
        assert (again.status, again.json) == (400, GUARD)


async def test_either_side_deletes_a_request(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        for user in ("ann", "bob"):
            made = await ask(who, "ann", "bob")
            assert await who.ok(user, "DELETE", f"{REQUESTS}/{made}") == {}
            assert (await who.ok("ann", "GET", REQUESTS))["results"] == []


async def test_the_blocklist(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "cid") as who:
        path = "/users/self/friendBlocklist"
        for blocked in ("bob", "cid", "bob"):
            assert await who.ok("ann", "POST", f"{path}/{{{blocked}}}", {}) == {}
        for where in (path, "/classes/_Blocklist"):
            found = await who.ok("ann", "GET", where, include="blockedUser", count="1")
            assert found["count"] == 2
            assert [row["blockedUser"]["username"] for row in found["results"]] == ["bob", "cid"]
            for reader in ("bob", "cid"):
                assert (await who.ok(reader, "GET", where))["results"] == []
        for _ in range(2):
            assert await who.ok("ann", "DELETE", f"{path}/{{bob}}") == {}
        found = await who.ok("ann", "GET", path)
        assert [who.named(row["blockedUser"]) for row in found["results"]] == ["cid"]


async def test_the_blocked_are_not_among_the_friends(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "cid") as who:
        for friend in ("bob", "cid"):
            made = await ask(who, "ann", friend)
            await who.ok(friend, "PUT", f"{REQUESTS}/{made}/accept")
        assert await friends_of(who, "ann") == ["bob", "cid"]
        await who.ok("ann", "POST", "/users/self/friendBlocklist/{bob}")
        assert await friends_of(who, "ann") == ["cid"]
        assert await friends_of(who, "bob") == ["ann"]


@pytest.mark.parametrize(
    ("user", "path", "expected"),
    [
        (NOBODY, "/users/self/friendBlocklist/{bob}", NO_SUCH_USER),
        ("bob", "/users/{ann}/friendBlocklist/{bob}", GUARD),
        ("ann", "/users/self/friendBlocklist/5f0000000000000000000001", NO_SUCH_USER),
    ],
)
async def test_what_the_blocklist_refuses(
    tmp_path: Path, user: str, path: str, expected: Any
) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        answer = await who(user, "POST", path)
        assert (answer.status, answer.json) == (400, expected)
        assert (await who.ok(ROOT, "GET", "/classes/_Blocklist"))["results"] == []
