"""Accounts of other platforms: how authData names a person, and what a change of it means.

Source: storage.md 6.6. authData is ``{platform: {uid, access_token, …}}``; the member that names
the person is the first present of ``uid``, ``openid`` and ``id``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.document import without
from lean_emulator.model.operations import Operation, Set, Unset, Write
from lean_emulator.model.values import Missing

AuthData: TypeAlias = dict[str, Json]

ANONYMOUS_PLATFORM = "anonymous"
_UID_KEYS = ("uid", "openid", "id")
_WRONG_NAME = frozenset(".$")


@dataclass(frozen=True, slots=True)
class Identity:
    """A person on a platform: the value at ``path`` in a user."""

    platform: str
    key: str
    value: str | int

    @property
    def path(self) -> str:
        return f"authData.{self.platform}.{self.key}"


def check_auth_data(raw: Json) -> AuthData:
    """Accounts as a client sends them. Raises code 250 for one without uid, 111 for no map."""
    if not isinstance(raw, dict):
        raise errors.WRONG_TYPE("authData must be an object of platforms.")
    for platform, entry in raw.items():
        if not platform or _WRONG_NAME & set(platform):
            raise errors.INVALID_NESTED_KEY(f"'{platform}' is no name of a platform.")
        if not isinstance(entry, dict):
            raise errors.WRONG_TYPE(f"authData of '{platform}' must be an object.")
        own_identity(platform, entry)
    return raw


def own_identity(platform: str, entry: Mapping[str, Json]) -> Identity:
    """Whom an account's own uid names. Raises code 250 where there is none."""
    found = _named_by(platform, entry)
    if found is None:
        raise ApiError(250, f"The authData of '{platform}' has no uid, openid or id.")
    return found


def _named_by(platform: str, entry: Mapping[str, Json]) -> Identity | None:
    for key in _UID_KEYS:
        value = entry.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return Identity(platform, key, value)
    return None


def union_identity(entry: Mapping[str, Json]) -> Identity | None:
    """Whom the union id of an account names, across the apps of a platform."""
    platform, unionid = entry.get("platform"), entry.get("unionid")
    if isinstance(platform, str) and isinstance(unionid, str) and platform and unionid:
        return Identity(f"_{platform}_unionid", "uid", unionid)
    return None


def is_main(entry: Mapping[str, Json]) -> bool:
    """Whether the account's union id becomes a way to log in."""
    main = entry.get("main_account")
    return main is True or main == "true"


def with_union_ids(auth_data: Mapping[str, Json]) -> AuthData:
    """The accounts, with the entry that the server adds for each main account."""
    added: AuthData = {}
    for entry in auth_data.values():
        union = union_identity(entry) if isinstance(entry, dict) and is_main(entry) else None
        if union is not None:
            added[union.platform] = {union.key: union.value}
    return {**auth_data, **added}


def login_identities(auth_data: Mapping[str, Json]) -> Iterator[Identity]:
    """By whom authData may log in, in the order to look for them.

    An account that is not the main one goes by its union id first, a main one by its own uid.
    """
    for platform, entry in auth_data.items():
        if not isinstance(entry, dict):
            continue
        own, union = own_identity(platform, entry), union_identity(entry)
        if union is None:
            yield own
        elif is_main(entry):
            yield from (own, union)
        else:
            yield from (union, own)


def held_identities(auth_data: Mapping[str, Json]) -> Iterator[Identity]:
    """Who a user with this authData is: none of them may belong to another user.

    Stored accounts that name nobody, as an import may bring them, are passed over.
    """
    for platform, entry in auth_data.items():
        found = _named_by(platform, entry) if isinstance(entry, dict) else None
        if found is not None:
            yield found


@dataclass(frozen=True, slots=True)
class AuthChange:
    """What an update of a user does to its authData."""

    linked: AuthData
    unlinked: frozenset[str]
    rest: Write
    """The other operations, those deep inside of an account among them."""

    @classmethod
    def of(cls, write: Write) -> "AuthChange":
        """Take an update apart. Raises what ``check_auth_data`` raises."""
        linked: AuthData = {}
        unlinked: set[str] = set()
        rest: dict[str, Operation] = {}
        for path, operation in write.items():
            head, _, platform = path.partition(".")
            if head != "authData" or "." in platform:
                rest[path] = operation
                continue
            given = _entries(platform, operation)
            if given is None:
                rest[path] = operation
                continue
            unlinked |= {name for name, entry in given.items() if entry is None}
            linked |= {name: entry for name, entry in given.items() if entry is not None}
        return cls(check_auth_data(linked), frozenset(unlinked), rest)

    def write(self, linked: AuthData) -> dict[str, Operation]:
        """The operations to store, ``linked`` being what onAuthData made of it."""
        accounts = with_union_ids(linked)
        gone = self.unlinked - accounts.keys()
        if self._ends_anonymity(accounts):
            gone |= {ANONYMOUS_PLATFORM}
            accounts = without(accounts, gone)
        if not accounts and not gone:
            return {**self.rest}
        return {**self.rest, "authData": Link(accounts, gone)}

    def _ends_anonymity(self, accounts: AuthData) -> bool:
        """An anonymous user stops being one when an account, or a name and password, comes.

        SDKs send the accounts that were there together with the new one.
        """
        others = accounts.keys() - {ANONYMOUS_PLATFORM}
        return bool(others) or {"username", "password"} <= self.rest.keys()


@dataclass(frozen=True, slots=True)
class Link(Operation):
    """Put accounts into authData and take some out; the others stay."""

    accounts: AuthData
    gone: frozenset[str]

    def apply(self, old: Json | Missing) -> Json | Missing:
        if not self.accounts and not isinstance(old, dict):
            return old
        kept = old if isinstance(old, dict) else {}
        return {**without(kept, self.gone), **self.accounts}


def _entries(platform: str, operation: Operation) -> dict[str, Json] | None:
    """Accounts that one operation sets, ``None`` for those it removes; ``None`` for others."""
    if platform:
        if isinstance(operation, Unset):
            return {platform: None}
        return {platform: operation.value} if isinstance(operation, Set) else None
    if isinstance(operation, Set) and isinstance(operation.value, dict):
        return dict(operation.value)
    if isinstance(operation, Set) and operation.value is None:
        return {}
    return None


def touches_auth_data(write: Write) -> bool:
    """Whether an update changes authData, or may end a user's anonymity."""
    return any(path.partition(".")[0] == "authData" for path in write) or (
        {"username", "password"} <= write.keys()
    )
