"""The ring of traces: what is kept, what is dropped, who is told."""

import asyncio

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.trace import MAX_STEPS, EventLog


def test_steps_hang_below_their_parent() -> None:
    log = EventLog(ManualClock())
    root = log.begin("request", "POST /1.1/classes/Post")
    hook = log.begin("hook", "beforeSave Post", root, hook="beforeSave")
    nested = log.begin("request", "GET /1.1/date", hook)
    assert (root.children, hook.children) == ([hook], [nested])
    assert nested.root is root
    assert root.steps == 2
    assert (root.name, hook.name) == ("t-1", "s-2")
    assert log.traces() == [root]


def test_times_and_outcome() -> None:
    clock = ManualClock(5_000)
    log = EventLog(clock)
    span = log.begin("function", "hello")
    assert (span.outcome, span.ended, span.at_ms) == ("running", None, 5_000)
    clock.advance(0.25)
    assert log.elapsed(span) == 0.25
    log.end(span, "rejected", 400)
    clock.advance(1.0)
    log.end(span, "ok", 200)
    assert (span.outcome, span.status, span.ended) == ("rejected", 400, 0.25)


def test_answered_is_the_first_moment() -> None:
    clock = ManualClock()
    log = EventLog(clock)
    span = log.begin("request", "x")
    clock.advance(1.0)
    log.answered(span)
    clock.advance(1.0)
    log.answered(span)
    assert span.answered == 1.0


def test_the_ring_forgets_the_oldest() -> None:
    log = EventLog(ManualClock(), capacity=3)
    roots = [log.begin("request", str(n)) for n in range(5)]
    assert log.traces() == [roots[4], roots[3], roots[2]]
    assert len(log) == log.capacity == 3
    assert log.trace(roots[0].name) is None
    assert log.trace(roots[4].name) is roots[4]
    log.clear()
    assert log.traces() == []


def test_unknown_names_find_nothing() -> None:
    log = EventLog(ManualClock())
    log.begin("request", "x")
    for name in ("", "t-", "t-zz", "t--1", "t-2", "../t-1"):
        assert log.trace(name) is None


def test_a_skipped_step_says_why_and_needs_a_trace() -> None:
    log = EventLog(ManualClock())
    root = log.begin("request", "x")
    log.skip("hook", "afterSave Post", root, why={"reason": "ignored"})
    log.skip("hook", "afterSave Post", None, why={"reason": "ignored"})
    (skipped,) = root.children
    assert (skipped.outcome, skipped.detail["why"]) == ("skipped", {"reason": "ignored"})
    assert log.traces() == [root]


def test_steps_beyond_the_limit_are_counted_only() -> None:
    log = EventLog(ManualClock())
    root = log.begin("request", "x")
    spans = [log.begin("storage", "get", root) for _ in range(MAX_STEPS + 3)]
    assert len(root.children) == MAX_STEPS
    assert root.dropped == 3
    log.end(spans[-1])
    assert spans[-1].outcome == "ok"


def test_prints_are_kept_up_to_a_limit() -> None:
    log = EventLog(ManualClock())
    span = log.begin("function", "f")
    for n in range(1_200):
        log.printed(span, "stdout", str(n))
    log.printed(span, "stderr", "late")
    assert span.prints is not None
    assert len(span.prints) == 1_000
    other = log.begin("function", "g")
    log.printed(other, "stderr", "x" * 100_000, "cloud.py:3")
    assert other.prints is not None
    assert (len(other.prints[0].text), other.prints[0].where) == (65_536, "cloud.py:3")


async def test_watchers_hear_of_every_change() -> None:
    log = EventLog(ManualClock())
    notices = log.watch()
    first = asyncio.ensure_future(anext(notices))
    await asyncio.sleep(0)
    root = log.begin("request", "x")
    child = log.begin("storage", "get", root)
    log.end(child)
    log.end(root)
    assert await first == [root], "once, however much has changed"
    second = asyncio.ensure_future(anext(notices))
    await asyncio.sleep(0)
    log.printed(child, "stdout", "more")
    assert await second == [root]
    await notices.aclose()  # type: ignore[attr-defined]  # an async generator behind its iterator
    log.begin("request", "nobody listens")


async def test_a_slow_watcher_loses_the_oldest_notices() -> None:
    log = EventLog(ManualClock())
    notices = log.watch()
    first = asyncio.ensure_future(anext(notices))
    await asyncio.sleep(0)
    roots = [log.begin("request", str(n)) for n in range(1_500)]
    assert await first == roots[500:]
    await notices.aclose()  # type: ignore[attr-defined]  # an async generator behind its iterator
