"""The fixture project through the official SDK: what fires, what must not, what is stored."""

import os
import uuid
from datetime import UTC, datetime

import leancloud
import pytest
from emu_process import Emulator
from stored_objects import save, stored

LONG = "I almost forgot breathing. " * 10


def test_before_save_cuts_a_long_comment(emu: Emulator) -> None:
    review = save("Review", movie="Gravity", stars=5, comment=LONG)

    assert stored("Review", review.id).get("comment") == LONG[:140] + "…"
    assert emu.fired() == {"beforeSave Review": 1}


def test_before_save_refuses_a_review_without_a_comment(emu: Emulator) -> None:
    with pytest.raises(leancloud.LeanCloudError) as refused:
        save("Review", movie="Gravity", stars=5)

    assert refused.value.code == 142
    assert refused.value.error == "Cloud Code validation failed. Error detail : No comment!"
    assert emu.fired() == {"beforeSave Review": 1}


def test_after_save_increments_the_posts_counter(emu: Emulator) -> None:
    post = save("Post", title="Films of the year")
    save("Comment", text="first", post=post)
    save("Comment", text="second", post=post)

    fired = emu.fired()
    assert fired == {"afterSave Comment": 2}
    assert stored("Post", post.id).get("commentCount") == 2


def test_before_update_refuses_a_long_comment_and_keeps_the_old_one(emu: Emulator) -> None:
    review = save("Review", movie="Gravity", stars=5, comment="good")
    emu.forget()
    review.set("comment", LONG)

    with pytest.raises(leancloud.LeanCloudError) as refused:
        review.save()

    assert refused.value.code == 142
    assert "at most 140 characters" in refused.value.error
    assert stored("Review", review.id).get("comment") == "good"
    assert emu.fired() == {"beforeUpdate Review": 1}


def test_before_update_sees_only_the_keys_that_change(emu: Emulator) -> None:
    review = save("Review", movie="Gravity", stars=5, comment="good")
    emu.forget()
    review.set("stars", 4)
    review.save()

    (hook,) = [step for step in emu.steps() if step["kind"] == "hook"]
    assert hook["updatedKeys"] == ["stars"]
    assert hook["before"]["comment"] == "good"
    assert hook["before"]["stars"] == 4


def test_before_delete_refuses_an_album_with_photos(emu: Emulator) -> None:
    album = save("Album", title="Summer")
    photo = save("Photo", album=album)

    with pytest.raises(leancloud.LeanCloudError) as refused:
        album.destroy()

    assert refused.value.error.endswith("The album still has photos.")
    assert stored("Album", album.id).id == album.id
    assert stored("Photo", photo.id).id == photo.id
    assert emu.fired() == {"beforeDelete Album": 1}


def test_after_delete_deletes_what_is_left_in_the_album(emu: Emulator) -> None:
    album = save("Album", title="Summer")
    photos = [save("Photo", album=album, archived=True) for _ in range(3)]
    emu.forget()

    album.destroy()

    assert emu.fired() == {"beforeDelete Album": 1, "afterDelete Album": 1}
    assert leancloud.Query("Photo").equal_to("album", album).count() == 0
    assert len(photos) == 3


def test_average_stars_queries_from_inside_the_function(emu: Emulator) -> None:
    movie = f"Alien {uuid.uuid4()}"  # other tests review the film itself
    for stars in (3, 4, 5):
        save("Review", movie=movie, stars=stars, comment="boo")
    emu.forget()

    assert leancloud.cloud.run("averageStars", movie=movie) == 4
    assert leancloud.cloud.run("averageStars", movie="no such film") is None

    roots = emu.admin("GET", "traces")["results"]
    function = roots[0]["children"][0]
    assert function["kind"] == "function"
    assert [child["method"] for child in function["children"]] == ["GET"], "nested in its cause"
    assert [line["text"] for line in function["prints"]] == [f"averageStars: 3 reviews of {movie}"]


def test_rpc_and_errors_of_functions(emu: Emulator) -> None:
    assert leancloud.cloud.rpc("hello", name="Mia") == "Hello, Mia!"
    with pytest.raises(leancloud.LeanCloudError) as unknown:
        leancloud.cloud.run("averageStar", movie="Alien")
    assert unknown.value.code == 404
    assert unknown.value.error == "cloud func named 'averageStar' not found."
    with pytest.raises(leancloud.LeanCloudError) as wrong:
        leancloud.cloud.run("averageStars")
    assert (wrong.value.code, wrong.value.error) == (141, "Cloud Code script had an error.")


def test_classes_without_hooks_fire_nothing(emu: Emulator) -> None:
    post = save("Post", title="quiet")
    post.set("title", "still quiet")
    post.save()
    post.destroy()
    assert emu.fired() == {}


def test_save_all_and_destroy_all_go_through_batch(emu: Emulator) -> None:
    reviews = [leancloud.Object.create("Review", movie="Up", comment=f"c{i}") for i in range(5)]
    leancloud.Object.save_all(reviews)
    assert all(review.id for review in reviews)
    assert emu.fired() == {"beforeSave Review": 5}

    leancloud.Object.destroy_all(reviews)
    assert leancloud.Query("Review").equal_to("movie", "Up").count() == 0


