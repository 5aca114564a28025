"""What a scheduled task is: which function runs when, and what is done when it fails."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.model.cron import Cron
from lean_emulator.model.schedule import When, parse_every

OnError: TypeAlias = Literal["retry", "cancel"]
Origin: TypeAlias = Literal["file", "user"]

_NAME = re.compile(r"[^\s/][^/]{0,99}")
_MEMBERS = ("name", "function", "cron", "every", "zone", "params", "on_error", "enabled", "staging")


@dataclass(frozen=True, slots=True)
class Task:
    """A cloud function that runs by itself.

    ``zone`` names the time zone whose clocks a cron expression means, ``None`` for the project's.
    ``on_error`` is ``retry`` to run again what was lost or missed, ``cancel`` to let it go.
    ``origin`` tells a task of the repository's file from one somebody made.
    """

    name: str
    function: str
    when: When
    zone: str | None = None
    params: Mapping[str, Json] = field(default_factory=dict)
    on_error: OnError = "cancel"
    enabled: bool = False
    staging: bool = False
    origin: Origin = "user"

    def to_json(self) -> dict[str, Json]:
        """As ``parse_task`` reads it, with ``origin``."""
        kind = "cron" if isinstance(self.when, Cron) else "every"
        return {
            "name": self.name,
            "function": self.function,
            kind: self.when.text if isinstance(self.when, Cron) else self.when.seconds,
            "zone": self.zone,
            "params": dict(self.params),
            "on_error": self.on_error,
            "enabled": self.enabled,
            "staging": self.staging,
            "origin": self.origin,
        }


def parse_task(raw: Mapping[str, Any], *, origin: Origin, enabled: bool = False) -> Task:
    """A task from a table or a JSON object; ``enabled`` is what it is unless it says.

    Raises code 1 that names the task, the member, and what was expected of it.
    """
    name = raw.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _wrong("?", f"a task wants a name of 1 to 100 characters without '/', got {name!r}")
    unknown = [key for key in raw if key not in _MEMBERS and key != "origin"]
    if unknown:
        raise _wrong(name, f"'{unknown[0]}' is no member; members are {', '.join(_MEMBERS)}")
    function = raw.get("function")
    if not isinstance(function, str) or not function:
        raise _wrong(name, f"function wants the name of a cloud function, got {function!r}")
    zone = raw.get("zone")
    if zone is not None:
        zone_named(zone)
    return Task(
        name,
        function,
        _when(name, raw),
        zone=zone,
        params=_params(name, raw.get("params")),
        on_error=_choice(name, raw.get("on_error", "cancel")),
        enabled=_truth(name, "enabled", raw.get("enabled", enabled)),
        staging=_truth(name, "staging", raw.get("staging", False)),
        origin=origin,
    )


def zone_named(name: object) -> tzinfo:
    """A time zone by its name. Raises code 1."""
    if isinstance(name, str) and name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise errors.INVALID_REQUEST(
            f"There is no time zone {name!r}.",
            hint=Hint("Names are like Asia/Shanghai or UTC.", "时区名形如 Asia/Shanghai 或 UTC。"),
        ) from None


def _when(name: str, raw: Mapping[str, Any]) -> When:
    cron, every = raw.get("cron"), raw.get("every")
    if (cron is None) == (every is None):
        raise _wrong(name, "it wants either cron or every, and not both")
    if cron is None:
        return parse_every(every)
    if not isinstance(cron, str):
        raise _wrong(name, f"cron wants a text, got {cron!r}")
    return Cron.parse(cron)


def _params(name: str, raw: Any) -> Mapping[str, Json]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise _wrong(name, f"params want an object, got {raw!r}")
    return raw


def _choice(name: str, raw: Any) -> OnError:
    if raw not in ("retry", "cancel"):
        raise _wrong(name, f"on_error is 'retry' or 'cancel', got {raw!r}")
    return "retry" if raw == "retry" else "cancel"


def _truth(name: str, member: str, raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise _wrong(name, f"{member} is true or false, got {raw!r}")
    return raw


def _wrong(name: str, text: str) -> ApiError:
    return errors.INVALID_REQUEST(f"Task '{name}': {text}.")
