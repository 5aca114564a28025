"""The start-up text."""

import shlex
from typing import Any

import pytest

from lean_emulator.cli import banner

NAMES = frozenset(
    {
        "hello", "averageStars", "__before_save_for_Review", "__before_update_for_Review",
        "__after_save_for_Comment", "__after_delete_for_Album", "__before_delete_for_Album",
        "__before_save_for__User", "__on_login__User",
    }
)  # fmt: skip


def start(**more: Any) -> banner.Start:
    facts: dict[str, Any] = {
        "directory": "my project", "api_url": "http://127.0.0.1:3000",
        "console_url": "http://127.0.0.1:3001", "state": "ready", "names": NAMES,
        "load_seconds": 0.2134, "failed": None, "storage": "memory", "keys_place": "keys.json",
        "seconds": 0.512,
    }  # fmt: skip
    return banner.Start(**{**facts, **more})


def test_it_is_short_and_ends_with_ready() -> None:
    lines = banner.lines(start())
    assert len(lines) < 15
    assert lines[-1] == "ready in 0.51 s"


def test_it_names_what_was_found() -> None:
    text = "\n".join(banner.lines(start()))
    assert "2 functions: averageStars, hello (loaded in 0.21 s)" in text
    assert "7 hooks: Album beforeDelete afterDelete, Comment afterSave, Review before" in text
    assert "export LEANCLOUD_API_SERVER=http://127.0.0.1:3000" in text
    assert f"lean-emu env {shlex.quote('my project')}" in text


def test_hooks_by_class_in_the_order_of_a_write() -> None:
    assert banner.grouped(NAMES) == (
        ["averageStars", "hello"],
        {
            "Album": ["beforeDelete", "afterDelete"],
            "Comment": ["afterSave"],
            "Review": ["beforeSave", "beforeUpdate"],
            "_User": ["beforeSave", "onLogin"],
        },
    )


def test_hooks_that_are_no_writes() -> None:
    names = (
        "__on_verified_sms", "__on_verified_email", "__on_authdata__User", "__on_login__User",
        "__on_complete_bigquery_job", "_messageReceived", "__after_save_for__User",
    )  # fmt: skip
    assert banner.grouped(names) == (
        [],
        {
            "_User": [
                "afterSave", "onAuthData", "onLogin", "onVerified email", "onVerified sms",
            ],
            "jobs": ["onComplete"],
            "messages": ["_messageReceived"],
        },
    )  # fmt: skip


def test_code_that_is_broken() -> None:
    lines = banner.lines(start(state="broken", failed="NameError: name 'x'", names=frozenset()))
    assert len(lines) < 15
    assert any("did not load: NameError: name 'x'" in line for line in lines)
    assert not any("0 functions" in line for line in lines)


def test_no_code_at_all() -> None:
    text = "\n".join(banner.lines(start(state="none", names=frozenset())))
    assert "storage alone answers" in text


def test_one_is_no_plural_and_nothing_has_no_list() -> None:
    text = "\n".join(banner.lines(start(names=frozenset({"hello"}))))
    assert "1 function: hello" in text
    assert "0 hooks\n" in text


def test_long_lists_are_cut() -> None:
    names = frozenset(f"function{n:03}" for n in range(200))
    lines = banner.lines(start(names=names))
    assert len(lines) < 15
    assert max(map(len, lines)) < 160
    assert any("200 functions" in line for line in lines)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True),
        ("0.0.0.0", False), ("::", False), ("192.168.1.4", False), ("example.test", False),
    ],
)  # fmt: skip
def test_loopback(host: str, expected: bool) -> None:
    assert banner.is_loopback(host) is expected
