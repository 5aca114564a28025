"""What is in a folder with data, looked at without changing anything."""

from dataclasses import dataclass, field
from pathlib import Path

from lean_emulator.base.errors import Hint, LeanEmuError, StartError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.schema import OURS
from lean_emulator.storage import data_file, journal
from lean_emulator.storage.effects import Content
from lean_emulator.storage.keeper import DATA_FILE


@dataclass(slots=True)
class FolderReport:
    """Objects by class, commits that are in journals alone, and what cannot be read."""

    folder: Path
    classes: dict[str, int] = field(default_factory=dict)
    journals: int = 0
    commits: int = 0
    trouble: list[LeanEmuError] = field(default_factory=list)

    @property
    def objects(self) -> int:
        return sum(self.classes.values())

    def to_json(self) -> dict[str, Json]:
        return {
            "folder": str(self.folder),
            "classes": {**self.classes},
            "objects": self.objects,
            "journals": self.journals,
            "commits": self.commits,
            "trouble": [
                {"error": e.message, "hint": None if e.hint is None else e.hint.en}
                for e in self.trouble
            ],
        }


def inspect(folder: Path) -> FolderReport:
    """Read all files of a folder. An instance may be running on it."""
    report, content, number = FolderReport(folder), Content(), 0
    try:
        content, number = data_file.load(folder / DATA_FILE)
        for path in sorted(folder.glob("journal-*.log")):
            number = _journal(report, content, path, number)
        data_file.checked(content, folder / DATA_FILE)
    except StartError as e:
        report.trouble.append(e)
    except OSError as e:
        report.trouble.append(StartError(f"{folder} cannot be read: {e.strerror}."))
    report.trouble += [
        StartError(
            f"{path} was set aside as damaged.",
            hint=Hint("Look into it, then remove it.", "查看后可将其删除。"),
        )
        for path in sorted(folder.glob("*.damaged"))
    ]
    report.classes = {
        name: len(table.documents)
        for name, table in sorted(content.tables.items())
        if not name.startswith(OURS)
    }
    return report


def _journal(report: FolderReport, content: Content, path: Path, number: int) -> int:
    """Read a journal into the content; answers the number of the last commit."""
    entries, damage = journal.read(path)
    report.journals += 1
    for entry in entries:
        if entry.number <= number:
            continue
        if entry.number > number + 1:
            report.trouble.append(
                StartError(f"{path} goes on with commit {entry.number} after {number}.")
            )
            return number
        for effect in entry.effects:
            if effect[0] == "l":
                loaded, _ = data_file.load(path.parent / str(effect[1]))
                content.tables, content.schemas = loaded.tables, loaded.schemas
            else:
                content.take(effect, str(path))
        number = entry.number
        report.commits += 1
    if damage is not None:
        report.trouble.append(
            StartError(
                f"{path}, commit {damage.line} in it: {damage.size} bytes from byte "
                f"{damage.offset} on cannot be read; {damage.whole_after} commits lie behind.",
                hint=Hint(
                    "The next start cuts it there; what can be read behind is kept aside.",
                    "下次启动时会在此处截断，其后可读的部分会另存。",
                ),
            )
        )
    return number
