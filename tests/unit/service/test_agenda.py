"""The loop that waits for what falls due, and time that passes at once."""

import asyncio

from lean_emulator.base.clock import ManualClock, TurnableClock
from lean_emulator.service.agenda import Agenda


class Alarm:
    """Work that falls due at fixed times."""

    def __init__(self, clock: TurnableClock, *due: int) -> None:
        self.clock = clock
        self.left = sorted(due)
        self.rang: list[int] = []
        self.ringing = asyncio.Event()

    def due_ms(self) -> int | None:
        return self.left[0] if self.left else None

    def start_due(self, now_ms: int) -> list["asyncio.Task[None]"]:
        started = []
        while self.left and self.left[0] <= now_ms:
            self.left.pop(0)
            started.append(asyncio.create_task(self.ring()))
        return started

    async def ring(self) -> None:
        self.rang.append(self.clock.now_ms())
        self.ringing.set()


async def test_time_that_passes_at_once_stops_at_everything_that_is_due() -> None:
    clock = TurnableClock(ManualClock(0))
    first, second = Alarm(clock, 100, 300), Alarm(clock, 200, 900)
    agenda = Agenda(clock, [first, second])
    assert await agenda.advance(500) == 3
    assert (first.rang, second.rang, clock.now_ms()) == ([100, 300], [200], 500)
    assert not clock.frozen


async def test_frozen_time_is_frozen_again_after_it_was_moved() -> None:
    clock = TurnableClock(ManualClock(0))
    clock.freeze()
    agenda = Agenda(clock, [Alarm(clock, 10)])
    await agenda.advance(50)
    assert (clock.frozen, clock.now_ms()) == (True, 50)


async def test_the_loop_starts_what_is_due_already() -> None:
    clock = TurnableClock(ManualClock(1_000))
    alarm = Alarm(clock, 500)
    agenda = Agenda(clock, [alarm])
    agenda.start()
    await asyncio.wait_for(alarm.ringing.wait(), 5)
    await agenda.stop()
    assert alarm.rang == [1_000]


async def test_the_loop_hears_of_new_work_and_of_turns_of_the_clock() -> None:
    clock = TurnableClock(ManualClock(0))
    alarm = Alarm(clock)
    agenda = Agenda(clock, [alarm])
    agenda.start()
    await asyncio.sleep(0)
    alarm.left = [60_000]
    agenda.changed()
    await asyncio.sleep(0)
    assert alarm.rang == []
    clock.turn(60_000)
    await asyncio.wait_for(alarm.ringing.wait(), 5)
    await agenda.stop()
    assert alarm.rang == [60_000]


async def test_nothing_starts_while_time_stands_still() -> None:
    clock = TurnableClock(ManualClock(0))
    clock.freeze()
    alarm = Alarm(clock, 10)
    agenda = Agenda(clock, [alarm])
    agenda.start()
    for _ in range(5):
        await asyncio.sleep(0)
    assert alarm.rang == []
    await agenda.stop()
