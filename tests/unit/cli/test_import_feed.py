"""What of an import happens before anything is sent, and how it is told."""

from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.errors import StartError
from lean_emulator.cli import import_progress
from lean_emulator.cli.import_feed import content_of
from lean_emulator.cli.import_files import Source, find, schema_in
from lean_emulator.model.import_source import Named


def put(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"objectId": "f1", "key": "k/a.txt"}, "k/a.txt"),
        ({"objectId": "f2", "key": "gone"}, "f2"),
        ({"objectId": "f3"}, "f3.png"),
        ({"objectId": "f4"}, None),
        ({"objectId": "f4", "key": "../outside"}, None),
        ({"key": "k/a.txt"}, None),
    ],
)
def test_where_a_content_is(tmp_path: Path, record: Any, found: str | None) -> None:
    folder = tmp_path / "in"
    for name in ("k/a.txt", "f2", "f3.png", "../outside"):
        put(folder / name)
    assert content_of(record, folder) == (None if found is None else folder / found)


def test_an_absolute_key_leads_nowhere(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside")
    (tmp_path / "in").mkdir()
    assert content_of({"objectId": "f", "key": str(outside)}, tmp_path / "in") is None


def test_hidden_files_and_strangers_are_passed_over(tmp_path: Path) -> None:
    for name in (".export.json", ".x/A.json", "b/A.json", "A.schema.json", "readme.md"):
        put(tmp_path / name, b"[]")
    found = find([tmp_path], None, tmp_path)
    assert [source.path.name for source in found.sources] == ["A.schema.json", "A.json"]
    assert [Path(name).name for name in found.passed_over] == ["readme.md"]


@pytest.mark.parametrize(
    ("form", "raw", "is_schema"),
    [
        ("json", b'{"schema": {"a": {"type": "String"}}}', True),
        ("json", b'\xef\xbb\xbf {"schema": {}}', True),
        ("json", b'[{"schema": {}}]', False),
        ("json", b'{"results": []}', False),
        ("json", b'{"schema": {}}\n{"schema": {}}', False),
        ("json", b'{"schema": "text"}', False),
        ("schema", b'{"schema": {}}', True),
        ("lines", b'{"schema": {}}', False),
    ],
)
def test_what_is_a_schema(tmp_path: Path, form: Any, raw: bytes, is_schema: bool) -> None:
    source = Source(put(tmp_path / "A", raw), "A", Named(form, "A"))
    assert (schema_in(source) is not None) is is_schema


@pytest.mark.parametrize("raw", [b"{", b"[]", b""])
def test_a_schema_file_that_is_none(tmp_path: Path, raw: bytes) -> None:
    source = Source(put(tmp_path / "A.schema.json", raw), "A", Named("schema", "A"))
    with pytest.raises(StartError):
        schema_in(source)


def test_without_a_terminal_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr("lean_emulator.cli.import_progress.time.monotonic", lambda: now[0])
    with import_progress.progress() as begin:
        moved = begin("A.json")
        moved(1, 4, 10)
        now[0] += import_progress.BETWEEN
        moved(2, 4, 20)
        moved(3, 4, 30)
    assert capsys.readouterr().err == "A.json: 50 %, 20 rows, 4 rows/s\n"
