import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog
from lean_emulator.console.trace_list import Filter, TraceList, link
from tests.support.console_samples import Story


@pytest.fixture
def log() -> EventLog:
    clock = ManualClock()
    log = EventLog(clock)
    Story(log, clock).day("/nowhere")
    return log


@pytest.mark.parametrize(
    ("params", "titles"),
    [
        ({"q": "outcome:rejected"}, ["POST /1.1/classes/Review"]),
        ({"outcome": "timeout"}, ["POST /1.1/functions/monthlyReport"]),
        ({"class": "Review", "outcome": "ok"}, ["POST /1.1/classes/Review"]),
        ({"q": "user:mia class:Post"}, ["PUT /1.1/classes/Post/655f08d19c4e2a0011f0aa17"]),
        ({"q": "user:MASTER"}, ["POST /1.1/functions/monthlyReport"]),
        ({"q": "function:averageStars"}, ["POST /1.1/functions/averageStars"]),
        ({"q": "status:201"}, ["POST /1.1/classes/Review"]),
        ({"q": "no comment"}, ["POST /1.1/classes/Review"]),
        ({"q": '"comment provided"'}, ["POST /1.1/classes/Review"]),
        ({"q": "beforesave report"}, ["POST /1.1/functions/monthlyReport"]),
        ({"q": "nothing:likethis"}, []),
        ({"kind": "reload", "q": "nameerror"}, ["cloud.py"]),
    ],
)
def test_filter(log: EventLog, params: dict[str, str], titles: list[str]) -> None:
    assert [span.title for span in Filter.read(params).keep(log.traces())] == titles


def test_pages_join_without_gap_or_repeat(log: EventLog) -> None:
    traces = TraceList(log, Mask())
    first = traces.page(Filter(), size=3)
    second = traces.page(Filter(), first.older, size=3)
    third = traces.page(Filter(), second.older, size=3)
    ids = [row["id"] for page in (first, second, third) for row in page.rows]
    assert ids == [span.name for span in log.traces()]
    assert third.older is None
    assert (first.matching, first.kept) == (8, 8)


def test_a_before_that_means_nothing_shows_the_first_page(log: EventLog) -> None:
    assert len(TraceList(log, Mask()).page(Filter(), "t-nonsense").rows) == 8


def test_running_traces_are_summarised_anew_and_finished_ones_once(log: EventLog) -> None:
    traces = TraceList(log, Mask())
    span = log.begin("request", "GET /x")
    assert traces.summary(span)["outcome"] == "running"
    log.end(span, "ok", 200)
    done = traces.summary(span)
    assert done["outcome"] == "ok"
    assert traces.summary(span) is done


def test_choices_are_what_occurs(log: EventLog) -> None:
    assert TraceList(log, Mask()).choices() == {
        "outcome": ["ok", "rejected", "failed", "timeout", "loop"],
        "class": ["Post", "Review"],
        "kind": ["request", "reload"],
        "user": ["master", "mia", "nobody"],
        "cause": [],
        "task": [],
    }


def test_an_after_hook_that_fails_is_told_of_a_trace_that_is_well(log: EventLog) -> None:
    traces = TraceList(log, Mask())
    assert all(traces.summary(span)["later"] is None for span in log.traces())
    root = log.begin("request", "PUT /x")
    log.answered(root)
    log.end(log.begin("hook", "afterUpdate X", root), "loop")
    log.end(root, "ok", 200)
    assert traces.summary(root)["later"] == "loop"


def test_links_leave_out_what_is_empty() -> None:
    assert link("/", trace="t-1", step=None, q="") == "/?trace=t-1"
    assert link("/run", hook="Review/beforeSave") == "/run?hook=Review%2FbeforeSave"
    assert link("/") == "/"
