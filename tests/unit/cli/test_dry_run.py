"""What ``--dry-run`` prints of the writes that it dropped."""

from typing import Any

import pytest

from lean_emulator.base.trace_view import changes
from lean_emulator.cli.dry_run import Tried, show_writes, write_lines
from lean_emulator.cli.outcome import Came


def write(change: str, before: Any = None, after: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "className": "Post", "objectId": "p1", "change": change,
        "before": before, "after": after, "changes": changes(before, after), **more,
    }  # fmt: skip


def shown(capsys: pytest.CaptureFixture[str], *writes: Any, unfinished: Any = ()) -> str:
    came = Came(201, {}, 1.0, None, [], None)
    show_writes(Tried(came, [*writes], [*unfinished]))
    return capsys.readouterr().err


def test_each_object_stands_with_what_differs() -> None:
    old = {"n": 1, "same": 0, "updatedAt": "a", "gone": 1}
    new = {"n": 2, "same": 0, "updatedAt": "b", "come": 1}
    assert [*write_lines([write("created", None, {"n": 1}), write("updated", old, new)])] == [
        "+ Post p1",
        "    + n: 1",
        "~ Post p1",
        "    ~ n: 1 → 2",
        "    - gone: 1",
        "    + come: 1",
    ]


def test_of_a_deleted_object_only_the_name_is_told() -> None:
    assert [*write_lines([write("deleted", {"n": 1})])] == ["- Post p1"]


def test_members_of_relations_that_came_and_went() -> None:
    relations = [{"key": "fans", "added": ["a", "b"], "removed": ["c"]}]
    assert [*write_lines([write("updated", {}, {}, relations=relations)])] == [
        "~ Post p1",
        "    + fans: a, b",
        "    - fans: c",
    ]


def test_it_says_that_nothing_is_stored(capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing of this is stored" in shown(capsys, write("deleted", {}))
    assert "nothing would be stored" in shown(capsys)


def test_what_still_runs_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert "afterSave Post was still running" in shown(capsys, unfinished=["afterSave Post"])


def test_hints_are_chinese_where_the_terminal_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAN_EMU_LANG", "zh")
    assert "演练" in shown(capsys)
