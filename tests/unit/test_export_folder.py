"""What an export leaves in a folder, and that it never loses a file of somebody else's."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_emulator import export_folder
from lean_emulator.base.errors import StartError
from lean_emulator.cli.import_files import find, opened, schema_in
from lean_emulator.emulator import Emulator
from lean_emulator.export_folder import FORMATS, Format
from lean_emulator.model.import_rows import Header, Row
from lean_emulator.service.importing import Options
from lean_emulator.settings import Settings
from tests.support.api import KEYS
from tests.support.fake_engine import FakeEngine
from tests.support.model_values import values

SCHEMA = b'#filetype:JSON-streaming {"type":"Schema","class":"A"}\n{"schema":{}}\n'
OBJECTS = b'#filetype:JSON-streaming {"type":"Class","class":"A"}\n'
ROW = (
    b'{"ACL":{},"createdAt":"2020-01-01T00:00:00.000Z","objectId":"a1",'
    b'"updatedAt":"2020-01-01T00:00:00.000Z"}\n'
)


def lines(*parts: bytes) -> list[bytes]:
    return b"".join(parts).splitlines(keepends=True)


def changes(folder: Path, *parts: bytes, form: Format = "jsonl", whole: bool = True) -> Any:
    written = export_folder.write(folder, lines(*parts, b"#end\n"), form, whole=whole)
    return {each.path.name: each.change for each in written}


def content(folder: Path) -> dict[str, bytes]:
    """Every file but the one that an export remembers by."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.name != export_folder.REMEMBERED
    }


def test_files_are_new_then_the_same_then_changed(tmp_path: Path) -> None:
    folder = tmp_path / "é x" / "deep"
    assert changes(folder, SCHEMA, OBJECTS) == {"A.schema.json": "new", "A.0.jsonl": "new"}
    assert changes(folder, SCHEMA, OBJECTS) == {"A.schema.json": "same", "A.0.jsonl": "same"}
    told = changes(folder, SCHEMA, OBJECTS, ROW)
    assert told == {"A.schema.json": "same", "A.0.jsonl": "changed"}
    assert content(folder)["A.0.jsonl"] == OBJECTS + ROW


def test_what_means_nothing_any_more_goes_if_an_export_wrote_it(tmp_path: Path) -> None:
    changes(tmp_path, SCHEMA, OBJECTS)
    (tmp_path / "B.0.jsonl").write_bytes(b"mine")
    assert changes(tmp_path) == {"A.0.jsonl": "removed", "A.schema.json": "removed"}
    assert content(tmp_path) == {"B.0.jsonl": b"mine"}


def test_what_was_edited_since_stays(tmp_path: Path) -> None:
    changes(tmp_path, SCHEMA, OBJECTS)
    (tmp_path / "A.0.jsonl").write_bytes(b"edited")
    assert changes(tmp_path) == {"A.schema.json": "removed"}
    assert content(tmp_path) == {"A.0.jsonl": b"edited"}


def test_a_part_of_the_classes_removes_nothing(tmp_path: Path) -> None:
    changes(tmp_path, SCHEMA, OBJECTS)
    assert changes(tmp_path, whole=False) == {}
    assert content(tmp_path).keys() == {"A.0.jsonl", "A.schema.json"}


@pytest.mark.parametrize("remembered", [None, b"no json", b"[]", b'{"files": 1}'])
def test_a_file_of_somebody_else_is_moved_aside(tmp_path: Path, remembered: bytes | None) -> None:
    if remembered is not None:
        (tmp_path / export_folder.REMEMBERED).write_bytes(remembered)
    for text in (b"one", b"two"):
        (tmp_path / "A.0.jsonl").write_bytes(text)
        export_folder.write(tmp_path, lines(OBJECTS, b"#end\n"), "jsonl", whole=True)
    found = content(tmp_path)
    assert found == {
        "A.0.jsonl": OBJECTS, "A.0.jsonl.before-1": b"one", "A.0.jsonl.before-2": b"two"
    }  # fmt: skip


def test_an_export_that_breaks_off_leaves_the_old_file(tmp_path: Path) -> None:
    changes(tmp_path, OBJECTS)
    with pytest.raises(StartError, match="broke off"):
        export_folder.write(tmp_path, lines(OBJECTS, ROW), "jsonl", whole=True)
    assert content(tmp_path) == {"A.0.jsonl": OBJECTS}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StartError, match=r"file.* cannot be written"):
        changes(tmp_path / "file", OBJECTS)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere files have no such mode")
