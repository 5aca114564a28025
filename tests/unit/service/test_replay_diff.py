"""What counts as a difference between two runs of the same request."""

from typing import Any

from lean_emulator.service.replay_diff import compare, differences

OLD, NEW = "6b00c5169593477c78747701", "6b00c5169593477c78747799"


def step(title: str, *children: Any, kind: str = "hook", **more: Any) -> dict[str, Any]:
    return {
        "id": "s-1", "kind": kind, "title": title, "outcome": "ok", "status": 200, "tookMs": 1.0,
        "children": [*children], **more,
    }  # fmt: skip


def insert(object_id: str, **after: Any) -> dict[str, Any]:
    document = {"objectId": object_id, "createdAt": object_id, "updatedAt": object_id, **after}
    return step(
        "insert Post", kind="storage", op="insert", objectId=object_id, after=document,
    )  # fmt: skip


def request(*children: Any, **more: Any) -> dict[str, Any]:
    return step("POST /1.1/classes/Post", *children, kind="request", **more)


def told(before: Any, after: Any) -> list[tuple[int, str, str]]:
    steps: Any = compare(before, after)["steps"]
    return [(one["depth"], one["change"], one["title"]) for one in steps]


def test_times_are_no_difference() -> None:
    found = compare(request(step("a", tookMs=1.0)), request(step("a", tookMs=9.0)))
    assert (found["same"], found["differing"]) == (True, 0)
    steps: Any = found["steps"]
    assert (steps[1]["before"]["tookMs"], steps[1]["after"]["tookMs"]) == (1.0, 9.0)


def test_ids_and_dates_of_what_each_run_created_are_no_difference() -> None:
    before = request(
        insert(OLD, n=1),
        step(f"PUT /1.1/classes/Post/{OLD}", kind="request", body={"of": f"a {OLD}"}),
        response={"objectId": OLD, "createdAt": "then"},
    )
    after = request(
        insert(NEW, n=1),
        step(f"PUT /1.1/classes/Post/{NEW}", kind="request", body={"of": f"a {NEW}"}),
        response={"objectId": NEW, "createdAt": "now"},
    )
    assert compare(before, after)["same"] is True


def test_another_object_that_was_there_before_is_a_difference() -> None:
    before = request(step(f"PUT /1.1/classes/Post/{OLD}", kind="request"))
    after = request(step(f"PUT /1.1/classes/Post/{NEW}", kind="request"))
    steps: Any = compare(before, after)["steps"]
    assert [row["path"] for row in steps[1]["differences"]] == ["title"]


def test_steps_that_came_and_went_stand_with_all_below_them() -> None:
    before = request(step("beforeSave"), step("insert"), step("afterSave", step("PUT")))
    after = request(step("insert"), step("afterSave"), step("afterUpdate", step("GET")))
    assert told(before, after) == [
        (0, "same", "POST /1.1/classes/Post"),
        (1, "removed", "beforeSave"),
        (1, "same", "insert"),
        (1, "same", "afterSave"),
        (2, "removed", "PUT"),
        (1, "added", "afterUpdate"),
        (2, "added", "GET"),
    ]


def test_a_step_that_was_removed_has_no_other_side() -> None:
    steps: Any = compare(request(step("a")), request())["steps"]
    assert (steps[1]["before"]["outcome"], steps[1]["after"]) == ("ok", None)


def test_outcomes_errors_images_and_prints_are_compared() -> None:
    before = request(step("a", prints=[{"text": "x"}], after={"n": 1, "same": 0}))
    after = request(
        step(
            "a",
            outcome="rejected",
            error={"code": 142, "message": "No!"},
            after={"n": 2, "same": 0},
            warnings=[{"kind": "slow"}],
        )
    )
    steps: Any = compare(before, after)["steps"]
    assert steps[1]["differences"] == [
        {"path": "outcome", "before": "ok", "after": "rejected"},
        {"path": "after.n", "before": 1, "after": 2},
        {"path": "prints", "before": ["x"]},
        {"path": "error", "after": {"code": 142, "message": "No!"}},
        {"path": "warnings", "after": ["slow"]},
    ]


def test_values_differ_by_path() -> None:
    before: Any = {"a": {"b": 1, "gone": 0}, "list": [1, {"x": 1}], "kind": 1, "createdAt": "then"}
    after: Any = {"a": {"b": 2, "come": 0}, "list": [1, {"x": 2}], "kind": True, "createdAt": "now"}
    assert [*differences(before, after)] == [
        {"path": "a.b", "before": 1, "after": 2},
        {"path": "a.gone", "before": 0},
        {"path": "a.come", "after": 0},
        {"path": "list.1.x", "before": 1, "after": 2},
        {"path": "kind", "before": 1, "after": True},
    ]


def test_lists_of_other_lengths_differ_as_a_whole() -> None:
    assert [*differences({"l": [1]}, {"l": [1, 2]})] == [
        {"path": "l", "before": [1], "after": [1, 2]}
    ]


def test_a_date_that_is_gone_is_a_difference() -> None:
    assert [*differences({"createdAt": "x"}, {})] == [{"path": "createdAt", "before": "x"}]