def test_a_refusal_in_a_batch_leaves_the_others(emu: Emulator) -> None:
    good = leancloud.Object.create("Review", movie="Jaws", comment="bites")
    bad = leancloud.Object.create("Review", movie="Jaws")

    with pytest.raises(leancloud.LeanCloudError) as refused:
        leancloud.Object.save_all([bad, good])

    assert refused.value.code == 142
    assert leancloud.Query("Review").equal_to("movie", "Jaws").count() == 1


def test_fetch_when_save_shows_what_the_hook_changed(emu: Emulator) -> None:
    review = leancloud.Object.create("Review", movie="Heat", comment=LONG)
    review.save(fetch_when_save=True)
    assert review.get("comment") == LONG[:140] + "…"


def test_atomic_operations(emu: Emulator) -> None:
    post = save("Post", title="ops", likes=1, tags=["a"])
    post.increment("likes", 4)
    post.add("tags", "b")
    post.save()
    post.add_unique("tags", "a")
    post.save()
    post.remove("tags", "a")
    post.unset("title")
    post.save()

    found = stored("Post", post.id)
    assert (found.get("likes"), found.get("tags"), found.get("title")) == (5, ["b"], None)


def test_queries(emu: Emulator) -> None:
    for number in range(6):
        save("Score", number=number, name=f"n{number % 2}")
    query = leancloud.Query("Score")
    query.greater_than_or_equal_to("number", 1)
    query.less_than("number", 5)
    query.not_equal_to("number", 3)
    query.descending("number")
    assert [score.get("number") for score in query.find()] == [4, 2, 1]
    assert query.count() == 3
    query.skip(1).limit(1)
    assert [score.get("number") for score in query.find()] == [2]
    assert leancloud.Query("Score").contained_in("number", [0, 5]).count() == 2
    (first,) = leancloud.Query("Score").equal_to("number", 0).select("number").find()
    assert first.get("number") == 0
    assert first.get("name") is None


def test_dates_pointers_and_geo_points_come_back(emu: Emulator) -> None:
    moment = datetime(2024, 2, 29, 12, 30, 15, 123000, tzinfo=UTC)
    post = save("Post", title="target")
    made = save("Mixed", at=moment, post=post, place=leancloud.GeoPoint(39.9, 116.4), n=None)
    found = stored("Mixed", made.id)
    assert found.get("at") == moment
    assert found.get("post").id == post.id
    assert found.get("place").latitude == 39.9
    assert found.get("n") is None
    assert leancloud.Query("Mixed").equal_to("post", post).count() == 1
    assert leancloud.Query("Mixed").less_than("at", moment).count() == 0


def test_ignored_hooks_of_an_engine(emu: Emulator) -> None:
    leancloud.client.HOOK_KEY = emu.keys["hook_key"]
    review = leancloud.Object.create("Review", movie="quiet", comment=LONG)
    review.disable_before_hook()
    review.save()
    leancloud.client.HOOK_KEY = None

    assert stored("Review", review.id).get("comment") == LONG
    assert emu.fired() == {}
    (skipped,) = [step for step in emu.steps() if step["outcome"] == "skipped"]
    assert skipped["why"]["reason"] == "ignored"


def test_a_clients_wish_to_ignore_hooks_counts_for_nothing(emu: Emulator) -> None:
    review = leancloud.Object.create("Review", movie="loud", comment=LONG)
    review._flags["__ignore_hooks"] = ["beforeSave"]
    review.save()
    assert stored("Review", review.id).get("comment") == LONG[:140] + "…"
    assert emu.fired() == {"beforeSave Review": 1}


def test_conditional_save(emu: Emulator) -> None:
    post = save("Post", title="guarded", version=1)
    post.set("version", 2)
    with pytest.raises(leancloud.LeanCloudError) as refused:
        post.save(where=leancloud.Query("Post").equal_to("version", 7))
    assert refused.value.code == 305
    post.save(where=leancloud.Query("Post").equal_to("version", 1))
    assert stored("Post", post.id).get("version") == 2


def test_server_time_needs_no_keys(emu: Emulator) -> None:
    assert leancloud.client.get_server_time().year >= 2024


def test_users_sign_up_log_in_and_are_seen_by_functions(emu: Emulator) -> None:
    name = f"mia{os.getpid()}"
    user = leancloud.User()
    user.set_username(name)
    user.set_password("secret")
    user.sign_up()
    assert user.get_session_token()

    again = leancloud.User()
    again.login(name, "secret")
    assert again.id == user.id
    with pytest.raises(leancloud.LeanCloudError) as wrong:
        leancloud.User().login(name, "guess")
    assert wrong.value.code == 210
    assert leancloud.cloud.run("hello", name="Mia") == "Hello, Mia!"
    again.logout()
