"""How a trace reads in a terminal."""

from typing import Any

import pytest

from lean_emulator.cli.trace_text import changed, lines


def step(title: str, **more: Any) -> dict[str, Any]:
    return {"id": "t-1", "title": title, "outcome": "ok", "tookMs": 1.25, "children": [], **more}


def diff(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return step("beforeSave Post", before={}, after={}, changes=[*rows], **more)


def test_a_tree_says_who_when_and_how_long() -> None:
    hook = step(
        "beforeUpdate Post", status=200, limitMs=10_000.0, leftMs=9_876.0, where="cloud.py:7",
        identity="user", user={"username": "alice"}, updatedKeys=["a", "b"],
    )  # fmt: skip
    root = step(
        "PUT /1.1/classes/Post/x", status=200, identity="user", user={"username": "alice"},
        children=[hook, step("update Post")],
    )  # fmt: skip
    assert [*lines(root)] == [
        "t-1  PUT /1.1/classes/Post/x  ok 200  1.2 ms  as user alice",
        "  beforeUpdate Post  (cloud.py:7)  ok 200  1.2 ms  9.88 s left of 10 s  updatedKeys: a, b",
        "  update Post  ok  1.2 ms",
    ]


def test_a_step_says_who_it_acts_for_where_that_changes() -> None:
    inner = step("PUT /1.1/classes/Post/y", identity="master", children=[step("update Post")])
    skipped = step("afterUpdate Post", outcome="skipped", identity="master", why="no")
    storage = step("insert Post", kind="storage", identity="user")
    ann = {"identity": "user", "user": {"username": "ann"}}
    hook = step("afterSave Post", **ann, children=[inner, skipped])
    root = step("POST /1.1/classes/Post", **ann, children=[storage, hook])
    assert [line for line in lines(root) if "as " in line] == [
        "t-1  POST /1.1/classes/Post  ok  1.2 ms  as user ann",
        "    PUT /1.1/classes/Post/y  ok  1.2 ms  as master",
    ]


def test_hooks_without_a_step_are_told_by_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def hook(word: str, reason: str, **more: Any) -> dict[str, Any]:
        said = {"en": f"because {reason}", "zh": f"因为 {reason}"}
        return {"hook": word, "reason": reason, "outcome": None, **said, **more}

    hooks = [
        hook("beforeUpdate", "ran", outcome="ok"),
        hook("afterUpdate", "ignored", outcome="skipped"),
        hook("beforeSave", "other_write", expected=True),
        hook("afterSave", "other_write", expected=True),
        hook("beforeSave", "other_write", expected=True),
        hook("afterUpdate", "other_write", expected=False),
        hook("beforeDelete", "ran_anyway", outcome="ok"),
    ]
    monkeypatch.setenv("LEAN_EMU_LANG", "en")
    assert [*lines(step("PUT", hooks=hooks))][1:] == [
        "    · beforeSave, afterSave: because other_write",
        "    · beforeDelete: because ran_anyway",
    ]
    monkeypatch.setenv("LEAN_EMU_LANG", "zh")
    assert "因为 other_write" in [*lines(step("PUT", hooks=hooks))][1]


def test_warnings_stand_below_their_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_EMU_LANG", "zh")
    warned = step(
        "beforeUpdate A", warnings=[{"kind": "x", "en": "It vanishes.", "zh": "会消失。"}]
    )
    assert [*lines(warned)][1:] == ["    ⚠ 会消失。"]


def test_a_hook_that_did_not_run_says_why_in_the_terminals_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    why = {"reason": "ignored", "en": "switched off by the SDK", "zh": "被 SDK 关闭"}
    skipped = step("afterSave Post", outcome="skipped", why=why, tookMs=0.0)
    monkeypatch.setenv("LEAN_EMU_LANG", "en")
    assert [*lines(skipped, 1)] == ["  afterSave Post  skipped  switched off by the SDK"]
    monkeypatch.setenv("LEAN_EMU_LANG", "zh")
    assert [*lines(skipped, 1)] == ["  afterSave Post  skipped  被 SDK 关闭"]


def test_a_step_that_still_runs_has_no_time() -> None:
    assert [*lines(step("hello", outcome="running", tookMs=None))] == ["t-1  hello  running"]


def test_what_was_printed_and_changed_stands_below() -> None:
    tree = diff(
        {"key": "n", "change": "changed", "before": 1, "after": 2},
        {"key": "slug", "change": "added", "after": "星"},
        {"key": "old", "change": "removed", "before": None},
        {"key": "same", "change": "same", "before": 1, "after": 1},
        prints=[{"stream": "stdout", "text": "one\ntwo"}, {"stream": "stderr", "text": ""}],
    )
    below = ["    ~ n: 1 → 2", '    + slug: "星"', "    - old: null"]
    assert [*lines(tree)][1:] == ["    │ one", "    │ two", "    │ ", *below]
    assert [*lines(tree, prints=False)][1:] == below


def test_an_error_has_its_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_EMU_LANG", "en")
    error = {"message": "Too deep.", "hint": {"en": "Disable the hook.", "zh": "关闭 hook。"}}
    tree = step("afterSave A", outcome="loop", error=error, cycle=["afterSave A", "afterSave B"])
    head, *below = lines(tree)
    assert head.endswith("cycle: afterSave A → afterSave B → afterSave A")
    assert below == ["    ! Too deep.", "      Disable the hook."]


def test_long_values_are_cut_around_what_differs() -> None:
    before, after = "x" * 200, "x" * 140 + "…" + "x" * 100
    (row,) = [*lines(diff({"key": "c", "change": "changed", "before": before, "after": after}))][1:]
    one, other = row.removeprefix("    ~ c: ").split(" → ")
    assert max(len(one), len(other)) <= 60
    assert one.startswith("…" + "x" * 20)
    assert other.startswith("…" + "x" * 20 + "…x")


def test_one_image_alone_is_no_change() -> None:
    rows = [{"key": "n", "change": "removed", "before": 1}]
    assert changed({"before": {"n": 1}, "after": None, "changes": rows}) == []
    assert changed({"before": {"n": 1}, "after": {}, "changes": rows}) == rows


def test_automatic_fields_are_never_in_a_hooks_answer() -> None:
    rows = [{"key": "createdAt", "change": "removed", "before": "…"}]
    images: dict[str, Any] = {"before": {}, "after": {}, "changes": rows}
    assert changed({"kind": "hook", **images}) == []
    assert changed({"kind": "storage", **images}) == rows


def test_steps_that_were_not_kept_are_counted() -> None:
    assert [*lines(step("hello", dropped=3))][-1] == "  … and 3 more steps"
