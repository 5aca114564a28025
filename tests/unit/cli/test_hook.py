"""What ``lean-emu hook`` refuses before anything is asked."""

import json
from pathlib import Path

import pytest

from lean_emulator import cli
from lean_emulator.base.jsontext import Json
from lean_emulator.cli import exits
from lean_emulator.cli import hook as hook_module
from lean_emulator.cli.outcome import Came


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hook", "Post", "beforSave", "--object", "{}"], "Did you mean beforeSave?"),
        (
            ["hook", "Post", "xyzzy", "--object", "{}"],
            "Hooks of a class are: beforeSave, afterSave",
        ),
        (["hook", "Post", "beforeSave"], "give --object, or --id"),
        (["hook", "Post", "beforeSave", "--object", "[1]"], "is a list, but a hook takes"),
        (["hook", "Post", "beforeSave", "--object", "{a: }"], "line 1 column"),
        (["hook", "Post", "afterSave", "--object", "{}", "--updated-keys", "a"], "no changed keys"),
        (["hook"], "--list shows those that the code has"),
        (["hook", "Post"], "There is no hook 'Post'."),
        (["hook", "onVerified"], "Did you mean onVerified sms, onVerified email"),
        (["hook", "_mesageReceived"], "Did you mean _messageReceived"),
        (["hook", "a", "b", "c"], "There is no hook 'a b c'."),
        (["hook", "Post", "beforeSave", "--params", "{}"], "--object, not --params"),
        (["hook", "Post", "beforeSave", "--sample"], "those of a class take any object"),
        (["hook", "_clientOnline", "--params", "[1]"], "_clientOnline takes an object"),
        (["hook", "_clientOnline", "--id", "x"], "_clientOnline is about no stored object"),
        (["hook", "onLogin", "--updated-keys", "a"], "onLogin _User is told of no changed keys"),
        (["hook", "onLogin"], "onLogin _User is about a user: give --user, or --object."),
        (["hook", "Post", "--list"], "--list takes no names"),
        (["save", "Post"], "give --object or --set"),
        (["save", "Post", "--set", "stars"], "is not NAME=VALUE"),
        (["update", "Post", "x", "--object", "5"], "is a number, but a write takes"),
        (["update", "Post"], "Missing argument 'ID'"),
        (["hook", "Post", "beforeSave", "--id", ""], "'--id': it is empty"),
        (["save", "Post", "--set", "a=1", "--user", " "], "'--user': it is empty"),
        (["delete", "Post", ""], "'ID': it is empty"),
        (["trace", ""], "'[ID]': it is empty"),
        (["trace"], "Give the ID of a trace, or --last."),
        (["trace", "t-1", "--last"], "Give the ID of a trace, or --last."),
    ],
)
def test_wrong_use_leaves_with_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.run([*words, "-C", str(tmp_path)]) == exits.USAGE
    assert said in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    "words",
    [
        ["hook", "Post", "beforeSave", "--id", "x"],
        ["update", "Post", "x", "--set", "a=1"],
        ["delete", "Post", "x"],
        ["trace", "--last"],
    ],
)
def test_what_is_stored_needs_a_running_instance(
    words: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEAN_EMU_LANG", "en")
    assert cli.run([*words, "-C", str(tmp_path)]) == exits.ERROR
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == "error: nothing is running"
    assert shown[-1] == f"Start it first: lean-emu up {tmp_path}"
    monkeypatch.setenv("LEAN_EMU_LANG", "zh")
    assert cli.run([*words, "-C", str(tmp_path)]) == exits.ERROR
    assert f"请先启动：lean-emu up {tmp_path}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "members"),
    [
        (["_messageReceived"], {"fromPeer": "Tom", "toPeers": ["Jerry"]}),
        (["onIMMessageSent"], {"msgId": "fptKnuYYQMGdiSt_Zs7zDA"}),
        (["_User", "onLogin"], {"username": "Tom"}),
        (["on_verified", "sms"], {"mobilePhoneVerified": True}),
        (["Insight", "onComplete"], {"status": "OK"}),
    ],
)
def test_a_sample_is_json_to_start_from(
    words: list[str],
    members: dict[str, Json],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert cli.run(["hook", *words, "--sample", "-C", str(tmp_path)]) == exits.OK
    printed = json.loads(capsys.readouterr().out)
    assert {name: printed[name] for name in members} == members
    assert not [*tmp_path.iterdir()]


def test_what_the_platform_makes_of_it_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remarks = (
        {"en": "Refused.", "zh": "已拒绝。", "wrong": False},
        {"en": "'cod' means nothing here.", "zh": "“cod”没有意义。", "wrong": True},
    )
    answered(monkeypatch, Came(200, {"result": {}}, 1.0, None, [], None, remarks=remarks))
    words = ["hook", "_messageReceived", "-C", str(tmp_path)]
    assert cli.run(words) == exits.OK
    err = capsys.readouterr().err
    assert "Refused.\nwarning: 'cod' means nothing here.\n" in err
    monkeypatch.setenv("LEAN_EMU_LANG", "zh")
    assert cli.run([*words, "--json"]) == exits.OK
    shown = capsys.readouterr()
    assert "已拒绝。" in shown.err
    assert json.loads(shown.out)["remarks"] == [*remarks]


def answered(monkeypatch: pytest.MonkeyPatch, came: Came) -> None:
    """From now on every hook that is called comes to this."""
    monkeypatch.setattr(hook_module, "with_emulator", lambda *_: (came, False))
    monkeypatch.setenv("LEAN_EMU_LANG", "en")


@pytest.mark.parametrize(("name", "times"), [("beforeUpdate", 1), ("beforeSave", 0)])
def test_edits_that_the_cloud_drops_are_warned_about(
    name: str,
    times: int,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = {"key": "n", "change": "changed", "before": 1, "after": 2}
    trace = {"id": "t-1", "title": "x", "kind": "hook", "outcome": "ok", "before": {}, "after": {}}
    for rows, warned in (([row], times), ([], 0)):
        answered(monkeypatch, Came(200, {}, 1.0, {**trace, "changes": rows}, [], None))
        assert cli.run(["hook", "Post", name, "--object", "{}", "-C", str(tmp_path)]) == exits.OK
        assert capsys.readouterr().err.count("The cloud drops these edits") == warned


def test_a_user_that_is_not_there_is_wrong_use(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body: Json = {"code": 211, "error": "Could not find user."}
    answered(monkeypatch, Came(400, body, 1.0, None, [], None))
    words = ["hook", "Post", "beforeSave", "--object", "{}", "-C", str(tmp_path)]
    assert cli.run([*words, "--user", "nobody"]) == exits.USAGE
    assert "there is no user 'nobody'" in capsys.readouterr().err
    assert cli.run(words) == exits.ERROR
