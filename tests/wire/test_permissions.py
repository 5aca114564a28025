"""Who may do what, over real sockets: class permissions, ACLs, accounts (storage.md 7)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CLIENT, ENGINE, MASTER, running_api
from tests.support.matchers import ANY_ID, ANYTHING, With, error
from tests.support.scenario import (
    PASSWORD,
    At,
    Id,
    Scenario,
    Sent,
    SignedUp,
    Stored,
    Token,
    prepare,
    run,
    send,
)

STAFF = {"roles": ["staff"]}
ACTIONS = ("find", "get", "create", "update", "delete", "add_fields")
SCHEMAS: Mapping[str, Any] = {
    "Closed": {"permissions": {action: {} for action in ACTIONS}},
    "Members": {"permissions": {action: {"onlySignInUsers": True} for action in ACTIONS}},
    "Staff": {"permissions": dict.fromkeys(ACTIONS, STAFF)},
    "Ann": {"permissions": {action: {"users": ["ann"], "roles": []} for action in ACTIONS}},
    "Fixed": {"permissions": {"add_fields": STAFF}},
    "Note": {"permissions": {"get": {"*": True}, "find": {"users": []}}},
    "Owned": {
        "schema": {
            "ACL": {
                "type": "ACL",
                "default": {"_owner": {"read": True, "write": True}, "*": {"read": True}},
            }
        }
    },
}
for _schema in SCHEMAS.values():
    _schema.setdefault("schema", {})["n"] = {"type": "Number"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose schema files close some classes."""
    folder = tmp_path / "schema"
    folder.mkdir()
    for name, content in SCHEMAS.items():
        (folder / f"{name}.schema.json").write_text(json.dumps(content))
    return tmp_path


def as_user(name: str) -> dict[str, Any]:
    return {**CLIENT, "X-LC-Session": Token(name)}


def point(class_name: str, object_id: Any) -> dict[str, Any]:
    return {"__type": "Pointer", "className": class_name, "objectId": object_id}


def add(*members: dict[str, Any]) -> dict[str, Any]:
    return {"__op": "AddRelation", "objects": [*members]}


def stored(class_name: str, **fields: Any) -> Stored:
    return Stored("it", class_name, {"n": 1, **fields})


ANN, BOB = SignedUp("ann"), SignedUp("bob")
ROLE = Stored(
    "role", "_Role", {"name": "staff", "ACL": {}, "users": add(point("_User", Id("ann")))}
)
PEOPLE: Mapping[str, dict[str, Any]] = {
    "nobody": CLIENT,
    "ann": as_user("ann"),
    "bob": as_user("bob"),
    "a dead session": {**CLIENT, "X-LC-Session": "0" * 25},
    "the engine": ENGINE,
    "the engine as ann": {**ENGINE, "X-LC-Session": Token("ann")},
    "master": MASTER,
}
ANNS = {"ann", "the engine as ann"}
LET_IN: Mapping[str, set[str]] = {
    "Closed": set(),
    "Members": {*ANNS, "bob"},
    "Staff": ANNS,
    "Ann": ANNS,
}


def forbidden(action: str) -> Any:
    return error(403, f"Forbidden to {action} by class permissions.")


REQUESTS: Mapping[str, tuple[str, str, Any, dict[str, Any]]] = {
    "find": ("GET", "/1.1/classes/{class}", None, {}),
    "count": ("GET", "/1.1/classes/{class}", None, {"count": "1", "limit": "0"}),
    "get": ("GET", "/1.1/classes/{class}/{it}", None, {}),
    "create": ("POST", "/1.1/classes/{class}", {"n": 2}, {}),
    "update": ("PUT", "/1.1/classes/{class}/{it}", {"n": 2}, {}),
    "delete": ("DELETE", "/1.1/classes/{class}/{it}", None, {}),
    "get of nothing": ("GET", "/1.1/classes/{class}/123", None, {}),
    "update of nothing": ("PUT", "/1.1/classes/{class}/123", {"n": 2}, {}),
    "delete of nothing": ("DELETE", "/1.1/classes/{class}/123", None, {}),
    "CQL": ("GET", "/1.1/cloudQuery", None, {"cql": "select * from {class}"}),
    "CQL insert": ("POST", "/1.1/cloudQuery", {"cql": "insert into {class}(n) values(1)"}, {}),
}
ACTION_OF = {
    "count": "find", "CQL": "find", "CQL insert": "create", "get of nothing": "get",
    "update of nothing": "update", "delete of nothing": "delete",
}  # fmt: skip


