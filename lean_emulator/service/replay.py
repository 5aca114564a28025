"""What a recorded trace asked for, so that it can be asked again; with other values if one likes.

Works on spans as they are, secrets included: what is read here never leaves the program.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import Span


@dataclass(frozen=True, slots=True)
class Who:
    """Whom it was done for: an objectId, or nobody; ``master`` says whether with all rights."""

    user_id: str | None
    master: bool


@dataclass(frozen=True, slots=True)
class AgainRequest:
    """A request of the API; without ``headers`` it was made by hand, and needs credentials."""

    who: Who
    method: str
    target: str
    headers: Mapping[str, str] | None
    body: Json


@dataclass(frozen=True, slots=True)
class AgainFunction:
    """A function that the console called."""

    who: Who
    name: str
    params: Json
    rpc: bool


@dataclass(frozen=True, slots=True)
class AgainHook:
    """A hook that was called alone."""

    who: Who
    class_name: str
    hook: str
    object: Json
    updated_keys: Sequence[str]


Again: TypeAlias = AgainRequest | AgainFunction | AgainHook


def again(root: Span) -> Again:
    """What to do to have the same happen again. Raises code 1 with the reason why not."""
    if root.ended is None:
        raise _not("It is still running.", "它仍在运行。")
    detail = root.detail
    who = Who(_id_of(detail.get("user")), detail.get("identity") == "master")
    if root.kind == "request":
        return _request(detail, who)
    if root.kind == "function":
        return AgainFunction(who, detail["function"], detail.get("params"), bool(detail.get("rpc")))
    if root.kind == "hook":
        given = detail["before"] if "before" in detail else detail.get("params")
        keys = detail.get("updated_keys") or ()
        return AgainHook(who, detail["class_name"], detail["hook"], given, keys)
    raise _not(f"It is a {root.kind}, which nobody asked for.", f"它是 {root.kind}，并非请求。")


def edited(what: Again, edits: Mapping[str, Json]) -> Again:
    """The same with other values: in the body, the parameters, or the hook's object.

    ``edits`` are by dotted path (see ``with_values``). Raises code 1 where there is no such place.
    """
    if not edits:
        return what
    match what:
        case AgainRequest(method="POST" | "PUT"):
            return replace(what, body=with_values(what.body, edits))
        case AgainRequest():
            raise _not(
                f"A {what.method} has no body to edit.", f"{what.method} 没有可编辑的请求体。"
            )
        case AgainFunction():
            return replace(what, params=with_values(what.params, edits))
        case AgainHook():
            return replace(what, object=with_values(what.object, edits))


def with_values(body: Json, edits: Mapping[str, Json]) -> Json:
    """A copy with some values set; ``a.b.0`` is the first of the list ``b`` in ``a``.

    A name with dots that is there as such is taken as such; what a path misses on its way is made.
    """
    for path, value in edits.items():
        body = _with_value(body, path, value, path)
    return body


def _with_value(body: Json, path: str, value: Json, whole: str) -> Json:
    if body is None:
        body = {}
    if isinstance(body, dict):
        name, dot, rest = path.partition(".")
        if not dot or path in body:
            return {**body, path: value}
        return {**body, name: _with_value(body.get(name), rest, value, whole)}
    name, dot, rest = path.partition(".")
    if isinstance(body, list) and name.isdecimal() and int(name) < len(body):
        place = int(name)
        inner = _with_value(body[place], rest, value, whole) if dot else value
        return [*body[:place], inner, *body[place + 1 :]]
    raise errors.INVALID_REQUEST(f"'{whole}' leads nowhere in what was sent: '{name}' is no place.")


def _request(detail: Mapping[str, Any], who: Who) -> AgainRequest:
    path, headers = str(detail.get("path")), detail.get("headers")
    if not path.startswith(("/1.1/", "/1/")):
        raise _not(
            "It is a page of the project's own web app, whose requests are not kept.",
            "它是项目自身网站的页面，其请求内容未被保存。",
        )
    if "body" not in detail:
        raise _not("Its body was no JSON, and is not kept.", "其请求体不是 JSON，未被保存。")
    if headers is None:
        return AgainRequest(
            who, str(detail["method"]), f"{path}?fetchWhenSave=true", None, detail["body"]
        )
    query = detail.get("query")
    target = f"{path}?{query}" if query else path
    return AgainRequest(who, str(detail["method"]), target, headers, detail["body"])


def _id_of(user: object) -> str | None:
    return str(user["objectId"]) if isinstance(user, Mapping) else None


def _not(en: str, zh: str) -> ApiError:
    return errors.INVALID_REQUEST(f"This trace cannot be replayed. {en}", hint=Hint(en=en, zh=zh))
