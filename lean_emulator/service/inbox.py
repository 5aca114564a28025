"""What would have left the machine: every mail, short message and push, kept for reading."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.storage.rehearsable import current_rehearsal

MessageKind: TypeAlias = Literal["mail", "sms", "push"]
KINDS: tuple[MessageKind, ...] = ("mail", "sms", "push")


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it would have arrived.

    ``to`` is an address, a phone number or what a push was aimed at. ``code`` and ``link`` are
    what the reader is to use, ``None`` where the message has none. ``trace`` names the request
    that sent it, ``None`` when no request did.
    """

    id: str
    kind: MessageKind
    to: str
    title: str
    text: str
    at_ms: int
    code: str | None = None
    link: str | None = None
    detail: dict[str, Json] = field(default_factory=dict)
    trace: str | None = None

    def to_json(self) -> dict[str, Json]:
        """All of it; members without a value are ``null``, ``at`` is ISO text."""
        return {
            "id": self.id,
            "kind": self.kind,
            "to": self.to,
            "title": self.title,
            "text": self.text,
            "at": iso_text(self.at_ms),
            "code": self.code,
            "link": self.link,
            "detail": self.detail,
            "trace": self.trace,
        }


class Inbox:
    """The newest ``capacity`` messages; older ones are forgotten."""

    def __init__(self, clock: Clock, ids: Ids, capacity: int = 1000) -> None:
        self._clock = clock
        self._ids = ids
        self._capacity = capacity
        self._messages: OrderedDict[str, Message] = OrderedDict()
        self._unread: set[str] = set()
        self._watchers: set[asyncio.Event] = set()
        self._open = True

    def add(
        self,
        kind: MessageKind,
        to: str,
        title: str,
        text: str,
        *,
        code: str | None = None,
        link: str | None = None,
        detail: dict[str, Json] | None = None,
        trace: str | None = None,
    ) -> Message:
        """Keep a message in place of sending it; one that a dry run would send is not kept."""
        made = Message(
            self._ids.object_id(),
            kind,
            to,
            title,
            text,
            self._clock.now_ms(),
            code,
            link,
            detail or {},
            trace,
        )
        if current_rehearsal() is None:
            self._keep(made)
        return made

    def _keep(self, made: Message) -> None:
        self._messages[made.id] = made
        self._unread.add(made.id)
        if len(self._messages) > self._capacity:
            oldest, _ = self._messages.popitem(last=False)
            self._unread.discard(oldest)
        self._tell()

    def messages(self, kind: MessageKind | None = None) -> list[Message]:
        """Newest first; all of them, or those of one kind."""
        newest_first = reversed(self._messages.values())
        return [message for message in newest_first if kind is None or message.kind == kind]

    def after(self, message_id: str | None) -> list[Message]:
        """What came after a message, oldest first; everything after one that is not kept."""
        newer: list[Message] = []
        for message in reversed(self._messages.values()):
            if message.id == message_id:
                break
            newer.append(message)
        return newer[::-1]

    def message(self, message_id: str) -> Message | None:
        """The message of that id, ``None`` when it is unknown or no longer kept."""
        return self._messages.get(message_id)

    @property
    def unread(self) -> frozenset[str]:
        """Ids of messages that nobody has opened in the console."""
        return frozenset(self._unread)

    def mark_read(self, message_id: str) -> None:
        """Somebody has opened the message; an unknown id is no error."""
        if message_id in self._unread:
            self._unread.discard(message_id)
            self._tell()

    def clear(self) -> None:
        """Forget all messages."""
        self._messages.clear()
        self._unread.clear()
        self._tell()

    async def watch(self) -> AsyncIterator[None]:
        """A notice after each change, several of them in one when the reader is slow."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            while self._open:
                await changed.wait()
                changed.clear()
                yield
        finally:
            self._watchers.discard(changed)

    def close(self) -> None:
        """Let all watchers end."""
        self._open = False
        self._tell()

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher.set()