def sent(name: str, class_name: str, headers: dict[str, Any]) -> Sent:
    method, path, body, params = json.loads(
        json.dumps(REQUESTS[name]).replace("{class}", class_name)
    )
    return Sent(method, path, body, headers=headers, params=params)


def refused(name: str, class_name: str, who: str) -> Scenario:
    setup: list[Stored | SignedUp] = [ANN, BOB, ROLE, stored(class_name)]
    return Scenario(
        f"{name} in {class_name} by {who}",
        sent(name, class_name, PEOPLE[who]),
        403,
        forbidden(ACTION_OF.get(name, name)),
        setup=setup,
        after={"it": With({"n": 1})},
    )


@pytest.mark.parametrize("class_name", LET_IN)
async def test_every_action_by_everybody(project: Path, class_name: str) -> None:
    """Each request of the table is refused with its text, or not refused at all."""
    async with running_api(project=project) as api:
        names = await prepare(api, [ANN, BOB, ROLE])
        wrong = []
        for name in REQUESTS:
            for who, headers in PEOPLE.items():
                made = await prepare(api, [stored(class_name)])
                made.tokens.update(names.tokens)
                answer = await send(api, sent(name, class_name, headers), made)
                is_refused = answer.json == forbidden(ACTION_OF.get(name, name))
                assert is_refused == (answer.status == 403), (name, who, answer.body)
                if is_refused == (who in {*LET_IN[class_name], "master"}):
                    wrong.append((name, who, answer.status))
        assert not wrong


REFUSED = [refused(name, "Closed", "nobody") for name in REQUESTS]


def columns(name: str, request: Sent, status: int, answer: Any = ANYTHING) -> Scenario:
    return Scenario(name, request, status, answer, setup=[ANN, BOB, ROLE, stored("Fixed")])


NO_COLUMNS = forbidden("add_fields")
IT = "/1.1/classes/Fixed/{it}"
ADDED_COLUMNS = [
    columns("a known column", Sent("POST", "/1.1/classes/Fixed", {"n": 2}), 201),
    columns("null is no column yet", Sent("POST", "/1.1/classes/Fixed", {"m": None}), 201),
    columns("an ACL is no column", Sent("POST", "/1.1/classes/Fixed", {"ACL": {}}), 201),
    columns("a new column", Sent("POST", "/1.1/classes/Fixed", {"m": 2}), 403, NO_COLUMNS),
    columns("a new relation", Sent("POST", "/1.1/classes/Fixed", {"m": add(point("P", "p"))}), 403,
            NO_COLUMNS),
    columns("an update that brings one", Sent("PUT", IT, {"m": 2}), 403, NO_COLUMNS),
    columns("a path in it", Sent("PUT", IT, {"m.a": 2}), 403, NO_COLUMNS),
    columns("counting up", Sent("PUT", IT, {"m": {"__op": "Increment"}}), 403, NO_COLUMNS),
    columns("taking away what is not there", Sent("PUT", IT, {"m": {"__op": "Delete"}}), 200),
    columns("by bob", Sent("PUT", IT, {"m": 2}, headers=as_user("bob")), 403, NO_COLUMNS),
    columns("by ann, who is staff", Sent("PUT", IT, {"m": 2}, headers=as_user("ann")), 200),
    columns("by master", Sent("PUT", IT, {"m": 2}, headers=MASTER), 200),
    Scenario("a wrong type comes first", Sent("POST", "/1.1/classes/Fixed", {"n": "x", "m": 2}),
             400, error(111)),
    Scenario("what a hook adds is the project's", Sent("POST", "/1.1/classes/Fixed", {"n": 2}), 201,
             engine={"Fixed.beforeSave": lambda body: {**body["object"], "m": 5}},
             hooks={"Fixed.beforeSave": 1, "*": 0}),
]  # fmt: skip

