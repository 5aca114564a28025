"""What ``replay`` prints of two runs."""

from typing import Any

from lean_emulator.cli.replay import diff_lines, reload_line


def side(outcome: str = "ok", status: int | None = 200, ms: float | None = 1.0) -> dict[str, Any]:
    return {"id": "s-1", "outcome": outcome, "status": status, "tookMs": ms}


def printed(*steps: tuple[str, int, Any, Any, list[Any]]) -> list[str]:
    shown = [
        {"change": change, "depth": depth, "title": "step", "before": before, "after": after,
         "differences": rows}
        for change, depth, before, after, rows in steps
    ]  # fmt: skip
    return [*diff_lines({"steps": shown})]


def test_what_is_the_same_is_told_once() -> None:
    assert printed(("same", 0, side(), side(), [])) == ["  step  ok 200  1.0 ms"]


def test_outcomes_and_times_of_both_runs() -> None:
    before, after = side(), side("rejected", 400, 2.5)
    assert printed(("changed", 1, before, after, [])) == [
        "~   step  ok 200 → rejected 400  1.0 ms → 2.5 ms"
    ]


def test_steps_of_one_run_alone() -> None:
    assert printed(
        ("removed", 1, side(), None, []), ("added", 1, None, side("skipped", None, None), [])
    ) == ["-   step  ok 200  1.0 ms", "+   step  skipped"]


def test_differences_stand_below_their_step() -> None:
    rows = [
        {"path": "after.a", "before": 1, "after": "x"},
        {"path": "after.b", "before": None},
        {"path": "after.c", "after": [1]},
    ]
    assert printed(("changed", 0, side(), side(), rows))[1:] == [
        '      ~ after.a: 1 → "x"',
        "      - after.b: null",
        "      + after.c: [1]",
    ]


def test_a_reload_is_one_line() -> None:
    loaded = {"outcome": "ok", "title": "p", "reason": "cloud.py changed", "added": ["f"]}
    assert reload_line(loaded) == "↻  loaded  cloud.py changed  +f"
    failed = {"outcome": "failed", "title": "p", "error": {"message": "SyntaxError"}}
    assert reload_line(failed) == "↻  did not load  p  SyntaxError"
