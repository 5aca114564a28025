"""What the inbox keeps, in which order, and whom it tells."""

import asyncio

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.ids import Ids
from lean_emulator.service.inbox import Inbox


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def inbox(clock: ManualClock) -> Inbox:
    return Inbox(clock, Ids(clock, seed=1), capacity=3)


def test_the_newest_message_comes_first(inbox: Inbox) -> None:
    first = inbox.add("mail", "ann@example.com", "Hello", "Hello Ann")
    second = inbox.add("sms", "+8613800000000", "Code", "It is 123456", code="123456")
    assert inbox.messages() == [second, first]
    assert inbox.messages("mail") == [first]
    assert inbox.messages("push") == []
    assert inbox.message(first.id) == first
    assert inbox.message("nothing") is None


def test_a_message_as_json(inbox: Inbox, clock: ManualClock) -> None:
    made = inbox.add(
        "mail", "a@b.c", "Hello", "Text", link="http://x/", detail={"n": 1}, trace="t-1"
    )
    assert made.to_json() == {
        "id": made.id,
        "kind": "mail",
        "to": "a@b.c",
        "title": "Hello",
        "text": "Text",
        "at": "2023-11-14T22:13:20.000Z",
        "code": None,
        "link": "http://x/",
        "detail": {"n": 1},
        "trace": "t-1",
    }


def test_only_so_many_are_kept(inbox: Inbox) -> None:
    made = [inbox.add("push", str(n), "", "") for n in range(5)]
    assert inbox.messages() == made[:1:-1]
    assert inbox.unread == {message.id for message in made[2:]}


def test_reading_and_forgetting(inbox: Inbox) -> None:
    first, second = (inbox.add("sms", to, "", "") for to in ("+1", "+2"))
    inbox.mark_read(first.id)
    inbox.mark_read("nothing")
    assert inbox.unread == {second.id}
    inbox.clear()
    assert (inbox.messages(), inbox.unread) == ([], frozenset())


def test_what_came_after_a_message(inbox: Inbox) -> None:
    first, second, third = (inbox.add("sms", to, "", "") for to in ("+1", "+2", "+3"))
    assert inbox.after(first.id) == [second, third]
    assert inbox.after(third.id) == []
    assert inbox.after("not kept") == inbox.after(None) == [first, second, third]


async def test_watching_ends_when_the_inbox_closes(inbox: Inbox) -> None:
    async def watch() -> int:
        return len([None async for _ in inbox.watch()])

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    inbox.close()
    async with asyncio.timeout(5):
        assert await watching == 1


async def test_a_watcher_is_told_of_every_change(inbox: Inbox) -> None:
    told = asyncio.Event()

    async def watch() -> None:
        async for _ in inbox.watch():
            told.set()

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    for change in (lambda: inbox.add("sms", "+1", "", ""), inbox.clear):
        told.clear()
        change()
        async with asyncio.timeout(5):
            await told.wait()
    watching.cancel()
    await asyncio.wait({watching})
