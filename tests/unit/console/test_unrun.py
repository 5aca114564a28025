"""Hooks that did not run, as rows of the tree."""

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.console.timeline import find, most_telling, timeline
from lean_emulator.console.unrun import children_with_unrun
from lean_emulator.model.hooknames import HookKind
from lean_emulator.service import fates
from lean_emulator.service.hook_event import HookEvent

CREATE, UPDATE = HookKind.BEFORE_SAVE, HookKind.BEFORE_UPDATE


@pytest.fixture
def log() -> EventLog:
    return EventLog(ManualClock())


def write(log: EventLog, kind: HookKind, *names: str, times: int = 1) -> Span:
    """A request that writes a Post ``times`` times while the code registers ``names``."""
    root = log.begin("request", "POST /1.1/classes/Post", method="POST", class_name="Post")
    for number in range(times):
        event = HookEvent(kind, "Post", {"objectId": f"p{number}"})
        fates.note(root, event, frozenset(names), None, None)
        log.end(log.begin("storage", "insert Post", root))
    log.end(root)
    return root


def titles(root: Span) -> list[str]:
    return [step.title for step in children_with_unrun(root)]


def test_a_class_without_hooks_has_no_rows_of_them(log: EventLog) -> None:
    assert titles(write(log, CREATE)) == ["insert Post"]
    assert titles(write(log, CREATE, "__before_save_for_Review")) == ["insert Post"]


def test_a_hook_of_a_class_with_nearly_that_name_has_a_row(log: EventLog) -> None:
    root = write(log, CREATE, "__before_save_for_Posts", "__after_save_for_posts")
    assert titles(root) == ["beforeSave Post", "insert Post", "afterSave Post"]


def test_of_an_update_the_save_hooks_have_rows_where_nothing_else_runs(log: EventLog) -> None:
    root = write(log, UPDATE, "__before_save_for_Post", "__after_save_for_Post")
    assert titles(root) == ["beforeSave Post", "insert Post", "afterSave Post"]
    root = write(log, UPDATE, "__before_save_for_Post", "__after_update_for_Post")
    assert titles(root) == ["beforeUpdate Post", "insert Post", "afterUpdate Post"]


def test_several_writes_share_a_row(log: EventLog) -> None:
    root = write(log, CREATE, "__before_save_for_Posts", times=3)
    assert titles(root) == ["beforeSave Post", *["insert Post"] * 3]


def test_a_row_is_found_by_its_name_and_says_why(log: EventLog) -> None:
    root = write(log, CREATE, "__before_save_for_Posts")
    row = timeline(root, Mask(), 0.0).rows[1]
    name = str(row.node["id"])
    assert name == "s-1.beforeSave"
    assert (row.node["outcome"], row.bar) == ("skipped", None)
    found = find(root, name)
    assert found is not None
    assert found.detail["why"]["reason"] == "not_registered"
    assert "but for Posts" in found.detail["why"]["en"]
    assert most_telling(root) is root


def test_steps_of_the_trace_itself_stay_as_they_are(log: EventLog) -> None:
    root = write(log, CREATE, "__before_save_for_Posts")
    children_with_unrun(root)
    assert [step.title for step in root.children] == ["insert Post"]
