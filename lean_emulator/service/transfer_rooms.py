"""The rooms that move objects in and out by way of files, built together."""

from collections.abc import Callable

from lean_emulator.base.clock import Clock
from lean_emulator.base.ids import Ids
from lean_emulator.base.trace import EventLog
from lean_emulator.service.exporting import Exporting
from lean_emulator.service.file_contents import FileContents
from lean_emulator.service.import_runs import ImportRuns
from lean_emulator.service.importing import Importing
from lean_emulator.service.objects import Objects
from lean_emulator.storage.blobs import Blobs
from lean_emulator.storage.memory import MemoryStorage
from lean_emulator.storage.rehearsable import RehearsableStorage


class TransferRooms:
    """``real`` is the storage that ``storage`` stands before; exports are of that one."""

    def __init__(
        self,
        storage: RehearsableStorage,
        real: MemoryStorage,
        objects: Objects,
        blobs: Blobs,
        ids: Ids,
        clock: Clock,
        log: EventLog,
        names: Callable[[], frozenset[str]],
    ) -> None:
        self.importing = Importing(storage, objects, ids, clock, log, names)
        self.runs = ImportRuns(self.importing, storage, ids)
        self.contents = FileContents(storage, blobs, ids)
        self.exporting = Exporting(real)
