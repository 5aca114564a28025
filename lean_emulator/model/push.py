"""What a request for a push asks for, checked as far as that needs no data (storage.md 9.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.cql import parse_cql
from lean_emulator.model.cql_statement import SelectStatement
from lean_emulator.model.installation import check_channels
from lean_emulator.model.query import EVERYTHING, Compare, InList, Where, both
from lean_emulator.model.values import canonical_iso
from lean_emulator.model.where_json import decoded, parse_where

MAX_BODY = 4096
"""Bytes a request must be smaller than."""
MAX_DEVICES = 500
SLOWEST = 1000
"""Devices in a second, the least that ``flow_control`` can be."""

_NAME = re.compile(r"[A-Za-z0-9]{1,16}")
_ENVIRONMENTS = ("dev", "prod")


@dataclass(frozen=True, slots=True)
class PushOrder:
    """A push as it was asked for. ``where`` finds its devices among all that can get any."""

    data: dict[str, Json]
    where: Where
    aim: dict[str, Json]
    """The members of the request that ``where`` was made of, for people to read."""
    prod: str
    push_time: str | None = None
    """ISO text; ``None`` for at once."""
    expiration_time: str | None = None
    expiration_interval: float | None = None
    """Seconds from the push on."""
    flow_control: int | None = None
    notification_id: str | None = None
    """Chosen by the sender; pushes of one id are counted together."""
    req_id: str | None = None
    """Two requests with the same one are one push."""


def parse_push(body: Mapping[str, Json], *, prod: bool, now: str) -> PushOrder:
    """A push to the devices that a query, CQL or channels find; to all without any of them.

    ``now`` is what CQL means by it. Raises 107 without data, 112 for a bad channel, 300 for bad
    CQL, 1 for anything else that does not fit.
    """
    where, aim = _audience(body, now)
    return _order(body, where, aim, prod=prod)


def parse_device_push(body: Mapping[str, Json], *, prod: bool) -> PushOrder:
    """A push to devices by id. Raises what ``parse_push`` does.

    The id is the deviceToken on iOS, the registrationId where a vendor delivers to Android, the
    installationId otherwise.
    """
    aim = {name: body[name] for name in ("device_type", "device_ids", "vendor") if name in body}
    return _order(body, _devices_named(aim), aim, prod=prod)


def _devices_named(aim: Mapping[str, Json]) -> Where:
    kind, ids = aim.get("device_type"), aim.get("device_ids")
    if kind not in ("ios", "android"):
        raise errors.INVALID_REQUEST(f"device_type wants 'ios' or 'android', got {kind!r}.")
    if not isinstance(ids, list) or not 1 <= len(ids) <= MAX_DEVICES:
        raise errors.INVALID_REQUEST(f"device_ids wants a list of 1 to {MAX_DEVICES} ids.")
    if not all(isinstance(name, str) and name for name in ids):
        raise errors.INVALID_REQUEST("device_ids wants texts.")
    column = "deviceToken"
    if kind == "android":
        column = "registrationId" if aim.get("vendor") else "installationId"
    return both(Compare("deviceType", "eq", kind), InList(column, tuple(ids)))


def audience_of(aim: Mapping[str, Json], *, now: str) -> Where:
    """The ``where`` of an order, from its ``aim`` once more."""
    if "device_ids" in aim:
        return _devices_named(aim)
    return _audience(aim, now)[0]


def _order(
    body: Mapping[str, Json], where: Where, aim: dict[str, Json], *, prod: bool
) -> PushOrder:
    data = body.get("data")
    if not isinstance(data, dict):
        raise errors.INVALID_JSON("Malformed json object. A json dictionary is expected.")
    expires, interval = body.get("expiration_time"), body.get("expiration_interval")
    if expires is not None and interval is not None:
        raise errors.INVALID_REQUEST(
            "A push has either an expiration_time or an expiration_interval, not both."
        )
    environment = body.get("prod", "prod" if prod else "dev")
    if environment not in _ENVIRONMENTS:
        raise errors.INVALID_REQUEST(f"prod wants 'dev' or 'prod', got {environment!r}.")
    flow = _number(body.get("flow_control"), "flow_control")
    return PushOrder(
        data,
        where,
        aim,
        str(environment),
        _instant(body.get("push_time"), "push_time"),
        _instant(expires, "expiration_time"),
        _number(interval, "expiration_interval"),
        None if flow is None else max(SLOWEST, int(flow)),
        _name(body.get("notification_id"), "notification_id"),
        _name(body.get("req_id"), "req_id"),
    )


def _audience(body: Mapping[str, Json], now: str) -> tuple[Where, dict[str, Json]]:
    raw, cql = decoded(body.get("where"), "where"), body.get("cql")
    if raw is not None and cql is not None:
        raise errors.INVALID_REQUEST("A push has either a where or a cql, not both.")
    where = EVERYTHING if cql is None else _selected(cql, now)
    if raw is not None:
        if not isinstance(raw, dict):
            raise errors.INVALID_JSON("The where of a push must be a JSON object.")
        where = parse_where(raw)
    channels = body.get("channels")
    if channels is not None:
        names = channels if isinstance(channels, list) else [channels]
        check_channels(names)
        where = both(where, InList("channels", tuple(names)))
    return where, {name: body[name] for name in ("where", "cql", "channels") if name in body}


def _selected(cql: Json, now: str) -> Where:
    if not isinstance(cql, str):
        raise errors.INVALID_REQUEST(f"cql wants a text, got {cql!r}.")
    statement = parse_cql(cql, now=now)
    if not isinstance(statement, SelectStatement) or statement.class_name != "_Installation":
        raise errors.INVALID_REQUEST("The cql of a push wants to select from _Installation.")
    return statement.query.where


def _instant(value: Json, what: str) -> str | None:
    """A text or a Date as ISO text."""
    if value is None:
        return None
    text = value.get("iso") if isinstance(value, dict) else value
    try:
        iso = canonical_iso(str(text))
        datetime.fromisoformat(iso)
    except ValueError:
        raise ApiError(
            1, f"{what} wants a time such as '2026-04-01T06:19:29.000Z', got {value!r}."
        ) from None
    return iso


def _number(value: Json, what: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise errors.INVALID_REQUEST(f"{what} wants a number that is not negative, got {value!r}.")
    return value


def _name(value: Json, what: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise errors.INVALID_REQUEST(f"{what} wants up to 16 letters and digits, got {value!r}.")
    return value
