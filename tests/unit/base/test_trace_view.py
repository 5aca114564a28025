"""Spans as JSON, as pages and ``--json`` readers get them."""

from typing import Any

from lean_emulator.base import jsontext
from lean_emulator.base.clock import ManualClock
from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import Deferred, EventLog, Span
from lean_emulator.base.trace_view import changes, step, summary, tree, value_of, walk, warnings_of

KEY = "master-key-0123456"
MASK = Mask((KEY,))


def chain() -> Span:
    """A create with a before hook that takes 40 ms, a skipped one, and a late after hook."""
    clock = ManualClock(1_700_000_000_000)
    log = EventLog(clock)
    root = log.begin(
        "request",
        "POST /1.1/classes/Post",
        method="POST",
        path="/1.1/classes/Post",
        class_name="Post",
        identity="user",
        user={"username": "ann", "sessionToken": "t" * 25},
        headers={"X-LC-Key": KEY, "User-Agent": "curl"},
        body={"title": "x", "password": "p"},
    )
    clock.advance(0.010)
    before = log.begin(
        "hook",
        "beforeSave Post",
        root,
        hook="beforeSave",
        class_name="Post",
        before={"title": "x"},
        limit=10.0,
        left=9.5,
        where="cloud.py:7",
    )
    log.printed(before, "stdout", f"key is {KEY}", "cloud.py:8")
    clock.advance(0.040)
    before.detail["after"] = {"title": "X", "n": 1}
    log.end(before, "ok", 200)
    log.skip("hook", "afterSave Post", root, hook="afterSave", why={"reason": "ignored"})
    log.answered(root)
    log.end(root, "ok", 201)
    after = log.begin("hook", "afterUpdate Post", root, hook="afterUpdate", limit=float("inf"))
    clock.advance(0.100)
    after.detail["error"] = {"code": 400, "message": "no"}
    log.end(after, "rejected", 400)
    return root


def test_summary_is_one_line_of_facts() -> None:
    assert summary(chain(), MASK) == {
        "id": "t-1",
        "kind": "request",
        "title": "POST /1.1/classes/Post",
        "outcome": "ok",
        "status": 201,
        "startedAt": "2023-11-14T22:13:20.000Z",
        "startedMs": 1_700_000_000_000,
        "tookMs": 50.0,
        "quietMs": 150.0,
        "className": "Post",
        "function": None,
        "method": "POST",
        "path": "/1.1/classes/Post",
        "identity": "user",
        "user": "ann",
        "hooksRan": 2,
        "hooksSkipped": 1,
        "warnings": 0,
        "steps": 4,
        "note": "afterUpdate: no",
    }


def test_tree_nests_with_times_from_the_start() -> None:
    rendered: Any = tree(chain(), MASK)
    before, skipped, after = rendered["children"]
    assert rendered["answeredMs"] == rendered["tookMs"] == 50.0
    assert (before["offsetMs"], before["tookMs"]) == (10.0, 40.0)
    assert (before["limitMs"], before["leftMs"], before["where"]) == (
        10_000.0,
        9_500.0,
        "cloud.py:7",
    )
    assert (skipped["outcome"], skipped["why"]) == ("skipped", {"reason": "ignored"})
    assert (after["offsetMs"], after["limitMs"]) == (50.0, None)
    assert after["error"] == {"code": 400, "message": "no"}


def test_images_come_with_their_difference() -> None:
    rendered: Any = tree(chain(), MASK)
    before = rendered["children"][0]
    assert (before["before"], before["after"]) == ({"title": "x"}, {"title": "X", "n": 1})
    assert [(row["key"], row["change"]) for row in before["changes"]] == [
        ("title", "changed"),
        ("n", "added"),
    ]


def test_prints_carry_stream_time_and_place() -> None:
    rendered: Any = tree(chain(), MASK)
    assert rendered["children"][0]["prints"] == [
        {"offsetMs": 0.0, "stream": "stdout", "text": "key is ••••3456", "where": "cloud.py:8"}
    ]


def test_nothing_secret_is_left() -> None:
    text = jsontext.dumps(tree(chain(), MASK)).decode()
    assert KEY not in text
    assert "t" * 25 not in text
    assert '"password":"••••"' in text


