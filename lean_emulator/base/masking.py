"""Secrets stay out of what people and files get to see."""

import json
from collections.abc import Iterable, Mapping
from urllib.parse import unquote_plus

from lean_emulator.base.jsontext import Json

_SECRET_KEYS = frozenset(
    {
        "password", "old_password", "new_password", "salt", "sessiontoken", "session_token",
        "_sessiontoken", "_masterkey", "_applicationkey", "access_token", "smscode",
    }
)  # fmt: skip
_SECRET_HEADERS = frozenset(
    {
        "x-lc-key", "x-lc-sign", "x-lc-session", "x-lc-hook-key", "x-avoscloud-application-key",
        "x-avoscloud-master-key", "x-avoscloud-super-key", "x-avoscloud-request-sign",
        "x-avoscloud-session-token", "x-uluru-application-key", "x-uluru-master-key",
        "x-uluru-session-token", "authorization", "cookie", "set-cookie",
    }
)  # fmt: skip


def masked(secret: str) -> str:
    """Dots, and the last four characters of what is long enough to keep its secret."""
    return "••••" + (secret[-4:] if len(secret) >= 12 else "")


class Mask:
    """Replaces the instance's own keys wherever they stand, and known secret members by name."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(s for s in secrets if len(s) >= 8)

    def text(self, text: str) -> str:
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, masked(secret))
        return text

    def query(self, text: str) -> str:
        """A URL's query: members by name, and what is JSON in it as ``json`` would."""
        return "&".join(self._member(part) for part in text.split("&")) if text else text

    def _member(self, part: str) -> str:
        name, equals, value = part.partition("=")
        plain = unquote_plus(value)
        if unquote_plus(name).lower() in _SECRET_KEYS:
            return f"{name}={masked(plain)}"
        if plain[:1] in ("{", "["):
            try:
                return f"{name}={json.dumps(self.json(json.loads(plain)), ensure_ascii=False)}"
            except ValueError:
                return self.text(f"{name}={plain}")
        return self.text(f"{name}{equals}{plain}")

    def json(self, value: Json, depth: int = 0) -> Json:
        """A copy that is safe to show; nesting beyond 100 levels is cut."""
        if isinstance(value, str):
            return self.text(value)
        if depth > 100:
            return "…"
        if isinstance(value, Mapping):
            return {
                self.text(key): (
                    masked(item if isinstance(item, str) else "")
                    if key.lower() in _SECRET_KEYS and _is_scalar(item)
                    else self.json(item, depth + 1)
                )
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.json(item, depth + 1) for item in value]
        return value

    def headers(self, headers: Mapping[str, str]) -> dict[str, Json]:
        return {
            name: masked(value) if name.lower() in _SECRET_HEADERS else self.text(value)
            for name, value in headers.items()
        }


def _is_scalar(value: Json) -> bool:
    """Whether a value could be a secret itself; flags and what holds others are none."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)
