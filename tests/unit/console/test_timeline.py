import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog
from lean_emulator.console.timeline import Timeline, find, most_telling, timeline
from tests.support.console_samples import Story


@pytest.fixture
def story() -> Story:
    clock = ManualClock()
    return Story(EventLog(clock), clock)


def row(drawn: Timeline, title: str, number: int = 0) -> int:
    return [n for n, item in enumerate(drawn.rows) if item.node["title"] == title][number]


def test_the_answer_stands_between_before_and_after_hooks(story: Story) -> None:
    drawn = timeline(story.review(), Mask(), 0.0)
    before = drawn.rows[row(drawn, "beforeSave Review")].bar
    after = drawn.rows[row(drawn, "afterSave Review")].bar
    assert drawn.answer is not None
    assert before is not None
    assert after is not None
    assert sum(before.own) < drawn.answer
    assert after.own[0] == pytest.approx(drawn.answer, abs=0.01)
    root = drawn.rows[0].bar
    assert root is not None
    assert root.after is not None
    assert sum(root.own) == pytest.approx(root.after[0], abs=0.01)


def test_nothing_is_dotted_when_nothing_ran_past_the_answer(story: Story) -> None:
    drawn = timeline(story.average(), Mask(), 0.0)
    assert drawn.answer is None
    assert "after" not in drawn.marks


def test_time_left_is_what_the_hook_really_had(story: Story) -> None:
    drawn = timeline(story.timed_out(), Mask(), 0.0)
    inner = drawn.rows[row(drawn, "beforeSave Report")]
    assert inner.left is not None
    assert inner.left.began_ms == pytest.approx(6140)
    assert inner.left.ended_ms == pytest.approx(5460)
    assert inner.left.level == "fine"
    assert inner.bar is not None
    assert inner.bar.left is not None, "its limit lies inside the axis, so the rest is hatched"
    spent = drawn.rows[row(drawn, "beforeSave Report", 1)]
    assert spent.left is not None
    assert (spent.left.ended_ms, spent.left.level) == (0.0, "over")


def test_a_skipped_step_has_a_row_and_no_bar(story: Story) -> None:
    drawn = timeline(story.review(), Mask(), 0.0)
    skipped = drawn.rows[row(drawn, "beforeUpdate Post")]
    assert skipped.bar is None
    assert skipped.left is None


def test_a_running_trace_ends_at_now(story: Story) -> None:
    root = story.log.begin("request", "GET /slow")
    story.wait(400)
    drawn = timeline(root, Mask(), story.log.elapsed(root))
    assert drawn.rows[0].bar is not None
    assert sum(drawn.rows[0].bar.own) > 90
    assert drawn.ticks[-1].ms == 400


def test_ticks_are_round_numbers(story: Story) -> None:
    assert [tick.ms for tick in timeline(story.review(), Mask(), 0.0).ticks] == [0, 10, 20, 30]
    assert [tick.ms for tick in timeline(story.timed_out(), Mask(), 0.0).ticks] == [
        0,
        5000,
        10_000,
        15_000,
    ]


def test_long_traces_are_read_in_windows_that_meet(story: Story) -> None:
    root = story.wide(2_000)
    steps: list[object] = []
    at = None
    for _ in range(7):
        drawn = timeline(root, Mask(), 0.0, at)
        assert len(drawn.rows) <= 302
        kept = [item.node["id"] for item in drawn.rows]
        steps += [name for name in kept if name not in steps]
        at = drawn.later
    assert at is None
    assert len(steps) == drawn.total == 2_002


def test_a_later_window_keeps_the_ancestors_and_counts_what_is_hidden(story: Story) -> None:
    root = story.wide(1_000)
    far = root.children[0].children[700]
    drawn = timeline(root, Mask(), 0.0, far.name)
    assert [item.depth for item in drawn.rows[:3]] == [0, 1, 2]
    assert far.name in [item.node["id"] for item in drawn.rows]
    hidden = drawn.hidden_before + drawn.hidden_after
    assert hidden + len(drawn.rows) == drawn.total
    earlier = find(root, drawn.earlier)
    assert earlier is not None


def test_the_step_to_look_at_first(story: Story) -> None:
    assert most_telling(story.review()).title == "beforeSave Review"
    assert most_telling(story.average()).title == "averageStars"
    assert most_telling(story.rejected("/nowhere")).title == "beforeSave Review"
    assert most_telling(story.loop()).outcome == "loop"
    timed_out = most_telling(story.timed_out())
    assert (timed_out.title, timed_out.outcome) == ("beforeSave Report", "timeout")
