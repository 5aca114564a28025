"""What came of running something by hand, and what the exit code says of it."""

from typing import Any, NamedTuple

from lean_emulator.base.jsontext import Json
from lean_emulator.cli import exits
from lean_emulator.cli.output import echo_error, note


class Came(NamedTuple):
    """What came of a call.

    ``broken`` is the traceback of code that did not load, ``None`` for code that did; it is empty
    where the traceback is in somebody else's terminal. ``remarks`` are what the platform would make
    of it, as ``/__emu/run-hook`` gives them.
    """

    status: int
    body: Json
    took_ms: float
    trace: dict[str, Any] | None
    functions: list[str]
    broken: str | None
    hint: str | None = None
    link: str | None = None
    remarks: tuple[dict[str, Any], ...] = ()

    @property
    def error(self) -> dict[str, Any]:
        """The body of an error answer; empty for what is no JSON object."""
        return self.body if isinstance(self.body, dict) else {}


def exit_code(came: Came) -> int:
    """What a call came to, as the exit codes tell it."""
    if came.status < 300:
        return exits.OK
    code = came.error.get("code")
    if (came.status, code) in ((503, 124), (400, 141)):  # 141: a before hook was late
        return exits.TIMED_OUT
    if came.broken is not None and "did not load" in str(came.error.get("error")):
        return exits.DID_NOT_LOAD
    return exits.ERROR


def explain(came: Came, code: int) -> None:
    """Print why it was refused or failed, with the traceback of code that did not load."""
    if code == exits.DID_NOT_LOAD and came.broken:
        note(came.broken.rstrip())
    text = came.error.get("error", came.body)
    echo_error(f"{text} (code {came.error.get('code')}, HTTP {came.status})")
    if code == exits.DID_NOT_LOAD and came.hint:
        note(came.hint)
