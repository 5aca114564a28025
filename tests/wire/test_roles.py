"""Roles: what they must be, who is in them, and when that counts (storage.md 7.2, 7.4)."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.model.query import Compare, Query
from lean_emulator.storage.contract import Insert
from lean_emulator.storage.memory import MemoryStorage
from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.matchers import ANY_DATE, ANY_ID, Looks, With, error
from tests.support.scenario import PASSWORD, Scenario, Sent, Stored, run

OPEN: Any = {"*": {"read": True, "write": True}}
LEAST = {"name": "editors", "ACL": {"*": {"read": True}}}
NO_ACL = {"code": 1, "error": "Role ACL is required."}
EDITORS = Stored("editors", "_Role", {"name": "editors", "ACL": OPEN})
USERS = {"__type": "Relation", "className": "_User"}
ROLES = {"__type": "Relation", "className": "_Role"}


def make(name: str, body: Any, status: int, answer: Any, **more: Any) -> Scenario:
    return Scenario(f"create: {name}", Sent("POST", "/1.1/roles", body, **more), status, answer,
                    setup=[EDITORS])  # fmt: skip


def change(name: str, body: Any, status: int, answer: Any, **more: Any) -> Scenario:
    request = Sent("PUT", "/1.1/roles/{editors}", body, **more)
    kept = {"editors": With({"name": "editors"})}
    return Scenario(f"update: {name}", request, status, answer, setup=[EDITORS], after=kept)


CREATED = {"objectId": ANY_ID, "createdAt": ANY_DATE}
CHANGED = {"objectId": ANY_ID, "updatedAt": ANY_DATE}
RULES = [
    Scenario("create", Sent("POST", "/1.1/roles", LEAST), 201, CREATED,
             headers={"Location": Looks("a path", r"/1\.1/classes/_Role/[0-9a-f]{24}")}),
    make("without an ACL", {"name": "a"}, 400, NO_ACL),
    make("with null for one", {"name": "a", "ACL": None}, 400, NO_ACL),
    make("not even by master", {"name": "a"}, 400, NO_ACL, headers=MASTER),
    make("with a malformed one", {"name": "a", "ACL": {"*": 1}}, 400, error(123)),
    make("without a name", {"ACL": {}}, 400, error(139)),
    *(make(f"named {name!r}", {"name": name, "ACL": {}}, 400, error(139))
      for name in ("", "a/b", "a:b", "role:a", "*", "管理员", "a\n", 5, None, ["a"])),
    *(make(f"named {name!r}", {"name": name, "ACL": {}}, 201, CREATED)
      for name in ("a", "A_1", "site-admins", "site admins", "0")),
    make("with a name that is taken", LEAST, 400, error(137)),
    make("with a column of its own", {**LEAST, "name": "b", "level": 5}, 201, CREATED),
    make("with members that are no users",
         {**LEAST, "name": "b", "users": {"__op": "AddRelation", "objects": [
             {"__type": "Pointer", "className": "Post", "objectId": "p"}]}}, 400, error(111)),
    change("a column", {"level": 6}, 200, CHANGED),
    change("the same name", {"name": "editors"}, 200, CHANGED),
    change("another name", {"name": "authors"}, 400, error(139)),
    change("another name by master", {"name": "authors"}, 400, error(139), headers=MASTER),
    change("no name", {"name": {"__op": "Delete"}}, 400, error(139)),
    change("no ACL", {"ACL": {"__op": "Delete"}}, 400, NO_ACL),
    change("another ACL", {"ACL": {}}, 200, CHANGED),
    Scenario("update of one that is not to be written", Sent("PUT", "/1.1/roles/{r}", {"x": 1}),
             403, error(403), setup=[Stored("r", "_Role", LEAST)]),
    Scenario("delete", Sent("DELETE", "/1.1/roles/{editors}"), 200, {}, setup=[EDITORS],
             after={"editors": None}),
    Scenario("get", Sent("GET", "/1.1/roles/{editors}"), 200,
             {"objectId": ANY_ID, "createdAt": ANY_DATE, "updatedAt": ANY_DATE, "name": "editors",
              "users": USERS, "roles": ROLES}, setup=[EDITORS]),
    Scenario("find", Sent("GET", "/1.1/roles", params={"where": {"name": "editors"}}), 200,
             {"results": [With({"name": "editors"})]}, setup=[EDITORS]),
    Scenario("a hook may not undo the rules", Sent("POST", "/1.1/roles", LEAST), 400, error(139),
             engine={"_Role.beforeSave": lambda body: {**body["object"], "name": "a:b"}},
             hooks={"_Role.beforeSave": 1, "*": 0}),
    Scenario("in a batch", Sent("POST", "/1.1/batch", {"requests": [
        {"method": "POST", "path": "/1.1/roles", "body": {"name": "a"}},
        {"method": "GET", "path": "/1.1/roles/123"}]}), 200,
        [{"error": NO_ACL}, {"success": None}]),
]  # fmt: skip


@pytest.mark.parametrize("scenario", RULES, ids=str)
async def test_rules_of_roles(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


class House:
    """Users and roles by name, and what each of the users may see."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.users: dict[str, str] = {}
        self.sessions: dict[str, dict[str, str]] = {}
        self.roles: dict[str, str] = {}

    async def user(self, name: str) -> None:
        body = {"username": name, "password": PASSWORD}
        made = (await self.api("POST", "/1.1/users", body)).json
        self.users[name] = made["objectId"]
        self.sessions[name] = {**CLIENT, "X-LC-Session": made["sessionToken"]}

    async def role(self, name: str, *users: str, inside: tuple[str, ...] = ()) -> None:
        """A new role with these users and these roles as members."""
        self.roles[name] = await self.api.create(
            "_Role", name=name, ACL={}, **self.members("AddRelation", users, inside)
        )

    async def change(
        self, op: str, role: str, *users: str, inside: tuple[str, ...] = (), **more: Any
    ) -> None:
        answer = await self.api(
            "PUT", f"/1.1/roles/{self.roles[role]}", self.members(op, users, inside),
            headers=MASTER, **more,
        )  # fmt: skip
        assert answer.status == 200, answer.json

    async def sees(self, name: str) -> list[str]:
        """Titles of the posts that a user finds, each of which it also gets."""
        headers = self.sessions[name]
        found = await self.api("GET", "/1.1/classes/Post", headers=headers, order="title")
        rows = found.json["results"]
        for row in rows:
            one = await self.api("GET", f"/1.1/classes/Post/{row['objectId']}", headers=headers)
            assert one.status == 200
        return [row["title"] for row in rows]

    def members(self, op: str, users: tuple[str, ...], roles: tuple[str, ...]) -> dict[str, Any]:
        def pointers(class_name: str, ids: list[str]) -> Any:
            objects = [
                {"__type": "Pointer", "className": class_name, "objectId": one} for one in ids
            ]
            return {"__op": op, "objects": objects}

        members = {}
        if users:
            members["users"] = pointers("_User", [self.users[name] for name in users])
        if roles:
            members["roles"] = pointers("_Role", [self.roles[name] for name in roles])
        return members


