"""``/exportData``: all data as an archive (storage.md 9.5), and where it is downloaded."""

import contextlib
from datetime import date, timedelta

from aiohttp import web

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.values import canonical_iso
from lean_emulator.model.where_json import truth
from lean_emulator.service.export_jobs import ExportJobs, Job, Selection
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

DOWNLOADS = "/__emu/exports/"
"""Archives lie beneath it; the rest of an address is its secret and ``.tar.gz``."""

_SUFFIX = ".tar.gz"
_CHUNK = 256 * 1024


def download_path(job: Job) -> str:
    return f"{DOWNLOADS}{job.secret}{_SUFFIX}"


class ExportHandlers:
    """Reads requests for exports."""

    def __init__(self, jobs: ExportJobs, app_id: str) -> None:
        self._jobs = jobs
        self._app_id = app_id

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/exportData", self.start),
            Route("GET", "/exportData/:id", self.state),
        ]

    def raw_routes(self) -> list[web.RouteDef]:
        """Downloads: the address is the key to them, as in the platform's mails."""
        return [web.get(DOWNLOADS, self.download)]

    async def start(self, request: Request) -> Answer:
        given = {**request.params, **request.document()}
        email = given.get("email")
        selection = Selection(
            _names(given.get("classes")),
            _since(given.get("from_date")),
            _until(given.get("to_date")),
            truth(given.get("only-schema")),
        )
        job = await self._jobs.run(request.call, selection, str(email) if email else None)
        return Answer({"status": "running", "id": job.id, "app_id": self._app_id})

    async def state(self, request: Request, job_id: str) -> Answer:
        job = self._jobs.job(request.call, job_id)
        return Answer(
            {
                "status": "done",
                "id": job.id,
                "app_id": self._app_id,
                "download_url": self._jobs.address(job),
            }
        )

    async def download(self, request: web.BaseRequest) -> web.StreamResponse:
        secret = request.path.removeprefix(DOWNLOADS).removesuffix(_SUFFIX)
        job = self._jobs.by_secret(secret)
        if job is None:
            return web.Response(status=404, text="There is no such export; ask for a new one.\n")
        response = web.StreamResponse(
            headers={
                "Content-Type": "application/gzip",
                "Content-Length": str(job.size),
                "Content-Disposition": f'attachment; filename="export-{job.id}.tar.gz"',
                "Cache-Control": "no-store",
            }
        )
        await response.prepare(request)
        for offset in range(0, job.size, _CHUNK):
            await response.write(job.read(offset, _CHUNK))
        await response.write_eof()
        return response


def _names(raw: Json) -> tuple[str, ...] | None:
    """``A,B`` as names; ``None`` for all classes."""
    names = tuple(name for part in str(raw or "").split(",") if (name := part.strip()))
    return names or None


def _since(raw: Json) -> str | None:
    return None if not raw else _instant("from_date", _text(raw))


def _until(raw: Json) -> str | None:
    """A day is meant with all of its hours."""
    if not raw:
        return None
    text = _text(raw)
    with contextlib.suppress(ValueError, OverflowError):
        text = (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    return _instant("to_date", text)


def _text(raw: Json) -> str:
    return str(raw.get("iso")) if isinstance(raw, dict) else str(raw)


def _instant(name: str, text: str) -> str:
    try:
        return canonical_iso(text)
    except ValueError:
        raise errors.INVALID_REQUEST(
            f"{name} wants a day (2026-01-31) or an ISO time, got '{text}'."
        ) from None
