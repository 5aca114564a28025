"""Secrets leave as dots."""

from urllib.parse import urlencode

import pytest

from lean_emulator.base.masking import Mask, masked

KEY = "master-key-0123456"
MASK = Mask((KEY, "short"))


def test_long_secrets_keep_their_tail_for_recognition() -> None:
    assert masked("abcdefghijkl") == "••••ijkl"
    assert masked("abcdefghijk") == "••••"
    assert masked("") == "••••"


def test_own_keys_disappear_wherever_they_stand() -> None:
    shown = str(MASK.json({"a": [f"x{KEY}y", {KEY: 1}], "b": [KEY]}))
    assert KEY not in shown
    assert shown.count("••••3456") == 3


def test_short_secrets_would_mask_everything_and_are_left() -> None:
    assert MASK.text("a short text") == "a short text"


@pytest.mark.parametrize(
    "name",
    [
        "password", "Password", "old_password", "new_password", "salt", "sessionToken",
        "session_token", "_SessionToken", "_MasterKey", "_ApplicationKey", "access_token",
        "smsCode",
    ],
)  # fmt: skip
def test_members_that_hold_secrets_are_masked_by_name(name: str) -> None:
    shown = MASK.json({"deep": [{name: "correct horse battery"}]})
    assert shown == {"deep": [{name: "••••tery"}]}


@pytest.mark.parametrize("value", [12345678, 1.5])
def test_a_secret_that_is_a_number_is_one_too(value: object) -> None:
    assert MASK.json({"password": value}) == {"password": "••••"}  # type: ignore[dict-item]  # mypy wants a Json


def test_what_is_no_secret_stays() -> None:
    kept = {"password": None, "passwords": ["a"], "token": "b", "n": 1, "flag": True}
    assert MASK.json(kept) == kept  # type: ignore[arg-type]  # invariant dict


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ""),
        ("limit=5&order=-a", "limit=5&order=-a"),
        ("flag&x=", "flag&x="),
        ("username=ann&password=correct+horse", "username=ann&password=••••orse"),
        ("session_token=0123456789abc", "session_token=••••9abc"),
        ("session%5Ftoken=0123456789abc", "session%5Ftoken=••••9abc"),
        (f"a=x{KEY}", "a=x••••3456"),
        (
            "where=%7B%22sessionToken%22:%220123456789abc%22%7D",
            'where={"sessionToken": "••••9abc"}',
        ),
        (f"where={{{KEY}", "where={••••3456"),
    ],
)
def test_queries_of_urls(query: str, shown: str) -> None:
    assert MASK.query(query) == shown


def test_the_original_is_left_alone() -> None:
    given = {"password": "secret", "inner": {"salt": "s"}}
    MASK.json(given)  # type: ignore[arg-type]  # invariant dict
    assert given == {"password": "secret", "inner": {"salt": "s"}}


def test_nesting_beyond_reason_is_cut() -> None:
    value: list[object] = []
    for _ in range(5_000):
        value = [value]
    assert "…" in str(MASK.json(value))  # type: ignore[arg-type]  # invariant list


@pytest.mark.parametrize(
    "name",
    [
        "X-LC-Key", "x-lc-sign", "X-LC-Session", "X-LC-Hook-Key", "X-AVOSCloud-Application-Key",
        "X-AVOSCloud-Master-Key", "X-AVOSCloud-Super-Key", "X-AVOSCloud-Request-Sign",
        "X-AVOSCloud-Session-Token", "X-Uluru-Application-Key", "X-Uluru-Master-Key",
        "X-Uluru-Session-Token", "Authorization", "Cookie",
    ],
)  # fmt: skip
def test_headers_that_hold_secrets(name: str) -> None:
    assert MASK.headers({name: "anything-of-length"}) == {name: "••••ngth"}


def test_other_headers_are_shown_without_our_keys() -> None:
    shown = MASK.headers({"User-Agent": "curl/8", "Referer": f"http://x/?k={KEY}"})
    assert shown == {"User-Agent": "curl/8", "Referer": "http://x/?k=••••3456"}


CQL = "insert into _User(username, password) values ('eve', \"hush-hush\")"
SHOWN = "insert into _User(username, password) values ('••••', '••••')"


def test_statements_that_name_what_is_secret_are_shown_without_their_literals() -> None:
    assert MASK.json({"cql": CQL, "pvalues": ["hush"]}) == {"cql": SHOWN, "pvalues": "••••"}
    query = urlencode({"cql": CQL, "pvalues": '["hush"]', "x": "1"})
    assert MASK.query(query) == f"cql={SHOWN}&pvalues=••••&x=1"
    quoting = "CQL syntax error.Detail: Parse error at line 1, column 9:\nset password='hush"
    assert MASK.text(quoting) == quoting.replace("'hush", "'••••'")


def test_other_statements_are_shown() -> None:
    text = "select * from Post where a like '100%+x'"
    assert MASK.json({"cql": text, "pvalues": [1]}) == {"cql": text, "pvalues": [1]}
    assert MASK.query(urlencode({"cql": text, "pvalues": "[1]"})) == f"cql={text}&pvalues=[1]"