ONLY_ANN = {"read": True, "write": True}


def by_acl(name: str, request: Sent, status: int, answer: Any, **acl: Any) -> Scenario:
    listed: dict[Any, Any] = {
        Id("ann") if who == "ann" else who.replace("role_", "role:"): rights
        for who, rights in acl.items()
    }
    setup: list[Stored | SignedUp] = [ANN, BOB, ROLE, stored("Post", ACL=listed)]
    return Scenario(f"ACL: {name}", request, status, answer, setup=setup)


def no(doing: str) -> Any:
    class Text:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, str) and other.startswith(
                f"Forbidden {doing} by object's ACL., the object id is "
            )

        __hash__ = None  # type: ignore[assignment]  # a matcher is no member of a set

        def __repr__(self) -> str:
            return f"<refusal of {doing}>"

    return {"code": 403, "error": Text()}


POST = "/1.1/classes/Post/{it}"
MALFORMED: list[Any] = [
    [], "x", {"*": True}, {"*": {"delete": True}}, {"*": {"read": "yes"}},
]  # fmt: skip
FOUND = With({"results": [With({"n": 1})]})
EMPTY = With({"results": []})
ACLS = [
    by_acl("get", Sent("GET", POST), 403, no("reading"), ann=ONLY_ANN),
    by_acl("get by bob", Sent("GET", POST, headers=as_user("bob")), 403, no("reading"),
           ann=ONLY_ANN),
    by_acl("get by ann", Sent("GET", POST, headers=as_user("ann")), 200, With({"n": 1}),
           ann=ONLY_ANN),
    by_acl("get by role", Sent("GET", POST, headers=as_user("ann")), 200, With({"n": 1}),
           role_staff={"read": True}),
    by_acl("get by a role one is not in", Sent("GET", POST, headers=as_user("bob")), 403,
           no("reading"), role_staff={"read": True}),
    by_acl("get by master", Sent("GET", POST, headers=MASTER), 200, With({"n": 1})),
    by_acl("get by the engine", Sent("GET", POST, headers=ENGINE), 403, no("reading")),
    by_acl("find", Sent("GET", "/1.1/classes/Post"), 200, EMPTY, ann=ONLY_ANN),
    by_acl("find by ann", Sent("GET", "/1.1/classes/Post", headers=as_user("ann")), 200, FOUND,
           ann=ONLY_ANN),
    by_acl("find by role", Sent("GET", "/1.1/classes/Post", headers=as_user("ann")), 200, FOUND,
           role_staff={"read": True}),
    by_acl("count", Sent("GET", "/1.1/classes/Post", params={"count": "1", "limit": "0"}), 200,
           {"results": [], "count": 0}, ann=ONLY_ANN),
    by_acl("update", Sent("PUT", POST, {"n": 2}), 403, no("writing"), ann=ONLY_ANN),
    by_acl("update of what one may read", Sent("PUT", POST, {"n": 2}, headers=as_user("bob")), 403,
           no("writing"), **{"*": {"read": True}}),
    by_acl("update by ann", Sent("PUT", POST, {"n": 2}, headers=as_user("ann")), 200, ANYTHING,
           ann=ONLY_ANN),
    by_acl("update by role", Sent("PUT", POST, {"n": 2}, headers=as_user("ann")), 200, ANYTHING,
           role_staff={"write": True}),
    by_acl("update of the ACL", Sent("PUT", POST, {"ACL": {"*": {"read": True, "write": True}}}),
           403, no("writing"), **{"*": {"read": True}}),
    by_acl("delete", Sent("DELETE", POST), 403, no("writing"), **{"*": {"read": True}}),
    by_acl("delete by role", Sent("DELETE", POST, headers=as_user("ann")), 200, {},
           role_staff={"write": True}),
    by_acl("a conditional update asks the ACL first",
           Sent("PUT", POST, {"n": 2}, params={"where": {"n": 5}}), 403, no("writing"),
           ann=ONLY_ANN),
    by_acl("forged roles grant nothing", Sent("GET", POST, headers=as_user("bob")), 403,
           no("reading"), **{"role_": ONLY_ANN, "role_*": ONLY_ANN, "staff": ONLY_ANN,
                             "role_Staff": ONLY_ANN, "bob": ONLY_ANN, "_owner": ONLY_ANN}),
    *(Scenario(f"no ACL: {acl}", Sent("POST", "/1.1/classes/Post", {"ACL": acl}), 400, error(123))
      for acl in MALFORMED),
]  # fmt: skip

