"""The clock that everything goes by: whether it was turned, in words, and how to turn it."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from lean_emulator.base.clock import TurnableClock, iso_text
from lean_emulator.base.jsontext import Json
from lean_emulator.console.bench import Refusal
from lean_emulator.console.contract import Timers
from lean_emulator.console.moments import moment, span
from lean_emulator.console.payload import Problem
from lean_emulator.console.phrases import Phrases
from lean_emulator.model.time_text import MAX_ADVANCE, read_instant, read_seconds

NOTICED_MS = 1_000
"""A clock that is no further from the real time has not been turned."""


@dataclass(frozen=True, slots=True)
class TurnedClock:
    """A clock that is not the real one, in the reader's words."""

    now: Markup
    sentence: Markup
    short: Markup
    frozen: bool


def turned(clock: TurnableClock) -> bool:
    return clock.frozen or abs(clock.ahead_ms) >= NOTICED_MS


def turned_clock(timers: Timers, say: Phrases) -> TurnedClock | None:
    """What to say of the clock; ``None`` while it shows the real time."""
    clock = timers.clock
    if not turned(clock):
        return None
    ahead, now = clock.ahead_ms, clock.now_ms()
    shown = moment(say, now, timers.zone, clock.real_ms())
    how = "frozen" if clock.frozen else "going"
    side = "ahead" if ahead >= NOTICED_MS else "behind" if ahead <= -NOTICED_MS else "level"
    return TurnedClock(
        shown,
        say(
            f"clock.{how}.{side}",
            now=Markup("<b class=num>{}</b>").format(shown),
            span=span(say, ahead),
        ),
        say("clock.badge.frozen" if clock.frozen else f"clock.badge.{side}", span=span(say, ahead)),
        clock.frozen,
    )


def clock_state(clock: TurnableClock) -> dict[str, Json]:
    """For the stream: changes when somebody turns the clock, and not as it goes."""
    if clock.frozen:
        return {"frozenAt": iso_text(clock.now_ms()), "aheadSeconds": None}
    return {"frozenAt": None, "aheadSeconds": round(clock.ahead_ms / 1000)}


def clock_json(timers: Timers) -> dict[str, Json]:
    clock, due = timers.clock, timers.agenda.due_ms()
    return {
        "now": iso_text(clock.now_ms()),
        "frozen": clock.frozen,
        "aheadSeconds": clock.ahead_ms / 1000,
        "next": None if due is None else iso_text(due),
    }


async def turn(timers: Timers, fields: Mapping[str, str]) -> Refusal | None:
    """Do what a form asks of the clock: ``freeze``, ``resume``, ``advance`` by ``span``, or ``set``
    it ``to`` another time. To advance runs what falls due on the way.
    """
    match fields.get("action"):
        case "freeze":
            timers.clock.freeze()
        case "resume":
            timers.clock.resume()
        case "advance":
            text = fields.get("span", "")
            seconds = read_seconds(text)
            if seconds is None or seconds > MAX_ADVANCE:
                return Refusal("span", Problem("problem.span", found=text))
            await timers.agenda.advance(round(seconds * 1000))
        case "set":
            text = fields.get("to", "")
            to = read_instant(text, timers.zone)
            if to is None:
                return Refusal("to", Problem("problem.instant", found=text))
            timers.clock.turn(to)
        case other:
            return Refusal("action", Problem("problem.clock", found=other or ""))
    return None
