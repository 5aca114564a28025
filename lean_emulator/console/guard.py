"""Who may talk to the console: its own pages, under its own names, and nobody else."""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

TOKEN_FIELD = "token"  # noqa: S105 - the name of a form field, not a secret
TOKEN_HEADER = "X-Lean-Emu-Token"  # noqa: S105 - the name of a header
MAX_BODY = 8 * 1024 * 1024

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
        "object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not "no-referrer": it would turn the Origin of our own forms into "null"
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Checks every request and marks every answer.

    ``hosts`` are names without a port (``127.0.0.1``, ``localhost``, ``[::1]``); a name together
    with a port is accepted too. The port itself is free, so that a forwarded one works: a page
    that rebinds its name can choose neither of these names.
    """

    def __init__(self, hosts: frozenset[str]) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self.token = secrets.token_urlsafe(24)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._refusal(request) or await self._without_token(request)
        if refusal is not None:
            return _marked(web.Response(status=403, text=refusal))
        try:
            return _marked(await handler(request))
        except web.HTTPException as e:
            _marked(e)
            raise

    def _refusal(self, request: web.Request) -> str | None:
        host = request.headers.get("Host", "").lower()
        if not self._known(host):
            return (
                f"Refused: this console answers to {', '.join(sorted(self._hosts))}, not to the "
                f"host name {host[:100]!r}. Open it by one of its own names, or start lean-emu "
                "with --host if it must be reached by another.\n"
            )
        if request.method in ("GET", "HEAD"):
            return None
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host:
            return f"Refused: a page of {origin[:100]!r} may not change anything here.\n"
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if site not in ("same-origin", "none"):
            return "Refused: another site's page may not change anything here.\n"
        return None

    def _known(self, host: str) -> bool:
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        return host in self._hosts or name in self._hosts

    async def _without_token(self, request: web.Request) -> str | None:
        if request.method in ("GET", "HEAD"):
            return None
        given = request.headers.get(TOKEN_HEADER)
        if given is None and request.content_type == "application/x-www-form-urlencoded":
            given = str((await request.post()).get(TOKEN_FIELD, ""))
        if given is None or not hmac.compare_digest(given.encode(), self.token.encode()):
            return (
                "Refused: the token of this run is missing or old. Reload the page and try "
                f"again; scripts send it as {TOKEN_HEADER}.\n"
            )
        return None


def _marked(response: web.StreamResponse) -> web.StreamResponse:
    if response.prepared:
        return response
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
