"""Keys that are made of names, whatever the names; media types that fit into a header."""

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_emulator.base.errors import ApiError
from lean_emulator.model.file_record import FileWish, media_type, new_key, read_wish

RANDOM = "0123456789abcdefghij0123456789abcdefghij"
TEXTS = st.text(max_size=40) | st.text("./\\\0 ~a%?#\n", max_size=12)


@given(name=TEXTS, prefix=TEXTS, keep=st.booleans())
def test_keys_are_paths_that_climb_nowhere(name: str, prefix: str, keep: bool) -> None:
    wish = FileWish(name, "image/png", {}, keep_name=keep, prefix=prefix)
    key = new_key(RANDOM, wish)
    parts = key.split("/")
    assert RANDOM in key
    assert not any(part in ("", ".", "..") for part in parts)
    assert not any(ord(sign) < 32 or sign in "\\\x7f" for sign in key)
    assert unquote(quote(key, safe="/")) == key


@given(given_type=st.text(max_size=40), name=TEXTS)
def test_media_types_fit_into_a_header(given_type: str, name: str) -> None:
    kind = media_type(given_type, name)
    assert "/" in kind
    assert kind.isascii()
    assert kind.isprintable()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a.png", f"{RANDOM}.png"),
        ("a.tar.gz", f"{RANDOM}.gz"),
        (".profile", f"{RANDOM}.profile"),
        ("a.", RANDOM),
        ("a.b c", RANDOM),
        ("", RANDOM),
    ],
)
def test_extensions_are_kept(name: str, key: str) -> None:
    assert new_key(RANDOM, FileWish(name, "", {})) == key


@pytest.mark.parametrize(
    ("key", "client", "master"),
    [
        (RANDOM, True, True),
        (f"{RANDOM}.png", True, True),
        (f"{RANDOM}.png/x", False, True),
        (f"{RANDOM}.p-g", False, True),
        ("x" * 39, False, True),
        ("own/影评.png", False, True),
        ("../x", False, False),
        ("a//b", False, False),
        ("a\x00", False, False),
    ],
)
def test_who_may_choose_which_key(key: str, client: bool, master: bool) -> None:
    for is_master, allowed in ((False, client), (True, master)):
        if allowed:
            assert read_wish({"key": key}, master=is_master).key == key
        else:
            with pytest.raises(ApiError):
                read_wish({"key": key}, master=is_master)


@pytest.mark.parametrize(
    ("size", "read"), [(5, 5), (0, 0), (-1, None), (True, None), ("5", None), (2.5, None)]
)
def test_the_size_a_client_claims(size: object, read: int | None) -> None:
    assert FileWish("a", "", {"size": size}).size == read  # type: ignore[dict-item]  # any JSON
