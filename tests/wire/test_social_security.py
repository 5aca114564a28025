"""What users cannot do to each other through followers, friends, statuses, devices and pushes."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.matchers import error
from tests.support.people import NOBODY, ROOT, People, people

GUARD = error(206, "The user cannot be altered by a client without the session.")
REQUESTS = "/users/friendshipRequests"


async def followees(who: People, user: str) -> list[str]:
    found = await who.ok(ROOT, "GET", f"/users/{{{user}}}/followees")
    return [who.named(row["followee"]) for row in found["results"]]


async def test_the_session_of_a_deleted_user_opens_nothing(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        private = {
            "data": {"message": "secret", "source": who.pointer("bob")},
            "query": {"className": "_User", "where": {"objectId": who.id("ann")}},
            "inboxType": "private",
        }
        made = (await who.ok("bob", "POST", "/statuses", private))["objectId"]
        await who.ok("ann", "POST", "/users/self/friendship/{bob}", {})
        await who.ok(ROOT, "DELETE", "/users/{ann}")
        inbox = {"owner": who.pointer("ann"), "inboxType": "private"}
        for method, path, body, expected in (
            ("POST", "/users/{ann}/friendship/{bob}", {}, GUARD),
            ("DELETE", "/users/{ann}/friendship/{bob}", None, GUARD),
            ("POST", "/users/{ann}/friendBlocklist/{bob}", {}, GUARD),
            ("GET", "/users/{ann}/friends", None, GUARD),
            ("GET", "/users/self/followers", None, error(211)),
            ("GET", f"/statuses/{made}", None, error(403)),
            ("DELETE", "/subscribe/statuses/inbox", {**inbox, "messageId": 1}, error(403)),
            ("GET", "/subscribe/statuses", None, error(1)),
        ):
            answer = await who("ann", method, path, body)
            assert answer.status in (400, 403), (method, path)
            assert answer.json == expected, (method, path)
        read = await who.ok("ann", "GET", "/subscribe/statuses", **inbox)
        assert read == {"results": [], "end": False}
        assert await followees(who, "ann") == ["bob"]


@pytest.mark.parametrize("path", ["/classes/_FriendshipRequest", "/friendshipRequests"])
async def test_consent_cannot_be_forged(tmp_path: Path, path: str) -> None:
    """Eve makes a request in ann's name, to accept it herself."""
    async with people(tmp_path, "ann", "eve") as who:
        row = {"user": who.pointer("ann"), "friend": who.pointer("eve"), "status": "pending"}
        plain = await who("eve", "POST", path, row)
        assert (plain.status, plain.json) == (400, GUARD)
        compound = {"method": "POST", "path": f"/1.1{path}", "body": {"__internalId": "1", **row}}
        for batch in ("/batch", "/batch/save"):
            answer = await who("eve", "POST", batch, {"requests": [compound]})
            refused = answer.json[0]["error"] if batch == "/batch" else answer.json
            assert refused["code"] in (1, 206, 403)
        query = "insert into _FriendshipRequest(user, friend, status) values(?, ?, 'pending')"
        told = await who(
            "eve", "GET", "/cloudQuery", cql=query, pvalues=[row["user"], row["friend"]]
        )
        assert told.json == GUARD
        assert (await who.ok(ROOT, "GET", "/friendshipRequests"))["results"] == []


async def test_an_answer_cannot_be_forged(tmp_path: Path) -> None:
    """Ann asked, and would accept in bob's place."""
    async with people(tmp_path, "ann", "bob") as who:
        body = {"user": who.pointer("ann"), "friend": who.pointer("bob")}
        made = (await who.ok("ann", "POST", REQUESTS, body))["objectId"]
        path = f"/1.1/classes/_FriendshipRequest/{made}"
        change = {"status": "accepted", "friend": who.pointer("ann")}
        for member in ({"__internalId": made, **change}, change):
            request = {"method": "PUT", "path": path, "body": member}
            for batch in ("/batch", "/batch/save"):
                answer = await who("ann", "POST", batch, {"requests": [request]})
                refused = answer.json[0]["error"] if batch == "/batch" else answer.json
                assert refused == error(403)
        stored = await who.ok(ROOT, "GET", f"/friendshipRequests/{made}")
        assert (stored["status"], stored["friend"]) == ("pending", who.pointer("bob"))
        assert await followees(who, "bob") == []


