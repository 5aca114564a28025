"""Every error the emulator answers with.

::

    LeanEmuError              anything we say on purpose; carries a hint
    ├── ApiError              code, text and HTTP status that a client receives
    │   ├── HookRejected      a before hook said no (142)
    │   ├── HookLoop          hooks that caused each other too deep (431)
    │   ├── TimedOut          a budget is spent (124, HTTP 503)
    │   ├── DuplicateValue    a unique index is taken (137)
    │   ├── NoEffect          a conditional write did not match (305)
    │   ├── InvalidQuery      a where, order or key list that means nothing
    │   ├── NotBuilt          known to the protocol, not to us yet (HTTP 501)
    │   ├── CodeDidNotLoad    cloud.py is broken
    │   └── EngineGone        the user's process cannot be reached
    └── StartError            something ``up`` needs is missing; never reaches a client

Codes and texts are those of storage.md section 11 and engine.md section 4.6. A constant below is
called to make an error: ``raise errors.OBJECT_NOT_FOUND()``; a text replaces the usual one.
"""

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar


class Hint(NamedTuple):
    """What to do next, for terminal and console; never sent to API clients."""

    en: str
    zh: str


class LeanEmuError(Exception):
    """Base of all errors we raise on purpose."""

    def __init__(self, message: str, *, hint: Hint | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class StartError(LeanEmuError):
    """Start-up cannot go on: a busy port, a missing folder, an unreadable settings file."""


class ApiError(LeanEmuError):
    """An answer with ``{"code", "error"}`` and an HTTP status."""

    def __init__(
        self, code: int, message: str, status: int = 400, *, hint: Hint | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.status = status

    def to_wire(self) -> dict[str, Any]:
        return {"code": self.code, "error": self.message}


class HookRejected(ApiError):
    """A before hook refused the write."""


class HookLoop(ApiError):
    """Hooks have caused each other deeper than the limit."""


class TimedOut(ApiError):
    """The budget of the call is spent."""


class DuplicateValue(ApiError):
    """A unique index already holds the value; ``field`` is the column."""

    field = ""


class NoEffect(ApiError):
    """A conditional update or delete matched nothing."""


class InvalidQuery(ApiError):
    """A query that cannot be read."""


class NotBuilt(ApiError):
    """Part of the protocol, not built yet."""


class CodeDidNotLoad(ApiError):
    """The user's code failed while loading."""


class EngineGone(ApiError):
    """The user's process is not there or broke off."""


E = TypeVar("E", bound=ApiError)


@dataclass(frozen=True, slots=True)
class Kind(Generic[E]):
    """A row of the catalogue; calling it makes the error."""

    code: int
    message: str
    status: int
    type: type[E]

    def __call__(self, message: str | None = None, *, hint: Hint | None = None) -> E:
        return self.type(self.code, message or self.message, self.status, hint=hint)


def _kind(code: int, message: str, status: int = 400) -> Kind[ApiError]:
    return Kind(code, message, status, ApiError)


INTERNAL = _kind(1, "Internal server error.", 500)
INVALID_REQUEST = _kind(1, "The request is not valid.")
MASTER_ONLY = _kind(1, "The request must be signed by master key.")
OBJECT_NOT_FOUND = _kind(101, "Object not found.")
OBJECT_ABSENT = _kind(1, "Could not find object.")
CLASS_NOT_FOUND = _kind(101, "Class or object doesn't exists.", 404)
INVALID_CLASS_NAME = _kind(103, "Invalid class name.")
INVALID_OBJECT_ID = _kind(104, "The objectId is missing or not valid.")
INVALID_KEY = _kind(105, "Invalid key name.")
INVALID_POINTER = _kind(106, "Malformed pointer.")
INVALID_JSON = _kind(107, "Malformed JSON.")
WRONG_TYPE = _kind(111, "Invalid value type for field.")
REQUIRED_MISSING = _kind(113, "A required field is missing.")
TOO_LARGE_OBJECT = _kind(116, "The object is too large.")
READ_ONLY = _kind(117, "The field is read only.")
NOT_FOR_CLIENTS = _kind(119, "This operation is not allowed for clients.", 403)
INVALID_NESTED_KEY = _kind(121, "Invalid nested key: it contains '$' or '.'.")
INVALID_FILE_NAME = _kind(122, "Invalid file name.")
INVALID_ACL = _kind(123, "Malformed ACL.")
INVALID_RELATION = _kind(128, "Invalid relation data.")
OVER_LIMIT = _kind(154, "The application is over one of its limits.")
INVALID_ROLE_NAME = _kind(139, "Invalid role name.")
ENGINE_TIMEOUT = _kind(141, "LeanEngine request timeout.")
ENGINE_ERROR = _kind(141, "Cloud Code script had an error.", 500)
USER_NOT_FOUND = _kind(211, "Could not find user.")
INVALID_CQL = _kind(300, "CQL syntax error.")
GEO_OUT_OF_RANGE = _kind(302, "GeoPoint latitude or longitude is out of range.")
DATABASE_ERROR = _kind(304, "Database operation error.")
UNAUTHORIZED = _kind(401, "Unauthorized.", 401)
FORBIDDEN = _kind(403, "Forbidden.", 403)
ROUTE_NOT_FOUND = _kind(404, "Not found.", 404)
TOO_LARGE_BODY = _kind(413, "The request body is too large.", 413)
UNAVAILABLE = _kind(503, "The engine is not ready.", 503)

HOOK_REJECTED = Kind(142, "Cloud Code validation failed.", 400, HookRejected)
HOOK_LOOP = Kind(431, "LeanEngine hooks rate limit exceeded.", 431, HookLoop)
TIMED_OUT = Kind(124, "The request timed out on the server.", 503, TimedOut)
DUPLICATE_VALUE = Kind(
    137, "A unique field was given a value that is already taken.", 400, DuplicateValue
)
NO_EFFECT = Kind(305, "No effect on updating/deleting a document.", 400, NoEffect)
UNKNOWN_QUERY_KEY = _kind(700, "The query names a column that the class does not have.")
INVALID_QUERY = Kind(1, "The query is not valid.", 400, InvalidQuery)
PATTERN_TOO_SLOW = Kind(102, "A pattern takes too long.", 400, InvalidQuery)
NOT_BUILT = Kind(1, "lean-emu does not have this yet.", 501, NotBuilt)
CODE_DID_NOT_LOAD = Kind(141, "The cloud code did not load.", 500, CodeDidNotLoad)
ENGINE_GONE = Kind(1, "Application not found", 502, EngineGone)
