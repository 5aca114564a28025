"""The fixture project in Node, with the official SDK from npm as cloud code, driven by plain REST.

Runs beside ``tests/sdk/python`` and shares its emulator process; what happens is the same table of
scenarios as in its ``test_reviews.py``.
"""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from emu_process import Emulator, wait_until
from node_packages import INSTALL_SECONDS, copied_with_packages, needs_node
from rest import Rest, pointer

LONG = "I almost forgot breathing. " * 10

pytestmark = [pytest.mark.timeout(INSTALL_SECONDS + 60), needs_node]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    folder = tmp_path_factory.mktemp("shared-node")
    emulator = Emulator(copied_with_packages("reviews-node", folder))
    yield Rest(emulator)
    emulator.stop()


@pytest.fixture
def rest(shared: Rest) -> Rest:
    shared.emulator.forget()
    return shared


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Rest]:
    """An emulator of the test's own, whose files it may edit."""
    emulator = Emulator(copied_with_packages("reviews-node", tmp_path))
    yield Rest(emulator)
    if emulator.process.poll() is None:
        emulator.stop()


def edit(rest: Rest, old: str, new: str) -> None:
    path = rest.emulator.project / "cloud.js"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_before_save_cuts_a_long_comment(rest: Rest) -> None:
    review = rest.save("Review", movie="Gravity", stars=5, comment=LONG)

    assert rest.stored("Review", review)["comment"] == LONG[:140] + "…"
    assert rest.emulator.fired() == {"beforeSave Review": 1}


def test_before_save_refuses_a_review_without_a_comment(rest: Rest) -> None:
    assert rest.refusal("POST", "classes/Review", {"movie": "Gravity", "stars": 5}) == (
        400,
        142,
        "Cloud Code validation failed. Error detail : No comment!",
    )
    assert rest.emulator.fired() == {"beforeSave Review": 1}


def test_after_save_increments_the_posts_counter(rest: Rest) -> None:
    post = rest.save("Post", title="Films of the year")
    rest.save("Comment", text="first", post=pointer("Post", post))
    rest.save("Comment", text="second", post=pointer("Post", post))

    assert rest.emulator.fired() == {"afterSave Comment": 2}
    assert rest.stored("Post", post)["commentCount"] == 2


def test_what_an_after_save_saves_in_a_dry_run_is_dropped(rest: Rest) -> None:
    post = rest.save("Post", title="Films of the year")
    comment = json.dumps({"post": pointer("Post", post)})

    done = rest.emulator.command("save", "Comment", "--object", comment, "--dry-run", "--json")

    assert done.returncode == 0, done.stderr
    writes = [(write["className"], write["change"]) for write in json.loads(done.stdout)["writes"]]
    assert writes == [("Comment", "created"), ("Post", "updated")]
    assert rest.emulator.fired() == {"afterSave Comment": 1}
    assert "commentCount" not in rest.stored("Post", post)


def test_before_update_refuses_a_long_comment_and_keeps_the_old_one(rest: Rest) -> None:
    review = rest.save("Review", movie="Gravity", stars=5, comment="good")
    rest.emulator.forget()

    assert rest.refusal("PUT", f"classes/Review/{review}", {"comment": LONG}) == (
        400,
        142,
        "Cloud Code validation failed. Error detail : A comment has at most 140 characters.",
    )
    assert rest.stored("Review", review)["comment"] == "good"
    assert rest.emulator.fired() == {"beforeUpdate Review": 1}


def test_before_update_sees_only_the_keys_that_change(rest: Rest) -> None:
    review = rest.save("Review", movie="Gravity", stars=5, comment="good")
    rest.emulator.forget()
    assert rest.ask("PUT", f"classes/Review/{review}", {"stars": 4}).status_code == 200

    (hook,) = [step for step in rest.emulator.steps() if step["kind"] == "hook"]
    assert hook["updatedKeys"] == ["stars"]
    assert (hook["before"]["comment"], hook["before"]["stars"]) == ("good", 4)


def test_before_delete_refuses_an_album_with_photos(rest: Rest) -> None:
    album = rest.save("Album", title="Summer")
    photo = rest.save("Photo", album=pointer("Album", album))

    assert rest.refusal("DELETE", f"classes/Album/{album}") == (
        400,
        142,
        "Cloud Code validation failed. Error detail : The album still has photos.",
    )
    assert rest.stored("Album", album)["objectId"] == album
    assert rest.stored("Photo", photo)["objectId"] == photo
    assert rest.emulator.fired() == {"beforeDelete Album": 1}


