"""Which handler answers which request: a table, entered by the server and again by batch."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from lean_emulator.base import errors
from lean_emulator.wire.request import Answer, Request

Handler: TypeAlias = Callable[..., Awaitable[Answer]]
"""Takes the request and the path's variable parts."""


@dataclass(frozen=True, slots=True)
class Route:
    """``pattern`` is a path after the version; ``:name`` matches one segment."""

    verb: str
    pattern: str
    handler: Handler


UNBUILT = frozenset(
    {
        "indices",
        "aggregate", "search", "stats", "always_collect", "leaderboard", "rtm", "LiveQuery",
        "bigquery",
    }
)  # fmt: skip
"""First segments the protocol knows and we do not serve, or not in every form."""


class RouteTable:
    """Finds a route by verb, length and first segment, at a cost that routes do not raise."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._by_shape: dict[tuple[str, int, str], list[tuple[tuple[str, ...], Handler]]] = {}
        for route in self.routes:
            parts = tuple(route.pattern.strip("/").split("/"))
            shape = (route.verb, len(parts), parts[0])
            self._by_shape.setdefault(shape, []).append((parts, route.handler))

    async def dispatch(self, request: Request) -> Answer:
        """Answer by the first route that fits.

        Raises ``NotBuilt`` (501) for a known part of the protocol, else 404.
        """
        path = request.path
        first = path[0] if path else ""
        for parts, handler in self._by_shape.get((request.method, len(path), first), ()):
            variables = _match(parts, path)
            if variables is not None:
                return await handler(request, *variables)
        raise _unknown(request.method, path, first)


def _match(parts: tuple[str, ...], path: tuple[str, ...]) -> list[str] | None:
    variables = []
    for part, given in zip(parts, path, strict=True):
        if part.startswith(":"):
            variables.append(given)
        elif part != given:
            return None
    return variables


def _unknown(method: str, path: tuple[str, ...], first: str) -> errors.ApiError:
    named = f"{method} /1.1/{'/'.join(path)}"
    if first in UNBUILT:
        return errors.NOT_BUILT(f"lean-emu does not have {named} yet.")
    return errors.ROUTE_NOT_FOUND(f"No such endpoint: {named}.")
