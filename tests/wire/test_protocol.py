"""What holds for every route: CORS, paths, sizes, error answers (storage.md 1)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lean_emulator.engine.client import Address
from lean_emulator.wire.routes import UNBUILT
from lean_emulator.wire.server import listen
from tests.support.api import CLIENT, ENGINE, KEYS, MASTER, running_api
from tests.support.matchers import With, error, text_with
from tests.support.scenario import Scenario, Sent, Stored, run

PAGE = {"Origin": "http://app.example"}
METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"


def preflight(name: str, path: str, asked: dict[str, str], headers: dict[str, Any]) -> Scenario:
    return Scenario(
        f"preflight: {name}",
        Sent("OPTIONS", path, headers=asked),
        200,
        None,
        headers={
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Max-Age": "86400",
            **headers,
        },
    )


ALL_HEADERS = text_with("X-LC-Id", "X-LC-Key", "X-LC-Sign", "X-LC-Session", "X-LC-Prod", "X-LC-UA",
                        "X-LC-Hook-Key", "X-AVOSCloud-Application-Id")  # fmt: skip
CORS = [
    preflight(
        "no credentials wanted",
        "/1.1/classes/Post",
        {**PAGE, "Access-Control-Request-Headers": "x-lc-id,x-made-up"},
        {
            "Access-Control-Allow-Origin": "http://app.example",
            "Access-Control-Allow-Headers": "x-lc-id,x-made-up",
        },
    ),
    preflight(
        "headers that were not asked for",
        "/1.1/functions/hello",
        PAGE,
        {"Access-Control-Allow-Headers": ALL_HEADERS},
    ),
    preflight("without an origin", "/1.1/batch", {}, {"Access-Control-Allow-Origin": "*"}),
    preflight("a path that is none", "/1.1/no/such", PAGE, {}),
    Scenario(
        "an answer to a page",
        Sent("POST", "/1.1/classes/Post", {}, headers={**CLIENT, **PAGE}),
        201,
        headers={
            "Access-Control-Allow-Origin": "http://app.example",
            "Access-Control-Expose-Headers": text_with("Location"),
            "Vary": "Origin",
        },
    ),
    Scenario(
        "an error to a page",
        Sent("GET", "/1.1/classes/Post", headers=PAGE),
        401,
        error(401),
        headers={"Access-Control-Allow-Origin": "http://app.example"},
    ),
    Scenario(
        "a too large body from a page",
        Sent("POST", "/1.1/classes/Post", raw=b" " * 3000, headers={**CLIENT, **PAGE}),
        413,
        error(413),
        settings={"max_body_bytes": 2048},
        headers={"Access-Control-Allow-Origin": "http://app.example"},
    ),
    Scenario(
        "no CORS headers for what is no page",
        Sent("GET", "/1.1/date"),
        200,
        headers={"Access-Control-Allow-Origin": None, "Vary": None},
    ),
]

ROUTES = [
    Scenario("unknown route", Sent("GET", "/1.1/nothing"), 404,
             error(404, text_with("GET /1.1/nothing"))),
    Scenario("unknown verb", Sent("PATCH", "/1.1/classes/Post/1", {}), 404, error(404)),
    Scenario("POST to an object", Sent("POST", "/1.1/classes/Post/1", {}), 404, error(404)),
    Scenario("root", Sent("GET", "/1.1/"), 404, error(404)),
    Scenario("too deep", Sent("GET", "/1.1/classes/Post/1/2"), 404, error(404)),
    Scenario("/1/ is /1.1/", Sent("GET", "/1/date"), 200, With({"__type": "Date"})),
    Scenario("slashes", Sent("GET", "//1.1///date"), 200, With({"__type": "Date"})),
    Scenario("slashes within", Sent("GET", "/1.1///date//"), 200, With({"__type": "Date"})),
]  # fmt: skip

SIZES = [
    Scenario(
        "a body that is too large",
        Sent("POST", "/1.1/classes/Post", raw=b'{"a":"' + b"x" * 530_000 + b'"}'),
        413,
        error(413, "The request body is larger than 0.5 MB."),
        settings={"max_body_bytes": 512 * 1024},
    ),
    Scenario(
        "a body that is just not",
        Sent("POST", "/1.1/classes/Post", {"a": "x" * 500_000}),
        201,
        settings={"max_body_bytes": 512 * 1024},
    ),
    Scenario(
        "a long query",
        Sent(
            "GET",
            "/1.1/classes/Post",
            params={"where": {"n": {"$in": [*range(5_000), 12345]}}, "keys": "n"},
        ),
        200,
        {"results": [With({"n": 12345})]},
        setup=[Stored("post", "Post", {"n": 12345})],
    ),
    Scenario(
        "nesting that is too deep",
        Sent("POST", "/1.1/classes/Post", raw=b'{"a":' * 101 + b"1" + b"}" * 101),
        400,
        error(107, text_with("deeper than 100")),
    ),
]


@pytest.mark.parametrize("scenario", [*CORS, *ROUTES, *SIZES], ids=str)
async def test_protocol(scenario: Scenario, tmp_path: Path) -> None:
    await run(scenario, tmp_path)


async def test_what_is_known_and_not_there_says_so(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for name in sorted(UNBUILT):
            answer = await api("GET", f"/1.1/{name}/in/no/form/we/serve")
            assert (answer.status, answer.json) == (
                501,
                error(1, f"lean-emu does not have GET /1.1/{name}/in/no/form/we/serve yet."),
            )


async def test_time_moves_with_the_clock(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        object_id = await api.create("Post", n=1)
        api.clock.advance(61.5)
        answer = await api("PUT", f"/1.1/classes/Post/{object_id}", {"n": 2})
        assert answer.json["updatedAt"] == "2023-11-14T22:14:21.500Z"
        stored = await api.read("Post", object_id)
        assert stored["createdAt"] == "2023-11-14T22:13:20.000Z"
        assert (await api("GET", "/1.1/date")).json["iso"] == "2023-11-14T22:14:21.500Z"


async def test_every_answer_names_its_trace(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        for request in (("GET", "/1.1/date"), ("GET", "/1.1/nothing"), ("POST", "/1.1/batch")):
            answer = await api(*request)
            root = api.emulator.log.trace(answer.headers["X-Lean-Emu-Trace"])
            assert root is not None
            assert root.title == " ".join(request)
            assert root.status == answer.status


async def test_questions_about_the_emulator_are_for_the_master_key(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        info = await api("GET", "/__emu/info", headers=MASTER)
        assert info.json == With({"apiUrl": api.emulator.api_url, "runningAfterHooks": 0})
        assert not any(key in info.body.decode() for key in (KEYS.app_key, KEYS.master_key))
        for headers in ({}, CLIENT, ENGINE, {**MASTER, **PAGE}):
            for method, path in (("GET", "info"), ("POST", "settle"), ("GET", "traces")):
                answer = await api(method, f"/__emu/{path}", headers=headers)
                assert answer.status in (400, 401)
        assert (await api("GET", "/__emu/nothing", headers=MASTER)).status == 404
        assert api.emulator.log.traces() == []


async def test_traces_over_the_admin_door(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        made = await api("POST", "/1.1/classes/Post", {"title": "x"})
        name = made.headers["X-Lean-Emu-Trace"]
        one = await api("GET", f"/__emu/traces/{name}", headers=MASTER)
        assert one.json == With({"id": name, "status": 201, "identity": "anonymous"})
        listed = await api("GET", "/__emu/traces", headers=MASTER)
        assert [trace["id"] for trace in listed.json["results"]] == [name]
        assert (await api("GET", "/__emu/traces/t-ffff", headers=MASTER)).status == 404
        assert (await api("DELETE", "/__emu/traces", headers=MASTER)).status == 200
        assert (await api("GET", "/__emu/traces", headers=MASTER)).json == {"results": []}


async def test_a_mistake_of_ours_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_api(project=tmp_path) as api:

        async def fails(*_: object) -> None:
            raise ZeroDivisionError("of our own making")

        monkeypatch.setattr(api.emulator.storage, "commit", fails)
        answer = await api("POST", "/1.1/classes/Post", {"n": 1})
        assert answer.status == 500
        assert answer.json == error(1, text_with("lean-emu failed", "of our own making"))
        (root,) = api.emulator.log.traces()
        assert root.outcome == "failed"
        assert "test_protocol.py" in root.detail["error"]["where"]


@dataclass(frozen=True)
class Served:
    """A process that serves pages and does not end."""

    address: Address

    async def gone(self, within: float) -> bool:
        return False


@asynccontextmanager
async def pages() -> AsyncIterator[tuple[Served, list[web.BaseRequest]]]:
    """A web app on a port of its own, and the requests that reach it."""
    received: list[web.BaseRequest] = []

    async def teapot(request: web.BaseRequest) -> web.Response:
        received.append(request)
        return web.Response(status=418, text="a page")

    runner = web.ServerRunner(web.Server(teapot))
    await runner.setup()
    listening = listen("127.0.0.1", 0)
    await web.SockSite(runner, listening).start()
    try:
        yield Served(Address(port=listening.getsockname()[1])), received
    finally:
        await runner.cleanup()


async def test_resetting_forgets_objects_and_traces(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        object_id = await api.create("Post", n=1)
        await api.emulator.reset()
        assert (await api("GET", f"/1.1/classes/Post/{object_id}")).status == 404
        assert len(api.emulator.log.traces()) == 1


async def test_pages_of_the_users_own_pass_through(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api, pages() as (served, received):
        api.engine.pages = served
        answer = await api("GET", "/some/page?x=1", headers={"Cookie": "a=b", "X-LC-Id": "kept"})
        assert (answer.status, answer.body) == (418, b"a page")
        (request,) = received
        assert request.raw_path == "/some/page?x=1"
        assert request.headers["Cookie"] == "a=b"
        assert request.headers["X-LC-Id"] == "kept"
        assert request.headers["X-Real-IP"] == "127.0.0.1"
        assert "X-LC-Hook-Key" not in request.headers


async def test_a_page_without_an_app_says_so(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("GET", "/some/page")
        assert (answer.status, answer.body) == (502, b"The fake engine has no pages.\n")
