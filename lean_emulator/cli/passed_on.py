"""Signals for a command that runs in our stead: it gets each that we get."""

import os
import signal
import subprocess
import sys
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)


class PassedOn:
    """While it is entered, no signal ends this process; the child gets them, once there is one."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_IGN:
                continue  # started by nohup: neither we nor the child are meant
            self._before[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def to(self, child: "subprocess.Popen[bytes]") -> None:
        """From now on there is a child; it gets what came before it was known, too."""
        self._child = child
        for number in self._early:
            child.send_signal(number)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and _from_the_terminal():
            return
        if self._child is None:
            self._early.append(number)
        else:
            self._child.send_signal(number)  # does nothing when it has ended


def _from_the_terminal() -> bool:
    """Whether Ctrl-C in the terminal has reached the child already: it goes to the whole group."""
    if os.name == "nt":
        return True
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def exit_code(child: "subprocess.Popen[bytes]") -> int:
    """What a shell would leave with after the child; only once it has ended."""
    code: int = child.returncode
    return code if code >= 0 else 128 - code
