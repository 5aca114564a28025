"""Budgets shrink and never grow."""

import math

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import TimedOut


def test_remaining_shrinks_to_zero_and_stays() -> None:
    clock = ManualClock()
    deadline = Deadline.after(clock, 15.0)
    assert (deadline.remaining(), deadline.seconds) == (15.0, 15.0)
    clock.advance(13.0)
    assert deadline.remaining() == 2.0
    clock.advance(5.0)
    assert deadline.remaining() == 0.0


def test_check_raises_when_nothing_is_left() -> None:
    clock = ManualClock()
    deadline = Deadline.after(clock, 1.0)
    clock.advance(0.999)
    deadline.check()
    clock.advance(0.001)
    with pytest.raises(TimedOut) as caught:
        deadline.check()
    assert (caught.value.code, caught.value.status) == (124, 503)


def test_narrowed_takes_the_smaller() -> None:
    clock = ManualClock()
    function = Deadline.after(clock, 15.0)
    assert function.narrowed(10.0).remaining() == 10.0
    clock.advance(13.0)
    hook = function.narrowed(10.0)
    assert hook.remaining() == 2.0
    assert hook.seconds == 2.0
    assert function.remaining() == 2.0


def test_narrowing_never_gives_time_back() -> None:
    clock = ManualClock()
    spent = Deadline.after(clock, 1.0)
    clock.advance(5.0)
    assert spent.narrowed(10.0).remaining() == 0.0


def test_never_has_no_end_until_it_is_narrowed() -> None:
    clock = ManualClock()
    never = Deadline.never(clock)
    clock.advance(1e9)
    never.check()
    assert never.remaining() == math.inf
    assert never.narrowed(math.inf).remaining() == math.inf
    assert never.narrowed(3.0).remaining() == 3.0
