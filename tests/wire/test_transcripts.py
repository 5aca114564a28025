"""What the real service was recorded to answer, word for word (storage.md appendix B)."""

from pathlib import Path
from typing import Any

from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.matchers import ANY_DATE, ANY_ID, Looks
from tests.support.people import people

CREATED = {"objectId": ANY_ID, "createdAt": ANY_DATE}
TIMES = {"createdAt": ANY_DATE, "updatedAt": ANY_DATE}


async def test_1_create(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("POST", "/1.1/classes/Person", raw=b'{"age":40}')
        assert (answer.status, answer.json) == (201, CREATED)
        assert [*answer.json] == ["objectId", "createdAt"]
        location = answer.headers["Location"]
        assert location == f"/1.1/classes/Person/{answer.json['objectId']}"
        stored = {**CREATED, "updatedAt": answer.json["createdAt"], "age": 40}
        assert (await api("GET", location)).json == stored


async def test_2_a_batch_with_a_failure(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        path = "/1.1/classes/Person"
        put = {"method": "PUT", "path": f"{path}/fakeid", "body": {"age": 1}}
        post = {"method": "POST", "path": path, "body": {"age": 2}}
        answer = await api("POST", "/1.1/batch", {"requests": [put, post]})
        text = "Could not find object by id 'fakeid' for class 'Person'."
        assert answer.status == 200
        assert answer.json == [{"error": {"code": 1, "error": text}}, {"success": CREATED}]
        assert "Location" not in answer.headers


async def test_3_a_conditional_update(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        score = await api.create("GameScore", score=5)
        path = f"/1.1/classes/GameScore/{score}"
        where = "where=%7B%22score%22%3A-1%7D"
        answer = await api("PUT", f"{path}?{where}", raw=b'{"score":10000}')
        assert answer.status == 400
        assert answer.json == {"code": 305, "error": "No effect on updating/deleting a document."}
        assert (await api.read("GameScore", score))["score"] == 5


async def test_4_a_count(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for name in ("p", "person", "Person", "a p", "p.q"):
            await api.create("Person", pname=name)
        where = r"%7B%22pname%22%3A%7B%22%24regex%22%3A%22%5E%5C%5CQp%5C%5CE%22%7D%7D"
        answer = await api("GET", f"/1.1/classes/Person?where={where}&limit=0&count=1")
        assert (answer.status, answer.json) == (200, {"results": [], "count": 3})


async def test_5_a_scan(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ids = [await api.create("Person", n=n) for n in range(4)]
        path = "/1.1/scan/classes/Person?scan_key=objectId&limit=2"

        async def page(cursor: str = "") -> Any:
            answer = await api("GET", path + cursor, headers=MASTER)
            assert answer.status == 200
            return answer.json

        first = await page()
        assert first["cursor"] == Looks("a cursor", "[0-9a-zA-Z]{16}")
        assert [row["objectId"] for row in first["results"]] == ids[:2]
        second = await page(f"&cursor={first['cursor']}")
        assert second["cursor"] == first["cursor"], "a full last page still has a cursor"
        assert [row["objectId"] for row in second["results"]] == ids[2:]
        assert await page(f"&cursor={first['cursor']}") == {"results": [], "cursor": None}
        refused = await api("GET", path, headers=CLIENT)
        message = "The request must be signed by master key."
        assert (refused.status, refused.json) == (400, {"code": 1, "error": message})


async def sign_up(api: Api, name: str) -> str:
    answer = await api("POST", "/1.1/users", {"username": name, "password": "secret"})
    assert answer.status == 201
    return str(answer.json["objectId"])


async def test_10_follow_with_attributes(tmp_path: Path) -> None:
    async with people(tmp_path, "ann", "leeyeh") as who:
        point = {"__type": "GeoPoint", "latitude": 0, "longitude": 0}
        given = {"group": 1, "position": point}
        path = "/users/{ann}/friendship/{leeyeh}"
        answer = await who("ann", "POST", path, given)
        assert (answer.status, answer.json) == (200, {})
        where = {"user": who.pointer("ann"), "group": 1}
        found = await who.ok("ann", "GET", "/classes/_Followee", where=where, include="followee")
        assert found["results"] == [
            {
                "objectId": ANY_ID,
                **TIMES,
                **given,
                "user": who.pointer("ann"),
                "followee": {
                    **who.pointer("leeyeh"),
                    **TIMES,
                    "username": "leeyeh",
                    "emailVerified": False,
                    "mobilePhoneVerified": False,
                },
            }
        ]
        assert await who.ok("ann", "DELETE", path) == {}


async def test_11_a_status(tmp_path: Path) -> None:
    async with people(tmp_path, "ann") as who:
        data = {"image": "image url", "message": "message", "source": who.pointer("ann")}
        query = {"className": "_User", "where": {"gender": "female"}}
        body = {"query": query, "data": data, "inboxType": "default"}
        answer = await who("ann", "POST", "/statuses", body)
        assert (answer.status, answer.json) == (201, CREATED)
        assert answer.headers["Location"] == f"/1.1/classes/_Status/{answer.json['objectId']}"
        owner = {"__type": "Pointer", "className": "_User", "objectId": "5627906060b22ef9c464cc99"}
        asked = {"owner": owner, "inboxType": "default"}
        inbox = "/subscribe/statuses"
        empty = await who.ok("ann", "GET", inbox, **asked, where={}, sinceId="0", maxId="0")
        assert empty == {"results": [], "end": False}
        assert await who.ok("ann", "GET", f"{inbox}/count", **asked) == {"total": 0, "unread": 0}
        assert await who.ok("ann", "POST", f"{inbox}/resetUnreadCount", asked) == {}


async def test_12_a_role(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        users = [await sign_up(api, name) for name in ("ann", "bob")]
        pointers = [{"__type": "Pointer", "className": "_User", "objectId": one} for one in users]
        acl = {"*": {"read": True}, users[0]: {"write": True}}
        body = {
            "name": "admins",
            "users": {"__op": "AddRelation", "objects": pointers},
            "ACL": acl,
        }
        made = await api("POST", "/1.1/classes/_Role", body)
        assert (made.status, made.json) == (201, CREATED)
        assert made.headers["Location"] == f"/1.1/classes/_Role/{made.json['objectId']}"
        listed = await api("GET", "/1.1/classes/_Role")
        role = {
            "objectId": made.json["objectId"],
            **TIMES,
            "name": "admins",
            "users": {"__type": "Relation", "className": "_User"},
            "roles": {"__type": "Relation", "className": "_Role"},
        }
        assert listed.json == {"results": [role]}
        with_acl = await api("GET", "/1.1/classes/_Role", returnACL="true")
        assert with_acl.json == {"results": [{**role, "ACL": acl}]}
        of_bob = await api("GET", "/1.1/classes/_Role", where={"users": pointers[1]})
        assert of_bob.json == {"results": [role]}
        where = {
            "$relatedTo": {
                "object": {"__type": "Pointer", "className": "_Role", "objectId": role["objectId"]},
                "key": "users",
            }
        }
        members = await api("GET", "/1.1/users", where=where, order="username", keys="username")
        assert [row["username"] for row in members.json["results"]] == ["ann", "bob"]


async def test_12_a_role_may_have_a_member_who_is_gone(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        user = await sign_up(api, "ann")
        await api("DELETE", f"/1.1/users/{user}", headers=MASTER)
        member = {"__type": "Pointer", "className": "_User", "objectId": user}
        body = {"name": "r", "users": {"__op": "AddRelation", "objects": [member]}, "ACL": {}}
        made = await api("POST", "/1.1/classes/_Role", body)
        assert (made.status, made.json) == (201, CREATED)
        where = {"users": member}
        found = await api("GET", "/1.1/classes/_Role", where=where, headers=MASTER)
        assert [row["objectId"] for row in found.json["results"]] == [made.json["objectId"]]