READ, WRITE = {"read": True}, {"read": True, "write": True}


@pytest.mark.parametrize(
    ("headers", "body", "acl"),
    [
        (as_user("ann"), {"n": 1}, {Id("ann"): WRITE, "*": READ}),
        (CLIENT, {"n": 1}, {"*": READ}),
        (MASTER, {"n": 1}, {"*": READ}),
        ({**MASTER, "X-LC-Session": Token("ann")}, {"n": 1}, {Id("ann"): WRITE, "*": READ}),
        (as_user("ann"), {"n": 1, "ACL": {}}, {}),
        (as_user("ann"), {"n": 1, "ACL": {"_owner": WRITE}}, {"_owner": WRITE}),
    ],
)
async def test_the_owner_in_a_default_acl(
    project: Path, headers: dict[str, Any], body: Any, acl: dict[Any, Any]
) -> None:
    async with running_api(project=project) as api:
        names = await prepare(api, [ANN])
        made = await send(api, Sent("POST", "/1.1/classes/Owned", body, headers), names)
        found = await api.emulator.storage.get("Owned", made.json["objectId"])
        assert found is not None
        assert found["ACL"] == names.resolve(acl)


SECRET = Stored("secret", "Post", {"n": 7, "ACL": {Id("ann"): WRITE}})
OPEN = Stored("open", "Post", {"n": 8})
COMMENT = Stored(
    "comment",
    "Comment",
    {
        "post": point("Post", Id("secret")),
        "all": [point("Post", Id("open")), point("Post", Id("secret"))],
    },
)
SHELF = Stored(
    "shelf",
    "Shelf",
    {
        "posts": add(point("Post", Id("open")), point("Post", Id("secret"))),
        "ACL": {Id("ann"): WRITE},
    },
)
NOTE = Stored("note", "Note", {"n": 7})
POSTS = {"className": "Post", "where": {"n": 7}}
NOTES = {"className": "Note", "where": {"n": 7}}
ON_SHELF = {"$relatedTo": {"object": point("Shelf", Id("shelf")), "key": "posts"}}
BARE = point("Post", Id("secret"))


def reading(name: str, who: str, path: str, status: int, answer: Any, **params: Any) -> Scenario:
    return Scenario(
        f"{name} as {who}",
        Sent("GET", path, headers=PEOPLE[who], params=params),
        status,
        answer,
        setup=[ANN, BOB, SECRET, OPEN, COMMENT, SHELF, NOTE],
    )


