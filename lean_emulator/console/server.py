"""The console's own web server: routes, preferences, start and stop."""

from aiohttp import web

from lean_emulator.assets import assets_dir
from lean_emulator.base.http_log import http_log
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog
from lean_emulator.console.bench import Bench
from lean_emulator.console.contract import Instance, Runtime, Timers, Workbench
from lean_emulator.console.data_page import DataPage
from lean_emulator.console.export import TraceExport
from lean_emulator.console.guard import MAX_BODY, Guard
from lean_emulator.console.hooks_page import HooksPage
from lean_emulator.console.inbox_page import InboxPage
from lean_emulator.console.logs_page import LogsPage
from lean_emulator.console.pages import Pages
from lean_emulator.console.phrases import LANGUAGES
from lean_emulator.console.rendering import (
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    THEMES,
    Renderer,
    local_path,
)
from lean_emulator.console.run_page import RunPage
from lean_emulator.console.settings_page import SettingsPage
from lean_emulator.console.setup import Setup
from lean_emulator.console.stream import Streams
from lean_emulator.console.tasks_page import TasksPage
from lean_emulator.console.trace_list import TraceList
from lean_emulator.service.data_desk import DataDesk
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.logbook import Logbook

_YEAR = 365 * 24 * 3600


class Console:
    """The debug console over one instance.

    It is handed what it shows; ``mask`` knows the keys, so that none gets out but by ``setup``,
    which reveals one when somebody asks for it.
    ``hosts`` are the names it answers to.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        inbox: Inbox,
        logbook: Logbook,
        mask: Mask,
        runtime: Runtime,
        workbench: Workbench,
        timers: Timers,
        setup: Setup,
        desk: DataDesk,
        instance: Instance,
        hosts: frozenset[str],
    ) -> None:
        self._guard = Guard(hosts)
        renderer = Renderer(
            instance=instance,
            runtime=runtime,
            log=log,
            inbox=inbox,
            timers=timers,
            mask=mask,
            token=self._guard.token,
        )
        traces = TraceList(log, mask)
        self._pages = Pages(renderer, traces)
        self._export = TraceExport(renderer, traces)
        self._hooks = HooksPage(renderer)
        self._run = RunPage(renderer, Bench(workbench))
        self._inbox = InboxPage(renderer, inbox)
        self._logs = LogsPage(renderer, logbook)
        self._tasks = TasksPage(renderer, timers)
        self._settings = SettingsPage(renderer, setup, inbox, timers)
        self._data = DataPage(renderer, desk)
        self._streams = Streams(log, logbook, runtime, timers.clock, traces.summary)
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; ``port`` 0 takes any. Gives the real port; a busy one raises ``OSError``."""
        runner = web.AppRunner(
            self._application(), access_log=None, logger=http_log(), shutdown_timeout=2.0
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        return int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Close; open event streams end first. Does nothing when not started."""
        self._streams.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._guard.middleware], client_max_size=MAX_BODY)
        app.add_routes(
            [
                web.get("/", self._pages.traces),
                web.get("/traces/{name}.html", self._export.answer),
                web.get("/run", self._run.show),
                web.post("/run", self._run.run),
                web.get("/hooks", self._hooks.show),
                web.get("/inbox", self._inbox.show),
                web.post("/inbox/clear", self._inbox.clear),
                web.get("/logs", self._logs.show),
                web.get("/data", self._data.show),
                web.post("/data/save", self._data.save),
                web.post("/data/delete", self._data.delete),
                web.get("/tasks", self._tasks.show),
                web.get("/tasks/cron", self._tasks.cron),
                web.post("/tasks/save", self._tasks.save),
                web.post("/tasks/act", self._tasks.act),
                web.post("/tasks/drop", self._tasks.drop),
                web.post("/clock", self._tasks.turn),
                web.get("/settings", self._settings.show),
                web.post("/settings", self._settings.act),
                web.get("/keys", self._pages.keys),
                web.post("/preferences", preferences),
                web.get("/events", self._streams.answer),
                web.static("/static", assets_dir("static")),
                web.get("/{rest:.*}", self._pages.missing),
            ]
        )
        app.on_response_prepare.append(_revalidate)
        return app


async def preferences(request: web.Request) -> web.Response:
    """Theme and language, kept in cookies; back to where the reader was."""
    fields = await request.post()
    back = local_path(str(fields.get("back", "/")))
    response = web.Response(status=303, headers={"Location": back})
    for name, cookie, allowed in (
        ("theme", THEME_COOKIE, THEMES),
        ("language", LANGUAGE_COOKIE, LANGUAGES),
    ):
        if (value := str(fields.get(name, ""))) in allowed:
            response.set_cookie(cookie, value, max_age=_YEAR, samesite="Strict", httponly=True)
    return response


async def _revalidate(request: web.Request, response: web.StreamResponse) -> None:
    # the files change with the program, so a browser must ask; the answer is a 304
    response.headers.setdefault("Cache-Control", "no-cache")