@asynccontextmanager
async def built(tmp_path: Path) -> AsyncIterator[House]:
    """Ann, Bob and Cid; one post for each of the roles ``a`` to ``e``, which do not exist yet."""
    async with running_api(project=tmp_path) as api:
        house = House(api)
        for name in ("ann", "bob", "cid"):
            await house.user(name)
        for title in "abcde":
            await api.create("Post", title=title, ACL={f"role:{title}": {"read": True}})
        yield house


async def test_what_is_given_to_a_role_is_given_to_the_roles_inside_it(tmp_path: Path) -> None:
    async with built(tmp_path) as house:
        await house.role("a", "ann")
        await house.role("b", "bob", inside=("a",))
        await house.role("c", inside=("b",))
        await house.role("d", "cid", inside=("b", "c"))
        assert await house.sees("ann") == ["a", "b", "c", "d"]
        assert await house.sees("bob") == ["b", "c", "d"]
        assert await house.sees("cid") == ["d"]


async def test_roles_inside_each_other(tmp_path: Path) -> None:
    async with built(tmp_path) as house:
        for name, user in (("a", "ann"), ("b", "bob"), ("c", "cid")):
            await house.role(name, user)
        await house.change("AddRelation", "a", inside=("b", "a"))
        await house.change("AddRelation", "b", inside=("c",))
        await house.change("AddRelation", "c", inside=("a",))
        for name in house.users:
            assert await house.sees(name) == ["a", "b", "c"]


async def test_a_tree_of_many_floors(tmp_path: Path) -> None:
    async with built(tmp_path) as house:
        await house.role("f0", "ann")
        for floor in range(1, 60):
            await house.role(f"f{floor}", inside=(f"f{floor - 1}",))
        await house.role("e", inside=("f59",))
        assert await house.sees("ann") == ["e"]


