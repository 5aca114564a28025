"""Who is asking: credentials from headers or from a simple request's body (storage.md 1.2, 1.3)."""

from collections.abc import Awaitable, Callable, Mapping

from lean_emulator.base import errors
from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.base.record import record
from lean_emulator.base.signing import request_sign, same_secret
from lean_emulator.model.access import Principal
from lean_emulator.service.engine import Credentials

FindUser = Callable[[str], Awaitable[dict[str, Json] | None]]
"""The user a session token belongs to, ``None`` for a dead one."""

_ID = ("X-LC-Id", "X-AVOSCloud-Application-Id", "X-Uluru-Application-Id")
_KEY = ("X-LC-Key", "X-AVOSCloud-Application-Key", "X-Uluru-Application-Key")
_MASTER = ("X-AVOSCloud-Master-Key", "X-AVOSCloud-Super-Key", "X-Uluru-Master-Key")
_SIGN = ("X-LC-Sign", "X-AVOSCloud-Request-Sign")
_SESSION = ("X-LC-Session", "X-AVOSCloud-Session-Token", "X-Uluru-Session-Token")
_PROD = (
    "X-LC-Prod",
    "X-AVOSCloud-Application-Production",
    "X-Uluru-Application-Production",
)
HOOK_KEY = "X-LC-Hook-Key"
SESSION_HEADERS = frozenset(name.lower() for name in _SESSION)
"""Headers a session token may come in, in lower case."""


@record
class Claims:
    """What a request says of itself, wherever it said it; ``None`` where it said nothing."""

    app_id: str | None
    key: str | None
    master_key: str | None
    sign: str | None
    session: str | None
    hook_key: str | None
    prod: str | None

    def over(self, others: "Claims") -> "Claims":
        """These, and where they say nothing the others; a right claimed here stands alone."""
        rights = self if self.key or self.master_key else others
        return Claims(
            self.app_id or others.app_id,
            rights.key,
            rights.master_key,
            rights.sign,
            self.session or others.session,
            self.hook_key or others.hook_key,
            self.prod or others.prod,
        )


def claims_in(headers: Mapping[str, str], params: Mapping[str, Json]) -> Claims:
    """Credentials in headers, any of their spellings; a session may also stand in the URL."""
    session = _first(headers, _SESSION)
    if session is None and isinstance(token := params.get("session_token"), str):
        session = token
    return Claims(
        _first(headers, _ID),
        _first(headers, _KEY),
        _first(headers, _MASTER),
        _first(headers, _SIGN),
        session,
        headers.get(HOOK_KEY),
        _first(headers, _PROD),
    )


def claims_in_body(body: Mapping[str, Json]) -> Claims:
    """Credentials among the members of a ``text/plain`` body."""

    def member(name: str) -> str | None:
        value = body.get(name)
        return None if value is None else str(value)

    return Claims(
        member("_ApplicationId"),
        member("_ApplicationKey"),
        member("_MasterKey"),
        None,
        member("_SessionToken"),
        None,
        member("_ApplicationProduction"),
    )


def is_production(claims: Claims) -> bool:
    """``0`` and ``false`` mean staging, everything else production."""
    return claims.prod not in ("0", "false")


async def authenticate(
    claims: Claims, keys: Credentials, find_user: FindUser, *, native_signs: bool = False
) -> Principal:
    """The principal behind the claims.

    ``native_signs`` believes signatures that nobody can check (``ax-sig-1`` of Android).

    Raises 401 when neither key nor signature is right. A session token that belongs to nobody
    counts as not signed in.
    """
    is_master = _rights(claims, keys)
    if is_master is None and native_signs and _is_native(claims, keys):
        is_master = False
    if is_master is None:
        raise errors.UNAUTHORIZED(hint=_what_is_wrong(claims, keys))
    user = await find_user(claims.session) if claims.session else None
    from_engine = claims.hook_key is not None and same_secret(claims.hook_key, keys.hook_key)
    kind = "master" if is_master else "anonymous" if user is None else "user"
    return Principal(kind, user, from_engine=from_engine)  # type: ignore[arg-type]  # mypy widens the conditional to str


def _what_is_wrong(claims: Claims, keys: Credentials) -> Hint:
    """Which credential it was, for trace and console; what was given is never repeated."""
    if claims.app_id is None:
        return Hint(
            "The request has no X-LC-Id. `lean-emu env` prints the id and the keys.",
            "请求没有 X-LC-Id。用 `lean-emu env` 查看 id 与 key。",
        )
    if not same_secret(claims.app_id, keys.app_id):
        return Hint(
            f"X-LC-Id is that of another application; here it is {keys.app_id} (`lean-emu env`).",
            f"X-LC-Id 属于另一个应用；此处为 {keys.app_id}（`lean-emu env`）。",
        )
    if claims.key is None and claims.master_key is None and claims.sign is None:
        return Hint(
            "The id is right, but there is no X-LC-Key or X-LC-Sign (`lean-emu env`).",
            "id 正确，但缺少 X-LC-Key 或 X-LC-Sign（`lean-emu env`）。",
        )
    return Hint(
        "The id is right, the key or signature is not one of this project (`lean-emu env`).",
        "id 正确，但 key 或签名不属于此项目（`lean-emu env`）。",
    )


def _is_native(claims: Claims, keys: Credentials) -> bool:
    """Whether the signature was made with a key that the Java SDK hides in native code."""
    if claims.app_id is None or claims.sign is None or claims.key is not None:
        return False
    parts = [part.strip() for part in claims.sign.split(",")]
    return same_secret(claims.app_id, keys.app_id) and len(parts) == 3 and parts[2] == "ax-sig-1"


def _rights(claims: Claims, keys: Credentials) -> bool | None:
    """``True`` for master rights, ``False`` for a client's, ``None`` for none."""
    if claims.app_id is None or not same_secret(claims.app_id, keys.app_id):
        return None
    if claims.master_key is not None:
        if same_secret(claims.master_key, keys.master_key):
            return True
        if claims.key is None:
            return None
    if claims.key is not None:
        return _key_rights(claims.key, keys)
    return _sign_rights(claims.sign, keys) if claims.sign is not None else None


def _key_rights(key: str, keys: Credentials) -> bool | None:
    text, comma, kind = key.partition(",")
    if same_secret(text, keys.master_key) and (not comma or kind.strip() == "master"):
        return True
    return False if not comma and same_secret(text, keys.app_key) else None


def _sign_rights(sign: str, keys: Credentials) -> bool | None:
    given, *rest = (part.strip() for part in sign.split(","))
    if not rest:
        return None
    master = rest[1:] == ["master"]
    if len(rest) > 1 and not master:
        return None
    key = keys.master_key if master else keys.app_key
    return master if same_secret(given.lower(), request_sign(key, rest[0])) else None


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = headers.get(name)
        if value is not None:
            return value
    return None
