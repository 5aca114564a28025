"""Instants and spans of time as people write them."""

import re
from datetime import UTC, datetime, tzinfo

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
MAX_ADVANCE = 10 * 366 * 86_400.0
"""Seconds that time may pass at once."""

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")


def read_seconds(text: str) -> float | None:
    """A span of time: ``1d12h``, ``90s`` or plain seconds; ``None`` for what is none."""
    text = text.strip()
    parts = _PART.findall(text)
    if parts and "".join(f"{number}{unit}" for number, unit in parts) == text:
        return sum(float(number) * UNITS[unit] for number, unit in parts)
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def read_instant(text: str, zone: tzinfo = UTC) -> int | None:
    """Milliseconds since 1970 of an ISO time, which is one of ``zone`` unless it names its own.

    ``None`` for what is no ISO time, or none that a clock can show.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return round(moment.timestamp() * 1000)
    except (OverflowError, ValueError):
        return None
