"""What a trace says of how to have the same again."""

from typing import Any

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.errors import ApiError
from lean_emulator.base.trace import EventLog, Span, SpanKind
from lean_emulator.service.replay import (
    AgainFunction,
    AgainHook,
    AgainRequest,
    Who,
    again,
    edited,
    with_values,
)

ANN = {"objectId": "u1", "username": "ann", "sessionToken": "secret"}
NOBODY = Who(None, master=False)


def trace(kind: SpanKind, *, over: bool = True, **detail: Any) -> Span:
    log = EventLog(ManualClock())
    span = log.begin(kind, "title", **{"identity": "anonymous", **detail})
    if over:
        log.end(span)
    return span


def request(**detail: Any) -> Span:
    usual = {"method": "POST", "path": "/1.1/classes/Post", "query": "", "headers": {}, "body": {}}
    return trace("request", **{**usual, **detail})


def test_a_request_is_sent_as_it_came() -> None:
    headers = {"X-LC-Id": "app", "X-LC-Session": "secret"}
    root = request(query="new=true", headers=headers, body={"n": 1}, user=ANN, identity="user")
    assert again(root) == AgainRequest(
        Who("u1", master=False), "POST", "/1.1/classes/Post?new=true", headers, {"n": 1}
    )


def test_a_write_by_hand_needs_credentials() -> None:
    root = trace(
        "request", method="PUT", path="/1.1/classes/Post/p1", body={"n": 1}, identity="master"
    )
    assert again(root) == AgainRequest(
        Who(None, master=True),
        "PUT", "/1.1/classes/Post/p1?fetchWhenSave=true", None, {"n": 1},
    )  # fmt: skip


def test_functions_and_hooks_that_were_called_by_hand() -> None:
    assert again(trace("function", function="f", params={"a": 1}, rpc=True)) == AgainFunction(
        NOBODY, "f", {"a": 1}, rpc=True
    )
    hook: Any = {"class_name": "Post", "hook": "beforeUpdate"}
    root = trace("hook", **hook, before={"n": 1}, updated_keys=["n"])
    assert again(root) == AgainHook(NOBODY, "Post", "beforeUpdate", {"n": 1}, ["n"])
    special = trace("hook", class_name="_messageReceived", hook="onX", params={"a": 1})
    assert again(special) == AgainHook(NOBODY, "_messageReceived", "onX", {"a": 1}, ())


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        (trace("request", over=False), "still running"),
        (trace("reload"), "a reload, which nobody asked for"),
        (request(path="/index.html"), "a page of the project's own"),
        (trace("request", method="POST", path="/1.1/classes/Post", headers={}), "was no JSON"),
    ],
    ids=["running", "reload", "page", "not json"],
)
def test_what_cannot_be_replayed_says_why(root: Span, reason: str) -> None:
    with pytest.raises(ApiError, match=reason) as caught:
        again(root)
    assert caught.value.hint is not None


def test_values_are_set_in_what_was_sent() -> None:
    assert edited(again(request(body={"a": {"b": 1}})), {"a.b": 2}) == again(
        request(body={"a": {"b": 2}})
    )
    function = again(trace("function", function="f", params=None))
    assert edited(function, {"a.b": 2}) == again(
        trace("function", function="f", params={"a": {"b": 2}})
    )
    hook = trace("hook", class_name="Post", hook="beforeSave", before={"n": 1})
    changed = edited(again(hook), {"n": 2})
    assert isinstance(changed, AgainHook)
    assert changed.object == {"n": 2}


def test_a_request_without_a_body_has_none_to_edit() -> None:
    read = again(request(method="GET", body=None))
    assert edited(read, {}) is read
    with pytest.raises(ApiError, match="GET has no body"):
        edited(read, {"a": 1})


@pytest.mark.parametrize(
    ("body", "path", "after"),
    [
        ({"a": 1}, "a", {"a": 9}),
        ({"a": 1}, "b", {"a": 1, "b": 9}),
        ({}, "a.b.c", {"a": {"b": {"c": 9}}}),
        ({"a.b": 1}, "a.b", {"a.b": 9}),
        ({"l": [1, {"x": 2}]}, "l.1.x", {"l": [1, {"x": 9}]}),
        ({"l": [1, 2]}, "l.0", {"l": [9, 2]}),
        (None, "a", {"a": 9}),
    ],
)
def test_values_go_where_their_path_leads(body: Any, path: str, after: Any) -> None:
    before = repr(body)
    assert with_values(body, {path: 9}) == after
    assert repr(body) == before


@pytest.mark.parametrize(
    ("body", "path"), [({"a": 1}, "a.b"), ({"l": [1]}, "l.1"), ({"l": [1]}, "l.x"), ([], "a")]
)
def test_a_path_that_leads_nowhere_is_refused(body: Any, path: str) -> None:
    with pytest.raises(ApiError, match=f"'{path}' leads nowhere"):
        with_values(body, {path: 9})
