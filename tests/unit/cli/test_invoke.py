"""What ``invoke`` prints and leaves with."""

import json
from typing import Any

import pytest

from lean_emulator.cli import exits
from lean_emulator.cli.invoke import report
from lean_emulator.cli.outcome import Came


def came(status: int = 200, body: Any = None, **more: Any) -> Came:
    facts: dict[str, Any] = {
        "status": status, "body": body, "took_ms": 12.34, "trace": None,
        "functions": ["hello", "averageStars"], "broken": None,
    }  # fmt: skip
    return Came(**{**facts, **more})


def reported(
    capsys: pytest.CaptureFixture[str], result: Came, name: str = "hello", **more: bool
) -> tuple[int, str, str]:
    code = report(name, result, as_json=more.get("as_json", False), trace=more.get("trace", False))
    out, err = capsys.readouterr()
    return code, out, err


def test_a_result_alone_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = reported(capsys, came(body={"result": {"星": [1, 2]}}))
    assert code == exits.OK
    assert json.loads(out) == {"星": [1, 2]}
    assert "星" in out
    assert err == "hello  200  12 ms\n"


def test_no_result_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(capsys, came(body={}))[:2] == (exits.OK, "null\n")


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    body = {"code": 1, "error": "no"}
    code, out, _ = reported(capsys, came(400, body), as_json=True)
    assert code == exits.ERROR
    assert json.loads(out) == {"status": 400, "body": body, "took_ms": 12.3}


def test_an_error_of_the_function(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = reported(capsys, came(400, {"code": 7, "error": "not today"}))
    assert (code, out) == (exits.ERROR, "")
    assert "error: not today (code 7, HTTP 400)\n" in err


def test_an_unknown_function_offers_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    missing = came(404, {"code": 404, "error": "cloud func named 'averagStars' not found."})
    code, _, err = reported(capsys, missing, "averagStars")
    assert code == exits.ERROR
    assert "Did you mean averageStars?" in err
    _, _, err = reported(capsys, missing, "xyzzy")
    assert "There are: averageStars, hello." in err


def test_a_404_of_a_function_that_exists_offers_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, _, err = reported(capsys, came(404, {"code": 404, "error": "no such film"}))
    assert "Did you mean" not in err
    assert "There are" not in err


def test_too_late(capsys: pytest.CaptureFixture[str]) -> None:
    late = came(503, {"code": 124, "error": "The request timed out on the server."})
    assert reported(capsys, late)[0] == exits.TIMED_OUT


def test_code_that_did_not_load_shows_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    broken = came(
        500,
        {"code": 141, "error": "cloud.py did not load: NameError: name 'x' (cloud.py:3)"},
        broken="Traceback (most recent call last):\n  …\nNameError: name 'x'\n",
        hint="fix it",
    )
    code, _, err = reported(capsys, broken)
    assert code == exits.DID_NOT_LOAD
    assert err.index("Traceback") < err.index("error: cloud.py did not load") < err.index("fix it")


def test_an_error_of_old_code_that_still_runs_is_the_functions_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With keep_last_good, broken code on disk does not make every error a failure to load."""
    kept = came(400, {"code": 400, "error": "No comment!"}, broken="NameError: name 'x'")
    assert reported(capsys, kept)[0] == exits.ERROR


def test_steps_are_printed_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    tree = {
        "id": "t-1", "title": "POST /1.1/functions/hello", "outcome": "ok", "tookMs": 3.0,
        "children": [
            {"title": "hello", "outcome": "failed", "tookMs": None, "error": {"message": "no"}}
        ],
    }  # fmt: skip
    _, _, err = reported(capsys, came(body={"result": 1}, trace=tree), trace=True)
    assert err.splitlines()[:3] == [
        "t-1  POST /1.1/functions/hello  ok  3.0 ms",
        "  hello  failed",
        "      ! no",
    ]
    assert "POST" not in reported(capsys, came(body={"result": 1}, trace=tree))[2]