def test_what_has_passwords_in_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    changes(tmp_path, OBJECTS.replace(b'"A"', b'"_User"'))
    assert (tmp_path / "_User.0.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_layouts(tmp_path: Path) -> None:
    told = {form: tmp_path / form for form in FORMATS}
    for form, folder in told.items():
        changes(folder, SCHEMA, OBJECTS, ROW, form=form)
    assert content(told["json"])["A.population.json"] == b'{"results":[\n' + ROW + b"]}\n"
    assert content(told["csv"])["A.csv"].splitlines()[2].startswith(b"a1,2020-01-01T00:00:00.000Z,")


# ---- there and back again

_NAMES = {
    "s": st.text(st.characters(codec="utf-8"), max_size=8)
    | st.text(st.sampled_from(["\r", "\n", '"', ",", "\0", "\u2028", "\ufeff", " "]), max_size=4),
    "n": st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    "b": st.booleans(),
    "d": st.datetimes().map(
        lambda at: {"__type": "Date", "iso": f"{at.isoformat(timespec='milliseconds')}Z"}
    ),
    "p": st.just({"__type": "Pointer", "className": "Post", "objectId": "p1"}),
    "f": st.just({"__type": "File", "id": "f1"}),
    "g": st.tuples(st.floats(-90, 90), st.floats(-180, 180)).map(
        lambda at: {"__type": "GeoPoint", "latitude": at[0], "longitude": at[1]}
    ),
    "raw": st.just({"__type": "Bytes", "base64": "YQ=="}),
    "a": st.lists(values, max_size=3),
    "o": st.dictionaries(st.sampled_from(["x", "y", "é"]), values, max_size=2),
}
_FIELDS: Any = st.fixed_dictionaries({}, optional={n: v | st.none() for n, v in _NAMES.items()})
_ACLS = st.sampled_from([None, {}, {"*": {"read": True}}, {"role:Admin": {"write": True}}])


def new_emulator() -> Emulator:
    """With empty rooms, not serving."""
    return Emulator(Settings(project_dir=Path(), storage="memory"), KEYS, cloud_code=FakeEngine())


async def exported(emulator: Emulator, folder: Path, form: Format) -> dict[str, bytes]:
    told = b"".join([piece async for piece in emulator.transfer.exporting.pieces()])
    export_folder.write(folder, told.splitlines(keepends=True), form, whole=True)
    return content(folder)


async def import_all(emulator: Emulator, folder: Path) -> None:
    importing = emulator.transfer.importing
    for source in find([folder], None, folder).sources:
        schema = schema_in(source)
        if schema is not None:
            await importing.schema(source.named.class_name, schema)
            continue
        with opened(source) as rows:
            found = [*_values(rows.rows)]
        tally = await importing.rows(source.named.class_name, found, Options())
        assert not tally.errors
        assert tally.inserted + tally.waiting == len(found)


def _values(reads: Iterator[Any]) -> Iterator[Any]:
    for read in reads:
        if not isinstance(read, Header):
            assert isinstance(read, Row), read
            yield read.value


@pytest.mark.timeout(60)
@pytest.mark.parametrize("form", FORMATS)
@given(rows=st.lists(st.tuples(_FIELDS, _ACLS), max_size=4))
@settings(max_examples=40)
def test_export_import_export_is_the_same_to_the_byte(form: Format, rows: Any) -> None:
    async def scene(home: Path) -> None:
        first, second = new_emulator(), new_emulator()
        given = [
            {**fields, "ACL": acl, "objectId": f"o{n}", "createdAt": f"20{n:02d}-01-01T00:00:00Z"}
            for n, (fields, acl) in enumerate(rows)
        ]
        tally = await first.transfer.importing.rows("A", given, Options())
        assert not tally.errors
        pairs: Any = [{"owningId": f"o{n}", "relatedId": f"m{n}"} for n in range(len(rows) + 1)]
        await first.transfer.importing.rows("_Join:A:likes:B", pairs, Options())
        before = await exported(first, home / "first", form)
        await import_all(second, home / "first")
        assert await exported(second, home / "second", form) == before

    with tempfile.TemporaryDirectory() as home:
        asyncio.run(scene(Path(home)))