def test_after_delete_deletes_what_is_left_in_the_album(rest: Rest) -> None:
    album = rest.save("Album", title="Summer")
    photos = [rest.save("Photo", album=pointer("Album", album), archived=True) for _ in range(3)]
    rest.emulator.forget()

    assert rest.ask("DELETE", f"classes/Album/{album}").status_code == 200

    assert rest.emulator.fired() == {"beforeDelete Album": 1, "afterDelete Album": 1}
    assert [rest.stored("Photo", photo) for photo in photos] == [{}] * 3
    (hook,) = [step for step in rest.emulator.steps() if step.get("hook") == "afterDelete"]
    assert [line["text"] for line in hook["prints"]] == [
        f"deleted 3 archived photos of album {album}"
    ]
    assert [child["method"] for child in hook["children"]] == ["GET", "DELETE", "DELETE", "DELETE"]


def test_average_stars_queries_from_inside_the_function(rest: Rest) -> None:
    for stars in (3, 4, 5):
        rest.save("Review", movie="Alien", stars=stars, comment="boo")
    rest.emulator.forget()

    assert rest.run("averageStars", movie="Alien") == 4
    assert rest.ask("POST", "functions/averageStars", {"movie": "no such"}).json() == {}

    root = rest.emulator.admin("GET", "traces")["results"][0]
    (function,) = root["children"]
    assert function["kind"] == "function"
    assert [child["method"] for child in function["children"]] == ["GET"], "nested in its cause"
    (line,) = function["prints"]
    assert line["text"] == "averageStars: 3 reviews of Alien"
    source = (rest.emulator.project / "cloud.js").read_text(encoding="utf-8").splitlines()
    printed_at = next(n for n, text in enumerate(source, 1) if "console.log(`averageStars" in text)
    assert line["where"] == f"cloud.js:{printed_at}"


def test_errors_of_functions_and_a_query_string(rest: Rest) -> None:
    assert rest.refusal("POST", "functions/averageStar") == (
        404,
        1,
        "No such cloud function 'averageStar'",
    )
    assert rest.ask("POST", "functions/hello?x=1", {"name": "Mia"}).json() == {
        "result": "Hello, Mia!"
    }
    assert rest.ask("POST", "call/hello", {"name": "Mia"}).status_code == 200


def test_every_edit_is_served_by_the_next_call(own: Rest) -> None:
    for number in range(6):
        old = "`Hello" if number == 0 else f"`Hi {number - 1}"
        edit(own, old, f"`Hi {number}")
        assert own.run("hello", name="Mia") == f"Hi {number}, Mia!"


def test_a_broken_edit_says_so_and_the_next_good_one_heals(own: Rest) -> None:
    edit(own, "COMMENT_LENGTH = 140", "COMMENT_LENGTH = (")
    status, code, error = own.refusal("POST", "functions/hello")
    assert (status, code) == (500, 141)
    assert "npm start did not load" in error
    assert "SyntaxError: " in error
    wait_until(lambda: "cloud.js:" in own.emulator.output(), "Node's own words are shown")
    edit(own, "COMMENT_LENGTH = (", "COMMENT_LENGTH = 140")
    assert own.run("hello") == "Hello, world!"


LOOPS = """
AV.Cloud.beforeSave('Mirror', async (request) => {
  await new AV.Object('Mirror').save();
});
AV.Cloud.afterSave('Ping', async () => {
  await new AV.Object('Pong').save();
});
AV.Cloud.afterSave('Pong', async () => {
  await new AV.Object('Ping').save();
});
"""


def test_loops_are_cut_and_shown(own: Rest) -> None:
    edit(own, "// Up to 1,000", f"{LOOPS}\n// Up to 1,000")
    status, code, error = own.refusal("POST", "classes/Mirror", {})
    assert (status, code) == (431, 431)
    assert "beforeSave Mirror → beforeSave Mirror" in error
    assert own.ask("GET", "classes/Mirror").json()["code"] == 101, "nothing was stored"
    own.emulator.forget()

    own.save("Ping")
    fired = own.emulator.fired()
    assert fired["afterSave Ping"] + fired["afterSave Pong"] == 9, "eight, and the one cut"
    cut = [step["cycle"] for step in own.emulator.steps() if step.get("cycle")]
    assert cut == [["afterSave Ping", "afterSave Pong"]]


def processes_in(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            at = os.readlink(process / "cwd")
        except OSError:
            continue
        if state != "Z" and at == str(folder):
            found.append(process.name)
    return found


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
def test_no_process_outlives_a_killed_parent(own: Rest) -> None:
    assert len(processes_in(own.emulator.project)) >= 2, "npm and node"
    own.emulator.process.send_signal(signal.SIGKILL)
    own.emulator.process.wait()
    wait_until(lambda: not processes_in(own.emulator.project), "every process is gone")
