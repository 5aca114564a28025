"""How a content is sent over HTTP: ranges, validators, and headers that keep it harmless.

A file is whatever somebody uploaded, and it comes from the same address as the API. So nothing in
it may run: browsers take it for its declared type alone, and pages in it live in a sandbox.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import quote

_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*", re.A)
_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class Span(NamedTuple):
    """Bytes from ``start`` up to and without ``stop``."""

    start: int
    stop: int


class Validators(NamedTuple):
    """What tells one content at an address from another."""

    etag: str
    modified: str
    """As HTTP writes dates."""


def validators(object_id: str, size: int, created_at: str) -> Validators:
    """Of a record's content, which never changes once it is complete."""
    moment = datetime.fromisoformat(created_at).astimezone(UTC)
    return Validators(f'"{object_id}-{size:x}"', format_datetime(moment, usegmt=True))


def headers_for(record_name: str, mime_type: str, saved_as: str | None) -> dict[str, str]:
    """Headers of every answer with a content; ``saved_as`` has it downloaded under that name."""
    kind = "inline" if saved_as is None else "attachment"
    name = quote(saved_as or record_name, safe="", errors="replace")
    return {
        "Content-Type": mime_type,
        "Content-Disposition": f"{kind}; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": _SANDBOX,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-cache",
    }


def unchanged(asked: Mapping[str, str], current: Validators) -> bool:
    """Whether the client has this content already (304)."""
    tags = asked.get("If-None-Match")
    if tags is not None:
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return "*" in known or current.etag in known
    since = _date(asked.get("If-Modified-Since"))
    modified = _date(current.modified)
    return since is not None and modified is not None and modified <= since


def wanted_span(asked: Mapping[str, str], size: int, current: Validators) -> Span | None:
    """The part a client asks for, ``None`` for all of it; an empty one cannot be served (416).

    Several ranges at once, and what is no range, count as asking for all.
    """
    found = _RANGE.fullmatch(asked.get("Range", ""))
    if found is None or not any(found.groups()) or _is_other(asked.get("If-Range"), current):
        return None
    first, last = found.groups()
    if not first:
        return Span(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    stop = min(int(last) + 1, size) if last else size
    return Span(min(int(first), size), stop) if int(first) < size else Span(size, size)


def _is_other(known: str | None, current: Validators) -> bool:
    """Whether the rest that a client asks for would be of another content than it began."""
    return known is not None and known not in (current.etag, current.modified)


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
