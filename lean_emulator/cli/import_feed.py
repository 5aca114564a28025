"""One file after another into an instance; what is refused is told by file and line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lean_emulator.base.errors import StartError
from lean_emulator.base.jsontext import Json, dumps
from lean_emulator.cli.import_client import ImportClient, ImportRun, Refused
from lean_emulator.cli.import_files import Source, opened, schema_in
from lean_emulator.model.import_rows import Header, Read, Row, Unreadable

ROWS = 200
BYTES = 128 * 1024
"""What is sent at a time: little enough that nobody else waits for it."""

Moved = Callable[[int, int, int], object]
"""Is told how much of how much of a file was read, and how many rows that is."""


@dataclass(slots=True)
class Result:
    """What became of a file."""

    file: str
    class_name: str
    rows: int = 0
    inserted: int = 0
    replaced: int = 0
    skipped: int = 0
    waiting: int = 0
    contents: int = 0
    schema: bool = False
    errors: list[tuple[int, str]] = field(default_factory=list)
    """Line and reason; line 0 stands for the file."""

    def to_json(self, most_errors: int) -> dict[str, Any]:
        told: dict[str, Any] = {"file": self.file, "class": self.class_name}
        if self.schema:
            told["schema"] = not self.errors
        else:
            names = ("rows", "inserted", "replaced", "skipped", "waiting", "contents")
            told |= {name: getattr(self, name) for name in names}
        told["refused"] = len(self.errors)
        told["errors"] = [{"line": n, "error": text} for n, text in self.errors[:most_errors]]
        return told


@dataclass(frozen=True, slots=True)
class Wish:
    """``one_class`` says that the class was chosen by hand, whatever a file says of itself."""

    one_class: bool = False
    at_a_time: int = ROWS
    stop_at_error: bool = False
    contents: Path | None = None
    """The folder with the contents of files; none are sent in a dry run."""


def feed(client: ImportClient, run: ImportRun, source: Source, wish: Wish, moved: Moved) -> Result:
    """Send one file. What cannot be read or is refused stands in the result.

    Raises ``Unreachable`` where the instance does not answer.
    """
    result = Result(source.shown, source.named.class_name)
    try:
        schema = schema_in(source)
        if schema is not None:
            result.schema = True
            run.schema(source.named.class_name, schema)
            return result
        with opened(source) as rows:
            _Feeding(client, run, result, wish).all(rows.rows, lambda at, n: moved(
                min(at, rows.total), rows.total, n))  # fmt: skip
    except (StartError, Refused) as e:
        result.errors.append((0, str(e)))
    except OSError as e:
        result.errors.append((0, f"it cannot be read: {e.strerror or e}"))
    return result


class _Stopped(Exception):
    """A row was refused, and no more are wanted."""


class _Feeding:
    """Collects the rows of one file until there are enough to send."""

    def __init__(self, client: ImportClient, run: ImportRun, result: Result, wish: Wish) -> None:
        self._client = client
        self._run = run
        self._result = result
        self._wish = wish
        self._waiting: list[tuple[int, bytes, Json]] = []
        self._bytes = 0

    def all(self, rows: Any, moved: Callable[[int, int], object]) -> None:
        try:
            for read in rows:
                self._one(read, moved)
            self._send()
        except _Stopped:
            return

    def _one(self, read: Read, moved: Callable[[int, int], object]) -> None:
        result = self._result
        match read:
            case Header(class_name):
                if not self._wish.one_class:
                    self._send()
                    result.class_name = class_name
            case Unreadable(line, text, _):
                result.rows += 1
                result.errors.append((line, text))
                if self._wish.stop_at_error:
                    raise _Stopped
            case Row(line, value, at):
                result.rows += 1
                raw = dumps(value)
                if self._bytes + len(raw) > BYTES:
                    self._send()
                self._waiting.append((line, raw, value))
                self._bytes += len(raw)
                if len(self._waiting) >= self._wish.at_a_time:
                    self._send()
                    moved(at, result.rows)

    def _send(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        result = self._result
        try:
            told = self._run.rows(result.file, result.class_name, [raw for _, raw, _ in waiting])
        except Refused as e:
            if len(waiting) == 1:  # it may be too large, and others are not
                result.errors.append((waiting[0][0], str(e)))
                return
            result.errors.append((waiting[0][0], f"{e} Nothing is read from here on."))
            raise _Stopped from e
        result.inserted += told["inserted"]
        result.replaced += told["replaced"]
        result.skipped += len(told["skipped"])
        result.waiting += told["waiting"]
        for refused in told["errors"]:
            line = waiting[refused["row"]][0]
            result.errors.append((line, f"{refused['error']} (code {refused['code']})"))
        result.errors.sort()
        if result.class_name == "_File" and self._wish.contents is not None:
            gone = {*told["skipped"], *(refused["row"] for refused in told["errors"])}
            self._send_contents([row for n, row in enumerate(waiting) if n not in gone])
        if self._wish.stop_at_error and told["errors"]:
            raise _Stopped

    def _send_contents(self, rows: list[tuple[int, bytes, Json]]) -> None:
        assert self._wish.contents is not None
        for line, _, value in rows:
            if not isinstance(value, dict):
                continue
            path = content_of(value, self._wish.contents)
            if path is None:
                continue
            try:
                self._client.put_content(str(value["objectId"]), path)
            except (Refused, OSError) as e:
                self._result.errors.append((line, f"the content {path}: {e}"))
            else:
                self._result.contents += 1


def content_of(record: Mapping[str, Json], folder: Path) -> Path | None:
    """The file with a record's content: called by its key, or by its id with any ending."""
    object_id, key = record.get("objectId"), record.get("key")
    if not isinstance(object_id, str):
        return None
    if isinstance(key, str) and key and ".." not in Path(key).parts and not Path(key).is_absolute():
        path = folder / key
        if path.is_file():
            return path
    exact = folder / object_id
    if exact.is_file():
        return exact
    return next((p for p in sorted(folder.glob(f"{object_id}.*")) if p.is_file()), None)
