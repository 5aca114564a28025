"""Signatures against vectors of other implementations (storage.md 1.2, engine.md 2.4, 3.2)."""

import hashlib

import pytest

from lean_emulator.base.signing import hook_mark, request_sign, same_secret, verify_hook_mark

NODE_MASTER = "3v7z633lzfec9qzx8sjql6zimvdpmtwypcchr2gelu5mrzb0"
NODE_APP = "3xjj1qw91cr3ygjq9lt0g8c3qpet38rrxtwmmp0yffyoy2t4"


@pytest.mark.parametrize(
    ("key", "timestamp", "sign"),
    [
        ("UtOCzqb67d3sN12Kts4URwy8", "1453014943466", "d5bcbb897e19b2f6633c716dfdfaf9be"),
        ("DyJegPlemooo4X1tg94gQkw1", "1453014943466", "e074720658078c898aa0d4b1b82bdf4b"),
        (NODE_APP, "1389085779854", "4aaee8dee8821173931f03f7efd7067a"),
        (NODE_MASTER, "1389085779854", "c9bd13ecd484736ce550d1a2ff9dbc0f"),
        ("appkey", "1472200796787", "77b5f47e8b1f0a4a6572936622e8c2e7"),
        ("masterkey", "1472200796787", "62d4da7dff33f54ddae8c4dc312594d3"),
    ],
)
def test_request_sign(key: str, timestamp: str, sign: str) -> None:
    assert request_sign(key, timestamp) == sign


HOOK_MARKS = [
    ("aaa", "bbb", 1468317699700, "79ba1b1e1f8348a657151715d5ee4d46d60d0a4b"),
    (
        "test-master-key", "__before_for_TestClass", 1453711871302,
        "f10c9dd65da84b564f1b9a8b57df4a07774bc77b",
    ),
    (
        "masterkey", "__before_for_Todo", 1472200796787,
        "c16d0beef4e07275c92a9bbf91b54984e7ff5d94",
    ),
    ("masterkey", "__after_for_Todo", 1472200796787, "5f434ef5ab905d8b4c4b233740c53cccac62c534"),
    ("masterkey", "__on_login__User", 1472200796787, "d4dac2e9e0cd6704b9bc18e2771ce858f9b47082"),
    ("masterkey", "__on_verified_sms", 1472200796787, "2b4b01cdb5ac1ac48d91f77bde8020b002ceb5f9"),
    (
        "masterkey", "__on_verified_email", 1472200796787,
        "1dbf705cd1d91f8e28b14b8c84896aea8d4551df",
    ),
    (
        "masterkey", "__on_authdata__User", 1472200796787,
        "c1a0c03c2d033c225207ed035bd3373b487e701f",
    ),
    (
        "masterkey", "__on_complete_bigquery_job", 1472200796787,
        "0e5eddb87a15ce201844f6e87327a617752a9134",
    ),
    ("masterkey", "_messageReceived", 1472200796787, "7d5e2d2ad26573a3fb49da1859fdac595c60417c"),
    (NODE_MASTER, "__on_verified_sms", 1464591343092, "b0c8463a3c12bf4241820c52963515d9a363b6bc"),
    (NODE_MASTER, "__on_login__User", 1464591343092, "0a890df4759cb6b781670b1eed5faa0e77cd27de"),
    (
        NODE_MASTER, "__on_complete_bigquery_job", 1464591343092,
        "44c8f6a8a0520bc4636d890935aee0977ef34dd6",
    ),
    (NODE_MASTER, "_messageReceived", 1464591343092, "6ac315b96655d04e3a49d758f5a8ae55208c98f0"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "name", "at_ms", "digest"), HOOK_MARKS)
def test_hook_mark(key: str, name: str, at_ms: int, digest: str) -> None:
    assert hook_mark(key, name, at_ms) == f"{at_ms},{digest}"


NOW = 1_700_000_000_000
NAMES = ("__before_for_Todo", "__before_save_for_Todo")


def test_a_mark_is_good_under_any_of_its_names() -> None:
    for name in NAMES:
        assert verify_hook_mark("masterkey", NAMES, hook_mark("masterkey", name, NOW), NOW)


def test_an_old_mark_stays_good() -> None:
    assert verify_hook_mark("masterkey", NAMES, hook_mark("masterkey", NAMES[0], 1), NOW)


def test_a_mark_from_the_far_future_is_refused() -> None:
    ten_hours = 36_000_000
    at_edge = hook_mark("masterkey", NAMES[0], NOW + ten_hours)
    beyond = hook_mark("masterkey", NAMES[0], NOW + ten_hours + 1)
    assert verify_hook_mark("masterkey", NAMES, at_edge, NOW)
    assert not verify_hook_mark("masterkey", NAMES, beyond, NOW)


@pytest.mark.parametrize(
    "mark",
    [
        None,
        12,
        "",
        ",",
        f"{NOW}",
        f"{NOW},",
        "-5,c16d0beef4e07275c92a9bbf91b54984e7ff5d94",
        "²,c16d0beef4e07275c92a9bbf91b54984e7ff5d94",
        "9" * 5000 + ",x",
        hook_mark("another-key", NAMES[0], NOW),
        hook_mark("masterkey", "__before_for_Other", NOW),
        hook_mark("masterkey", NAMES[0], NOW).upper(),
    ],
)
def test_a_wrong_mark_is_refused(mark: object) -> None:
    assert not verify_hook_mark("masterkey", NAMES, mark, NOW)


def test_same_secret() -> None:
    assert same_secret("abc", "abc")
    assert not same_secret("abd", "abc")
    assert not same_secret("", "")


@pytest.mark.parametrize("given", ["ключ", "\udcff", "\x00"])
def test_same_secret_takes_any_text_a_header_can_hold(given: str) -> None:
    assert not same_secret(given, hashlib.sha256(b"key").hexdigest())
    assert not same_secret(given, given + "x")
