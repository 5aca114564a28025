"""Look at the console without an emulator: ``python -m tests.support.console_demo [PORT]``.

Options: ``--empty`` no traces · ``--broken`` code that did not load · ``--many N`` that many traces
· ``--live`` a new one every two seconds.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from lean_emulator.base.clock import ManualClock, TurnableClock
from lean_emulator.base.ids import Ids
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog
from lean_emulator.base.trace_view import walk
from lean_emulator.console.contract import Timers
from lean_emulator.console.server import Console
from lean_emulator.console_room import setup_of
from lean_emulator.emulator import Emulator
from lean_emulator.keys import NAMES
from lean_emulator.service.data_desk import DataDesk
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.logbook import Logbook
from lean_emulator.settings import Settings, specs
from tests.support.api import KEYS
from tests.support.console_fakes import FakeRuntime, FakeWorkbench, sample_instance
from tests.support.console_samples import CLOUD, MASTER_KEY, Story
from tests.support.console_timers import sample_timers
from tests.support.fake_engine import FakeEngine

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass
class Demo:
    """A running console and the strings it hangs on."""

    url: str
    log: EventLog
    story: Story
    runtime: FakeRuntime
    workbench: FakeWorkbench
    inbox: Inbox
    logbook: Logbook
    timers: Timers
    emulator: Emulator
    """Whose data it shows; it is not started, and traces of its writes are its own."""
    project: Path


@asynccontextmanager
async def demo(project: Path, port: int = 0, *, filled: bool = True) -> AsyncIterator[Demo]:
    """A console over sample data in ``project``, which gets the sample cloud.py."""
    (project / "cloud.py").write_text(CLOUD, encoding="utf-8")
    hand = ManualClock(time.time_ns() // 1_000_000 - 400_000)
    clock = TurnableClock(hand)
    log = EventLog(clock)
    story = Story(log, hand)
    runtime = FakeRuntime(loaded_at_ms=clock.now_ms() + 200_000)
    workbench = FakeWorkbench(story, str(project))
    inbox = Inbox(clock, Ids(clock))
    logbook = Logbook(clock)
    timers = sample_timers(hand, clock, log, inbox)
    emulator = Emulator(
        Settings(project_dir=project, storage="memory", port=4000),
        KEYS,
        clock=hand,
        cloud_code=FakeEngine({}),
        origins={
            **dict.fromkeys(specs(), "default"),
            **dict.fromkeys(NAMES, "keys.json"),
            "port": "--port",
            "storage": "lean-emu.toml",
        },
    )
    if filled:
        story.day(str(project))
        sample_messages(inbox, log)
        sample_lines(logbook, log)
    console = Console(
        log=log,
        inbox=inbox,
        logbook=logbook,
        mask=Mask([MASTER_KEY]),
        runtime=runtime,
        workbench=workbench,
        timers=timers,
        desk=desk_of(emulator),
        setup=setup_of(emulator),
        instance=sample_instance(project),
        hosts=HOSTS,
    )
    real_port = await console.start("127.0.0.1", port)
    try:
        url = f"http://127.0.0.1:{real_port}"
        yield Demo(url, log, story, runtime, workbench, inbox, logbook, timers, emulator, project)
    finally:
        await timers.tasks.close()
        await timers.queue.close()
        await console.stop()


def desk_of(emulator: Emulator) -> DataDesk:
    return DataDesk(
        emulator.objects, emulator.users, emulator.storage, emulator.workbench, emulator.clock
    )


def sample_messages(inbox: Inbox, log: EventLog) -> None:
    """One of each kind, the mail last."""
    inbox.add(
        "push",
        "author = noor",
        "Someone answered your review",
        "Someone answered your review",
        detail={"data": {"alert": "Someone answered your review", "badge": 1}},
    )
    inbox.add("sms", "+8618600000017", "Verification code", "402913 is your code.", code="402913")
    link = "http://127.0.0.1:3000/1.1/verifyEmail/9f2c0e1"
    inbox.add(
        "mail",
        "mia@example.com",
        "Please confirm your address",
        f"Hello mia,\n\nplease confirm that this address is yours:\n\n{link}\n\nIt holds a week.",
        link=link,
        trace=log.traces()[0].name,
    )


def sample_lines(book: Logbook, log: EventLog) -> None:
    """What a day of work prints: of the code as it loads, of its hooks, of a logger, of a crash."""
    book.add("stdout", "INFO:reviews:connected to the index")
    for root in reversed(log.traces()):
        for step in walk(root):
            for line in step.prints or ():
                book.add(line.stream, line.text, root.name, step.name, line.where)
    book.add("stderr", "WARNING:reviews:the index answers slowly (1.8 s)", where="index.py:20")
    book.add("stderr", "Traceback (most recent call last):")
    book.add("stderr", '  File "index.py", line 31, in refresh')
    book.add("stderr", "TimeoutError: no answer within 2 s")
    book.add("stdout", "DEBUG reviews 3 reviews wait for the index")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", nargs="?", type=int, default=3001)
    parser.add_argument("--empty", action="store_true")
    parser.add_argument("--broken", action="store_true")
    parser.add_argument("--many", type=int, default=0)
    parser.add_argument("--live", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        async with demo(Path(folder), args.port, filled=not args.empty) as running:
            for _ in range(args.many):
                running.story.average()
            if args.broken:
                running.runtime.break_down(folder)
            print(running.url, flush=True)
            while True:
                await asyncio.sleep(2)
                if args.live:
                    running.story.average()


if __name__ == "__main__":
    asyncio.run(main())
