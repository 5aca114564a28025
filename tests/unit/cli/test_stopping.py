"""Signals ask first."""

import asyncio
import os
import signal

import pytest

from lean_emulator.cli.stopping import StopSignals


async def nothing() -> None:
    return


async def fails() -> None:
    raise LookupError("as it should")


async def test_work_that_ends_by_itself() -> None:
    with StopSignals() as stop:
        assert await stop.before(nothing()) is True


async def test_an_error_of_the_work_comes_through() -> None:
    with StopSignals() as stop, pytest.raises(LookupError):
        await stop.before(fails())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_cancels_the_work(number: signal.Signals) -> None:
    cancelled = asyncio.Event()

    async def endless() -> None:
        os.kill(os.getpid(), number)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with StopSignals() as stop:
        assert await stop.before(endless()) is False
        assert stop.asked.is_set()
    assert cancelled.is_set()


async def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with StopSignals():
        assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] != before
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


async def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