COMMENTS, FULL = "/1.1/classes/Comment", With({"n": 7, "__type": "Pointer"})
INDIRECT = [
    reading("include", "bob", COMMENTS, 200, With({"results": [With({"post": BARE})]}),
            include="post"),
    reading("include", "ann", COMMENTS, 200, With({"results": [With({"post": FULL})]}),
            include="post"),
    reading("include of a list", "bob", COMMENTS, 200,
            With({"results": [With({"all": [With({"n": 8}), BARE]})]}), include="all"),
    reading("include in one object", "nobody", COMMENTS + "/{comment}", 200,
            With({"post": BARE}), include="post"),
    reading("a sub-query finds what the reader may", "bob", COMMENTS, 200, {"results": []},
            where={"post": {"$inQuery": POSTS}}),
    reading("a sub-query", "ann", COMMENTS, 200, With({"results": [ANYTHING]}),
            where={"post": {"$inQuery": POSTS}}),
    reading("a sub-query that excludes", "bob", COMMENTS, 200, With({"results": [ANYTHING]}),
            where={"post": {"$notInQuery": POSTS}}),
    reading("a selection", "bob", "/1.1/classes/Note", 403, forbidden("find")),
    reading("a selection of a closed class", "bob", COMMENTS, 403, forbidden("find"),
            where={"n": {"$select": {"query": NOTES, "key": "n"}}}),
    reading("a sub-query of a closed class", "bob", COMMENTS, 403, forbidden("find"),
            where={"post": {"$inQuery": NOTES}}),
    reading("one deep inside", "bob", COMMENTS, 403, forbidden("find"),
            where={"$or": [{"n": 1}, {"post": {"$notInQuery": {
                "className": "Post", "where": {"x": {"$dontSelect": {"query": NOTES, "key": "n"}}}
            }}}]}),
    reading("a sub-query of a closed class", "master", COMMENTS, 200, {"results": []},
            where={"post": {"$inQuery": NOTES}}),
    reading("a relation of an object one may not read", "bob", "/1.1/classes/Post", 200,
            {"results": []}, where=ON_SHELF),
    reading("a relation", "ann", "/1.1/classes/Post", 200,
            With({"results": [With({"n": 7}), With({"n": 8})]}), where=ON_SHELF),
    reading("a relation without a class", "ann", "/1.1/classes/Shelf", 200,
            With({"results": [ANYTHING, ANYTHING]}), where=ON_SHELF,
            redirectClassNameForKey="posts"),
    reading("CQL", "bob", "/1.1/cloudQuery", 200, With({"results": [With({"n": 8})]}),
            cql="select * from Post"),
    reading("CQL with a closed class inside", "bob", "/1.1/cloudQuery", 403, forbidden("find"),
            cql="select * from Post where n in (select n from Note)"),
    reading("scan", "ann", "/1.1/scan/classes/Post", 400, error(1)),
    reading("ACL not asked for", "ann", "/1.1/classes/Post/{secret}", 200, With({}, ("ACL",))),
    reading("ACL asked for", "ann", "/1.1/classes/Post/{secret}", 200,
            With({"ACL": {Id("ann"): WRITE}}), returnACL="true"),
    reading("ACL asked for", "nobody", "/1.1/classes/Post", 200,
            With({"results": [With({"ACL": {"*": WRITE}})]}), returnACL="true"),
]  # fmt: skip

LATER = {"objectId": ANY_ID, "createdAt": ANYTHING}


def batch(*members: tuple[str, str, Any], path: str = "batch", **body: Any) -> Sent:
    requests = [{"method": method, "path": f"/1.1/classes/{at}", "body": given, **body}
                for method, at, given in members]  # fmt: skip
    return Sent("POST", f"/1.1/{path}", {"requests": requests})


BATCHES = [
    Scenario("each member of a batch has its own ruling",
             batch(("POST", "Closed", {}), ("GET", "Closed", None), ("POST", "Post", {"n": 1})),
             200, [{"error": forbidden("create")}, {"error": forbidden("find")},
                   {"success": LATER}], setup=[stored("Closed")]),
    Scenario("a compound save is refused as a whole",
             batch(("POST", "Post", {"n": 5, "__internalId": "a"}),
                   ("POST", "Closed", {"n": 5, "__internalId": "b"}), path="batch/save"),
             403, forbidden("create")),
    Scenario("a compound save that brings a column",
             batch(("POST", "Fixed", {"m": 5, "__internalId": "b"}), path="batch/save"),
             403, forbidden("add_fields")),
]  # fmt: skip


