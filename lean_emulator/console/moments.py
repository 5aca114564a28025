"""Instants and spans in the reader's language, for what is planned rather than just past."""

from datetime import UTC, datetime, tzinfo

from markupsafe import Markup

from lean_emulator.console.phrases import Phrases

_DAY = 86_400


def ms_of(iso: object) -> int | None:
    """Milliseconds since 1970 of a wire instant; ``None`` stays ``None``."""
    return None if iso is None else round(datetime.fromisoformat(str(iso)).timestamp() * 1000)


def moment(say: Phrases, ms: int, zone: tzinfo, now_ms: int) -> Markup:
    """An instant by the clocks of ``zone``: the time of today, else with day, else with year."""
    at, now = _at(ms, zone), _at(now_ms, zone)
    time = at.strftime("%H:%M:%S")
    if at.date() == now.date():
        return Markup(time)  # noqa: S704 - digits and colons
    phrase = "moment.day" if at.year == now.year else "moment.year"
    return say(
        phrase,
        weekday=say(f"weekday.{at.isoweekday()}"),
        day=at.day,
        month=say(f"month.{at.month}"),
        year=at.year,
        time=time,
    )


def span(say: Phrases, ms: float) -> Markup:
    """How long, in its two largest units: ``2 days 19 h``, ``22 min``, ``12 s``."""
    seconds = round(abs(ms) / 1000)
    if seconds < 60:
        return say("span.s", n=seconds)
    if seconds < 3_600:
        minutes, rest = divmod(seconds, 60)
        return say("span.ms", n=minutes, m=rest) if rest else say("span.m", n=minutes)
    if seconds < _DAY:
        hours, rest = divmod(seconds // 60, 60)
        return say("span.hm", n=hours, m=rest) if rest else say("span.h", n=hours)
    days, rest = divmod(seconds // 3_600, 24)
    return say("span.dh", n=days, m=rest) if rest else say("span.d", n=days)


def distance(say: Phrases, ms: int, now_ms: int) -> Markup:
    """``in 22 min``, ``3 h ago`` or ``now``."""
    if abs(ms - now_ms) < 1_000:
        return say("distance.now")
    return say("distance.in" if ms > now_ms else "distance.ago", span=span(say, ms - now_ms))


def field_text(ms: int, zone: tzinfo) -> str:
    """An instant as a field for date and time takes it."""
    return _at(ms, zone).strftime("%Y-%m-%dT%H:%M:%S")


def _at(ms: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone)
