"""Imports that are under way: what was chosen for each, and whether it is one to be dropped."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lean_emulator.base import errors
from lean_emulator.base.ids import Ids
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import Span
from lean_emulator.service.importing import Importing, Options, Tally
from lean_emulator.storage.rehearsable import RehearsableStorage, Rehearsal

MOST = 8
"""Imports at the same time; one more ends the oldest, whose command is likely gone."""


@dataclass(slots=True)
class _Run:
    options: Options
    rehearsal: Rehearsal | None
    """What takes the writes of a dry run."""
    file: str = ""
    span: Span | None = None
    rows: int = 0
    refused: int = 0


class ImportRuns:
    """Each file of a run is one trace, which says how many rows it had."""

    def __init__(self, importing: Importing, storage: RehearsableStorage, ids: Ids) -> None:
        self._importing = importing
        self._storage = storage
        self._ids = ids
        self._runs: dict[str, _Run] = {}

    async def begin(self, options: Options, *, dry: bool) -> str:
        """The id of a new run; a ``dry`` one stores nothing, and sees what it would have stored."""
        while len(self._runs) >= MOST:
            await self.end(next(iter(self._runs)))
        run_id = self._ids.object_id()
        self._runs[run_id] = _Run(options, self._storage.begin() if dry else None)
        return run_id

    async def end(self, run_id: str) -> None:
        """An unknown one is no error."""
        run = self._runs.pop(run_id, None)
        if run is None:
            return
        self._end_file(run)
        if run.rehearsal is not None:
            await run.rehearsal.drop()

    async def rows(self, run_id: str, file: str, class_name: str, rows: Sequence[Json]) -> Tally:
        """Some rows of a file. Raises what ``Importing.rows`` does, 101 for an unknown run."""
        run = self._known(run_id)
        if file != run.file:
            self._end_file(run)
            run.file = file
        if run.span is None and not run.options.hooks and run.rehearsal is None:
            first = rows[0] if rows else None
            run.span = self._importing.begin_trace(f"import {class_name}", class_name, first)
        with _inside(run):
            tally = await self._importing.rows(class_name, rows, run.options)
        run.rows += len(rows)
        run.refused += len(tally.errors)
        return tally

    async def schema(self, run_id: str, class_name: str, content: Json) -> None:
        """What a schema file says. Raises what ``Importing.schema`` does."""
        run = self._known(run_id)
        with _inside(run):
            await self._importing.schema(class_name, content)

    def _known(self, run_id: str) -> _Run:
        run = self._runs.get(run_id)
        if run is None:
            raise errors.OBJECT_NOT_FOUND(f"There is no import '{run_id}', or it has ended.")
        return run

    def _end_file(self, run: _Run) -> None:
        if run.span is not None:
            note = f"{run.rows} rows of {run.file}, {run.refused} refused"
            self._importing.end_trace(run.span, note, failed=bool(run.refused))
        run.span, run.rows, run.refused = None, 0, 0


@contextmanager
def _inside(run: _Run) -> Iterator[None]:
    """What is written inside is written where the run's rows go."""
    if run.rehearsal is None:
        yield
        return
    with run.rehearsal.entered():
        yield
    run.rehearsal.commits.clear()  # nobody looks at them, and there may be many