async def test_changes_count_from_the_next_request_on(tmp_path: Path) -> None:
    async with built(tmp_path) as house:
        await house.role("a")
        await house.role("b", inside=("a",))
        assert await house.sees("ann") == []
        await house.change("AddRelation", "a", "ann")
        assert await house.sees("ann") == ["a", "b"]
        await house.change("RemoveRelation", "b", inside=("a",))
        assert await house.sees("ann") == ["a"]
        await house.change("AddRelation", "b", "ann")
        assert await house.sees("ann") == ["a", "b"]
        await house.api("DELETE", f"/1.1/roles/{house.roles['a']}", headers=MASTER)
        assert await house.sees("ann") == ["b"]
        await house.role("a", "bob")
        assert await house.sees("ann") == ["b"]
        assert await house.sees("bob") == ["a"]


async def test_a_role_that_is_gone_takes_its_part_of_the_tree_with_it(tmp_path: Path) -> None:
    async with built(tmp_path) as house:
        await house.role("a", "ann")
        await house.role("b", inside=("a",))
        await house.role("c", inside=("b",))
        assert await house.sees("ann") == ["a", "b", "c"]
        await house.api("DELETE", f"/1.1/roles/{house.roles['b']}", headers=MASTER)
        assert await house.sees("ann") == ["a"]


async def test_a_name_counts_once_somebody_makes_the_role(tmp_path: Path) -> None:
    """What was forged into an ACL opens to whoever is in the role of that name, and to no other."""
    async with built(tmp_path) as house:
        assert await house.sees("ann") == []
        await house.role("Ann", "ann")
        await house.role("a b", "ann")
        assert await house.sees("ann") == []
        await house.role("a", "ann")
        assert await house.sees("ann") == ["a"]


async def test_members_of_a_batch_see_what_earlier_ones_did(tmp_path: Path) -> None:
    async with built(tmp_path) as house:
        await house.role("a")
        (post,) = (await house.api("GET", "/1.1/classes/Post", headers=MASTER,
                                   where={"title": "a"})).json["results"]  # fmt: skip
        read = {"method": "GET", "path": f"/1.1/classes/Post/{post['objectId']}"}
        join = {
            "method": "PUT",
            "path": f"/1.1/roles/{house.roles['a']}",
            "body": house.members("AddRelation", ("ann",), ()),
        }
        await house.change("AddRelation", "a", "bob")
        await house.api("PUT", f"/1.1/roles/{house.roles['a']}", {"ACL": OPEN}, headers=MASTER)
        answers = await house.api("POST", "/1.1/batch", {"requests": [read, join, read]},
                                  headers=house.sessions["ann"])  # fmt: skip
        assert [*map(list, answers.json)] == [["error"], ["success"], ["success"]]


async def test_the_session_of_a_deleted_user_is_nobodys(tmp_path: Path) -> None:
    async with built(tmp_path) as house:
        await house.role("a", "ann")
        await house.api.create("Post", title="own", ACL={house.users["ann"]: {"read": True}})
        assert await house.sees("ann") == ["a", "own"]
        await house.api("DELETE", f"/1.1/users/{house.users['ann']}", headers=MASTER)
        assert await house.sees("ann") == []
        refused = await house.api("GET", "/1.1/users/me", headers=house.sessions["ann"])
        assert refused.json == error(211)


async def test_nothing_is_left_after_a_reset(tmp_path: Path) -> None:
    async with built(tmp_path) as house:
        await house.role("a", "ann")
        assert await house.sees("ann") == ["a"]
        storage = house.api.emulator.storage
        ann = await storage.get("_User", house.users["ann"])
        (post,) = await storage.find(Query("Post", Compare("title", "eq", "a")))
        assert ann is not None
        await house.api.emulator.reset()
        await storage.commit([Insert("_User", ann), Insert("Post", post)])
        assert await house.sees("ann") == []


