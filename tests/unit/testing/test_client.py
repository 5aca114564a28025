"""How answers become values and errors, and times become milliseconds."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lean_emulator.testing.client import Refused, _accepted, _path
from lean_emulator.testing.clock import ms_of


def test_answers() -> None:
    assert _accepted(200, b'{"results": []}') == {"results": []}
    assert _accepted(201, b"[1]") == [1]


@pytest.mark.parametrize(
    ("status", "received", "code", "text"),
    [
        (400, b'{"code": 142, "error": "No comment!"}', 142, "No comment!"),
        (502, b"<html>gone</html>", 1, "<html>gone</html>"),
        (200, b"no JSON", 1, "no JSON"),
        (500, b"[]", 1, "[]"),
        (404, b"\xff", 1, "\ufffd"),
    ],
)
def test_errors(status: int, received: bytes, code: int, text: str) -> None:
    with pytest.raises(Refused) as refused:
        _accepted(status, received)
    assert (refused.value.status, refused.value.code, refused.value.text) == (status, code, text)
    assert str(refused.value) == f"{text} [code {code}, HTTP {status}]"


def test_names_cannot_become_other_paths() -> None:
    assert _path("Review") == "/1.1/classes/Review"
    assert _path("a/b", "../x?y") == "/1.1/classes/a%2Fb/..%2Fx%3Fy"


def test_instants() -> None:
    second = 1_893_456_000_000
    assert ms_of("2030-01-01") == ms_of("2030-01-01T00:00:00Z") == second
    assert ms_of(datetime(2030, 1, 1)) == ms_of(datetime(2030, 1, 1, tzinfo=UTC)) == second
    assert ms_of(datetime(2030, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))) == second
    with pytest.raises(ValueError):
        ms_of("tomorrow")
