"""What the process of the tests is pointed at, and what it was pointed at before."""

import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from lean_emulator.keys import Keys
from lean_emulator.testing.sdk import Pointer

KEYS = Keys("id", "key", "master", "hook")


class Session:
    closed = False

    def close(self) -> None:
        self.closed = True


class User:
    current: Any = "somebody"

    @classmethod
    def set_current(cls, user: Any) -> None:
        cls.current = user

    @classmethod
    def become(cls, token: str) -> None:
        cls.current = f"user of {token}"


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The official SDK as far as it is touched, initialised for production."""
    client = SimpleNamespace(
        APP_ID="p", APP_KEY="p-key", MASTER_KEY="p-master", HOOK_KEY="p-hook",
        USE_MASTER_KEY=True, session=Session(),
    )  # fmt: skip

    def init(app_id: str, app_key: str, master_key: str) -> None:
        client.APP_ID, client.APP_KEY, client.MASTER_KEY = app_id, app_key, master_key
        client.HOOK_KEY = os.environ.get("LEANCLOUD_APP_HOOK_KEY")

    def use_master_key(flag: bool) -> None:
        client.USE_MASTER_KEY = flag

    fake = SimpleNamespace(client=client, User=User, init=init, use_master_key=use_master_key)
    monkeypatch.setitem(sys.modules, "leancloud", fake)
    return fake


def test_the_sdk_acts_as_nobody_until_it_is_given_back(
    sdk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEANCLOUD_APP_ID", "before")
    monkeypatch.setenv("NO_PROXY", "example.com")
    monkeypatch.delenv("LEANCLOUD_APP_HOOK_KEY", raising=False)
    variables = {"LEANCLOUD_APP_ID": "id", "LEANCLOUD_APP_HOOK_KEY": "hook"}
    pointer = Pointer(KEYS, variables)
    for _ in range(2):  # each reset points it again
        pointer.point()
        assert (sdk.client.APP_ID, sdk.client.APP_KEY, sdk.client.MASTER_KEY) == KEYS_GIVEN
        assert (sdk.client.HOOK_KEY, sdk.client.USE_MASTER_KEY) == (None, False)
        assert User.current is None
        assert os.environ["LEANCLOUD_APP_ID"] == "id"
        assert os.environ["NO_PROXY"] == "example.com,127.0.0.1,localhost"
        pointer.become("t")
        assert User.current == "user of t"
    pointer.take_back()
    assert (sdk.client.APP_ID, sdk.client.HOOK_KEY, sdk.client.USE_MASTER_KEY) == (
        "p",
        "p-hook",
        True,
    )
    assert sdk.client.session.closed
    assert User.current is None
    assert os.environ["LEANCLOUD_APP_ID"] == "before"
    assert "LEANCLOUD_APP_HOOK_KEY" not in os.environ
    assert os.environ["NO_PROXY"] == "example.com"


KEYS_GIVEN = ("id", "key", "master")


def test_another_module_of_that_name_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    other = SimpleNamespace(client="untouched")
    monkeypatch.setitem(sys.modules, "leancloud", other)
    pointer = Pointer(KEYS, {"LEANCLOUD_APP_ID": "id"})
    pointer.point()
    pointer.become("t")
    pointer.take_back()
    assert other.client == "untouched"
