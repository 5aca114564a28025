"""Hooks alone and real chains from the command line, with the official SDK as cloud code."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import leancloud
import pytest
from emu_process import Emulator, copied
from stored_objects import save, stored

LONG = "I almost forgot breathing. " * 10
CUT = LONG[:140] + "…"


def alone(project: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """A command for a project that nothing serves."""
    program = os.environ.get("LEAN_EMU", "lean-emu").split()
    return subprocess.run(
        [*program, *words, "--project", str(project), "--python", sys.executable],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def count(class_name: str, **equal: Any) -> int:
    """How many there are of a class that exists."""
    query = leancloud.Query(class_name)
    for key, value in equal.items():
        query.equal_to(key, value)
    return int(query.count())


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(
        copied("slow", tmp_path_factory.mktemp("slow")),
        *("--before-hook-seconds", "0.5", "--after-hook-seconds", "0.5"),
    )
    yield emulator
    emulator.stop()


# one hook alone


def test_a_hook_alone_answers_and_stores_nothing(emu: Emulator) -> None:
    save("Review", movie="Gravity", comment="good")
    before = count("Review")
    emu.forget()
    review = json.dumps({"movie": "Gravity", "comment": LONG})

    done = emu.command("hook", "Review", "beforeSave", "--object", review)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"movie": "Gravity", "comment": CUT}
    assert "~ comment: …" in done.stderr
    assert "beforeSave Review  (cloud.py:" in done.stderr
    assert count("Review") == before
    assert emu.fired() == {"beforeSave Review": 1}


def test_a_hook_alone_that_refuses_leaves_with_1(emu: Emulator) -> None:
    done = emu.command("hook", "Review", "beforeSave", "--object", "{stars: 5}")

    assert done.returncode == 1
    assert done.stdout == ""
    assert "error: No comment!" in done.stderr
    facts = json.loads(
        emu.command("hook", "Review", "beforeSave", "--object", "{}", "--json").stdout
    )
    assert facts["body"]["error"] == "No comment!"
    assert facts["trace"].startswith("t-")


def test_an_update_hook_is_told_what_changed(emu: Emulator) -> None:
    review = save("Review", movie="Gravity", comment="good")
    words = ("hook", "Review", "beforeUpdate", "--id", review.id)
    overlay = json.dumps({"comment": LONG})

    refused = emu.command(*words, "--object", overlay)
    let = emu.command(*words, "--object", overlay, "--updated-keys", "stars")

    assert refused.returncode == 1
    assert "at most 140 characters" in refused.stderr
    assert let.returncode == 0, let.stderr
    assert json.loads(let.stdout)["movie"] == "Gravity"
    assert stored("Review", review.id).get("comment") == "good"


def test_a_delete_hook_alone_deletes_nothing(emu: Emulator) -> None:
    album = save("Album", title="Summer")

    done = emu.command("hook", "Album", "beforeDelete", "--id", album.id)

    assert done.returncode == 0, done.stderr
    assert stored("Album", album.id).id == album.id
    assert emu.fired() == {"beforeDelete Album": 1}


def test_an_object_that_is_not_stored_is_said_so(emu: Emulator) -> None:
    done = emu.command("hook", "Album", "beforeDelete", "--id", "5ae0000000000000000000aa")

    assert done.returncode == 1
    assert "Could not find object" in done.stderr


def test_the_nearest_hook_is_offered(emu: Emulator) -> None:
    done = emu.command("hook", "Reviews", "beforeSave", "--object", "{}")

    assert done.returncode == 1
    assert "registers no beforeSave for Reviews" in done.stderr
    assert "Review beforeSave" in done.stderr


def test_a_hook_runs_without_an_instance(tmp_path: Path) -> None:
    done = alone(
        copied("counted", tmp_path), "hook", "Counted", "afterSave", "--object", "{name: 'x'}"
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) is not None
    assert done.stderr.count("│ saved x") == 1


def test_a_hook_that_is_too_late_leaves_with_4(slow: Emulator) -> None:
    done = slow.command("hook", "LongAfter", "afterSave", "--object", "{seconds: 0.8}")

    assert done.returncode == 4
    assert "timeout" in done.stderr
    assert done.stdout == ""


def test_code_that_does_not_load_leaves_with_3(tmp_path: Path) -> None:
    project = copied("counted", tmp_path)
    (project / "cloud.py").write_text("import leancloud\nraise ValueError('no start')\n")
    for words in (("hook", "Counted", "beforeSave"), ("save", "Counted")):
        done = alone(project, *words, "--object", "{name: 'x'}")
        assert done.returncode == 3, done.stderr
        assert "ValueError: no start" in done.stderr
        assert "Traceback" in done.stderr
        assert done.stdout == ""


# the real chain


def test_a_save_runs_the_chain_and_stores(emu: Emulator) -> None:
    done = emu.command("save", "Review", "--set", "movie=Gravity", "--set", f"comment={LONG}")

    assert done.returncode == 0, done.stderr
    review = json.loads(done.stdout)
    assert review["comment"] == CUT
    assert stored("Review", review["objectId"]).get("comment") == CUT
    assert emu.fired() == {"beforeSave Review": 1}


def test_after_hooks_and_what_they_cause_are_shown(emu: Emulator) -> None:
    post = save("Post", title="Films of the year")
    pointer: dict[str, Any] = {"__type": "Pointer", "className": "Post", "objectId": post.id}

    done = emu.command("save", "Comment", "--object", json.dumps({"post": pointer}))

    assert done.returncode == 0, done.stderr
    assert stored("Post", post.id).get("commentCount") == 1
    lines = done.stderr.splitlines()
    (hook,) = [line for line in lines if "afterSave Comment" in line]
    (nested,) = [line for line in lines if f"PUT /1.1/classes/Post/{post.id}" in line]
    assert len(hook) - len(hook.lstrip()) == 2
    assert len(nested) - len(nested.lstrip()) == 4


def test_a_refused_update_and_delete_leave_with_1(emu: Emulator) -> None:
    review = save("Review", movie="Gravity", comment="good")
    album = save("Album", title="Summer")
    save("Photo", album=album)

    update = emu.command("update", "Review", review.id, "--set", f"comment={LONG}")
    delete = emu.command("delete", "Album", album.id)

    assert (update.returncode, delete.returncode) == (1, 1)
    assert "at most 140 characters. (code 142, HTTP 400)" in update.stderr
    assert "The album still has photos. (code 142, HTTP 400)" in delete.stderr
    assert stored("Review", review.id).get("comment") == "good"
    assert stored("Album", album.id).id == album.id


def test_a_delete_shows_what_its_hooks_did(emu: Emulator) -> None:
    album = save("Album", title="Summer")
    photo = save("Photo", album=album, archived=True)
    emu.forget()

    done = emu.command("delete", "Album", album.id)

    assert done.returncode == 0, done.stderr
    assert f"│ deleted 1 archived photos of album {album.id}" in done.stderr
    assert emu.fired() == {"beforeDelete Album": 1, "afterDelete Album": 1}
    assert count("Photo", objectId=photo.id) == 0


def test_a_before_hook_that_is_too_late_leaves_with_4(slow: Emulator) -> None:
    done = slow.command("save", "Nap", "--set", "seconds=0.8")

    assert done.returncode == 4
    assert "className: Nap, hook: beforeSave" in done.stderr


def test_a_save_without_an_instance_says_that_it_is_gone(tmp_path: Path) -> None:
    done = alone(copied("counted", tmp_path), "save", "Counted", "--set", "name=x")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["checked"] is True
    assert done.stderr.count("│ saved x") == 1
    assert done.stderr.splitlines()[-1].startswith("warning: ")


# traces


def test_the_trace_of_an_sdks_save(emu: Emulator) -> None:
    with pytest.raises(leancloud.LeanCloudError):
        save("Review", movie="Gravity")

    shown = emu.command("trace", "--last")
    tree = json.loads(emu.command("trace", "--last", "--json").stdout)

    assert shown.returncode == 0
    assert shown.stdout.startswith(f"{tree['id']}  POST /1.1/classes/Review  rejected 400")
    assert "  beforeSave Review  (cloud.py:" in shown.stdout
    assert "10 s left of 10 s" in shown.stdout
    assert "! No comment!" in shown.stdout
    assert emu.command("trace", tree["id"]).stdout == shown.stdout
