"""The composition root: builds every room from settings, opens them in order, closes in reverse."""

import dataclasses
import errno
import math
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType

from lean_emulator import __version__, room_settings, schema_folder
from lean_emulator.account_settings import account_options
from lean_emulator.base.clock import Clock, SystemClock, TurnableClock
from lean_emulator.base.errors import ApiError, DuplicateValue, Hint, StartError
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog
from lean_emulator.behaviour_settings import behaviour
from lean_emulator.cloud_code import Builder, CloudCode, staging_facts
from lean_emulator.console_room import console_of
from lean_emulator.engine.environment import AppKeys
from lean_emulator.engine.output import OutputLine
from lean_emulator.keys import Keys
from lean_emulator.service.account_hooks import AccountHooks
from lean_emulator.service.account_rooms import AccountRooms
from lean_emulator.service.compound import Compound
from lean_emulator.service.engine import Credentials
from lean_emulator.service.export_jobs import ExportJobs
from lean_emulator.service.file_columns import FileColumns
from lean_emulator.service.files import Files
from lean_emulator.service.follow import FollowOptions
from lean_emulator.service.functions import Functions
from lean_emulator.service.hook_sender import HookSender
from lean_emulator.service.hook_trial import HookTrial
from lean_emulator.service.hooks import Hooks
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.logbook import Logbook
from lean_emulator.service.objects import Objects
from lean_emulator.service.rehearsal import Rehearsals
from lean_emulator.service.scan import Scans
from lean_emulator.service.schemas import Schemas
from lean_emulator.service.snapshots import Snapshots
from lean_emulator.service.social_rooms import SocialRooms
from lean_emulator.service.timer_rooms import TimerRooms
from lean_emulator.service.transfer_rooms import TransferRooms
from lean_emulator.service.uploads import Uploads
from lean_emulator.service.workbench import Workbench
from lean_emulator.settings import Settings
from lean_emulator.storage.blobs import Blobs
from lean_emulator.storage.keeper import FileKeeper
from lean_emulator.storage.memory import MemoryStorage
from lean_emulator.storage.plan import Limits
from lean_emulator.storage.rehearsable import RehearsableStorage
from lean_emulator.task_file import TaskFiles
from lean_emulator.wire.account_pages import AccountPages, link_path, picture_path
from lean_emulator.wire.admin import AdminHandlers
from lean_emulator.wire.batch import BatchHandlers
from lean_emulator.wire.batch_save import BatchSaveHandlers
from lean_emulator.wire.captcha import CaptchaHandlers
from lean_emulator.wire.cloud_query import CloudQueryHandlers
from lean_emulator.wire.cloud_queue import CloudQueueHandlers
from lean_emulator.wire.entry import Entry
from lean_emulator.wire.export import ExportHandlers, download_path
from lean_emulator.wire.file_transfer import FileTransfer
from lean_emulator.wire.files import FileHandlers
from lean_emulator.wire.functions import FunctionHandlers
from lean_emulator.wire.importing import ImportHandlers
from lean_emulator.wire.inbox import InboxHandlers
from lean_emulator.wire.inner import InnerRequests
from lean_emulator.wire.logs import LogHandlers
from lean_emulator.wire.mail import MailHandlers
from lean_emulator.wire.objects import ObjectHandlers
from lean_emulator.wire.phone import PhoneHandlers
from lean_emulator.wire.proxy import AppProxy
from lean_emulator.wire.rehearsal import RehearsalHandlers
from lean_emulator.wire.replay import ReplayHandlers
from lean_emulator.wire.roles import RoleHandlers
from lean_emulator.wire.routes import Route, RouteTable
from lean_emulator.wire.scan import ScanHandlers
from lean_emulator.wire.schema import SchemaHandlers
from lean_emulator.wire.server import ApiServer
from lean_emulator.wire.snapshots import SnapshotHandlers
from lean_emulator.wire.social import social_routes
from lean_emulator.wire.system import SystemHandlers
from lean_emulator.wire.timers import TimerHandlers
from lean_emulator.wire.users import UserHandlers

REQUEST_SECONDS = 60.0
"""What a client's request may take; the platform's load balancer cuts there (engine.md 1.8)."""


