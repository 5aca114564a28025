"""Hooks that belong to no write: of accounts, of Insight jobs, of messages (engine.md 2.8–2.11, 6).

Names on the wire and in metadata, and where older engines look for the signed mark (engine.md 3.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lean_emulator.base.jsontext import Json

Group = Literal["account", "insight", "message"]


@dataclass(frozen=True, slots=True)
class SpecialHook:
    """One of them.

    ``word`` is what people call it (``onLogin``, ``_messageReceived``), ``of`` what it is about
    (``_User``, ``sms``), ``None`` where the word says it all. ``blocking`` hooks are waited for.
    """

    group: Group
    word: str
    of: str | None
    metadata_name: str
    path: str
    blocking: bool
    marked_object: bool = False
    """The mark of old engines stands in ``object``, not beside it."""

    @property
    def title(self) -> str:
        """How traces and loop errors call it: ``onLogin _User``."""
        return self.word if self.of is None else f"{self.word} {self.of}"

    def signed(self, payload: Mapping[str, Json], mark: str) -> dict[str, Json]:
        """The payload with the mark that engines before the hook key want."""
        held = payload.get("object")
        if self.marked_object and isinstance(held, Mapping):
            return {**payload, "object": {**held, "__sign": mark}}
        return {**payload, "__sign": mark}


ON_LOGIN = SpecialHook(
    "account", "onLogin", "_User", "__on_login__User", "/1.1/functions/_User/onLogin", True, True
)
ON_AUTH_DATA = SpecialHook(
    "account",
    "onAuthData",
    "_User",
    "__on_authdata__User",
    "/1.1/functions/_User/onAuthData",
    True,
)
ON_VERIFIED: Mapping[str, SpecialHook] = {
    channel: SpecialHook(
        "account",
        "onVerified",
        channel,
        f"__on_verified_{channel}",
        f"/1.1/functions/onVerified/{channel}",
        False,
        True,
    )
    for channel in ("sms", "email")
}
ON_COMPLETE = SpecialHook(
    "insight",
    "onComplete",
    "BigQuery",
    "__on_complete_bigquery_job",
    "/1.1/functions/BigQuery/onComplete",
    False,
)
ACCOUNT_HOOKS = (ON_LOGIN, ON_AUTH_DATA, *ON_VERIFIED.values())