def system(
    name: str, request: Sent, status: int, answer: Any = ANYTHING, *setup: Stored
) -> Scenario:
    return Scenario(f"{request.method} {request.path}: {name}", request, status, answer,
                    setup=[ANN, *setup])  # fmt: skip


DEVICE = Stored("device", "_Installation", {"deviceType": "ios", "deviceToken": "a" * 64, "n": 1})
FILE = Stored("file", "_File", {"name": "a.txt", "url": "http://example.com/a.txt"})
GUARD = error(206, "The user cannot be altered by a client without the session.")


def devices(path: str) -> list[Scenario]:
    one = path + "/{device}"
    return [
        system("closed", Sent("GET", path), 403, forbidden("find"), DEVICE),
        system("count", Sent("GET", path, params={"count": "1", "limit": "0"}), 403,
               forbidden("find"), DEVICE),
        system("by a user", Sent("GET", path, headers=as_user("ann")), 403, forbidden("find")),
        system("by master", Sent("GET", path, headers=MASTER), 200, FOUND, DEVICE),
        system("one", Sent("GET", one), 200, With({"n": 1}), DEVICE),
        system("an update", Sent("PUT", one, {"n": 2}), 200, ANYTHING, DEVICE),
        system("closed", Sent("DELETE", one), 403, forbidden("delete"), DEVICE),
        system("by master", Sent("DELETE", one, headers=MASTER), 200, {}, DEVICE),
    ]  # fmt: skip


SYSTEM = [
    *(
        scenario
        for path in ("/1.1/classes/_Installation", "/1.1/installations")
        for scenario in devices(path)
    ),
    system("files stay as they are", Sent("PUT", "/1.1/classes/_File/{file}", {"name": "b"}), 403,
           forbidden("update"), FILE),
    system("files stay", Sent("DELETE", "/1.1/classes/_File/{file}", headers=as_user("ann")), 403,
           forbidden("delete"), FILE),
    system("by master", Sent("DELETE", "/1.1/classes/_File/{file}", headers=MASTER), 200, {}, FILE),
    system("are found", Sent("GET", "/1.1/classes/_File"), 200, With({"results": [ANYTHING]}),
           FILE),
    system("as a selection", Sent("GET", "/1.1/classes/Post", params={"where": {"x": {"$select": {
        "query": {"className": "_Installation", "where": {}}, "key": "deviceToken"}}}}), 403,
        forbidden("find"), DEVICE, OPEN),
    system("only a user's own", Sent("PUT", "/1.1/classes/_User/{ann}", {"n": 1}), 400, GUARD),
    system("also one that is not there", Sent("PUT", "/1.1/classes/_User/123", {"n": 1}), 400,
           GUARD),
    *(
        system("no class of the platform", Sent(method, f"/1.1/classes/{name}", body), 400,
               error(103))
        for name in ("_Post", "_user", "__User", "_Join")
        for method, body in (("GET", None), ("POST", {"n": 1}))
    ),
]  # fmt: skip

ORDER = [
    Scenario("first the keys", Sent("GET", "/1.1/classes/Closed", headers={}), 401, error(401),
             setup=[stored("Closed")]),
    Scenario("then the class, before the object",
             Sent("PUT", "/1.1/classes/Closed/{it}", {"n": "x"}), 403, forbidden("update"),
             setup=[stored("Closed", ACL={})]),
    Scenario("the object, before the columns", Sent("PUT", POST, {"nid": 5, "n": "x"}), 403,
             no("writing"), setup=[stored("Post", ACL={})]),
    Scenario("a name that no field has comes before all", Sent("PUT", POST, {"$n": 5}), 400,
             error(105), setup=[stored("Post", ACL={})]),
    Scenario("no hook hears of what is refused", Sent("POST", "/1.1/classes/Closed", {"n": 1}), 403,
             forbidden("create"), engine={"Closed.beforeSave": lambda body: body["object"]},
             hooks={"*": 0}),
]  # fmt: skip


