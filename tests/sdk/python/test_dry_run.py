"""``--dry-run`` with the official SDK as cloud code: what its hooks save is dropped, too."""

import json

import leancloud
from emu_process import Emulator
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
