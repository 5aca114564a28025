"""Headers of pages on their way in and out: what the platform's front door does (engine.md 1.8)."""

from collections.abc import Iterable
from ipaddress import ip_address

from multidict import CIMultiDictProxy

_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade",
        "proxy-authorization", "proxy-authenticate", "proxy-connection",
    }
)  # fmt: skip
_NOT_FOR_THE_APP = frozenset({"expect", "x-lean-emu-call"})
_NOT_FOR_THE_CLIENT = frozenset({"x-lean-emu-lines"})
_OF_THE_FRONT_DOOR = frozenset({"x-real-ip", "x-forwarded-for", "x-forwarded-proto", "forwarded"})

Pairs = list[tuple[str, str]]


def for_the_app(headers: CIMultiDictProxy[str], remote: str, *, https: bool) -> Pairs:
    """What the user's app is told, ``Host`` and cookies as they came.

    ``remote`` is the address of the client. A proxy on this machine may say where its own client
    is; nobody else is believed. ``https`` says that the page came over TLS, as it would online:
    code that runs for production redirects everything else.
    """
    believed = _is_local(remote)
    result = [
        (name, value)
        for name, value in end_to_end(headers.items())
        if (low := name.lower()) not in _NOT_FOR_THE_APP
        and (believed or low not in _OF_THE_FRONT_DOOR)
    ]
    told = {name.lower() for name, _ in result}
    before = [address.strip() for address in headers.get("X-Forwarded-For", "").split(",")]
    client = before[0] if believed and before[0] else remote
    scheme = "https" if https or not _is_local(client) else "http"
    for name, value in (
        ("X-Real-IP", client),
        ("X-Forwarded-For", client),
        ("X-Forwarded-Proto", scheme),
        ("Forwarded", f"for={_node(client)};proto={scheme}"),
    ):
        if name.lower() not in told:
            result.append((name, value))
    return result


def for_the_client(headers: Iterable[tuple[str, str]]) -> Pairs:
    """What the client gets to see of the app's headers: all but those of our connection to it."""
    return [
        (name, value)
        for name, value in end_to_end(headers)
        if name.lower() not in _NOT_FOR_THE_CLIENT
    ]


def end_to_end(headers: Iterable[tuple[str, str]]) -> Pairs:
    """Without headers of one connection: the known ones and those that ``Connection`` names."""
    pairs = list(headers)
    named = {
        word.strip().lower()
        for name, value in pairs
        if name.lower() == "connection"
        for word in value.split(",")
    }
    return [
        (name, _writable(value))
        for name, value in pairs
        if (low := name.lower()) not in _HOP_BY_HOP and low not in named
    ]


def _writable(value: str) -> str:
    """Bytes that are no UTF-8 come as lone surrogates, which cannot be written: read as Latin-1."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value


def _is_local(address: str) -> bool:
    """Is it this machine, or its network? Anything that is no address is not."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return found.is_loopback or found.is_private


def _node(address: str) -> str:
    """An address as RFC 7239 writes it."""
    return f'"[{address}]"' if ":" in address else address
