"""Points whatever runs in this process, the official Python SDK among it, at one emulator."""

import contextlib
import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from lean_emulator.keys import Keys

_GLOBALS = ("APP_ID", "APP_KEY", "MASTER_KEY", "HOOK_KEY", "USE_MASTER_KEY")
_NEVER_PROXIED = "127.0.0.1,localhost"


class Pointer:
    """Sets the environment and the SDK until ``take_back``."""

    def __init__(self, keys: Keys, variables: Mapping[str, str]) -> None:
        """``variables`` are those by which SDKs find their server."""
        self._keys = keys
        listed = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
        around = f"{listed},{_NEVER_PROXIED}".lstrip(",")
        self._variables = {**variables, "NO_PROXY": around, "no_proxy": around}
        self._before = {name: os.environ.get(name) for name in self._variables}
        self._client_before: dict[str, Any] = {}
        self._sdk: Any = None

    def point(self) -> None:
        """Act with the app key, as nobody."""
        os.environ.update(self._variables)
        self._sdk = self._sdk or _leancloud()
        if self._sdk is None:
            return
        client = self._sdk.client
        self._client_before = self._client_before or {n: getattr(client, n) for n in _GLOBALS}
        keys = self._keys
        self._sdk.init(keys.app_id, app_key=keys.app_key, master_key=keys.master_key)
        client.HOOK_KEY = None  # with it every request would count as one of the project's code
        self._sdk.use_master_key(False)
        self._sdk.User.set_current(None)

    def become(self, session_token: str | None) -> None:
        """Have the SDK act as a user, in this thread; ``None`` is nobody."""
        if self._sdk is None:
            return
        if session_token is None:
            self._sdk.User.set_current(None)
        else:
            self._sdk.User.become(session_token)

    def take_back(self) -> None:
        """Leave everything as it was."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if self._sdk is not None:
            self._sdk.User.set_current(None)
            for name, value in self._client_before.items():
                setattr(self._sdk.client, name, value)
            self._sdk.client.session.close()


def _leancloud() -> Any:
    """The SDK; ``None`` where it is not installed or cannot be imported."""
    sdk = sys.modules.get("leancloud")
    if sdk is None and importlib.util.find_spec("leancloud") is not None:
        with warnings.catch_warnings(), contextlib.suppress(ImportError):
            warnings.simplefilter("ignore")  # those of the SDK are none of the tests' business
            sdk = importlib.import_module("leancloud")
    return sdk if hasattr(sdk, "use_master_key") and hasattr(sdk, "User") else None
