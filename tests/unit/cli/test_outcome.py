"""What exit codes say of a hook or a write."""

from typing import Any

import pytest

from lean_emulator.cli import exits
from lean_emulator.cli.outcome import Came, exit_code
from lean_emulator.cli.report import offer_class, offer_hook, report

NAMES = ["hello", "__before_save_for_Review", "__after_save_for_Comment", "__on_login__User"]


def came(status: int, body: Any, broken: str | None = None, **more: Any) -> Came:
    return Came(status, body, 12.34, None, [], broken, **more)


@pytest.mark.parametrize(
    ("status", "body", "broken", "code"),
    [
        (200, {}, None, exits.OK),
        (201, {"objectId": "x"}, None, exits.OK),
        (400, {"code": 142, "error": "no"}, None, exits.ERROR),
        (500, "Internal", None, exits.ERROR),
        (503, {"code": 124, "error": "late"}, None, exits.TIMED_OUT),
        (400, {"code": 141, "error": "LeanEngine request timeout."}, None, exits.TIMED_OUT),
        (500, {"code": 141, "error": "cloud.py did not load: x"}, "", exits.DID_NOT_LOAD),
        (400, {"code": 142, "error": "the cloud code did not load: x"}, "", exits.DID_NOT_LOAD),
        (400, {"code": 142, "error": "the car did not load"}, None, exits.ERROR),
    ],
)
def test_exit_codes(status: int, body: Any, broken: str | None, code: int) -> None:
    assert exit_code(came(status, body, broken)) == code


def test_the_answer_alone_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    trace = {"id": "t-1", "title": "beforeSave Review", "outcome": "ok", "tookMs": 1.0}
    good = came(200, {"星": 1})._replace(trace=trace, link="http://x/?trace=t-1")
    assert report("beforeSave Review", good, own=False, as_json=False) == exits.OK
    out, err = capsys.readouterr()
    assert out == '{\n  "星": 1\n}\n'
    assert err.splitlines() == [
        "t-1  beforeSave Review  ok  1.0 ms",
        "beforeSave Review  200  12 ms  http://x/?trace=t-1",
    ]


def test_an_own_emulators_prints_are_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    trace = {"id": "t-1", "title": "x", "outcome": "ok", "prints": [{"text": "printed"}]}
    for own, times in ((True, 0), (False, 1)):
        report("x", came(200, {})._replace(trace=trace), own=own, as_json=False)
        assert capsys.readouterr().err.count("printed") == times


def test_code_that_did_not_load_shows_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    broken = came(500, {"code": 141, "error": "cloud.py did not load: x"}, "Traceback: x\n")
    assert report("x", broken, own=False, as_json=True) == exits.DID_NOT_LOAD
    out, err = capsys.readouterr()
    assert '"status": 500' in out
    assert err.startswith("Traceback: x\nerror: cloud.py did not load: x (code 141, HTTP 500)\n")


@pytest.mark.parametrize(
    ("class_name", "names", "said"),
    [
        ("Reviw", NAMES, "Did you mean Review beforeSave?\n"),
        ("Xyzzyfoo", NAMES[:3], "There are: Comment afterSave, Review beforeSave.\n"),
        (
            "Xyzzyfoo",
            ["_clientOnline", "__on_login__User", "__on_verified_sms"],
            "There are: _User onLogin, onVerified sms, _clientOnline.\n",
        ),
        ("Review", ["hello"], "The code registers no hooks.\n"),
    ],
)
def test_hooks_that_are_offered(
    class_name: str,
    names: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEAN_EMU_LANG", "en")
    hook = "onNothing" if class_name == "Xyzzyfoo" else "beforeSave"
    offer_hook(f"{class_name} {hook}", names)
    assert capsys.readouterr().err == said


def test_classes_that_are_offered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAN_EMU_LANG", "en")
    for class_name in ("Review", "Movie"):
        offer_class(class_name, ["Review", "Comment"])
    assert capsys.readouterr().err == ""
    offer_class("Reviw", ["Review", "Comment"])
    assert capsys.readouterr().err.endswith("no class Reviw. Did you mean Review?\n")
