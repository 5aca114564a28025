"""The messages that were not sent, read from a test."""

from lean_emulator.emulator import Emulator
from lean_emulator.service.inbox import Message, MessageKind
from lean_emulator.testing.loop_thread import LoopThread


class Inbox:
    """Mails, short messages and pushes."""

    def __init__(self, emulator: Emulator, thread: LoopThread) -> None:
        self._inbox = emulator.inbox
        self._thread = thread

    def messages(self, kind: MessageKind | None = None, to: str | None = None) -> list[Message]:
        """All of them, oldest first; those of a kind, or to an address."""
        found = self._thread.ask(lambda: self._inbox.messages(kind))
        return [message for message in reversed(found) if to in (None, message.to)]

    def code(self, to: str | None = None) -> str:
        """The newest code. Raises ``LookupError`` when no message has one."""
        return self._newest("code", to)

    def link(self, to: str | None = None) -> str:
        """The newest link. Raises ``LookupError`` when no message has one."""
        return self._newest("link", to)

    def clear(self) -> None:
        """Forget all messages."""
        self._thread.ask(self._inbox.clear)

    def __len__(self) -> int:
        return len(self.messages())

    def _newest(self, what: str, to: str | None) -> str:
        messages = self.messages(to=to)
        for message in reversed(messages):
            if (value := getattr(message, what)) is not None:
                return str(value)
        kept = ", ".join(f"{m.kind} to {m.to}" for m in messages) or "nothing"
        raise LookupError(f"no message{f' to {to}' if to else ''} has a {what}; there is: {kept}")