@pytest.mark.parametrize(
    "scenario",
    [*REFUSED, *ADDED_COLUMNS, *ACLS, *INDIRECT, *BATCHES, *SYSTEM, *ORDER],
    ids=str,
)
async def test_permissions(scenario: Scenario, project: Path) -> None:
    await run(scenario, project)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Sent("GET", "/1.1/classes/Closed"),
         "class permission find of Closed: for nobody but the master key; "
         "this is nobody, without a session"),
        (Sent("GET", "/1.1/classes/Staff", headers=as_user("bob")),
         "class permission find of Staff: for role:staff; this is bob ({bob}), in the roles fans"),
        (Sent("DELETE", "/1.1/classes/Post/{secret}", headers=as_user("bob")),
         "ACL of Post {secret}: write is for {ann}; this is bob ({bob})"),
        *(
            (Sent(method, "/1.1/users/{ann}" + more, body, headers=as_user("bob")),
             f"session guard of _User: {action} of _User {{ann}} is for its own session; "
             "this is bob ({bob})")
            for method, more, body, action in (
                ("PUT", "", {"n": 1}, "update"),
                ("DELETE", "", None, "delete"),
                ("PUT", "/refreshSessionToken", None, "update"),
                ("PUT", "/updatePassword", {"old_password": "a", "new_password": "b"}, "update"),
            )
        ),
        (Sent("POST", "/1.1/batch/save", {"requests": [
            {"method": "PUT", "path": At("/1.1/classes/_User/{ann}"), "body": {"n": 1}}]}),
         "session guard of _User: update of _User {ann} is for its own session; "
         "this is nobody, without a session"),
        (Sent("POST", "/1.1/requestChangePhoneNumber", {"mobilePhoneNumber": "13800000000"}),
         "session guard of _User: update of _User is for its own session; "
         "this is nobody, without a session"),
        (Sent("PUT", "/1.1/users/{ann}/friendship/{bob}", {"n": 1}, headers=as_user("bob")),
         "session guard of _User: update of _User {ann} is for its own session; "
         "this is bob ({bob})"),
        (Sent("DELETE", "/1.1/subscribe/statuses/inbox", {
            "owner": point("_User", Id("ann")), "messageId": 1}, headers=as_user("bob")),
         "ACL of status inbox default of _User {ann}: write is for {ann}; this is bob ({bob})"),
        (Sent("GET", "/1.1/classes/Post", params={"where": {"n": {"$select": {
            "query": NOTES, "key": "n"}}}}, headers=as_user("ann")),
         "class permission find of Note: for nobody but the master key; "
         "this is ann ({ann})"),
        (Sent("GET", "/1.1/classes/Post/{jobs}", headers=as_user("bob")),
         "ACL of Post {jobs}: read is for role:staff; this is bob ({bob}), in the roles fans"),
    ],
)  # fmt: skip
async def test_the_trace_says_which_rule_refused(project: Path, request_: Sent, words: str) -> None:
    async with running_api(project=project) as api:
        fans = {"name": "fans", "ACL": {}, "users": add(point("_User", Id("bob")))}
        staff_only = Stored("jobs", "Post", {"ACL": {"role:staff": WRITE}})
        made: list[Stored | SignedUp] = [ANN, BOB, ROLE, SECRET, NOTE, staff_only]
        names = await prepare(api, [*made, Stored("fans", "_Role", fans)])
        answer = await send(api, request_, names)
        newest = api.emulator.log.traces()[0]
        assert answer.status in (400, 403)
        assert newest.detail["refused_by"] == names.path(words)
        assert newest.detail["error"]["hint"]["en"].startswith("Refused by ")
        assert names.path(words) in newest.detail["error"]["hint"]["en"]
        assert newest.detail["error"]["hint"]["zh"].startswith("被拒绝")
        assert "Refused" not in answer.body.decode()


