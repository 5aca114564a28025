"""``lean-emu cron explain``."""

import json

import pytest

from lean_emulator.cli import exits, run


def test_words_and_runs(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["cron", "explain", "0 0 8 ? * MON", "--from", "2026-01-01", "--count", "2"]
    assert run(asked) == exits.OK
    assert capsys.readouterr().out.splitlines() == [
        "At 08:00, on Monday.",
        "每周一 08:00。",
        "  Mon 2026-01-05 08:00:00 UTC",
        "  Mon 2026-01-12 08:00:00 UTC",
    ]


def test_ten_runs_unless_said_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cron", "explain", "0 * * * * ?"]) == exits.OK
    assert len(capsys.readouterr().out.splitlines()) == 12


def test_json_in_a_zone(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["cron", "explain", "0 0 8 * * ?", "--zone", "Asia/Shanghai"]
    assert run([*asked, "--from", "2026-01-01T08:00", "--count", "1", "--json"]) == exits.OK
    assert json.loads(capsys.readouterr().out) == {
        "expression": "0 0 8 * * ?",
        "words": {"en": "At 08:00, every day.", "zh": "每天 08:00。"},
        "zone": "Asia/Shanghai",
        "next": ["2026-01-02T08:00:00+08:00"],
    }


def test_an_expression_that_the_shell_took_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cron", "explain", "0", "0", "8", "?", "*", "MON"]) == exits.OK
    assert "on Monday" in capsys.readouterr().out


def test_what_never_runs_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cron", "explain", "0 0 0 30 2 ?"]) == exits.OK
    assert "never runs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["*/5 * * * *"], "5 fields"),
        (["0 0 24 * * ?"], "the hour '24'"),
        (["0 0 8 ? * MON", "--zone", "Mars"], "no time zone 'Mars'"),
        (["0 0 8 ? * MON", "--from", "soon"], "'soon' is no ISO time"),
    ],
)
def test_refused(asked: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cron", "explain", *asked]) == exits.USAGE
    assert said in capsys.readouterr().err
