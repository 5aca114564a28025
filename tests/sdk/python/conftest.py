"""The official Python SDK as client of a real ``lean-emu up``, with the SDK as cloud code too.

These tests run in an environment of their own that holds pytest and ``leancloud`` but not lean-emu:
``LEAN_EMU`` names the program to start, and the interpreter of the tests also runs the cloud code.
"""

from collections.abc import Iterator

import pytest
from emu_process import Emulator, copied, point_sdk_at

pytest.register_assert_rewrite("both_engines")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(copied("reviews", tmp_path_factory.mktemp("shared")))
    yield emulator
    emulator.stop()


@pytest.fixture
def emu(shared: Emulator) -> Emulator:
    """The shared emulator, its traces forgotten, the SDK of this process pointed at it."""
    point_sdk_at(shared)
    shared.forget()
    return shared