async def test_a_batch_says_it_at_the_member(project: Path) -> None:
    async with running_api(project=project) as api:
        await api.create("Closed", n=1)
        await api("POST", "/1.1/batch", {"requests": [
            {"method": "GET", "path": "/1.1/classes/Post"},
            {"method": "GET", "path": "/1.1/classes/Closed"},
        ]})  # fmt: skip
        traces = await api("GET", "/__emu/traces", headers=MASTER)
        one, other = traces.json["results"][-1]["children"]
        rule = "class permission find of Closed: for nobody but the master key; "
        assert "refusedBy" not in one
        assert other["refusedBy"] == f"{rule}this is nobody, without a session"
        assert other["error"]["hint"]["en"].startswith(f"Refused by {rule}")


async def test_what_is_allowed_names_no_rule(project: Path) -> None:
    async with running_api(project=project) as api:
        names = await prepare(api, [ANN, ROLE, stored("Staff")])
        answer = await send(api, Sent("GET", "/1.1/classes/Staff", headers=as_user("ann")), names)
        assert answer.status == 200
        assert "refused_by" not in api.emulator.log.traces()[0].detail


CLOSED_ACCOUNTS = {"create": {}, "find": {}, "get": {"onlySignInUsers": True}}
NEW_USER = {"username": "new", "password": PASSWORD}


def account(name: str, request: Sent, status: int, answer: Any = ANYTHING) -> Scenario:
    return Scenario(f"closed accounts: {name}", request, status, answer, setup=[ANN, BOB, OPEN])


ACCOUNTS = [
    account("sign-up", Sent("POST", "/1.1/users", NEW_USER), 403, forbidden("create")),
    account("sign-up by the class", Sent("POST", "/1.1/classes/_User", NEW_USER), 403,
            forbidden("create")),
    account("sign-up by another platform",
            Sent("POST", "/1.1/users", {"authData": {"github": {"uid": "1"}}}), 403,
            forbidden("create")),
    account("sign-up by master", Sent("POST", "/1.1/users", NEW_USER, headers=MASTER), 201),
    account("log-in", Sent("POST", "/1.1/login", {"username": "ann", "password": PASSWORD}), 200),
    account("who am I", Sent("GET", "/1.1/users/me", headers=as_user("ann")), 200),
    account("query", Sent("GET", "/1.1/users", headers=as_user("ann")), 403, forbidden("find")),
    account("query by the class", Sent("GET", "/1.1/classes/_User"), 403, forbidden("find")),
    account("query by CQL", Sent("GET", "/1.1/cloudQuery", params={"cql": "select * from _User"}),
            403, forbidden("find")),
    account("query by master", Sent("GET", "/1.1/users", headers=MASTER), 200),
    account("one", Sent("GET", "/1.1/users/{ann}"), 403, forbidden("get")),
    account("one by who is signed in", Sent("GET", "/1.1/users/{ann}", headers=as_user("bob")),
            200),
    account("oneself", Sent("PUT", "/1.1/users/{ann}", {"n": 1}, headers=as_user("ann")), 200),
]  # fmt: skip


@pytest.mark.parametrize("scenario", ACCOUNTS, ids=str)
async def test_permissions_of_accounts(scenario: Scenario, tmp_path: Path) -> None:
    (tmp_path / "schema").mkdir()
    content = {"schema": {}, "permissions": CLOSED_ACCOUNTS}
    (tmp_path / "schema" / "_User.schema.json").write_text(json.dumps(content))
    await run(scenario, tmp_path)
