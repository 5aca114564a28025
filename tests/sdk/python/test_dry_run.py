"""``--dry-run`` and ``replay`` with the official SDK as cloud code."""

import json
import os
import signal
import subprocess
from pathlib import Path

import leancloud
from emu_process import Emulator, copied, wait_until
from stored_objects import bare, reread, save

ONE_POINTER = '{{post: {{__type: "Pointer", className: "Post", objectId: "{}"}}}}'


def test_what_an_after_save_saves_is_shown_and_dropped(emu: Emulator) -> None:
    post = save("Post", title="dry")
    save("Comment", post=bare(post))
    emu.settle()
    comments = leancloud.Query("Comment").count()
    emu.forget()

    done = emu.command(
        "save", "Comment", "--object", ONE_POINTER.format(post.id), "--dry-run", "--json"
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["status"] == 201
    created, counted = told["writes"]
    assert (created["className"], created["change"]) == ("Comment", "created")
    assert (counted["className"], counted["objectId"]) == ("Post", post.id)
    assert (counted["before"]["commentCount"], counted["after"]["commentCount"]) == (1, 2)
    assert f"~ Post {post.id}" in done.stderr
    assert "    ~ commentCount: 1 → 2" in done.stderr
    assert emu.fired() == {"afterSave Comment": 1}
    assert reread(post).get("commentCount") == 1
    assert leancloud.Query("Comment").count() == comments


def test_what_hooks_delete_is_still_there(emu: Emulator) -> None:
    album = save("Album", name="dry")
    photo = save("Photo", album=bare(album), archived=True)

    done = emu.command("delete", "Album", album.id, "--dry-run", "--json")

    assert done.returncode == 0, done.stderr
    gone = [(w["className"], w["change"]) for w in json.loads(done.stdout)["writes"]]
    assert gone == [("Album", "deleted"), ("Photo", "deleted")]
    assert "deleted 1 archived photos" in done.stderr
    assert reread(album).get("name") == "dry"
    assert reread(photo).get("archived") is True


def test_a_refusal_leaves_with_1(emu: Emulator) -> None:
    done = emu.command("save", "Review", "--set", "stars=1", "--dry-run")
    assert done.returncode == 1
    assert "No comment!" in done.stderr
    assert "nothing would be stored" in done.stderr


def test_a_function_can_be_tried_out(emu: Emulator) -> None:
    done = emu.command("invoke", "hello", "--params", '{name: "you"}', "--dry-run", "--json")
    assert json.loads(done.stdout)["body"] == {"result": "Hello, you!"}
    assert json.loads(done.stdout)["writes"] == []
    assert "nothing would be stored" in done.stderr


def test_a_replay_is_for_the_same_user_and_counts_again(emu: Emulator) -> None:
    post = save("Post", title="again")
    emu.forget()
    save("Comment", post=bare(post))
    emu.settle()

    done = emu.command("replay", "--last")

    assert done.returncode == 0, done.stderr
    assert reread(post).get("commentCount") == 2
    assert "~ after.commentCount: 1 → 2" in done.stdout
    dry = emu.command("replay", "--last", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert reread(post).get("commentCount") == 2


def test_every_reload_is_followed_until_ctrl_c(tmp_path: Path) -> None:
    project = copied("reviews", tmp_path)
    emulator = Emulator(project)
    program = os.environ.get("LEAN_EMU", "lean-emu").split()
    watching = None
    try:
        made = emulator.command(
            "save", "Review", "--set", "comment=x", "--set", "stars=1", "--json"
        )
        trace = json.loads(made.stdout)["trace"]
        output = tmp_path / "watch.log"
        with output.open("wb") as log:
            watching = subprocess.Popen(
                [*program, "replay", trace, "--dry-run", "--watch", "--project", str(project)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        wait_until(lambda: "Ctrl-C ends" in output.read_text(), "the first replay")
        assert "The same in every step." in output.read_text()

        code = project / "cloud.py"
        works = code.read_text()
        code.write_text(
            works.replace("if not comment:", 'review.set("seen", True)\n    if not comment:')
        )
        wait_until(lambda: "+ after.seen: true" in output.read_text(), "the replay of the edit")
        code.write_text("def broken(\n")
        wait_until(lambda: "did not load" in output.read_text(), "the broken edit")
        code.write_text(works)
        wait_until(lambda: output.read_text().count("The same in every") == 2, "the mended code")

        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 0
        assert "Traceback" not in output.read_text()
    finally:
        if watching is not None:
            watching.kill()
            watching.wait()
        emulator.stop()
