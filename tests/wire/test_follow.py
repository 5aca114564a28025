"""Following, and the lists that come of it (storage.md 6.9)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_engine import FakeEngine
from tests.support.matchers import ANY_DATE, ANY_ID, With, error
from tests.support.people import NOBODY, ROOT, People, people

NOT_FOUND = error(221, "Friendship not found.")
NO_SUCH_USER = error(211, "Could not find user.")
GUARD = error(206, "The user cannot be altered by a client without the session.")
TIMES = {"objectId": ANY_ID, "createdAt": ANY_DATE, "updatedAt": ANY_DATE}
POSITION = {"__type": "GeoPoint", "latitude": 0.0, "longitude": 0.0}


async def follow(who: People, *pairs: str) -> None:
    """``ann>bob``: ann follows bob."""
    for pair in pairs:
        user, target = pair.split(">")
        await who.ok(user, "POST", f"/users/{{{user}}}/friendship/{{{target}}}", {})


async def listed(who: People, reader: str, path: str, column: str, **params: Any) -> list[str]:
    answer = await who.ok(reader, "GET", path, **params)
    return [who.named(row[column]) for row in answer["results"]]


async def test_following_makes_two_rows_that_both_users_own(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        given = {"group": 1, "position": POSITION}
        answer = await who("ann", "POST", "/users/{ann}/friendship/{bob}", given)
        assert (answer.status, answer.json) == (200, {})
        acl = {who.id(name): {"read": True, "write": True} for name in ("ann", "bob")}
        for class_name, owner, other, column in (
            ("_Followee", "ann", "bob", "followee"),
            ("_Follower", "bob", "ann", "follower"),
        ):
            found = await who.ok(ROOT, "GET", f"/classes/{class_name}", returnACL="true")
            assert found["results"] == [
                {
                    **TIMES,
                    **given,
                    "user": who.pointer(owner),
                    column: who.pointer(other),
                    "ACL": acl,
                }
            ]


@pytest.mark.parametrize("user", ["self", "{ann}"])
@pytest.mark.parametrize("raw", [b"null", b"{}", b"", b"[]"])
async def test_a_body_may_be_nothing(tmp_path: Path, user: str, raw: bytes) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        session = (await who.ok("ann", "GET", "/users/me"))["sessionToken"]
        named = user.format(ann=who.id("ann"))
        path = f"/1.1/users/{named}/friendship/{who.id('bob')}?session_token={session}"
        for method in ("POST", "DELETE"):
            answer = await who.api(method, path, raw=raw)
            assert (answer.status, answer.json) == (200, {})
        assert await listed(who, "bob", "/users/self/followers", "follower") == []


async def test_what_is_followed_is_found_as_the_recordings_show(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        given = {"group": 1, "position": POSITION}
        await who.ok("ann", "POST", "/users/{ann}/friendship/{bob}", given)
        mine = {"user": who.pointer("ann"), "group": 1}
        found = await who.ok("ann", "GET", "/classes/_Followee", where=mine, include="followee")
        bob = With({**who.pointer("bob"), "username": "bob"}, without=("ACL", "sessionToken"))
        assert found["results"] == [{**TIMES, **given, "user": who.pointer("ann"), "followee": bob}]
        none = await who.ok("ann", "GET", "/classes/_Followee", where={**mine, "group": 0})
        assert none == {"results": []}
        assert await who.ok("ann", "DELETE", "/users/{ann}/friendship/{bob}") == {}
        for class_name in ("_Followee", "_Follower"):
            assert (await who.ok(ROOT, "GET", f"/classes/{class_name}"))["results"] == []


async def test_following_twice_is_once_and_changes_the_attributes(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        path = "/users/self/friendship/{bob}"
        await who.ok("ann", "POST", path, {"score": 1})
        await who.ok("ann", "POST", path, {"score": 2, "group": "old"})
        await who.ok("ann", "POST", path, {})
        changed = await who.ok("ann", "PUT", path, {"score": {"__op": "Increment", "amount": 5}})
        assert changed == {"objectId": ANY_ID, "updatedAt": ANY_DATE}
        wrapped = await who.ok("ann", "PUT", path, {"friendship": {"group": "new"}})
        assert wrapped == changed
        assert await who.ok("ann", "PUT", path, {}) == changed
        for reader, lists in (("ann", "followees"), ("bob", "followers")):
            found = await who.ok(reader, "GET", f"/users/self/{lists}")
            assert found["results"] == [With({"score": 7, "group": "new"})]


async def test_users_who_race_follow_once(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        path = "/users/{ann}/friendship/{bob}"
        await asyncio.gather(*(who.ok("ann", "POST", path, {"n": n}) for n in range(10)))
        for class_name in ("_Followee", "_Follower"):
            found = await who.ok(ROOT, "GET", f"/classes/{class_name}", count=1, limit="0")
            assert found["count"] == 1


async def test_attributes_cannot_forge_a_row(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "eve") as who:
        forged = {
            "user": who.pointer("eve"),
            "followee": who.pointer("eve"),
            "follower": who.pointer("eve"),
            "ACL": {"*": {"read": True, "write": True}},
            "objectId": "mine",
        }
        for method in ("POST", "PUT"):
            await who.ok("ann", method, "/users/{ann}/friendship/{bob}", forged)
        assert await listed(who, "ann", "/users/self/followees", "followee") == ["bob"]
        assert await listed(who, "bob", "/users/self/followers", "follower") == ["ann"]
        assert await listed(who, "eve", "/users/{ann}/followees", "followee") == []


@pytest.mark.parametrize(
    ("user", "method", "path", "expected"),
    [
        (NOBODY, "POST", "/users/{ann}/friendship/{bob}", GUARD),
        ("bob", "POST", "/users/{ann}/friendship/{bob}", GUARD),
        ("bob", "PUT", "/users/{ann}/friendship/{bob}", GUARD),
        ("bob", "DELETE", "/users/{ann}/friendship/{bob}", GUARD),
        (NOBODY, "DELETE", "/users/{ann}/friendship/{bob}", GUARD),
        (NOBODY, "POST", "/users/self/friendship/{bob}", NO_SUCH_USER),
        (ROOT, "POST", "/users/self/friendship/{bob}", NO_SUCH_USER),
        (NOBODY, "GET", "/users/self/followers", NO_SUCH_USER),
        ("ann", "POST", "/users/self/friendship/5f0000000000000000000001", NO_SUCH_USER),
        ("ann", "DELETE", "/users/self/friendship/{cid}", NOT_FOUND),
        ("ann", "PUT", "/users/self/friendship/{cid}", NOT_FOUND),
        ("bob", "DELETE", "/users/self/friendship/{ann}", NOT_FOUND),
    ],
)
async def test_what_is_refused(
    tmp_path: Path, user: str, method: str, path: str, expected: Any
) -> None:
    async with people(tmp_path, "ann", "bob", "cid") as who:
        await follow(who, "ann>bob")
        body = {"n": 1} if method in ("POST", "PUT") else None
        answer = await who(user, method, path, body)
        assert (answer.status, answer.json) == (400, expected)
        assert await listed(who, "ann", "/users/self/followees", "followee") == ["bob"]


@pytest.mark.parametrize(
    ("body", "code"), [("text", 107), ([1], 107), ({"a b": 1}, 105), ({"__x": 1}, 105)]
)
async def test_attributes_that_are_none(tmp_path: Path, body: Any, code: int) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        answer = await who("ann", "POST", "/users/self/friendship/{bob}", body)
        assert (answer.status, answer.json) == (400, error(code))
        assert await listed(who, "ann", "/users/self/followees", "followee") == []


async def test_master_acts_for_everybody(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        await who.ok(ROOT, "POST", "/users/{ann}/friendship/{bob}", {"n": 1})
        await who.ok(ROOT, "PUT", "/users/{ann}/friendship/{bob}", {"n": 2})
        assert (await who.ok(ROOT, "GET", "/users/{ann}/followees"))["results"][0]["n"] == 2
        await who.ok(ROOT, "DELETE", "/users/{ann}/friendship/{bob}")
        assert await listed(who, ROOT, "/users/{bob}/followers", "follower") == []


async def test_lists_are_queries(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "cid", "dee") as who:
        for n, name in enumerate(("bob", "cid", "dee")):
            await who.ok("ann", "POST", f"/users/self/friendship/{{{name}}}", {"n": n})
        path, column = "/users/{ann}/followees", "followee"
        assert await listed(who, "ann", path, column) == ["bob", "cid", "dee"]
        assert await listed(who, "ann", path, column, order="-n") == ["dee", "cid", "bob"]
        assert await listed(who, "ann", path, column, skip="1", limit="1") == ["cid"]
        assert await listed(who, "ann", path, column, where={"n": {"$gt": 1}}) == ["dee"]
        only = {"followee": who.pointer("cid")}
        assert await listed(who, "ann", path, column, where=only) == ["cid"]
        counted = await who.ok("ann", "GET", path, count="1", limit="0")
        assert counted == {"results": [], "count": 3}
        shown = await who.ok("ann", "GET", path, include="followee", keys="followee.username",
                             where={"n": 0})  # fmt: skip
        assert shown["results"] == [
            {
                **TIMES,
                "followee": {
                    **who.pointer("bob"),
                    "username": "bob",
                    "createdAt": ANY_DATE,
                    "updatedAt": ANY_DATE,
                },
            }
        ]
        bad = await who("ann", "GET", path, where={"n": {"$no": 1}})
        assert (bad.status, bad.json) == (400, error(1))


async def test_both_lists_at_once(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "cid") as who:
        await follow(who, "ann>bob", "bob>ann", "cid>ann")
        path = "/users/{ann}/followersAndFollowees"
        bare = await who.ok("ann", "GET", path)
        assert [who.named(row["follower"]) for row in bare["followers"]] == ["bob", "cid"]
        assert [who.named(row["followee"]) for row in bare["followees"]] == ["bob"]
        assert set(bare) == {"followers", "followees"}
        counted = await who.ok("ann", "GET", path, count="1", limit="1",
                               include="follower,followee", keys="follower,followee")  # fmt: skip
        assert (counted["followers_count"], counted["followees_count"]) == (2, 1)
        assert [row["follower"]["username"] for row in counted["followers"]] == ["bob"]
        assert [row["followee"]["username"] for row in counted["followees"]] == ["bob"]
        assert "user" not in counted["followees"][0]


async def test_who_follows_back(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "cid", "dee") as who:
        await follow(who, "ann>bob", "ann>cid", "bob>ann", "dee>ann", "cid>bob")
        path = "/users/{ann}/mutualFollowees"
        assert await listed(who, "ann", path, "followee") == ["bob"]
        found = await who.ok("ann", "GET", path, include="followee", count="1")
        assert found["count"] == 1
        assert found["results"][0]["followee"]["username"] == "bob"
        await follow(who, "cid>ann")
        assert await listed(who, "ann", path, "followee", order="-objectId") == ["cid", "bob"]
        assert await listed(who, "ann", path, "followee", where={"n": 1}) == []


async def test_following_back_is_an_option(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", follow_back=True) as who:
        await who.ok("ann", "POST", "/users/self/friendship/{bob}", {"n": 1})
        for user, other in (("ann", "bob"), ("bob", "ann")):
            assert await listed(who, user, "/users/self/followees", "followee") == [other]
            assert await listed(who, user, "/users/self/followers", "follower") == [other]
        await who.ok("ann", "DELETE", "/users/self/friendship/{bob}")
        assert await listed(who, "ann", "/users/self/followees", "followee") == []
        assert await listed(who, "bob", "/users/self/followees", "followee") == ["ann"]


@pytest.mark.parametrize(
    ("open_to", "readers"),
    [("both", ["ann", "bob"]), ("everybody", ["ann", "bob", "eve"]), ("follower", ["ann"])],
)
async def test_who_sees_it_is_an_option(tmp_path: Path, open_to: str, readers: list[str]) -> None:
    async with people(tmp_path, "ann", "bob", "eve", follow_rows=open_to) as who:
        await follow(who, "ann>bob")
        for class_name in ("_Followee", "_Follower"):
            for reader in ("ann", "bob", "eve"):
                found = await who.ok(reader, "GET", f"/classes/{class_name}")
                assert len(found["results"]) == (reader in readers), (class_name, reader)
        await who.ok("ann", "POST", "/users/self/friendship/{bob}", {"n": 1})
        await who.ok("ann", "DELETE", "/users/self/friendship/{bob}")


async def test_others_see_nothing_of_it(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "eve") as who:
        await follow(who, "ann>bob")
        for reader in ("eve", NOBODY):
            for path in ("/users/{ann}/followees", "/users/{bob}/followers", "/followees"):
                found = await who.ok(reader, "GET", path, count="1")
                assert found == {"results": [], "count": 0}
        assert await listed(who, "ann", "/followees", "followee") == ["bob"]
        assert await listed(who, "bob", "/followers", "follower") == ["ann"]


async def test_hooks_of_both_classes_run(tmp_path: Path) -> None:
    calls = [f"{kind}{what}" for kind in ("before", "after") for what in ("Save", "Delete")]
    names = [f"{name}.{call}" for name in ("_Followee", "_Follower") for call in calls]
    engine = FakeEngine({name: lambda request: request["object"] for name in names})
    async with people(tmp_path, "ann", "bob", engine=engine) as who:
        await follow(who, "ann>bob")
        await who.ok("ann", "DELETE", "/users/self/friendship/{bob}")
        await who.api.settle()
        assert sorted(engine.fired()) == sorted(names)


async def test_a_followee_who_left_stays_a_pointer_and_can_be_unfollowed(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        await follow(who, "ann>bob", "bob>ann")
        await who.ok("bob", "DELETE", "/users/{bob}")
        found = await who.ok("ann", "GET", "/users/self/followees", include="followee")
        assert found["results"][0]["followee"] == who.pointer("bob")
        again = await who("ann", "POST", "/users/self/friendship/{bob}", {})
        assert (again.status, again.json) == (400, NO_SUCH_USER)
        await who.ok("ann", "DELETE", "/users/self/friendship/{bob}")
        assert (await who.ok("ann", "GET", "/users/self/followees"))["results"] == []


async def test_a_row_that_a_client_deleted_comes_back(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        await follow(who, "ann>bob")
        row = (await who.ok("ann", "GET", "/users/self/followees"))["results"][0]
        await who.ok("ann", "DELETE", f"/classes/_Followee/{row['objectId']}")
        assert await listed(who, "bob", "/users/self/followers", "follower") == ["ann"]
        await follow(who, "ann>bob")
        assert await listed(who, "ann", "/users/self/followees", "followee") == ["bob"]
        assert await listed(who, "bob", "/users/self/followers", "follower") == ["ann"]


async def test_follow_in_a_batch(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        path = f"/1.1/users/{who.id('ann')}/friendship/{who.id('bob')}"
        members = [
            {"method": "POST", "path": path, "body": {"n": 1}},
            {"method": "GET", "path": "/1.1/users/self/followees", "params": {"where": {"n": 1}}},
            {"method": "DELETE", "path": path},
            {"method": "DELETE", "path": path},
        ]
        answers = await who.ok("ann", "POST", "/batch", {"requests": members})
        assert answers[0] == {"success": {}}
        assert answers[1]["success"]["results"] == [With({"followee": who.pointer("bob")})]
        assert answers[2:] == [{"success": {}}, {"error": NOT_FOUND}]
