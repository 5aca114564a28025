"""The storage that is kept in files keeps the promises of every storage, and its own."""

import asyncio
import errno
import itertools
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import tinydb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lean_emulator.base.errors import ApiError, StartError
from lean_emulator.model.access import PUBLIC_ACL
from lean_emulator.model.operations import parse_write
from lean_emulator.model.query import Query
from lean_emulator.model.schema_file import read_schema
from lean_emulator.model.values import pointer
from lean_emulator.storage import journal
from lean_emulator.storage.contract import Change, Delete, Insert, Storage, Update
from lean_emulator.storage.keeper import FileKeeper, Fsync
from lean_emulator.storage.memory import MemoryStorage
from tests.contract.storage_suite import Make, StorageSuite, insert

NOW = "2026-01-01T00:00:00.000Z"


class Folder:
    """A folder with data, and what was reported about it."""

    def __init__(self, path: Path, fsync: Fsync = "timer") -> None:
        self.path = path
        self.fsync: Fsync = fsync
        self.reports: list[str] = []

    def keeper(self, **more: Any) -> FileKeeper:
        return FileKeeper(
            self.path,
            fsync=self.fsync,
            report=lambda text, hint: self.reports.append(text),
            **more,
        )

    @asynccontextmanager
    async def opened(self, **more: Any) -> AsyncIterator[MemoryStorage]:
        storage = MemoryStorage(keeper=self.keeper(**more))
        await storage.open()
        try:
            yield storage
        finally:
            await storage.close()

    @asynccontextmanager
    async def killed(self, **more: Any) -> AsyncIterator[MemoryStorage]:
        """Open, and let go without closing: what is in the files is what a kill leaves."""
        keeper = self.keeper(**more)
        storage = MemoryStorage(keeper=keeper)
        await storage.open()
        try:
            yield storage
        finally:
            await _abandon(keeper)

    def journals(self) -> list[Path]:
        return sorted(self.path.glob("journal-*.log"))


async def _abandon(keeper: FileKeeper) -> None:
    """What the system does to a process that is killed: tasks end, handles close."""
    for task in (keeper._compacting, keeper._syncing):
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
    if keeper._journal is not None:
        keeper._journal.close()
    keeper._unlock()


def emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


async def content(storage: Storage) -> dict[str, Any]:
    """Everything that can be asked for."""
    found: dict[str, Any] = {}
    for name, schema in storage.classes().items():
        rows = await storage.find(Query(name, limit=100_000))
        members = {
            f"{key} of {row['objectId']}": await storage.related(name, str(row["objectId"]), key)
            for row in rows
            for key, _ in schema.relations
        }
        found[name] = (rows, members, schema)
    return found


class TestDurable(StorageSuite):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Make:
        return lambda: Folder(tmp_path / "data").opened()


class TestDurableWithFsync(StorageSuite):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Make:
        return lambda: Folder(tmp_path / "data", "always").opened()


async def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    async with folder.killed() as storage:
        await storage.commit([insert("p1", n=1), insert("p2", n=2)])
        await storage.commit([Update("Post", "p1", parse_write({"n": 5}), NOW)])
        await storage.commit([Delete("Post", "p2")])
        before = await content(storage)
    async with folder.opened() as storage:
        assert await content(storage) == before
        assert [row["n"] for row in before["Post"][0]] == [5]
    assert folder.reports == []


