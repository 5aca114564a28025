"""A real limit on what may be written: writers are told, readers go on, nothing is torn."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lean_emulator.model.query import Query
from lean_emulator.storage.keeper import FileKeeper
from lean_emulator.storage.memory import MemoryStorage

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of file sizes"),
]

WRITER = """
import asyncio, json, resource, signal, sys
from pathlib import Path
from lean_emulator.base.errors import ApiError
from lean_emulator.model.query import Query
from lean_emulator.storage.contract import Insert
from lean_emulator.storage.keeper import FileKeeper
from lean_emulator.storage.memory import MemoryStorage

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    storage = MemoryStorage(keeper=FileKeeper(Path(sys.argv[1])))
    await storage.open()
    stored, refused, number = [], "", 0
    while len(refused) == 0 or number % 50:
        number += 1
        object_id = f"p{number}"
        now = "2026-01-01T00:00:00.000Z"
        row = {"objectId": object_id, "createdAt": now, "updatedAt": now, "text": "x" * number}
        try:
            await storage.commit([Insert("Post", row)])
            stored.append(object_id)
        except ApiError as e:
            refused = e.message
    found = await storage.find(Query("Post", limit=10**6))
    print(json.dumps({
        "stored": stored, "refused": refused, "found": [row["objectId"] for row in found],
    }))
    sys.stdout.flush()
    await storage.close()

asyncio.run(main())
"""


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        capture_output=True, text=True, timeout=50, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "cannot be written" in told["refused"]
    assert told["found"] == told["stored"]
    assert len(told["stored"]) > 20

    async def read() -> list[str]:
        reports: list[str] = []
        keeper = FileKeeper(tmp_path, report=lambda text, _: reports.append(text))
        storage = MemoryStorage(keeper=keeper)
        await storage.open()
        rows = await storage.find(Query("Post", limit=10**6))
        await storage.close()
        assert reports == []
        return [str(row["objectId"]) for row in rows]

    assert asyncio.run(read()) == told["stored"]
