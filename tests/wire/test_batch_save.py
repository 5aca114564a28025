"""``/batch/save`` as Swift, Objective-C and Java send it (storage.md 3.8)."""

from pathlib import Path
from typing import Any

from tests.support.api import Api, WireAnswer, running_api
from tests.support.fake_engine import FakeEngine, refuse


async def save(api: Api, *requests: dict[str, Any]) -> WireAnswer:
    return await api("POST", "/1.1/batch/save", {"requests": list(requests)})


def post(class_name: str, internal_id: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "method": "POST",
        "path": f"/1.1/classes/{class_name}",
        "body": {**body, "__internalId": internal_id},
        **more,
    }


def child(field: str, class_name: str, cid: str) -> dict[str, str]:
    return {"key": field, "className": class_name, "cid": cid}


async def test_new_objects_point_at_each_other_in_any_order_and_in_circles(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await save(
            api,
            post("Post", "p", {"title": "x", "__children": [child("top", "Comment", "c")]}),
            post("Comment", "c", {"__children": [child("post", "Post", "p")]}),
        )
        assert answer.status == 200
        assert answer.json.keys() == {"p", "c"}
        ids = {name: said["objectId"] for name, said in answer.json.items()}
        found = await api.read("Post", ids["p"])
        assert found["title"] == "x"
        assert found["top"]["objectId"] == ids["c"]
        assert (await api.read("Comment", ids["c"]))["post"]["objectId"] == ids["p"]
        assert not {"__internalId", "__children"} & found.keys()


async def test_a_put_without_id_is_new_and_a_known_child_is_pointed_at(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        old = await api.create("Comment", text="old")
        member = post("Post", "p", {"__children": [child("top", "Comment", old)]}, new=True)
        answer = await save(api, {**member, "method": "PUT"})
        made = await api.read("Post", answer.json["p"]["objectId"])
        assert made["top"]["objectId"] == old


async def test_two_writes_of_one_new_object_are_one_creation(tmp_path: Path) -> None:
    engine = FakeEngine({"Post.beforeSave": lambda sent: sent["object"]})
    async with running_api(engine, project=tmp_path) as api:
        answer = await save(
            api,
            post("Post", "p", {"tags": {"__op": "Add", "objects": ["a", "b"]}, "n": 1}),
            {**post("Post", "p", {"tags": {"__op": "Remove", "objects": ["a"]}}), "method": "PUT"},
            post("Post", "p", {"n": {"__op": "Increment", "amount": 4}}),
        )
        made = await api.read("Post", answer.json["p"]["objectId"])
        assert (made["tags"], made["n"]) == (["b"], 5)
        assert engine.fired() == ["Post.beforeSave"]


async def test_two_writes_of_a_stored_object_both_count(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        known = await api.create("Post", tags=["a"])
        put = {"method": "PUT", "path": f"/1.1/classes/Post/{known}"}
        answer = await save(
            api,
            {**put, "body": {"tags": {"__op": "Add", "objects": ["b"]}}},
            {**put, "body": {"tags": {"__op": "Remove", "objects": ["a"]}}},
        )
        assert answer.json[known].keys() == {"objectId", "updatedAt"}
        assert (await api.read("Post", known))["tags"] == ["b"]


async def test_one_refusal_refuses_everything(tmp_path: Path) -> None:
    engine = FakeEngine({"Bad.beforeSave": lambda sent: refuse("no")})
    async with running_api(engine, project=tmp_path) as api:
        known = await api.create("Post", n=1)
        put = {"method": "PUT", "path": f"/1.1/classes/Post/{known}"}
        by_hook = await save(
            api, {**put, "body": {"n": 2}}, post("Post", "x", {"n": 3}), post("Bad", "b", {})
        )
        assert (by_hook.status, by_hook.json["code"]) == (400, 142)
        by_type = await save(api, post("Post", "x", {"n": 3}), post("Post", "y", {"n": "text"}))
        assert (by_type.status, by_type.json["code"]) == (400, 111)
        guarded = {**put, "body": {"n": 2}, "params": {"where": {"n": 7}}}
        by_guard = await save(api, post("Post", "x", {"n": 3}), guarded)
        assert (by_guard.status, by_guard.json["code"]) == (400, 305)
        found = await api("GET", "/1.1/classes/Post")
        assert [row["n"] for row in found.json["results"]] == [1]


async def test_fetch_when_save_and_what_cannot_be_read(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await save(api, post("Post", "p", {"n": 1}, params={"fetchWhenSave": True}))
        assert answer.json["p"]["n"] == 1
        for member in (
            {"method": "POST", "path": "/1.1/classes/Post", "body": {}},
            post("Post", "p", {"__children": [{"key": "x"}]}),
            {"method": "POST", "path": "/1.1/date", "body": {"__internalId": "x"}},
        ):
            refused = await save(api, member)
            assert (refused.status, refused.json["code"]) == (400, 1), member
        stranger = {"method": "PUT", "path": "/1.1/users/abc", "body": {"n": 1}}
        assert (await save(api, stranger)).json["code"] == 206