async def test_relations_schemas_and_counters_are_kept_too(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    text = json.dumps(
        {
            "schema": {
                "nid": {"type": "Number", "auto_increment": True},
                "code": {"type": "String"},
            },
            "indexes": [{"name": "code", "key": {"code": 1}, "unique": True}],
            "permissions": {"find": {"*": True}},
        }
    )
    notes: list[Any] = [pointer("Note", name) for name in ("b", "a")]
    likes: Any = {"__op": "AddRelation", "objects": notes}
    for way in (folder.killed, folder.opened):
        async with way() as storage:
            await storage.save_class(read_schema(text, "f", "Post"))
            await storage.commit([insert("p1", code="x"), insert("p2", code="y")])
            await storage.commit([Update("Post", "p1", parse_write({"likes": likes}), NOW)])
            await storage.commit([Delete("Post", "p2")])
            before = await content(storage)
        async with folder.opened() as storage:
            assert await content(storage) == before
            assert await storage.related("Post", "p1", "likes") == ["b", "a"]
            (done,) = await storage.commit([insert("p3", code="y")])
            assert done.after is not None
            assert done.after["nid"] == 3
            with pytest.raises(ApiError):
                await storage.commit([insert("p4", code="x")])
            await storage.clear()


async def test_after_a_close_the_data_file_holds_everything_and_tinydb_reads_it(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path)
    async with folder.opened() as storage:
        await storage.commit([insert("p1", title="été", n=1), insert("p2", title="x", n=2)])
    assert folder.journals() == []
    with tinydb.TinyDB(tmp_path / "db.json") as db:
        assert [row["title"] for row in db.table("Post").all()] == ["été", "x"]
        assert db.table("Post").get(tinydb.where("n") == 2)["objectId"] == "p2"


async def test_objects_that_a_script_wrote_are_loaded(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    async with folder.opened() as storage:
        await storage.commit([insert("p1", n=1)])
    with tinydb.TinyDB(tmp_path / "db.json") as db:
        row = {"objectId": "mine", "n": 7, "createdAt": NOW, "updatedAt": NOW}
        db.table("Post").insert(row)
        db.table("Fresh").insert({**row, "at": {"__type": "Date", "iso": NOW}})
    async with folder.opened() as storage:
        assert [r["n"] for r in await storage.find(Query("Post"))] == [1, 7]
        assert storage.classes()["Fresh"].columns["at"].type == "Date"


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda text: text.replace('"n":', "n:"), r"line \d+: it is no JSON"),
        (lambda text: "", "the file is empty"),
        (lambda text: "[1]", "an object with a member for each class"),
        (lambda text: text.replace('"objectId":"p1"', '"objectId":""'), "has no objectId"),
        (lambda text: text.replace('"objectId":"p2"', '"objectId":"p1"'), "two objects p1"),
        (lambda text: text.replace('"n":2', '"n":"two"'), r"line \d+: Post p2: Invalid value type"),
        (
            lambda text: text.replace(f'"createdAt":"{NOW}"', '"createdAt":"then"', 1),
            "must be times",
        ),
        (lambda text: text.replace('"format":1', '"format":9'), "is of format 9"),
    ],
)
async def test_a_file_that_cannot_be_meant_is_refused_and_stays(
    tmp_path: Path, edit: Any, why: str
) -> None:
    folder = Folder(tmp_path)
    async with folder.opened() as storage:
        first, second = insert("p1", n=1), insert("p2", n=2)
        for each in (first, second):
            each.document.update(createdAt=NOW, updatedAt=NOW)
        await storage.commit([first, second])
    path = tmp_path / "db.json"
    edited = edit(path.read_text("utf-8"))
    path.write_text(edited, "utf-8")
    with pytest.raises(StartError, match=why):
        async with folder.opened():
            raise AssertionError("it was opened")
    assert path.read_text("utf-8") == edited


async def test_a_second_user_of_the_folder_is_told_of_the_first(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    async with folder.opened():
        with pytest.raises(StartError, match=f"process {os.getpid()}"):
            await MemoryStorage(keeper=folder.keeper()).open()
    async with folder.opened():
        pass


async def test_a_torn_end_is_cut_off_and_reported(tmp_path: Path) -> None:
    """Whatever byte of its last kilobyte the journal ends at."""
    folder = Folder(tmp_path)
    async with folder.killed() as storage:
        for n in range(12):
            await storage.commit([insert(f"p{n:02}")])
    (path,) = folder.journals()
    whole = path.read_bytes()
    ends = list(itertools.accumulate(len(line) for line in whole.splitlines(keepends=True)))
    assert len(whole) > 1_024
    for end in range(len(whole) - 1_024, len(whole)):
        emptied(tmp_path)
        path.write_bytes(whole[:end])
        folder.reports.clear()
        left = sum(each <= end for each in ends)
        async with folder.killed() as storage:
            assert await storage.count(Query("Post")) == left
            await storage.commit([insert("later")])
        assert len(folder.reports) == (0 if end in ends else 1)
        async with folder.killed() as storage:
            assert await storage.count(Query("Post")) == left + 1


async def test_flipped_bits_are_reported_and_what_follows_is_set_aside(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    async with folder.killed() as storage:
        for n in range(10):
            await storage.commit([insert(f"p{n}")])
    (path,) = folder.journals()
    whole = path.read_bytes()
    line = whole.splitlines(keepends=True)
    for offset in range(len(line[0]), len(line[0]) + len(line[1])):
        emptied(tmp_path)
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x10]) + whole[offset + 1 :])
        folder.reports.clear()
        async with folder.killed() as storage:
            assert [row["objectId"] for row in await storage.find(Query("Post"))] == ["p0"]
        assert any(re.search("damaged.* [78] later", report) for report in folder.reports)
        kept = path.with_name(f"{path.name}.damaged").read_bytes()
        assert len(kept) == len(whole) - len(line[0])


async def test_a_journal_that_is_missing_in_between_is_noticed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    async with folder.killed() as storage:
        await storage.commit([insert("p1")])
    (first,) = folder.journals()
    later = tmp_path / "journal-0000000000000009.log"
    later.write_bytes(journal.encode(9, [["+", "Post", insert("p9").document]]))
    async with folder.opened() as storage:
        assert len(await storage.find(Query("Post"))) == 1
    assert any("NOT loaded" in report for report in folder.reports)
    assert later.with_name(f"{later.name}.damaged").exists()
    assert not first.exists()


