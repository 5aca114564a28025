"""Runs coroutine tests, and fails those that leave work behind."""

import asyncio
import inspect
import os
from collections.abc import Awaitable

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=100, deadline=None, database=None)
settings.register_profile("ci", settings.get_profile("quick"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "quick")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that is a coroutine gets an event loop of its own, with its fixtures as usual."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}
    asyncio.run(_leaving_nothing(pyfuncitem.obj(**arguments)))
    return True


async def _leaving_nothing(test: Awaitable[None]) -> None:
    await test
    await asyncio.sleep(0)  # what was cancelled on closing gets its turn to end
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"the test left tasks running: {left}"
