"""Handlers of ``/__emu`` that the master key alone may ask, and no page."""

from lean_emulator.base import errors
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Handler


def master_only(handler: Handler) -> Handler:
    """Pages cannot ask, whatever keys they know: a request with an Origin is refused."""

    async def checked(request: Request, *parts: str) -> Answer:
        if not request.call.principal.is_master or "Origin" in request.headers:
            raise errors.MASTER_ONLY()
        return await handler(request, *parts)

    return checked
