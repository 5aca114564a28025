"""Two runtimes of one application, production and staging; each call says which it wants.

The platform runs both beside each other over the same data and chooses by ``X-LC-Prod``
(engine.md 4.10, 5.5).
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager

from lean_emulator.base.deadline import Deadline
from lean_emulator.engine.failure import LoadFailure
from lean_emulator.engine.generation import Generation
from lean_emulator.engine.http1 import EngineAnswer
from lean_emulator.engine.ledger import Ledger
from lean_emulator.engine.runtime import Runtime, State


class Environments:
    """Speaks for production; ``of(False)`` is staging.

    Both write into one ledger, so that what either code does on its way back finds its call.
    """

    def __init__(self, production: Runtime, staging: Runtime) -> None:
        self.production = production
        self.staging = staging
        staging.ledger = production.ledger

    def of(self, prod: bool) -> Runtime:
        return self.production if prod else self.staging

    async def start(self) -> None:
        await asyncio.gather(self.production.start(), self.staging.start())

    async def stop(self) -> None:
        await asyncio.gather(self.production.stop(), self.staging.stop())

    @property
    def state(self) -> State:
        return self.production.state

    @property
    def names(self) -> frozenset[str]:
        return self.production.names

    @property
    def where(self) -> Mapping[str, str]:
        return self.production.where

    @property
    def needs_marks(self) -> bool:
        return self.production.needs_marks

    @property
    def failure(self) -> LoadFailure | None:
        return self.production.failure

    @property
    def ever_ready(self) -> bool:
        return self.production.ever_ready

    @property
    def loaded_at_ms(self) -> int | None:
        return self.production.loaded_at_ms

    @property
    def load_seconds(self) -> float | None:
        return self.production.load_seconds

    @property
    def ledger(self) -> Ledger:
        return self.production.ledger

    @property
    def settled(self) -> bool:
        return self.production.settled

    async def until_settled(self, deadline: Deadline) -> None:
        await self.production.until_settled(deadline)

    def lease(self, deadline: Deadline) -> AbstractAsyncContextManager[Generation]:
        return self.production.lease(deadline)

    async def call(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        deadline: Deadline,
        call_id: str | None = None,
    ) -> EngineAnswer:
        return await self.production.call(
            method, target, headers, body, deadline=deadline, call_id=call_id
        )
