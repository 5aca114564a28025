"""Writes to a storage as fast as it can and says so, until somebody kills it.

Every line on stdout is a write that was answered: what it was, so that the killer can check.
"""

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

from lean_emulator.base.jsontext import Json
from lean_emulator.model.operations import parse_write
from lean_emulator.model.values import pointer
from lean_emulator.storage.contract import Delete, Insert, Update
from lean_emulator.storage.keeper import FileKeeper
from lean_emulator.storage.memory import MemoryStorage

NOW = "2026-01-01T00:00:00.000Z"


DEEDS = (
    ["create"] * 8 + ["update"] * 4 + ["delete"] * 4 + ["batch"] * 4 + ["count"] * 4
    + ["relate"] * 4 + ["save", "load"]
)  # fmt: skip


def say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def born(object_id: str, **fields: Any) -> Insert:
    times = {"createdAt": NOW, "updatedAt": NOW}
    return Insert("Post", {"objectId": object_id, **times, **fields})


async def write(folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    keeper = FileKeeper(folder, compact_bytes=4_000)
    storage = MemoryStorage(keeper=keeper)
    await storage.open()
    if await storage.get("Post", "counter") is None:
        await storage.commit([born("counter", n=0)])
    say(ready=True)
    number = 0
    alive: list[str] = []
    saved: tuple[str, MemoryStorage, list[str]] | None = None
    while True:
        number += 1
        object_id = f"s{seed}n{number}"
        deed = rng.choice(DEEDS)
        if deed == "save":
            name, fork = f"snapshots/{object_id}.json", storage.fork()
            await keeper.keep_content(name, fork)
            saved = (name, fork, [*alive])
            say(saved=name)
        elif deed == "load" and saved is not None:
            say(loading=saved[0])
            await storage.restore(saved[1], saved[0])
            alive = [*saved[2]]
            say(loaded=saved[0])
        elif deed == "create" or not alive:
            await storage.commit([born(object_id, v=0, text="x" * rng.randrange(200))])
            alive.append(object_id)
            say(create=object_id)
        elif deed == "update":
            chosen = rng.choice(alive)
            await storage.commit([Update("Post", chosen, parse_write({"v": number}), NOW)])
            say(update=chosen, v=number)
        elif deed == "delete":
            chosen = alive.pop(rng.randrange(len(alive)))
            say(deleting=chosen)
            await storage.commit([Delete("Post", chosen)])
            say(delete=chosen)
        elif deed == "batch":
            pair = [f"{object_id}a", f"{object_id}b"]
            say(pairing=pair)
            await storage.commit([born(each, v=0) for each in pair])
            alive += pair
            say(batch=pair)
        elif deed == "count":
            plus = parse_write({"n": {"__op": "Increment", "amount": 1}})
            await storage.commit([Update("Post", "counter", plus, NOW)])
            say(count=1)
        else:
            chosen = rng.choice(alive)
            friends: Json = [pointer("Post", "counter")]
            link = parse_write({"friends": {"__op": "AddRelation", "objects": friends}})
            await storage.commit([Update("Post", chosen, link, NOW)])
            say(relate=chosen)
        await asyncio.sleep(0)  # so that compactions get on


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2])))