async def test_nobody_blocks_in_the_name_of_another(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob", "eve") as who:
        row = {"user": who.pointer("ann"), "blockedUser": who.pointer("bob")}
        answer = await who("eve", "POST", "/classes/_Blocklist", row)
        assert (answer.status, answer.json) == (403, error(403))
        await who.ok("ann", "POST", "/users/self/friendBlocklist/{bob}")
        (made,) = (await who.ok("ann", "GET", "/classes/_Blocklist"))["results"]
        for user in ("bob", "eve"):
            gone = await who(user, "DELETE", f"/classes/_Blocklist/{made['objectId']}")
            assert gone.status == 403
        await who.ok("ann", "DELETE", f"/classes/_Blocklist/{made['objectId']}")


async def test_forged_roles_in_the_acl_of_a_status_give_nothing(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "eve") as who:
        grant = {"read": True, "write": True}
        acl = {"role:admin": grant, f"role:{who.id('eve')}": grant, "role:*": grant}
        body = {
            "data": {"message": "m", "source": who.pointer("ann"), "ACL": acl},
            "query": {"className": "_User", "where": {"username": "eve"}},
        }
        made = (await who.ok("ann", "POST", "/statuses", body))["objectId"]
        for user in ("eve", NOBODY):
            for method in ("GET", "DELETE"):
                answer = await who(user, method, f"/statuses/{made}")
                assert (answer.status, answer.json) == (403, error(403))
        seen = await who.ok("eve", "GET", "/subscribe/statuses", owner=who.pointer("eve"))
        assert seen["results"] == []


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "%00", "a%2fb", ".", "%ff", "a,b"])
@pytest.mark.parametrize(
    "path",
    [
        "/users/self/friendship/{name}",
        "/users/self/friendBlocklist/{name}",
        "/friendshipRequests/{name}/accept",
        "/statuses/{name}",
        "/installations/{name}",
        "/tables/Notifications/{name}",
        "/scheduledPushMessages/{name}",
    ],
)
async def test_ids_that_are_none(tmp_path: Path, path: str, name: str) -> None:
    async with people(tmp_path, "ann") as who:
        for method in ("GET", "POST", "PUT", "DELETE"):
            for user in ("ann", ROOT):
                answer = await who(user, method, path.format(name=name))
                assert answer.status in (200, 400, 403, 404, 501), (method, answer.status)
                assert answer.json is not None
        for class_name in ("_Followee", "_Follower", "_Blocklist", "_FriendshipRequest"):
            assert (await who.ok(ROOT, "GET", f"/classes/{class_name}"))["results"] == []


HUGE = {"$or": [{"a": n} for n in range(2_000)]}


@pytest.mark.parametrize("where", [HUGE, {"$where": "1"}, {"a": {"$regex": "("}}])
async def test_queries_of_audiences_have_the_limits_of_others(tmp_path: Path, where: Any) -> None:
    async with people(tmp_path, "ann") as who:
        body = {"data": {}, "query": {"className": "_User", "where": where}}
        answer = await who("ann", "POST", "/statuses", body)
        assert (answer.status, answer.json) == (400, error(answer.json["code"]))
        assert answer.json["code"] in (1, 102)


async def test_the_secrets_of_users_are_no_audience(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        for name in ("password", "salt", "sessionToken"):
            where = {name: {"$exists": True}}
            body = {"data": {}, "query": {"className": "_User", "where": where}, "inboxType": name}
            await who.ok("ann", "POST", "/statuses", body)
            counted = await who.ok(
                "ann", "GET", "/subscribe/statuses/count", owner=who.pointer("bob"), inboxType=name
            )
            assert counted == {"total": 0, "unread": 0}


async def test_included_users_show_nothing_private(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "bob") as who:
        private = {"email": "bob@example.com", "mobilePhoneNumber": "18600000000"}
        await who.ok(ROOT, "PUT", "/users/{bob}", private)
        await who.ok("ann", "POST", "/users/self/friendship/{bob}", {})
        await who.ok("ann", "POST", "/users/self/friendBlocklist/{bob}", {})
        status = {"data": {"source": who.pointer("bob")},
                  "query": {"className": "_User", "where": {}}}  # fmt: skip
        await who.ok("bob", "POST", "/statuses", status)
        for path, column in (
            ("/users/self/followees", "followee"),
            ("/users/self/friendBlocklist", "blockedUser"),
            ("/subscribe/statuses", "source"),
        ):
            (row,) = (await who.ok("ann", "GET", path, include=column))["results"]
            assert row[column]["username"] == "bob"
            hidden = {*private, "password", "salt", "sessionToken", "authData"}
            assert hidden.isdisjoint(row[column])
