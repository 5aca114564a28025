"""The API server over real sockets, with user code that is a ``FakeEngine``."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from lean_emulator.base.clock import ManualClock
from lean_emulator.emulator import Emulator
from lean_emulator.keys import Keys
from lean_emulator.settings import Settings
from tests.support.fake_engine import FakeEngine

KEYS = Keys("test-app-id-gzGzoHsz", "app-key-0123456789", "master-key-0123456", "hook-key-01234567")
CLIENT = {"X-LC-Id": KEYS.app_id, "X-LC-Key": KEYS.app_key}
MASTER = {"X-LC-Id": KEYS.app_id, "X-LC-Key": f"{KEYS.master_key},master"}
ENGINE = {**CLIENT, "X-LC-Hook-Key": KEYS.hook_key}


@dataclass(frozen=True)
class WireAnswer:
    """Status, parsed JSON (``None`` when it is none), headers and raw body."""

    status: int
    json: Any
    headers: dict[str, str]
    body: bytes


class Api:
    """A client of one running emulator."""

    def __init__(self, emulator: Emulator, engine: FakeEngine, clock: ManualClock) -> None:
        self.emulator = emulator
        self.engine = engine
        self.clock = clock
        self._session = aiohttp.ClientSession()

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
        **params: Any,
    ) -> WireAnswer:
        """One request as a client with the app key; ``params`` that are not text go as JSON.

        ``path`` is sent as it is, percent-encoding included.
        """
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        # aiohttp warns of large bytes, which it would copy
        large = io.BytesIO(data) if data is not None and len(data) > 1_000_000 else data
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in params.items()}
        if texts:
            path += ("&" if "?" in path else "?") + urlencode(texts)
        async with self._session.request(
            method,
            URL(self.emulator.api_url + path, encoded=True),
            data=large,
            headers={
                "Content-Type": "application/json",
                **(CLIENT if headers is None else headers),
            },
        ) as response:
            received = await response.read()
            try:
                parsed = json.loads(received)
            except ValueError:
                parsed = None
            return WireAnswer(response.status, parsed, dict(response.headers), received)

    async def create(self, class_name: str, **fields: Any) -> str:
        """Store an object with the master key; gives its id."""
        answer = await self("POST", f"/1.1/classes/{class_name}", fields, headers=MASTER)
        assert answer.status == 201, answer.json
        return str(answer.json["objectId"])

    async def read(self, class_name: str, object_id: str) -> Any:
        answer = await self("GET", f"/1.1/classes/{class_name}/{object_id}", headers=MASTER)
        assert answer.status == 200, answer.json
        return answer.json

    async def settle(self) -> None:
        await self.emulator.settle()

    async def close(self) -> None:
        await self._session.close()


@asynccontextmanager
async def running_api(
    engine: FakeEngine | None = None, *, project: Path, **settings: Any
) -> AsyncIterator[Api]:
    """An emulator on free ports whose code is ``engine``; time stands still unless moved."""
    engine = engine or FakeEngine()
    clock = ManualClock()
    settings = {"storage": "memory", **settings}
    chosen = Settings(project_dir=project, port=0, code=False, **settings)
    async with Emulator(chosen, KEYS, clock=clock, cloud_code=engine) as emulator:
        api = Api(emulator, engine, clock)
        try:
            yield api
        finally:
            await api.close()
