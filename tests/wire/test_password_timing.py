"""What a log-in's time tells a stranger (nothing), and others who wait meanwhile (nobody does)."""

import asyncio
import bisect
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError
from lean_emulator.model.access import ANONYMOUS
from lean_emulator.service import passwords
from lean_emulator.service.call import Call
from tests.support.accounts import BOB, signed_up
from tests.support.api import Api, running_api

ROUNDS = 150


async def took(attempt: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await attempt()
    return time.perf_counter() - began


def chance_of_longer(ones: list[float], others: list[float]) -> float:
    """How probable it is that one of the first takes longer than one of the second: 0.5 when both
    come from one distribution, 0 or 1 when they never overlap (Mann and Whitney's U).
    """
    ranked = sorted(others)
    longer = sum(
        (bisect.bisect_left(ranked, one) + bisect.bisect_right(ranked, one)) / 2 for one in ones
    )
    return longer / (len(ones) * len(others))


async def measured(
    api: Api, one: Callable[[], Awaitable[object]], other: Callable[[], Awaitable[object]]
) -> float:
    """Both in turns, so that whatever else the machine does falls on both alike."""
    ones: list[float] = []
    others: list[float] = []
    for number in range(ROUNDS):
        pair = [(ones, one), (others, other)]
        for times, attempt in pair if number % 2 else reversed(pair):
            times.append(await took(attempt))
        api.emulator.accounts.clear()  # nobody gets locked
    return chance_of_longer(ones, others)


@pytest.mark.parametrize("name", ["username", "email", "mobilePhoneNumber"])
async def test_unknown_users_take_as_long_as_known_ones(name: str, tmp_path: Path) -> None:
    known = {"username": "bob", "email": "bob@example.com", "mobilePhoneNumber": "+8613800000000"}
    unknown = {"username": "eve", "email": "eve@example.com", "mobilePhoneNumber": "+8613900000000"}
    async with running_api(project=tmp_path) as api:
        user = await signed_up(api, {**BOB, **known})
        call = Call(ANONYMOUS, Deadline.never(api.clock), None)

        async def attempt(value: str) -> None:
            with pytest.raises(ApiError):
                await api.emulator.users.log_in(call, name, value, "wrong")

        async def by_name_alone() -> None:
            await api.emulator.users.named(user["objectId"])

        # five standard deviations of 150 against 150 are 0.17
        even = []
        for _ in range(3):  # a difference shows each time, a busy machine does not
            even.append(
                await measured(api, lambda: attempt(unknown[name]), lambda: attempt(known[name]))
            )
            if 0.33 < even[-1] < 0.67:
                break
        else:
            raise AssertionError(even)
        # a check that looks no password up would stand out
        uneven = await measured(api, by_name_alone, lambda: attempt(known[name]))
        assert uneven < 0.1


async def test_nobody_waits_for_a_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started, release = threading.Event(), threading.Event()
    usual = passwords.password_hash

    def slow(salt: str, password: str) -> str:
        started.set()
        assert release.wait(20)
        return usual(salt, password)

    async with running_api(project=tmp_path) as api:
        await signed_up(api, BOB)
        monkeypatch.setattr(passwords, "password_hash", slow)
        login = asyncio.create_task(api("POST", "/1.1/login", BOB))
        try:
            async with asyncio.timeout(10):
                assert await asyncio.to_thread(started.wait, 10)
                assert (await api("GET", "/1.1/date")).status == 200
            assert not login.done()
        finally:
            release.set()
        assert (await login).status == 200