async def test_a_role_that_was_only_rehearsed_counts_in_the_rehearsal_alone(tmp_path: Path) -> None:
    async with built(tmp_path) as house:
        await house.role("a")
        await house.api("PUT", f"/1.1/roles/{house.roles['a']}", {"ACL": OPEN}, headers=MASTER)
        join = {
            "method": "PUT",
            "path": f"/1.1/roles/{house.roles['a']}",
            "body": house.members("AddRelation", ("ann",), ()),
        }
        read = {"method": "GET", "path": "/1.1/classes/Post"}
        wish = {"method": "POST", "path": "/1.1/batch", "body": {"requests": [read, join, read]}}
        assert await house.sees("ann") == []
        tried = await house.api(
            "POST", "/__emu/rehearse", {**wish, "user": house.users["ann"]}, headers=MASTER
        )
        first, _, last = tried.json["body"]
        assert [len(answer["success"]["results"]) for answer in (first, last)] == [0, 1]
        assert await house.sees("ann") == []


async def test_roles_are_looked_up_when_they_matter_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with built(tmp_path) as house:
        asked: list[str] = []
        owners = MemoryStorage.owners

        async def counted(self: MemoryStorage, class_name: str, key: str, member: str) -> list[str]:
            asked.append(key)
            return await owners(self, class_name, key, member)

        async def ask(method: str, path: str, body: Any = None, who: str = "ann") -> list[str]:
            asked.clear()
            await house.api(method, path, body, headers=house.sessions.get(who, CLIENT))
            return [*asked]

        await house.role("a", "ann")
        public = await house.api.create("Post", title="public", ACL=OPEN)
        own = await house.api.create("Post", ACL={house.users["ann"]: {"read": True}})
        bobs = await house.api.create("Post", ACL={house.users["bob"]: {"read": True}})
        theirs = await house.api.create("Post", ACL={"role:a": {"read": True}})
        monkeypatch.setattr(MemoryStorage, "owners", counted)
        for one in (public, own, bobs):
            assert await ask("GET", f"/1.1/classes/Post/{one}") == []
        assert await ask("POST", "/1.1/classes/Post", {"title": "new"}) == []
        assert await ask("GET", f"/1.1/classes/Post/{theirs}", who="nobody") == []
        assert await ask("GET", "/1.1/classes/Post", who="nobody") == []
        assert await ask("GET", f"/1.1/classes/Post/{theirs}") == ["users", "roles"]
        assert await ask("GET", "/1.1/classes/Post") == []
        assert await ask("GET", f"/1.1/classes/Post/{theirs}") == []
        await ask("PUT", f"/1.1/classes/Post/{public}", {"title": "newer"})
        assert await ask("GET", "/1.1/classes/Post") == []
        await house.role("b")
        assert await ask("GET", "/1.1/classes/Post") == ["users", "roles"]


def reachable(member_of: Mapping[str, set[str]], direct: set[str]) -> set[str]:
    """All roles from which one gets somewhere, the plain way."""
    found: set[str] = set()
    while direct - found:
        found |= direct
        direct = direct | {above for role in found for above in member_of[role]}
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_find_returns_what_get_does(tmp_path: Path, seed: int) -> None:
    """Random trees with circles, random ACLs; find, count and get agree with a plain search."""
    async with built(tmp_path) as house:
        chance = random.Random(seed)
        names = [f"r{n}" for n in range(8)]
        members = {name: set(chance.sample([*house.users], chance.randint(0, 2))) for name in names}
        for name in names:
            await house.role(name, *members[name])
        above: dict[str, set[str]] = {name: set() for name in names}
        for _ in range(10):
            parent, child = chance.choices(names, k=2)
            above[child].add(parent)
            await house.change("AddRelation", parent, inside=(child,))
        everybody = ["*", *house.users.values(), *(f"role:{name}" for name in [*names, "nowhere"])]
        acls = [
            {who: {"read": chance.random() < 0.8} for who in chance.sample(everybody, k)}
            for k in (0, 1, 1, 1, 2, 2, 2, 3)
            for _ in range(3)
        ]
        posts = {await house.api.create("Doc", n=n, ACL=acl): acl for n, acl in enumerate(acls)}
        for name, user_id in house.users.items():
            roles = reachable(above, {role for role in names if name in members[role]})
            mine = {"*", user_id, *(f"role:{role}" for role in roles)}
            wanted = {one for one, acl in posts.items()
                      if any(acl.get(who, {}).get("read") for who in mine)}  # fmt: skip
            headers = house.sessions[name]
            found = await house.api("GET", "/1.1/classes/Doc", headers=headers, count="1")
            assert {row["objectId"] for row in found.json["results"]} == wanted
            assert found.json["count"] == len(wanted)
            for one in posts:
                got = await house.api("GET", f"/1.1/classes/Doc/{one}", headers=headers)
                assert got.status == (200 if one in wanted else 403)
