"""A clock whose wall time can be turned while budgets go on."""

from lean_emulator.base.clock import ManualClock, TurnableClock


def test_it_is_the_real_time_until_it_is_turned() -> None:
    hand = ManualClock(1_000)
    clock = TurnableClock(hand)
    hand.advance(2)
    assert (clock.now_ms(), clock.monotonic(), clock.ahead_ms) == (3_000, 2.0, 0)


def test_frozen_time_stands_while_budgets_go_on() -> None:
    hand = ManualClock(1_000)
    clock = TurnableClock(hand)
    clock.freeze()
    hand.advance(5)
    assert (clock.now_ms(), clock.monotonic()) == (1_000, 5.0)
    assert (clock.frozen, clock.ahead_ms) == (True, -5_000)


def test_turned_time_goes_on_or_stands_as_before() -> None:
    hand = ManualClock(0)
    clock = TurnableClock(hand)
    clock.turn(10_000)
    hand.advance(1)
    assert (clock.now_ms(), clock.frozen) == (11_000, False)
    clock.turn(5_000, frozen=True)
    clock.turn(7_000)
    hand.advance(1)
    assert (clock.now_ms(), clock.frozen) == (7_000, True)
    clock.turn(8_000, frozen=False)
    hand.advance(1)
    assert clock.now_ms() == 9_000


def test_resumed_time_is_the_real_one() -> None:
    hand = ManualClock(0)
    clock = TurnableClock(hand)
    clock.turn(1_000_000, frozen=True)
    clock.resume()
    hand.advance(3)
    assert (clock.now_ms(), clock.frozen, clock.ahead_ms) == (3_000, False, 0)


def test_every_turn_is_heard() -> None:
    clock = TurnableClock(ManualClock(0))
    heard: list[int] = []
    clock.on_turn(lambda: heard.append(clock.now_ms()))
    clock.freeze()
    clock.turn(5)
    clock.resume()
    assert heard == [0, 5, 0]