async def test_a_full_disk_refuses_writers_and_serves_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    write, room = os.write, [0]

    def full(handle: int, data: bytes) -> int:
        """Takes the beginning of what is written while there is room, and then nothing."""
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(handle, data[: room[0]])
        room[0] -= written
        return written

    async with folder.killed() as storage:
        await storage.commit([insert("p1", n=1)])
        before = await content(storage)
        for left in (0, 7):
            room[0] = left
            monkeypatch.setattr(os, "write", full)
            with pytest.raises(ApiError, match="No space left on device"):
                await storage.commit([insert("p2", other=1)])
            with pytest.raises(ApiError):
                await storage.drop_class("Post")
            with pytest.raises(ApiError):
                await storage.clear()
            assert await content(storage) == before
        monkeypatch.setattr(os, "write", write)
        await storage.commit([insert("p3", n=3)])
    async with folder.opened() as storage:
        assert [row["objectId"] for row in await storage.find(Query("Post"))] == ["p1", "p3"]
    assert folder.reports == []


async def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StartError, match="cannot be used"):
        await MemoryStorage(keeper=FileKeeper(tmp_path / "file" / "data")).open()


async def test_a_large_journal_becomes_part_of_the_data_file_while_writes_go_on(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path)
    async with folder.killed(compact_bytes=2_000) as storage:
        for n in range(500):
            await storage.commit([insert(f"p{n:03}", text="x" * 50)])
            if n % 10 == 0:
                await asyncio.sleep(0.001)  # lets the thread that compacts end
        before = await content(storage)
    assert (tmp_path / "db.json").stat().st_size > 10_000
    async with folder.opened() as storage:
        assert await content(storage) == before


async def test_a_compaction_that_was_broken_off_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)

    def broken(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    keeper = folder.keeper()
    storage = MemoryStorage(keeper=keeper)
    await storage.open()
    await storage.commit([insert("p1")])
    with monkeypatch.context() as patch:
        patch.setattr("lean_emulator.storage.data_file.write", broken)
        with pytest.raises(OSError, match="No space"):
            await keeper.compact()
    await storage.commit([insert("p2")])
    await _abandon(keeper)
    assert len(folder.journals()) == 2
    async with folder.opened() as storage:
        assert len(await storage.find(Query("Post"))) == 2
    assert folder.journals() == []


def _born(object_id: str, n: int) -> Insert:
    return Insert("Post", {"objectId": object_id, "createdAt": NOW, "updatedAt": NOW, "n": n})


def _counted(object_id: str, by: int) -> Update:
    return Update("Post", object_id, parse_write({"n": {"__op": "Increment", "amount": by}}), NOW)


def _related(object_id: str, word: str, member: str) -> Update:
    write = parse_write({"likes": {"__op": word, "objects": [pointer("Note", member)]}})
    return Update("Post", object_id, write, NOW)


_IDS = st.sampled_from(["a", "b", "c"])
_CHANGES = st.one_of(
    st.builds(_born, _IDS, st.integers(0, 3)),
    st.builds(_counted, _IDS, st.integers(0, 3)),
    st.builds(lambda object_id: Delete("Post", object_id), _IDS),
    st.builds(_related, _IDS, st.sampled_from(["AddRelation", "RemoveRelation"]), _IDS),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(_CHANGES, min_size=1, max_size=3), max_size=12), st.data())
def test_any_history_is_read_back_however_it_was_left(
    tmp_path: Path, history: list[list[Change]], data: st.DataObject
) -> None:
    async def play() -> None:
        emptied(tmp_path)
        folder, plain = Folder(tmp_path), MemoryStorage()
        keeper = folder.keeper()
        storage = MemoryStorage(keeper=keeper)
        await storage.open()
        for changes in history:
            for each in (storage, plain):
                try:
                    await each.commit(changes)
                except ApiError:
                    continue
            match data.draw(st.sampled_from(["go on", "go on", "compact", "kill", "close"])):
                case "compact":
                    await keeper.compact()
                case "kill":
                    await _abandon(keeper)
                    keeper = folder.keeper()
                    storage = MemoryStorage(keeper=keeper)
                    await storage.open()
                case "close":
                    await storage.close()
                    keeper = folder.keeper()
                    storage = MemoryStorage(keeper=keeper)
                    await storage.open()
            assert await content(storage) == await content(plain)
        await _abandon(keeper)
        assert folder.reports == []

    asyncio.run(play())


@pytest.mark.parametrize("way", ["opened", "killed"])
async def test_objects_that_are_everybodys_share_their_acl_when_read_again(
    tmp_path: Path, way: str
) -> None:
    """From the data file after a proper end, from the journal after any other."""
    folder, own = Folder(tmp_path / "data"), {"u1": {"read": True}}
    async with getattr(folder, way)() as storage:
        await storage.commit([insert("p1", ACL=PUBLIC_ACL), insert("p2", ACL=own), insert("p3")])
        await storage.commit([Update("Post", "p1", parse_write({"n": 1}), NOW)])
    async with folder.opened() as storage:
        rows = [await storage.get("Post", name) for name in ("p1", "p2", "p3")]
        acls = [row and row.get("ACL") for row in rows]
        assert acls == [PUBLIC_ACL, own, None]
        assert acls[0] is PUBLIC_ACL
