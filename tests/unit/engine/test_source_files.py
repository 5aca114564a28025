"""Is a file still the one that was read?"""

import os
import time
import zlib
from pathlib import Path

from lean_emulator.engine.source_files import SourceFiles


def stamp(path: Path) -> list[int]:
    """As the child reports it."""
    state = path.stat()
    return [state.st_mtime_ns, state.st_size, state.st_ino, zlib.crc32(path.read_bytes())]


def read(path: Path, text: str = "x = 1\n") -> SourceFiles:
    path.write_text(text)
    return SourceFiles.reported({str(path): stamp(path)})


def test_an_untouched_file_has_not_changed(tmp_path: Path) -> None:
    assert read(tmp_path / "a.py").changed_now() is None


def test_new_content_a_new_file_and_no_file_have(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    files = read(path)
    path.write_text("x = 22\n")
    assert files.changed_now() == str(path)
    files = read(path)
    path.unlink()
    assert files.changed_now() == str(path)
    path.write_text("x = 1\n")
    assert files.changed_now() == str(path), "another file of the same name"


def test_an_edit_within_one_tick_of_the_clock_is_seen_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    files = read(path)
    before = path.stat()
    path.write_text("x = 2\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert files.changed_now() == str(path)


def test_an_absent_file_that_appears_has_changed(tmp_path: Path) -> None:
    absent = tmp_path / ".env"
    files = SourceFiles.reported({}, [absent])
    assert files.changed_now() is None
    absent.write_text("A=1\n")
    assert files.changed_now() == str(absent)
    assert str(absent) in files


def test_files_read_later_are_known_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text("x = 1\n")
    files = SourceFiles.reported({})
    files.learn({str(path): stamp(path)})
    assert files.changed_now() is None
    path.write_text("x = 23\n")
    assert files.changed_now() == str(path)


def test_after_a_look_it_rests_for_a_moment_only(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    files = read(path)
    assert files.changed() is None
    path.unlink()
    began = time.perf_counter()
    while files.changed() is None:
        assert time.perf_counter() - began < 2
    assert files.changed() == str(path), "it is found again until somebody acts on it"
