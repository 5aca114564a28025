"""Requests and reloads as lines."""

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.cli import traffic
from lean_emulator.cli.traffic import Traffic, printable


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def log(clock: ManualClock) -> EventLog:
    return EventLog(clock)


def request(log: EventLog, clock: ManualClock) -> tuple[Span, Span]:
    root = log.begin("request", "POST /1.1/classes/Review")
    hook = log.begin("hook", "beforeSave Review", root)
    clock.advance(0.012)
    log.end(hook)
    return root, hook


def test_a_request_gets_one_line_when_it_is_answered(log: EventLog, clock: ManualClock) -> None:
    lines = Traffic(verbose=False)
    root, _ = request(log, clock)
    assert list(lines.lines(root)) == []
    log.end(root, status=201)
    assert list(lines.lines(root)) == ["201  POST /1.1/classes/Review  12 ms  beforeSave Review"]
    assert list(lines.lines(root)) == []


def test_skipped_hooks_are_not_named(log: EventLog, clock: ManualClock) -> None:
    root = log.begin("request", "POST /1.1/classes/Review")
    log.skip("hook", "beforeSave Review", root, why="__ignore_hooks")
    log.end(root, status=201)
    assert list(Traffic(verbose=False).lines(root)) == ["201  POST /1.1/classes/Review  0 ms"]


def test_an_after_hook_that_fails_late_gets_its_own_line(log: EventLog, clock: ManualClock) -> None:
    lines = Traffic(verbose=False)
    root, _ = request(log, clock)
    after = log.begin("hook", "afterSave Review", root)
    log.end(root, status=201)
    assert len(list(lines.lines(root))) == 1
    after.detail["error"] = {"message": "KeyError: 'post'"}
    log.end(after, "failed")
    assert list(lines.lines(root)) == ["  later afterSave Review  failed  0 ms  KeyError: 'post'"]
    assert list(lines.lines(root)) == []


def test_verbose_prints_the_steps(log: EventLog, clock: ManualClock) -> None:
    root, hook = request(log, clock)
    nested = log.begin("storage", "find Movie", hook)
    log.end(nested)
    log.end(root, status=201)
    assert list(Traffic(verbose=True).lines(root))[1:] == [
        "    beforeSave Review  ok  12 ms",
        "      find Movie  ok  0 ms",
    ]


def test_a_reload_names_what_came_and_went(log: EventLog, clock: ManualClock) -> None:
    root = log.begin("reload", "reload", reason="cloud.py changed", added=["hello"], removed=["x"])
    clock.advance(0.03)
    log.end(root)
    lines = list(Traffic(verbose=False).lines(root))
    assert lines == ["↻  loaded  cloud.py changed  30 ms  +hello  -x"]


def test_a_reload_that_failed(log: EventLog) -> None:
    root = log.begin("reload", "reload", reason="cloud.py changed")
    log.end(root, "failed")
    assert list(Traffic(verbose=False).lines(root)) == ["↻  did not load  cloud.py changed  0 ms"]


def test_memory_is_bounded(
    log: EventLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "REMEMBERED", 10)
    lines = Traffic(verbose=False)
    for _ in range(50):
        root, _ = request(log, clock)
        log.end(root, status=200)
        assert len(list(lines.lines(root))) == 1
    assert len(lines._shown) == 10


def test_a_path_cannot_steer_the_terminal() -> None:
    assert printable("GET /\x1b[2J\r\n\u202e评论") == "GET /\\x1b[2J\\x0d\\x0a\\x202e评论"
