"""Why each hook of a write ran or did not, as its trace tells it (engine.md 3.4, 3.6, 4.1)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CLIENT, ENGINE, MASTER, Api, running_api
from tests.support.code_client import Ask, Code, or_refuse
from tests.support.fake_engine import FakeEngine, refuse
from tests.wire.test_chains import running_code
from tests.wire.test_hooks import AFTER_MARK

BEFORES = ["beforeSave", "beforeUpdate", "beforeDelete"]
AFTERS = ["afterSave", "afterUpdate", "afterDelete"]
SAVES = ("beforeSave", "afterSave")
LINE = "NameError: name 'x' is not defined"


def agrees(given: dict[str, Any]) -> Any:
    return given["object"]


async def last(api: Api) -> Any:
    """The newest trace as a tree, when nothing runs any more."""
    await api.settle()
    return (await api("GET", "/__emu/traces/last", headers=MASTER)).json


def fates(node: Any) -> dict[str, str]:
    """Hook to reason; there is one write in the step."""
    return {hook["hook"]: hook["reason"] for hook in node["hooks"]}


def said(node: Any, hook: str) -> str:
    return str(next(fate["en"] for fate in node["hooks"] if fate["hook"] == hook))


async def test_what_ran_is_tied_to_its_step(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": agrees, "Post.afterSave": lambda _: refuse("no")})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {"n": 1})
        root = await last(api)
        before, _, after = root["children"]
        assert root["hooks"] == [
            {
                "hook": "beforeSave",
                "className": "Post",
                "objectId": None,
                "ran": True,
                "reason": "ran",
                "step": before["id"],
                "outcome": "ok",
                "nearest": None,
                "expected": False,
                "en": "it ran",
                "zh": "已执行",
            },
            {
                "hook": "afterSave",
                "className": "Post",
                "objectId": None,
                "ran": True,
                "reason": "ran",
                "step": after["id"],
                "outcome": "rejected",
                "nearest": None,
                "expected": False,
                "en": "it ran and refused",
                "zh": "已执行并拒绝了操作",
            },
        ]


async def test_reads_have_no_hooks_to_tell_of(tmp_path: Path) -> None:
    async with running_api(FakeEngine({"Post.beforeSave": agrees}), project=tmp_path) as api:
        await api.create("Post")
        await api("GET", "/1.1/classes/Post")
        assert "hooks" not in await last(api)


async def test_an_update_says_that_before_save_is_for_creates(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": agrees, "Post.afterUpdate": agrees})
    async with running_api(engine, project=tmp_path) as api:
        post = await api.create("Post", n=1)
        root = await last(api)
        assert fates(root) == {
            "beforeSave": "ran",
            "afterSave": "not_registered",
            "afterUpdate": "other_write",
        }
        assert "this was a create" in said(root, "afterUpdate")
        await api("PUT", f"/1.1/classes/Post/{post}", {"n": 2})
        root = await last(api)
        assert fates(root) == {
            "beforeUpdate": "not_registered",
            "afterUpdate": "ran",
            "beforeSave": "other_write",
        }
        assert "this was an update: those run beforeUpdate" in said(root, "beforeSave")
        await api("DELETE", f"/1.1/classes/Post/{post}")
        assert fates(await last(api)) == {
            "beforeDelete": "not_registered",
            "afterDelete": "not_registered",
        }


@pytest.mark.parametrize(
    ("written", "registered", "near"),
    [
        ("reviews", "Review", "Review"),
        ("REVIEW", "Review", "Review"),
        ("Reveiw", "Review", "Review"),
        ("User", "_User", "_User"),
        ("Review", "Movie", None),
        ("Post", "Host", None),
    ],
)
async def test_a_mistyped_class_is_shown_its_neighbour(
    written: str, registered: str, near: str | None, tmp_path: Path
) -> None:
    engine = FakeEngine({f"{registered}.beforeSave": agrees, "Other.beforeSave": agrees})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", f"/1.1/classes/{written}", {"n": 1})
        before, after = (await last(api))["hooks"]
        assert (before["reason"], before["nearest"]) == ("not_registered", near)
        assert (near is not None) == (f"but for {near}" in before["en"])
        assert after["nearest"] is None


async def test_hooks_that_somebody_may_look_for_are_marked(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": agrees, "Movie.beforeUpdate": agrees})
    async with running_api(engine, project=tmp_path) as api:
        marked = {}
        for class_name in ("Post", "Movie", "Other", "posts", "a.b"):
            await api("POST", f"/1.1/classes/{class_name}", {})
            hooks = (await last(api))["hooks"]
            marked[class_name] = [hook["hook"] for hook in hooks if hook["expected"]]
        assert marked == {
            "Post": ["afterSave"],
            "Movie": ["beforeUpdate"],
            "Other": [],
            "posts": ["beforeSave"],
            "a.b": [],
        }


async def test_installations_are_excluded(tmp_path: Path) -> None:
    engine = FakeEngine({"_Installation.beforeSave": agrees})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/classes/_Installation", {"deviceType": "ios"})
        root = await last(api)
        assert fates(root) == {"beforeSave": "excluded", "afterSave": "excluded"}
        assert root["hooks"][0]["step"] == root["children"][0]["id"]


async def test_who_left_a_hook_out_and_how(tmp_path: Path) -> None:
    engine = FakeEngine({f"Post.{hook}": agrees for hook in BEFORES + AFTERS})
    async with running_api(engine, project=tmp_path) as api:
        post = await api.create("Post")
        path = f"/1.1/classes/Post/{post}"
        for asked, call in (
            (BEFORES, "as disable_before_hook() does"),
            (["beforeUpdate"], "as ignore_hook('beforeUpdate') does"),
        ):
            await api("PUT", path, {"n": 1, "__ignore_hooks": asked}, headers=ENGINE)
            root = await last(api)
            assert root["ignoredHooks"] == sorted(asked)
            assert fates(root)["beforeUpdate"] == "ignored"
            assert f"in the body of PUT {path}" in said(root, "beforeUpdate")
            assert call in said(root, "beforeUpdate")
            assert fates(root)["afterUpdate"] == "ran"
        await api("PUT", path, {"n": 1, "__ignore_hooks": AFTERS}, headers=MASTER)
        assert "disable_after_hook()" in said(await last(api), "afterUpdate")
        await api("PUT", path, {"n": 1, "__after": AFTER_MARK})
        root = await last(api)
        assert "carries a signed __after mark" in said(root, "afterUpdate")


async def test_a_client_may_not_leave_hooks_out_and_is_told(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": agrees, "Post.afterSave": agrees})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {"__ignore_hooks": ["afterSave"]}, headers=CLIENT)
        root = await last(api)
        assert fates(root) == {"beforeSave": "ran", "afterSave": "ran_anyway"}
        assert root["hooks"][1]["ran"] is True
        assert "only requests with the hook key or the master key" in said(root, "afterSave")
        assert root["ignoredHooks"] == ["afterSave"]


async def test_the_object_a_hook_was_given_is_named(tmp_path: Path) -> None:
    async def saves_itself(given: dict[str, Any], ask: Ask) -> Any:
        path = f"/1.1/classes/Post/{given['object']['objectId']}"
        return or_refuse(await ask("PUT", path, {"seen": 1, "__ignore_hooks": AFTERS}), {})

    async def runs(given: dict[str, Any], ask: Ask) -> Any:
        return {}

    code: dict[str, Code] = {"Post.afterSave": saves_itself, "Post.afterUpdate": runs}
    async with running_code(tmp_path, code) as api:
        await api("POST", "/1.1/classes/Post", {"n": 1})
        inner = (await last(api))["children"][1]["children"][0]
        assert fates(inner) == {
            "beforeUpdate": "not_registered",
            "afterUpdate": "ignored",
            "afterSave": "other_write",
        }
        assert "afterSave Post was given this object" in said(inner, "afterUpdate")


async def test_code_that_is_loaded_again_in_the_middle_of_a_write(tmp_path: Path) -> None:
    def forgets(given: dict[str, Any]) -> Any:
        del engine.handlers["Post.afterSave"]
        return given["object"]

    engine = FakeEngine({"Post.beforeSave": forgets, "Post.afterSave": agrees})
    async with running_api(engine, project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {})
        root = await last(api)
        assert fates(root) == {"beforeSave": "ran", "afterSave": "not_reached"}
        assert said(root, "afterSave") == "not reached: the code was loaded again meanwhile"


async def test_code_that_does_not_load(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": agrees})
    async with running_api(engine, project=tmp_path) as api:
        engine.broken(LINE, ever_ready=True)
        await api("POST", "/1.1/classes/Post", {})
        root = await last(api)
        assert fates(root) == {"beforeSave": "not_loaded", "afterSave": "not_registered"}
        assert LINE in said(root, "beforeSave")
        assert "--keep-last-good" in said(root, "beforeSave")
        assert f"did not load: {LINE}" in said(root, "afterSave")
        engine.broken(LINE, ever_ready=False)
        await api("POST", "/1.1/classes/Post", {})
        root = await last(api)
        assert fates(root) == {"beforeSave": "not_loaded", "afterSave": "not_loaded"}
        assert f"nobody knows its hooks: {LINE}" in said(root, "beforeSave")


async def test_an_after_hook_that_is_gone_with_its_code(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.afterSave": agrees})
    async with running_api(engine, project=tmp_path) as api:
        engine.broken(LINE, ever_ready=True)
        await api("POST", "/1.1/classes/Post", {})
        root = await last(api)
        assert fates(root)["afterSave"] == "not_loaded"
        assert "refused" not in said(root, "afterSave")


async def test_the_last_good_code_is_named_where_it_is_kept(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": agrees})
    async with running_api(engine, project=tmp_path) as api:
        engine.broken(LINE, ever_ready=True)
        engine.state = "ready"  # what --keep-last-good serves
        await api("POST", "/1.1/classes/Post", {})
        before = (await last(api))["hooks"][0]
        assert (before["ran"], before["reason"]) == (True, "ran_old_code")
        assert LINE in before["en"]


NOT_REACHED = [
    ("a refusal", {"Post.beforeSave": lambda _: refuse("too short")}, {"n": 1},
     "beforeSave Post refused the write: too short"),
    ("an exception", {"Post.beforeSave": lambda _: refuse("Cloud Code script had an error.", 500)},
     {"n": 1}, "beforeSave Post failed: Cloud Code script had an error."),
    ("a commit that fails", {"Post.beforeSave": lambda _: {"n": "text"}}, {"n": 1},
     "insert Post failed: "),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "body", "why"), [row[1:] for row in NOT_REACHED], ids=[row[0] for row in NOT_REACHED]
)
async def test_after_hooks_are_not_reached(
    code: dict[str, Any], body: Any, why: str, tmp_path: Path
) -> None:
    async with running_api(FakeEngine(code | {"Post.afterSave": agrees}), project=tmp_path) as api:
        await api("POST", "/1.1/classes/Post", {"n": 0, "__ignore_hooks": BEFORES}, headers=MASTER)
        await api("POST", "/1.1/classes/Post", body)
        root = await last(api)
        assert fates(root) == {"beforeSave": "ran", "afterSave": "not_reached"}
        assert said(root, "afterSave").startswith(f"not reached: {why}")


async def test_a_timeout_is_named_as_the_cause(tmp_path: Path) -> None:
    async def never(_: dict[str, Any]) -> Any:
        await asyncio.Event().wait()

    engine = FakeEngine({"Post.beforeSave": never, "Post.afterSave": agrees})
    async with running_api(engine, project=tmp_path, before_hook_seconds=0.02) as api:
        await api("POST", "/1.1/classes/Post", {})
        root = await last(api)
        assert root["hooks"][0]["outcome"] == "timeout"
        assert said(root, "afterSave").startswith("not reached: beforeSave Post was out of time")


@pytest.mark.parametrize(
    ("method", "path", "body", "hooks", "why"),
    [
        ("POST", "/1.1/classes/Post", {"a.b": 1}, SAVES, "Invalid key name"),
        ("PUT", "/1.1/classes/Post/none", {}, ("beforeUpdate", "afterUpdate"), "Could not find"),
        ("DELETE", "/1.1/classes/Post/none", None, ("beforeDelete", "afterDelete"),
         "there was no object to delete"),
        ("POST", "/1.1/users", {"username": ""}, SAVES, "the request was refused earlier"),
        ("POST", "/1.1/roles", {"name": "?"}, SAVES, "the request was refused earlier"),
        ("PUT", "/1.1/users/none", {}, ("beforeUpdate", "afterUpdate"), "was refused earlier"),
    ],
    ids=["a malformed key", "an update of nothing", "a delete of nothing", "a sign-up", "a role",
         "a user"],
)  # fmt: skip
async def test_checks_that_fail_come_before_all_hooks(
    method: str, path: str, body: Any, hooks: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    engine = FakeEngine({f"Post.{hook}": agrees for hook in BEFORES + AFTERS})
    async with running_api(engine, project=tmp_path) as api:
        await api.create("Post", n=1)
        await api(method, path, body)
        root = await last(api)
        assert fates(root) == dict.fromkeys(hooks, "not_reached")
        assert why in said(root, hooks[0])


async def test_members_of_a_batch_tell_their_own(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": lambda g: refuse("no") if g["object"]["n"] else g})
    async with running_api(engine, project=tmp_path) as api:
        members = [
            {"method": "POST", "path": "/1.1/classes/Post", "body": {"n": n}} for n in (1, 0)
        ]
        members.append({"method": "POST", "path": "/1.1/classes/Post", "body": {"a.b": 1}})
        await api("POST", "/1.1/batch", {"requests": members})
        root = await last(api)
        assert "hooks" not in root
        first, second, third = root["children"]
        assert [first["hooks"][0]["outcome"], second["hooks"][0]["outcome"]] == ["rejected", "ok"]
        assert fates(third) == {"beforeSave": "not_reached", "afterSave": "not_reached"}


async def test_every_id_of_a_list_has_its_own_fates(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeDelete": agrees, "Post.afterDelete": agrees})
    async with running_api(engine, project=tmp_path) as api:
        ids = [await api.create("Post", n=n) for n in range(3)]
        await api("DELETE", f"/1.1/classes/Post/{','.join(ids)}")
        root = await last(api)
        steps = {step["id"]: step for step in root["children"]}
        told = [(hook["objectId"], hook["hook"]) for hook in root["hooks"]]
        assert told == [(one, hook) for one in ids for hook in ("beforeDelete", "afterDelete")]
        assert all(steps[hook["step"]]["objectId"] == hook["objectId"] for hook in root["hooks"])
