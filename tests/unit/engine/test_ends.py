"""Pauses between the ends of processes and their successors."""

from lean_emulator.engine.ends import Ends


def test_each_quick_end_doubles_the_pause_up_to_a_limit() -> None:
    ends = Ends()
    pauses = [ends.pause(0.1) for _ in range(9)]
    assert pauses == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_long_life_or_an_edit_begins_anew() -> None:
    ends = Ends()
    for _ in range(5):
        ends.pause(0.1)
    assert ends.pause(60.0) == 0.0
    assert [ends.pause(0.1), ends.pause(0.1)] == [0.0, 0.1]
    ends.forget()
    assert ends.pause(0.1) == 0.0
