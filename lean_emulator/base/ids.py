"""Ids as the platform makes them; a seed makes them repeatable."""

import itertools
import random
import string
from typing import Any, NamedTuple

from lean_emulator.base.clock import Clock

_LOWER = string.digits + string.ascii_lowercase


class State(NamedTuple):
    """Where a source of ids is; of one without a seed, only what comes next in order."""

    random: Any
    counter: int


class Ids:
    """Source of every random text the emulator hands out (storage.md 2.3, 6.1)."""

    def __init__(self, clock: Clock, seed: int | None = None) -> None:
        self._clock = clock
        self._seeded = seed is not None
        self._random: random.Random = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 - only a test asks for a seed
        self._machine = f"{self._random.getrandbits(40):010x}"
        self._counter = self._random.getrandbits(23)
        self._calls = itertools.count(1)
        self._call_prefix = f"{self._random.getrandbits(32):08x}"

    def object_id(self) -> str:
        """24 hex digits whose order follows creation: seconds, machine, counter."""
        seconds = self._clock.now_ms() // 1000
        number = self._counter
        self._counter = number + 1
        return f"{seconds:08x}{self._machine}{number & 0xFFFFFF:06x}"

    def session_token(self) -> str:
        """25 lower-case letters and digits."""
        return self.lower(25)

    def lower(self, length: int) -> str:
        return "".join(self._random.choices(_LOWER, k=length))

    def call_id(self) -> str:
        """Names one call into the user's code; never guessed by another process."""
        return f"{self._call_prefix}{next(self._calls):x}"

    def state(self) -> State:
        """To be gone back to."""
        return State(self._random.getstate() if self._seeded else None, self._counter)

    def go_back(self, state: State) -> None:
        """Hand out the same again as after that state, if there is a seed; else go on."""
        if self._seeded:
            self._random.setstate(state.random)
            self._counter = state.counter
