"""The folder of schema files: what is read, what is passed over, what writing leaves alone."""

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from lean_emulator import schema_folder
from lean_emulator.base.errors import StartError
from lean_emulator.model.schema_file import to_text

EMPTY: dict[str, Any] = {"schema": {}}


def put(path: Path, content: Any = EMPTY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_without_a_folder_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert schema_folder.folder_of(tmp_path, None) is None
    (tmp_path / "schema").write_text("no folder")
    assert schema_folder.folder_of(tmp_path, None) is None


def test_the_usual_folder_and_a_chosen_one(tmp_path: Path) -> None:
    (tmp_path / "schema").mkdir()
    assert schema_folder.folder_of(tmp_path, None) == tmp_path / "schema"
    assert schema_folder.folder_of(tmp_path, "db") == tmp_path / "db"
    assert schema_folder.folder_of(tmp_path, "/elsewhere") == Path("/elsewhere")


def test_files_are_found_by_their_names(tmp_path: Path) -> None:
    paths = {
        "A": put(tmp_path / "A.schema.json"),
        "B": put(tmp_path / "B.json"),
        "_User": put(tmp_path / "users" / "_User.schema.json"),
        "Named": put(tmp_path / "other.json", {**EMPTY, "name": "Named"}),
    }
    for ignored in ("A.population.json", "_Join:roles:_Role.population.json", "README.md"):
        put(tmp_path / ignored, "not a schema")
    put(tmp_path / ".hidden" / "C.json", "not a schema")
    put(tmp_path / ".D.json", "not a schema")
    found = schema_folder.read(tmp_path)
    assert {each.schema.name: each.path for each in found} == paths


def test_a_chosen_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="There is no schema folder") as caught:
        schema_folder.read(tmp_path / "nowhere")
    assert caught.value.hint is not None


def test_one_file_for_a_class(tmp_path: Path) -> None:
    put(tmp_path / "A.json")
    put(tmp_path / "deep" / "A.schema.json")
    with pytest.raises(StartError, match="'A' has two files"):
        schema_folder.read(tmp_path)


def test_writing_tells_what_changed(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    first = schema_folder.write(folder, {"A": EMPTY, "_User": EMPTY})
    assert [(each.class_name, each.change) for each in first] == [("A", "new"), ("_User", "new")]
    assert (folder / "A.schema.json").read_text("utf-8") == to_text(EMPTY)
    changed: Any = {"schema": {"n": {"type": "Number"}}}
    second = schema_folder.write(folder, {"A": EMPTY, "_User": changed})
    assert [each.change for each in second] == ["same", "changed"]
    assert sorted(path.name for path in folder.iterdir()) == ["A.schema.json", "_User.schema.json"]


def test_a_class_goes_into_the_file_it_has(tmp_path: Path) -> None:
    path = put(tmp_path / "deep" / "A.json", {"schema": {"old": {"type": "String"}}})
    other = put(tmp_path / "Other.json")
    before = other.read_bytes()
    (written,) = schema_folder.write(tmp_path, {"A": EMPTY})
    assert (written.path, written.change) == (path, "changed")
    assert path.read_text("utf-8") == to_text(EMPTY)
    assert other.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
def test_writing_keeps_the_mode_of_a_file(tmp_path: Path) -> None:
    path = put(tmp_path / "A.json")
    path.chmod(0o640)
    schema_folder.write(tmp_path, {"A": EMPTY})
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartError, match="cannot be written"):
        schema_folder.write(tmp_path / "file" / "schema", {"A": EMPTY})
