"""Requests and reloads as lines."""

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import Deferred, EventLog, Span
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


def test_a_dry_run_is_told_from_a_request(log: EventLog) -> None:
    root = log.begin("request", "POST /1.1/classes/Review", note="dry run")
    log.end(root, status=201)
    assert list(Traffic(verbose=False).lines(root)) == [
        "201  POST /1.1/classes/Review  0 ms  dry run"
    ]


def test_a_refusal_says_why(log: EventLog, clock: ManualClock) -> None:
    root, _ = request(log, clock)
    root.detail["error"] = {"code": 142, "message": "too\nrude"}
    log.end(root, "rejected", 400)
    (line,) = Traffic(verbose=False).lines(root)
    assert line.startswith("400  POST /1.1/classes/Review  12 ms  beforeSave Review  too")
    assert "\n" not in line
    long, _ = request(log, clock)
    long.detail["error"] = {"message": "x" * 5_000}
    log.end(long, "rejected", 400)
    (line,) = Traffic(verbose=False).lines(long)
    assert line.endswith("x…")
    assert len(line) < 200


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


def test_a_warning_is_told_once_until_the_code_is_loaded_again(
    log: EventLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAN_EMU_LANG", "en")
    looks = []

    class Told(Deferred):
        def told(self, span: Span) -> Json:
            looks.append(span.id)
            return [{"kind": "edits_vanish", "en": "It vanishes.\x1b[0m", "zh": "会消失。"}]

    def warned() -> Span:
        root, hook = request(log, clock)
        hook.detail["warnings"] = Told()
        log.end(root, status=200)
        return root

    lines = Traffic(verbose=False)
    root = warned()
    assert [*lines.lines(root)][1:] == ["  ⚠ beforeSave Review  It vanishes.\\x1b[0m"]
    assert [*lines.lines(root)] == []
    assert looks == [2], "a step that has ended is looked at once"
    assert len([*lines.lines(warned())]) == 1
    reload = log.begin("reload", "cloud.py")
    log.end(reload)
    assert len([*lines.lines(reload)]) == 1
    monkeypatch.setenv("LEAN_EMU_LANG", "zh")
    assert [*lines.lines(warned())][1:] == ["  ⚠ beforeSave Review  会消失。"]


def test_why_a_hook_did_not_run_is_told_in_words(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAN_EMU_LANG", "en")
    root = log.begin("request", "PUT /1.1/classes/Review/x")
    why = {"reason": "ignored", "en": "left out", "zh": "已关闭"}
    log.skip("hook", "afterUpdate Review", root, why=why)
    log.end(root, status=200)
    assert [*Traffic(verbose=True).lines(root)][1] == (
        "    afterUpdate Review  skipped  0 ms  left out"
    )


def test_a_loop_is_told_once_with_its_cure_and_hooks_are_counted(log: EventLog) -> None:
    traffic_lines = Traffic(verbose=False)
    told = []
    for _ in range(2):
        root = log.begin("request", "POST /1.1/classes/Post")
        for _ in range(3):
            error: Json = {"message": "9 calls deep", "hint": {"en": "break it", "zh": "断开"}}
            hook = log.begin("hook", "afterSave Post", root, cycle=["afterSave Post"], error=error)
            log.end(hook, "loop")
        log.end(root, "ok", 201)
        told.append([*traffic_lines.lines(root)])
    line = "201  POST /1.1/classes/Post  0 ms  afterSave Post ×3"
    assert told == [[line, "  ✗ afterSave Post  9 calls deep", "  → break it"], [line]]