class Emulator:
    """One LeanCloud application on this machine.

    ``async with Emulator(settings, keys) as emu`` serves until the block ends. ``on_output`` is
    told each line the user's code prints: stream and text. ``cloud_code`` stands in for the child
    process; without it the project's own code runs. With an ``id_seed`` ids and codes repeat.
    Unless ``lasting``, tasks that were made by hand are neither read nor kept.
    ``origins`` says in words where settings and keys come from.
    """

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        *,
        on_output: Callable[[str, str], None] | None = None,
        clock: Clock | None = None,
        cloud_code: CloudCode | None = None,
        id_seed: int | None = None,
        lasting: bool = True,
        origins: Mapping[str, str] | None = None,
    ) -> None:
        if settings.debugpy is not None:  # a breakpoint is no reason to fail
            settings = dataclasses.replace(settings, timeouts=False)
        self.settings = settings
        self.origins = origins or {}
        self.clock = self._clock = TurnableClock(clock or SystemClock())
        self.log = EventLog(self._clock, settings.traces)
        self.mask = Mask((keys.app_key, keys.master_key, keys.hook_key))
        self.logbook = Logbook(self._clock)
        limits = Limits(settings.max_columns, settings.max_classes)
        self.keeper = self._file_keeper()
        self._objects_in_memory = MemoryStorage(limits, self.keeper)
        self.storage = RehearsableStorage(self._objects_in_memory)
        self.storage_text = "memory" if self.keeper is None else str(self.keeper.folder)
        self._behaviour = behaviour(settings)
        self.blobs: Blobs = room_settings.blobs(settings)
        self.api_port = 0
        self.console_port = 0
        self.keys = keys
        self._keys = Credentials(keys.app_id, keys.app_key, keys.master_key, keys.hook_key)
        self._on_output = on_output
        self._open = AsyncExitStack()
        self.started_ms = self._clock.now_ms()

        seconds = settings.function_seconds if settings.timeouts else math.inf
        self.runtime: CloudCode = cloud_code or self._cloud_code()
        ids = self.ids = Ids(self._clock, id_seed)
        self.inbox = Inbox(self._clock, ids)
        file_columns = FileColumns(self.storage, self._file_url)
        self.hooks = Hooks(
            self.runtime,
            self._keys,
            self.log,
            ids,
            self._clock,
            room_settings.hook_limits(settings),
            file_columns,
            await_after=settings.after_hooks == "await",
        )
        sender = HookSender(
            self.runtime,
            self._keys,
            self.log,
            ids,
            self._clock,
            settings.hook_depth,
            file_columns,
        )
        self.account_hooks = AccountHooks(
            sender,
            self.log,
            self._clock,
            room_settings.account_limits(settings),
            await_after=settings.after_hooks == "await",
        )
        self.trial = HookTrial(sender, room_settings.trial_limits(settings))
        self.objects = Objects(
            self.storage,
            self.hooks,
            self.log,
            ids,
            self._clock,
            file_columns,
            self._behaviour,
        )
        self.uploads = Uploads(self.blobs, ids, self._clock, max_bytes=settings.max_file_bytes)
        self.files = Files(
            self.storage,
            self.objects,
            self.blobs,
            self.uploads,
            file_columns,
            ids,
            self._file_url,
            provider=settings.file_provider,
        )
        self.social = SocialRooms(
            self.storage,
            self.objects,
            self.inbox,
            ids,
            self._clock,
            self.log,
            follows=FollowOptions(settings.follow_back, settings.follow_rows),
            client_push=settings.client_push,
        )
        self.compound = Compound(self.objects, ids)
        self.scans = Scans(self.objects, ids, self._clock)
        self.functions = Functions(self.runtime, self._keys, self.log, ids, seconds=seconds)
        self.accounts = AccountRooms(
            self.storage,
            self.objects,
            ids,
            self._clock,
            self.inbox,
            self.account_hooks,
            account_options(settings),
            lambda use, token: f"{self.api_url}{link_path(use, token)}",
        )
        self.users = self.accounts.users
        self.schemas = Schemas(self.storage)
        self.exports = ExportJobs(
            self.storage,
            self.inbox,
            ids,
            self._clock,
            lambda job: f"{self.api_url}{download_path(job)}",
        )
        self.snapshots = Snapshots(
            self._objects_in_memory, self.keeper, ids, self._clock, self.settle, self._loaded
        )
        self._task_files = TaskFiles(settings.project_dir, settings.tasks, lasting=lasting)
        self.timers = TimerRooms(
            self.functions,
            self.storage,
            self.inbox,
            ids,
            self._clock,
            self.log,
            self.social.pushes,
            zone=room_settings.zone(settings),
            seconds=seconds,
            record_seconds=settings.task_record_seconds,
            store=self._task_files.store,
            say=lambda text: self._tell_trouble(text, None),
        )
        self.workbench = Workbench(
            self.functions,
            self.hooks,
            self.trial,
            self.objects,
            self.users,
            self.storage,
            self.log,
            self._clock,
            seconds=seconds,
        )
        self._export_handlers = ExportHandlers(self.exports, keys.app_id)
        self.rehearsals = Rehearsals(
            self.storage, self.log, seconds=room_settings.rehearsal_seconds(settings)
        )
        self.transfer = TransferRooms(
            self.storage,
            self._objects_in_memory,
            self.objects,
            self.blobs,
            ids,
            self._clock,
            self.log,
            lambda: self.runtime.names,
        )
        self._import_handlers = ImportHandlers(self.transfer, keys.master_key)
        self._table = self._routes()
        self._api = self._api_server()

    @property
    def routes(self) -> tuple[Route, ...]:
        """What the API answers, for the coverage page."""
        return self._table.routes

    @property
    def api_url(self) -> str:
        return f"http://{_in_url(self.settings.host)}:{self.api_port}"

    @property
    def console_url(self) -> str:
        return f"http://{_in_url(self.settings.host)}:{self.console_port}"

    async def start(self) -> None:
        """Serve. Code that does not load is no failure; raises ``StartError`` for what is."""
        settings = self.settings
        try:
            await self._start_rooms()
        except OSError as e:
            await self.stop()
            if e.errno != errno.EADDRINUSE:
                raise StartError(f"Cannot listen on {settings.host}: {e.strerror}.") from e
            raise StartError(str(e)) from e
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close everything that was opened, last first."""
        await self._open.aclose()

    async def __aenter__(self) -> "Emulator":
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def settle(self) -> None:
        """Wait until no after hook runs, whoever started it."""
        while self.hooks.running or self.account_hooks.running:
            await self.hooks.settle()
            await self.account_hooks.settle()

    async def reset(self) -> None:
        """Forget all objects, messages and traces; code stays loaded, classes stay declared."""
        await self.settle()
        self.timers.clear()
        await self.storage.clear()
        await self.files.clear()
        await self._declare_classes()
        self.log.clear()
        self.inbox.clear()
        self.accounts.clear()

    async def _loaded(self) -> None:
        """All objects are others now."""
        await self.timers.load()

    async def _start_rooms(self) -> None:
        settings, opened = self.settings, self._open
        await self.storage.open()
        opened.push_async_callback(self.storage.close)
        await self.snapshots.open()
        await self.blobs.open()
        opened.push_async_callback(self.blobs.close)
        await self._declare_classes()
        opened.callback(self.exports.close)
        opened.push_async_callback(self._api.stop)
        opened.callback(self.inbox.close)
        opened.callback(self.logbook.close)
        self.api_port = await self._api.start(settings.host, settings.port)
        console = console_of(self)
        opened.push_async_callback(console.stop)
        self.console_port = await console.start(settings.host, self._wanted_console_port())
        opened.push_async_callback(self.runtime.stop)
        opened.push_async_callback(self.hooks.close)
        opened.push_async_callback(self.account_hooks.close)
        self.timers.tasks.load(self._task_files.load())
        await self.runtime.start()
        opened.push_async_callback(self.timers.close)
        await self.timers.open(running=settings.timers)

    async def _declare_classes(self) -> None:
        """Take over the project's schema files. Raises ``StartError`` naming the file."""
        folder = schema_folder.folder_of(self.settings.project_dir, self.settings.schema)
        for path, schema in schema_folder.read(folder) if folder is not None else ():
            try:
                await self.schemas.declare(schema)
            except DuplicateValue as e:
                raise StartError(
                    f"{path}: objects that are stored have equal values in {e.field}."
                ) from e
            except ApiError as e:
                raise StartError(f"{path}: {e.message}") from e

    def _file_url(self) -> str:
        """What addresses of files and uploads begin with."""
        return (self.settings.file_url or self.api_url).rstrip("/")

    def _wanted_console_port(self) -> int:
        settings = self.settings
        if settings.console_port is not None:
            return settings.console_port
        return 0 if settings.port == 0 else settings.port + 1

    def _cloud_code(self) -> CloudCode:
        keys = self._keys
        return Builder(
            self.settings,
            AppKeys(keys.app_id, keys.app_key, keys.master_key, keys.hook_key),
            self._clock,
            self.log,
            self._tell_output,
            lambda: (self.api_url, self.api_port),
        ).build()

    def _file_keeper(self) -> FileKeeper | None:
        """What keeps objects in files, where they are to be kept."""
        settings = self.settings
        if settings.storage == "memory":
            return None
        return FileKeeper(
            room_settings.data_folder(settings),
            fsync="always" if settings.fsync == "always" else "timer",
            report=self._tell_trouble,
        )

    def _tell_trouble(self, text: str, hint: Hint | None) -> None:
        self._tell_output(OutputLine("stderr", text if hint is None else f"{text} {hint.en}"))

    def _tell_output(self, line: OutputLine) -> None:
        text = self.mask.text(line.text)
        self.logbook.add(line.stream, text, line.trace, line.step, line.where)
        if self._on_output is not None:
            self._on_output(line.stream, text)

    def _routes(self) -> RouteTable:
        batch = BatchHandlers(self.log)
        cloud_query = CloudQueryHandlers(self._clock)
        objects = ObjectHandlers(self.objects, self._behaviour)
        table = RouteTable(
            [
                *social_routes(self.social, objects, self._clock, self._keys.app_id),
                *UserHandlers(self.users, self.accounts.third_party, objects).routes(),
                *PhoneHandlers(self.accounts.phones, self.accounts.captchas).routes(),
                *MailHandlers(self.accounts.mails).routes(),
                *CaptchaHandlers(self.accounts.captchas, self._picture_url).routes(),
                *FileHandlers(self.files, self.uploads, objects).routes(),
                *objects.routes(),
                *RoleHandlers(objects).routes(),
                *FunctionHandlers(self.functions, self.hooks, self.trial).routes(),
                *batch.routes(),
                *BatchSaveHandlers(
                    self.compound,
                    self.users,
                    self.accounts.third_party,
                    self.social.installations,
                ).routes(),
                *cloud_query.routes(),
                *CloudQueueHandlers(self.timers.queue, self._clock).routes(),
                *ScanHandlers(self.scans, self._behaviour).routes(),
                *SchemaHandlers(self.schemas).routes(),
                *self._export_handlers.routes(),
                *SystemHandlers(self._clock).routes(),
            ]
        )
        batch.enter(table)
        cloud_query.enter(table)
        return table

    def _api_server(self) -> ApiServer:
        seconds = REQUEST_SECONDS if self.settings.timeouts else math.inf
        entry = Entry(
            self._keys,
            self.runtime.ledger,
            self.users.of_session,
            self._clock,
            seconds=seconds,
            native_signs=self.settings.native_signatures,
        )
        return ApiServer(
            self._table,
            RouteTable(self._admin_routes()),
            entry,
            AppProxy(
                self.runtime,
                self.log,
                self.ids,
                self._clock,
                seconds=seconds,
                https=self.settings.staging is not None,
            ),
            self.log,
            max_body=self.settings.max_body_bytes,
            extra_routes=[
                *self._export_handlers.raw_routes(),
                *self._import_handlers.raw_routes(),
                *AccountPages(
                    self.accounts.mails, self.accounts.captchas, self.log, self._clock
                ).raw_routes(),
                *FileTransfer(self.files, self.uploads, self.log).routes(),
            ],
        )

    def _picture_url(self, token: str) -> str:
        return f"{self.api_url}{picture_path(self._keys.app_id, token)}"

    def _admin_routes(self) -> list[Route]:
        inner = InnerRequests(lambda asked, path: self._api.answer(asked, path), self._keys)
        return [
            *AdminHandlers(
                self.settle,
                self.schemas,
                self.users,
                self.workbench,
                self.log,
                self.mask,
                self._describe,
            ).routes(),
            *InboxHandlers(self.inbox).routes(),
            *LogHandlers(self.logbook, self.log, self._clock, self.mask).routes(),
            *self._import_handlers.routes(),
            *SnapshotHandlers(self.snapshots, self.keeper, self.reset).routes(),
            *TimerHandlers(self.timers.tasks, self.timers.agenda, self._clock).routes(),
            *CloudQueueHandlers(self.timers.queue, self._clock).admin_routes(),
            *RehearsalHandlers(self.rehearsals, inner, self.users, self.log, self.mask).routes(),
            *ReplayHandlers(
                self.rehearsals, inner, self.workbench, self.users, self.log, self.mask
            ).routes(),
        ]

    def _describe(self) -> dict[str, Json]:
        """The instance as ``/__emu/info`` gives it; no keys in it."""
        failure = self.runtime.failure
        return {
            "version": __version__,
            "pid": os.getpid(),
            "projectDir": str(self.settings.project_dir.resolve()),
            "apiUrl": self.api_url,
            "consoleUrl": self.console_url,
            "storage": self.storage_text,
            "state": self.runtime.state,
            "traceback": None if failure is None else self.mask.text(failure.traceback),
            "names": [*sorted(self.runtime.names)],
            "staging": staging_facts(self.runtime),
            "runningAfterHooks": self.hooks.running + self.account_hooks.running,
        }


def _in_url(host: str) -> str:
    """A host that can be dialled: any-address becomes loopback, IPv6 gets its brackets."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
