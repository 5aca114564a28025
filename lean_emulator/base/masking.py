"""Secrets stay out of what people and files get to see."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, unquote_plus

from lean_emulator.base.jsontext import Json

_SECRET_KEYS = frozenset(
    {
        "password", "old_password", "new_password", "salt", "sessiontoken", "session_token",
        "_sessiontoken", "_masterkey", "_applicationkey", "access_token", "smscode",
        "validate_token",
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
_CODE_PATHS = frozenset({"verifySmsCode", "verifyMobilePhone", "resetPasswordBySmsCode"})
"""Endpoints whose path ends with a code."""
_CODE_IN_PATH = re.compile(rf"\b({'|'.join(_CODE_PATHS)})/[^/?\s\"']+")
UPLOAD_TOKEN = "upload-"  # noqa: S105 - how tokens begin, not one of them
"""What tokens of uploads begin with, so that they can be told from other texts."""
_UPLOAD_TOKENS = re.compile(rf"\b{UPLOAD_TOKEN}[0-9a-z]+")
_SECRET_NAMES = re.compile(rf"\b(?:{'|'.join(_SECRET_KEYS)})\b", re.IGNORECASE)
_LITERALS = re.compile(r"""'(?:[^'\\]|\\.)*(?:'|\Z)|"(?:[^"\\]|\\.)*(?:"|\Z)""", re.S)
_CQL_ERROR = "CQL syntax error."
"""How texts begin that quote a statement."""


def masked(secret: str) -> str:
    """Dots, and the last four characters of what is long enough to keep its secret."""
    return "••••" + (secret[-4:] if len(secret) >= 12 else "")


def shown_path(path: str, segments: Sequence[str]) -> str:
    """A request's path; the code that some end with is left out of it.

    ``segments`` are those after the version.
    """
    if len(segments) == 2 and segments[0] in _CODE_PATHS:
        return f"/1.1/{segments[0]}/{masked('')}"
    return path


class Mask:
    """Replaces the instance's own keys wherever they stand, and known secret members by name."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(s for s in secrets if len(s) >= 8)

    def text(self, text: str) -> str:
        if text.startswith(_CQL_ERROR):
            text = _shown_statement(text)
        if "SmsCode/" in text or "verifyMobilePhone/" in text:
            text = _CODE_IN_PATH.sub(rf"\1/{masked('')}", text)
        if UPLOAD_TOKEN in text:
            text = _UPLOAD_TOKENS.sub(lambda found: masked(found[0]), text)
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, masked(secret))
        return text

    def query(self, text: str) -> str:
        """A URL's query: members by name, and what is JSON in it as ``json`` would."""
        secret_names = _SECRET_KEYS
        if _names_secret(dict(parse_qsl(text)).get("cql")):
            secret_names |= {"pvalues"}
        return "&".join(self._member(part, secret_names) for part in text.split("&"))

    def _member(self, part: str, secret_names: frozenset[str]) -> str:
        encoded, equals, value = part.partition("=")
        name, plain = unquote_plus(encoded), unquote_plus(value)
        if name.lower() in secret_names:
            return f"{encoded}={masked(plain if name != 'pvalues' else '')}"
        if name == "cql":
            return self.text(f"cql={_shown_statement(plain)}")
        if plain[:1] in ("{", "["):
            try:
                return f"{encoded}={json.dumps(self.json(json.loads(plain)), ensure_ascii=False)}"
            except ValueError:
                return self.text(f"{encoded}={plain}")
        return self.text(f"{encoded}{equals}{plain}")

    def json(self, value: Json, depth: int = 0) -> Json:
        """A copy that is safe to show; nesting beyond 100 levels is cut."""
        if isinstance(value, str):
            return self.text(value)
        if depth > 100:
            return "…"
        if isinstance(value, Mapping):
            if _names_secret(value.get("cql")):
                hidden = {"cql": _shown_statement(str(value["cql"])), "pvalues": masked("")}
                value = {**value, **{name: hidden[name] for name in hidden if name in value}}
            if "mobilePhoneNumber" in value and isinstance(value.get("code"), str):
                value = {**value, "code": masked("")}
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


def _shown_statement(cql: str) -> str:
    """A CQL text, or one that quotes it, without its literals where it names what is secret."""
    return _LITERALS.sub("'••••'", cql) if _SECRET_NAMES.search(cql) else cql


def _names_secret(cql: object) -> bool:
    return isinstance(cql, str) and _SECRET_NAMES.search(cql) is not None


def _is_scalar(value: Json) -> bool:
    """Whether a value could be a secret itself; flags and what holds others are none."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)
