"""Production and staging beside each other: ``X-LC-Prod`` chooses (engine.md 4.10, 5.5)."""

from pathlib import Path

from tests.support.api import CLIENT, ENGINE, MASTER, running_api
from tests.support.fake_engine import FakeEngine, Handler

STAGING = {**CLIENT, "X-LC-Prod": "0"}


def code(name: str, **more: Handler) -> FakeEngine:
    return FakeEngine(
        {
            "which": lambda _: {"result": name},
            "Post.beforeSave": lambda given: {**given["object"], "by": name},
            "Post.afterSave": lambda _: {"result": "ok"},
            **more,
        }
    )


def both() -> FakeEngine:
    engine = code("production")
    engine.staging = code("staging")
    return engine


async def test_functions_and_hooks_go_where_the_client_says(tmp_path: Path) -> None:
    engine = both()
    async with running_api(engine, project=tmp_path) as api:
        for headers, name in ((CLIENT, "production"), (STAGING, "staging")):
            answer = await api("POST", "/1.1/functions/which", {}, headers=headers)
            assert answer.json == {"result": name}
            made = await api("POST", "/1.1/classes/Post", {"a": 1}, headers=headers)
            assert (await api.read("Post", made.json["objectId"]))["by"] == name
        await api.settle()
        assert engine.fired() == ["which", "Post.beforeSave", "Post.afterSave"]
        assert engine.staging is not None
        assert engine.staging.fired() == ["which", "Post.beforeSave", "Post.afterSave"]
        assert engine.staging.received[0].headers["X-LC-Prod"] == "0"
        assert engine.received[0].headers["X-LC-Prod"] == "1"


async def test_the_older_names_of_the_header_choose_too(tmp_path: Path) -> None:
    async with running_api(both(), project=tmp_path) as api:
        for name in ("X-AVOSCloud-Application-Production", "X-Uluru-Application-Production"):
            headers = {**CLIENT, name: "0"}
            answer = await api("POST", "/1.1/functions/which", {}, headers=headers)
            assert answer.json == {"result": "staging"}


async def test_the_only_code_gets_everything(tmp_path: Path) -> None:
    async with running_api(code("only"), project=tmp_path) as api:
        answer = await api("POST", "/1.1/functions/which", {}, headers=STAGING)
        assert answer.json == {"result": "only"}


async def test_hooks_of_one_environment_do_not_fire_for_the_other(tmp_path: Path) -> None:
    engine = both()
    engine.handlers = {}
    async with running_api(engine, project=tmp_path) as api:
        made = await api("POST", "/1.1/classes/Post", {"a": 1}, headers=MASTER)
        assert "by" not in await api.read("Post", made.json["objectId"])
        made = await api(
            "POST", "/1.1/classes/Post", {"a": 1}, headers={**ENGINE, "X-LC-Prod": "0"}
        )
        assert (await api.read("Post", made.json["objectId"]))["by"] == "staging"


async def test_staging_that_does_not_load_leaves_production_alone(tmp_path: Path) -> None:
    engine = both()
    assert engine.staging is not None
    engine.staging.broken("SyntaxError: invalid syntax", ever_ready=False)
    async with running_api(engine, project=tmp_path) as api:
        assert (await api("POST", "/1.1/classes/Post", {"a": 1})).status == 201
        refused = await api("POST", "/1.1/classes/Post", {"a": 1}, headers=STAGING)
        assert refused.status == 400
        assert "did not load" in refused.json["error"]
