"""Contents over HTTP: who may upload, what is left of what went wrong, how files are served."""

import asyncio
import base64
import hashlib
import json
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import pytest

from lean_emulator.base.trace import Span
from lean_emulator.base.trace_view import summary, tree
from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.file_client import PNG, announce, call_back, exchange, upload
from tests.support.matchers import With, error
from tests.support.scenario import check_traces

REFUSED = error(403)


def told(body: bytes) -> Any:
    return json.loads(body)


async def nothing_stored(api: Api, tokens: Mapping[str, Any]) -> None:
    assert (await exchange("GET", tokens["url"])).status == 404
    assert await api.emulator.blobs.content(tokens["objectId"]) is None


async def test_an_upload_needs_its_token(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens, other = await announce(api), await announce(api)
        path = tokens["upload_url"].partition("?")[0]
        wrong = ["", "?token=", "?token=" + "0" * 40, f"?token={other['token']}", "?token=%00"]
        for query in wrong:
            answer = await exchange("PUT", path + query, PNG)
            assert (answer.status, told(answer.body)) == (403, REFUSED)
        unknown = f"{path[:-24]}{'0' * 24}?token={tokens['token']}"
        assert (await exchange("PUT", unknown, PNG)).status == 403
        await nothing_stored(api, tokens)


async def test_a_token_ends_with_the_callback(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        again = await exchange("PUT", tokens["upload_url"], b"other")
        assert (again.status, told(again.body)) == (403, REFUSED)
        assert (await exchange("GET", tokens["url"])).body == PNG


async def test_a_token_ends_after_an_hour(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await announce(api)
        api.clock.advance(3599)
        in_time = await announce(api)
        api.clock.advance(1)
        assert (await exchange("PUT", tokens["upload_url"], PNG)).status == 403
        assert (await exchange("PUT", in_time["upload_url"], PNG)).status == 200
        api.clock.advance(3600)
        await announce(api)
        # the record of what never came goes, that of what came without a callback stays
        assert (await api("GET", f"/1.1/files/{tokens['objectId']}")).json == {}
        assert (await exchange("GET", in_time["url"])).body == PNG


async def test_an_upload_may_be_repeated_until_the_callback(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await announce(api)
        for data in (b"first", b"second"):
            assert (await exchange("PUT", tokens["upload_url"], data)).status == 200
        await call_back(api, tokens["token"])
        assert (await exchange("GET", tokens["url"])).body == b"second"


async def test_chunked_uploads(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield PNG

    async with running_api(project=tmp_path) as api:
        tokens = await announce(api)
        assert (await exchange("PUT", tokens["upload_url"], pieces())).status == 200
        assert (await exchange("GET", tokens["url"])).body == PNG * 10


async def broken_off(api: Api, request: bytes) -> None:
    """Send bytes and close the connection after them."""
    _, writer = await asyncio.open_connection("127.0.0.1", api.emulator.api_port)
    writer.write(request)
    writer.close()
    await writer.wait_closed()


async def until(condition: Callable[[], bool]) -> None:
    """Let the server run until the condition holds, for 5 seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the server has no event to wait for
            await asyncio.sleep(0.001)


def uploads_of(api: Api) -> list[Span]:
    return [s for s in api.emulator.log.traces() if s.title.startswith("PUT /__upload")]


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 700000\r\n\r\n" + b"x" * 600_000,
        b"Content-Length: 1000\r\n\r\n" + b"x" * 10,
        b"Content-Length: 10\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
    ],
    ids=["large", "small", "nothing", "chunked"],
)
async def test_a_truncated_upload_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rest: bytes
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with running_api(project=tmp_path) as api:
        tokens = await announce(api)
        target = tokens["upload_url"].partition("/__upload")
        line = f"PUT /__upload{target[2]} HTTP/1.1\r\nHost: x\r\n".encode()
        await broken_off(api, line + rest)
        await until(lambda: any(span.ended is not None for span in uploads_of(api)))
        assert [(span.outcome, span.status) for span in uploads_of(api)] == [("rejected", 400)]
        await nothing_stored(api, tokens)
        assert left_over(tmp_path) == []
        # the client may try again
        assert (await exchange("PUT", tokens["upload_url"], PNG)).status == 200


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("lean-emu-files-*/*")]


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_oversized_upload_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = b"x" * 600_001

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(data), 50_000):
            yield data[at : at + 50_000]

    async with running_api(project=tmp_path, max_file_bytes=600_000) as api:
        tokens = await announce(api)
        answer = await exchange("PUT", tokens["upload_url"], pieces() if chunked else data)
        assert (answer.status, told(answer.body)) == (413, error(413))
        await nothing_stored(api, tokens)
        assert left_over(tmp_path) == []
        assert (await exchange("PUT", tokens["upload_url"], data[:-1])).status == 200


async def test_a_client_that_waits_to_be_invited(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await announce(api)
        async with aiohttp.ClientSession() as session:
            sending = session.put(tokens["upload_url"], data=PNG, expect100=True)
            async with sending as response:
                assert response.status == 200
        assert (await exchange("GET", tokens["url"])).body == PNG


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 404), ("DELETE", 404), ("PATCH", 404), ("POST", 400)]
)
async def test_other_ways_to_upload(tmp_path: Path, method: str, status: int) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await announce(api)
        assert (await exchange(method, tokens["upload_url"], b"x")).status == status


def form(**fields: bytes | str) -> aiohttp.FormData:
    """A multipart form in the order of its fields; bytes are the file."""
    made = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        if isinstance(value, bytes):
            made.add_field(name, value, filename="a.png", content_type="image/png")
        else:
            made.add_field(name, value)
    return made


async def test_qiniu_forms(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, file_provider="qiniu") as api:
        for order in (["token", "key", "file"], ["file", "name", "key", "token"]):
            tokens = await announce(api)
            assert tokens["provider"] == "qiniu"
            assert "?" not in tokens["upload_url"]
            values = {"token": tokens["token"], "key": tokens["key"], "file": PNG, "name": "a.png"}
            sent = form(**{name: values[name] for name in order})
            answer = await exchange("POST", tokens["upload_url"], sent)
            hashed = hashlib.md5(PNG).hexdigest()
            assert (answer.status, told(answer.body)) == (
                200,
                {"key": tokens["key"], "hash": hashed},
            )
            await call_back(api, tokens["token"])
            assert (await exchange("GET", tokens["url"])).body == PNG


async def test_qcloud_forms(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, file_provider="qcloud") as api:
        by_header, by_query = await announce(api), await announce(api)
        sent = form(op="upload", filecontent=PNG)
        first = await exchange(
            "POST", by_header["upload_url"], sent, Authorization=by_header["token"]
        )
        sent = form(fileContent=PNG, op="upload")
        address = f"{by_query['upload_url']}?sign={by_query['token']}"
        second = await exchange("POST", address, sent)
        for tokens, answer in ((by_header, first), (by_query, second)):
            assert (answer.status, told(answer.body)) == (200, With({"code": 0}))
            assert (await exchange("GET", tokens["url"])).body == PNG


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"file": PNG}, 403),
        ({"file": PNG, "token": "0" * 40}, 403),
        ({"token": "TOKEN"}, 400),
        ({"token": "TOKEN", "key": "other", "file": PNG}, 400),
        ({"token": "TOKEN", "x": "y" * 17_000, "file": PNG}, 400),
        ({"token": "TOKEN", "file": PNG * 100}, 413),
    ],
)
async def test_forms_that_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], status: int
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with running_api(project=tmp_path, file_provider="qiniu", max_file_bytes=500_000) as api:
        tokens = await announce(api)
        given = {n: tokens["token"] if v == "TOKEN" else v for n, v in fields.items()}
        answer = await exchange("POST", tokens["upload_url"], form(**given))
        assert (answer.status, told(answer.body)) == (
            status,
            error(413 if status == 413 else 403 if status == 403 else 1),
        )
        await nothing_stored(api, tokens)
        assert left_over(tmp_path) == []


def urlsafe(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


async def test_qiniu_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first, second = PNG * 40, b"the rest"
    async with running_api(project=tmp_path, file_provider="qiniu") as api:
        tokens = await announce(api)
        key = urlsafe(tokens["key"])
        base = f"{tokens['upload_url']}/buckets/{tokens['bucket']}/objects/{key}/uploads"
        allowed = {"Authorization": f"UpToken {tokens['token']}"}
        begun = told((await exchange("POST", base, **allowed)).body)
        parts = []
        for number, data in ((2, second), (1, first)):
            address = f"{base}/{begun['uploadId']}/{number}"
            part = told((await exchange("PUT", address, data, **allowed)).body)
            assert part["md5"] == hashlib.md5(data).hexdigest()
            parts.append({"partNumber": number, "etag": part["etag"]})
        await nothing_stored(api, tokens)
        end = f"{base}/{begun['uploadId']}"
        wrong = [{**parts[0], "etag": "0" * 32}, parts[1]]
        refused = await exchange("POST", end, json.dumps({"parts": wrong}), **allowed)
        assert (refused.status, told(refused.body)) == (400, error(1))
        done = await exchange("POST", end, json.dumps({"parts": parts, "fname": "x"}), **allowed)
        assert told(done.body) == With({"key": tokens["key"]})
        await call_back(api, tokens["token"])
        assert (await exchange("GET", tokens["url"])).body == first + second
        assert len(left_over(tmp_path)) == 1


async def test_qiniu_parts_can_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with running_api(project=tmp_path, file_provider="qiniu") as api:
        tokens = await announce(api)
        base = f"{tokens['upload_url']}/buckets/b/objects/{urlsafe(tokens['key'])}/uploads"
        allowed = {"Authorization": f"UpToken {tokens['token']}"}
        for end in ("DELETE", "callback"):
            await exchange("PUT", f"{base}/x/1", PNG * 100, **allowed)
            assert len(left_over(tmp_path)) == 1
            if end == "DELETE":
                assert (await exchange("DELETE", f"{base}/x", **allowed)).status == 200
            else:
                await call_back(api, tokens["token"], result=False)
            assert left_over(tmp_path) == []


async def test_qiniu_blocks(tmp_path: Path) -> None:
    blocks = [[b"a" * 300_000, b"b" * 300_000], [b"c" * 10]]
    data = b"".join(chunk for block in blocks for chunk in block)
    async with running_api(project=tmp_path, file_provider="qiniu") as api:
        tokens = await announce(api)
        base, allowed = tokens["upload_url"], {"Authorization": f"UpToken {tokens['token']}"}
        contexts = []
        for first, *others in blocks:
            size = sum(map(len, (first, *others)))
            said = told((await exchange("POST", f"{base}/mkblk/{size}", first, **allowed)).body)
            assert said["crc32"] == zlib.crc32(first)
            assert said["host"] == base
            for chunk in others:
                address = f"{said['host']}/bput/{said['ctx']}/{said['offset']}"
                said = told((await exchange("POST", address, chunk, **allowed)).body)
                assert said["crc32"] == zlib.crc32(chunk)
            assert said["offset"] == size
            contexts.append(said["ctx"])
        end = f"{base}/mkfile/{len(data)}/key/{urlsafe(tokens['key'])}"
        short = await exchange("POST", end, contexts[0], **allowed)
        assert (short.status, told(short.body)) == (400, error(1))
        done = await exchange("POST", end, ",".join(contexts), **allowed)
        assert told(done.body) == With({"key": tokens["key"]})
        assert (await exchange("GET", tokens["url"])).body == data


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "mkblk/x", 400),
        ("POST", f"mkblk/{10**15 - 1}", 413),
        ("POST", "bput/nothing/0", 400),
        ("POST", "mkfile/1", 400),
        ("POST", "mkfile/0/key/AAAA", 400),
        ("POST", "buckets/b/objects/AAAA/uploads", 400),
        ("POST", "buckets/b/objects/%ff/uploads", 400),
        ("PUT", "buckets/b/objects/k/uploads/../-1", 400),
        ("POST", "../../1.1/files", 404),
        ("GET", "mkblk/1", 404),
    ],
)
async def test_pieces_that_are_refused(tmp_path: Path, method: str, path: str, status: int) -> None:
    async with running_api(project=tmp_path, file_provider="qiniu") as api:
        tokens = await announce(api)
        allowed = {"Authorization": f"UpToken {tokens['token']}"}
        address = f"{tokens['upload_url']}/{path}"
        assert (await exchange(method, address, b"no such part", **allowed)).status == status
        assert (await exchange(method, address, b"x")).status == 403
        await nothing_stored(api, tokens)


SERVED = [
    ({}, 200, 0, 10),
    ({"Range": "bytes=0-3"}, 206, 0, 4),
    ({"Range": "bytes=4-"}, 206, 4, 10),
    ({"Range": "bytes=-3"}, 206, 7, 10),
    ({"Range": "bytes=-99"}, 206, 0, 10),
    ({"Range": "bytes=8-99"}, 206, 8, 10),
    ({"Range": "bytes=3-1"}, 200, 0, 10),
    ({"Range": "bytes=-"}, 200, 0, 10),
    ({"Range": "bytes=0-1,3-4"}, 200, 0, 10),
    ({"Range": "lines=0-1"}, 200, 0, 10),
    ({"Range": "bytes=0-3", "If-Range": '"other"'}, 200, 0, 10),
]


@pytest.mark.parametrize(("asked", "status", "start", "stop"), SERVED)
async def test_ranges(
    tmp_path: Path, asked: dict[str, str], status: int, start: int, stop: int
) -> None:
    data = b"0123456789"
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api, data)
        for method in ("GET", "HEAD"):
            got = await exchange(method, tokens["url"], **asked)
            assert got.status == status
            assert got.headers["Content-Length"] == str(stop - start)
            assert got.body == (data[start:stop] if method == "GET" else b"")
            wanted = f"bytes {start}-{stop - 1}/10" if status == 206 else None
            assert got.headers.get("Content-Range") == wanted


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
async def test_ranges_beyond_the_end(tmp_path: Path, asked: str) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api, b"0123456789")
        got = await exchange("GET", tokens["url"], Range=asked)
        assert (got.status, got.headers["Content-Range"]) == (416, "bytes */10")


async def test_an_unchanged_file_is_not_sent_again(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        first = await exchange("GET", tokens["url"])
        etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
        for asked in (
            {"If-None-Match": etag},
            {"If-None-Match": f'"x", W/{etag}'},
            {"If-None-Match": "*"},
            {"If-Modified-Since": modified},
        ):
            got = await exchange("GET", tokens["url"], **asked)
            assert (got.status, got.body, got.headers["ETag"]) == (304, b"", etag)
        for asked in (
            {"If-None-Match": '"x"'},
            {"If-None-Match": '"x"', "If-Modified-Since": modified},
            {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
            {"If-Modified-Since": "yesterday"},
        ):
            assert (await exchange("GET", tokens["url"], **asked)).status == 200


@pytest.mark.parametrize(
    "query", ["?imageView/2/w/100/h/100/q/100/format/png", "?imageView2/1/w/9", "?imageMogr2/x"]
)
async def test_image_operations_give_the_original(tmp_path: Path, query: str) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        assert (await exchange("GET", tokens["url"] + query)).body == PNG


@pytest.mark.parametrize("mime_type", ["text/html", "image/svg+xml", "text/javascript"])
async def test_nothing_in_a_file_runs(tmp_path: Path, mime_type: str) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api, b"<script>alert(1)</script>", mime_type=mime_type)
        got = await exchange("GET", tokens["url"])
        assert got.headers["Content-Type"] == mime_type
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        policy = got.headers["Content-Security-Policy"].split("; ")
        assert {"sandbox", "default-src 'none'"} <= set(policy)
        assert not any("script" in part for part in policy)


async def test_names_in_headers(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api, name='影"评\r\nX-Evil: 1.png')
        inline = await exchange("GET", tokens["url"])
        wanted = quote('影"评\r\nX-Evil: 1.png', safe="")
        assert inline.headers["Content-Disposition"] == f"inline; filename*=UTF-8''{wanted}"
        assert "X-Evil" not in inline.headers
        saved = await exchange("GET", tokens["url"] + "?attname=b%0d%0a.png")
        assert saved.headers["Content-Disposition"] == "attachment; filename*=UTF-8''b%0D%0A.png"


@pytest.mark.parametrize("path", ["__files/x", "__upload/x"])
async def test_browsers_may_ask_from_anywhere(tmp_path: Path, path: str) -> None:
    async with running_api(project=tmp_path) as api:
        asked = await exchange(
            "OPTIONS",
            f"{api.emulator.api_url}/{path}",
            Origin="https://app.example",
            Access_Control_Request_Method="PUT",
            Access_Control_Request_Headers="content-type,cache-control",
        )
        assert asked.status == 200
        assert "PUT" in asked.headers["Access-Control-Allow-Methods"]
        assert asked.headers["Access-Control-Allow-Headers"] == "content-type,cache-control"
        tokens = await announce(api)
        sent = await exchange("PUT", tokens["upload_url"], PNG, Origin="https://app.example")
        got = await exchange("GET", tokens["url"], Origin="https://app.example")
        assert sent.headers["Access-Control-Allow-Origin"] == "*"
        assert got.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "nothing",
        "../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "%00",
        "a%00.png",
        "%ff%fe",
        ".lean-emu/keys.json",
        "%e5%bd%b1",
        "a//b",
    ],
)
async def test_keys_are_no_paths(tmp_path: Path, key: str) -> None:
    async with running_api(project=tmp_path) as api:
        await upload(api)
        got = await exchange("GET", f"{api.emulator.api_url}/__files/{key}")
        assert (got.status, told(got.body)) == (404, error(404))


async def test_files_are_read_only(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        for method in ("PUT", "POST", "DELETE"):
            answer = await exchange(method, tokens["url"], b"x")
            assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert (await exchange("GET", tokens["url"])).body == PNG


async def test_an_external_file_is_not_served(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = await api("POST", "/1.1/files", {"name": "x", "url": "https://example.com/x"})
        key = (await api("GET", f"/1.1/files/{made.json['objectId']}")).json["key"]
        assert (await exchange("GET", f"{api.emulator.api_url}/__files/{key}")).status == 404


async def test_every_name_can_be_fetched(tmp_path: Path) -> None:
    names = ["a b+c&d=e?f#g%20.png", "影评.png", "'\"<>.png", "ｆｕｌｌ.png", "a;b,c.png"]
    async with running_api(project=tmp_path) as api:
        for name in names:
            tokens = await upload(api, name.encode(), name=name, keep_file_name=True)
            assert urlsplit(tokens["url"]).query == ""
            assert (await exchange("GET", tokens["url"])).body == name.encode()


async def test_traces_show_uploads_and_no_tokens(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        await exchange("PUT", tokens["upload_url"], PNG)
        form_token = {"Authorization": f"UpToken {tokens['token']}"}
        await exchange("POST", f"{tokens['upload_url']}/mkblk/1", b"x", **form_token)
        mask = api.emulator.mask
        roots = api.emulator.log.traces()
        uploads = [root for root in roots if "__upload" in root.title]
        assert [(root.status, root.outcome) for root in uploads] == [
            (403, "rejected"),
            (403, "rejected"),
            (200, "ok"),
        ]
        shown = json.dumps([[summary(root, mask), tree(root, mask)] for root in roots])
        assert tokens["token"] not in shown
        assert "fileTokens gives a new one" in shown
        await check_traces(api, [])
        assert "fileCallback" in shown


async def test_uploads_at_the_same_time(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        contents = [bytes([n]) * 300_000 for n in range(6)]
        made = await asyncio.gather(*(upload(api, data) for data in contents))
        for tokens, data in zip(made, contents, strict=True):
            assert (await exchange("GET", tokens["url"])).body == data


async def test_an_upload_that_ends_after_the_callback_is_refused(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await announce(api)
        arrived = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b"first"
            await arrived.wait()
            yield b"second"

        sending = asyncio.ensure_future(exchange("PUT", tokens["upload_url"], slowly()))
        await until(lambda: bool(uploads_of(api)))
        await call_back(api, tokens["token"], result=False)
        arrived.set()
        assert (await sending).status == 403
        await nothing_stored(api, tokens)


async def test_no_credentials_are_needed_to_read(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        tokens = await upload(api)
        for headers in ({}, CLIENT, MASTER, {"X-LC-Id": "wrong", "X-LC-Key": "wrong"}):
            assert (await exchange("GET", tokens["url"], **headers)).body == PNG


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"nothing of the kind"),
        ("multipart/form-data; boundary=b", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nno name"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="file"'),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nno end of it',
        ),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n",
        ),
        ("multipart/mixed; boundary=" + "b" * 200, b"x"),
        ("application/json", b"{}"),
        ("", b"x"),
    ],
)
async def test_malformed_forms(tmp_path: Path, content_type: str, body: bytes) -> None:
    async with running_api(project=tmp_path, file_provider="qiniu") as api:
        tokens = await announce(api)
        answer = await exchange("POST", tokens["upload_url"], body, Content_Type=content_type)
        assert answer.status in (400, 403)
        assert told(answer.body)["code"] in (1, 403)
        await nothing_stored(api, tokens)


@pytest.mark.parametrize(
    "path", ["", "/", "//", "%00", "a/b/c/d/e/f/g", "%ff%fe/mkblk/1", "..", "../1.1/files"]
)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_uploads_to_nowhere(tmp_path: Path, method: str, path: str) -> None:
    async with running_api(project=tmp_path) as api:
        url = f"{api.emulator.api_url}/__upload/{path}"
        answer = await exchange(method, url, b"x")
        assert answer.status in (403, 404)
