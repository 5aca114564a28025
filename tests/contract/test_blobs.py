"""What every store of contents promises, held against both of ours."""

import asyncio
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lean_emulator.storage import blobs as blobs_module
from lean_emulator.storage.blobs import CHUNK, Blobs, Draft, FolderBlobs, MemoryBlobs

LARGE = bytes(range(256)) * (CHUNK // 256) * 3 + b"tail"
"""More than one chunk, and no whole number of them."""


@pytest.fixture(params=["memory", "folder"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if request.param == "memory":
        return MemoryBlobs()
    made = FolderBlobs(tmp_path / "files")
    asyncio.run(made.open())
    return made


def ended_process() -> int:
    """The id of a process that does not run any more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def names_in(folder: Path, pattern: str = "*") -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))


async def drafted(blobs: Blobs, data: bytes) -> Draft:
    draft = blobs.draft()
    for at in range(0, len(data), 100_000):
        await draft.write(data[at : at + 100_000])
    return draft


async def store(blobs: Blobs, name: str, data: bytes) -> None:
    await blobs.keep(await drafted(blobs, data), name)


async def read(blobs: Blobs, name: str, start: int = 0, stop: int | None = None) -> bytes | None:
    content = await blobs.content(name)
    if content is None:
        return None
    return b"".join([chunk async for chunk in content.read(start, stop)])


@pytest.mark.parametrize("data", [b"", b"x", b"\0" * CHUNK, LARGE], ids=len)
async def test_a_content_comes_back_as_it_was(blobs: Blobs, data: bytes) -> None:
    draft = await drafted(blobs, data)
    assert (draft.size, draft.md5) == (len(data), hashlib.md5(data).hexdigest())
    await blobs.keep(draft, "a1")
    content = await blobs.content("a1")
    assert content is not None
    assert content.size == len(data)
    assert await read(blobs, "a1") == data


@pytest.mark.parametrize("data", [b"0123456789", LARGE], ids=len)
async def test_a_part_of_a_content(blobs: Blobs, data: bytes) -> None:
    await store(blobs, "a1", data)
    size = len(data)
    for start, stop in [(0, 1), (3, 7), (size - 2, None), (size - 2, size + 9), (size, None)]:
        assert await read(blobs, "a1", start, stop) == data[start:stop]


async def test_a_draft_is_no_content_before_it_is_kept(blobs: Blobs) -> None:
    draft = await drafted(blobs, LARGE)
    assert await blobs.content("a1") is None
    await draft.discard()
    assert await blobs.content("a1") is None


@pytest.mark.parametrize(("first", "second"), [(b"old", LARGE), (LARGE, b"new"), (b"a", b"b")])
async def test_a_later_content_replaces_an_earlier_one(
    blobs: Blobs, first: bytes, second: bytes
) -> None:
    await store(blobs, "a1", first)
    await store(blobs, "a1", second)
    assert await read(blobs, "a1") == second
    await blobs.delete("a1")
    assert await blobs.content("a1") is None


async def test_a_reader_keeps_what_it_reads(blobs: Blobs) -> None:
    await store(blobs, "a1", LARGE)
    content = await blobs.content("a1")
    assert content is not None
    reading = content.read()
    first = await anext(reading)
    await blobs.delete("a1")
    assert first + b"".join([chunk async for chunk in reading]) == LARGE


@pytest.mark.parametrize("parts", [[b"a", b"b"], [LARGE, b"b", LARGE], [b"", LARGE, b""]])
async def test_drafts_can_be_joined(blobs: Blobs, parts: list[bytes]) -> None:
    whole = blobs.draft()
    for part in parts:
        draft = await drafted(blobs, part)
        await whole.append(draft)
        await draft.discard()
    await blobs.keep(whole, "a1")
    assert await read(blobs, "a1") == b"".join(parts)


async def test_absent_contents(blobs: Blobs) -> None:
    assert await blobs.content("absent") is None
    await blobs.delete("absent")


async def test_clear_forgets_contents_and_leaves_drafts(blobs: Blobs) -> None:
    await store(blobs, "small", b"x")
    await store(blobs, "large", LARGE)
    draft = await drafted(blobs, LARGE)
    await blobs.clear()
    assert await blobs.content("small") is None
    assert await blobs.content("large") is None
    await draft.write(b"more")
    await blobs.keep(draft, "later")
    assert await read(blobs, "later") == LARGE + b"more"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", "a\0", "A", "é", "a" * 65, "a\n"]
)
async def test_no_name_is_a_path(blobs: Blobs, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a content"):
        await blobs.content(name)
    with pytest.raises(ValueError, match="no name of a content"):
        await blobs.delete(name)
    draft = await drafted(blobs, b"x")
    with pytest.raises(ValueError, match="no name of a content"):
        await blobs.keep(draft, name)


async def test_many_at_a_time(blobs: Blobs) -> None:
    await asyncio.gather(*(store(blobs, f"a{n}", LARGE[n:]) for n in range(8)))
    assert [await read(blobs, f"a{n}") == LARGE[n:] for n in range(8)] == [True] * 8


async def test_a_folder_keeps_contents_and_forgets_drafts(tmp_path: Path) -> None:
    first = FolderBlobs(tmp_path / "files")
    await first.open()
    await store(first, "a1", LARGE)
    await drafted(first, LARGE)
    assert len(names_in(tmp_path / "files")) == 2
    second = FolderBlobs(tmp_path / "files")
    await second.open()
    assert names_in(tmp_path / "files") == ["a1"]
    assert await read(second, "a1") == LARGE


async def test_only_the_owner_reads_the_folder(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "files")
    await blobs.open()
    await store(blobs, "a1", b"x")
    assert (tmp_path / "files").stat().st_mode & 0o077 == 0
    assert (tmp_path / "files" / "a1").stat().st_mode & 0o077 == 0


async def test_memory_leaves_nothing_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    blobs = MemoryBlobs()
    await store(blobs, "small", b"x")
    assert names_in(tmp_path) == []
    await store(blobs, "large", LARGE)
    assert len(names_in(tmp_path)) == 1
    await blobs.close()
    assert names_in(tmp_path) == []


async def test_memory_removes_what_killed_processes_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = ended_process()
    kept = [f"lean-emu-files-{os.getpid()}-x", "lean-emu-files-other", "other"]
    for name in (*kept, f"lean-emu-files-{gone}-x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "content").write_bytes(b"x")
    (tmp_path / f"lean-emu-files-{gone}-link").symlink_to(tmp_path / "other")
    blobs = MemoryBlobs()
    await store(blobs, "large", LARGE)
    await blobs.close()
    assert names_in(tmp_path) == sorted([*kept, f"lean-emu-files-{gone}-link"])
    assert names_in(tmp_path, "other/*") == ["content"]


async def test_memory_holds_only_so_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(blobs_module, "IN_MEMORY", 10)
    blobs = MemoryBlobs()
    for name in ("a", "b", "c"):
        await store(blobs, name, b"0123")
    assert names_in(tmp_path, "*/*") == ["c"]
    assert [await read(blobs, name) for name in ("a", "b", "c")] == [b"0123"] * 3
    await blobs.close()
