"""How soon a process that has ended by itself is started again."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_LIVED = 10.0
"""Seconds after which an end has nothing to do with the one before."""


class Ends:
    """The ends in a row: each one in quick succession makes the pause twice as long."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def pause(self, lived: float) -> float:
        """Seconds to wait after the end of a process that lived so many seconds."""
        self._in_a_row = 0 if lived > _LIVED else self._in_a_row + 1
        if self._in_a_row < 2:
            return 0.0
        return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (self._in_a_row - 2))

    def forget(self) -> None:
        """The code has been edited: it deserves a fresh start."""
        self._in_a_row = 0
