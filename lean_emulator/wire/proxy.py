"""Paths that are not the API's belong to the user's web app (engine.md 4.10)."""

from aiohttp import web

from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError
from lean_emulator.service.engine import Engine

_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade",
        "proxy-authorization", "proxy-connection", "content-length",
    }
)  # fmt: skip


class AppProxy:
    """Sends pages to the child and its answers back, cookies and status unchanged."""

    def __init__(self, engine: Engine, clock: Clock, *, seconds: float) -> None:
        self._engine = engine
        self._clock = clock
        self._seconds = seconds

    async def __call__(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        deadline = Deadline.after(self._clock, self._seconds)
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in _HOP_BY_HOP
        }
        headers["X-Real-IP"] = request.remote or "127.0.0.1"
        headers["X-Forwarded-Proto"] = "http"
        try:
            if not self._engine.settled:
                await self._engine.until_settled(deadline)
            answer = await self._engine.call(
                request.method, request.raw_path, headers, body, deadline=deadline
            )
        except ApiError as e:
            return web.Response(status=e.status, text=f"{e.message}\n")
        response = web.Response(status=answer.status, body=answer.body)
        response.headers.pop("Content-Type", None)
        for name, value in answer.headers:
            if name.lower() not in _HOP_BY_HOP:
                response.headers.add(name, value)
        return response