def test_without_documents_a_step_is_small() -> None:
    root = chain()
    small = step(root, MASK, documents=False)
    assert small.keys() & {"body", "headers", "before", "after", "changes", "prints"} == set()
    assert step(root, MASK)["body"] == {"title": "x", "password": "••••"}


class Told(Deferred):
    """A member that counts how often it was worked out."""

    def __init__(self, value: Json) -> None:
        self.value = value
        self.looks = 0

    def told(self, span: Span) -> Json:
        self.looks += 1
        return self.value


def test_deferred_members_are_worked_out_when_somebody_looks() -> None:
    log = EventLog(ManualClock())
    answer, nothing = Told({"key": KEY}), Told(None)
    root = log.begin("hook", "beforeSave Post", hook="beforeSave", answer=answer, warnings=nothing)
    log.end(root)
    assert (answer.looks, nothing.looks) == (0, 0)
    assert step(root, MASK, documents=False).keys() & {"answer", "warnings"} == set()
    assert answer.looks == 0
    shown = step(root, MASK)
    assert shown["answer"] == {"key": "••••3456"}
    assert "warnings" not in shown
    assert value_of(root, "hook") == "beforeSave"
    assert value_of(root, "nothing of that name") is None


def test_warnings_of_all_steps_are_counted() -> None:
    log = EventLog(ManualClock())
    warning: Json = {"kind": "x", "en": "x", "zh": "x"}
    root = log.begin("request", "x", warnings=Told([warning]))
    log.begin("hook", "y", root, hook="y", warnings=Told([warning, warning]))
    assert summary(root, MASK)["warnings"] == 3
    assert warnings_of(root) == [warning]


def test_a_step_without_identity_or_time_has_those_of_the_one_around_it() -> None:
    clock = ManualClock()
    log = EventLog(clock)
    root = log.begin("request", "POST", identity="master")
    hook = log.begin("hook", "beforeSave", root, identity="user", limit=10.0, left=8.0)
    clock.advance(1.0)
    inner = log.begin("request", "PUT", hook)
    write = log.begin("storage", "update", inner)
    clock.advance(0.5)
    for span in (write, inner, hook, root):
        log.end(span)
    shown: Any = [step(span, MASK) for span in (root, hook, inner, write)]
    assert [node["identity"] for node in shown] == ["master", "user", "user", "user"]
    assert [(node["leftMs"], node["leftAfterMs"]) for node in shown] == [
        (None, None),
        (8_000.0, 6_500.0),
        (7_000.0, 6_500.0),
        (7_000.0, 6_500.0),
    ]


def test_running_steps_have_no_end() -> None:
    log = EventLog(ManualClock())
    root = log.begin("request", "x")
    log.begin("hook", "afterSave Post", root)
    log.end(root, "ok", 200)
    row = summary(root, MASK)
    assert row["tookMs"] == 0.0
    assert row["quietMs"] is None


def test_walk_goes_depth_first() -> None:
    log = EventLog(ManualClock())
    root = log.begin("request", "a")
    child = log.begin("hook", "b", root)
    grandchild = log.begin("request", "c", child)
    last = log.begin("hook", "d", root)
    assert list(walk(root)) == [root, child, grandchild, last]


def test_changes_put_what_changed_first() -> None:
    rows: Any = changes({"same": 1, "gone": 2, "old": 3}, {"same": 1, "old": 4, "new": 5})
    assert [(row["key"], row["change"]) for row in rows] == [
        ("gone", "removed"),
        ("old", "changed"),
        ("new", "added"),
        ("same", "same"),
    ]


def test_changes_of_what_is_no_object() -> None:
    assert changes(None, None) == []
    assert changes([1], {"a": 1}) == [{"key": "a", "change": "added", "after": 1}]
    assert changes({"a": 1}, "x") == [{"key": "a", "change": "removed", "before": 1}]


def test_true_is_not_one_in_a_difference() -> None:
    pairs: list[tuple[Json, Json]] = [(True, 1), ({"a": [0]}, {"a": [False]})]
    for old, new in pairs:
        rows: Any = changes({"flag": old}, {"flag": new})
        assert [row["change"] for row in rows] == ["changed"]
