from pathlib import Path

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.console.inspector import Inspector, inspect
from lean_emulator.console.phrases import Phrases
from lean_emulator.console.timeline import most_telling
from tests.support.console_samples import Story


@pytest.fixture
def story() -> Story:
    clock = ManualClock()
    return Story(EventLog(clock), clock)


def look(span: Span, tab: str | None = None) -> Inspector:
    return inspect(span, Mask(), tab, Path("/nowhere"))


def test_a_before_hook_shows_what_it_changed(story: Story) -> None:
    seen = look(most_telling(story.review()))
    assert seen.tab == "changes"
    (change,) = seen.changes
    assert (change.key, change.change) == ("comment", "changed")
    assert change.sides is not None
    assert change.lengths == (208, 141)
    assert seen.unchanged == ["movie", "stars", "post"]
    assert (seen.count("changes"), seen.count("prints"), seen.count("input")) == (1, 1, None)


def test_a_hook_that_gives_nothing_back_has_changed_nothing(story: Story) -> None:
    span = story.log.begin("hook", "afterSave Review", hook="afterSave", before={"stars": 5})
    story.log.end(span)
    seen = look(span)
    assert "changes" not in seen.tabs
    assert seen.inputs["object"] == {"stars": 5}


def test_a_chosen_tab_stays_while_the_step_has_it(story: Story) -> None:
    root = story.review()
    assert look(root.children[0], "prints").tab == "prints"
    assert look(root.children[1], "prints").tab == "changes"


def test_a_failed_step_opens_with_its_error_and_a_skipped_one_with_the_reason(story: Story) -> None:
    root = story.rejected("/nowhere")
    assert look(root.children[0]).tab == "error"
    assert look(root.children[1]).tabs == ["why", "identity"]
    assert look(most_telling(story.loop())).tab == "why"


def test_a_traceback_that_was_only_printed_is_found(story: Story) -> None:
    span = story.log.begin("hook", "beforeSave X", hook="beforeSave", error={"message": "500"})
    for line in (
        "something else",
        "Traceback (most recent call last):",
        '  File "/nowhere/cloud.py", line 3, in x',
        "    boom()",
        "ValueError: boom",
    ):
        story.log.printed(span, "stderr", line)
    story.log.end(span, "failed")
    found = look(span).traceback
    assert found is not None
    assert found.last_line == "ValueError: boom"
    assert [frame.line for frame in found.own] == [3]


def test_what_was_raised_comes_before_what_the_client_was_told(story: Story) -> None:
    text = 'Traceback (most recent call last):\n  File "x.py", line 1\nKeyError: 1\n'
    error = {"message": "Cloud Code script had an error.", "traceback": text}
    span = story.log.begin("function", "f", error=error)
    assert look(span).headline == "KeyError: 1"
    span = story.log.begin("function", "f", error={"message": "No comment!"})
    assert look(span).headline == "No comment!"
    assert look(most_telling(story.rejected("/nowhere"))).headline.endswith("No comment provided!")


def test_why_the_time_was_up(story: Story) -> None:
    say = Phrases("en")

    def timed_out(limit: float, left: float) -> Inspector:
        span = story.log.begin("hook", "x", limit=limit, left=left)
        story.log.end(span, "timeout")
        return look(span)

    assert timed_out(10.0, 10.0).time_up(say) == "It took longer than its 10 s."
    less = timed_out(10.0, 1.9)
    assert less.tab == "why"
    assert less.time_up(say).startswith("It had 1.9 s, not 10 s, because")
    assert look(story.average()).time_up(say) == ""


def test_a_bare_cycle_is_closed_by_its_first_hop(story: Story) -> None:
    span = story.log.begin("hook", "x", cycle=["afterUpdate Post", "PUT Post"])
    cycle = look(span).cycle
    assert [hop["text"] for hop in cycle] == ["afterUpdate Post", "PUT Post", "afterUpdate Post"]
    assert [hop["repeat"] for hop in cycle] == [True, False, True]


def test_hooks_and_warnings_of_a_step(story: Story) -> None:
    warning = {"kind": "edits_vanish", "en": "It vanishes.", "zh": "会消失。"}
    hook = {"hook": "beforeSave", "reason": "not_registered", "nearest": "Review", "en": "x"}
    span = story.log.begin("request", "POST", hooks=[hook], warnings=[warning], response={})
    story.log.end(span)
    seen = look(span)
    assert (seen.tab, seen.count("hooks")) == ("hooks", 1)
    assert seen.hooks[0]["nearest"] == "Review"
    assert seen.hooks[0]["step"] is None
    assert seen.warnings == [warning]


def test_hooks_that_ran_as_they_should_are_not_the_first_thing_shown(story: Story) -> None:
    ran = {"hook": "beforeSave", "reason": "ran", "step": "s-2", "nearest": None}
    span = story.log.begin("request", "POST", hooks=[ran], response={})
    story.log.end(span)
    seen = look(span)
    assert seen.tabs == ["hooks", "output", "identity"]
    assert seen.tab == "output"
