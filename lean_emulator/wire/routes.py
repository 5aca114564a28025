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
    """Finds a route by verb, length and first segment, at a cost that routes do not raise.

    Of two that fit, one without variable parts goes before one with, else the earlier.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._literal: dict[tuple[str, tuple[str, ...]], Handler] = {}
        self._by_shape: dict[tuple[str, int, str], list[_Shaped]] = {}
        for route in self.routes:
            parts = tuple(route.pattern.strip("/").split("/"))
            if ":" not in route.pattern:
                self._literal.setdefault((route.verb, parts), route.handler)
                continue
            shape = (route.verb, len(parts), parts[0])
            self._by_shape.setdefault(shape, []).append(_Shaped(parts, route.handler))

    async def dispatch(self, request: Request) -> Answer:
        """Answer by the first route that fits.

        Raises ``NotBuilt`` (501) for a known part of the protocol, else 404.
        """
        path = request.path
        literal = self._literal.get((request.method, path))
        if literal is not None:
            return await literal(request)
        first = path[0] if path else ""
        for shaped in self._by_shape.get((request.method, len(path), first), ()):
            if shaped.fits(path):
                return await shaped.handler(request, *[path[n] for n in shaped.variables])
        raise _unknown(request.method, path, first)


class _Shaped:
    """A route with variable parts, among those of its length and first segment."""

    def __init__(self, parts: tuple[str, ...], handler: Handler) -> None:
        self.handler = handler
        self.variables = [n for n, part in enumerate(parts) if part.startswith(":")]
        self._fixed = [(n, part) for n, part in enumerate(parts) if n and part[:1] != ":"]

    def fits(self, path: tuple[str, ...]) -> bool:
        return not self._fixed or all(path[n] == part for n, part in self._fixed)


def _unknown(method: str, path: tuple[str, ...], first: str) -> errors.ApiError:
    named = f"{method} /1.1/{'/'.join(path)}"
    if first in UNBUILT:
        return errors.NOT_BUILT(f"lean-emu does not have {named} yet.")
    return errors.ROUTE_NOT_FOUND(f"No such endpoint: {named}.")
