"""Statements that are split, and answers that are printed."""

import json
from typing import Any

import pytest

from lean_emulator.cli.statements import Came, report, split


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" ;\n; ", []),
        ("select * from A", ["select * from A"]),
        ("select * from A;", ["select * from A"]),
        ("select *\n from A;\nselect * from B\n", ["select *\n from A", "select * from B"]),
        ("a = 'x;y' ; b", ["a = 'x;y'", "b"]),
        ('a = "x;y"; b', ['a = "x;y"', "b"]),
        (r"a = 'x\';y'; b", [r"a = 'x\';y'", "b"]),
        ("a = 'it''s;'; b", ["a = 'it''s;'", "b"]),
        ("a = 'not closed; b", ["a = 'not closed; b"]),
    ],
)
def test_semicolons_separate_statements(text: str, found: list[str]) -> None:
    assert split(text) == found


def printed(
    capsys: pytest.CaptureFixture[str], body: Any, status: int = 200, *, as_json: bool = False
) -> tuple[str, str]:
    report(Came(status, body, 12.3), as_json=as_json)
    out, err = capsys.readouterr()
    return out, err


def test_objects_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    body = {"results": [{"n": 1, "objectId": "x"}], "className": "A"}
    assert printed(capsys, body) == ("objectId  n\nx         1\n", "1 row  12 ms\n")


def test_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    body = {"results": [], "className": "A", "count": 7}
    assert printed(capsys, body) == ("count 7\n", "0 rows  12 ms\n")


def test_an_answer_as_json_is_whole_and_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    body = {"results": [{"name": "星"}], "className": "A", "count": 7}
    out, _ = printed(capsys, body, as_json=True)
    assert json.loads(out) == body
    assert out.count("\n") == 1
    assert "星" in out


def test_an_error_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    body = {"code": 300, "error": "CQL syntax error.Detail: …\n  ^\nExpected one of:\nfrom\n\n"}
    out, err = printed(capsys, body, 400)
    assert out == ""
    assert err.endswith("Expected one of:\nfrom\n(code 300, HTTP 400)\n")
    assert printed(capsys, body, 400, as_json=True)[0] == ""
