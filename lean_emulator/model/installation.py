"""What a device may say of itself when it registers for pushes (storage.md 9.1)."""

import re
from collections.abc import Container, Iterable

from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.values import Document

_TOKEN = re.compile(r"[!-~]{1,4096}")
_CHANNEL = re.compile("[A-Za-z0-9_=\\-\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]*")


def check_installation(document: Document, written: Container[str]) -> None:
    """Raise 114 for a bad deviceToken and 112 for a bad name of a channel, if they are written."""
    if "deviceToken" in written and "deviceToken" in document:
        token = document["deviceToken"]
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise ApiError(114, "Invalid device token.")
    channels = document.get("channels")
    if "channels" in written and isinstance(channels, list):
        check_channels(channels)


def check_channels(channels: Iterable[Json]) -> None:
    """Raise 112 unless all are names of channels; the empty one is that of everybody."""
    for name in channels:
        if not isinstance(name, str) or not _CHANNEL.fullmatch(name):
            raise ApiError(
                112,
                f"Invalid channel name: {name!r}. A channel name is either an empty string (the "
                "broadcast channel) or contains only a-zA-Z0-9_=, '-' or chinese characters.",
            )
