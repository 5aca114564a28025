"""File records and uploads over REST (storage.md 8)."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.fake_engine import FakeEngine, refuse
from tests.support.file_client import PNG, announce, call_back, exchange, upload
from tests.support.matchers import ANY_DATE, ANY_ID, Looks, With, error
from tests.support.scenario import PASSWORD, Id, Scenario, Sent, SignedUp, Stored, Token, run

ANY_KEY = Looks("a key", r"[0-9a-z]{40}\.png")
ANY_FILE_URL = Looks("a file's address", r"http://127\.0\.0\.1:\d+/__files/[0-9a-z]{40}\.png")
ANY_UPLOAD_URL = Looks(
    "an upload's address",
    r"http://127\.0\.0\.1:\d+/__upload/[0-9a-f]{24}\?token=upload-[0-9a-z]{40}",
)
TOKENS = {
    "objectId": ANY_ID,
    "createdAt": ANY_DATE,
    "key": ANY_KEY,
    "url": ANY_FILE_URL,
    "token": Looks("a token", "upload-[0-9a-z]{40}"),
    "upload_url": ANY_UPLOAD_URL,
    "provider": "s3",
    "bucket": "lean-emu",
    "mime_type": "image/png",
    "name": "a.png",
    "metaData": {},
}
ANN = SignedUp("ann")
NOT_FOUND = error(404)


def tokens(name: str, body: Any, expected: Any, status: int = 201, **more: Any) -> Scenario:
    return Scenario(
        f"fileTokens: {name}", Sent("POST", "/1.1/fileTokens", body, **more), status, expected
    )


def key_like(pattern: str) -> Any:
    return With({"key": Looks(pattern, pattern)})


META = {"size": 5, "owner": "me", "_checksum": "abc", "own": {"deep": [1, None]}}
SENT_KEY = "0123456789abcdefghijABCDEFGHIJ0123456789.png"
TOKEN_CASES = [
    tokens("all fields", {"name": "a.png"}, TOKENS),
    Scenario("fileTokens: has a location", Sent("POST", "/1.1/fileTokens", {"name": "a.png"}), 201,
             headers={"Location": Looks("a path", r"/1\.1/classes/_File/[0-9a-f]{24}")}),
    tokens("what SDKs send for nothing",
           {"name": "a.png", "ACL": None, "mime_type": None, "metaData": None, "key": None,
            "keep_file_name": None, "prefix": None, "__type": "File"}, TOKENS),
    tokens("metaData comes back", {"name": "a.png", "metaData": META},
           {**TOKENS, "metaData": META}),
    tokens("the client's media type wins", {"name": "a.png", "mime_type": "text/x-own; charset=a"},
           With({"mime_type": "text/x-own; charset=a"})),
    tokens("a media type that is none", {"name": "a.txt", "mime_type": "a\r\nX-Evil: 1"},
           With({"mime_type": "text/plain"})),
    tokens("an extension nobody knows", {"name": "a.q9z"},
           With({"mime_type": "application/octet-stream"})),
    tokens("no name at all", {}, With({"name": Looks("the key", "[0-9a-z]{40}"), "key":
                                       Looks("a key", "[0-9a-z]{40}")})),
    tokens("a name without extension", {"name": "README"}, key_like("[0-9a-z]{40}")),
    tokens("an extension of strange signs", {"name": "a.p/n?g"}, key_like("[0-9a-z]{40}")),
    tokens("keep_file_name", {"name": "a b.png", "keep_file_name": True},
           With({"key": Looks("a key", "[0-9a-z]{40}/a b.png"),
                 "url": Looks("an address", r"http://[^ ]*/__files/[0-9a-z]{40}/a%20b\.png")})),
    tokens("keep_file_name with a path in it",
           {"name": "../../etc/passwd\0", "keep_file_name": True},
           key_like(r"[0-9a-z]{40}/\.\._\.\._etc_passwd_")),
    tokens("keep_file_name with dots", {"name": "..", "keep_file_name": True},
           key_like("[0-9a-z]{40}/__")),
    tokens("keep_file_name in Chinese", {"name": "影评.png", "keep_file_name": True},
           With({"name": "影评.png", "key": Looks("a key", "[0-9a-z]{40}/影评.png")})),
    tokens("prefix", {"name": "a.png", "prefix": "avatars/2026"},
           key_like(r"avatars/2026/[0-9a-z]{40}\.png")),
    tokens("prefix that climbs", {"name": "a.png", "prefix": "/../../x\\y/./"},
           key_like(r"__/__/x_y/_/[0-9a-z]{40}\.png")),
    tokens("a key of forty signs", {"key": SENT_KEY}, With({"key": SENT_KEY, "name": SENT_KEY})),
    tokens("another key", {"key": "mine.png"}, error(
        1, "Unsupported file key. Please use masterKey to set file key."), 400),
    tokens("another key with the master key", {"key": "folder/mine.png"},
           With({"key": "folder/mine.png", "mime_type": "image/png"}), headers=MASTER),
    *(tokens(f"master key, {key!r}", {"key": key}, error(1), 400, headers=MASTER)
      for key in ("../x", "/x", "a//b", "a/../b", "a\0b", "a\\b", "x/", "", 5, "k" * 1025)),
    tokens("a name that is no text", {"name": 5}, error(122), 400),
    tokens("a name too long", {"name": "n" * 1025}, error(122), 400),
    tokens("metaData that is no object", {"name": "a", "metaData": "x"}, error(1), 400),
    tokens("metaData with a dollar", {"name": "a", "metaData": {"$x": 1}}, error(121), 400),
    tokens("malformed ACL", {"name": "a", "ACL": {"*": {"fly": True}}}, error(123), 400),
    tokens("a body that is no object", "x", error(107), 400),
    tokens("no credentials", {"name": "a"}, error(401), 401, headers={}),
    Scenario("fileTokens: the owner", Sent("POST", "/1.1/fileTokens", {"name": "a"},
             {**CLIENT, "X-LC-Session": Token("ann")}), 201,
             With({"metaData": {"owner": Id("ann")}}), setup=[ANN]),
    Scenario("fileTokens: too large by its own account",
             Sent("POST", "/1.1/fileTokens", {"name": "a", "metaData": {"size": 2001}}), 413,
             error(413), settings={"max_file_bytes": 2000}),
]  # fmt: skip

EXTERNAL = {"name": "logo.png", "url": "https://example.com/logo.png"}
OUTSIDE = Stored("outside", "_File", {**EXTERNAL, "metaData": {"size": 0}})
ROW = {
    "objectId": Id("outside"),
    **EXTERNAL,
    "key": ANY_KEY,
    "bucket": None,
    "mime_type": "image/png",
    "metaData": {"size": 0},
    "createdAt": ANY_DATE,
    "updatedAt": ANY_DATE,
}


def on_file(name: str, method: str, path: str, status: int, body: Any, **more: Any) -> Scenario:
    request: dict[str, Any] = {k: more.pop(k) for k in ("headers", "params") if k in more}
    request["body"] = more.pop("sent", None)
    return Scenario(
        f"{method}: {name}", Sent(method, path, **request), status, body, setup=[OUTSIDE], **more
    )


RECORDS = [
    *(Scenario(f"external by {path}", Sent("POST", f"/1.1/{path}", EXTERNAL), 201,
               {"objectId": ANY_ID, "createdAt": ANY_DATE}) for path in ("files", "classes/_File")),
    Scenario("external without an address", Sent("POST", "/1.1/files", {"name": "x"}), 400,
             error(1)),
    Scenario("external with an address that is no text",
             Sent("POST", "/1.1/files", {"name": "x", "url": 5}), 400, error(1)),
    on_file("by id", "GET", "/1.1/files/{outside}", 200, ROW),
    on_file("by class and id", "GET", "/1.1/classes/_File/{outside}", 200, ROW),
    on_file("keys", "GET", "/1.1/files/{outside}?keys=url", 200,
            {key: ROW[key] for key in ("objectId", "url", "createdAt", "updatedAt")}),
    *(on_file(f"query of {path}", "GET", f"/1.1/{path}", 200, {"results": [ROW]},
              params={"where": {"name": "logo.png"}})
      for path in ("files", "classes/files", "classes/_File")),
    on_file("by the stored address", "GET", "/1.1/files", 200, {"results": [ROW]},
            params={"where": {"url": EXTERNAL["url"]}}),
    on_file("with its ACL", "GET", "/1.1/files/{outside}?returnACL=true", 200,
            {**ROW, "ACL": {"*": {"read": True, "write": True}}}),
    *(on_file(f"by a client, {path}", "DELETE", path, 403, error(403), after={"outside": With({})})
      for path in ("/1.1/files/{outside}", "/1.1/classes/_File/{outside}")),
    *(on_file(f"by master, {path}", "DELETE", path, 200, {}, headers=MASTER,
              after={"outside": None})
      for path in ("/1.1/files/{outside}", "/1.1/classes/_File/{outside}")),
    on_file("by a client", "PUT", "/1.1/files/{outside}", 403, error(403), sent={"name": "b"}),
    on_file("by a client, as a class", "PUT", "/1.1/classes/_File/{outside}", 403, error(403),
            sent={"url": "https://evil.example"}, after={"outside": With({"name": "logo.png"})}),
    on_file("by master", "PUT", "/1.1/files/{outside}", 200, With({"updatedAt": ANY_DATE}),
            sent={"metaData": {"a": 1}}, headers=MASTER,
            after={"outside": With({"metaData": {"a": 1}})}),
    on_file("censor", "POST", "/1.1/files/{outside}/censor", 200, {"censorResult": "pass"},
            headers=MASTER),
    on_file("censor by a client", "POST", "/1.1/files/{outside}/censor", 400, error(1)),
    on_file("censor of nothing", "POST", "/1.1/files/0123456789abcdef01234567/censor", 400,
            error(101), headers=MASTER),
    on_file("unknown token", "POST", "/1.1/fileCallback", 200, {},
            sent={"token": "x", "result": False}),
    on_file("no token", "POST", "/1.1/fileCallback", 200, {}, sent={}),
    on_file("a token that is no text", "POST", "/1.1/fileCallback", 200, {}, sent={"token": [1]}),
]  # fmt: skip


@pytest.mark.parametrize("scenario", [*TOKEN_CASES, *RECORDS], ids=str)
async def test_scenario(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


async def test_an_upload_from_token_to_download(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api, metaData={"size": len(PNG)})
        got = await exchange("GET", tokens["url"])
        assert (got.status, got.body) == (200, PNG)
        assert got.headers["Content-Type"] == "image/png"
        row = (await api("GET", f"/1.1/files/{tokens['objectId']}")).json
        assert row == {
            **{name: tokens[name] for name in ("objectId", "name", "key", "url", "bucket")},
            "mime_type": "image/png",
            "metaData": {"size": len(PNG)},
            "createdAt": tokens["createdAt"],
            "updatedAt": ANY_DATE,
        }


async def test_the_record_is_there_before_the_content(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await announce(api)
        assert (await api("GET", f"/1.1/files/{tokens['objectId']}")).json["url"] == tokens["url"]
        assert (await exchange("GET", tokens["url"])).status == 404


async def test_a_failed_upload_takes_its_record_along(tmp_path: Path) -> None:
    engine = FakeEngine({"_File.beforeDelete": lambda _: {}, "_File.afterDelete": lambda _: {}})
    async with running_api(engine, project=tmp_path) as api:
        tokens = await announce(api)
        await exchange("PUT", tokens["upload_url"], PNG)
        await call_back(api, tokens["token"], result=False)
        assert (await api("GET", f"/1.1/files/{tokens['objectId']}")).json == {}
        assert (await exchange("GET", tokens["url"])).status == 404
        assert engine.fired() == []


async def test_the_callback_counts_once(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        await call_back(api, tokens["token"], result=False)
        assert (await exchange("GET", tokens["url"])).body == PNG


async def test_an_empty_file_needs_no_upload(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        skipped = await announce(api, metaData={"size": 0})
        await call_back(api, skipped["token"])
        sent = await upload(api, b"")
        for tokens in (skipped, sent):
            got = await exchange("GET", tokens["url"])
            assert (got.status, got.body) == (200, b"")


async def test_a_file_that_never_came_has_no_content(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await announce(api, metaData={"size": 5})
        await call_back(api, tokens["token"])
        assert (await exchange("GET", tokens["url"])).status == 404
        assert (await api("GET", f"/1.1/files/{tokens['objectId']}")).json["url"] == tokens["url"]


async def test_deleting_removes_the_content(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        path = f"/1.1/files/{tokens['objectId']}"
        refused = await api("DELETE", path)
        assert (refused.status, refused.json) == (403, error(403))
        assert (await exchange("GET", tokens["url"])).body == PNG
        assert (await api("DELETE", path, headers=MASTER)).json == {}
        assert (await exchange("GET", tokens["url"])).status == 404
        assert await api.emulator.blobs.content(tokens["objectId"]) is None


async def test_several_are_deleted_in_a_batch(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        first, second = await upload(api), await upload(api)
        path = f"/1.1/classes/_File/{first['objectId']},{second['objectId']}"
        requests = [{"method": "DELETE", "path": path}]
        answer = await api("POST", "/1.1/batch", {"requests": requests}, headers=MASTER)
        assert answer.json == [{"success": {}}]
        assert (await exchange("GET", first["url"])).status == 404
        assert (await exchange("GET", second["url"])).status == 404


async def test_a_schema_may_open_deletion(tmp_path: Path) -> None:
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "_File.json").write_text(
        '{"schema": {}, "permissions": {"delete": {"*": true}}, "indexes": []}'
    )
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        assert (await api("DELETE", f"/1.1/files/{tokens['objectId']}")).status == 200


async def test_nobody_takes_the_address_of_another_file(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        again = await api("POST", "/1.1/fileTokens", {"key": tokens["key"]})
        assert (again.status, again.json) == (400, error(137))
        assert (await exchange("GET", tokens["url"])).body == PNG


async def test_no_compound_save_takes_the_address_of_a_file(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        api.clock.advance(1)
        body = {"__internalId": "x", "name": "mine", "key": tokens["key"], "bucket": "lean-emu"}
        request = {"method": "POST", "path": "/1.1/classes/_File", "body": body}
        answer = await api("POST", "/1.1/batch/save", {"requests": [request]})
        assert answer.status == 200
        made = (await api("GET", f"/1.1/files/{answer.json['x']['objectId']}")).json
        assert made == With({"name": "mine"}, without=("key", "bucket", "url"))
        assert (await exchange("GET", tokens["url"])).body == PNG


async def test_the_master_key_may_replace_a_file(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        api.clock.advance(1)
        newer = await upload(api, b"newer", headers=MASTER, key=tokens["key"])
        assert newer["url"] == tokens["url"]
        assert (await exchange("GET", tokens["url"])).body == b"newer"


async def test_an_acl_hides_the_record_and_not_the_content(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api, ACL={})
        assert (await api("GET", f"/1.1/files/{tokens['objectId']}")).status == 403
        assert (await api("GET", "/1.1/files")).json == {"results": []}
        assert (await exchange("GET", tokens["url"])).body == PNG


async def test_hooks_of_files_fire(tmp_path: Path) -> None:
    def tagged(call: dict[str, Any]) -> Any:
        return {**call["object"], "metaData": {"tagged": True}}

    engine = FakeEngine({"_File.beforeSave": tagged, "_File.afterSave": lambda _: {}})
    async with running_api(engine, project=tmp_path) as api:
        tokens = await upload(api)
        await api.settle()
        assert engine.fired() == ["_File.beforeSave", "_File.afterSave"]
        assert tokens["metaData"] == {"tagged": True}
        before, after = (received.json["object"] for received in engine.received)
        assert "url" not in before
        assert after["url"] == tokens["url"]


async def test_a_hook_may_refuse_a_file(tmp_path: Path) -> None:
    engine = FakeEngine({"_File.beforeSave": lambda _: refuse("no files today")})
    async with running_api(engine, project=tmp_path) as api:
        answer = await api("POST", "/1.1/fileTokens", {"name": "a"})
        assert answer.json["code"] == 142


async def test_reset_forgets_contents(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens, open_one = await upload(api), await announce(api)
        await api.emulator.reset()
        assert await api.emulator.blobs.content(tokens["objectId"]) is None
        assert (await exchange("PUT", open_one["upload_url"], b"x")).status == 403


ENCODED = {"base64": base64.b64encode(PNG).decode(), "_ContentType": "image/png"}
TUNNELLED = {
    **ENCODED,
    "_ApplicationId": CLIENT["X-LC-Id"],
    "_ApplicationKey": CLIENT["X-LC-Key"],
}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (CLIENT, json.dumps(ENCODED).encode()),
        ({"Content-Type": "text/plain"}, json.dumps(TUNNELLED).encode()),
        ({**CLIENT, "Content-Type": "image/png"}, PNG),
        ({**CLIENT, "Content-Type": "text/plain"}, PNG),
        ({**CLIENT, "Content-Type": "application/octet-stream"}, PNG),
    ],
    ids=["base64", "tunnel", "bytes", "bytes as text", "bytes of no type"],
)
async def test_the_old_direct_upload(tmp_path: Path, headers: dict[str, str], body: bytes) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("POST", "/1.1/files/old.png", headers=headers, raw=body)
        assert answer.status == 201, answer.json
        assert answer.json == {
            "objectId": ANY_ID,
            "createdAt": ANY_DATE,
            "name": "old.png",
            "bucket": "lean-emu",
            "url": ANY_FILE_URL,
            "size": len(PNG),
        }
        assert (await exchange("GET", answer.json["url"])).body == PNG


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("old.png", {"base64": "no base64!"}, error(1)),
        ("old.png", {}, error(1)),
        ("bad%20name.png", {"base64": ""}, error(122)),
        ("n" * 37, {"base64": ""}, error(122)),
        ("..%2Fx", {"base64": ""}, error(122)),
    ],
)
async def test_direct_uploads_that_are_refused(
    tmp_path: Path, name: str, body: Any, expected: Any
) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("POST", f"/1.1/files/{name}", body)
        assert (answer.status, answer.json) == (400, expected)
        assert (await api("GET", "/1.1/files")).json == {"results": []}


async def test_addresses_can_begin_with_another_host(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, file_url="http://192.168.1.5:3000/") as api:
        tokens = await announce(api)
        assert tokens["url"].startswith("http://192.168.1.5:3000/__files/")
        assert tokens["upload_url"].startswith("http://192.168.1.5:3000/__upload/")


async def stub_of(api: Api, object_id: str, **fields: Any) -> str:
    return await api.create("Post", **fields, cover={"__type": "File", "id": object_id})


async def test_files_in_columns_come_with_their_address(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        reference = {"__type": "File", "id": tokens["objectId"], "name": "other", "url": "x"}
        created = await api(
            "POST",
            "/1.1/classes/Post?fetchWhenSave=true",
            {"cover": reference, "all": [reference, {"deep": reference}, 1]},
        )
        row = (await api("GET", f"/1.1/files/{tokens['objectId']}")).json
        file = {"__type": "File", **row}
        shown = {"cover": file, "all": [file, {"deep": file}, 1]}
        assert created.json == With(shown)
        post = created.json["objectId"]
        assert (await api("GET", f"/1.1/classes/Post/{post}")).json == With(shown)
        assert (await api("GET", "/1.1/classes/Post")).json["results"] == [With(shown)]
        keys = await api("GET", f"/1.1/classes/Post/{post}?keys=cover&include=cover")
        assert keys.json["cover"] == file
        holder = await api.create(
            "Holder", post={"__type": "Pointer", "className": "Post", "objectId": post}
        )
        included = await api("GET", f"/1.1/classes/Holder/{holder}?include=post")
        assert included.json["post"] == With(shown)
        assert await api.emulator.storage.get("Post", post) == With(
            {"cover": {"__type": "File", "id": tokens["objectId"]}}
        )


async def test_files_in_updates_and_queries(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        first, second = await upload(api), await upload(api)
        post = await stub_of(api, first["objectId"])
        reference = {"__type": "File", "id": second["objectId"]}
        updated = await api("PUT", f"/1.1/classes/Post/{post}?new=true", {"cover": reference})
        assert updated.json["cover"]["url"] == second["url"]
        found = await api("GET", "/1.1/classes/Post", where={"cover": reference})
        assert [row["objectId"] for row in found.json["results"]] == [post]


async def test_pointers_to_files_are_included(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        pointer = {"__type": "Pointer", "className": "_File", "objectId": tokens["objectId"]}
        post = await api.create("Post", file=pointer)
        included = await api("GET", f"/1.1/classes/Post/{post}?include=file")
        assert included.json["file"] == With({**pointer, "url": tokens["url"]})


async def test_a_file_that_is_gone_or_hidden_has_no_address(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        hidden, gone = await upload(api, ACL={}), await upload(api)
        await api("DELETE", f"/1.1/files/{gone['objectId']}", headers=MASTER)
        for tokens, seen_by_master in ((hidden, hidden["url"]), (gone, "")):
            object_id = tokens["objectId"]
            post = await stub_of(api, object_id)
            nowhere = {"__type": "File", "id": object_id, "objectId": object_id}
            cover = (await api("GET", f"/1.1/classes/Post/{post}")).json["cover"]
            assert cover == {**nowhere, "name": "", "url": ""}
            assert (await api.read("Post", post))["cover"]["url"] == seen_by_master


async def test_hooks_get_whole_files_and_store_references(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": lambda call: call["object"]})
    async with running_api(engine, project=tmp_path) as api:
        tokens = await upload(api, ACL={})
        post = await stub_of(api, tokens["objectId"])
        (received,) = engine.received
        assert received.json["object"]["cover"]["url"] == tokens["url"]
        stored = await api.emulator.storage.get("Post", post)
        assert stored == With({"cover": {"__type": "File", "id": tokens["objectId"]}})


async def test_users_sign_in_with_their_files(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        avatar = {"__type": "File", "id": tokens["objectId"]}
        credentials = {"username": "ann", "password": PASSWORD}
        made = await api("POST", "/1.1/users", {**credentials, "avatar": avatar})
        own = {**CLIENT, "X-LC-Session": made.json["sessionToken"]}
        answers = [
            made,
            await api("POST", "/1.1/login", credentials),
            await api("GET", "/1.1/users/me", headers=own),
            await api("GET", f"/1.1/users/{made.json['objectId']}"),
            await api(
                "PUT", f"/1.1/users/{made.json['objectId']}/refreshSessionToken", headers=own
            ),
        ]
        assert [answer.json["avatar"]["url"] for answer in answers] == [tokens["url"]] * 5


async def test_hooks_get_the_files_of_who_acts(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": lambda call: call["object"]})
    async with running_api(engine, project=tmp_path) as api:
        tokens = await upload(api)
        avatar = {"__type": "File", "id": tokens["objectId"]}
        credentials = {"username": "ann", "password": PASSWORD, "avatar": avatar}
        made = await api("POST", "/1.1/users", credentials)
        own = {**CLIENT, "X-LC-Session": made.json["sessionToken"]}
        assert (await api("POST", "/1.1/classes/Post", {}, headers=own)).status == 201
        (received,) = engine.received
        assert received.json["user"]["avatar"]["url"] == tokens["url"]
