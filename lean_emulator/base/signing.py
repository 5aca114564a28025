"""Signatures of requests and hook marks (engine.md 2.4, 3.2; storage.md 1.2)."""

import hashlib
import hmac


def same_secret(given: str, expected: str) -> bool:
    """Constant-time comparison; an empty expected secret never matches.

    Headers that are no UTF-8 arrive with escaped bytes in them; those never match either.
    """
    return bool(expected) and hmac.compare_digest(
        given.encode("utf-8", "surrogateescape"), expected.encode("utf-8", "surrogateescape")
    )


def request_sign(key: str, timestamp: str) -> str:
    """The hex part of ``X-LC-Sign``: MD5 over the timestamp's text and the key."""
    return hashlib.md5(f"{timestamp}{key}".encode(), usedforsecurity=False).hexdigest()


def hook_mark(master_key: str, name: str, at_ms: int) -> str:
    """``<ms>,<hex>``: proof for engines that predate the hook key."""
    text = hmac.new(master_key.encode(), f"{name}:{at_ms}".encode(), hashlib.sha1).hexdigest()
    return f"{at_ms},{text}"


def verify_hook_mark(master_key: str, names: tuple[str, ...], mark: object, now_ms: int) -> bool:
    """Whether ``mark`` was made with the master key for one of ``names``.

    Like the engines, it refuses only marks from more than ten hours ahead.
    """
    if not isinstance(mark, str):
        return False
    timestamp, _, _ = mark.partition(",")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 16):
        return False
    if int(timestamp) > now_ms + 36_000_000:
        return False
    return any(same_secret(mark, hook_mark(master_key, name, int(timestamp))) for name in names)
