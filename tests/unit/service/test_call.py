"""Calls get longer and never get more time; loops are told with their cycle."""

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.trace import EventLog
from lean_emulator.model.access import ANONYMOUS
from lean_emulator.model.hooknames import AFTER_HOOKS
from lean_emulator.service.call import Call, cycle_of, hook_loop


def test_inside_is_one_link_longer_and_has_no_more_time() -> None:
    clock = ManualClock()
    log = EventLog(clock)
    outer = Call(ANONYMOUS, Deadline.after(clock, 15.0), None, prod=False).ignoring(AFTER_HOOKS)
    clock.advance(13.0)
    inner = outer.inside("beforeSave Post", log.begin("hook", "x"), 10.0)
    assert inner.chain == ("beforeSave Post",)
    assert inner.deadline.remaining() == 2.0
    assert inner.ignored == frozenset()
    assert inner.prod is False
    assert inner.inside("f", log.begin("function", "f"), 99.0).chain == ("beforeSave Post", "f")
    assert (outer.chain, outer.ignored) == ((), AFTER_HOOKS)


@pytest.mark.parametrize(
    ("chain", "cycle"),
    [
        (("a", "a"), ("a",)),
        (("a", "b", "a"), ("a", "b")),
        (("f", "a", "b", "a", "b", "a"), ("a", "b")),
        (("f", "a", "b", "c"), ("f", "a", "b", "c")),
        (("a",), ("a",)),
    ],
)
def test_cycle_of(chain: tuple[str, ...], cycle: tuple[str, ...]) -> None:
    assert cycle_of(chain) == cycle


@pytest.mark.parametrize(
    ("step", "cure"),
    [("afterUpdate Post", "disable_after_hook()"), ("beforeSave Post", "disable_before_hook()")],
)
def test_a_loop_says_how_it_ends(step: str, cure: str) -> None:
    loop = hook_loop((step, step))
    assert (loop.code, loop.status) == (431, 431)
    assert loop.message == (f"LeanEngine hooks rate limit exceeded. 2 calls deep: {step} → {step}")
    assert loop.hint is not None
    assert cure in loop.hint.en
    assert cure in loop.hint.zh
