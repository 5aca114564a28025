"""What the front door adds to a page's headers, and what it takes away (engine.md 1.8)."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from lean_emulator.wire.page_headers import end_to_end, for_the_app, for_the_client


def told(remote: str, *, https: bool = False, **headers: str) -> dict[str, str]:
    given = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return dict(for_the_app(CIMultiDictProxy(given), remote, https=https))


def test_a_client_on_this_machine() -> None:
    assert told("127.0.0.1", Host="localhost:3000") == {
        "Host": "localhost:3000",
        "X-Real-IP": "127.0.0.1",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "http",
        "Forwarded": "for=127.0.0.1;proto=http",
    }


def test_a_proxy_on_this_machine_is_believed() -> None:
    headers = told("127.0.0.1", X_Forwarded_For="203.0.113.9, 10.0.0.1", X_Forwarded_Proto="https")
    assert headers["X-Real-IP"] == "203.0.113.9"
    assert headers["X-Forwarded-For"] == "203.0.113.9, 10.0.0.1"
    assert headers["X-Forwarded-Proto"] == "https"


def test_nobody_else_is_believed_and_gets_no_redirect_to_https() -> None:
    headers = told("93.184.216.34", X_Forwarded_For="203.0.113.9", X_Real_IP="203.0.113.9")
    assert headers["X-Real-IP"] == "93.184.216.34"
    assert headers["X-Forwarded-For"] == "93.184.216.34"
    assert headers["Forwarded"] == "for=93.184.216.34;proto=https"


def test_pages_of_production_came_over_https() -> None:
    assert told("127.0.0.1", https=True)["X-Forwarded-Proto"] == "https"


def test_an_address_of_version_6_is_quoted() -> None:
    assert told("::1")["Forwarded"] == 'for="[::1]";proto=http'


@pytest.mark.parametrize(
    "name", ["Connection", "Keep-Alive", "TE", "Upgrade", "X-Mine", "Transfer-Encoding"]
)
def test_headers_of_a_connection_stay_with_it(name: str) -> None:
    pairs = [("Connection", "close, X-Mine"), (name, "x"), ("X-Kept", "1")]
    assert end_to_end(pairs) == [("X-Kept", "1")]


def test_our_own_headers_do_not_reach_the_client() -> None:
    assert for_the_client([("X-Lean-Emu-Lines", "3"), ("A", "b")]) == [("A", "b")]


def test_bytes_that_are_no_utf8_are_read_as_latin() -> None:
    assert end_to_end([("A", "caf\udce9"), ("B", "café")]) == [("A", "café"), ("B", "café")]
